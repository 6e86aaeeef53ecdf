"""A ban begins and ends in the register's rows: domain.md E32-E37, on the real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from registry.models import PersonStatus
from registry.record import PersonRecord
from tests.engine import world
from tests.engine.world import (
    PROTECTED,
    answer,
    applied,
    apply_page,
    ask_of,
    client,
    entry,
    fresh,
    location_rows,
    record_of,
)
from tests.reading.rows import (
    ABROAD,
    ENTRY,
    HOUR,
    RECORD,
    ban,
    censored,
    foreign,
    home,
    municipality,
    name,
    old_home,
)

pytestmark = pytest.mark.django_db


def test_e34_the_start_of_a_ban_clears_every_row_that_tells_a_place() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(replace(RECORD, foreign=frozenset({ABROAD})), into=cohort)
    apply_page(run, cohort, entry(person, home("LISATTY"), old_home("MUUTETTU")), key=150)
    assert location_rows(person) == 3
    apply_page(run, cohort, entry(person, ban("LISATTY"), home("LISATTY", "Kolmastie")), key=160)
    assert location_rows(person) == 0
    assert fresh(person).protected
    assert ("protected", None, "yes") in applied(person)
    assert not fresh(person).location_hidden


def test_e34_what_a_page_told_before_the_ban_is_not_written() -> None:
    cohort, run = world.cohort(), world.run()
    person, other = client(into=cohort), client(into=cohort)
    apply_page(
        run,
        cohort,
        entry(person, home("LISATTY"), old_home("MUUTETTU")),
        entry(other, home("LISATTY"), old_home("MUUTETTU")),
        entry(person, ban("LISATTY")),
    )
    assert location_rows(person) == 0
    assert [field for field, *_ in applied(other)] == ["home"]


def test_e34_a_ban_that_comes_and_goes_in_one_page_leaves_nothing_from_before_it() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(
        run,
        cohort,
        entry(person, home("LISATTY"), old_home("MUUTETTU")),
        entry(person, ban("LISATTY"), at=ENTRY + HOUR),
        entry(person, ban("MUUTETTU", False), home("LISATIETO", "Kolmastie"), at=ENTRY + 2 * HOUR),
    )
    told = [one for one in applied(person) if one[0] == "home"]
    assert told == [("home", None, "Kolmastie 1, 00200\n(2026-03-01–)")]
    assert fresh(person).reveal_awaited


def test_e32_a_ban_that_ends_and_begins_again_in_one_page_is_counted_as_no_end() -> None:
    cohort, run = world.cohort(), world.run()
    person, other = client(PROTECTED, into=cohort), client(PROTECTED, into=cohort)
    end = ban("MUUTETTU", False)
    apply_page(run, cohort, entry(person, end), entry(other, end), entry(person, ban("LISATTY"), at=ENTRY + HOUR))
    assert (fresh(person).protected, fresh(other).protected) == (True, False)
    assert (run.counts["bans_started"], run.counts["bans_ended"]) == (1, 1)


def test_e35_a_censored_place_protects_and_asks() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, censored("KOTIKUNTA")))
    assert location_rows(person) == 0
    assert (fresh(person).protected, fresh(person).ask) == (True, "BAN")


def test_e36_basic_data_of_somebody_protected_stores_no_place() -> None:
    cohort = world.cohort()
    person = client(None)
    rows = (name(None), ban(None), home(None), municipality(None), foreign(None))
    answer(entry(person, *rows, at=None), asked=[ask_of(person)], into=cohort)
    assert record_of(person) == PersonRecord(first_names="Aino Maria", last_name="Uusinen", protected=True)
    assert fresh(person).status == PersonStatus.CURRENT


def test_e37_the_end_of_a_ban_shows_what_came_and_awaits_the_rest() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(PROTECTED, into=cohort)
    apply_page(run, cohort, entry(person, ban("MUUTETTU", False), home("LISATIETO")))
    row = fresh(person)
    assert (row.protected, row.home_street_fi, row.reveal_awaited, row.ask) == (False, "Uusitie", True, "REVEAL")
    rows = (name(None, "Mallinen"), ban(None, False), home(None), municipality(None))
    answer(entry(person, *rows, at=None), asked=[ask_of(person)])
    row = fresh(person)
    assert (row.reveal_awaited, row.ask, row.municipality_code) == (False, None, "837")


def test_e33_silence_ends_a_ban_only_with_a_second_look_an_hour_later() -> None:
    person = client(PROTECTED, into=world.cohort())
    silent = entry(person, name(None, "Mallinen"), home(None), at=None)
    answer(silent, asked=[ask_of(person)])
    row = fresh(person)
    assert (row.protected, row.ask, row.home_street_fi) == (True, "SILENCE", None)
    assert row.ask_not_before is not None
    assert row.checked_at is not None
    assert row.ask_not_before - row.checked_at == timedelta(hours=1)
    answer(silent, asked=[ask_of(person)], when=world.sent(ENTRY + HOUR))
    row = fresh(person)
    assert (row.protected, row.ask, row.home_street_fi) == (False, None, "Uusitie")


def test_e33_what_can_never_be_repaired_goes_to_the_handlers() -> None:
    person = client(PROTECTED, into=world.cohort())
    answer(entry(person, name(None, "Mallinen"), at=None), asked=[ask_of(person)])
    assert world.open_problems(person) == {"BAN_UNCLEAR"}
    assert fresh(person).protected
    answer(entry(person, name(None, "Mallinen"), ban(None), at=None), asked=[ask_of(person)])
    assert world.open_problems(person) == set()


def test_b14_a_hidden_place_is_shown_again_when_basic_data_has_come() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, readable=False))
    rows = (name(None, "Mallinen"), ban(None, False), old_home(None, end=None), municipality(None, "091", "2010-05-01"))
    answer(entry(person, *rows, at=None), asked=[ask_of(person)])
    row = fresh(person)
    assert (row.location_hidden, row.ask) == (False, None)
    assert record_of(person).home == RECORD.home


def test_c21_a_value_that_ends_is_asked_again_on_the_day_after_it() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, home("LISATTY", end="2026-05-01"), old_home("MUUTETTU")))
    assert fresh(person).recheck_on == date(2026, 5, 2)
