"""A race by design: everything that can be written of one person, at the same moment, in every order.

The nightly reconciliation, an ask, the erasure, the merge and a page of changes: never a location under a ban, never
somebody erased back (domain.md A6, B10, B12, D30, E34, E36, F44, G50).
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.engine import moment
from tests.engine.conftest import Start
from tests.engine.moment import ACTORS, EVENTS, Case, Moment

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = ("other", "stays", "both")
BOTH = frozenset({"reconciliation", "ask"})
STALE = (BOTH, frozenset({"ask"}), BOTH, frozenset({"reconciliation"}), frozenset[str]())
ORDERS = list(permutations(ACTORS))
# Each of the five first and last as often as any other, and each two of them in both orders.
BASES = (
    ("page", "ask", "reconciliation", "merge", "erasure"),
    ("merge", "page", "erasure", "ask", "reconciliation"),
    ("erasure", "reconciliation", "page", "merge", "ask"),
    ("reconciliation", "merge", "ask", "erasure", "page"),
)
SAMPLE = [(*base[turn:], *base[:turn]) for base in BASES for turn in range(len(ACTORS))]


def case(order: tuple[str, ...], number: int, event: str) -> Case:
    """A case of the order. The number spreads what else may differ, each at a pace of its own."""
    return Case(
        order,
        event,
        EVENTS[event][number % len(EVENTS[event])],
        ends=ENDS[number % 3],
        stale=STALE[number // 3 % 5],
        queued=number % 2 == 0,
        late=number // 2 % 2 == 0,
        marked=number // 5 % 4 == 3,
        told=number // 7 % 3 == 1,
        unsent=number % 5 == 4,
    )


FEW = [case(order, number, list(EVENTS)[number // 2 % 3]) for number, order in enumerate(SAMPLE)]
ALL = [case(order, 7 * number + shift, event) for number, order in enumerate(ORDERS) for shift, event in enumerate(EVENTS)]


def play(one: Case, start_vtj: Start, settings: Settings, folder: Path) -> None:
    settings.ERASURE_LEDGER, settings.VAR_DIR = folder / "ledger.jsonl", folder
    vtj = start_vtj(population=3, seed=7, unique_streets=True, activity=0)
    settings.VTJ_DEADLINE = 30.0
    moment.load(vtj)
    Moment(one, vtj, folder).play()


@pytest.mark.parametrize("one", FEW, ids=str)
def test_e34_a6_five_at_once(one: Case, start_vtj: Start, settings: Settings, tmp_path: Path) -> None:
    play(one, start_vtj, settings, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("one", ALL, ids=str)
def test_e34_a6_five_at_once_in_every_order(one: Case, start_vtj: Start, settings: Settings, tmp_path: Path) -> None:
    play(one, start_vtj, settings, tmp_path)
