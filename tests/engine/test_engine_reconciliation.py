"""A rolling share of the register is compared with fresh basic data (domain.md G50)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db.models import F
from pytest_django import Settings

from registry.models import AppliedChange, AuditEvent, Clientship, DataPermit, Person
from registry.policies import Access
from registry.record import Group
from tests.engine import world
from tests.engine.conftest import Start
from tests.engine.truth import differences
from vtjsync import tasks
from vtjsync.engine import brake, reconciliation
from vtjsync.engine.budget import Priority
from vtjsync.engine.connection import database_now
from vtjsync.engine.reconciliation import chosen, reconcile
from vtjsync.engine.run import Busy, begin
from vtjsync.engine.sync import sync
from vtjsync.models import RequestBudget, SyncControl, SyncRun
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = Access(None, "test")
KIND = SyncRun.Kind.RECONCILIATION


@pytest.fixture
def register(start_vtj: Start) -> Handle:
    """Sixty clients, loaded."""
    vtj = start_vtj(population=60)
    world.clients(vtj.codes(60))
    assert sync("test", wait=0).state == "COMPLETE"
    return vtj


def compared(vtj: Handle, before: int) -> list[str]:
    return [code for path, body in vtj.requests[before:] if path == "perustiedot" for code in body["hetulista"]]


def test_g50_what_differs_is_corrected_and_counted_by_field(register: Handle, tmp_path: Path) -> None:
    named = Person.objects.filter(protected=False).exclude(last_name=None)[:3]
    homes = Person.objects.exclude(home_street_fi=None)[:2]
    Person.objects.filter(pk__in=[one.pk for one in named]).update(last_name="Väärä")
    Person.objects.filter(pk__in=[one.pk for one in homes]).update(home_street_fi="Väärätie")
    assert differences(register, tmp_path) != []
    row = reconcile("test", 1.0, wait=0)
    assert (row.kind, row.state, row.received, row.persons_total) == (KIND, "COMPLETE", 60, 60)
    assert row.drift == {"last_name": 3, "home": 2}
    assert differences(register, tmp_path) == []
    assert set(AppliedChange.objects.values_list("run", "source")) == {(row.pk, "BASIC_DATA")}
    assert reconcile("test", 1.0, wait=0).drift == {}


def test_g50_every_night_a_share_and_in_the_set_number_of_days_everybody(register: Handle, settings: Settings) -> None:
    settings.RECONCILE_DAYS = 20
    before = len(register.requests)
    for _ in range(20):
        assert reconcile("test", wait=0).received == 3
        # A night passes.
        Person.objects.update(basic_data_at=F("basic_data_at") - timedelta(days=1))
    assert sorted(compared(register, before)) == sorted(register.codes(60))


def test_g50_the_oldest_first_and_lost_nights_are_made_up_for(register: Handle, settings: Settings) -> None:
    settings.RECONCILE_DAYS = 20
    old = list(Person.objects.order_by("-pk").values_list("pk", flat=True)[:30])
    Person.objects.filter(pk__in=old[:2]).update(basic_data_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert set(old[:2]) <= set(chosen())
    assert len(chosen()) == 3
    Person.objects.filter(pk__in=old).update(basic_data_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert set(chosen()) == set(old)


def test_g50_nobody_is_compared_who_is_asked_anyway_or_is_not_on_the_list(register: Handle) -> None:
    one, two, three, four = Person.objects.order_by("pk")[:4]
    Person.objects.filter(pk=one.pk).update(ask="VALUE")
    Person.objects.filter(pk=two.pk).update(status="NOT_FOUND")
    Clientship.objects.filter(person=three).update(end=date(2020, 2, 1))
    assert {one.pk, two.pk, three.pk}.isdisjoint(chosen(1.0))
    assert four.pk in chosen(1.0)


def test_g50_it_stops_at_the_first_429(register: Handle, settings: Settings) -> None:
    settings.VTJ_BASIC_DATA_BATCH = 10
    register.faults("429")
    before = len(register.requests)
    row = reconcile("test", 1.0, wait=0)
    assert (row.state, row.reason, row.received, row.retries) == ("INCOMPLETE", "QUOTA", 0, 0)
    assert len(register.requests) == before + 1
    register.faults("none")
    SyncControl.objects.update(quota_until=None)
    assert reconcile("test", 1.0, wait=0).state == "COMPLETE"


def test_b19_it_is_the_last_in_the_order(register: Handle) -> None:
    RequestBudget.objects.all().delete()
    reconcile("test", wait=0)
    assert set(RequestBudget.objects.values_list("priority", flat=True)) == {Priority.RECONCILIATION}


def test_b18_e33_the_brake_holds_here_too(register: Handle) -> None:
    register.grant(set(Group) - {Group.MUNICIPALITY})
    held = Person.objects.exclude(municipality_code=None).count()
    row = reconcile("test", 1.0, wait=0)
    assert (row.state, row.reason, row.drift) == ("INCOMPLETE", "BRAKE", {})
    assert Person.objects.exclude(municipality_code=None).count() == held
    assert brake.count() == {Group.MUNICIPALITY: held}
    brake.release(PROMPT)
    assert sync("test", wait=0).state == "COMPLETE"
    assert not Person.objects.exclude(municipality_code=None).exists()


def test_b18_what_few_have_lost_goes_in_the_same_run_and_is_drift(register: Handle) -> None:
    person = Person.objects.exclude(municipality_code=None)[0]
    register.set_basic(world.code_of(person), [{"tietoryhma": "AIDINKIELI", "kielikoodi": "fi"}])
    row = reconcile("test", 1.0, wait=0)
    assert row.state == "COMPLETE"
    assert row.drift["municipality"] == 1
    assert world.fresh(person).municipality_code is None


def test_g50_a_sync_and_a_reconciliation_go_beside_each_other(register: Handle) -> None:
    begin("test", wait=0, kind=KIND)
    assert sync("test", wait=0).state == "COMPLETE"
    with pytest.raises(Busy):
        reconcile("test", wait=0)


def test_b12_both_share_persons_and_end_at_the_truth(start_vtj: Start, settings: Settings, tmp_path: Path) -> None:
    settings.VTJ_BASIC_DATA_BATCH = 7
    vtj = start_vtj(population=150, seed=4, page=3, activity=20.0)
    world.clients(vtj.codes(150))
    sync("test", wait=0)

    def compare() -> str:
        try:
            return str(reconcile("test", 1.0, wait=0).state)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            vtj.advance(1)
            beside = pool.submit(compare)
            assert sync("test", wait=0).state == "COMPLETE"
            assert beside.result() == "COMPLETE"
        assert sync("test", wait=0).state == "COMPLETE"
    assert differences(vtj, tmp_path) == []


def test_a2_without_a_permit_nobody_is_compared(register: Handle) -> None:
    DataPermit.objects.update(valid_to=date(2020, 12, 31))
    before = len(register.requests)
    row = reconcile("test", 1.0, wait=0)
    assert (row.state, row.reason) == ("FAILED", "NO_PERMIT")
    assert len(register.requests) == before


def test_g46_it_leaves_events_and_no_code(register: Handle) -> None:
    last = AuditEvent.objects.latest("id").pk
    row = reconcile("test", wait=0)
    events = AuditEvent.objects.filter(pk__gt=last).order_by("id")
    assert list(events.values_list("action", "count")) == [("START_RUN", 0), ("ASK_BASIC_DATA", 3), ("END_RUN", 3)]
    assert all(event.details["run"] == row.pk for event in events)


# The command


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("reconcile", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_compares_and_tells_the_drift(register: Handle) -> None:
    Person.objects.filter(protected=False).exclude(last_name=None).update(last_name="Väärä")
    told = command("--all")
    assert "60 of 60 persons" in told
    assert "last_name: " in told
    assert "3 of 3 persons" in command("--share", "0.05")
    assert "drift: 0 values" in command()


@pytest.mark.parametrize(
    "arguments", [("--share", "0"), ("--share", "1.5"), ("--share", "x"), ("--share", "1", "--all")]
)
def test_the_command_called_wrongly(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        command(*arguments)
    assert not SyncRun.objects.exists()


def test_the_command_says_when_not_all_was_compared(register: Handle) -> None:
    register.faults("429")
    with pytest.raises(CommandError, match="quota") as error:
        command("--all")
    assert error.value.returncode == 1


# The nightly task


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> type[datetime]:
    """A clock for the tasks: half past midnight in Helsinki, of today."""

    class Clock(datetime):
        moment = datetime.combine(tasks.today(), datetime.min.time(), tasks.HELSINKI) + timedelta(minutes=30)

        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return cls.moment.astimezone(tz)  # type: ignore[arg-type]

    monkeypatch.setattr(tasks, "datetime", Clock)
    return Clock


def test_g51_once_a_day_at_the_first_tick(register: Handle, night: type[datetime]) -> None:
    assert tasks.reconcile_nightly() == "COMPLETE"
    assert tasks.reconcile_nightly() == "NOT_DUE"
    # By hand does not count, and tomorrow it is due again.
    SyncRun.objects.filter(kind=KIND).update(started_at=database_now() - timedelta(days=1))
    reconcile("command", wait=0)
    assert tasks.reconcile_nightly() == "COMPLETE"


def test_g51_never_between_three_and_four(register: Handle, night: type[datetime]) -> None:
    night.moment += timedelta(hours=3)  # type: ignore[attr-defined]
    assert tasks.reconcile_nightly() == "NOT_DUE"
    night.moment += timedelta(hours=1)  # type: ignore[attr-defined]
    assert tasks.reconcile_nightly() == "COMPLETE"


def test_g51_one_whose_process_died_is_done_again(register: Handle, night: type[datetime]) -> None:
    SyncRun.objects.create(kind=KIND, started_by="schedule", state="INTERRUPTED", owner="h:1:1")
    assert tasks.reconcile_nightly() == "COMPLETE"


def test_e41_not_while_the_schedule_is_paused(register: Handle, night: type[datetime]) -> None:
    tasks.pause(PROMPT)
    assert tasks.reconcile_nightly() == "NOT_DUE"


def test_a_second_delivery_finds_the_first_at_work(register: Handle, night: type[datetime]) -> None:
    begin("command", wait=0, kind=KIND)
    assert tasks.reconcile_nightly() == "BUSY"
    assert reconciliation.drift(0) == {}
