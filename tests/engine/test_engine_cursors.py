"""A cursor that VTJ accepts no more (domain.md B17)."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from pytest_django import Settings

from registry.models import AuditEvent, Person, User
from registry.policies import Access
from registry.selectors import client
from registry.selectors.place import Place
from tests.engine import world
from tests.engine.conftest import Start
from vtjsync.engine import cursors
from vtjsync.engine.connection import Connection, database_now
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort, SyncRun
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = Access(None, "test")


@pytest.fixture
def register(start_vtj: Start, settings: Settings) -> Handle:
    """Forty clients in two cohorts, and VTJ accepts the cursor of the first no more."""
    settings.VTJ_COHORT_SIZE = 20
    vtj = start_vtj(population=40)
    world.clients(vtj.codes(40))
    assert run() == ("COMPLETE", "")
    Cohort.objects.filter(pk=first().pk).update(cursor=17)
    return vtj


def first() -> Cohort:
    found: Cohort = Cohort.objects.earliest("id")
    return found


def run() -> tuple[str, str]:
    row = sync("test", wait=0)
    return row.state, row.reason


def of(cohort: Cohort) -> list[str]:
    return list(Person.objects.filter(enrolment__cohort=cohort).values_list("codes__hetu", flat=True))


def speaks(vtj: Handle, code: str) -> None:
    vtj.append(code, [{"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": "se"}])


def test_b17_a_refused_cursor_is_noted_blames_nobody_and_stops_no_other_cohort(register: Handle) -> None:
    other = of(Cohort.objects.latest("id"))[0]
    speaks(register, other)
    assert run() == ("FAILED", "CURSOR")
    cohort = first()
    assert (cohort.cursor, cohort.refused_status, cohort.reset_asked) == (17, 400, False)
    assert cohort.refused_at is not None
    assert Person.objects.get(codes__hetu=other).language_code == "se"
    assert not Person.objects.filter(problems__isnull=False).exists()
    # From then on one request finds out.
    before = len(register.requests)
    assert run() == ("FAILED", "CURSOR")
    assert len(register.requests) == before + 2
    assert first().refused_at == cohort.refused_at


def test_b17_an_administrator_resets_it_new_key_first_then_everybody(register: Handle) -> None:
    run()
    cohort, codes = first(), of(first())
    moved = register.happen("language_changed", codes[0])
    cursors.ask_reset(PROMPT, cohort.pk)
    assert AuditEvent.objects.get(action="ASK_RESET").details == {"cohort": cohort.pk}
    before = len(register.requests)
    assert run() == ("COMPLETE", "")
    paths = [path.split("/")[0] for path, _ in register.requests[before:]]
    assert paths.index("kirjausavain") < paths.index("perustiedot")
    asked = [set(body["hetulista"]) for path, body in register.requests[before:] if path == "perustiedot"]
    assert set().union(*asked) == set(codes)
    after = first()
    assert (after.refused_at, after.refused_status, after.reset_asked) == (None, None, False)
    assert after.cursor > 17
    (truth,) = register.truth([moved])
    assert Person.objects.get(codes__hetu=moved).language_code == truth["aidinkieli"]["kielikoodi"]
    event = AuditEvent.objects.get(action="RESET_CURSOR")
    assert (event.count, event.details["cohort"]) == (20, cohort.pk)


def test_b17_what_happened_while_the_cursor_was_refused_is_found(register: Handle) -> None:
    """A ban whose entry nobody has read comes with basic data."""
    cohort = first()
    truth = {one["henkilotunnus"]: one for one in register.truth(of(cohort))}
    code = next(code for code, one in truth.items() if not one["turvakielto"] and not one["kuollut"])
    register.happen("ban_started_alone", code)
    register.advance(3)
    run()
    assert not Person.objects.get(codes__hetu=code).protected
    cursors.ask_reset(PROMPT, cohort.pk)
    run()
    assert Person.objects.get(codes__hetu=code).protected


def test_b17_meanwhile_locations_are_shown_as_not_confirmed(register: Handle, tmp_path: Path) -> None:
    run()
    cohort = first()
    cursors.ask_reset(PROMPT, cohort.pk)
    # VTJ tells the key, and then is away.
    cursors.reset(Connection(), SyncRun.objects.latest("id").pk, cohort.pk)
    register.faults("500")
    assert run() == ("INCOMPLETE", "UNAVAILABLE")
    persons = Person.objects.filter(enrolment__cohort=cohort)
    assert set(persons.values_list("ask", "ask_urgent")) == {("LOST_TRACK", True)}
    shown = persons.filter(protected=False, location_hidden=False).exclude(home_street_fi=None)[0]
    page = client.viewed(PROMPT, shown.subject)
    assert page is not None
    assert page.place == Place.OLD
    assert page.home is not None
    file = tmp_path / "register.jsonl"
    call_command("export_register", str(file), stdout=StringIO())
    lines = {line["henkilotunnus"]: line for line in map(json.loads, file.read_text().splitlines())}
    assert lines[world.code_of(shown)]["vakinainen_kotimainen_osoite"] is None
    register.faults("none")
    assert run() == ("COMPLETE", "")
    page = client.viewed(PROMPT, shown.subject)
    assert page is not None
    assert page.place == Place.SHOWN


def test_b17_a_configured_status_and_type_reset_it_once_a_day_for_each_cohort(
    register: Handle, settings: Settings
) -> None:
    settings.VTJ_CURSOR_RESET_ON = ["410:gone", "400:"]
    assert run() == ("COMPLETE", "")
    cohort = first()
    assert cohort.reset_at is not None
    Cohort.objects.filter(pk=cohort.pk).update(cursor=17, reset_at=database_now() - timedelta(hours=23))
    assert run() == ("FAILED", "CURSOR")
    Cohort.objects.filter(pk=cohort.pk).update(reset_at=database_now() - timedelta(hours=25))
    assert run() == ("COMPLETE", "")


def test_b17_another_refusal_than_the_configured_one_waits_for_an_administrator(
    register: Handle, settings: Settings
) -> None:
    settings.VTJ_CURSOR_RESET_ON = ["410:", "400:gone"]
    assert run() == ("FAILED", "CURSOR")


def test_b17_a_cursor_that_is_accepted_again_is_forgotten_as_refused(register: Handle) -> None:
    run()
    Cohort.objects.filter(pk=first().pk).update(cursor=Cohort.objects.latest("id").cursor)
    assert run() == ("COMPLETE", "")
    assert first().refused_at is None


def test_b17_a_cursor_that_is_not_refused_is_not_reset(register: Handle) -> None:
    cursors.ask_reset(PROMPT, Cohort.objects.latest("id").pk)
    assert not Cohort.objects.filter(reset_asked=True).exists()
    assert not AuditEvent.objects.filter(action="ASK_RESET").exists()


def test_b17_only_who_may_run_the_sync_resets(register: Handle) -> None:
    access = Access(User.objects.create(username="celia"), "test")
    with pytest.raises(PermissionDenied):
        cursors.ask_reset(access, first().pk)
