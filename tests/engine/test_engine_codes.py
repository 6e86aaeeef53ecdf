"""Corrected identity codes in the register's rows: domain.md D27-D30."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from registry.models import PersonCode, SubjectCode
from registry.services import persons
from registry.services.audit import code_hash
from tests.engine import world
from tests.engine.world import answer, applied, apply_page, ask_of, client, code_of, entry, fresh
from tests.reading.rows import ENTRY, code, merged, name, replaced, valid
from vtjsync.engine import effects
from vtjsync.engine.effects import Overtaken, Source, successors
from vtjsync.engine.sync import sync
from vtjsync.reading.outcome import CodeFinding, Outcome
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db


def codes(person: object) -> dict[str, bool]:
    return dict(PersonCode.objects.filter(person=person).values_list("hetu", "current"))


def test_d27_d28_a_replaced_code_stays_as_a_former_one_and_the_new_one_is_asked() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    old, new = code_of(person), world.new_code()
    apply_page(run, cohort, entry(person, *replaced(old, new)))
    assert codes(person) == {old: False, new: True}
    assert fresh(person).ask == "CODE"
    assert applied(person) == [("code", None, None)]
    assert SubjectCode.objects.filter(subject=person.subject, code_hash=code_hash(new)).exists()


def test_d28_an_entry_under_any_code_finds_the_person() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    old, new = code_of(person), world.new_code()
    apply_page(run, cohort, entry(old, *replaced(old, new)), entry(new, name("LISATTY", "Uudella")))
    assert fresh(person).last_name == "Uudella"
    apply_page(run, cohort, entry(old, name("LISATTY", "Vanhalla")), key=300)
    assert fresh(person).last_name == "Vanhalla"


def test_d27_a_chain_of_corrections_in_one_page() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    first, second, third = code_of(person), world.new_code(), world.new_code()
    apply_page(run, cohort, entry(first, *replaced(first, second)), entry(second, *replaced(second, third)))
    assert codes(person) == {first: False, second: False, third: True}


def test_d27_a_correction_that_is_taken_back_in_the_same_page() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    old, new = code_of(person), world.new_code()
    apply_page(run, cohort, entry(old, *replaced(old, new)), entry(new, *replaced(new, old)))
    assert codes(person) == {old: True, new: False}
    apply_page(run, cohort, entry(old, *replaced(old, new)), entry(new, *replaced(new, old)), key=300)
    assert codes(person) == {old: True, new: False}


def test_d28_a_code_that_somebody_was_added_with_meanwhile_leaves_nobody_without_a_code() -> None:
    person = client(into=world.cohort())
    old, new = code_of(person), world.new_code()
    added = client(None)
    with transaction.atomic():
        found = effects.load([old, new])
        PersonCode.objects.filter(person=added).update(hetu=new)
        finding = CodeFinding(active=new, former=frozenset({old}))
        found.take(person.pk, Outcome(found.state(person.pk), codes=finding), Source.CHANGE, ENTRY)
        with pytest.raises(effects.Overtaken), transaction.atomic():
            found.write(None)
    assert codes(person) == {old: True}


def test_d27_the_new_code_in_what_is_valid_of_a_removed_row_is_asked_about_too() -> None:
    old, new = world.new_code(), world.new_code()
    removed = code("POISTETTU", None, None, None, **valid(*replaced(old, new)))
    assert successors(world.entry(old, removed).rows) == {new}


def test_d27_a_correction_that_comes_again_changes_nothing() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    old, new = code_of(person), world.new_code()
    apply_page(run, cohort, entry(old, *replaced(old, new)))
    apply_page(run, cohort, entry(old, *replaced(old, new)), key=300)
    assert codes(person) == {old: False, new: True}
    assert len(applied(person)) == 1


def test_d27_a_code_removed_in_vtj_that_the_register_never_had_becomes_a_former_one() -> None:
    cohort, run = world.cohort(), world.run()
    person, removed = client(into=cohort), world.new_code()
    own = code_of(person)
    apply_page(run, cohort, entry(own, *merged(removed, own)))
    assert codes(person) == {own: True, removed: False}
    assert world.open_problems(person) == set()


def test_d27_basic_data_with_another_active_code_replaces_it_and_asks_again() -> None:
    person, new = client(into=world.cohort()), world.new_code()
    old = code_of(person)
    told = entry(old, name(None, "Mallinen"), code(None, "AKTIIVI", None, new, [old]), at=None)
    answer(told, asked=[ask_of(person)])
    assert codes(person) == {old: False, new: True}
    assert fresh(person).ask == "CODE"


def test_d29_no_active_code_keeps_the_person_and_opens_a_problem() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    own = code_of(person)
    apply_page(run, cohort, entry(own, code("MUUTETTU", "PASSIIVI", own, None)))
    assert codes(person) == {own: True}
    assert world.open_problems(person) == {"NO_SUCCESSOR"}
    assert fresh(person).last_name == "Mallinen"


@pytest.mark.parametrize("pages", [1, 2])
def test_d29_the_problem_is_over_when_an_active_code_is_told(pages: int) -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    own = code_of(person)
    ended = entry(own, code("MUUTETTU", "PASSIIVI", own, None))
    active = entry(own, code("LISATTY", "AKTIIVI", own, own))
    for number, entries in enumerate([[ended, active]] if pages == 1 else [[ended], [active]]):
        apply_page(run, cohort, *entries, key=200 + number)
    assert world.open_problems(person) == set()


def test_a7_a_successor_that_the_setting_does_not_allow_is_not_used(settings: Settings) -> None:
    settings.HETU_ALLOW_TEST_CODES = False
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    own = code_of(person)
    apply_page(run, cohort, entry(own, *replaced(own, world.new_code())))
    assert codes(person) == {own: True}
    assert world.open_problems(person) == {"NO_SUCCESSOR"}


@pytest.mark.django_db(transaction=True)
def test_d27_a_second_correction_between_two_runs_is_not_passed_over(vtj: Handle) -> None:
    world.clients(vtj.codes(20))
    sync("test", wait=0)
    first = vtj.codes(1)[0]
    vtj.happen("code_changed", first)
    second = vtj.truth([first])[0]["henkilotunnus"]
    vtj.happen("code_changed", second)
    third = vtj.truth([first])[0]["henkilotunnus"]
    assert len({first, second, third}) == 3
    row = sync("test", wait=0)
    assert (row.state, row.not_found) == ("COMPLETE", 0)
    person = PersonCode.objects.get(hetu=first).person
    assert codes(person) == {first: False, second: False, third: True}


@pytest.mark.django_db(transaction=True)
def test_d28_a_new_code_that_staff_add_at_the_same_moment_is_seen_by_the_next_try() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    old, new = code_of(person), world.new_code()

    def page() -> None:
        try:
            apply_page(run, cohort, entry(old, *replaced(old, new)))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            added = persons.find_or_create([new])[new]
            waiting = pool.submit(page)
            time.sleep(0.5)
        with pytest.raises(Overtaken):
            waiting.result()
    assert codes(person) == {old: True}
    page()
    assert world.open_problems(person) == {"TWO_ENTRIES"}
    assert person.problems.get().other_id == added
