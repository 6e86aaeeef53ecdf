"""The table of domain.md C, attribute by group, and C20."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.record import ForeignAddress, Group, Municipality, PersonRecord
from tests.reading.rows import (
    ABROAD,
    JSON,
    RECORD,
    STATE,
    Case,
    abroad,
    day,
    death,
    foreign,
    home,
    language,
    moved,
    municipality,
    name,
    old_home,
    row,
    valid,
)
from vtjsync.reading.outcome import Ask

STOCKHOLM = ForeignAddress("Storgatan 1", "111 20 STOCKHOLM", "752", None, day("2026-03-01"))
IN_STOCKHOLM = replace(RECORD, foreign=frozenset({STOCKHOLM}))
TO_TURKU = replace(RECORD, municipality=Municipality("837", day("2026-03-01")))
LIVES_ABROAD = replace(STATE, record=replace(RECORD, foreign=frozenset({ABROAD})))
AT_TWO = replace(STATE, record=replace(RECORD, foreign=frozenset({ABROAD, STOCKHOLM})))
DEAD = replace(STATE, record=replace(RECORD, deceased=True, death_date=day("2026-03-02")))

# One row of each group with a new value, and the record that it makes.
NEW: dict[Group, tuple[JSON, PersonRecord]] = {
    Group.NAME: (name(None), replace(RECORD, last_name="Uusinen")),
    Group.LANGUAGE: (language(None), replace(RECORD, language_code="sv")),
    Group.DEATH: (death(None), DEAD.record),
    Group.HOME: (home(None), moved()),
    Group.FOREIGN: (foreign(None), IN_STOCKHOLM),
    Group.MUNICIPALITY: (municipality(None), TO_TURKU),
}
APPLIES = {"LISATTY", "MUUTETTU"}
SILENT = {"LISATIETO"}
ASKS = {"KORJATTU", "KORJATTAVA", "POISTETTU", "VAIHDETTU", "", None}


def alone(group: Group, attribute: str | None) -> Case:
    """A single row with the attribute. KORJATTU and KORJATTAVA come in pairs, so that one alone is not certain."""
    one, after = NEW[group]
    one = row(group, attribute) | {field: told for field, told in one.items() if field != "muutosattribuutti"}
    asks = attribute in ASKS or (group, attribute) == (Group.MUNICIPALITY, "MUUTETTU")
    place = group in {Group.HOME, Group.FOREIGN, Group.MUNICIPALITY}
    return Case(
        f"C {attribute} {group}",
        [one if attribute is not None else NEW[group][0]],
        RECORD if asks or attribute in SILENT else after,
        (Ask.PLACE if place else Ask.VALUE) if asks else None,
    )


def corrected(group: Group) -> Case:
    one, after = NEW[group]
    wrong = {
        Group.NAME: name(None, "Väärä"),
        Group.LANGUAGE: language(None, "se"),
        Group.DEATH: death(None, on="2026-01-01"),
        Group.HOME: home(None, "Vääräpolku"),
        Group.FOREIGN: foreign(None, "Felgatan"),
        Group.MUNICIPALITY: municipality(None, "049"),
    }[group]
    pair = [wrong | {"muutosattribuutti": "KORJATTAVA"}, one | {"muutosattribuutti": "KORJATTU"}]
    return Case(f"C KORJATTAVA and KORJATTU {group}", pair, after)


def removed(group: Group, *, emptied: bool) -> Case:
    one, after = NEW[group]
    told = one | {"muutosattribuutti": "POISTETTU"} | valid(*([] if emptied else [one]))
    nothing = {
        Group.NAME: replace(RECORD, first_names=None, last_name=None),
        Group.LANGUAGE: replace(RECORD, language_code=None),
        Group.DEATH: RECORD,
        Group.HOME: moved(None),
        Group.FOREIGN: RECORD,
        Group.MUNICIPALITY: replace(RECORD, municipality=None),
    }[group]
    how = "with an empty list" if emptied else "with what is valid"
    return Case(f"C POISTETTU {how} {group}", [told], nothing if emptied else after)


TABLE = [alone(group, attribute) for group in NEW for attribute in sorted(APPLIES | SILENT) + sorted(ASKS, key=str)]
TABLE += [corrected(group) for group in NEW]
TABLE += [removed(group, emptied=emptied) for group in NEW for emptied in (True, False)]

SINGLE = [
    Case("C an entry without rows", []),
    Case(
        "C20 a move: the new address, then the old one with its end", [home("LISATTY"), old_home("MUUTETTU")], moved()
    ),
    Case("C20 the held address ended and nothing is current", [old_home("MUUTETTU")], moved(None)),
    Case("C20 an ended address that is clearly another one", [home("MUUTETTU", "Muutie", "2000-01-01", "2010-04-30")]),
    Case(
        "C20 an ended one: same start, another place",
        [home("MUUTETTU", "Muutie", "2010-05-01", "2026-02-01")],
        ask=Ask.PLACE,
    ),
    Case(
        "C20 an ended one: same place, another start",
        [old_home("MUUTETTU", start="2011-05-01")],
        ask=Ask.PLACE,
    ),
    Case("C20 an ended one without a start", [home("MUUTETTU", "Vanhatie", None, "2026-02-01")], ask=Ask.PLACE),
    Case(
        "C20 an ended one when nothing is held",
        [old_home("MUUTETTU")],
        moved(None),
        state=replace(STATE, record=moved(None)),
    ),
    Case("C20 two current rows", [home("LISATTY"), home("LISATTY", "Toinentie")], ask=Ask.PLACE),
    Case(
        "C20 two current rows of one place with unlike starts",
        [home("LISATTY"), home("LISATTY", start="2026-02-01")],
        ask=Ask.PLACE,
    ),
    Case("C20 the same row twice counts as one", [home("LISATTY"), home("LISATTY")], moved()),
    Case("C20 the same value current and ended", [home("LISATTY"), home("MUUTETTU", end="2026-03-05")], ask=Ask.PLACE),
    Case(
        "C MUUTETTU without an end is the current value",
        [old_home("MUUTETTU", None, katunumero="2")],
        replace(RECORD, home=replace(RECORD.home, house_number="2")),
    ),
    Case(
        "C MUUTETTU old without an end beside the new one", [home("LISATTY"), old_home("MUUTETTU", None)], ask=Ask.PLACE
    ),
    Case(
        "C KOTIKUNTA MUUTETTU beside LISATTY", [municipality("LISATTY"), municipality("MUUTETTU", "091")], ask=Ask.PLACE
    ),
    Case(
        "C KORJATTAVA one more than KORJATTU",
        [home("KORJATTAVA", "Väärä"), home("KORJATTAVA", "Väärä 2"), home("KORJATTU")],
        ask=Ask.PLACE,
    ),
    Case(
        "C KORJATTU that has ended is not stored and the wrong one may be held",
        [home("KORJATTAVA", "Väärä"), home("KORJATTU", "Muu", "2000-01-01", "2001-01-01")],
        ask=Ask.PLACE,
    ),
    Case(
        "C KORJATTU tells the end of the address held",
        [old_home("KORJATTAVA", None), old_home("KORJATTU")],
        moved(None),
    ),
    Case("C POISTETTU and LISATTY agree", [home("LISATTY"), old_home("POISTETTU") | valid(home(None))], moved()),
    Case("C POISTETTU and LISATTY disagree", [home("LISATTY"), old_home("POISTETTU") | valid()], ask=Ask.PLACE),
    Case(
        "C two POISTETTU with unlike lists",
        [home("POISTETTU") | valid(), home("POISTETTU") | valid(home(None))],
        ask=Ask.PLACE,
    ),
    Case(
        "C POISTETTU with two valid ones", [home("POISTETTU") | valid(home(None), old_home(None, None))], ask=Ask.PLACE
    ),
    Case("C POISTETTU whose valid one has ended", [home("POISTETTU") | valid(old_home(None))], ask=Ask.PLACE),
    Case(
        "C POISTETTU whose valid one is to be corrected", [home("POISTETTU") | valid(home("KORJATTAVA"))], ask=Ask.PLACE
    ),
    Case(
        "C POISTETTU of a language",
        [language("LISATTY"), language("POISTETTU", "fi") | valid(language(None))],
        replace(RECORD, language_code="sv"),
    ),
    Case(
        "C20 a name that ended, perhaps the held one",
        [name("MUUTETTU", "Mallinen", loppupv={"arvo": "2026-01-01", "tarkkuus": "PAIVA"})],
        ask=Ask.VALUE,
    ),
    Case(
        "C a group with a doubt does not stop another",
        [home("VAIHDETTU"), name("LISATTY")],
        replace(RECORD, last_name="Uusinen"),
        Ask.PLACE,
    ),
    Case("C the more pressing ask is the one told", [name("VAIHDETTU"), home("VAIHDETTU")], ask=Ask.PLACE),
    Case("C a row without any value", [row("VAKINAINEN_KOTIMAINEN_OSOITE", "LISATTY")], ask=Ask.PLACE),
    Case(
        "C a row with a start and no place",
        [row("VAKINAINEN_ULKOMAINEN_OSOITE", "LISATTY", alkupv={"arvo": "2026-03-01"})],
        ask=Ask.PLACE,
    ),
    Case(
        "C an unknown group is counted and left alone",
        [row("SIVIILISAATY", "LISATTY"), home("LISATTY")],
        moved(),
        more={"ignored": 1},
    ),
]

SEVERAL = [
    Case("C20 foreign: the first one", [foreign("LISATTY")], IN_STOCKHOLM),
    Case(
        "C20 foreign: two at once",
        [foreign("LISATTY"), abroad("LISATTY")],
        replace(RECORD, foreign=frozenset({STOCKHOLM, ABROAD})),
    ),
    Case(
        "C20 foreign: a second one leaves open whether the first remains",
        [foreign("LISATTY")],
        state=LIVES_ABROAD,
        ask=Ask.PLACE,
    ),
    Case(
        "C20 foreign: a second one and the first told again",
        [foreign("LISATTY"), abroad("MUUTETTU")],
        AT_TWO.record,
        state=LIVES_ABROAD,
    ),
    Case(
        "C20 foreign: a move from one to another",
        [foreign("LISATTY"), abroad("MUUTETTU", "2026-02-28")],
        IN_STOCKHOLM,
        state=LIVES_ABROAD,
    ),
    Case(
        "C20 foreign: a correction of the one held",
        [foreign("KORJATTU"), abroad("KORJATTAVA")],
        IN_STOCKHOLM,
        state=LIVES_ABROAD,
    ),
    Case("C20 foreign: the only one ended", [abroad("MUUTETTU", "2026-02-28")], RECORD, state=LIVES_ABROAD),
    Case(
        "C20 foreign: one of two ended leaves the other open",
        [abroad("MUUTETTU", "2026-02-28")],
        state=AT_TWO,
        ask=Ask.PLACE,
    ),
    Case(
        "C20 foreign: POISTETTU tells which remain",
        [foreign("POISTETTU") | valid(abroad(None))],
        LIVES_ABROAD.record,
        state=AT_TWO,
    ),
    Case(
        "C20 foreign: POISTETTU leaves two",
        [home("LISATTY"), foreign("POISTETTU") | valid(abroad(None), foreign(None))],
        replace(AT_TWO.record, home=moved().home),
        state=LIVES_ABROAD,
    ),
    Case(
        "C20 a move home from abroad",
        [abroad("MUUTETTU", "2026-02-28"), home("LISATTY"), municipality("LISATTY")],
        replace(moved(), municipality=TO_TURKU.municipality),
        state=LIVES_ABROAD,
    ),
    Case(
        "C20 a move abroad",
        [old_home("MUUTETTU"), foreign("LISATTY"), municipality("LISATTY", "200")],
        replace(IN_STOCKHOLM, home=None, municipality=Municipality("200", day("2026-03-01"))),
    ),
]

DEATHS = [
    Case("C26 death with a date", [death("LISATTY")], DEAD.record),
    Case("C26 death without a date", [death("LISATTY", on=None)], replace(RECORD, deceased=True)),
    Case(
        "C26 a cancelled death: KORJATTAVA true, KORJATTU false",
        [death("KORJATTAVA"), death("KORJATTU", False, None)],
        RECORD,
        state=DEAD,
    ),
    Case("C26 a cancelled death: POISTETTU with an empty list", [death("POISTETTU") | valid()], RECORD, state=DEAD),
    Case(
        "C26 a corrected date of death",
        [death("KORJATTAVA"), death("KORJATTU", on="2026-03-03")],
        replace(DEAD.record, death_date=day("2026-03-03")),
        state=DEAD,
    ),
    Case("C26 alive, with a date", [death("LISATTY", False)], RECORD, state=DEAD),
    Case("C26 no boolean", [death("LISATTY", None)], ask=Ask.VALUE),
    Case("C26 alive and dead in one entry", [death("LISATTY"), death("LISATTY", False, None)], ask=Ask.VALUE),
]


@pytest.mark.parametrize("case", TABLE + SINGLE + SEVERAL + DEATHS, ids=str)
def test_what_an_entry_makes_of_the_record(case: Case) -> None:
    case.check(case.changed())
