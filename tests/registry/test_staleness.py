"""A location that VTJ has not confirmed lately: on the page, on paper and in the export (domain.md E41)."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from registry.models import AuditEvent, Person, Service, User
from registry.record import LOST_TRACK
from tests.factories import ClientshipFactory, PersonFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

STREET = "Mikkolantie"
LEFT_OUT = "Jätetty pois tulosteesta"


def person(service: Service, hours: float, **more: Any) -> Person:
    """Somebody whose location VTJ confirmed so many hours ago."""
    made: Person = PersonFactory.create(home=True, checked_at=timezone.now() - timedelta(hours=hours), **more)
    ClientshipFactory.create(person=made, service=service)
    return made


@pytest.fixture
def caseworker(client: Client, aino: User) -> Client:
    client.force_login(aino)
    return client


def page(client: Client, of: Person) -> str:
    return client.get(reverse("client", args=[of.subject])).content.decode()


@pytest.mark.parametrize(
    ("hours", "shown", "warned", "hidden"),
    [
        (25.9, True, False, False),
        (26.1, True, True, False),
        (24 * 7 - 0.1, True, True, False),
        (24 * 7 + 0.1, False, False, True),
    ],
)
def test_e41_it_is_shown_with_a_warning_and_then_not_at_all(
    caseworker: Client, service_a: Service, *, hours: float, shown: bool, warned: bool, hidden: bool
) -> None:
    text = page(caseworker, person(service_a, hours))
    assert (STREET in text, "voivat olla vanhentuneet" in text, "Osoitetta ja kotikuntaa ei näytetä" in text) == (
        shown,
        warned,
        hidden,
    )


def test_e41_the_warning_names_the_time(caseworker: Client, service_a: Service) -> None:
    stale = person(service_a, 30)
    at = timezone.localtime(stale.checked_at)
    # As Finnish writes it: no zero before the hour.
    assert f"{at.hour}.{at:%M}" in page(caseworker, stale)


def test_e41_both_limits_are_settings(caseworker: Client, service_a: Service, settings: Settings) -> None:
    settings.LOCATION_WARN, settings.LOCATION_HIDE = timedelta(hours=1), timedelta(hours=3)
    assert "voivat olla vanhentuneet" in page(caseworker, person(service_a, 2))
    assert STREET not in page(caseworker, person(service_a, 4))


def test_b17_a_question_whether_everything_was_heard_is_a_warning_too(caseworker: Client, service_a: Service) -> None:
    text = page(caseworker, person(service_a, 1, ask=LOST_TRACK))
    assert STREET in text
    assert "voivat olla vanhentuneet" in text


# On paper


def on_paper(text: str) -> bool:
    """Whether the part of the page with the street is printed."""
    return "no-print" not in text.split(STREET, maxsplit=1)[0].rpartition("<div")[2]


def test_e41_it_is_left_out_of_the_print_unless_for_a_reason(
    caseworker: Client, aino: User, service_a: Service
) -> None:
    stale = person(service_a, 30)
    text = page(caseworker, stale)
    assert not on_paper(text)
    assert LEFT_OUT in text
    answer = caseworker.post(reverse("client-print", args=[stale.subject]), {"why": "URGENT"})
    text = answer.content.decode()
    assert on_paper(text)
    assert LEFT_OUT not in text
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.user_id, event.subjects) == ("PRINT_UNCONFIRMED", aino.pk, [stale.subject])
    assert event.details == {"unconfirmed": "URGENT"}
    # For this one answer only.
    assert not on_paper(page(caseworker, stale))


@pytest.mark.parametrize("reason", ["", "BECAUSE"])
def test_e41_without_a_reason_it_stays_off_paper(caseworker: Client, service_a: Service, reason: str) -> None:
    stale = person(service_a, 30)
    address = reverse("client-print", args=[stale.subject])
    assert caseworker.post(address, {"why": reason})["Location"] == reverse("client", args=[stale.subject])
    assert caseworker.get(address).status_code == 302
    assert not AuditEvent.objects.filter(action="PRINT_UNCONFIRMED").exists()


def test_e41_what_is_hidden_is_not_printed_for_any_reason(caseworker: Client, service_a: Service) -> None:
    hidden = person(service_a, 24 * 8)
    text = caseworker.post(reverse("client-print", args=[hidden.subject]), {"why": "OTHER"}).content.decode()
    assert STREET not in text


def test_h52_others_do_not_print_it(client: Client, celia: User, service_a: Service) -> None:
    client.force_login(celia)
    stale = person(service_a, 30)
    assert client.post(reverse("client-print", args=[stale.subject]), {"why": "URGENT"}).status_code == 404


# In the export


def exported(folder: Path, *options: str) -> dict[str, Any]:
    file = folder / "register.jsonl"
    call_command("export_register", str(file), *options, stdout=StringIO())
    (line,) = [json.loads(line) for line in file.read_text().splitlines()]
    told: dict[str, Any] = line
    return told


@pytest.mark.parametrize(
    ("hours", "options", "told"),
    [
        (25, (), True),
        (27, (), False),
        (27, ("--include-unconfirmed", "checked"), True),
        (24 * 7 + 1, ("--include-unconfirmed", "urgent"), False),
    ],
)
def test_e41_it_is_left_out_of_the_export_unless_for_a_reason(
    service_a: Service, tmp_path: Path, *, hours: float, options: tuple[str, ...], told: bool
) -> None:
    person(service_a, hours)
    line = exported(tmp_path, *options)
    assert (line["vakinainen_kotimainen_osoite"] is not None, line["kotikunta"] is not None) == (told, told)


def test_e41_the_reason_of_an_export_is_logged(service_a: Service, tmp_path: Path) -> None:
    person(service_a, 30, ask=LOST_TRACK)
    assert exported(tmp_path)["kotikunta"] is None
    assert "unconfirmed" not in AuditEvent.objects.latest("id").details
    assert exported(tmp_path, "--include-unconfirmed", "other")["kotikunta"] is not None
    assert AuditEvent.objects.latest("id").details["unconfirmed"] == "OTHER"
    with pytest.raises(CommandError):
        exported(tmp_path, "--include-unconfirmed", "because")
