"""A race by design: everything that can be written of one person, at the same moment, in every order.

The nightly reconciliation, an ask, the erasure, the merge and a page of changes: never a location under a ban, never
somebody erased back (domain.md A6, B10, B12, D30, E34, E36, F44, G50).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import combinations, cycle, permutations
from pathlib import Path
from random import Random

import pytest
from pytest_django import Settings

from tests.engine.conftest import Start
from tests.engine.moment import ACTORS, EVENTS, Case, Moment

pytestmark = pytest.mark.django_db(transaction=True)

# Each of the five first and last as often as any other, and each two of them in both orders.
BASES = (
    ("page", "ask", "reconciliation", "merge", "erasure"),
    ("merge", "page", "erasure", "ask", "reconciliation"),
    ("erasure", "reconciliation", "page", "merge", "ask"),
    ("reconciliation", "merge", "ask", "erasure", "page"),
)
SAMPLE = [(*base[turn:], *base[:turn]) for base in BASES for turn in range(len(ACTORS))]
BOTH = frozenset({"reconciliation", "ask"})
STALE = (BOTH, BOTH, BOTH, frozenset({"ask"}), frozenset({"reconciliation"}), frozenset[str]())
# One of those with which the few cases of the sample hold many a stale answer that comes right after the page.
SEED = 15


def case(order: tuple[str, ...], event: str) -> Case:
    """The case of the order and the event, always the same; what else may differ is spread over all of them. Each order
    is played in turn with one of the events at least: a queue that is served otherwise now and then proves less."""
    in_turn = Random(">".join(order)).choice(list(EVENTS))
    dice = Random(f"{SEED} {'>'.join(order)} {event}")
    return Case(
        order,
        event,
        kind=dice.choice(EVENTS[event]),
        ends=dice.choice(("other", "other", "stays", "both")),
        stale=dice.choice(STALE),
        queued=dice.random() < 0.75 and event != in_turn,
        late=dice.random() < 0.5,
        marked=dice.random() < 0.2,
        told=dice.random() < 0.3,
        unsent=dice.random() < 0.15,
        newest=dice.random() < 0.5,
    )


# Nothing but the page tells that the answers behind it are stale.
PLAIN = Case(BASES[0], "move", "moved_in_municipality", ends="other", stale=BOTH)
FEW = [PLAIN, *(case(order, event) for order, event in zip(SAMPLE, cycle(EVENTS), strict=False))]
REST = [one for order in permutations(ACTORS) for event in EVENTS if (one := case(order, event)) not in FEW]


@pytest.fixture
def play(
    start_vtj: Start, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Callable[[Case], None]:
    """Plays a case against a VTJ of three people, of whom two are one. Nobody may have met anything to warn of."""

    def played(one: Case) -> None:
        settings.ERASURE_LEDGER, settings.VAR_DIR = tmp_path / "ledger.jsonl", tmp_path
        vtj = start_vtj(population=3, seed=7, unique_streets=True, activity=0)
        settings.VTJ_DEADLINE = 30.0
        Moment(one, vtj, tmp_path).play()
        assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []

    return played


def test_the_sample_is_spread_well() -> None:
    """Each of the five first and last, each two of them in both orders; all of them are tried in the long tests."""
    assert {order[0] for order in SAMPLE} == {order[-1] for order in SAMPLE} == set(ACTORS)
    before = {(one, other) for order in SAMPLE for one, other in combinations(order, 2)}
    assert before == set(permutations(ACTORS, 2))
    assert {one.order for one in (*FEW, *REST)} == set(permutations(ACTORS))


@pytest.mark.parametrize("one", FEW, ids=str)
def test_e34_a6_five_at_once(one: Case, play: Callable[[Case], None]) -> None:
    play(one)


@pytest.mark.long
@pytest.mark.parametrize("one", REST, ids=str)
def test_e34_a6_five_at_once_in_every_order(one: Case, play: Callable[[Case], None]) -> None:
    play(one)
