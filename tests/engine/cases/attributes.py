"""Every attribute with every group, and with every state of a ban: the table of domain.md C, E32, E35 and E36."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from registry.record import LOCATION_GROUPS, ForeignAddress, Group, Municipality, PersonRecord
from tests.engine.cases.case import NEW, OWN, Case, grid
from tests.reading.rows import (
    JSON,
    PROTECTED,
    RECORD,
    STATE,
    ban,
    code,
    day,
    death,
    foreign,
    home,
    language,
    moved,
    municipality,
    name,
    valid,
)
from vtjsync.reading.outcome import Ask, PersonState

STOCKHOLM = ForeignAddress("Storgatan 1", "111 20 STOCKHOLM", "752", None, day("2026-03-01"))
HIDDEN = replace(RECORD.without_location(), protected=True)
SHOWN = RECORD.without_location()

# A row of each group with a new value and with a wrong one, and the record with the new one and with none.
VALUES: dict[str, tuple[JSON, JSON, PersonRecord, PersonRecord]] = {
    Group.NAME: (
        name(None),
        name(None, "Väärä"),
        replace(RECORD, last_name="Uusinen"),
        replace(RECORD, first_names=None, last_name=None),
    ),
    Group.LANGUAGE: (
        language(None),
        language(None, "se"),
        replace(RECORD, language_code="sv"),
        replace(RECORD, language_code=None),
    ),
    Group.DEATH: (
        death(None),
        death(None, on="2026-01-01"),
        replace(RECORD, deceased=True, death_date=day("2026-03-02")),
        RECORD,
    ),
    Group.HOME: (home(None), home(None, "Vääräpolku"), moved(), moved(None)),
    Group.FOREIGN: (foreign(None), foreign(None, "Felgatan"), replace(RECORD, foreign=frozenset({STOCKHOLM})), RECORD),
    Group.MUNICIPALITY: (
        municipality(None),
        municipality(None, "049"),
        replace(RECORD, municipality=Municipality("837", day("2026-03-01"))),
        replace(RECORD, municipality=None),
    ),
    Group.BAN: (ban(None), ban(None, False), HIDDEN, RECORD),
    Group.CODE: (
        code(None, "AKTIIVI", NEW, NEW, [OWN]),
        code(None, "PASSIIVI", OWN, NEW, [OWN]),
        RECORD,
        RECORD,
    ),
}

# One row by itself. KORJATTU and KORJATTAVA come in pairs, and a POISTETTU tells what is valid: alone they are asked.
ALONE = """
                             LISATTY MUUTETTU KORJATTAVA KORJATTU POISTETTU LISATIETO OUTO    -
HENKILON_NIMI                new     new      ask        ask      ask       stays     ask     ask
AIDINKIELI                   new     new      ask        ask      ask       stays     ask     ask
KUOLINPAIVA                  new     new      ask        ask      ask       stays     ask     ask
VAKINAINEN_KOTIMAINEN_OSOITE new     new      ask        ask      ask       stays     ask     ask
VAKINAINEN_ULKOMAINEN_OSOITE new     new      ask        ask      ask       stays     ask     ask
KOTIKUNTA                    new     ask      ask        ask      ask       stays     ask     ask
TURVAKIELTO                  new     new      new+ask    new+ask  new+ask   new+ask   new+ask new+ask
HENKILOTUNNUS_KORJAUS        code    code     ask        ask      ask       stays     ask     ask
"""
# The same with what goes with the attribute: KORJATTU after its KORJATTAVA, POISTETTU with a list or an empty one.
TOGETHER = """
                             corrected removed-for-it removed
HENKILON_NIMI                new       new            none
AIDINKIELI                   new       new            none
KUOLINPAIVA                  new       new            none
VAKINAINEN_KOTIMAINEN_OSOITE new       new            none
VAKINAINEN_ULKOMAINEN_OSOITE new       new            none
KOTIKUNTA                    new       new            none
TURVAKIELTO                  new       new            new+ask
HENKILOTUNNUS_KORJAUS        code      code           ask
"""
# A row of TURVAKIELTO by itself, with true, false or nothing, for a person who is free or under a ban. Doubt keeps the
# ban; doubt about a ban that is not held hides the location.
BANS = """
           LISATTY MUUTETTU KORJATTAVA KORJATTU POISTETTU LISATIETO OUTO     -
