"""While the register is locked after a restore no page tells where anybody lives, and caseworkers see nobody
(domain.md F45, E38)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import Clientship, Person, Problem, Service, User
from registry.services import restore
from tests.cast import clerk
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    ForeignAddressFactory,
    PersonFactory,
    code_of,
    pair,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

BANNER = "Rekisteri on lukittu"
PLACES = ("Mikkolantie", "Mickelsvägen", "00640", "HELSINKI", "Helsinki", "Kungsgatan", "STOCKHOLM", "Entinentie")


@pytest.fixture
def people(service_a: Service) -> tuple[Person, Person]:
    """Two entries of one person with everything that tells a place."""
    both = tuple(PersonFactory.create(last_name=f"Salonen-{n}", home=True, deceased=True) for n in (1, 2))
    for person in both:
        ClientshipFactory.create(person=person, service=service_a, reference="PS-SALAINEN")
        ForeignAddressFactory.create(person=person)
        AppliedChangeFactory.create(person=person, field="home", old_value="Entinentie 1", new_value="Mikkolantie 30")
    pair(*both)
    return both  # type: ignore[return-value]


def pages(browser: Client, people: tuple[Person, Person]) -> Iterator[str]:
    """Everything that can be asked about them."""
    one, other = people
    subject = [one.subject]
    for name, of in (
        ("start", []),
        ("clients", []),
        ("client-deceased", []),
        ("client", subject),
        ("client-check", subject),
        ("problems", []),
        ("problem", [Problem.objects.filter(person=one)[0].pk]),
        ("pair", [one.subject, other.subject]),
        ("pair-merge", [one.subject, other.subject]),
        ("clientship-end", [Clientship.objects.filter(person=one)[0].pk]),
    ):
        yield browser.get(reverse(name, args=of), follow=True).content.decode()
    yield browser.post(reverse("client-search"), {"q": "Salonen"}).content.decode()
    yield browser.post(reverse("client-search"), {"q": code_of(one)}).content.decode()
    yield browser.post(reverse("client-code", args=subject)).content.decode()
    yield browser.post(reverse("client-print", args=subject), {"reason": "URGENT"}, follow=True).content.decode()


def test_f45_the_pages_tell_places_when_it_is_open(client: Client, daniel: User, people: tuple[Person, Person]) -> None:
    """Or the next tests would prove nothing."""
    client.force_login(daniel)
    shown = "".join(pages(client, people))
    assert BANNER not in shown
    assert {"Mikkolantie", "Helsinki", "Kungsgatan", "Entinentie"} <= {word for word in PLACES if word in shown}


def test_f45_no_page_tells_a_place_to_anybody(client: Client, daniel: User, people: tuple[Person, Person]) -> None:
    restore.begin(clerk)
    client.force_login(daniel)
    shown = list(pages(client, people))
    assert [page for page in shown if BANNER not in page] == []
    assert [word for word in PLACES for page in shown if word in page] == []
    assert "Salonen-1" in shown[1]


@pytest.mark.parametrize("name", ["aino", "bertta", "celia", "eeva"])
def test_e38_nobody_else_sees_anybody(
    name: str, request: pytest.FixtureRequest, client: Client, people: tuple[Person, Person]
) -> None:
    restore.begin(clerk)
    client.force_login(request.getfixturevalue(name))
    for page in pages(client, people):
        assert BANNER in page
        told = [word for word in (*PLACES, "Salonen-", "PS-SALAINEN") if word in page]
        assert told == []


def test_f45_the_way_on_is_told_to_administrators(client: Client, aino: User, bertta: User) -> None:
    restore.begin(clerk)
    for user, told in ((aino, False), (bertta, True)):
        client.force_login(user)
        assert ("restore_finish" in client.get(reverse("start"), follow=True).content.decode()) is told


def test_f45_the_page_to_sign_in_says_it_too(client: Client) -> None:
    restore.begin(clerk)
    assert BANNER in client.get(reverse("sign-in")).content.decode()
