"""One scene for every fault: a register that VTJ has news for, of which it hears while something is out of order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import patch

from django.db.models import Q

from registry.models import Person, PersonStatus
from tests.engine import world
from tests.engine.line import Clock, let_ask, line_to
from tests.engine.truth import differences, twice_applied, wrongly_confirmed
from vtjsync.engine import changes
from vtjsync.engine.connection import database_now
from vtjsync.engine.run import PASSING
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort, SyncControl, SyncRun
from vtjsync.simulator.server import Handle

LISTED, MORE, PEOPLE = 24, 3, 30
# An endless feed is known as one sooner than in life, or the table would take a night.
EMPTY_PAGES = 20
SIZES: Final = {"VTJ_COHORT_SIZE": 12, "VTJ_BASIC_DATA_BATCH": 12}
# What happens, and to whom: twice to some, in both cohorts, and such that basic data must be asked for some of them.
NEWS: Final = (
    *(("moved_in_municipality", 0), ("moved_in_municipality", 0), ("name_changed", 1), ("name_changed", 1)),
    *(("moved_to_municipality", 2), ("ban_started_alone", 3), ("ban_ended_with_places", 3), ("ban_started_alone", 4)),
    *(("code_changed", 5), ("moved_in_municipality", 13), ("ban_started_with_move", 14), ("name_changed", 13)),
    *(("move_to_come", 15), ("died", 16), ("language_changed", 17), ("moved_in_municipality", 13)),
)
CALLS: Final = ("muutokset", "perustiedot", "kirjausavain")


def play(vtj: Handle, folder: Path, faults: Sequence[str], at: int = 1) -> str:
    """Plays the scene with the faults turned on before the run's request number ``at``, then without them. Returns how
    the run ended that met them.

    Raises AssertionError when the status is not truthful, a change is lost, or one is applied twice.
    """
    with line_to(vtj, **SIZES), patch.object(changes, "MAX_EMPTY_PAGES", EMPTY_PAGES):
        since = prepare(vtj)
        row = spoilt_run(vtj, faults, at)
        truthful(vtj, folder, row, since)
        vtj.faults("none")
        let_ask()
        Person.objects.update(ask_not_before=None)
        assert sync("test", wait=0).state == SyncRun.State.COMPLETE
        assert differences(vtj, folder) == []
        assert twice_applied() == []
        assert not Person.objects.filter(ask__isnull=False).exists()
    return f"{row.state} {row.reason}".strip()


def moments(vtj: Handle) -> dict[str, int]:
    """The number of the first request of each call in the scene's run, if nothing is out of order."""
    with line_to(vtj, **SIZES):
        prepare(vtj)
        before = len(vtj.requests)
        sync("test", wait=0)
    sent = [path.partition("/")[0] for path, _ in vtj.requests[before:]]
    return {call: sent.index(call) + 1 for call in CALLS}


def prepare(vtj: Handle) -> datetime:
    """The scene before the run: an up-to-date register, news, and people who are new on the list. Returns the
    database's time after the news."""
    world.empty()
    clock = Clock(datetime(2041, 3, 4, 8, tzinfo=UTC))
    vtj.renew(population=PEOPLE, seed=21, page=4, activity=0.0, clock=clock)
    codes = vtj.codes()
    world.clients(codes[:LISTED])
    assert sync("test", wait=0).state == SyncRun.State.COMPLETE
    at_home = residents(vtj, codes)
    for kind, whose in NEWS:
        clock.now += timedelta(days=1)
        vtj.happen(kind, at_home[whose])
    world.clients(codes[LISTED : LISTED + MORE])
    return database_now()


def residents(vtj: Handle, codes: Sequence[str]) -> list[str]:
    """Those to whom most events can happen, in the order of the cohorts."""
    true = {one["henkilotunnus"]: one for one in vtj.truth()}
    return [
        code
        for code in codes
        if true[code]["vakinainen_kotimainen_osoite"] and not (true[code]["kuollut"] or true[code]["turvakielto"])
    ]


def spoilt_run(vtj: Handle, faults: Sequence[str], at: int) -> SyncRun:
    sent = 0

    def watch(_run: object) -> None:
        nonlocal sent
        sent += 1
        if sent == at:
            vtj.faults(*faults)

    return sync("test", wait=0, watch=watch)


def truthful(vtj: Handle, folder: Path, row: SyncRun, since: datetime) -> None:
    """What the run says of itself and of everybody is so: who is confirmed after the news holds the truth, and COMPLETE
    is said only when everybody is, but for those whom VTJ left out."""
    complete = row.state == SyncRun.State.COMPLETE
    assert wrongly_confirmed(vtj, folder, since) == []
    told = Cohort.objects.filter(enrolments__isnull=False).values_list("up_to_date_as_of", flat=True)
    found = Person.objects.exclude(status=PersonStatus.NOT_FOUND)
    if complete:
        assert all(at is not None and at > since for at in told)
        assert not found.filter(Q(ask__isnull=False) | Q(enrolment=None)).exists()
    assert complete is (row.reason == "")
    assert (row.state == SyncRun.State.INCOMPLETE) is (row.reason in PASSING)
    assert row.ended_at is not None
    stopped = SyncControl.objects.exclude(stopped_reason="").exists()
    assert stopped is (row.reason in {"DENIED", "STOPPED"})
    assert not SyncRun.objects.filter(state=SyncRun.State.RUNNING).exists()
