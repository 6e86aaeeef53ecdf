"""A page of changes and its cursor in one transaction: domain.md B10, B11, B13, B14, F44."""

from __future__ import annotations

import random
import string
from datetime import UTC, date, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from registry.models import Clientship
from tests.engine import world
from tests.engine.world import applied, apply_page, client, entry, fresh, record_of
from tests.reading.rows import ENTRY, ban, death, home, moved, municipality, name, old_home
from vtjsync.engine import changes
from vtjsync.engine.effects import Overtaken
from vtjsync.models import Cohort, Enrolment, RunCohort

pytestmark = pytest.mark.django_db


def test_c_a_move_is_stored_with_its_old_and_new_value() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, home("LISATTY"), old_home("MUUTETTU")))
    assert record_of(person) == moved()
    (change,) = applied(person)
    assert change == ("home", "Vanhatie 1, 00200\n(2010-05-01–)", "Uusitie 1, 00200\n(2026-03-01–)")
    assert person.applied_changes.get().run == run.id
    assert run.counts["applied"] == 1


def test_b10_the_cursor_moves_with_the_page() -> None:
    cohort, run = world.cohort(), world.run()
    apply_page(run, cohort, key=345)
    cohort.refresh_from_db()
    assert cohort.cursor == 345
    assert RunCohort.objects.get(cohort=cohort).cursor_to == 345


def test_b10_a_page_asked_with_another_cursor_is_dropped() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    with pytest.raises(Overtaken):
        apply_page(run, cohort, entry(person, name("LISATTY")), asked_with=99)
    assert record_of(person).last_name == "Mallinen"


def test_b10_a_page_that_comes_twice_changes_nothing_more() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, home("LISATTY"), old_home("MUUTETTU")), key=100)
    apply_page(run, cohort, entry(person, home("LISATTY"), old_home("MUUTETTU")), key=100)
    assert len(applied(person)) == 1


def test_b13_a_cursor_never_goes_back() -> None:
    cohort, run = world.cohort(), world.run()
    apply_page(run, cohort, key=7)
    cohort.refresh_from_db()
    assert cohort.cursor == 100


def test_b15_up_to_date_only_when_vtj_says_so() -> None:
    cohort, run = world.cohort(), world.run()
    apply_page(run, cohort, key=150, up_to_date=False)
    cohort.refresh_from_db()
    assert cohort.up_to_date_as_of is None
    apply_page(run, cohort, key=200)
    cohort.refresh_from_db()
    assert cohort.up_to_date_as_of is not None


def test_several_entries_of_one_person_follow_each_other() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, name("LISATTY", "Ensin")), entry(person, name("LISATTY", "Sitten")))
    assert fresh(person).last_name == "Sitten"
    assert applied(person) == [("last_name", "Mallinen", "Ensin"), ("last_name", "Ensin", "Sitten")]


def test_b11_an_ask_is_committed_with_the_page() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, municipality("MUUTETTU")))
    person = fresh(person)
    assert (person.ask, person.ask_urgent) == ("PLACE", True)


def test_b14_a_bad_entry_stops_nobody_else() -> None:
    cohort, run = world.cohort(), world.run()
    bad, good = client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(bad, readable=False), entry(good, name("LISATTY")))
    assert fresh(good).last_name == "Uusinen"
    bad = fresh(bad)
    assert (bad.ask, bad.location_hidden) == ("UNREADABLE", True)
    assert not fresh(good).location_hidden


def test_b14_a_text_that_no_index_can_hold_stops_nobody_else() -> None:
    cohort, run = world.cohort(), world.run()
    bad, good = client(into=cohort), client(into=cohort)
    endless = "".join(random.Random(14).choices(string.ascii_lowercase, k=20_000))
    longest = "".join(random.Random(14).choices("åäö", k=250))
    apply_page(run, cohort, entry(good, name("LISATTY", longest, longest)), key=150)
    assert fresh(good).last_name == longest
    apply_page(run, cohort, entry(bad, name("LISATTY", endless)), entry(good, name("LISATTY")))
    assert fresh(good).last_name == "Uusinen"
    assert (fresh(bad).last_name, fresh(bad).ask) == ("Mallinen", "VALUE")


def test_b14_an_entry_from_the_end_of_time_is_logged_with_the_time_of_its_answer() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, ban("LISATTY"), at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC)))
    assert fresh(person).protected
    assert person.applied_changes.get().changed_at == ENTRY


def test_b14_an_entry_of_nobody_knows_whom_asks_the_whole_cohort() -> None:
    cohort, other, run = world.cohort(), world.cohort(), world.run()
    named, silent, elsewhere = client(into=cohort), client(into=cohort), client(into=other)
    apply_page(run, cohort, entry(named, name("LISATTY")), broken=1)
    for person in (named, silent):
        assert (fresh(person).ask, fresh(person).location_hidden) == ("UNREADABLE", True)
        assert fresh(person).version > person.version
    assert fresh(named).last_name == "Uusinen"
    assert fresh(elsewhere).ask is None


def test_f44_an_entry_of_somebody_who_is_not_in_the_cohort_is_dropped_and_counted() -> None:
    cohort, run = world.cohort(), world.run()
    left = client()
    apply_page(run, cohort, entry(left, name("LISATTY")), entry(world.new_code(), name("LISATTY")))
    assert fresh(left).last_name == "Mallinen"
    assert run.counts["entries_unknown"] == 2


def test_a1_f44_a_clientship_that_has_ended_leaves_the_request() -> None:
    cohort = world.cohort()
    staying, ended, to_come = client(into=cohort), client(into=cohort), client(into=cohort)
    Clientship.objects.filter(person=ended).update(end=date(2020, 2, 1))
    Clientship.objects.filter(person=to_come).update(start=date(2999, 1, 1))
    changes.leave_the_list(cohort.pk)
    assert changes.codes_of(cohort.pk) == [world.code_of(staying)]
    assert not Enrolment.objects.filter(person__in=[ended, to_come]).exists()


def test_a5_death_ends_no_clientship_and_leaves_nobody_out() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, death("LISATTY")))
    assert fresh(person).deceased
    changes.leave_the_list(cohort.pk)
    assert changes.codes_of(cohort.pk) == [world.code_of(person)]


def test_a_page_takes_the_same_number_of_statements_for_one_and_for_many(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    cohort, run = world.cohort(), world.run()
    persons = [client(into=cohort) for _ in range(40)]
    entries = [entry(person, name("LISATTY")) for person in persons]
    with django_assert_max_num_queries(32):
        apply_page(run, cohort, *entries)
    assert Cohort.objects.get().cursor == 200
