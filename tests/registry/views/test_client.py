"""A client's page as it is read (domain.md E37, E38, E41, F42, H54)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from registry.models import AuditEvent, Person, Service, User
from tests.factories import ClientshipFactory, PersonFactory, ProblemFactory, code_of, opened

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

STREET = "Mikkolantie"


@pytest.fixture
def caseworker(client: Client, aino: User) -> Client:
    client.force_login(aino)
    return client


def client_of(service: Service, **more: object) -> Person:
    person = PersonFactory.create(**({"home": True} | more))
    ClientshipFactory.create(person=person, service=service, reference="PS-17")
    return person


def page(client: Client, user: User, person: Person, status: int = 200) -> str:
    client.force_login(user)
    answer = client.get(reverse("client", args=[person.subject]))
    assert answer.status_code == status
    assert status == 404 or "no-store" in answer["Cache-Control"]
    return answer.content.decode()


def test_the_page_shows_what_vtj_says_and_as_of_when(client: Client, aino: User, service_a: Service) -> None:
    person = client_of(service_a)
    text = page(client, aino, person)
    for word in (person.last_name, STREET, "Helsinki", "suomi", "PS-17", "ajan tasalla"):
        assert str(word) in text


def test_h54_the_code_is_shown_for_one_answer(client: Client, aino: User, service_a: Service) -> None:
    person = client_of(service_a)
    code = code_of(person)
    assert code not in page(client, aino, person)
    shown = client.post(reverse("client-code", args=[person.subject]))
    assert code in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert list(AuditEvent.objects.values_list("action", flat=True)).count("SHOW_CODE") == 1
    assert client.get(reverse("client-code", args=[person.subject]))["Location"] == reverse(
        "client", args=[person.subject]
    )


@pytest.mark.parametrize(
    ("state", "said", "shown"),
    [
        ({"checked_at": timezone.now() - timedelta(hours=30)}, "Osoite ja kotikunta voivat olla vanhentuneet", True),
        ({"checked_at": timezone.now() - timedelta(days=8)}, "Osoitetta ja kotikuntaa ei näytetä", False),
        ({"location_hidden": True}, "tarkistetaan VTJ:stä", False),
        ({"reveal_awaited": True}, "Turvakielto on päättynyt", True),
    ],
)
def test_the_page_says_how_sure_the_location_is(
    caseworker: Client, service_a: Service, state: dict[str, object], said: str, shown: bool
) -> None:
    answer = caseworker.get(reverse("client", args=[client_of(service_a, **state).subject]))
    text = answer.content.decode()
    assert said.lower() in text.lower()
    assert (STREET in text) is shown


def test_outside_a_name_mismatch_hides_the_data(client: Client, aino: User, service_a: Service) -> None:
    person = client_of(service_a, last_name="Toisenimi")
    ProblemFactory.create(person=person, kind="NAME_MISMATCH")
    text = page(client, aino, person)
    assert "Toisenimi" not in text
    assert STREET not in text
    assert "PS-17" in text


def test_e38_who_was_ones_client_has_moved_to_the_handlers(
    client: Client, aino: User, celia: User, daniel: User, service_a: Service
) -> None:
    person = client_of(service_a, home=False, protected=True, last_name="Suojattu")
    text = page(client, aino, person, 403)
    assert "turvakiel" in text.lower()
    assert "Suojattu" not in text
    assert "PS-17" not in text
    page(client, celia, person, 404)
    opened(daniel, person)
    text = page(client, daniel, person)
    assert "Suojattu" in text
    assert "PS-17" in text


def test_g48_an_identity_code_that_changed_is_told_without_its_values(
    client: Client, daniel: User, service_a: Service
) -> None:
    person = client_of(service_a)
    person.applied_changes.create(field="code", source="CHANGE", changed_at=timezone.now(), run=1)
    assert "Arvoja ei säilytetä" in page(client, daniel, person)


def test_former_names_and_links_to_runs_need_their_rights(client: Client, aino: User, service_a: Service) -> None:
    person = client_of(service_a, last_name="Uusi")
    person.applied_changes.create(
        field="last_name", old_value="Entinen", new_value="Uusi", source="CHANGE", changed_at=timezone.now(), run=1
    )
    text = page(client, aino, person)
    assert "Entinen" not in text
    assert reverse("sync-run", args=[1]) not in text
