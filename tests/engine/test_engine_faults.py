"""Every fault that the simulator can play, alone and in pairs: domain.md B10, B15, B16, and docs/faults.md."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine import fault_table
from tests.engine.conftest import Start
from tests.engine.faults import moments
from vtjsync.simulator.server import Handle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

TABLE = fault_table.told(fault_table.DOC.read_text(encoding="utf-8"))
# Every other fault with the next one in make test, each with every other one in make test-long.
NEXT = list(pairwise(fault_table.NAMES))[::3]


@pytest.fixture
def vtj(start_vtj: Start) -> Handle:
    return start_vtj(population=1, slow_seconds=0.01)


@pytest.mark.parametrize("fault", fault_table.NAMES)
def test_a_fault_loses_nothing_repeats_nothing_and_the_status_is_true(vtj: Handle, tmp_path: Path, fault: str) -> None:
    assert fault_table.alone(vtj, tmp_path, fault, moments(vtj)) in TABLE


@pytest.mark.parametrize(
    "pair",
    [pytest.param(pair, marks=[] if pair in NEXT else [pytest.mark.long]) for pair in fault_table.PAIRS],
    ids=" and ".join,
)
def test_two_faults_lose_nothing_repeat_nothing_and_the_status_is_true(
    vtj: Handle, tmp_path: Path, pair: tuple[str, str]
) -> None:
    assert fault_table.together(vtj, tmp_path, pair) in TABLE


def test_the_document_names_every_fault_and_every_pair() -> None:
    assert len(TABLE) == len(fault_table.NAMES) + len(fault_table.PAIRS)
