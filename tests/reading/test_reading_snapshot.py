"""Basic data: domain.md C21, C24, E33, E35, B14, B18."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from registry.record import LOCATION_GROUPS, Group, Municipality, PersonRecord
from tests.reading.rows import (
    ABROAD,
    ALL,
    CONTEXT,
    DAY,
    ENTRY,
    HOUR,
    JSON,
    MINUTE,
    PROTECTED,
    RECORD,
    STATE,
    TODAY,
    Case,
    abroad,
    ban,
    censored,
    day,
    death,
    foreign,
    home,
    language,
    municipality,
    name,
    old_home,
    row,
)
from vtjsync.reading.outcome import Ask, PersonState

HOME = old_home(None, None)
NAMED = name(None, "Mallinen")
SPOKEN = language(None, "fi")
PLACED = municipality(None, "091", "2010-05-01")
WHOLE = [NAMED, SPOKEN, HOME, PLACED]
ALL_BUT_HOME = [NAMED, SPOKEN, PLACED]

HIDDEN = replace(RECORD.without_location(), protected=True)
EMPTY = PersonState()
WITHOUT_BANS = replace(CONTEXT, granted=ALL - {Group.BAN})


def cleared(*groups: Group) -> JSON:
    return {"cleared": frozenset(groups), "unreadable": frozenset()}


def unreadable(*groups: Group) -> JSON:
    return {"unreadable": frozenset(groups), "cleared": frozenset()}


PLAIN = [
    Case("C24 a new person", WHOLE, RECORD, state=EMPTY, more={"basic_data_at": ENTRY} | cleared()),
    Case("C24 the same again", WHOLE, more=cleared() | {"hide_location": False, "recheck_on": None}),
    Case("C24 a reveal has come", WHOLE, state=replace(STATE, reveal_awaited=True), more={"reveal_awaited": False}),
    Case("C24 an absent address is no address", ALL_BUT_HOME, replace(RECORD, home=None), more=cleared(Group.HOME)),
    Case(
        "C24 nothing at all",
        [],
        PersonRecord(),
        more=cleared(Group.NAME, Group.LANGUAGE, Group.HOME, Group.MUNICIPALITY),
    ),
    Case("C24 nothing of nothing", [], PersonRecord(), state=EMPTY, more=cleared()),
    Case(
        "C26 an absent death is alive",
        WHOLE,
        RECORD,
        more=cleared(Group.DEATH),
        state=replace(STATE, record=replace(RECORD, deceased=True, death_date=day("2026-01-01"))),
    ),
    Case("C26 dead", [*WHOLE, death(None)], replace(RECORD, deceased=True, death_date=day("2026-03-02"))),
    Case("C26 alive, in words", [*WHOLE, death(None, False, None)]),
    Case(
        "C24 an absent group that is not granted stays",
        [NAMED, SPOKEN],
        more=cleared(),
        context=replace(CONTEXT, granted=frozenset({Group.NAME, Group.LANGUAGE, Group.BAN})),
    ),
    Case(
        "C24 without TURVAKIELTO no place is stored",
        WHOLE,
        RECORD.without_location(),
        context=WITHOUT_BANS,
        more=cleared(),
    ),
    Case(
        "C20 several addresses abroad",
        [*WHOLE, abroad(None), foreign(None)],
        more=cleared(),
        after=replace(
            RECORD,
            foreign=frozenset(
                {
                    ABROAD,
                    replace(
                        ABROAD,
                        street="Storgatan 1",
                        locality="111 20 STOCKHOLM",
                        country_code="752",
                        start=day("2026-03-01"),
                    ),
                }
            ),
        ),
    ),
    Case("C24 other groups are counted", [*WHOLE, row("SUKUPUOLI", None)], more={"ignored": 1}),
    Case(
        "C25 one name only",
        [name(None, "Mallinen", etunimi=None), SPOKEN, HOME, PLACED],
        replace(RECORD, first_names=None),
        more=cleared(),
    ),
    Case(
        "C21 an ended address is not stored",
        [*ALL_BUT_HOME, old_home(None, "2026-03-09")],
        replace(RECORD, home=None),
        more=cleared(),
    ),
    Case(
        "C21 an address that ends today is still in force",
        [*ALL_BUT_HOME, old_home(None, "2026-03-10")],
        more=cleared() | {"recheck_on": date(2026, 3, 11)},
    ),
    Case("C21 an end far ahead", [*ALL_BUT_HOME, old_home(None, "2120-02-28")], more={"recheck_on": None}),
    Case("C21 an end to come", [*ALL_BUT_HOME, old_home(None, "2027-02-28")], more={"recheck_on": date(2027, 3, 1)}),
    Case(
        "C21 an address to come waits for its day",
        [*WHOLE, home(None, start="2026-04-01")],
        more={"recheck_on": date(2026, 4, 1)} | cleared(),
    ),
    Case(
        "C21 a day to come that a change told stays",
        WHOLE,
        state=replace(STATE, recheck_on=date(2026, 5, 1)),
        more={"recheck_on": date(2026, 5, 1)},
    ),
    Case("C21 a day that has come is done", WHOLE, state=replace(STATE, recheck_on=TODAY), more={"recheck_on": None}),
]

FAULTY = [
    Case("C20 two current addresses", [*WHOLE, home(None)], more=unreadable(Group.HOME) | {"hide_location": True}),
    Case("C20 the same address twice", [*WHOLE, HOME], more=unreadable() | {"hide_location": False}),
    Case(
        "C23 a start that is no day",
        [*ALL_BUT_HOME, home(None, start="2026-02-30")],
        more=unreadable(Group.HOME) | {"hide_location": True, "reveal_awaited": False},
    ),
    Case(
        "C23 a language that cannot be read hides nothing",
        [NAMED, HOME, PLACED, language(None, None)],
        more=unreadable(Group.LANGUAGE) | {"hide_location": False},
    ),
    Case(
        "C23 an unreadable place awaits its reveal",
        [*ALL_BUT_HOME, row("VAKINAINEN_KOTIMAINEN_OSOITE", None)],
        state=replace(STATE, reveal_awaited=True),
        more=unreadable(Group.HOME) | {"reveal_awaited": True},
    ),
    Case(
        "C a change's attribute in basic data",
        [*ALL_BUT_HOME, old_home("KORJATTAVA", None)],
        more=unreadable(Group.HOME),
    ),
    Case(
        "C an unknown attribute in basic data",
        [*ALL_BUT_HOME, old_home("VAIHDETTU", None)],
        more=unreadable(Group.HOME),
    ),
    Case(
        "B14 an unreadable answer",
        WHOLE,
        readable=False,
        state=EMPTY,
        more={"hide_location": True, "unreadable": ALL, "basic_data_at": None},
    ),
    Case("B14 an unreadable answer keeps a ban", [], readable=False, state=PROTECTED, more={"ban_ended": False}),
    Case(
        "E33 an unreadable answer that repeats a ban starts no new one",
        [ban(None)],
        readable=False,
        state=PROTECTED,
        more={"ban_since": PROTECTED.ban_since},
    ),
    Case(
        "B14 an unreadable answer protects",
        [ban(None)],
        HIDDEN,
        readable=False,
        more={"ban_started": True, "ban_since": ENTRY},
    ),
    Case(
        "E32 a ban without its boolean hides",
        [*WHOLE, ban(None, None)],
        more=unreadable(Group.BAN) | {"hide_location": True},
    ),
]

BANS = [
    Case("E32 true", [NAMED, SPOKEN, ban(None)], HIDDEN, more={"ban_started": True, "ban_since": ENTRY} | cleared()),
    Case(
        "E32 true with its end",
        [NAMED, SPOKEN, ban(None, end="2027-01-01")],
        replace(HIDDEN, protection_end=day("2027-01-01")),
        more={"recheck_on": date(2027, 1, 2)},
    ),
    Case("E32 true with an end far ahead", [NAMED, SPOKEN, ban(None, end="2120-02-28")], HIDDEN),
    Case(
        "E32 true for one who is protected",
        [NAMED, SPOKEN, ban(None)],
        state=PROTECTED,
        more={"ban_started": False, "ban_since": PROTECTED.ban_since},
    ),
    Case("E34 true with a readable place", [*WHOLE, ban(None)], HIDDEN, more={"ban_started": True}),
    Case(
        "E35 a censored place without TURVAKIELTO",
        [*ALL_BUT_HOME, censored(attribute=None)],
        HIDDEN,
        more={"ban_started": True},
    ),
    Case(
        "E35 a censored place with TURVAKIELTO false",
        [NAMED, SPOKEN, ban(None, False), censored(attribute=None)],
        HIDDEN,
    ),
    Case(
        "E32 false ends",
        [*WHOLE, ban(None, False)],
        RECORD,
        state=PROTECTED,
        more={"ban_ended": True, "ended_by_silence": False, "ban_since": None, "reveal_awaited": False},
    ),
    Case("E32 false for one who is not protected", [*WHOLE, ban(None, False)], more={"ban_ended": False}),
    Case(
        "E32 false with a censored place keeps",
        [NAMED, SPOKEN, ban(None, False), censored(attribute=None)],
        state=PROTECTED,
        more={"ban_ended": False},
    ),
    Case("E32 false and true keep", [*WHOLE, ban(None, False), ban(None)], HIDDEN, state=PROTECTED),
    Case("E32 false told in passing keeps", [*WHOLE, ban("LISATIETO", False)], HIDDEN, state=PROTECTED),
    Case(
        "E32 a ban without its boolean keeps",
        [*WHOLE, ban(None, None)],
        HIDDEN,
        state=PROTECTED,
        more=unreadable(Group.BAN) | {"ban_ended": False},
    ),
    Case(
        "E32 false that is not granted keeps",
        [*WHOLE, ban(None, False)],
        HIDDEN,
        state=PROTECTED,
        context=WITHOUT_BANS,
        more={"ban_ended": False},
    ),
]

ONCE = replace(PROTECTED, silence_at=ENTRY - HOUR)
YOUNG = replace(PROTECTED, ban_since=ENTRY - DAY + MINUTE)
FIRST = {"silence_at": ENTRY, "ended_by_silence": False, "unconfirmed_ban": False}
REPAIR = [
    Case("E33 a first silence asks for a second", WHOLE, HIDDEN, Ask.SILENCE, state=PROTECTED, more=FIRST),
    Case(
        "E33 a second silence ends the ban",
        WHOLE,
        RECORD,
        state=ONCE,
        more={"ended_by_silence": True, "ban_ended": True, "silence_at": None, "ban_since": None},
    ),
    Case(
        "E33 the same answer is not a second one",
        WHOLE,
        HIDDEN,
        Ask.SILENCE,
        state=replace(PROTECTED, silence_at=ENTRY),
        more=FIRST,
    ),
    Case(
        "E33 an answer from before is not a second one",
        WHOLE,
        HIDDEN,
        Ask.SILENCE,
        state=replace(PROTECTED, silence_at=ENTRY + HOUR),
        more={"silence_at": ENTRY + HOUR},
    ),
    Case(
        "E33 within 24 hours of the start",
        WHOLE,
        HIDDEN,
        state=YOUNG,
        more={"silence_at": None, "recheck_on": date(2026, 3, 11), "unconfirmed_ban": False},
    ),
    Case(
        "E33 24 hours after the start",
        WHOLE,
        HIDDEN,
        Ask.SILENCE,
        more=FIRST,
        state=replace(PROTECTED, ban_since=ENTRY - DAY),
    ),
    Case(
        "E33 a start that is not known counts from now",
        WHOLE,
        HIDDEN,
        state=replace(PROTECTED, ban_since=None),
        more={"ban_since": ENTRY, "silence_at": None},
    ),
    Case("E33 a municipality is a readable place", [NAMED, SPOKEN, PLACED], HIDDEN, Ask.SILENCE, state=PROTECTED),
    Case(
        "E33 no place: for the handlers",
        [NAMED, SPOKEN],
        state=PROTECTED,
        more={"unconfirmed_ban": True, "silence_at": None, "ban_ended": False},
    ),
    Case(
        "E33 no place after a first silence",
        [NAMED, SPOKEN],
        state=ONCE,
        more={"unconfirmed_ban": True, "ban_ended": False, "silence_at": ENTRY - HOUR},
    ),
    Case(
        "E33 no place within 24 hours",
        [NAMED, SPOKEN],
        state=YOUNG,
        more={"unconfirmed_ban": False, "recheck_on": None},
    ),
    Case(
        "E33 an empty place is not a readable one",
        [NAMED, SPOKEN, row("KOTIKUNTA", None)],
        state=PROTECTED,
        more={"unconfirmed_ban": True},
    ),
    Case(
        "E33 a censored place is no silence",
        [NAMED, SPOKEN, HOME, censored(attribute=None)],
        HIDDEN,
        state=ONCE,
        more={"silence_at": None, "unconfirmed_ban": False},
    ),
    Case(
        "E33 a word that is not certain is no silence either",
        [*WHOLE, ban(None, None)],
        HIDDEN,
        state=ONCE,
        more={"silence_at": None, "ban_ended": False},
    ),
    Case("E33 a true is no silence", [*WHOLE, ban(None)], HIDDEN, state=ONCE, more={"silence_at": None}),
    Case(
        "E33 not granted is no silence",
        WHOLE,
        HIDDEN,
        state=ONCE,
        context=WITHOUT_BANS,
        more={"ban_ended": False, "unconfirmed_ban": False},
    ),
]


@pytest.mark.parametrize("case", PLAIN + FAULTY + BANS + REPAIR, ids=str)
def test_what_basic_data_makes_of_a_person(case: Case) -> None:
    outcome = case.answered()
    case.check(outcome)
    assert not (outcome.state.record.protected and outcome.state.record.has_location)


def test_b18_a_ban_clears_nothing_by_silence() -> None:
    outcome = Case("", [NAMED, SPOKEN, ban(None)]).answered()
    assert not outcome.cleared & LOCATION_GROUPS


def test_c25_basic_data_reads_the_old_spelling_of_the_municipality() -> None:
    old = row("KOTIKUNTA", None, kuntakoodi="091", kuntaanMuuttoPv={"arvo": "2010-05-01", "tarkkuus": "PAIVA"})
    outcome = Case("", [NAMED, SPOKEN, HOME, old]).answered()
    assert outcome.state.record.municipality == Municipality("091", day("2010-05-01"))
