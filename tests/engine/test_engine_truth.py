"""After any number of simulated days the export equals VTJ's truth for every client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.models import TASKS, Problem
from tests.engine import world
from tests.engine.conftest import Start
from tests.engine.truth import differences
from vtjsync.engine.sync import sync
from vtjsync.simulator.events import KINDS
from vtjsync.simulator.truth import Record

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_first_load_equals_the_truth(start_vtj: Start, tmp_path: Path) -> None:
    vtj = start_vtj(population=500)
    world.clients(vtj.codes(500))
    assert sync("test", wait=0).state == "COMPLETE"
    assert differences(vtj, tmp_path) == []


def test_every_day_of_a_week_full_of_events_equals_the_truth(
    start_vtj: Start, settings: Settings, tmp_path: Path
) -> None:
    settings.VTJ_COHORT_SIZE, settings.VTJ_BASIC_DATA_BATCH = 150, 100
    vtj = start_vtj(population=400, seed=11, page=23, activity=15.0)
    world.clients(vtj.codes(400))
    sync("test", wait=0)
    for _ in range(8):
        vtj.advance(1)
        assert sync("test", wait=0).state == "COMPLETE"
        assert differences(vtj, tmp_path) == []


def test_many_days_in_one_run_equal_the_truth(start_vtj: Start, settings: Settings, tmp_path: Path) -> None:
    settings.VTJ_COHORT_SIZE = 100
    vtj = start_vtj(population=300, seed=5, activity=15.0)
    world.clients(vtj.codes(300))
    sync("test", wait=0)
    vtj.advance(40)
    assert sync("test", wait=0).state == "COMPLETE"
    assert differences(vtj, tmp_path) == []
    assert not Problem.objects.filter(closed_at=None).exclude(kind__in=("TWO_ENTRIES", "NOT_FOUND", *TASKS)).exists()


# What must have happened to a person before, where few are born so.
BEFORE = {
    "ban_continued": ["ban_started_alone"],
    "ban_ended_with_places": ["ban_started_censored"],
    "ban_ended_alone": ["ban_started_with_move"],
    "moved_under_ban": ["ban_started_alone"],
    "death_corrected": ["died"],
    "death_cancelled": ["died"],
    "death_removed": ["died"],
}


# And whom it can happen to, where only some are born so.
AMONG: dict[str, Callable[[Record], bool]] = {
    "newborn_named": lambda one: one["sukunimi"] is None and not one["kuollut"],
    "moved_back": lambda one: bool(one["vakinaiset_ulkomaiset_osoitteet"]) and not one["kuollut"],
    "foreign_address_removed": lambda one: len(one["vakinaiset_ulkomaiset_osoitteet"]) > 1,
}


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_each_kind_of_event_equals_the_truth(start_vtj: Start, tmp_path: Path, kind: str) -> None:
    vtj = start_vtj(population=500, seed=2)
    world.clients(vtj.codes(500))
    chosen: list[str | None] = [None] * 3
    if kind in AMONG:
        chosen = [one["henkilotunnus"] for one in vtj.truth() if AMONG[kind](one)]
    for before in BEFORE.get(kind, []):
        chosen = [vtj.happen(before, code) for code in chosen]
    sync("test", wait=0)
    for code in chosen:
        vtj.happen(kind, code)
    assert chosen
    assert sync("test", wait=0).state == "COMPLETE"
    assert differences(vtj, tmp_path) == []
