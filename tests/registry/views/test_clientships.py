"""Ending a clientship: what will be erased first, then the end, then taking it back (domain.md F42)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import Clientship, EndReason, Service, User
from tests.factories import AppliedChangeFactory, ClientshipFactory, PersonFactory, ProblemFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


@pytest.fixture
def kept(service_a: Service) -> Clientship:
    person = PersonFactory.create(home=True)
    made: Clientship = ClientshipFactory.create(service=service_a, person=person, reference="PS-1")
    AppliedChangeFactory.create(person=person)
    return made


@pytest.fixture
def caseworker(client: Client, aino: User) -> Client:
    client.force_login(aino)
    return client


TOLD = {"end": "31.12.2030", "reason": EndReason.MOVED}


def test_f42_the_page_shows_first_what_will_be_erased_and_when(caseworker: Client, kept: Clientship) -> None:
    text = caseworker.post(reverse("clientship-end", args=[kept.pk]), TOLD).content.decode()
    assert "1.1.2031" in text
    assert "omaa viitettäsi" in text
    assert "muutosten historiaa" in text
    kept.refresh_from_db()
    assert kept.end is None


def test_the_page_says_whose_clientship_it_is(caseworker: Client, kept: Clientship) -> None:
    address = reverse("clientship-end", args=[kept.pk])
    name = f"{kept.person.first_names} {kept.person.last_name}"
    assert name in caseworker.get(address).content.decode()
    # One that may be somebody else's is not shown (outside.md, Import file).
    ProblemFactory.create(person=kept.person, kind="NAME_MISMATCH")
    assert name not in caseworker.get(address).content.decode()


def test_f42_of_a_person_who_stays_only_the_clientship_goes(caseworker: Client, kept: Clientship) -> None:
    ClientshipFactory.create(person=kept.person, service__unit=kept.service.unit)
    text = caseworker.post(reverse("clientship-end", args=[kept.pk]), TOLD).content.decode()
    assert "Vain tämä asiakkuus poistetaan" in text
    assert "Rekisteristä poistetaan kaikki" not in text


def test_f42_what_was_previewed_is_ended_and_can_be_taken_back(caseworker: Client, kept: Clientship) -> None:
    address = reverse("clientship-end", args=[kept.pk])
    answer = caseworker.post(address, TOLD | {"confirm": "2030-12-31"})
    assert answer["Location"] == reverse("client", args=[kept.person.subject])
    kept.refresh_from_db()
    assert (str(kept.end), kept.end_reason) == ("2030-12-31", EndReason.MOVED)
    page = caseworker.get(answer["Location"]).content.decode()
    assert reverse("clientship-take-back", args=[kept.pk]) in page
    caseworker.post(reverse("clientship-take-back", args=[kept.pk]))
    kept.refresh_from_db()
    assert kept.end is None


def test_another_day_than_the_previewed_one_is_previewed_again(caseworker: Client, kept: Clientship) -> None:
    answer = caseworker.post(reverse("clientship-end", args=[kept.pk]), TOLD | {"confirm": "2030-12-30"})
    assert answer.status_code == 200
    assert 'value="2030-12-31"' in answer.content.decode()
    kept.refresh_from_db()
    assert kept.end is None


@pytest.mark.parametrize(
    "told",
    [{"end": "31.12.2019"}, {"end": "31.12.9999"}, {"end": "x"}, {"reason": ""}, {"reason": EndReason.LIST}],
)
def test_what_cannot_be_is_told(caseworker: Client, kept: Clientship, told: dict[str, str]) -> None:
    answer = caseworker.post(reverse("clientship-end", args=[kept.pk]), TOLD | {"confirm": "2030-12-31"} | told)
    assert "data-errors" in answer.content.decode()
    kept.refresh_from_db()
    assert kept.end is None


def test_a_second_end_is_refused_in_words(caseworker: Client, kept: Clientship) -> None:
    for _ in range(2):
        answer = caseworker.post(reverse("clientship-end", args=[kept.pk]), TOLD | {"confirm": "2030-12-31"})
    assert answer.status_code == 200
    assert "data-errors" in answer.content.decode()
