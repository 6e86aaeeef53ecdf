"""Turvakielto in a change: domain.md E32, E34, E35, E37."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from registry.record import ForeignAddress, Group, HomeAddress, Municipality, PartialDate
from tests.reading.rows import (
    DAY,
    ENTRY,
    PROTECTED,
    RECORD,
    STATE,
    Case,
    ban,
    censored,
    day,
    foreign,
    home,
    moved,
    municipality,
    name,
    old_home,
    row,
    valid,
)
from vtjsync.reading.outcome import Ask

HIDDEN = replace(RECORD.without_location(), protected=True)
SHOWN = RECORD.without_location()
STARTED = {"ban_started": True, "ban_since": ENTRY}
KEPT = {"ban_started": False, "ban_ended": False, "reveal_awaited": False}
ENDED = {"ban_ended": True, "reveal_awaited": True, "ban_since": None, "hide_location": False}
DOUBTED = {"ban_started": False, "hide_location": True}
TURKU = Municipality("837", day("2026-03-01"))
NEW_HOME = HomeAddress(street_fi="Uusitie", house_number="1", postal_code="00200", start=day("2026-03-01"))

START = [
    Case("E32 LISATTY true", [ban("LISATTY")], HIDDEN, more=STARTED),
    Case("E32 MUUTETTU true", [ban("MUUTETTU")], HIDDEN, more=STARTED),
    Case("E32 KORJATTU true", [ban("KORJATTAVA", False), ban("KORJATTU")], HIDDEN, more=STARTED),
    Case("E32 POISTETTU with a valid true", [ban("POISTETTU", False) | valid(ban(None))], HIDDEN, more=STARTED),
    Case("E32 POISTETTU that says true itself", [ban("POISTETTU") | valid()], HIDDEN, Ask.BAN, more=STARTED),
    Case("E32 a true in passing is asked too", [ban("LISATIETO")], HIDDEN, Ask.BAN, more=STARTED),
    Case("E32 true in an unknown attribute", [ban("VAIHDETTU")], HIDDEN, Ask.BAN, more=STARTED),
    Case("E32 true without an attribute", [ban(None)], HIDDEN, Ask.BAN, more=STARTED),
    Case("E32 KORJATTAVA true without its KORJATTU", [ban("KORJATTAVA")], HIDDEN, Ask.BAN, more=STARTED),
    Case("E32 KORJATTAVA true with its KORJATTU false", [ban("KORJATTAVA"), ban("KORJATTU", False)]),
    Case("E32 true beside false", [ban("LISATTY"), ban("MUUTETTU", False)], HIDDEN, Ask.BAN, more=STARTED),
    Case("E32 true deep inside", [ban("LISATTY", False) | valid(ban(None, False) | valid(ban(None)))], HIDDEN, Ask.BAN),
    Case("E32 false for one who is not protected", [ban("LISATTY", False)], more=KEPT),
    Case("E32 no boolean hides and asks", [ban("LISATTY", None)], ask=Ask.BAN, more=DOUBTED),
    Case("E32 false in an unknown attribute hides and asks", [ban("VAIHDETTU", False)], ask=Ask.BAN, more=DOUBTED),
    Case("E32 POISTETTU without a list hides and asks", [ban("POISTETTU", False)], ask=Ask.BAN, more=DOUBTED),
    Case("E32 unequal KORJATTAVA and KORJATTU hide and ask", [ban("KORJATTU", False)], ask=Ask.BAN, more=DOUBTED),
    Case(
        "E32 the end of a ban is kept",
        [ban("LISATTY", end="2027-01-31")],
        replace(HIDDEN, protection_end=day("2027-01-31")),
        more=STARTED,
    ),
    Case(
        "E32 the latest of two ends",
        [ban("LISATTY", end="2027-01-31"), ban("MUUTETTU", end="2026-12-31")],
        replace(HIDDEN, protection_end=day("2027-01-31")),
    ),
    Case("E32 one of two without an end", [ban("LISATTY", end="2027-01-31"), ban("MUUTETTU")], HIDDEN),
    Case("E32 an end that cannot be read protects and asks", [ban("LISATTY", end="2027-02-30")], HIDDEN, Ask.BAN),
    Case(
        "E32 an end that has passed is no end",
        [ban("LISATTY", end="2020-01-01")],
        replace(HIDDEN, protection_end=day("2020-01-01")),
        more={"recheck_on": None},
    ),
    Case(
        "E34 with censored places",
        [ban("LISATTY"), censored("VAKINAINEN_KOTIMAINEN_OSOITE"), censored("KOTIKUNTA")],
        HIDDEN,
        more=STARTED,
    ),
    Case(
        "E34 with a readable address", [home("LISATTY"), ban("LISATTY"), municipality("LISATTY")], HIDDEN, more=STARTED
    ),
    Case(
        "E34 a name in the same entry is applied",
        [ban("LISATTY"), name("LISATTY")],
        replace(HIDDEN, last_name="Uusinen"),
        more=STARTED,
    ),
    Case(
        "E34 addresses abroad go too",
        [ban("LISATTY")],
        HIDDEN,
        more=STARTED,
        state=replace(STATE, record=replace(RECORD, foreign=frozenset({ForeignAddress(country_code="752")}))),
    ),
    Case(
        "E34 the day on which the address would end goes too",
        [ban("LISATTY")],
        HIDDEN,
        state=replace(STATE, recheck_on=date(2026, 6, 1)),
        more={"recheck_on": None},
    ),
    Case(
        "E34 a reveal is no longer awaited",
        [ban("LISATTY")],
        HIDDEN,
        state=replace(STATE, reveal_awaited=True),
        more={"reveal_awaited": False},
    ),
    Case("E35 a censored place without TURVAKIELTO", [censored()], HIDDEN, Ask.BAN, more=STARTED),
    Case("E35 a censored place with content", [censored(fields=["kuntakoodi"])], HIDDEN, Ask.BAN),
    Case("E35 a censored place with null", [censored(fields=None)], HIDDEN, Ask.BAN),
    Case("E35 a censored place among readable ones", [home("LISATTY"), censored()], HIDDEN, Ask.BAN),
    Case(
        "E35 a censored place that has values too",
        [home("LISATTY") | {"turvakiellonAlaisetKentat": []}],
        HIDDEN,
        Ask.BAN,
    ),
    Case(
        "E35 a censored place in what is valid",
        [home("POISTETTU") | valid(censored("VAKINAINEN_KOTIMAINEN_OSOITE"))],
        HIDDEN,
        Ask.BAN,
    ),
    Case("E35 a censored place with TURVAKIELTO false", [ban("LISATTY", False), censored()], HIDDEN, Ask.BAN),
    Case("E35 a censored place told for context", [censored(attribute="LISATIETO")], HIDDEN, Ask.BAN),
]

LATER = {"ban_since": ENTRY, "ban_started": False}
KEEP = [
    Case(
        "E33 a word that is not certain ends the silence of a ban",
        [ban("LISATTY", None)],
        HIDDEN,
        Ask.BAN,
        state=replace(PROTECTED, silence_at=ENTRY - DAY),
        more={"silence_at": None},
    ),
    Case("E32 true again", [ban("LISATTY")], HIDDEN, state=PROTECTED, more=LATER),
    Case(
        "E32 true again ends a silence",
        [ban("LISATTY")],
        state=replace(PROTECTED, silence_at=ENTRY - DAY),
        more={"silence_at": None},
    ),
    Case(
        "E32 true in passing is no news",
        [ban("LISATIETO"), name("LISATTY")],
        replace(HIDDEN, last_name="Uusinen"),
        state=PROTECTED,
        more=KEPT | {"ban_since": PROTECTED.ban_since},
    ),
    Case("E32 false in passing", [ban("LISATIETO", False)], ask=Ask.BAN, state=PROTECTED, more=KEPT),
    Case("E32 KORJATTAVA false alone", [ban("KORJATTAVA", False)], ask=Ask.BAN, state=PROTECTED, more=KEPT),
    Case("E32 false without an attribute", [ban(None, False)], ask=Ask.BAN, state=PROTECTED, more=KEPT),
    Case("E32 false in an unknown attribute", [ban("VAIHDETTU", False)], ask=Ask.BAN, state=PROTECTED, more=KEPT),
    Case(
        "E32 POISTETTU with an empty list is no explicit false",
        [ban("POISTETTU", False) | valid()],
        ask=Ask.BAN,
        state=PROTECTED,
        more=KEPT,
    ),
    Case(
        "E32 POISTETTU true with an empty list keeps and asks",
        [ban("POISTETTU") | valid()],
        ask=Ask.BAN,
        state=PROTECTED,
        more=KEPT,
    ),
    Case(
        "E32 POISTETTU true with a valid false",
        [ban("POISTETTU") | valid(ban(None, False))],
        ask=Ask.BAN,
        state=PROTECTED,
        more=KEPT,
    ),
    Case(
        "E32 POISTETTU whose valid false is to be corrected",
        [ban("POISTETTU", False) | valid(ban("KORJATTAVA", False))],
        ask=Ask.BAN,
        state=PROTECTED,
        more=KEPT,
    ),
    Case("E32 false beside true", [ban("LISATTY", False), ban("MUUTETTU")], ask=Ask.BAN, state=PROTECTED, more=KEPT),
    Case(
        "E32 false beside a missing boolean",
        [ban("LISATTY", False), ban("LISATTY", None)],
        ask=Ask.BAN,
        state=PROTECTED,
        more=KEPT,
    ),
    Case(
        "E32 false beside a true in passing",
        [ban("LISATTY", False), ban("LISATIETO")],
        ask=Ask.BAN,
        state=PROTECTED,
        more=KEPT,
    ),
    Case(
        "E32 false with a censored place", [ban("LISATTY", False), censored()], ask=Ask.BAN, state=PROTECTED, more=KEPT
    ),
    Case(
        "E32 false whose end cannot be read still says false",
        [ban("LISATTY", False, end="2020-99-99")],
        SHOWN,
        Ask.REVEAL,
        state=PROTECTED,
    ),
    Case(
        "E32 an end that passes ends nothing",
        [ban("MUUTETTU", end="2026-03-01")],
        replace(HIDDEN, protection_end=day("2026-03-01")),
        state=PROTECTED,
        more=KEPT,
    ),
    Case(
        "E36 a place of a protected person is not stored and asked about",
        [home("LISATTY")],
        ask=Ask.BAN,
        state=PROTECTED,
        more=KEPT,
    ),
    Case(
        "E36 a name of a protected person is applied",
        [name("LISATTY")],
        replace(HIDDEN, last_name="Uusinen"),
        state=PROTECTED,
        more=KEPT,
    ),
    Case("E36 a place that tells nothing", [row("KOTIKUNTA", "LISATTY")], state=PROTECTED, more=KEPT),
    Case("E35 a censored place of a protected person", [censored()], ask=Ask.BAN, state=PROTECTED, more=KEPT),
    Case("E35 the same with the ban told in passing", [censored(), ban("LISATIETO")], state=PROTECTED, more=KEPT),
    Case("E35 the same with the ban told", [censored(), ban("MUUTETTU")], state=PROTECTED, more=LATER),
    Case(
        "E32 the held end stays where none is told",
        [censored()],
        ask=Ask.BAN,
        more=KEPT,
        state=replace(PROTECTED, record=replace(HIDDEN, protection_end=PartialDate(date(2027, 1, 1)))),
    ),
]

END = [
    Case("E37 LISATTY false", [ban("LISATTY", False)], SHOWN, Ask.REVEAL, state=PROTECTED, more=ENDED),
    Case("E37 MUUTETTU false", [ban("MUUTETTU", False)], SHOWN, Ask.REVEAL, state=PROTECTED, more=ENDED),
    Case(
        "E37 KORJATTU false",
        [ban("KORJATTAVA"), ban("KORJATTU", False)],
        SHOWN,
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "E37 a valid false of a POISTETTU",
        [ban("POISTETTU", False) | valid(ban(None, False))],
        SHOWN,
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "E37 the end date goes with it",
        [ban("LISATTY", False, end="2026-03-09")],
        SHOWN,
        Ask.REVEAL,
        more=ENDED,
        state=replace(PROTECTED, record=replace(HIDDEN, protection_end=day("2026-03-09")), silence_at=ENTRY),
    ),
    Case(
        "E37 what the entry carries is shown",
        [ban("LISATTY", False), home("LISATTY"), municipality("LISATTY")],
        replace(SHOWN, home=NEW_HOME, municipality=TURKU),
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "E37 LISATIETO may be the only source of the municipality",
        [municipality("LISATIETO"), ban("LISATTY", False)],
        replace(SHOWN, municipality=TURKU),
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "E37 LISATIETO gives way to LISATTY",
        [home("LISATTY"), home("LISATIETO", "Muutie"), ban("LISATTY", False)],
        replace(SHOWN, home=NEW_HOME),
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "E37 LISATIETO of foreign addresses counts beside LISATTY",
        [foreign("LISATTY"), foreign("LISATIETO", "Storgatan 2"), ban("LISATTY", False)],
        replace(
            SHOWN,
            foreign=frozenset(
                ForeignAddress(street, "111 20 STOCKHOLM", "752", None, day("2026-03-01"))
                for street in ("Storgatan 1", "Storgatan 2")
            ),
        ),
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "E37 an ended LISATIETO is not shown",
        [old_home("LISATIETO"), ban("LISATTY", False)],
        SHOWN,
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "E37 two values told in passing are not shown",
        [home("LISATIETO"), home("LISATIETO", "Muutie"), ban("LISATTY", False)],
        SHOWN,
        Ask.REVEAL,
        state=PROTECTED,
        more=ENDED,
    ),
    Case(
        "C LISATIETO changes nothing for one who is not protected", [municipality("LISATIETO"), ban("LISATTY", False)]
    ),
    Case(
        "E37 a place that is not granted is not shown",
        [home("LISATIETO"), ban("LISATTY", False)],
        SHOWN,
        Ask.REVEAL,
        state=PROTECTED,
        context=replace(Case("", []).context, granted=frozenset({Group.BAN, Group.NAME})),
    ),
]


@pytest.mark.parametrize("case", START + KEEP + END, ids=str)
def test_what_an_entry_makes_of_a_ban(case: Case) -> None:
    outcome = case.changed()
    case.check(outcome)
    assert not (outcome.state.record.protected and outcome.state.record.has_location)


def test_e37_a_page_that_ends_a_ban_and_moves_the_person() -> None:
    ended = Case("", [municipality("LISATIETO", "091"), ban("LISATTY", False)], state=PROTECTED).changed()
    follows = Case("", [home("LISATTY"), municipality("LISATTY")], state=ended.state).changed()
    assert follows.state.record == replace(moved(), municipality=TURKU)
    assert follows.state.reveal_awaited
