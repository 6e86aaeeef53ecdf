"""Chains of corrected codes, there and back, and what is said under a code of before: domain.md D27-D29."""

from __future__ import annotations

import pytest

from tests.engine import world
from tests.engine.world import answer, applied, apply_page, ask_of, client, code_of, codes_of, entry, fresh
from tests.reading.rows import ban, code, name, replaced
from vtjsync.engine import basic_data, changes, due

pytestmark = pytest.mark.django_db

SAME = (name(None, "Mallinen"),)


def test_d27_a_chain_of_corrections_over_pages() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    first, second, third = code_of(person), world.new_code(), world.new_code()
    apply_page(run, cohort, entry(first, *replaced(first, second)), key=150, up_to_date=False)
    assert changes.codes_of(cohort.pk) == [second]
    apply_page(run, cohort, entry(second, *replaced(second, third)), key=160)
    assert changes.codes_of(cohort.pk) == [third]
    assert codes_of(person) == {first: False, second: False, third: True}


def test_d27_a_code_in_the_middle_of_a_chain_is_kept_even_if_the_next_entry_does_not_name_it() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    first, second, third = code_of(person), world.new_code(), world.new_code()
    next_one = code("LISATTY", "AKTIIVI", third, third, [first])
    apply_page(run, cohort, entry(first, *replaced(first, second)), entry(second, next_one))
    assert codes_of(person) == {first: False, second: False, third: True}


@pytest.mark.parametrize("pages", [1, 2])
def test_d27_a_correction_that_is_taken_back(pages: int) -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    first, second = code_of(person), world.new_code()
    there, back = entry(first, *replaced(first, second)), entry(second, *replaced(second, first))
    for key, entries in {1: [(150, (there, back))], 2: [(150, (there,)), (160, (back,))]}[pages]:
        apply_page(run, cohort, *entries, key=key)
    assert codes_of(person) == {first: True, second: False}
    assert fresh(person).ask == "CODE"


def test_d28_entries_under_every_former_code_of_a_page_are_the_persons() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    first, second, third = code_of(person), world.new_code(), world.new_code()
    apply_page(run, cohort, entry(first, *replaced(first, second)), entry(second, *replaced(second, third)), key=150)
    for number, under in enumerate((first, second, third)):
        apply_page(run, cohort, entry(under, name("LISATTY", f"Nimi{number}")), key=160 + number)
        assert fresh(person).last_name == f"Nimi{number}"
    apply_page(run, cohort, entry(first, ban("LISATTY")), key=170)
    assert fresh(person).protected


def test_d27_what_is_said_under_a_code_that_is_no_longer_active_clears_nothing() -> None:
    person, new = client(into=world.cohort()), world.new_code()
    old = code_of(person)
    answer(entry(old, code(None, "PASSIIVI", old, new, [old]), at=None), asked=[ask_of(person)])
    row = fresh(person)
    assert (row.last_name, row.home_street_fi, row.ask, row.ask_not_before) == ("Mallinen", "Vanhatie", "CODE", None)
    assert codes_of(person) == {old: False, new: True}
    assert [field for field, *_ in applied(person)] == ["code"]
    answer(entry(new, *SAME, ban(None), at=None), asked=[ask_of(person)])
    assert (fresh(person).ask, fresh(person).protected) == (None, True)


def test_e35_a_ban_that_is_told_under_a_former_code_protects() -> None:
    person, new = client(into=world.cohort()), world.new_code()
    old = code_of(person)
    answer(entry(old, code(None, "PASSIIVI", old, new, [old]), ban(None), at=None), asked=[ask_of(person)])
    assert fresh(person).protected
    assert world.location_rows(person) == 0


def test_d27_basic_data_that_names_codes_in_a_circle_is_not_followed_for_ever() -> None:
    person = client(into=world.cohort())
    one, other = code_of(person), world.new_code()
    for _ in range(basic_data.CIRCLES + 2):
        assert fresh(person).ask_not_before is None
        now = code_of(person)
        active = other if now == one else one
        answer(entry(now, code(None, "PASSIIVI", now, active, [now]), at=None), asked=[ask_of(person)])
    assert world.open_problems(person) == {"CONTRADICTING"}
    assert fresh(person).ask_not_before is not None
    assert set(codes_of(person)) == {one, other}


def test_d29_basic_data_without_an_active_code_clears_nothing_and_is_asked_later_and_later() -> None:
    person = client(into=world.cohort())
    own = code_of(person)
    for _ in range(len(basic_data.DELAYS) + 1):
        answer(entry(own, code(None, "PASSIIVI", own, None), at=None), asked=[ask_of(person)])
    row = fresh(person)
    assert (row.last_name, row.home_street_fi, row.ask) == ("Mallinen", "Vanhatie", None)
    assert world.open_problems(person) == {"NO_SUCCESSOR"}
    assert person.problems.get().attempts == len(basic_data.DELAYS) + 1
    assert [one.person_id for why in due.DUE for one in due.batch(why)] == []


@pytest.mark.parametrize("named", ["the same", "a new one"])
def test_d29_the_problem_closes_when_there_is_an_active_code_again(named: str) -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    own = code_of(person)
    apply_page(run, cohort, entry(own, code("MUUTETTU", "PASSIIVI", own, None)), key=150)
    active = own if named == "the same" else world.new_code()
    told = code("LISATTY", "AKTIIVI", active, active) if active == own else replaced(own, active)[0]
    apply_page(run, cohort, entry(own, told), key=160)
    assert world.open_problems(person) == set()


def test_d27_basic_data_that_comes_under_the_new_code_is_of_the_person_who_was_asked_about() -> None:
    person = client(into=world.cohort())
    old, new = code_of(person), world.new_code()
    asked = [ask_of(person)]
    answer(entry(new, *SAME, *replaced(old, new), at=None), asked=asked)
    assert codes_of(person) == {old: False, new: True}
    row = fresh(person)
    # What VTJ says is asked under the new code, in the same run; nobody was left out.
    assert (row.status, row.ask, row.ask_not_before) == ("CURRENT", "CODE", None)
    assert not row.problems.exists()


def test_d27_an_entry_that_nobody_asked_for_and_that_names_two_is_nobodys() -> None:
    cohort = world.cohort()
    one, other = client(into=cohort), client(into=cohort)
    new = world.new_code()
    rows = (*replaced(code_of(one), new), *replaced(code_of(other), new))
    answer(entry(new, *SAME, *rows, at=None), asked=[ask_of(one), ask_of(other)])
    assert {fresh(one).status, fresh(other).status} == {"NOT_FOUND"}
