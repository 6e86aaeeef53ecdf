"""The pages for protected clients: reason, hand-over, contact address, the supervisor's list (domain.md E38, E39)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import ContactAddress, Opening, Person, Problem, Service, Unit, User
from tests.factories import ClientshipFactory, PersonFactory, ProblemFactory, UserFactory, opened

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

TOLD = {"lines": "PL 17", "postal_code": "00101", "town": "Mallila", "confirmed": "on"}


@pytest.fixture
def person(service_a: Service) -> Person:
    made: Person = PersonFactory.create(protected=True, last_name="Suojattu")
    ClientshipFactory.create(person=made, service=service_a)
    return made


@pytest.fixture
def handler(client: Client, daniel: User) -> Client:
    client.force_login(daniel)
    return client


def address(name: str, person: Person) -> str:
    return reverse(name, args=[person.subject])


def test_e38_a_reason_is_asked_for_and_leads_to_what_was_asked(handler: Client, person: Person) -> None:
    number = person.clientships.get().pk
    for wanted in (address("client", person), reverse("clientship-end", args=[number])):
        Opening.objects.all().delete()
        asked = handler.get(wanted)
        assert asked["Location"].startswith(address("client-open", person))
        assert "no-store" in asked["Cache-Control"]
        page = handler.get(asked["Location"])
        assert "Suojattu" not in page.content.decode()
        assert f'value="{wanted}"' in page.content.decode()
        answer = handler.post(address("client-open", person), {"reason": "SERVICE", "next": wanted})
        assert answer["Location"] == wanted
        assert "Suojattu" in handler.get(wanted).content.decode()


def test_e38_an_act_is_not_done_by_coming_back(handler: Client, person: Person) -> None:
    asked = handler.post(address("client-code", person))
    assert asked["Location"] == address("client-open", person)
    answer = handler.post(asked["Location"], {"reason": "SERVICE"})
    assert answer["Location"] == address("client", person)


@pytest.mark.parametrize("wanted", ["https://example.org/", "//example.org/", "javascript:1", "x"])
def test_one_is_never_led_away(handler: Client, person: Person, wanted: str) -> None:
    answer = handler.post(address("client-open", person), {"reason": "SERVICE", "next": wanted})
    assert answer["Location"] == address("client", person)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "X"}, "reason"),
        ({"reason": "OTHER", "note": "  "}, "note"),
        ({"reason": "SERVICE", "note": "koskee 131052-9085"}, "note"),
    ],
)
def test_e38_what_is_missing_is_told(handler: Client, person: Person, told: dict[str, str], field: str) -> None:
    text = handler.post(address("client-open", person), told).content.decode()
    assert f'id="id_{field}_error"' in text
    assert not Opening.objects.exists()


def test_e38_taking_over_is_a_button_in_the_worklist(
    handler: Client, daniel: User, person: Person, unit_a: Unit
) -> None:
    problem = ProblemFactory.create(person=person, kind="HANDOVER", unit=unit_a)
    assert reverse("problem", args=[problem.pk]) in handler.get(reverse("problems")).content.decode()
    opened(daniel, person)
    act = reverse("problem-take-over", args=[problem.pk])
    assert act in handler.get(reverse("problem", args=[problem.pk])).content.decode()
    answer = handler.post(act, follow=True)
    text = answer.content.decode()
    assert answer.redirect_chain == [(address("client", person), 302)]
    assert "Ottanut vastuulleen Daniel Esimerkki" in text
    assert "(Kotihoito)" in text
    assert "Selvitettävää" not in text.split("<h1>")[1].split("</ul>")[0]
    assert handler.get(reverse("problem", args=[problem.pk])).status_code == 404
    assert Problem.objects.get().closed_by == daniel


def test_e38_nobody_else_takes_over(client: Client, aino: User, person: Person, unit_a: Unit) -> None:
    problem = ProblemFactory.create(person=person, kind="HANDOVER", unit=unit_a)
    client.force_login(aino)
    assert client.post(reverse("problem-take-over", args=[problem.pk])).status_code == 403
    other = UserFactory.create(roles=["handler"])
    client.force_login(other)
    assert client.post(reverse("problem-take-over", args=[problem.pk])).status_code == 404


def test_e39_a_contact_address_is_written_seen_and_removed(handler: Client, daniel: User, person: Person) -> None:
    opened(daniel, person)
    page = address("contact-address", person)
    assert page in handler.get(address("client", person)).content.decode()
    assert handler.post(page, TOLD)["Location"] == address("client", person)
    text = handler.get(address("client", person)).content.decode()
    assert "PL 17" in text
    assert "PL 17" in handler.get(page).content.decode()
    section = text.split('aria-labelledby="contact"')[0].rsplit("<section", 1)[1]
    assert "no-print" in section
    assert handler.post(address("contact-address-remove", person))["Location"] == address("client", person)
    assert not ContactAddress.objects.exists()


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (TOLD | {"confirmed": ""}, "id_confirmed_error"),
        ({"confirmed": "on"}, "data-errors"),
        ({"confirmed": "on", "email": "x"}, "id_email_error"),
        (TOLD | {"lines": "131052-9085"}, "id_lines_error"),
    ],
)
def test_e39_what_is_wrong_is_told(
    handler: Client, daniel: User, person: Person, told: dict[str, str], word: str
) -> None:
    opened(daniel, person)
    assert word in handler.post(address("contact-address", person), told).content.decode()
    assert not ContactAddress.objects.exists()


def test_e39_after_the_ban_it_can_only_be_removed(handler: Client, daniel: User, person: Person) -> None:
    ContactAddress.objects.create(person=person, lines="PL 17", confirmed_not_home=True)
    Person.objects.update(protected=False)
    problem = ProblemFactory.create(person=person, kind="CONTACT_ADDRESS")
    text = handler.get(address("contact-address", person)).content.decode()
    assert 'name="confirmed"' not in text
    assert address("contact-address-remove", person) in text
    assert "data-errors" not in handler.post(address("contact-address", person), TOLD).content.decode()
    text = handler.get(reverse("problem", args=[problem.pk])).content.decode()
    assert address("contact-address-remove", person) in text
    handler.post(reverse("problem-aside", args=[problem.pk]), {"note": "Tarvitaan vielä"})
    assert ContactAddress.objects.get().lines == "PL 17"
    handler.post(address("contact-address-remove", person))
    assert Problem.objects.get().closed_at is not None


def test_e39_a_caseworker_sees_none_of_it(client: Client, aino: User, person: Person) -> None:
    ContactAddress.objects.create(person=person, lines="PL 17", confirmed_not_home=True)
    Person.objects.update(protected=False)
    ProblemFactory.create(person=person, kind="CONTACT_ADDRESS")
    client.force_login(aino)
    for page in (address("client", person), reverse("problems"), reverse("clients")):
        text = client.get(page).content.decode()
        assert "PL 17" not in text
        assert "hteysosoite" not in text


def test_e38_the_supervisor_reads_the_reasons(
    client: Client, daniel: User, person: Person, unit_a: Unit, unit_b: Unit
) -> None:
    fanni = UserFactory.create(roles=["supervisor"], units=[unit_a, unit_b])
    Opening.objects.create(person=person, user=daniel, username="daniel", reason="OTHER", note="soitto")
    client.force_login(fanni)
    assert client.get(reverse("start"))["Location"] == reverse("openings")
    text = client.get(reverse("openings")).content.decode()
    for word in ("Daniel Esimerkki", "soitto", str(person.subject), "Kotihoito"):
        assert word in text
    assert "Suojattu" not in text
    assert address("client", person) not in text
    assert "soitto" not in client.get(reverse("openings"), {"unit": "B"}).content.decode()
    assert client.get(reverse("openings"), {"before": "x", "unit": "?"}).status_code == 200
    assert client.get(address("client", person)).status_code == 403


def test_e38_the_administrator_is_told_that_no_handler_sees_it(
    client: Client, bertta: User, person: Person, unit_a: Unit
) -> None:
    ProblemFactory.create(person=person, kind="HANDOVER", unit=unit_a)
    client.force_login(bertta)
    text = client.get(reverse("problems")).content.decode()
    assert "Kukaan käsittelijä ei näe" in text
    assert unit_a.name_fi not in text
    assert str(person.subject) not in text
