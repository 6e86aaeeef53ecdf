"""What happens to people, and the entry by which VTJ tells of it.

An event changes the person and returns the rows; the table at the end says who it can happen to and how often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from vtjsync.simulator import bans, identity, moves, vital
from vtjsync.simulator.people import Person
from vtjsync.simulator.population import BANNED, DEAD, SEVERAL_ABROAD, SINGLE_ABROAD, Population
from vtjsync.simulator.rows import Row
from vtjsync.simulator.scene import Scene

NEWBORN: Final = range(0)
ABROAD: Final = range(SINGLE_ABROAD.start, SEVERAL_ABROAD.stop)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event. ``weight``: how many of about a hundred events it is. ``happens`` raises nothing when ``suits``.

    ``among``: the lives at the start where somebody suitable is to be looked for; None is anywhere.
    """

    name: str
    weight: int
    happens: Callable[[Person, Scene], list[Row]]
    suits: Callable[[Person, date], bool]
    among: range | None = None


KINDS: Final = (
    Kind("moved_in_municipality", 22, moves.in_municipality, moves.resident),
    Kind("moved_to_municipality", 18, moves.to_municipality, moves.resident),
    Kind("moved_abroad", 3, moves.abroad, moves.resident),
    Kind("moved_back", 2, moves.back, moves.away, ABROAD),
    Kind("foreign_address_added", 1, moves.foreign_added, moves.away, ABROAD),
    Kind("foreign_address_removed", 1, moves.foreign_removed, moves.away_in_many, SEVERAL_ABROAD),
    Kind("address_removed", 1, moves.removed, moves.resident),
    Kind("address_corrected", 3, moves.corrected, moves.resident),
    Kind("municipality_corrected", 1, moves.municipality_corrected, moves.resident),
    Kind("municipality_lost", 1, moves.municipality_lost, moves.resident),
    Kind("move_to_come", 1, moves.to_come, moves.resident),
    Kind("move_for_now", 1, moves.for_now, moves.resident),
    Kind("move_on_some_day", 2, moves.on_some_day, moves.resident),
    Kind("ban_started_censored", 1, bans.started_censored, bans.free),
    Kind("ban_started_alone", 1, bans.started_alone, bans.free),
    Kind("ban_started_with_move", 1, bans.started_with_move, moves.resident),
    Kind("ban_continued", 1, bans.continued, bans.under_ban, BANNED),
    Kind("ban_ended_with_places", 1, bans.ended_with_places, bans.under_ban, BANNED),
    Kind("ban_ended_alone", 1, bans.ended_alone, bans.under_ban, BANNED),
    Kind("moved_under_ban", 1, bans.moved, bans.under_ban, BANNED),
    Kind("name_changed", 7, vital.name_changed, vital.named),
    Kind("name_corrected", 2, vital.name_corrected, vital.named),
    Kind("newborn_named", 3, vital.newborn_named, vital.nameless, NEWBORN),
    Kind("language_changed", 2, vital.language_changed, vital.alive),
    Kind("died", 8, vital.died, vital.alive),
    Kind("death_corrected", 1, vital.death_corrected, vital.dead, DEAD),
    Kind("death_cancelled", 1, vital.death_cancelled, vital.dead, DEAD),
    Kind("death_removed", 1, vital.death_removed, vital.dead, DEAD),
    Kind("code_changed", 1, identity.code_changed, vital.alive),
    Kind("codes_merged", 1, identity.codes_merged, identity.can_merge),
    Kind("other_groups", 8, vital.other_groups, vital.alive),
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}


def look_among(kind: Kind, population: Population, scene: Scene) -> int | None:
    """An index where somebody suitable may be found; None when the kind's lives do not occur."""
    if kind.among is None:
        return scene.dice.below(population.size)
    return population.newborn(scene.dice) if kind.among is NEWBORN else population.with_life(kind.among, scene.dice)
