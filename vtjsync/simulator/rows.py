"""Rows of VTJ's data groups, in VTJ's own words and shapes (wire.md 2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Final, TypeAlias

from vtjsync.simulator.dice import Dice
from vtjsync.simulator.people import Ban, Death, Foreign, Home, Language, Person, Town, When

Row: TypeAlias = dict[str, Any]

CODE: Final = "HENKILOTUNNUS_KORJAUS"
NAME: Final = "HENKILON_NIMI"
LANGUAGE: Final = "AIDINKIELI"
DEATH: Final = "KUOLINPAIVA"
BAN: Final = "TURVAKIELTO"
HOME: Final = "VAKINAINEN_KOTIMAINEN_OSOITE"
FOREIGN: Final = "VAKINAINEN_ULKOMAINEN_OSOITE"
TOWN: Final = "KOTIKUNTA"
GROUPS: Final = (CODE, NAME, LANGUAGE, DEATH, BAN, HOME, FOREIGN, TOWN)

CENSORED: Final = {
    HOME: [
        "katunimi",
        "katunumero",
        "huoneistokirjain",
        "huoneistonumero",
        "jakokirjain",
        "postinumero",
        "postitoimipaikka",
        "rakennustunnus",
        "osoitenumero",
        "kuntakoodi",
    ],
    FOREIGN: ["lahiosoite", "paikkakunta", "valtiokoodi", "valtionimi"],
    TOWN: ["kuntakoodi", "kuntaanMuuttopv"],
}


def wire_date(when: When | date) -> Row:
    """A date and its precision; the parts that are not known are padding."""
    when = when if isinstance(when, When) else When(when)
    return {"arvo": when.day.isoformat(), "tarkkuus": when.precision}


def _row(group: str, attribute: str | None, **fields: Any) -> Row:
    """The row without the fields that have no value: VTJ sends no nulls."""
    row = {"tietoryhma": group, **fields, "muutosattribuutti": attribute}
    return {name: value for name, value in row.items() if value is not None}


def _dates(one: Home | Foreign) -> Row:
    return {"alkupv": wire_date(one.start), "loppupv": wire_date(one.end) if one.end else None}


def _names(fi: str, sv: str | None) -> Row:
    return {"fi": fi, "sv": sv} if sv is not None else {"fi": fi}


def home(one: Home, attribute: str | None = None) -> Row:
    """VAKINAINEN_KOTIMAINEN_OSOITE."""
    return _row(
        HOME,
        attribute,
        katunimi=_names(one.street_fi, one.street_sv),
        katunumero=one.number,
        huoneistokirjain=one.staircase,
        huoneistonumero=one.apartment,
        jakokirjain=one.division,
        postinumero=one.postal_code,
        postitoimipaikka=_names(one.office_fi, one.office_sv),
        rakennustunnus=one.building,
        osoitenumero=1,
        kuntakoodi=one.municipality,
        **_dates(one),
    )


def foreign(one: Foreign, attribute: str | None = None) -> Row:
    """VAKINAINEN_ULKOMAINEN_OSOITE."""
    return _row(
        FOREIGN,
        attribute,
        lahiosoite=one.street,
        paikkakunta=one.locality,
        valtiokoodi=one.country,
        valtionimi=one.country_name,
        **_dates(one),
    )


def town(one: Town, attribute: str | None = None, *, spelling: str = "kuntaanMuuttopv") -> Row:
    """KOTIKUNTA; ``spelling`` is the date's field: the old one, the new one, or both with a space between."""
    return _row(TOWN, attribute, kuntakoodi=one.code, **{field: wire_date(one.start) for field in spelling.split()})


def name(person: Person, attribute: str | None = None, **fields: Any) -> Row:
    """HENKILON_NIMI. VTJ's UTF8 fields are there for some always, for others only where the name needs them."""
    utf8 = person.last_ascii is not None or person.quirk(0, 2)
    return _row(
        NAME,
        attribute,
        etunimi=person.first_names,
        sukunimi=person.last_ascii or person.last_name,
        etunimiUTF8=person.first_names if utf8 else None,
        sukunimiUTF8=person.last_name if utf8 else None,
        **fields,
    )


def language(one: Language, attribute: str | None = None, **fields: Any) -> Row:
    """AIDINKIELI."""
    return _row(LANGUAGE, attribute, kielikoodi=one.code, kielikoodiISO6392=one.iso, nimi=one.name, **fields)


def death(one: Death | None, attribute: str | None = None, **fields: Any) -> Row:
    """KUOLINPAIVA; None is alive."""
    on = wire_date(one.on) if one and one.on else None
    return _row(DEATH, attribute, kuollut=one is not None, kuolinpv=on, **fields)


def ban(one: Ban | None, attribute: str | None = None, **fields: Any) -> Row:
    """TURVAKIELTO; None is no ban."""
    end = wire_date(one.end) if one and one.end else None
    return _row(BAN, attribute, turvakieltoAktiivinen=one is not None, turvaLoppuPv=end, **fields)


def code(active: str, former: Iterable[str], attribute: str | None = None, *, changed: str | None = None) -> Row:
    """HENKILOTUNNUS_KORJAUS of the code ``changed``: passive when another one is active."""
    changed = changed or active
    return _row(
        CODE,
        attribute,
        voimassaolo="AKTIIVI" if changed == active else "PASSIIVI",
        muutettuHenkilotunnus=changed,
        aktiivinenHenkilotunnus=active,
        edellisetHenkilotunnukset=list(former),
    )


def censored(group: str, attribute: str | None = None) -> Row:
    """A row of a location group under a ban: the names of its fields in place of their values."""
    return _row(group, attribute, turvakiellonAlaisetKentat=CENSORED[group])


def basic_data(person: Person, today: date) -> list[Row]:
    """The person's basic data of the eight groups, rows in the person's own order."""
    rows = [*_person_rows(person), *_location_rows(person, today)]
    return Dice(person.quirks, "order").shuffled(rows) if person.quirk(1, 2) else rows


def _person_rows(person: Person) -> Iterable[Row]:
    if person.former or person.quirk(2, 2):
        yield code(person.code, person.former)
    if person.first_names or person.last_name:
        yield name(person, alkupv=wire_date(person.born) if person.quirk(3, 3) else None)
    if person.language:
        yield language(person.language, alkupv=wire_date(person.born))
    if person.death or person.quirk(4, 6):
        yield death(person.death)
    if person.ban or person.banned_once or person.quirk(5, 2):
        yield ban(person.ban)


def _location_rows(person: Person, today: date) -> Iterable[Row]:
    homes = [one for one in person.homes if one.end is None or one.end >= today]
    abroad = person.abroad(today)
    here = person.town(today)
    if person.ban:
        told = () if person.quirk(6, 5) else (HOME, FOREIGN, TOWN)
        yield from (censored(group) for group in told)
        return
    yield from map(home, homes)
    yield from map(foreign, abroad)
    if here:
        yield town(here, spelling="kuntaanMuuttoPv" if person.quirk(7, 20) else "kuntaanMuuttopv")
