"""Corrected identity codes: one replaced, or two of one person found out (domain.md D27)."""

from __future__ import annotations

from datetime import date

from vtjsync.simulator import rows
from vtjsync.simulator.people import Person
from vtjsync.simulator.rows import Row
from vtjsync.simulator.scene import Scene


def can_merge(person: Person, day: date) -> bool:
    """Alive, free, and not merged before."""
    del day
    return not (person.death or person.ban or person.merged)


def code_changed(person: Person, scene: Scene) -> list[Row]:
    """The person gets a new code; the entry comes under the old one."""
    old, new = person.code, scene.new_code()
    person.former, person.code = [*person.former, old], new
    told = [
        rows.code(new, person.former, "LISATTY"),
        rows.code(new, person.former, "MUUTETTU", changed=old),
        {"tietoryhma": "SYNTYMAPAIVA", "muutosattribuutti": "MUUTETTU", "syntymapv": rows.wire_date(scene.day)},
    ]
    return [*told, rows.name(person, "LISATIETO")] if person.last_name else told


def codes_merged(person: Person, scene: Scene) -> list[Row]:
    """Two codes are one person: the entry comes under the surviving one, the other is no longer anybody's."""
    other = scene.other(person, can_merge)
    if other is None:
        return []
    other.merged = True
    removed = [other.code, *other.former]
    person.former = [*person.former, *removed]
    return [
        rows.code(person.code, person.former, "LISATIETO"),
        *(rows.code(person.code, person.former, "MUUTETTU", changed=code) for code in removed),
    ]
