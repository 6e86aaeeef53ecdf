"""Adding a client, and the question whether this is the person (domain.md H55)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from registry.hetu import Hetu
from registry.models import AuditEvent, Clientship, Person, PersonCode, PersonStatus, Service, User
from registry.names import name_key
from tests.factories import ClientshipFactory, PersonFactory, ProviderFactory, new_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


@pytest.fixture
def caseworker(client: Client, aino: User) -> Client:
    client.force_login(aino)
    return client


def add(client: Client, code: Hetu | str, service: Service, **more: object) -> Person:
    """Adds the person and returns them."""
    told = {"hetu": code, "service": service.pk, "start": "1.2.2026", "reference": "PS-1"} | more
    answer = client.post(reverse("client-add"), told)
    person = Person.objects.get(codes__hetu=code)
    assert answer["Location"] == reverse("client-check", args=[person.subject])
    return person


def answered(person: Person, **more: object) -> None:
    """VTJ has answered."""
    Clientship.objects.filter(person=person).update(awaits_since=None)
    values = {"status": PersonStatus.CURRENT, "first_names": "Aino", "last_name": "Äyräs"} | more
    now = timezone.now()
    Person.objects.filter(pk=person.pk).update(**values, basic_data_at=now, checked_at=now, name_key=name_key("Äyräs"))


def test_h55_the_page_waits_and_then_asks_with_vtjs_name(caseworker: Client, service_a: Service, aino: User) -> None:
    person = add(caseworker, new_code(), service_a)
    clientship = Clientship.objects.get()
    assert (clientship.start.isoformat(), clientship.reference) == ("2026-02-01", "PS-1")
    check, waiting = (reverse(name, args=[person.subject]) for name in ("client-check", "client-waiting"))
    text = caseworker.get(check).content.decode()
    assert waiting in text
    assert 'http-equiv="refresh"' in text
    assert "data-done" not in caseworker.get(waiting).content.decode()
    answered(person)
    assert "data-done" in caseworker.get(waiting).content.decode()
    text = caseworker.get(check).content.decode()
    assert "Aino Äyräs" in text
    assert 'http-equiv="refresh"' not in text
    assert "ADD_CLIENT" in AuditEvent.objects.values_list("action", flat=True)


def test_h55_no_erases_at_once_and_is_logged(caseworker: Client, service_a: Service) -> None:
    person = add(caseworker, new_code(), service_a)
    answered(person)
    answer = caseworker.post(reverse("client-mistaken", args=[person.subject]))
    assert answer["Location"] == reverse("client-add")
    assert not Person.objects.exists()
    assert not PersonCode.objects.exists()
    assert AuditEvent.objects.filter(action="NOT_THE_PERSON", subjects=[person.subject]).count() == 1
    assert caseworker.get(reverse("client-check", args=[person.subject])).status_code == 404


def test_h55_who_went_on_before_vtj_answered_is_asked_on_the_clients_page(
    caseworker: Client, service_a: Service
) -> None:
    person = add(caseworker, new_code(), service_a)
    check, page = (reverse(name, args=[person.subject]) for name in ("client-check", "client"))
    caseworker.get(check)
    assert check not in caseworker.get(page).content.decode()
    answered(person)
    assert check in caseworker.get(page).content.decode()
    caseworker.get(check)
    assert check not in caseworker.get(page).content.decode()


def test_h55_without_a_name_nobody_is_asked_whether_it_is_the_person(caseworker: Client, service_a: Service) -> None:
    person = add(caseworker, new_code(), service_a)
    answered(person, status=PersonStatus.NOT_FOUND, first_names=None, last_name=None)
    text = caseworker.get(reverse("client-check", args=[person.subject])).content.decode()
    assert "Onko tämä oikea henkilö?" not in text
    assert reverse("client-mistaken", args=[person.subject]) in text


def test_only_who_added_can_take_it_back(caseworker: Client, service_a: Service) -> None:
    person = ClientshipFactory.create(service=service_a).person
    assert caseworker.get(reverse("client-check", args=[person.subject])).status_code == 404
    assert caseworker.post(reverse("client-mistaken", args=[person.subject])).status_code == 404
    assert Person.objects.filter(pk=person.pk).exists()


def test_e38_somebody_protected_moves_to_the_handlers(caseworker: Client, service_a: Service) -> None:
    person = add(caseworker, new_code(), service_a)
    answered(person, protected=True)
    assert "data-done" in caseworker.get(reverse("client-waiting", args=[person.subject])).content.decode()
    answer = caseworker.get(reverse("client-check", args=[person.subject]))
    assert answer.status_code == 403
    assert "Äyräs" not in answer.content.decode()


def test_who_is_a_client_already_is_told_so(caseworker: Client, service_a: Service) -> None:
    code = new_code()
    person = ClientshipFactory.create(service=service_a, person=PersonFactory.create(hetu=code)).person
    answer = caseworker.post(reverse("client-add"), {"hetu": code, "service": service_a.pk, "start": "1.2.2026"})
    assert answer.status_code == 200
    assert "data-errors" in answer.content.decode()
    assert reverse("client", args=[person.subject]) in answer.content.decode()
    assert Clientship.objects.count() == 1


def test_the_form_offers_ones_own_services_only(caseworker: Client, service_a: Service, service_b: Service) -> None:
    text = caseworker.get(reverse("client-add")).content.decode()
    assert service_a.name_fi in text
    assert service_b.name_fi not in text
    answer = caseworker.post(
        reverse("client-add"), {"hetu": new_code(), "service": service_b.pk, "start": "2026-02-01"}
    )
    assert answer.status_code == 200
    assert not Clientship.objects.exists()


def test_the_provider_must_be_one_of_the_services(caseworker: Client, service_a: Service, service_b: Service) -> None:
    provider, other = ProviderFactory.create(), ProviderFactory.create(business_id="0245437-2", name="Toinen Oy")
    service_a.providers.add(provider)
    second = type(service_a).objects.create(code="X", name_fi="X", unit=service_a.unit, kind="OSTOPALVELU")
    second.providers.add(other)
    told = {"hetu": new_code(), "service": service_a.pk, "start": "1.2.2026", "provider": other.pk}
    text = caseworker.post(reverse("client-add"), told).content.decode()
    assert 'id="id_provider_error"' in text
    add(caseworker, told["hetu"], service_a, provider=provider.pk)


@pytest.mark.parametrize("day", ["31.2.2026", "2.2026", "huomenna", "1.1.0001"])
def test_a_day_that_cannot_be_is_told(caseworker: Client, service_a: Service, day: str) -> None:
    told = {"hetu": new_code(), "service": service_a.pk, "start": day}
    assert "data-errors" in caseworker.post(reverse("client-add"), told).content.decode()
    assert not Clientship.objects.exists()


def test_every_error_leads_to_its_field(caseworker: Client) -> None:
    text = caseworker.post(reverse("client-add"), {"hetu": "x"}).content.decode()
    for name in ("hetu", "service", "start"):
        assert f'href="#id_{name}"' in text
        assert "Tämä kenttä vaaditaan" not in text
        assert f'id="id_{name}_error"' in text
        assert f"id_{name}_error" in text.split(f'name="{name}"')[1].split(">")[0]


def test_a1_a_client_to_come_is_not_waited_for(caseworker: Client, service_a: Service) -> None:
    person = add(caseworker, new_code(), service_a, start=(timezone.localdate() + timedelta(days=9)).isoformat())
    text = caseworker.get(reverse("client-check", args=[person.subject])).content.decode()
    assert "data-live" not in text
    assert reverse("client", args=[person.subject]) in text


def test_a_way_on_when_vtj_does_not_answer(caseworker: Client, service_a: Service) -> None:
    person = add(caseworker, new_code(), service_a)
    address = reverse("client-waiting", args=[person.subject])
    onwards = reverse("client", args=[person.subject])
    assert onwards not in caseworker.get(address).content.decode()
    Clientship.objects.update(awaits_since=timezone.now() - timedelta(seconds=60))
    assert onwards in caseworker.get(address).content.decode()
