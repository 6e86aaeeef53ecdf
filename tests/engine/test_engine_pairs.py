"""Two entries of one person: domain.md D30, against the database and over HTTP to the simulator."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction

from registry.models import Clientship, Person, PersonCode, PersonStatus, Problem
from registry.models.person import LOCATION_COLUMNS
from registry.services import erasure
from tests.cast import clerk
from tests.engine import world
from tests.engine.world import (
    PROTECTED,
    answer,
    apply_page,
    ask_of,
    client,
    code_of,
    codes_of,
    entry,
    fresh,
)
from tests.reading.rows import ABROAD, RECORD, ban, code, home, merged, municipality, name, old_home, replaced
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db

SAME = (name(None, "Mallinen"), ban(None, False), old_home(None, end=None), municipality(None, "091", "2010-05-01"))


def chain(cohort: Cohort, length: int = 3) -> list[Person]:
    """So many entries of which each is found to be the same person as the next."""
    run = world.run()
    those = [client(into=cohort) for _ in range(length)]
    told = (entry(one, *replaced(code_of(one), code_of(other))) for one, other in pairwise(those))
    apply_page(run, cohort, *told)
    run.close()
    return those


def told_alone(person: Person) -> dict[str, int]:
    """Basic data of the person that names the own code as the active one, and no other."""
    own = code(None, "AKTIIVI", code_of(person), code_of(person), [])
    return answer(entry(person, *SAME, own, at=None), asked=[ask_of(person)])


def protect_alone(person: Person) -> None:
    """What no code of ours does, up to the check that is made at the end of a transaction."""
    Person.objects.filter(pk=person.pk).update(protected=True, **dict.fromkeys(LOCATION_COLUMNS))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_d30_a_code_of_another_entry_opens_a_problem_on_both_and_merges_nothing() -> None:
    cohort, run = world.cohort(), world.run()
    one, other = client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(one, *replaced(code_of(one), code_of(other))))
    assert world.open_problems(one) == world.open_problems(other) == {"TWO_ENTRIES"}
    assert one.problems.get().other == other
    assert [person.problems.get().survives for person in (one, other)] == [False, True]
    assert len(codes_of(one)) == len(codes_of(other)) == 1
    assert world.location_rows(one) == world.location_rows(other) == 1


def test_d27_of_two_codes_found_to_be_one_person_the_surviving_one_is_told() -> None:
    cohort, run = world.cohort(), world.run()
    one, other = client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(one, *merged(code_of(other), code_of(one))))
    assert [person.problems.get().survives for person in (one, other)] == [True, False]


def test_d30_both_are_protected_and_emptied_if_either_is() -> None:
    cohort, run = world.cohort(), world.run()
    one, other = client(replace(RECORD, foreign=frozenset({ABROAD})), into=cohort), client(PROTECTED, into=cohort)
    apply_page(run, cohort, entry(one, home("LISATTY"), old_home("MUUTETTU")), key=150)
    apply_page(run, cohort, entry(one, *replaced(code_of(one), code_of(other))), key=160)
    assert fresh(one).protected
    assert world.location_rows(one) == 0


def test_d30_a_ban_of_one_of_two_entries_protects_the_other_and_no_end_frees_either() -> None:
    cohort, run = world.cohort(), world.run()
    one, other = client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(one, *merged(code_of(other), code_of(one))), key=150)
    apply_page(run, cohort, entry(one, ban("LISATTY")), key=160)
    assert fresh(one).protected
    assert fresh(other).protected
    apply_page(run, cohort, entry(one, ban("MUUTETTU", False), home("LISATIETO")), key=170)
    assert fresh(one).protected
    assert world.location_rows(one) == 0


@pytest.mark.parametrize("banned", range(4))
def test_d30_a_ban_of_any_of_many_that_hang_together_protects_them_all(banned: int) -> None:
    cohort = world.cohort()
    those = chain(cohort, 4)
    assert {len(world.open_problems(person)) for person in those} == {1}
    assert Problem.objects.filter(kind="TWO_ENTRIES", closed_at=None).count() == 6
    apply_page(world.run(), cohort, entry(those[banned], ban("LISATTY")), key=300)
    assert all(fresh(person).protected for person in those)
    assert sum(map(world.location_rows, those)) == 0


def test_d30_somebody_who_is_added_by_another_code_of_a_protected_person_is_protected_with_the_first_answer() -> None:
    cohort = world.cohort()
    known, new = client(PROTECTED, into=cohort), client(None)
    told = code(None, "AKTIIVI", code_of(new), code_of(new), [code_of(known)])
    answer(entry(new, *SAME, told, at=None), asked=[ask_of(new)], into=cohort)
    assert world.open_problems(new) == world.open_problems(known) == {"TWO_ENTRIES"}
    row = fresh(new)
    assert (row.status, row.last_name, row.protected) == (PersonStatus.CURRENT, "Mallinen", True)
    assert world.location_rows(new) == 0


def test_d30_what_was_asked_before_the_pair_was_known_counts_for_neither() -> None:
    cohort, run = world.cohort(), world.run()
    one, other = client(into=cohort), client(into=cohort)
    early = ask_of(other)
    apply_page(run, cohort, entry(one, *replaced(code_of(one), code_of(other))))
    own = code(None, "AKTIIVI", code_of(other), code_of(other), [])
    assert answer(entry(other, *SAME, own, at=None), asked=[early]).get("received", 0) == 0
    assert other.problems.get().apart_at is None


def test_d30_the_database_refuses_a_pair_of_which_one_is_protected() -> None:
    for person in chain(world.cohort(), 2):
        with pytest.raises(IntegrityError), transaction.atomic():
            protect_alone(person)
    assert not Person.objects.filter(protected=True).exists()


@pytest.mark.parametrize("what", [{"other": None}, {"pair_protected": None}])
def test_d30_the_database_refuses_half_a_pair(what: dict[str, None]) -> None:
    one, _other = chain(world.cohort(), 2)
    with pytest.raises(IntegrityError), transaction.atomic():
        one.problems.update(**what)


def test_d30_e34_the_day_on_which_an_address_would_end_goes_too() -> None:
    cohort, run = world.cohort(), world.run()
    one, other = client(into=cohort), client(into=cohort)
    moved = (home("LISATTY", end="2026-05-01"), old_home("MUUTETTU"))
    apply_page(run, cohort, entry(one, *replaced(code_of(one), code_of(other))), entry(other, *moved), key=150)
    assert fresh(other).recheck_on is not None
    apply_page(run, cohort, entry(one, ban("LISATTY")), key=160)
    assert fresh(other).recheck_on is None
    apply_page(run, cohort, entry(other, ban("MUUTETTU", False), home("LISATIETO", end="2026-05-01")), key=170)
    assert (fresh(other).protected, fresh(other).recheck_on) == (True, None)


def test_d30_nobody_else_waits() -> None:
    cohort, run = world.cohort(), world.run()
    one, other, third = client(into=cohort), client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(one, *replaced(code_of(one), code_of(other))), entry(third, name("LISATTY")))
    assert fresh(third).last_name == "Uusinen"


def test_d30_the_pair_closes_when_basic_data_speaks_of_each_as_of_a_person_alone() -> None:
    one, other = chain(world.cohort(), 2)
    told_alone(one)
    assert world.open_problems(one) == {"TWO_ENTRIES"}
    told_alone(other)
    assert world.open_problems(one) == world.open_problems(other) == set()


def test_d30_a_pair_of_which_vtj_speaks_again_is_not_half_closed() -> None:
    cohort = world.cohort()
    one, other = chain(cohort, 2)
    told_alone(one)
    apply_page(world.run(), cohort, entry(one, *replaced(code_of(one), code_of(other))), key=300)
    told_alone(other)
    assert world.open_problems(one) == {"TWO_ENTRIES"}


def test_d30_changes_that_speak_of_each_alone_close_no_pair() -> None:
    """An entry tells what changed, and not what else is so: only basic data does (docs/adr/0012)."""
    cohort = world.cohort()
    one, other = chain(cohort, 2)
    alone = [entry(each, code("LISATTY", "AKTIIVI", code_of(each), code_of(each), [])) for each in (one, other)]
    apply_page(world.run(), cohort, *alone, key=300)
    assert world.open_problems(one) == world.open_problems(other) == {"TWO_ENTRIES"}
    told_alone(one)
    assert world.open_problems(one) == {"TWO_ENTRIES"}


def test_d30_an_answer_that_speaks_both_ways_closes_no_pair() -> None:
    one, other = chain(world.cohort(), 2)
    told_alone(other)
    opened = one.problems.get().pk
    alone = entry(one, *SAME, code(None, "AKTIIVI", code_of(one), code_of(one), []), at=None)
    named = entry(other, *SAME, code(None, "AKTIIVI", code_of(other), code_of(other), [code_of(one)]), at=None)
    answer(alone, named, asked=[ask_of(one), ask_of(other)])
    assert one.problems.get(closed_at=None).pk == opened


def test_d30_silence_about_the_codes_closes_no_pair() -> None:
    one, other = chain(world.cohort(), 2)
    for person in (one, other):
        answer(entry(person, *SAME, at=None), asked=[ask_of(person)])
    assert world.open_problems(one) == {"TWO_ENTRIES"}


def test_d30_who_was_protected_for_the_others_sake_is_asked_when_the_pair_is_closed() -> None:
    cohort = world.cohort()
    one, other = chain(cohort, 2)
    apply_page(world.run(), cohort, entry(one, ban("LISATTY")), key=300)
    told_alone(one)
    told_alone(other)
    assert (fresh(other).protected, fresh(other).ask) == (True, "BAN")
    told_alone(other)
    assert (fresh(other).protected, fresh(other).home_street_fi) == (False, "Vanhatie")


def test_d30_who_was_protected_for_the_sake_of_somebody_erased_is_asked(
    django_capture_on_commit_callbacks: object,
) -> None:
    cohort = world.cohort()
    one, other = chain(cohort, 2)
    apply_page(world.run(), cohort, entry(one, ban("LISATTY")), key=300)
    Clientship.objects.filter(person=one).update(end=date(2020, 2, 1))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        erasure.run(clerk, date(2026, 1, 1))
    assert not Person.objects.filter(pk=one.pk).exists()
    assert world.open_problems(other) == set()
    assert (fresh(other).protected, fresh(other).ask is not None) == (True, True)


@pytest.mark.django_db(transaction=True)
def test_d30_two_codes_that_vtj_finds_to_be_one_person(vtj: Handle) -> None:
    world.clients(vtj.codes())
    sync("test", wait=0)
    surviving = vtj.happen("codes_merged", next(one["henkilotunnus"] for one in vtj.truth() if not one["turvakielto"]))
    (removed,) = vtj.truth([surviving])[0]["edelliset_henkilotunnukset"]
    assert sync("test", wait=0).state == "COMPLETE"
    one, other = (PersonCode.objects.get(hetu=hetu).person for hetu in (surviving, removed))
    assert one != other
    assert one.problems.get(closed_at=None).survives
    assert world.open_problems(other) == {"TWO_ENTRIES"}
    vtj.happen("ban_started_with_move" if fresh(one).home_street_fi else "ban_started_alone", surviving)
    sync("test", wait=0)
    assert fresh(one).protected
    assert fresh(other).protected
    assert world.location_rows(one) == world.location_rows(other) == 0


@pytest.mark.django_db(transaction=True)
def test_d30_a_code_that_was_added_before_vtj_told_whose_it_is(vtj: Handle) -> None:
    codes = vtj.codes(20)
    world.clients(codes)
    sync("test", wait=0)
    old = next(one["henkilotunnus"] for one in vtj.truth(codes) if not (one["turvakielto"] or one["kuollut"]))
    vtj.happen("code_changed", old)
    new = vtj.truth([old])[0]["henkilotunnus"]
    world.clients([new])
    vtj.happen("ban_started_alone", new)
    assert sync("test", wait=0).state == "COMPLETE"
    one, other = (PersonCode.objects.get(hetu=hetu).person for hetu in (old, new))
    assert one != other
    assert "TWO_ENTRIES" in world.open_problems(one) & world.open_problems(other)
    assert (fresh(other).status, fresh(other).protected, fresh(one).protected) == ("CURRENT", True, True)
    assert world.location_rows(one) == world.location_rows(other) == 0
    # And everybody else is as up to date as ever.
    assert Person.objects.filter(problems=None).exclude(status="CURRENT").count() == 0
