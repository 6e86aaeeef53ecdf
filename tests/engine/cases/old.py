"""Entries that are older than what is held, that have no time, or that cannot be read: domain.md B14, C22."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.cases.attributes import HIDDEN
from tests.engine.cases.case import Case, Told
from tests.reading.rows import DAY, ENTRY, HOUR, MINUTE, RECORD, STATE, ban, censored, home, moved, name
from vtjsync.reading.outcome import Ask

UNDER_A_BAN = replace(STATE, record=HIDDEN, ban_since=ENTRY - 9 * DAY)

CASES = [
    Case("C22", "older than the basic data", ask=Ask.PLACE, pages=[[Told([home("LISATTY")], ENTRY - 2 * DAY)]]),
    Case(
        "C22",
        "older, about a place and a name",
        ask=Ask.PLACE,
        pages=[[Told([name("LISATTY"), home("LISATTY")], ENTRY - 2 * DAY)]],
    ),
    Case(
        "C22",
        "an older ban that is not certain",
        ask=Ask.BAN,
        hidden=True,
        pages=[[Told([ban("LISATTY", None)], ENTRY - 2 * DAY)]],
    ),
    Case(
        "C22",
        "an older end of a ban that is not held",
        ask=Ask.BAN,
        pages=[[Told([ban("LISATTY", False)], ENTRY - 2 * DAY)]],
    ),
    Case(
        "C22",
        "an older ban under a ban",
        ask=Ask.BAN,
        before=UNDER_A_BAN,
        pages=[[Told([ban("LISATTY")], ENTRY - 2 * DAY)]],
    ),
    Case("C22", "older, about no place", ask=Ask.OLDER, pages=[[Told([name("LISATTY")], ENTRY - 2 * DAY)]]),
    Case(
        "C22",
        "older, but within the tolerance",
        after=moved(),
        pages=[[Told([home("LISATTY")], ENTRY - DAY - 4 * MINUTE)]],
    ),
    Case("C22", "an older ban", ask=Ask.BAN, hidden=True, pages=[[Told([ban("LISATTY")], ENTRY - 2 * DAY)]]),
    Case("C22", "an older censored place", ask=Ask.BAN, hidden=True, pages=[[Told([censored()], ENTRY - 2 * DAY)]]),
    Case("B14", "no time", ask=Ask.UNREADABLE, hidden=True, pages=[[Told([home("LISATTY")], None)]]),
    Case("B14", "a time to come", ask=Ask.UNREADABLE, hidden=True, pages=[[Told([home("LISATTY")], ENTRY + 3 * DAY)]]),
    Case("B14", "a row that is none", ask=Ask.UNREADABLE, hidden=True, pages=[[Told([name("LISATTY"), "?"])]]),
    Case(
        "B14",
        "a ban beside a row that is none",
        after=HIDDEN,
        ask=Ask.UNREADABLE,
        hidden=True,
        pages=[[Told([ban("LISATTY"), "?"])]],
    ),
    Case(
        "B14",
        "a good entry after a bad one",
        after=replace(RECORD, last_name="Uusinen"),
        ask=Ask.UNREADABLE,
        hidden=True,
        pages=[[Told(["?"]), Told([name("LISATTY")], ENTRY + HOUR)]],
    ),
    Case(
        "B14",
        "a ban under a ban, in an entry that cannot be read and has no time",
        ask=Ask.UNREADABLE,
        hidden=True,
        before=UNDER_A_BAN,
        pages=[[Told([ban("LISATTY"), "?"], None)]],
    ),
]
