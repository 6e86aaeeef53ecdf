"""Names, mother tongues, deaths, and news that the product has no group for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from vtjsync.simulator import names, rows
from vtjsync.simulator.people import Death, Person, When
from vtjsync.simulator.population import another_language, name, roughly
from vtjsync.simulator.rows import Row
from vtjsync.simulator.scene import Scene


def alive(person: Person, day: date) -> bool:
    """Alive, under a ban or not."""
    del day
    return person.death is None and not person.merged


def dead(person: Person, day: date) -> bool:
    """Dead."""
    del day
    return person.death is not None and not person.merged


def named(person: Person, day: date) -> bool:
    """Alive and with a name."""
    return alive(person, day) and person.last_name is not None


def nameless(person: Person, day: date) -> bool:
    """Alive and without a name yet."""
    return alive(person, day) and person.last_name is None


def name_changed(person: Person, scene: Scene) -> list[Row]:
    """A new last name: the new row alone, or beside the old one that has ended."""
    old = replace(person)
    _new_last_name(person, scene)
    if scene.dice.below(2):
        kept = rows.wire_date(scene.day)
        other = {"tietoryhma": "NIMENMUUTOS", "muutosattribuutti": "LISATTY", "nimilaji": "NYKYINEN_SUKUNIMI"}
        return [rows.name(person, "MUUTETTU", alkupv=kept), other | {"nimi": person.last_name, "alkupv": kept}]
    ended = rows.wire_date(scene.day - timedelta(days=1))
    return [
        rows.name(person, "LISATTY", alkupv=rows.wire_date(scene.day)),
        rows.name(old, "MUUTETTU", loppupv=ended),
    ]


def name_corrected(person: Person, scene: Scene) -> list[Row]:
    """A mistake in the last name is put right."""
    wrong = rows.name(person, "KORJATTAVA")
    _new_last_name(person, scene)
    return [wrong, rows.name(person, "KORJATTU")]


def newborn_named(person: Person, scene: Scene) -> list[Row]:
    """A newborn gets a name."""
    language = person.language
    name(person, scene.dice, swedish=language == names.SWEDISH)
    person.language = language
    return [rows.name(person, "LISATTY", alkupv=rows.wire_date(scene.day))]


def language_changed(person: Person, scene: Scene) -> list[Row]:
    """A new mother tongue: the old one has ended, or is removed in favour of what is valid now."""
    old, new = person.language, another_language(person, scene.dice)
    person.language = new
    start = rows.wire_date(scene.day)
    told = [rows.language(new, "LISATTY", alkupv=start)]
    if old and scene.dice.below(2):
        told.append(rows.language(old, "MUUTETTU", loppupv=rows.wire_date(scene.day - timedelta(days=1))))
    elif old:
        valid = [rows.language(new, alkupv=start)]
        told.append(rows.language(old, "POISTETTU", loppupv=start, voimassaolevatTiedot=valid))
    return told


def died(person: Person, scene: Scene) -> list[Row]:
    """A death, on a day that is known, or not; addresses and home municipality end with it, or stay as they were."""
    day = scene.day - timedelta(days=scene.dice.below(14))
    person.death = Death(None if scene.dice.one_in(6) else roughly(day, scene.dice, 5))
    told = [rows.death(person.death, "LISATTY")]
    if person.ban or len(person.homes) != 1 or len(person.towns) != 1 or scene.dice.below(2):
        return told
    yesterday = scene.day - timedelta(days=1)
    home, town = person.homes[0], person.towns[0]
    if home.start.first >= yesterday or town.start.first > scene.day:
        return told
    person.homes, person.towns = [], []
    ended = rows.home(replace(home, end=yesterday), "MUUTETTU")
    return [*told, ended, rows.town(town, "POISTETTU") | {"voimassaolevatTiedot": []}]


def death_corrected(person: Person, scene: Scene) -> list[Row]:
    """The day of a death is put right."""
    wrong = rows.death(person.death, "KORJATTAVA")
    told = person.death.on.first if person.death and person.death.on else scene.day
    person.death = Death(When(told - timedelta(days=scene.dice.between(1, 30))))
    return [wrong, rows.death(person.death, "KORJATTU")]


def death_cancelled(person: Person, scene: Scene) -> list[Row]:
    """The person lives after all, by a correction."""
    del scene
    wrong, person.death = rows.death(person.death, "KORJATTAVA"), None
    return [wrong, rows.death(None, "KORJATTU")]


def death_removed(person: Person, scene: Scene) -> list[Row]:
    """The person lives after all: the death is removed and nothing is valid in its place."""
    del scene
    wrong, person.death = rows.death(person.death, "POISTETTU", voimassaolevatTiedot=[]), None
    return [wrong]


def other_groups(person: Person, scene: Scene) -> list[Row]:
    """News of groups that the product does not have, of which it must take no notice."""
    del person
    return [
        scene.dice.pick(
            (
                {"tietoryhma": "SIVIILISAATY", "muutosattribuutti": "LISATTY", "siviilisaaty": "AVIOLIITOSSA"},
                {"tietoryhma": "AMMATTI", "muutosattribuutti": "LISATTY", "ammatti": "lehtori"},
                {"tietoryhma": "EDUNVALVONTA", "muutosattribuutti": "LISATIETO", "edunvalvonta": True},
                {"tietoryhma": "TULEVA_TIETORYHMA", "muutosattribuutti": "TULEVA", "arvot": [{"x": [1, None]}]},
            )
        )
    ]


def _new_last_name(person: Person, scene: Scene) -> None:
    other = scene.dice.pick(names.LAST_FI + names.LAST_SV)
    person.last_name = f"{other}-Laine" if other == person.last_name else other
    person.last_ascii = None
