"""A run is its row, and the row is the lock: docs/adr/0005, domain.md B16."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from registry.models import AuditEvent, User
from registry.policies import Access
from vtjsync.engine import run as engine
from vtjsync.engine.budget import Priority
from vtjsync.engine.connection import Connection, Stopped, database_now, stop
from vtjsync.engine.run import Busy, Lost, begin
from vtjsync.models import SyncControl, SyncRun

pytestmark = pytest.mark.django_db


def test_the_row_exists_before_the_work_and_says_who_began_it() -> None:
    run = begin("schedule", wait=0)
    row = SyncRun.objects.get(pk=run.id)
    assert (row.state, row.started_by, row.owner) == ("RUNNING", "schedule", engine.owner())


def test_only_one_run_at_a_time() -> None:
    begin("schedule", wait=0)
    with pytest.raises(Busy):
        begin("command", wait=0)
    assert SyncRun.objects.count() == 1


def test_the_next_run_begins_when_the_first_has_ended() -> None:
    begin("schedule", wait=0).close()
    second = begin("command", wait=0)
    assert list(SyncRun.objects.order_by("id").values_list("state", flat=True)) == ["COMPLETE", "RUNNING"]
    assert second.id


def test_a_run_whose_process_was_killed_is_closed_by_the_next() -> None:
    process = subprocess.Popen(["sleep", "60"])
    owner = f"{socket.gethostname()}:{process.pid}:{engine._process_start(process.pid)}"
    dead = SyncRun.objects.create(started_by="schedule", owner=owner)
    with pytest.raises(Busy):
        begin("command", wait=0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    begin("command", wait=0)
    dead.refresh_from_db()
    assert dead.state == SyncRun.State.INTERRUPTED
    assert dead.ended_at == dead.heartbeat_at
    ends = AuditEvent.objects.filter(action="END_RUN", details__run=dead.pk)
    assert list(ends.values_list("outcome", flat=True)) == ["INTERRUPTED"]


def test_a_number_that_another_process_has_now_is_not_the_owner() -> None:
    dead = SyncRun.objects.create(started_by="schedule", owner=f"{socket.gethostname()}:{os.getpid()}:1")
    begin("command", wait=0)
    dead.refresh_from_db()
    assert dead.state == SyncRun.State.INTERRUPTED


def test_a_run_on_another_machine_is_closed_when_its_heartbeat_is_old() -> None:
    far = SyncRun.objects.create(started_by="schedule", owner="elsewhere:1:1")
    with pytest.raises(Busy):
        begin("command", wait=0)
    SyncRun.objects.filter(pk=far.pk).update(heartbeat_at=database_now() - engine.STALE - timedelta(seconds=1))
    begin("command", wait=0)
    far.refresh_from_db()
    assert far.state == SyncRun.State.INTERRUPTED


def test_a_run_that_was_closed_under_it_notices_and_does_not_reopen_the_row() -> None:
    run = begin("schedule", wait=0)
    SyncRun.objects.filter(pk=run.id).update(state=SyncRun.State.INTERRUPTED)
    with pytest.raises(Lost):
        run.beat(now=True)
    assert run.close("LOST").state == SyncRun.State.INTERRUPTED


def test_the_heartbeat_writes_counts_and_progress() -> None:
    run = begin("schedule", wait=0)
    run.counts.update(applied=3)
    run.progress.update(cohorts_total=2)
    run.beat(now=True)
    row = SyncRun.objects.get(pk=run.id)
    assert (row.applied, row.cohorts_total) == (3, 2)


@pytest.mark.parametrize(
    ("reason", "state"), [("", "COMPLETE"), ("UNAVAILABLE", "INCOMPLETE"), ("DENIED", "FAILED"), ("ERROR", "FAILED")]
)
def test_the_reason_decides_the_state(reason: str, state: str) -> None:
    row = begin("schedule", wait=0).close(reason)
    assert (row.state, row.reason) == (state, reason)
    assert row.ended_at is not None


def test_every_reason_fits_a_state_and_has_words() -> None:
    assert engine.REASONS.keys() >= engine.PASSING


def test_g46_a_run_leaves_an_event_at_its_start_and_its_end() -> None:
    run = begin("schedule", wait=0)
    run.close()
    events = AuditEvent.objects.filter(details__run=run.id).order_by("id")
    assert list(events.values_list("action", "outcome")) == [("START_RUN", "done"), ("END_RUN", "COMPLETE")]


@pytest.mark.django_db(transaction=True)
def test_b16_after_a_refusal_nothing_is_sent_until_somebody_lets_it_go_on() -> None:
    stop("Access is denied.")
    vtj = Connection()
    with pytest.raises(Stopped, match="Access is denied"):
        vtj.yesterday_key(Priority.CHANGES)
    assert vtj.client.requests == 0
    engine.resume(Access(None, "test"))
    assert SyncControl.objects.get().stopped_reason == ""
    assert AuditEvent.objects.filter(action="RESUME_SYNC").exists()


def test_b16_only_who_may_run_the_sync_lets_it_go_on() -> None:
    stop("Access is denied.")
    user = User.objects.create(username="celia")
    with pytest.raises(PermissionDenied):
        engine.resume(Access(user, "test"))
    assert SyncControl.objects.get().stopped_reason


def test_b10_no_request_inside_a_transaction() -> None:
    vtj = Connection()
    assert connection.in_atomic_block
    with pytest.raises(RuntimeError, match="inside a database transaction"):
        vtj.yesterday_key(Priority.CHANGES)