free-true  starts  starts   starts+ask starts+ask starts+ask starts+ask starts+ask starts+ask
free-false stays   stays    hide+ask   hide+ask hide+ask  stays     hide+ask hide+ask
free-null  hide+ask hide+ask hide+ask  hide+ask hide+ask  hide+ask  hide+ask hide+ask
held-true  stays   stays    ask        ask      ask       stays     ask      ask
held-false ends    ends     ask        ask      ask       ask       ask      ask
held-null  ask     ask      ask        ask      ask       ask       ask      ask
"""
# A place by itself: one that can be read, for a person under a ban, and a censored one. The censored one rules wherever
# it stands; the readable one is stored nowhere, and is a sign that the ban may be over.
PLACES = """
              LISATTY    MUUTETTU   KORJATTAVA KORJATTU   POISTETTU  LISATIETO  OUTO       -
held-readable ask        ask        ask        ask        ask        ask        ask        ask
free-censored starts+ask starts+ask starts+ask starts+ask starts+ask starts+ask starts+ask starts+ask
held-censored ask        ask        ask        ask        ask        ask        ask        ask
"""


def with_attribute(row: JSON, attribute: str | None) -> JSON:
    told = {field: value for field, value in row.items() if field != "muutosattribuutti"}
    return told if attribute is None else told | {"muutosattribuutti": attribute}


def reason(group: str) -> Ask:
    """Why a doubt about the group is asked."""
    if group in LOCATION_GROUPS:
        return Ask.PLACE
    return {Group.BAN: Ask.BAN, Group.CODE: Ask.CODE}.get(Group(group), Ask.VALUE)


def case(rule: str, title: str, group: str, rows: list[JSON], word: str) -> Case:
    """The case that a word of the grids tells."""
    _, _, new, none = VALUES[group]
    what, _, asked = word.partition("+")
    return Case(
        rule,
        title,
        rows,
        after={"new": new, "none": none}.get(what),
        ask=Ask.CODE if what == "code" else reason(group) if "ask" in {what, asked} else None,
        codes=(NEW, OWN) if what == "code" else (OWN,),
    )


def attributes() -> Iterator[Case]:
    for group, attribute, word in grid(ALONE):
        yield case("C", f"{attribute} {group}", group, [with_attribute(VALUES[group][0], attribute)], word)
    for group, how, word in grid(TOGETHER):
        right, wrong, *_ = VALUES[group]
        rows = {
            "corrected": [with_attribute(wrong, "KORJATTAVA"), with_attribute(right, "KORJATTU")],
            "removed": [with_attribute(right, "POISTETTU") | valid()],
            "removed-for-it": [with_attribute(wrong, "POISTETTU") | valid(right)],
        }[str(how)]
        yield case("C", f"{how} {group}", group, rows, word)


def of_ban(rule: str, title: str, line: str, word: str, row: JSON) -> Case:
    before: PersonState = STATE if line.startswith("free") else PROTECTED
    what, _, asked = word.partition("+")
    return Case(
        rule,
        title,
        [row],
        before=before,
        after={"starts": HIDDEN, "ends": SHOWN}.get(what),
        ask=Ask.REVEAL if what == "ends" else Ask.BAN if "ask" in {what, asked} else None,
        hidden=what == "hide",
        reveal=what == "ends",
    )


def bans() -> Iterator[Case]:
    for line, attribute, word in grid(BANS):
        active = {"true": True, "false": False, "null": None}[line.partition("-")[2]]
        yield of_ban("E32", f"{attribute} {line}", line, word, with_attribute(ban(None, active), attribute))
    for line, attribute, word in grid(PLACES):
        for group in sorted(LOCATION_GROUPS):
            readable = line.endswith("readable")
            row = VALUES[group][0] if readable else {"tietoryhma": group, "turvakiellonAlaisetKentat": ["kuntakoodi"]}
            rule = "E36" if readable else "E35"
            yield of_ban(rule, f"{attribute} {line} {group}", line, word, with_attribute(row, attribute))


CASES = [*attributes(), *bans()]
