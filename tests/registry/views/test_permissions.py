"""Whose clients a page shows, and where each role begins (domain.md H52). Who gets which page: tests/access."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import Clientship, Person, Service, User
from tests.factories import ClientshipFactory, PersonFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


@pytest.fixture
def kept(service_a: Service) -> Clientship:
    return ClientshipFactory.create(service=service_a, person=PersonFactory.create(home=True))


def address(name: str, kept: Clientship) -> str:
    return reverse(name, args={"client": [kept.person.subject], "clientship-end": [kept.pk]}.get(name, []))


@pytest.fixture
def signed_in(request: pytest.FixtureRequest, client: Client) -> Client:
    client.force_login(request.getfixturevalue(request.param))
    return client


def test_h52_a_stranger_and_nobody_are_the_same_answer(client: Client, celia: User, kept: Clientship) -> None:
    client.force_login(celia)
    stranger = client.get(reverse("client", args=[kept.person.subject]))
    nobody = client.get(reverse("client", args=["00000000-0000-4000-8000-000000000000"]))
    assert stranger.status_code == nobody.status_code == 404
    said = [
        re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", one.content.decode())
        for one in (stranger, nobody)
    ]
    assert said[0] == said[1]


def test_h52_celia_sees_nothing_of_unit_a(client: Client, celia: User, kept: Clientship) -> None:
    ClientshipFactory.create(person=kept.person, service__unit=celia.units.get(), service__name_fi="Kuntoutus")
    client.force_login(celia)
    page = client.get(reverse("client", args=[kept.person.subject])).content.decode()
    assert "Kuntoutus" in page
    assert kept.service.name_fi not in page
    assert kept.service.name_fi not in client.get(reverse("clients")).content.decode()


def test_a_superuser_without_a_role_sees_no_personal_data(client: Client, kept: Clientship) -> None:
    root = User.objects.create(username="root", is_superuser=True)
    client.force_login(root)
    assert client.get(reverse("clients")).status_code == 403
    assert client.get(reverse("start")).status_code == 200


@pytest.mark.parametrize(
    ("signed_in", "first"),
    [("aino", "clients"), ("bertta", "sync-history"), ("daniel", "clients"), ("eeva", "audit-log")],
    indirect=["signed_in"],
)
def test_each_role_begins_where_its_work_is(signed_in: Client, first: str) -> None:
    assert signed_in.get(reverse("start"))["Location"] == reverse(first)


def test_g49_no_address_of_a_page_holds_anything_of_a_person(client: Client, aino: User, kept: Clientship) -> None:
    client.force_login(aino)
    person = Person.objects.get(pk=kept.person_id)
    code = person.codes.get().hetu
    for name in ("clients", "client", "clientship-end"):
        page = client.get(address(name, kept)).content.decode()
        links = [part.split('"')[0] for part in page.replace('action="', 'href="').split('href="')[1:]]
        assert links
        for link in links:
            assert not any(word in link for word in (code, person.last_name or "?", person.home_street_fi or "?"))
