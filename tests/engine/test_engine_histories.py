"""After any history of days, crashes, faults, repeated pages and people who come and go, the register equals the truth.

A failure prints the shortest history that fails: ``Life(history, …).live()`` is what happened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.engine.conftest import Start
from tests.engine.history import Happens, History, Leaves, Life, Passes, Returns, Runs, Spoils, histories

SHORT, LONG = 12, 20
EACH, EACH_LONG = 25, 250


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("number", "count"),
    [
        *((number, EACH) for number in range(SHORT)),
        *(pytest.param(1000 + number, EACH_LONG, marks=pytest.mark.long) for number in range(LONG)),
    ],
)
def test_every_history_ends_in_the_truth(start_vtj: Start, tmp_path: Path, number: int, count: int) -> None:
    vtj = start_vtj(population=1)

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(histories)
    def lived(history: History) -> None:
        Life(history, vtj, tmp_path).live()

    lived()


# A page comes once more when basic data has already ended the ban that it tells of (B13). Found by history 1009.
TOLD_AGAIN = History(
    seed=27316,
    people=10,
    listed=6,
    page=6,
    cohort=4,
    batch=1,
    activity=0.0,
    starts=datetime(2041, 6, 19, 11, 14, 53, 475, tzinfo=UTC),
    known=True,
    steps=(
        Runs(),
        Happens("ban_ended_alone", 0),
        Happens("move_on_some_day", 0),
        Spoils("stuck"),
        Happens("ban_started_censored", 0),
        Happens("moved_in_municipality", 0),
        Happens("moved_in_municipality", 0),
        Happens("municipality_corrected", 2),
        Passes(minutes=300),
        Happens("ban_started_alone", 1),
        Returns(),
        Happens("ban_ended_alone", 1),
        Leaves(11),
        Leaves(3),
        Leaves(8),
        Happens("move_for_now", 0),
        Returns(),
        Happens("ban_started_censored", 0),
        Runs(),
        Runs(),
    ),
)


@pytest.mark.django_db(transaction=True)
def test_b13_what_is_told_again_is_not_applied_twice(start_vtj: Start, tmp_path: Path) -> None:
    Life(TOLD_AGAIN, start_vtj(population=1), tmp_path).live()
