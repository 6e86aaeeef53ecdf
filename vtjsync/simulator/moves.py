"""Moves, and corrections of where somebody lives, of people who are not under a ban."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from vtjsync.simulator import rows
from vtjsync.simulator.people import ABROAD, FOR_NOW, MONTH, YEAR, Home, Person, Town, When
from vtjsync.simulator.rows import Row
from vtjsync.simulator.scene import Scene


def resident(person: Person, day: date) -> bool:
    """Alive and free, with one address in Finland and a home municipality, both from before the day."""
    return (
        not (person.death or person.ban or person.merged or person.foreign)
        and len(person.homes) == len(person.towns) == 1
        and person.homes[0].start.first < day
        and person.towns[0].start.first < day
        and person.homes[0].on(day)
    )


def away(person: Person, day: date) -> bool:
    """Alive and free, living abroad since before the day."""
    return (
        not (person.death or person.ban or person.merged or person.homes)
        and bool(person.foreign)
        and all(one.start.first < day and one.on(day) for one in person.foreign)
        and all(town.start.first < day for town in person.towns)
    )


def away_in_many(person: Person, day: date) -> bool:
    """Away, with more than one address."""
    return away(person, day) and len(person.foreign) > 1


def in_municipality(person: Person, scene: Scene) -> list[Row]:
    """A new address in the same municipality."""
    old = person.homes[0]
    home = scene.new_home(person, scene.here(old.municipality), scene.recent(old.start.first))
    return [*_settled(person, home, scene), *_dwelling(home)]


def to_municipality(person: Person, scene: Scene) -> list[Row]:
    """A new address in another municipality."""
    after = max(person.homes[0].start.first, person.towns[0].start.first)
    home = scene.new_home(person, scene.elsewhere(person.homes[0].municipality), scene.recent(after))
    moved = _settled(person, home, scene)
    return [*moved, *_registered(person, Town(home.municipality, home.start), scene), *_dwelling(home)]


def abroad(person: Person, scene: Scene) -> list[Row]:
    """The address in Finland ends and one abroad begins; the home municipality becomes 200."""
    start = scene.recent(max(person.homes[0].start.first, person.towns[0].start.first))
    old = replace(person.homes.pop(), end=start.day - timedelta(days=1))
    new = scene.new_foreign(person, start)
    person.foreign = [new]
    left = rows.home(old, "MUUTETTU")
    if scene.dice.one_in(4):
        left = rows.home(old, "POISTETTU") | {"voimassaolevatTiedot": []}
    return [rows.foreign(new, "LISATTY"), left, *_registered(person, Town(ABROAD, start), scene)]


def back(person: Person, scene: Scene) -> list[Row]:
    """Back to Finland."""
    dates = [one.start.first for one in person.foreign] + [town.start.first for town in person.towns]
    start = scene.recent(max(dates))
    left = [replace(one, end=start.day - timedelta(days=1)) for one in person.foreign]
    person.foreign = []
    home = scene.new_home(person, scene.elsewhere(None), start)
    person.homes = [home]
    town = _registered(person, Town(home.municipality, start), scene)
    return [rows.home(home, "LISATTY"), *town, *(rows.foreign(one, "MUUTETTU") for one in left)]


def foreign_added(person: Person, scene: Scene) -> list[Row]:
    """One more address abroad, beside those that stay and are not told of."""
    new = scene.new_foreign(person, scene.recent(max(one.start.first for one in person.foreign)))
    person.foreign = [*person.foreign, new]
    return [rows.foreign(new, "LISATTY")]


def foreign_removed(person: Person, scene: Scene) -> list[Row]:
    """One of several addresses abroad was never right; what is valid is told."""
    wrong = scene.dice.pick(person.foreign)
    person.foreign = [one for one in person.foreign if one is not wrong]
    valid = [rows.foreign(one) for one in person.foreign]
    return [rows.foreign(wrong, "POISTETTU") | {"voimassaolevatTiedot": valid}]


def removed(person: Person, scene: Scene) -> list[Row]:
    """The newest address was never right: another one is valid."""
    wrong = person.homes[0]
    earlier = When(wrong.start.first - timedelta(days=scene.dice.between(30, 900)))
    valid = scene.new_home(person, scene.here(wrong.municipality), earlier)
    person.homes = [valid]
    return [rows.home(wrong, "POISTETTU") | {"voimassaolevatTiedot": [rows.home(valid)]}]


def corrected(person: Person, scene: Scene) -> list[Row]:
    """A mistake in the address is put right."""
    wrong = person.homes[0]
    token = scene.token(person)
    street = f"{token}ntie" if token else wrong.street_fi
    right = replace(wrong, street_fi=street, number=f"{wrong.number.split('a')[0]}b", apartment="001")
    person.homes = [right]
    return [rows.home(wrong, "KORJATTAVA"), rows.home(right, "KORJATTU")]


def municipality_corrected(person: Person, scene: Scene) -> list[Row]:
    """The day of moving to the municipality is put right, in the field's old spelling."""
    wrong = person.towns[0]
    right = Town(wrong.code, When(wrong.start.first - timedelta(days=scene.dice.between(1, 60))))
    person.towns = [right]
    return [
        rows.town(wrong, "KORJATTAVA", spelling="kuntaanMuuttoPv"),
        rows.town(right, "KORJATTU", spelling="kuntaanMuuttoPv"),
    ]


