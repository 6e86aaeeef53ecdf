"""The requests of a minute are shared by all workers, and the more pressing go first (domain.md B16, B19)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection as database
from django.db.models import Sum
from pytest_django import Settings

from registry.models import Person
from tests.engine import world
from vtjsync import tasks
from vtjsync.engine import budget
from vtjsync.engine.budget import Priority, Stopped, room, take
from vtjsync.engine.connection import Connection, QuotaUsedUp, database_now, stop
from vtjsync.engine.sync import sync
from vtjsync.models import RequestBudget, SyncControl
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _not_at_the_end_of_a_minute() -> None:
    second = database_now().second
    if second >= 50:
        time.sleep(61 - second)


def used_up(requests: int, by: Priority = Priority.FIRST_LOAD) -> None:
    minute = database_now().replace(second=0, microsecond=0)
    RequestBudget.objects.update_or_create(pk=by, defaults={"minute": minute, "used": requests})


@pytest.mark.parametrize(
    ("priority", "limit", "second", "found"),
    [
        (Priority.CHANGES, 100, 0, 100),
        (Priority.URGENT, 100, 0, 90),
        (Priority.FIRST_LOAD, 100, 0, 60),
        (Priority.RECONCILIATION, 100, 0, 40),
        (Priority.RECONCILIATION, 100, 30, 70),
        (Priority.RECONCILIATION, 100, 59.9, 100),
        # However small the limit is, everybody gets a turn.
        (Priority.RECONCILIATION, 1, 0, 1),
        (Priority.RECONCILIATION, 2, 0, 1),
    ],
)
def test_b19_a_class_leaves_room_for_those_above_it_until_the_minute_ends(
    priority: Priority, limit: int, second: float, found: int
) -> None:
    assert room(priority, limit, second) == found


def test_b19_the_order_of_the_classes() -> None:
    names = ["CHANGES", "URGENT", "ADDED", "ASKS", "FIRST_LOAD", "NOT_FOUND", "RECONCILIATION"]
    assert [one.name for one in sorted(Priority)] == names


def test_b19_every_request_is_counted_under_its_class(vtj: Handle, settings: Settings) -> None:
    settings.VTJ_RATE_LIMIT = 1000
    world.clients(vtj.codes(5))
    sync("test", wait=0)
    told = dict(RequestBudget.objects.values_list("priority", "used"))
    assert told == {Priority.CHANGES: 1, Priority.FIRST_LOAD: 2}
    assert sum(told.values()) == len(vtj.requests)


def test_b19_somebody_just_added_goes_before_a_first_load(vtj: Handle, settings: Settings) -> None:
    settings.VTJ_RATE_LIMIT = 1000
    world.clients(vtj.codes(1))
    assert tasks.fetch([Person.objects.get().pk]) == 1
    assert set(RequestBudget.objects.values_list("priority", flat=True)) == {Priority.ADDED}


@pytest.mark.parametrize("priority", [one for one in Priority if one not in (Priority.URGENT, Priority.ADDED)])
def test_b19_when_little_is_left_only_the_pressing_go_on(settings: Settings, priority: Priority) -> None:
    """What is left for bans and for somebody just added depends on the second."""
    settings.VTJ_RATE_LIMIT = 100
    used_up(95)
    assert take(priority) is (priority is Priority.CHANGES)


@pytest.mark.parametrize("priority", Priority)
def test_b19_the_limit_holds_for_all(settings: Settings, priority: Priority) -> None:
    settings.VTJ_RATE_LIMIT = 100
    used_up(100)
    assert not take(priority)
    assert RequestBudget.objects.get(pk=priority).waiting_at is not None


def test_b19_who_waits_goes_first_in_the_next_minute(settings: Settings) -> None:
    settings.VTJ_RATE_LIMIT = 1
    used_up(1, Priority.RECONCILIATION)
    assert not take(Priority.CHANGES)
    RequestBudget.objects.exclude(minute=None).update(used=0)
    assert not take(Priority.RECONCILIATION)
    assert take(Priority.CHANGES)
    assert RequestBudget.objects.get(pk=Priority.CHANGES).waiting_at is None


def test_b19_one_who_has_given_up_holds_nobody_up(settings: Settings) -> None:
    settings.VTJ_RATE_LIMIT = 10
    long_ago = database_now() - timedelta(seconds=2 * budget.WAITS_SECONDS)
    RequestBudget.objects.create(pk=Priority.CHANGES, waiting_at=long_ago)
    assert take(Priority.RECONCILIATION)


def test_b19_without_a_limit_nobody_waits() -> None:
    used_up(100_000)
    assert take(Priority.RECONCILIATION)


@pytest.fixture
def waiting(vtj: Handle, settings: Settings) -> Iterator[tuple[Handle, list[str]]]:
    """A worker that wants to reconcile while the minute is used up."""
    settings.VTJ_RATE_LIMIT = 100
    used_up(98)
    ended: list[str] = []

    def work() -> None:
        try:
            Connection().yesterday_key(Priority.RECONCILIATION)
            ended.append("asked")
        except Stopped as error:
            ended.append(str(error))
        finally:
            database.close()

    worker = Thread(target=work)
    worker.start()
    while not RequestBudget.objects.exclude(waiting_at=None).exists():
        time.sleep(0.05)
    yield vtj, ended
    RequestBudget.objects.update(used=0, waiting_at=None)
    worker.join()


def test_b19_a_change_is_asked_while_another_worker_waits(waiting: tuple[Handle, list[str]]) -> None:
    vtj, ended = waiting
    Connection().yesterday_key(Priority.CHANGES)
    assert (len(vtj.requests), ended) == (1, [])
    RequestBudget.objects.update(used=0)
    while not ended:
        time.sleep(0.05)
    assert (len(vtj.requests), ended) == (2, ["asked"])


def test_b16_a_stop_reaches_a_worker_that_waits(waiting: tuple[Handle, list[str]]) -> None:
    vtj, ended = waiting
    stop("credentials")
    while not ended:
        time.sleep(0.05)
    assert (len(vtj.requests), ended) == (0, ["credentials"])


@pytest.mark.parametrize("fault", ["denied", "denied-old", "unauthorized"])
def test_b16_one_refusal_stops_every_worker(vtj: Handle, fault: str) -> None:
    first, second = Connection(), Connection()
    second.yesterday_key(Priority.CHANGES)
    vtj.faults(f"{fault}=1")
    with pytest.raises(Exception, match=r"VTJ_|permit"):
        first.yesterday_key(Priority.CHANGES)
    sent = len(vtj.requests)
    for worker in (first, second):
        with pytest.raises(Stopped):
            worker.yesterday_key(Priority.CHANGES)
    assert len(vtj.requests) == sent
    assert SyncControl.objects.get().stopped_at is not None


def test_b16_when_vtj_says_429_all_workers_leave_it_alone_for_a_while(vtj: Handle) -> None:
    vtj.faults("429=1")
    with pytest.raises(QuotaUsedUp):
        Connection(insists=False).yesterday_key(Priority.RECONCILIATION)
    assert not take(Priority.CHANGES)
    started = time.monotonic()
    Connection().yesterday_key(Priority.CHANGES)
    assert 0.5 < time.monotonic() - started < 5
    assert RequestBudget.objects.aggregate(Sum("used"))["used__sum"] == len(vtj.requests) == 2


def test_b16_vtj_is_not_believed_for_ever() -> None:
    assert take(Priority.CHANGES)
    budget.leave_alone(999_999)
    until = SyncControl.objects.get().quota_until
    assert until is not None
    assert (until - database_now()).total_seconds() <= budget.QUOTA_CAP_SECONDS
