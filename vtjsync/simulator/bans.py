"""Bans: their starts and ends with places, with censored ones and without any, and what happens meanwhile."""

from __future__ import annotations

from datetime import date, timedelta

from vtjsync.simulator import moves, rows
from vtjsync.simulator.people import ABROAD, BAN_FOR_NOW, Ban, Person, Town, When
from vtjsync.simulator.rows import Row
from vtjsync.simulator.scene import Scene


def free(person: Person, day: date) -> bool:
    """Alive and not under a ban."""
    del day
    return not (person.death or person.ban or person.merged)


def under_ban(person: Person, day: date) -> bool:
    """Alive and under a ban."""
    del day
    return person.ban is not None and not (person.death or person.merged)


def started_censored(person: Person, scene: Scene) -> list[Row]:
    """A ban starts, and the entry carries the places without their values."""
    groups = (rows.HOME, rows.FOREIGN, rows.TOWN)
    return [_start(person, scene), *(rows.censored(group, "LISATIETO") for group in groups)]


def started_alone(person: Person, scene: Scene) -> list[Row]:
    """A ban starts, and the entry says nothing else."""
    return [_start(person, scene)]


def started_with_move(person: Person, scene: Scene) -> list[Row]:
    """A ban starts in the entry of a move, whose address can be read."""
    moved = moves.to_municipality(person, scene) if scene.dice.below(2) else moves.in_municipality(person, scene)
    return [*moved, _start(person, scene)]


def continued(person: Person, scene: Scene) -> list[Row]:
    """A ban gets a new planned end."""
    person.ban = Ban(scene.day + timedelta(days=scene.dice.between(100, 900)))
    return [rows.ban(person.ban, "MUUTETTU")]


def ended_with_places(person: Person, scene: Scene) -> list[Row]:
    """A ban ends, and the places are told in the same entry."""
    attribute = scene.dice.pick(("LISATIETO", "LISATIETO", "LISATTY"))
    ended = _end(person, scene)
    homes = [one for one in person.homes if one.on(scene.day)]
    town = person.town(scene.day)
    return [
        ended,
        *(rows.home(one, attribute) for one in homes),
        *(rows.foreign(one, attribute) for one in person.abroad(scene.day)),
        *([rows.town(town, "LISATIETO")] if town else []),
    ]


def ended_alone(person: Person, scene: Scene) -> list[Row]:
    """A ban ends, and only basic data tells the places."""
    return [_end(person, scene)]


def moved(person: Person, scene: Scene) -> list[Row]:
    """A move that the ban hides."""
    told = [one.start for one in person.homes] + [one.start for one in person.foreign]
    starts = [start.first for start in (*told, *(town.start for town in person.towns))]
    start = When(max([scene.day, *(start + timedelta(days=1) for start in starts)]))
    if scene.dice.one_in(8):
        person.homes, person.towns = [], [Town(ABROAD, start)]
        person.foreign = [scene.new_foreign(person, start)]
        return [rows.censored(group, "LISATTY") for group in (rows.FOREIGN, rows.TOWN)]
    home = scene.new_home(person, scene.elsewhere(None), start)
    person.homes, person.foreign, person.towns = [home], [], [Town(home.municipality, start)]
    return [
        rows.censored(rows.HOME, "LISATTY"),
        rows.censored(rows.HOME, "MUUTETTU"),
        rows.censored(rows.TOWN, "LISATTY"),
    ]


def _start(person: Person, scene: Scene) -> Row:
    end = (None, BAN_FOR_NOW, scene.day + timedelta(days=scene.dice.between(200, 900)))[scene.dice.below(3)]
    person.ban, person.banned_once = Ban(end), True
    return rows.ban(person.ban, "LISATTY" if scene.dice.below(3) else "MUUTETTU")


def _end(person: Person, scene: Scene) -> Row:
    ended, person.ban = person.ban, None
    throw = scene.dice.below(10)
    if throw == 0:
        return rows.ban(ended, "POISTETTU", voimassaolevatTiedot=[])
    if throw == 1:
        return rows.ban(ended, "POISTETTU", voimassaolevatTiedot=[rows.ban(None)])
    return rows.ban(None, "LISATTY" if throw == 2 else "MUUTETTU")
