"""``sync`` killed with SIGKILL at random points, thirty times, ends in the same register (domain.md B10, B11)."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from django.db import connection

from registry.models import Person
from tests import processes
from tests.engine import world
from tests.engine.conftest import Start
from tests.engine.truth import differences, twice_applied
from vtjsync.models import SyncRun
from vtjsync.simulator.server import PASSWORD, USERNAME, Handle

KILLS, MANY = 10, 30


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [KILLS, pytest.param(MANY, marks=pytest.mark.long)])
def test_b10_kills_lose_nothing_and_repeat_nothing(start_vtj: Start, tmp_path: Path, kills: int) -> None:
    dice = random.Random(30)
    vtj = start_vtj(population=400, seed=9, page=5, activity=10.0)
    world.clients(vtj.codes(400))
    interrupted = 0
    for round_ in range(kills):
        # Half of the kills hit the first load, the others days of changes. Who is not loaded yet when the code changes
        # cannot be found by the old one, so the load is let come to its end in between.
        if round_ == kills // 2:
            assert processes.run("sync", **environment(vtj)).returncode == 0
        if round_ >= kills // 2:
            vtj.advance(1)
        interrupted += killed(vtj, dice)
    assert interrupted >= kills // 2
    done = processes.run("sync", **environment(vtj))
    assert done.returncode == 0, done.stderr
    assert SyncRun.objects.filter(state="INTERRUPTED").count() == interrupted
    assert not SyncRun.objects.filter(state="RUNNING").exists()
    assert differences(vtj, tmp_path) == []
    assert not Person.objects.filter(ask__isnull=False, ask_not_before=None).exists()
    assert twice_applied() == []


def environment(vtj: Handle) -> dict[str, str]:
    return {
        "VTJ_SERVER": vtj.url,
        "VTJ_USERNAME": USERNAME,
        "VTJ_PASSWORD": PASSWORD,
        "VTJ_COHORT_SIZE": "150",
        "VTJ_BASIC_DATA_BATCH": "20",
    }


def killed(vtj: Handle, dice: random.Random) -> bool:
    """A run killed at some moment after its row was there; whether it was still at work."""
    last = SyncRun.objects.order_by("id").values_list("id", flat=True).last() or 0
    process = processes.start("sync", **environment(vtj))
    while process.poll() is None and not SyncRun.objects.filter(id__gt=last).exists():
        time.sleep(0.005)
    time.sleep(dice.uniform(0, 0.25))
    process.kill()
    process.communicate()
    connection.close()
    return SyncRun.objects.filter(id__gt=last, state="RUNNING").exists()
