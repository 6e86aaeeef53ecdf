"""A page of changes: so many people of one cohort have moved."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings

from registry.models import AppliedChange
from tests.bench import bare, register
from tests.bench.harness import row, seconds
from tests.simulator.calls import Caller
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort, Enrolment, SyncRun
from vtjsync.simulator.server import Handle


def measure(size: int) -> None:
    """One row. The page is larger than VTJ's own would be, and the cohort as large as it takes."""
    # Some cannot move: the dead, those abroad.
    population = size * 11 // 10 + 20
    settings.VTJ_COHORT_SIZE = population
    services = register.set_up()
    with register.simulated(population, page=size) as vtj, Caller(vtj) as caller:
        codes: list[Any] = register.clients(population, services)
        sync("bench")
        cohort = Cohort.objects.get()
        assert Enrolment.objects.filter(cohort=cohort).count() == population
        assert let_move(vtj, codes, size) == size
        taken = seconds(lambda: sync("bench", with_basic_data=False))
        done = SyncRun.objects.latest("pk")
        assert (done.state, done.entries) == ("COMPLETE", size)
        applied = AppliedChange.objects.count()
        alone = seconds(lambda: caller.changes(cohort.cursor, codes))
        other = seconds(lambda: store(caller.changes(cohort.cursor, codes).content, applied))
    beside = f"received, decoded, COPY, UPDATE and INSERT of the log; VTJ alone: {alone:.1f} s of both"
    row("a page of changes, all of them moves", f"{size:,} entries", taken, beside, other)


def let_move(vtj: Handle, codes: list[Any], wanted: int) -> int:
    """Lets so many people move; returns how many have."""
    moved = 0
    for code in codes:
        if moved < wanted:
            with suppress(ValueError):
                vtj.happen("moved_in_municipality", code)
                moved += 1
    return moved


def store(body: bytes, logged: int) -> None:
    """The page as it came, and as many rows in the log of changes as the sync writes."""

    def log(cursor: Any) -> None:
        cursor.execute(
            "INSERT INTO registry_appliedchange (person_id, field, old_value, new_value, source, changed_at)"
            " SELECT person_id, field, old_value, new_value, source, changed_at FROM registry_appliedchange LIMIT %s",
            [logged],
        )

    bare.write(bare.HOME, bare.new_homes(bare.entries(body)), log)
