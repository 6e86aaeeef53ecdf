"""What VTJ says of somebody who is erased, or is about to be (domain.md A3, A6, D30, F44)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registry.clock import today
from registry.models import Clientship, Person, PersonCode, PersonStatus, SubjectCode
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
    entry,
    fresh,
    location_rows,
    open_problems,
)
from tests.reading.rows import ban, home, merged, name, old_home, replaced
from vtjsync.engine import changes
from vtjsync.engine.sync import sync
from vtjsync.models import Enrolment, SyncRun
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db

TOMORROW = today() + timedelta(days=1)


def erase(*persons: Person) -> None:
    """Their clientships ended yesterday, and they are erased."""
    Clientship.objects.filter(person__in=persons).update(end=today() - timedelta(days=1))
    erasure.run(clerk, today())
    assert not Person.objects.filter(pk__in=[one.pk for one in persons]).exists()


def test_a6_basic_data_that_was_asked_for_before_the_erasure_is_dropped() -> None:
    cohort = world.cohort()
    person, other = client(into=cohort), client(into=cohort)
    told = [entry(one, name(None, "Uusinen"), home(None), at=None) for one in (person, other)]
    asked = [ask_of(one) for one in (person, other)]
    erase(person)
    counts = answer(*told, asked=asked)
    assert counts["received"] == 1
    assert Person.objects.get() == other
    assert fresh(other).last_name == "Uusinen"


def test_a3_an_answer_from_before_the_erasure_is_not_for_who_has_come_back() -> None:
    cohort = world.cohort()
    person = client(None)
    told, asked = entry(person, name(None, "Uusinen"), home(None), at=None), ask_of(person)
    erase(person)
    again = client(None, code=asked.code)
    answer(told, asked=[asked], into=cohort)
    assert (fresh(again).status, fresh(again).last_name) == (PersonStatus.AWAITING, None)
    assert not Enrolment.objects.exists()
    answer(told, asked=[ask_of(again)], into=cohort)
    assert (fresh(again).status, fresh(again).last_name) == (PersonStatus.CURRENT, "Uusinen")


def test_f44_a_late_entry_of_somebody_erased_is_dropped_and_counted() -> None:
    cohort, run = world.cohort(), world.run()
    person, other = client(into=cohort), client(into=cohort)
    code = code_of(person)
    erase(person)
    late = entry(code, name("LISATTY"), home("LISATTY"), *replaced(code, world.new_code()))
    apply_page(run, cohort, late, entry(other, name("LISATTY")))
    assert Person.objects.get() == other
    assert PersonCode.objects.get().person == other
    assert SubjectCode.objects.count() == 0
    run.close()
    assert SyncRun.objects.get().entries_unknown == 1


def test_f44_a_late_entry_is_not_for_who_has_come_back_either() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    code = code_of(person)
    erase(person)
    again = client(None, code=code)
    apply_page(run, cohort, entry(code, name("LISATTY"), home("LISATTY")))
    assert (fresh(again).status, fresh(again).last_name, fresh(again).version) == ("AWAITING", None, 0)


def test_f44_when_the_end_has_passed_the_code_is_in_no_request() -> None:
    cohort = world.cohort()
    ended, open_, ends_today = client(into=cohort), client(into=cohort), client(into=cohort)
    Clientship.objects.filter(person=ended).update(end=today() - timedelta(days=1))
    Clientship.objects.filter(person=ends_today).update(end=today())
    assert changes.leave_the_list(cohort.pk) == 1
    assert changes.codes_of(cohort.pk) == [code_of(open_), code_of(ends_today)]


@pytest.mark.django_db(transaction=True)
def test_f44_of_somebody_erased_no_request_tells_the_code(vtj: Handle) -> None:
    world.clients(vtj.codes(6))
    sync("test", wait=0)
    gone, stays = PersonCode.objects.order_by("pk").values_list("hetu", flat=True)[:2]
    erase(PersonCode.objects.get(hetu=gone).person)
    vtj.happen("name_changed", gone)
    before = len(vtj.requests)
    assert sync("test", wait=0).state == "COMPLETE"
    sent = [str(request) for request in vtj.requests[before:]]
    assert not [request for request in sent if gone in request]
    assert [request for request in sent if stays in request]


def test_d30_the_other_entry_of_somebody_erased_is_asked_about_anew() -> None:
    """Its own code may be the one that was replaced: nothing more would ever be heard under it."""
    cohort, run = world.cohort(), world.run()
    stays, goes, nobody = client(into=cohort), client(into=cohort), client(into=cohort)
    old, new = code_of(stays), code_of(goes)
    apply_page(run, cohort, entry(stays, *replaced(old, new)))
    Person.objects.update(ask=None)
    version = fresh(stays).version
    erase(goes)
    assert open_problems(stays) == set()
    assert (fresh(stays).ask, fresh(stays).version) == ("CODE", version + 1)
    assert fresh(nobody).ask is None
    answer(entry(old, name(None), *replaced(old, new), at=None), asked=[ask_of(stays)])
    assert code_of(stays) == new


def test_d30_a_more_pressing_mark_of_the_other_entry_stays() -> None:
    cohort, run = world.cohort(), world.run()
    stays, goes = client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(stays, *merged(code_of(goes), code_of(stays))))
    Person.objects.filter(pk=stays.pk).update(ask="BAN", ask_urgent=True, ask_not_before=run_later())
    erase(goes)
    row = fresh(stays)
    assert (row.ask, row.ask_urgent, row.ask_not_before) == ("BAN", True, None)


def run_later() -> object:
    return world.sent().database + timedelta(days=1)


def test_d30_who_was_protected_with_the_other_entry_stays_so_when_that_is_erased() -> None:
    cohort, run = world.cohort(), world.run()
    stays, goes = client(into=cohort), client(PROTECTED, into=cohort)
    apply_page(run, cohort, entry(stays, *merged(code_of(goes), code_of(stays))))
    assert fresh(stays).protected
    erase(goes)
    assert fresh(stays).protected
    assert location_rows(stays) == 0


def test_d30_both_entries_may_be_erased_at_once() -> None:
    cohort, run = world.cohort(), world.run()
    one, other = client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(one, *merged(code_of(other), code_of(one))))
    erase(one, other)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_d30_of_three_entries_of_one_person_a_ban_of_any_protects_all(first: int) -> None:
    cohort, run = world.cohort(), world.run()
    three = [client(into=cohort) for _ in range(3)]
    surviving, *removed = three
    own = code_of(surviving)
    for page, one in enumerate(removed):
        apply_page(run, cohort, entry(surviving, *merged(code_of(one), own)), key=110 + page)
    apply_page(run, cohort, entry(three[first], home("LISATTY"), old_home("MUUTETTU")), key=120)
    apply_page(run, cohort, entry(three[first], ban("LISATTY")), key=130)
    assert [fresh(one).protected for one in three] == [True] * 3
    assert [location_rows(one) for one in three] == [0] * 3
    for one in three:
        apply_page(run, cohort, entry(one, ban("MUUTETTU", False), home("LISATIETO")), key=140 + one.pk)
    assert [fresh(one).protected for one in three] == [True] * 3