def municipality_lost(person: Person, scene: Scene) -> list[Row]:
    """Nobody knows where the person lives: neither address nor home municipality is valid any more."""
    del scene
    lost = [
        rows.home(person.homes[0], "POISTETTU") | {"voimassaolevatTiedot": []},
        rows.town(person.towns[0], "POISTETTU") | {"voimassaolevatTiedot": []},
    ]
    person.homes, person.towns = [], []
    return lost


def to_come(person: Person, scene: Scene) -> list[Row]:
    """A move told beforehand: until its day the old address is in force."""
    start = When(scene.day + timedelta(days=scene.dice.between(2, 20)))
    if scene.dice.below(2):
        return _settled(person, scene.new_home(person, scene.here(person.homes[0].municipality), start), scene)
    home = scene.new_home(person, scene.elsewhere(person.homes[0].municipality), start)
    return [*_settled(person, home, scene), *_registered(person, Town(home.municipality, start), scene)]


def for_now(person: Person, scene: Scene) -> list[Row]:
    """An address that ends so far ahead that it means "for now" (domain.md C21)."""
    old = person.homes[0]
    home = scene.new_home(person, scene.here(old.municipality), scene.recent(old.start.first))
    return _settled(person, replace(home, end=FOR_NOW), scene)


def on_some_day(person: Person, scene: Scene) -> list[Row]:
    """A move of which only the month or the year is known."""
    old = person.homes[0]
    start = When(scene.day, scene.dice.pick((MONTH, YEAR)))
    if start.first <= old.start.first:
        start = When(scene.day)
    return _settled(person, scene.new_home(person, scene.here(old.municipality), start), scene)


def _settled(person: Person, home: Home, scene: Scene) -> list[Row]:
    old = person.settle(home, scene.day)
    return [rows.home(home, "LISATTY"), *([rows.home(old, "MUUTETTU")] if old else [])]


def _registered(person: Person, town: Town, scene: Scene) -> list[Row]:
    """The new home municipality, and the old one after it or in a group of its own."""
    old = person.register_in(town, scene.day)
    told = [
        rows.town(town, "LISATTY", spelling=scene.dice.pick(("kuntaanMuuttopv", "kuntaanMuuttopv kuntaanMuuttoPv")))
    ]
    if old is not None and scene.dice.below(2):
        told.append(rows.town(old, "MUUTETTU"))
    elif old is not None:
        left = rows.wire_date(town.start.first - timedelta(days=1))
        told.append(rows.town(old, "MUUTETTU") | {"tietoryhma": "EDELLINEN_KOTIKUNTA", "kunnastaPoisMuuttopv": left})
    return told


def _dwelling(home: Home) -> list[Row]:
    """A group that the product does not have, and that tells the place all the same."""
    return [
        {
            "tietoryhma": "VAKINAINEN_KOTIMAINEN_ASUINPAIKKATUNNUS",
            "muutosattribuutti": "LISATTY",
            "rakennustunnus": home.building,
            "kuntakoodi": home.municipality,
            "alkupv": rows.wire_date(home.start),
            "asuinpaikantunnus": f"{home.building}1{home.staircase or ' '}{home.apartment or '000'} ",
        }
    ]
