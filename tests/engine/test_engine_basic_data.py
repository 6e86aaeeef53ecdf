"""Basic data for those who wait for it: domain.md A3, A4, A6, B9, B11, B12, B19, on the real database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from registry import ports
from registry.clock import today
from registry.models import Clientship, DataPermit, Person, PersonCode, PersonStatus
from tests.engine import world
from tests.engine.world import answer, applied, apply_page, ask_of, client, entry, fresh, record_of
from tests.reading.rows import JSON, RECORD, ban, home, language, municipality, name, old_home, row
from vtjsync.engine import basic_data
from vtjsync.engine import due as selection
from vtjsync.models import Enrolment

pytestmark = pytest.mark.django_db

SAME = (
    name(None, "Mallinen"),
    language(None, "fi"),
    ban(None, False),
    old_home(None, end=None),
    municipality(None, "091", "2010-05-01"),
)


def due(why: str) -> set[int]:
    return {one.person_id for one in selection.batch(why)}


def test_a3_the_first_basic_data_fills_the_person_and_joins_a_cohort() -> None:
    person, cohort = client(None), world.cohort()
    counts = answer(entry(person, *SAME, at=None), asked=[ask_of(person)], into=cohort)
    row = fresh(person)
    assert (row.status, row.last_name, row.municipality_code) == (PersonStatus.CURRENT, "Mallinen", "091")
    assert row.name_key == "mallinen aino maria"
    assert Enrolment.objects.get(person=person).cohort == cohort
    assert applied(person) == []
    assert counts["received"] == 1


def test_b9_nobody_joins_with_basic_data_from_before_the_cursor() -> None:
    person, cohort = client(None), world.cohort()
    early = world.sent()
    asked = ask_of(person)
    apply_page(world.run(), cohort, key=150)
    answer(entry(person, *SAME, at=None), asked=[asked], into=cohort, when=early)
    assert fresh(person).status == PersonStatus.CURRENT
    assert not Enrolment.objects.exists()
    assert due("joining") == {person.pk}
    answer(entry(person, *SAME, at=None), asked=[ask_of(person)], into=cohort)
    assert Enrolment.objects.filter(person=person, cohort=cohort).exists()
    assert due("joining") == set()


def test_b8_nobody_joins_beyond_the_size_of_a_cohort(settings: Settings) -> None:
    settings.VTJ_COHORT_SIZE = 2
    cohort, one, other = world.cohort(), client(None), client(None)
    # Another worker chose the same cohort, and its person has joined first.
    client(into=cohort)
    answer(*(entry(each, *SAME, at=None) for each in (one, other)), asked=[ask_of(one), ask_of(other)], into=cohort)
    assert Enrolment.objects.filter(cohort=cohort).count() == 2
    assert due("joining") == {other.pk}


def test_b12_an_answer_that_a_change_has_overtaken_is_dropped() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, municipality("MUUTETTU")), key=150)
    asked = ask_of(person)
    apply_page(run, cohort, entry(person, ban("LISATTY")), key=160)
    counts = answer(entry(person, *SAME, at=None), asked=[asked])
    assert counts.get("received", 0) == 0
    row = fresh(person)
    assert (row.protected, row.ask, row.home_street_fi) == (True, "PLACE", None)


def test_b12_a_new_mark_is_not_cleared_by_an_answer_to_an_older_one() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, municipality("MUUTETTU")), key=150)
    asked = ask_of(person)
    apply_page(run, cohort, entry(person, readable=False), key=160)
    answer(entry(person, *SAME, at=None), asked=[asked])
    assert fresh(person).ask == "UNREADABLE"


def test_b11_basic_data_clears_the_mark_and_is_logged_as_a_difference() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    apply_page(run, cohort, entry(person, municipality("MUUTETTU")))
    rows: tuple[JSON, ...] = (
        name(None, "Mallinen"),
        language(None, "fi"),
        old_home(None, end=None),
        municipality(None),
    )
    answer(entry(person, *rows, at=None), asked=[ask_of(person)])
    assert fresh(person).ask is None
    assert [field for field, *_ in applied(person)] == ["municipality"]
    assert person.applied_changes.get().source == "BASIC_DATA"


def test_other_data_groups_of_an_answer_are_counted() -> None:
    person = client(into=world.cohort())
    stray = row("SUKUPUOLI", None, sukupuolikoodi="1")
    told = answer(entry(person, name(None, "Mallinen"), stray, at=None), asked=[ask_of(person)])
    assert (told["received"], told["other_groups"]) == (1, 1)


def test_a6_an_answer_about_somebody_erased_meanwhile_is_dropped() -> None:
    person, cohort = client(None), world.cohort()
    told, asked = entry(person, *SAME, at=None), ask_of(person)
    Clientship.objects.filter(person=person).delete()
    PersonCode.objects.filter(person=person).delete()
    person.delete()
    answer(told, asked=[asked], into=cohort)
    assert not Person.objects.exists()
    again = client(None, code=asked.code)
    answer(told, asked=[asked], into=cohort)
    assert fresh(again).status == PersonStatus.AWAITING


def test_a4_not_found_is_no_data_lost_and_is_asked_later_and_later() -> None:
    person, cohort = client(into=world.cohort()), world.cohort()
    waits = []
    for _ in basic_data.DELAYS:
        before = fresh(person)
        Person.objects.filter(pk=person.pk).update(ask=before.ask or "VALUE", ask_not_before=None)
        when = world.sent()
        answer(asked=[ask_of(person)], into=cohort, when=when)
        not_before = fresh(person).ask_not_before
        assert not_before is not None
        waits.append(not_before - when.database)
    assert waits == list(basic_data.DELAYS)
    assert record_of(person) == RECORD
    assert fresh(person).status == PersonStatus.NOT_FOUND
    assert world.open_problems(person) == {"NOT_FOUND"}
    answer(asked=[ask_of(person)], into=cohort)
    assert fresh(person).ask is None


def test_a4_who_is_found_at_last_has_no_problem_any_more() -> None:
    person, cohort = client(None), world.cohort()
    answer(asked=[ask_of(person)], into=cohort)
    assert due("joining") == due("other") == set()
    answer(entry(person, *SAME, at=None), asked=[ask_of(person)], into=cohort)
    row = fresh(person)
    assert (row.status, row.ask, row.ask_attempts) == (PersonStatus.CURRENT, None, 0)
    assert world.open_problems(person) == set()
    assert Enrolment.objects.filter(person=person).exists()
    # What comes first changes nothing, however late it comes.
    assert applied(person) == []


def test_a4_who_is_not_found_has_no_answer_that_could_not_be_read() -> None:
    """A problem is closed by itself when its cause is gone, and the one that is there now takes its place."""
    person = client(into=world.cohort())
    for told, problem in (
        ([home(None, "Yksi"), home(None, "Kaksi")], "CONTRADICTING"),
        (None, "NOT_FOUND"),
        ([name(None, alkupv={"arvo": "2026-02-30", "tarkkuus": "PAIVA"})], "UNREADABLE"),
        (None, "NOT_FOUND"),
    ):
        entries = [] if told is None else [entry(person, *told, at=None)]
        answer(*entries, asked=[ask_of(person)])
        assert world.open_problems(person) == {problem}


def test_a4_who_is_missing_from_half_an_answer_is_not_called_unknown() -> None:
    """VTJ says itself that there is more (ajanTasalla false): who is missing stays due."""
    person, other = client(into=world.cohort()), client(into=world.cohort())
    Person.objects.filter(pk=person.pk).update(ask="VALUE")
    answer(entry(other, *SAME, at=None), asked=[ask_of(person), ask_of(other)], up_to_date=False)
    assert (fresh(person).status, fresh(person).ask) == (PersonStatus.CURRENT, "VALUE")
    assert world.open_problems(person) == set()
    assert due("other") == {person.pk}


def test_a4_absence_never_stops_others() -> None:
    lost, found, cohort = client(None), client(None), world.cohort()
    answer(entry(found, *SAME, at=None), asked=[ask_of(lost), ask_of(found)], into=cohort)
    assert fresh(found).status == PersonStatus.CURRENT


@pytest.mark.parametrize(
    ("homes", "kind"),
    [
        ([home(None, start="2026-02-30")], "UNREADABLE"),
        ([home(None), home(None, "Toinentie")], "CONTRADICTING"),
    ],
)
def test_b14_a_group_that_cannot_be_read_keeps_what_is_held_and_is_a_problem(homes: list[JSON], kind: str) -> None:
    person = client(into=world.cohort())
    rows = (name(None, "Mallinen"), ban(None, False), *homes, municipality(None))
    answer(entry(person, *rows, at=None), asked=[ask_of(person)])
    row = fresh(person)
    assert (row.home_street_fi, row.location_hidden, row.ask) == ("Vanhatie", True, "UNREADABLE")
    assert row.ask_not_before is not None
    assert world.open_problems(person) == {kind}
    Person.objects.filter(pk=person.pk).update(ask_not_before=None)
    answer(entry(person, *SAME, at=None), asked=[ask_of(person)])
    assert world.open_problems(person) == set()


def test_b14_two_entries_for_one_code_only_ever_protect() -> None:
    person = client(into=world.cohort())
    twice = [entry(person, *SAME, at=None), entry(person, ban(None), at=None)]
    answer(*twice, asked=[ask_of(person)])
    assert fresh(person).protected
    assert world.location_rows(person) == 0
    assert world.open_problems(person) == {"CONTRADICTING"}


def test_e41_an_entry_that_cannot_be_read_confirms_nothing() -> None:
    person = client(into=world.cohort())
    before = fresh(person).checked_at
    answer(entry(person, *SAME, at=None, readable=False), asked=[ask_of(person)])
    row = fresh(person)
    assert (row.checked_at, row.location_hidden) == (before, True)
    assert row.basic_data_at == person.basic_data_at


def test_an_entry_that_nobody_can_tell_whose_it_is_makes_the_missing_unreadable() -> None:
    person, known = client(None), client(into=world.cohort())
    answer(asked=[ask_of(person), ask_of(known)], into=world.cohort(), broken=1)
    assert world.open_problems(person) == world.open_problems(known) == {"UNREADABLE"}
    assert fresh(person).status == PersonStatus.AWAITING
    # It may tell of a ban (domain.md B14).
    assert (fresh(known).location_hidden, fresh(known).ask) == (True, "UNREADABLE")
    answer(entry(known, *SAME, at=None), asked=[ask_of(known)])
    assert (fresh(known).location_hidden, world.open_problems(known)) == (False, set())


def test_a4_who_cannot_be_read_time_after_time_is_left_to_staff() -> None:
    person, cohort = client(None), world.cohort()
    for _ in range(len(basic_data.DELAYS) + 1):
        answer(asked=[ask_of(person)], into=cohort, broken=1)
    assert fresh(person).status == PersonStatus.AWAITING
    assert all(due(why) == set() for why in selection.DUE)
    ports.source().ask_again([person.pk])
    assert due("urgent") == {person.pk}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"ask": "VALUE"}, timedelta()),
        ({"ask": "VALUE", "ask_not_before": world.database_now}, timedelta(hours=5)),
        ({"status": PersonStatus.NOT_FOUND}, None),
        ({"status": PersonStatus.NOT_FOUND, "ask": "CODE"}, timedelta()),
        ({"status": PersonStatus.AWAITING, "ask_attempts": len(basic_data.DELAYS)}, None),
        ({"status": PersonStatus.AWAITING}, timedelta()),
        ({"status": PersonStatus.NOT_FOUND, "recheck_on": date(2999, 1, 1)}, datetime(2998, 12, 31, 22, tzinfo=UTC)),
    ],
)
def test_a4_when_somebody_is_asked_next_is_what_the_engine_does(
    state: dict[str, Any], expected: timedelta | datetime | None
) -> None:
    person = client(None)
    if "ask_not_before" in state:
        state = state | {"ask_not_before": world.database_now() + timedelta(hours=5)}
    Person.objects.filter(pk=person.pk).update(**state)
    told = ports.source().next_ask_at([person.pk]).get(person.pk)
    now = any(due(why) for why in selection.DUE)
    assert now is (expected == timedelta())
    if isinstance(expected, timedelta):
        assert told is not None
        assert abs(told - world.database_now() - expected) < timedelta(minutes=1)
    else:
        assert told == expected


def test_a1_a2_nobody_is_asked_next_who_is_not_on_the_list_or_without_a_permit() -> None:
    person, ended = client(None), client(None)
    Clientship.objects.filter(person=ended).update(end=date(2020, 2, 1))
    assert set(ports.source().next_ask_at([person.pk, ended.pk])) == {person.pk}
    DataPermit.objects.update(valid_to=date(2021, 1, 1))
    assert ports.source().next_ask_at([person.pk]) == {}


def test_b19_bans_and_places_are_asked_before_other_values_and_those_before_a_first_load() -> None:
    cohort, run = world.cohort(), world.run()
    awaiting, value, place = client(None), client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(value, name("OUTO")), entry(place, municipality("MUUTETTU")))
    assert [due(why) for why in selection.DUE] == [{place.pk}, {value.pk}, set(), {awaiting.pk}, set()]


def test_a1_nobody_is_asked_whose_clientship_is_not_open() -> None:
    ended, to_come = client(None), client(None)
    Clientship.objects.filter(person=ended).update(end=date(2020, 2, 1))
    Clientship.objects.filter(person=to_come).update(start=date(2999, 1, 1))
    assert due("joining") == set()
    Clientship.objects.filter(person=ended).update(end=today())
    Clientship.objects.filter(person=to_come).update(start=today())
    assert due("joining") == {ended.pk, to_come.pk}
    Clientship.objects.filter(person=ended).update(end=today() - timedelta(days=1))
    Clientship.objects.filter(person=to_come).update(start=today() + timedelta(days=1))
    assert due("joining") == set()


def test_c21_a_day_that_has_come_marks_the_person() -> None:
    person = client(into=world.cohort())
    Person.objects.filter(pk=person.pk).update(recheck_on=date(2026, 5, 2))
    assert selection.mark_rechecks(date(2026, 5, 1)) == 0
    assert selection.mark_rechecks(date(2026, 5, 2)) == 1
    assert due("other") == {person.pk}
    assert fresh(person).recheck_on is None
    assert fresh(person).version == person.version + 1


def test_c21_a_day_that_has_come_takes_nothing_from_a_more_pressing_question() -> None:
    person = client(into=world.cohort())
    later = world.sent().database + timedelta(hours=1)
    Person.objects.filter(pk=person.pk).update(
        ask="SILENCE", ask_urgent=True, ask_not_before=later, recheck_on=date(2026, 5, 2)
    )
    assert selection.mark_rechecks(date(2026, 5, 3)) == 0
    row = fresh(person)
    assert (row.ask, row.ask_urgent, row.ask_not_before) == ("SILENCE", True, later)
    assert row.recheck_on == date(2026, 5, 2)


def test_not_before_is_kept() -> None:
    person = client(into=world.cohort())
    later = world.sent().database + timedelta(hours=1)
    Person.objects.filter(pk=person.pk).update(ask="SILENCE", ask_urgent=True, ask_not_before=later)
    assert due("urgent") == set()
    assert selection.count() == 0
