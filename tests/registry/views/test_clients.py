"""The list of clients in the browser's words: pages, search by POST, what is wrong with a code (domain.md G49)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import Service, User
from tests.factories import ClientshipFactory, PersonFactory, code_of, new_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


@pytest.fixture
def caseworker(client: Client, aino: User) -> Client:
    client.force_login(aino)
    return client


def search(client: Client, words: str, **more: object) -> str:
    answer = client.post(reverse("client-search"), {"q": words} | more)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_search_finds_by_name_and_by_code(caseworker: Client, service_a: Service) -> None:
    person = PersonFactory.create(last_name="Äyräs")
    ClientshipFactory.create(person=person, service=service_a)
    link = reverse("client", args=[person.subject])
    assert link in search(caseworker, "äyr")
    code = code_of(person)
    assert link in search(caseworker, f" {code.lower()} ")
    assert link in search(caseworker, f"{code[:6]} {code[6:]}")
    assert "Ketään ei löytynyt" in search(caseworker, "Virtanen")


def test_a_code_that_nobody_has_is_to_be_checked(caseworker: Client) -> None:
    assert "Tarkista henkilötunnus" in search(caseworker, new_code())


def test_the_box_has_the_focus_until_there_is_something_to_read(caseworker: Client, service_a: Service) -> None:
    person = PersonFactory.create(last_name="Äyräs")
    ClientshipFactory.create(person=person, service=service_a)
    assert "autofocus" in caseworker.get(reverse("clients")).content.decode()
    assert "autofocus" not in caseworker.get(reverse("clients"), {"after": person.subject}).content.decode()
    assert "autofocus" in search(caseworker, "Virtanen")
    assert "autofocus" in search(caseworker, "010190-9")
    assert "autofocus" not in search(caseworker, "äyr")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("010190-9", "Tarkista, että kaikki merkit ovat mukana"),
        ("010190-999A", "Viimeinen merkki ei sovi muihin"),
        ("010190-1238", "tai"),
        ("", "Kirjoita nimi tai henkilötunnus"),
    ],
)
def test_a_code_that_cannot_be_is_told_kindly(caseworker: Client, words: str, said: str) -> None:
    page = search(caseworker, words)
    assert 'class="wrong"' in page
    assert said in page
    assert "Ketään ei löytynyt" not in page


def test_the_pages_of_a_search_travel_by_post_too(caseworker: Client, service_a: Service) -> None:
    for number in range(51):
        person = PersonFactory.create(last_name=f"Aho{number:02d}")
        ClientshipFactory.create(person=person, service=service_a)
    first = search(caseworker, "aho")
    assert "Aho50" not in first
    after = first.split('name="after" value="')[1].split('"')[0]
    second = search(caseworker, "aho", after=after)
    assert "Aho50" in second
    assert "Aho49" not in second
    assert 'name="before"' in second


def test_a_reload_of_a_search_goes_back_to_the_list(caseworker: Client) -> None:
    assert caseworker.get(reverse("client-search"))["Location"] == reverse("clients")


@pytest.mark.parametrize("after", ["", "x", "00000000-0000-4000-8000-000000000000"])
def test_an_address_that_leads_nowhere_is_the_first_page(caseworker: Client, service_a: Service, after: str) -> None:
    person = PersonFactory.create()
    ClientshipFactory.create(person=person, service=service_a)
    page = caseworker.get(reverse("clients"), {"after": after}).content.decode()
    assert reverse("client", args=[person.subject]) in page


def test_an_empty_register_says_what_to_do(caseworker: Client) -> None:
    assert "Asiakkaita ei vielä ole" in caseworker.get(reverse("clients")).content.decode()


def test_a5_the_list_leads_to_the_clients_who_have_died(caseworker: Client, service_a: Service) -> None:
    assert reverse("client-deceased") in caseworker.get(reverse("clients")).content.decode()
    page = caseworker.get(reverse("client-deceased")).content.decode()
    assert "Täällä ei odota mitään" in page
    person = PersonFactory.create(deceased=True)
    ClientshipFactory.create(person=person, service=service_a)
    page = caseworker.get(reverse("client-deceased")).content.decode()
    assert reverse("client", args=[person.subject]) in page
    assert "Kuolleet asiakkaat" in page
