"""After any history of days, crashes, faults, repeated pages and people who come and go, the register equals the truth.

A failure prints the shortest history that fails: ``Life(history, …).live()`` is what happened.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.engine.conftest import Start
from tests.engine.history import History, Life, histories

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
