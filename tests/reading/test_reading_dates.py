"""Days and partial dates: domain.md C21, C22, C23."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from registry.record import PartialDate, Precision
from tests.reading.rows import (
    CONTEXT,
    DAY,
    ENTRY,
    HOUR,
    JSON,
    MINUTE,
    OTHER,
    OWN,
    PROTECTED,
    RECORD,
    STATE,
    TODAY,
    Case,
    ban,
    censored,
    code,
    death,
    foreign,
    home,
    language,
    moved,
    municipality,
    name,
    old_home,
)
from vtjsync.reading import values
from vtjsync.reading.meaning import Unclear, day_after, far_ahead
from vtjsync.reading.outcome import Ask
from vtjsync.wire.groups import WireDate

LATER = replace(CONTEXT, today=date(2026, 4, 20))
AT_NIGHT = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)  # 10 March, half past midnight in Helsinki

C21 = [
    Case("C21 no end", [home("LISATTY")], moved(), more={"recheck_on": None}),
    Case("C21 an end far ahead means for now", [home("LISATTY", end="2999-02-28")], moved(), more={"recheck_on": None}),
    Case("C21 an end exactly 20 years ahead", [home("LISATTY", end="2046-03-10")], moved(), more={"recheck_on": None}),
    Case(
        "C21 an end a day less than 20 years ahead",
        [home("LISATTY", end="2046-03-09")],
        moved(),
        more={"recheck_on": date(2046, 3, 10)},
    ),
    Case("C21 an end tomorrow", [home("LISATTY", end="2026-03-11")], moved(), more={"recheck_on": date(2026, 3, 12)}),
    Case("C21 an end on the entry's own day has ended", [old_home("MUUTETTU", "2026-03-10")], moved(None)),
    Case("C21 the entry's day is Helsinki's", [old_home("MUUTETTU", "2026-03-10")], moved(None), at=AT_NIGHT),
    Case(
        "C21 the day before it in UTC is not the entry's day",
        [home("LISATTY", end="2026-03-11")],
        moved(),
        at=AT_NIGHT,
        more={"recheck_on": date(2026, 3, 12)},
    ),
    Case("C21 an end between the entry and today", [home("LISATTY", end="2026-04-01")], ask=Ask.PLACE, context=LATER),
    Case(
        "C21 an end that is today, later than the entry",
        [home("LISATTY", end="2026-04-20")],
        ask=Ask.PLACE,
        context=LATER,
    ),
    Case(
        "C21 an end after today, read late",
        [home("LISATTY", end="2026-04-21")],
        moved(),
        context=LATER,
        more={"recheck_on": date(2026, 4, 22)},
    ),
    Case(
        "C21 far ahead counts from the entry",
        [home("LISATTY", end="2046-03-11")],
        moved(),
        context=LATER,
        more={"recheck_on": None},
    ),
    Case(
        "C21 a start in the future",
        [home("LISATTY", start="2026-03-11")],
        ask=Ask.PLACE,
        more={"recheck_on": date(2026, 3, 11)},
    ),
    Case(
        "C21 a start after the entry that has come by now",
        [home("LISATTY", start="2026-04-01")],
        ask=Ask.PLACE,
        context=LATER,
        more={"recheck_on": None},
    ),
    Case("C21 a start on the entry's own day", [home("LISATTY", start="2026-03-10")], moved(start=date(2026, 3, 10))),
    Case(
        "C21 a future municipality",
        [municipality("LISATTY", start="2026-05-01")],
        ask=Ask.PLACE,
        more={"recheck_on": date(2026, 5, 1)},
    ),
    Case(
        "C21 a start in this month, day unknown",
        [home("LISATTY", start="2026-03-28|KUUKAUSI")],
        replace(RECORD, home=replace(moved().home, start=PartialDate(date(2026, 3, 1), Precision.MONTH))),
    ),
    Case("C21 an end in this month, day unknown", [home("LISATTY", end="2026-03-01|KUUKAUSI")], ask=Ask.PLACE),
    Case("C21 an end in last month, day unknown", [old_home("MUUTETTU", "2026-02-28|KUUKAUSI")], moved(None)),
    Case(
        "C21 an end in next month, day unknown",
        [home("LISATTY", end="2026-04-01|KUUKAUSI")],
        moved(),
        more={"recheck_on": date(2026, 5, 1)},
    ),
    Case(
        "C21 an earlier day to ask again stays",
        [home("LISATTY", end="2026-05-01")],
        moved(),
        state=replace(STATE, recheck_on=date(2026, 4, 1)),
        more={"recheck_on": date(2026, 4, 1)},
    ),
    Case(
        "C21 a day to ask again that has come stays due",
        [home("LISATTY", end="2026-05-01")],
        moved(),
        state=replace(STATE, recheck_on=TODAY),
        more={"recheck_on": TODAY},
    ),
    Case(
        "C21 the end of a ban is asked about the day after it",
        [ban("LISATTY", end="2026-06-30")],
        replace(RECORD.without_location(), protected=True, protection_end=PartialDate(date(2026, 6, 30))),
        more={"recheck_on": date(2026, 7, 1)},
    ),
    Case(
        "C21 a ban far ahead has no end",
        [ban("LISATTY", end="2120-02-28")],
        replace(RECORD.without_location(), protected=True),
        more={"recheck_on": None},
    ),
]

C22 = [
    Case("C22 older than the basic data", [home("LISATTY")], ask=Ask.PLACE, at=ENTRY - DAY - 6 * MINUTE),
    Case("C22 older, about no place", [name("LISATTY")], ask=Ask.OLDER, at=ENTRY - DAY - 6 * MINUTE),
    Case("C22 older, but within the tolerance of clocks", [home("LISATTY")], moved(), at=ENTRY - DAY - 4 * MINUTE),
    Case("C22 no basic data yet", [home("LISATTY")], moved(), state=replace(STATE, basic_data_at=None)),
    Case(
        "C22 an older start of a ban hides and asks",
        [ban("LISATTY")],
        ask=Ask.BAN,
        at=ENTRY - 2 * DAY,
        more={"hide_location": True, "ban_started": False},
    ),
    Case(
        "C22 an older censored place hides and asks",
        [censored()],
        ask=Ask.BAN,
        at=ENTRY - 2 * DAY,
        more={"hide_location": True},
    ),
    Case(
        "C22 an older end of a ban ends nothing",
        [ban("LISATTY", False)],
        ask=Ask.BAN,
        at=ENTRY - 2 * DAY,
        state=PROTECTED,
        more={"hide_location": False, "ban_ended": False},
    ),
    Case(
        "B13 older than the newest entry applied, however little",
        [home("LISATTY")],
        ask=Ask.PLACE,
        at=ENTRY - MINUTE,
        state=replace(STATE, newest_entry_at=ENTRY),
        more={"newest_entry_at": ENTRY},
    ),
    Case(
        "B13 the newest entry applied once more",
        [home("LISATTY")],
        moved(),
        state=replace(STATE, newest_entry_at=ENTRY),
    ),
    Case(
        "B13 the newest entry applied once more, when basic data has come since",
        [home("LISATTY")],
        ask=Ask.PLACE,
        state=replace(STATE, newest_entry_at=ENTRY, basic_data_at=ENTRY + MINUTE),
        more={"newest_entry_at": ENTRY},
    ),
    Case(
        "B13 a start of a ban once more, which basic data has ended since: hides and asks",
        [ban("LISATTY")],
        ask=Ask.BAN,
        state=replace(STATE, newest_entry_at=ENTRY, basic_data_at=ENTRY + MINUTE),
        more={"hide_location": True, "ban_started": False},
    ),
    Case(
        "B13 an entry that changes something is the newest", [home("LISATTY")], moved(), more={"newest_entry_at": ENTRY}
    ),
    Case("B13 one that changes nothing is not", [home("LISATIETO")], more={"newest_entry_at": None}),
    Case(
        "B13 a corrected code changes something",
        [code("MUUTETTU", "PASSIIVI", OTHER, OWN)],
        ask=Ask.CODE,
        more={"newest_entry_at": ENTRY},
    ),
    Case(
        "E32 nothing from before the ban was last heard of ends it, within the tolerance of clocks too",
        [ban("LISATTY", False)],
        ask=Ask.BAN,
        at=ENTRY - MINUTE,
        state=replace(PROTECTED, ban_since=ENTRY, basic_data_at=ENTRY),
        more={"ban_ended": False, "reveal_awaited": False},
    ),
    Case(
        "C22 an older place of one who is protected",
        [home("LISATTY")],
        ask=Ask.PLACE,
        at=ENTRY - 2 * DAY,
        state=PROTECTED,
    ),
]

B14 = [
    Case("B14 an unreadable entry", [], ask=Ask.UNREADABLE, readable=False, more={"hide_location": True}),
    Case(
        "B14 the readable rest of it is not applied",
        [home("LISATTY")],
        ask=Ask.UNREADABLE,
        readable=False,
        more={"hide_location": True},
    ),
    Case(
        "B14 the readable rest of it protects",
        [ban("LISATTY")],
        replace(RECORD.without_location(), protected=True),
        ask=Ask.UNREADABLE,
        readable=False,
        more={"hide_location": True, "ban_started": True, "ban_since": ENTRY},
    ),
    Case(
        "B14 it ends no ban",
        [ban("LISATTY", False)],
        ask=Ask.UNREADABLE,
        readable=False,
        state=PROTECTED,
        more={"ban_ended": False},
    ),
    Case("B14 no time", [home("LISATTY")], ask=Ask.UNREADABLE, at=None, more={"hide_location": True}),
    Case(
        "B14 no time, and a ban",
        [ban("LISATTY")],
        replace(RECORD.without_location(), protected=True),
        ask=Ask.UNREADABLE,
        at=None,
        more={"ban_since": None},
    ),
    Case("B14 a time to come", [home("LISATTY")], ask=Ask.UNREADABLE, at=ENTRY + 3 * DAY),
    Case("B14 a clock a little ahead is no fault", [home("LISATTY")], moved(), at=ENTRY + 14 * HOUR),
    Case(
        "B14 a time to come, and a ban",
        [ban("LISATTY")],
        replace(RECORD.without_location(), protected=True),
        ask=Ask.UNREADABLE,
        at=ENTRY + 900 * DAY,
        more={"ban_since": None},
    ),
    Case(
        "B14 a time beyond the calendar",
        [home("LISATTY")],
        ask=Ask.UNREADABLE,
        at=datetime(9999, 12, 31, 23, tzinfo=UTC),
    ),
]

GARBAGE = [
    "2020-02-30",
    "0000-00-00",
    "2020-13-01",
    "",
    "1.2.2020",
    "20200101",
    "2020-W01-1",
    "2020-01-01T00:00",
    "٢٠٢٠-01-01",
    "2020-01",
    "2020",
    "12020-01-01",
]


@pytest.mark.parametrize("case", C21 + C22 + B14, ids=str)
def test_when(case: Case) -> None:
    case.check(case.changed())


@pytest.mark.parametrize("arvo", GARBAGE)
@pytest.mark.parametrize(("of", "ask"), [(home, Ask.PLACE), (foreign, Ask.PLACE), (municipality, Ask.PLACE)])
def test_c23_a_start_that_is_no_day_is_asked(of: type, ask: Ask, arvo: str) -> None:
    case = Case("C23", [of("LISATTY", start=arvo)], ask=ask)
    case.check(case.changed())


@pytest.mark.parametrize(
    "one",
    [
        home("LISATTY", end="2020-02-30"),
        name("LISATTY", alkupv={"arvo": "0000-00-00"}),
        language("LISATTY", loppupv={"arvo": "?"}),
        death("LISATTY", on="2020-00-01"),
        death("LISATTY", on="2020-01-01|VIIKKO"),
    ],
    ids=["end", "name", "language", "death", "precision"],
)
def test_c23_a_date_that_cannot_be_read_is_asked(one: JSON) -> None:
    case = Case("C23", [one], ask=Ask.PLACE if one["tietoryhma"].startswith("VAKINAINEN") else Ask.VALUE)
    case.check(case.changed())


@pytest.mark.parametrize(
    ("arvo", "tarkkuus", "iso"),
    [
        ("1965-11-01", "PAIVA", "1965-11-01"),
        ("1965-11-30", "KUUKAUSI", "1965-11"),
        ("1965-11-00", "KUUKAUSI", "1965-11"),
        ("1965-11", "KUUKAUSI", "1965-11"),
        ("1965-11-30", "VUOSI", "1965"),
        ("1965-00-00", "VUOSI", "1965"),
        ("1965", "VUOSI", "1965"),
    ],
)
def test_c23_only_what_is_known_is_kept(arvo: str, tarkkuus: str, iso: str) -> None:
    told = values.partial_date(WireDate(arvo, tarkkuus))
    assert told is not None
    assert told.iso() == iso


def test_c23_no_date_of_an_unknown_precision() -> None:
    with pytest.raises(Unclear):
        values.partial_date(WireDate("1965-11-01", "TUNTI"))


@pytest.mark.parametrize(
    ("told", "last"),
    [
        (PartialDate(date(2024, 2, 3)), date(2024, 2, 3)),
        (PartialDate.of(date(2024, 2, 3), Precision.MONTH), date(2024, 2, 29)),
        (PartialDate.of(date(2024, 2, 3), Precision.YEAR), date(2024, 12, 31)),
    ],
)
def test_c23_the_last_day_that_a_date_can_be(told: PartialDate, last: date) -> None:
    assert told.last == last


def test_c21_twenty_years_from_a_leap_day() -> None:
    assert far_ahead(PartialDate(date(2044, 2, 29)), date(2024, 2, 29))
    assert not far_ahead(PartialDate(date(2044, 2, 28)), date(2024, 2, 29))


def test_c21_the_day_after() -> None:
    assert day_after(TODAY) == TODAY + timedelta(days=1)
    assert day_after(date.max) == date.max
