"""What the random histories come to, and which defects they find.

    python -m tests.engine.reach [HISTORIES]

prints two tables for docs/testing.md: what happened in so many histories (300 unless told), and after how many of them
each of some planted defects was found. Takes some minutes, on a database of its own.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from vtjsync.simulator.server import Handle

COUNT: Final = 300
SEED: Final = 5
FAILED: Final = "a history did not end in the truth"


@contextmanager
def early_cursor() -> Iterator[None]:
    """The cursor is stored whether the page is or not (domain.md B10)."""
    from unittest.mock import patch

    from vtjsync.engine import changes
    from vtjsync.models import Cohort

    apply = changes.apply

    def broken(run: Any, cohort_id: int, asked_with: int, **answer: Any) -> Any:
        try:
            return apply(run, cohort_id, asked_with, **answer)
        except BaseException:
            Cohort.objects.filter(pk=cohort_id, cursor=asked_with).update(cursor=max(answer["page"].key, asked_with))
            raise

    with patch.object(changes, "apply", broken):
        yield


@contextmanager
def lost_entry() -> Iterator[None]:
    """One entry in twenty is read and not written."""
    from unittest.mock import patch

    from vtjsync.engine.effects import Effects

    take, number = Effects.take, 0

    def broken(self: Effects, *arguments: Any) -> None:
        nonlocal number
        number += 1
        if number % 20:
            take(self, *arguments)

    with patch.object(Effects, "take", broken):
        yield


@contextmanager
def written(change: Callable[[list[Any]], list[Any]]) -> Iterator[None]:
    """``change`` changes the persons, the changes, the banned and the run that are to be written."""
    from unittest.mock import patch

    from registry.services import vtj_data

    write = vtj_data.write
    with patch.object(vtj_data, "write", lambda *arguments: write(*change(list(arguments)))):
        yield


def replaced(module: str, name: str, value: Callable[..., Any]) -> AbstractContextManager[Any]:
    """The function of that name does this instead."""
    from importlib import import_module
    from unittest.mock import patch

    return patch.object(import_module(module), name, value)


DEFECTS: Final[dict[str, Callable[[], AbstractContextManager[Any]]]] = {
    "nothing": lambda: replaced("tests.engine.reach", "COUNT", COUNT),
    "the cursor is stored though the page is not (B10)": early_cursor,
    "one entry in twenty is lost": lost_entry,
    "every change is logged twice": lambda: written(lambda a: [a[0], [*a[1], *a[1]], *a[2:]]),
    "the log keeps the places of the banned (E34)": lambda: written(lambda a: [*a[:2], (), a[3]]),
    "nobody is asked on the day when a value begins (C21)": lambda: replaced(
        "vtjsync.engine.due", "mark_rechecks", lambda _day: 0
    ),
    "a chain of corrected codes is not followed (D28)": lambda: replaced(
        "vtjsync.engine.effects", "successors", lambda _rows: set()
    ),
}


def live(vtj: Handle, folder: Path, count: int, reached: Counter[str]) -> None:
    """Lives so many histories, the same ones each time, until one does not end in the truth; counts what happened."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    from tests.engine.history import History, Life, histories

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(histories)
    def lived(history: History) -> None:
        if reached[FAILED]:
            return
        reached["histories"] += 1
        try:
            Life(history, vtj, folder).live()
        except Exception:
            reached[FAILED] = 1
        else:
            reached.update(happened(history))

    lived()


def happened(history: Any) -> Counter[str]:
    """What the register tells of the history that was lived, in words for the table."""
    from django.db.models import Sum

    from registry.models import AppliedChange, Person, Problem
    from vtjsync.models import Cohort, SyncRun

    runs = SyncRun.objects.all()
    told = Counter(f"runs that ended {row.state} {row.reason}".strip() for row in runs)
    sums = runs.aggregate(*(Sum(name) for name in ("entries", "bans_started", "bans_ended", "retries", "not_found")))
    told.update({name.removesuffix("__sum").replace("_", " "): value or 0 for name, value in sums.items()})
    told.update({"steps": len(history.steps), "persons": Person.objects.count(), "cohorts": Cohort.objects.count()})
    told["applied changes that stand in the log"] = AppliedChange.objects.count()
    told["entries of one person twice"] = Problem.objects.filter(kind="TWO_ENTRIES").count()
    return told


def main(count: int = COUNT) -> None:
    """Prints both tables."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    logging.disable()
    from django.db import connection

    from vtjsync.simulator import server

    connection.settings_dict["TEST"]["NAME"] = "test_vtjsync_reach"
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    vtj = server.start(population=1, seed=1, slow_seconds=0.01)
    try:
        with TemporaryDirectory() as folder:
            for defect, planted in DEFECTS.items():
                reached: Counter[str] = Counter()
                with planted():
                    live(vtj, Path(folder), count, reached)
                verdict = f"in history {reached['histories']}" if reached[FAILED] else f"in none of {count}"
                print(f"| {defect} | {verdict} |", flush=True)
                if defect == "nothing":
                    for what, number in sorted(reached.items()):
                        print(f"|   {what} | {number} |", flush=True)
    finally:
        vtj.stop()
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
