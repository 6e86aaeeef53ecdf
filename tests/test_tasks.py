"""What runs in the background: schedule, pause, what it is told and tells (domain.md A1, E41, G49, G51, H55)."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import ProgrammingError, connection
from django_q.models import OrmQ, Schedule
from django_q.signing import SignedPackage
from pytest_django import Settings

from registry import ports
from registry.models import AuditEvent, Clientship, Person, Problem, User
from registry.policies import Access
from registry.services import audit_check, audit_seals
from registry.services.audit_months import Torn
from tests import evidence
from tests.engine import world
from tests.factories import ProblemFactory, pair
from vtjsync import tasks
from vtjsync.engine.connection import database_now
from vtjsync.engine.run import begin
from vtjsync.models import Cohort, SyncControl, SyncRun
from vtjsync.simulator import server

PROMPT = Access(None, "test")


@pytest.fixture
def vtj(settings: Settings) -> Iterator[server.Handle]:
    handle = server.start(population=30, seed=7)
    settings.VTJ_SERVER, settings.VTJ_CLIENT = handle.url, server.CLIENT
    settings.VTJ_USERNAME, settings.VTJ_PASSWORD = server.USERNAME, server.PASSWORD
    settings.VTJ_DEADLINE = 1.0
    yield handle
    handle.stop()


@pytest.mark.django_db(transaction=True)
def test_a_task_is_a_run_and_tells_its_state_in_a_word(vtj: server.Handle) -> None:
    world.clients(vtj.codes(5))
    assert tasks.sync() == "COMPLETE"
    assert SyncRun.objects.get().started_by == "schedule"


@pytest.mark.django_db
def test_a_second_delivery_finds_the_first_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    begin("schedule", wait=0)
    monkeypatch.setattr("vtjsync.engine.sync.begin", lambda started_by, _wait: begin(started_by, wait=0))
    assert tasks.sync() == "BUSY"
    assert SyncRun.objects.count() == 1


@pytest.mark.django_db
def test_e41_a_pause_ends_by_itself_after_a_day() -> None:
    tasks.pause(PROMPT)
    until = tasks.paused_until()
    assert until is not None
    assert timedelta(hours=23) < until - database_now() <= timedelta(hours=24)
    assert tasks.sync() == "PAUSED"
    SyncControl.objects.update(paused_until=database_now() - timedelta(seconds=1))
    assert tasks.paused_until() is None


@pytest.mark.django_db(transaction=True)
def test_e41_a_pause_holds_the_schedule_and_nobody_who_asks_for_a_run(vtj: server.Handle) -> None:
    world.clients(vtj.codes(5))
    tasks.pause(PROMPT)
    assert tasks.sync() == "PAUSED"
    assert vtj.requests == []
    assert tasks.sync("1") == "COMPLETE"
    assert tasks.sync() == "PAUSED"
    tasks.end_pause(PROMPT)
    assert tasks.sync() == "COMPLETE"


@pytest.mark.django_db
def test_a_new_interval_ends_the_pause_and_is_logged() -> None:
    tasks.create_schedules()
    tasks.pause(PROMPT)
    tasks.set_schedule(PROMPT, 15)
    schedule = tasks.schedule()
    assert schedule is not None
    assert schedule.minutes == 15
    assert tasks.paused_until() is None
    assert AuditEvent.objects.filter(action="CHANGE_SCHEDULE").count() == 2


@pytest.mark.django_db
def test_only_who_may_changes_the_schedule() -> None:
    access = Access(User.objects.create(username="celia"), "test")
    for act in (lambda: tasks.set_schedule(access, 60), lambda: tasks.pause(access)):
        with pytest.raises(PermissionDenied):
            act()


@pytest.mark.django_db
def test_an_interval_that_is_not_offered_is_refused() -> None:
    with pytest.raises(ValueError, match="intervals"):
        tasks.set_schedule(PROMPT, 1)


@pytest.mark.django_db
def test_a_schedule_that_was_changed_stays_as_it_was_set() -> None:
    tasks.create_schedules()
    Schedule.objects.filter(name=tasks.SYNC).update(minutes=240)
    tasks.create_schedules()
    assert Schedule.objects.get(name=tasks.SYNC).minutes == 240
    assert Schedule.objects.filter(name=tasks.ERASURE).count() == 1


@pytest.mark.django_db
def test_g51_nothing_is_erased_between_three_and_four(monkeypatch: pytest.MonkeyPatch) -> None:
    night = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return night.astimezone(tz)  # type: ignore[arg-type]

    monkeypatch.setattr(tasks, "datetime", Clock)
    assert tasks.erase_due() == "QUIET"


@pytest.mark.django_db(transaction=True)
def test_h55_somebody_just_added_is_fetched_outside_of_any_run(vtj: server.Handle) -> None:
    world.clients(vtj.codes(2))
    first = Person.objects.earliest("id")
    assert tasks.fetch([first.pk]) == 1
    assert Person.objects.get(pk=first.pk).status == "CURRENT"
    assert Person.objects.latest("id").status == "AWAITING"
    assert not SyncRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_h55_a_vtj_that_does_not_answer_leaves_the_person_to_the_next_run(vtj: server.Handle) -> None:
    world.clients(vtj.codes(1))
    vtj.faults("500")
    assert tasks.fetch([Person.objects.get().pk]) == 0
    vtj.faults("none")
    assert Person.objects.get().status == "AWAITING"
    assert tasks.sync() == "COMPLETE"
    assert Person.objects.get().status == "CURRENT"


@pytest.mark.django_db(transaction=True)
def test_a1_somebody_whose_clientship_is_to_come_is_not_asked_about(vtj: server.Handle) -> None:
    world.clients(vtj.codes(1))
    Clientship.objects.update(start=database_now().date() + timedelta(days=30))
    before = len(vtj.requests)
    assert tasks.fetch([Person.objects.get().pk]) == 0
    assert len(vtj.requests) == before


@pytest.mark.django_db
def test_g49_the_queue_holds_ids_and_nothing_of_a_person() -> None:
    person = world.client()
    ports.source().fetch_soon([person.pk])
    (queued,) = OrmQ.objects.all()
    package = SignedPackage.loads(queued.payload)
    assert package["args"] == ([person.pk],)
    assert "Mallinen" not in str(package)


@pytest.mark.django_db
def test_e41_confirmed_by_the_cohorts_last_poll_or_the_persons_own_basic_data() -> None:
    cohort = world.cohort()
    polled, asked, never = world.client(into=cohort), world.client(into=cohort), world.client(None)
    early, late = database_now() - timedelta(hours=2), database_now() - timedelta(hours=1)
    Person.objects.filter(pk__in=[polled.pk, asked.pk]).update(checked_at=early)
    Person.objects.filter(pk=asked.pk).update(ask="BAN")
    Cohort.objects.update(up_to_date_as_of=late)
    confirmed = ports.source().confirmed_at([polled.pk, asked.pk, never.pk])
    assert confirmed == {polled.pk: late, asked.pk: early}


@pytest.mark.django_db
@pytest.mark.parametrize("why", ["NOT_FOUND", "NO_SUCCESSOR", "TWO_ENTRIES"])
def test_e41_silence_confirms_nobody_whose_changes_would_not_be_told(why: str) -> None:
    cohort = world.cohort()
    person = world.client(into=cohort)
    early = database_now() - timedelta(days=60)
    # All attempts are over, and nobody is asked any more (domain.md A4).
    Person.objects.update(status="NOT_FOUND" if why == "NOT_FOUND" else "CURRENT", checked_at=early, ask=None)
    survivor = world.client(into=cohort)
    if why == "TWO_ENTRIES":
        pair(survivor, person)
    else:
        ProblemFactory.create(person=person, kind=why)
    Person.objects.filter(pk=survivor.pk).update(checked_at=early)
    Cohort.objects.update(up_to_date_as_of=database_now())
    confirmed = ports.source().confirmed_at([person.pk, survivor.pk])
    assert confirmed[person.pk] == early
    assert confirmed[survivor.pk] > early
    Problem.objects.update(closed_at=database_now(), other=None, pair_protected=None)
    Person.objects.update(status="CURRENT")
    assert ports.source().confirmed_at([person.pk])[person.pk] > early


@pytest.mark.django_db
@pytest.mark.parametrize("task", [tasks.erase_due, lambda: tasks.sync("command"), lambda: tasks.fetch([1])])
def test_g49_the_queue_keeps_of_an_error_its_kind_and_not_its_text(
    task: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "QUIET_HOUR", 24)

    def broken(*_: object) -> None:
        raise ProgrammingError("Sala" + "polku 7")

    with connection.execute_wrapper(broken), pytest.raises(tasks.Unexpected, match="ProgrammingError") as error:
        task()
    assert "Salapolku" not in "".join(traceback.format_exception(error.value))
    assert "in execute" in str(error.value)


@pytest.mark.django_db(transaction=True)
def test_g46_what_a_run_did_is_sealed_at_its_end(vtj: server.Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    world.clients(vtj.codes(5))
    seen: list[str] = []
    seal = audit_seals.seal
    newest = AuditEvent.objects.order_by("-pk").values_list("action", flat=True)
    monkeypatch.setattr(audit_seals, "seal", lambda: [seen.append(newest[0]), seal()][1])
    assert tasks.sync() == "COMPLETE"
    assert seen == ["END_RUN"]
    evidence.seal()
    assert audit_check.run(PROMPT).findings == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("error", "words"), [(audit_seals.Rewound(), "migrate"), (Torn("2020-01: x"), "2020-01")])
def test_g46_what_stands_in_the_way_of_the_log_is_told_in_the_log(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("registry.services.audit_months.drop_due", fail)
    monkeypatch.setattr(tasks, "QUIET_HOUR", -1)
    assert tasks.keep_audit_log().endswith("0 months removed")
    assert words in caplog.messages[-1]
