"""Two workers on one queue, every task delivered twice: the same register as one worker makes (B10, B12)."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Task

from registry.models import Person
from tests import processes
from tests.engine import world
from tests.engine.conftest import Start
from tests.engine.test_engine_kill import environment
from tests.engine.truth import differences, twice_applied
from vtjsync import tasks
from vtjsync.models import SyncRun

DAYS = 4


@contextmanager
def clusters(count: int, **settings: str) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers' processes, as an operator starts them."""
    running = [processes.start("qcluster", **settings) for _ in range(count)]
    try:
        yield running
    finally:
        for one in running:
            one.send_signal(signal.SIGTERM)
        for one in running:
            try:
                one.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                one.kill()
                one.communicate()


def deliver_twice() -> int:
    """Puts a copy of every task on the queue behind it. Returns how many there are then."""
    for queued in OrmQ.objects.all():
        OrmQ.objects.create(key=queued.key, payload=queued.payload, lock=timezone.now())
    return OrmQ.objects.count()


def wait_until_done(results: int) -> None:
    until = time.monotonic() + 120
    while OrmQ.objects.exists() or SyncRun.objects.filter(state="RUNNING").exists() or Task.objects.count() < results:
        assert time.monotonic() < until, "the queue was not emptied"
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_two_workers_and_double_deliveries_end_in_the_truth(start_vtj: Start, tmp_path: Path) -> None:
    vtj = start_vtj(population=300, seed=21, page=7, activity=10.0)
    world.clients(vtj.codes(300))
    persons = list(Person.objects.values_list("pk", flat=True))
    with clusters(2, **environment(vtj)) as workers:
        for _ in range(DAYS):
            Task.objects.all().delete()
            tasks.start_sync(1)
            # Somebody who was added just now is asked for beside the run, and asked for again.
            tasks.start_fetch(persons[:40])
            tasks.start_sync(2)
            # Two deliveries of one task leave one result behind, since it has the task's id.
            deliver_twice()
            wait_until_done(3)
            vtj.advance(1)
        Task.objects.all().delete()
        tasks.start_sync(1)
        deliver_twice()
        wait_until_done(1)
        assert all(one.poll() is None for one in workers)
    # Each of the runs that were asked for was made, and most of them twice.
    assert SyncRun.objects.count() > 2 * DAYS + 1
    assert not SyncRun.objects.exclude(state="COMPLETE").exists()
    assert differences(vtj, tmp_path) == []
    assert twice_applied() == []
