"""A merge beside whatever else may happen at that moment, and its way to VTJ and back (domain.md D30, E34, B12, F43).

Never a location under a ban, never a lost clientship.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import Settings

from registry.clock import today
from registry.models import TASKS, Clientship, EndReason, ErasureReceipt, Person, PersonCode, Problem, Service
from registry.services import clients, erasure, imports, merging, vtj_data
from registry.services.errors import Refused
from tests.cast import clerk
from tests.engine import world
from tests.engine.races import overtaking
from tests.engine.truth import differences
from tests.engine.world import answer, apply_page, ask_of, client, code_of, codes_of, entry, fresh
from tests.reading.rows import ABROAD, RECORD, ban, home, merged, municipality, name, old_home
from vtjsync import tasks
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)

SAME = (name(None, "Mallinen"), ban(None, False), old_home(None, end=None), municipality(None, "091", "2010-05-01"))
SHOWN = replace(RECORD, foreign=frozenset({ABROAD}))


class Two:
    """Two entries of one person, of the same cohort or of two, with an own clientship each."""

    def __init__(self, *, cohorts: int = 1) -> None:
        self.cohort = world.cohort()
        self.theirs = world.cohort() if cohorts == 2 else self.cohort
        self.survivor, self.other = client(SHOWN, into=self.cohort), client(SHOWN, into=self.theirs)
        self.code, self.old = code_of(self.survivor), code_of(self.other)
        another = Service.objects.create(code="TOINEN", name_fi="Toinen", kind="X", unit=world.service().unit)
        Clientship.objects.filter(person=self.other).update(service=another)
        self.clientships = set(Clientship.objects.values_list("pk", flat=True))
        self.run = world.run()
        apply_page(self.run, self.cohort, entry(self.survivor, *merged(self.old, self.code)), key=150)
        self.survivor, self.other = fresh(self.survivor), fresh(self.other)
        subjects = (self.survivor.subject, self.other.subject)
        token = merging.plan(clerk, *subjects).token
        self.merge: Callable[[], object] = lambda: merging.merge(clerk, *subjects, token)

    def settled(self) -> None:
        """What holds after a merge, whatever came in between."""
        assert list(Person.objects.values_list("pk", flat=True)) == [self.survivor.pk]
        assert codes_of(self.survivor) == {self.code: True, self.old: False}
        assert set(Clientship.objects.filter(person=self.survivor).values_list("pk", flat=True)) == self.clientships

    def hidden(self) -> None:
        """No location under a ban: it is gone, or it is hidden until the basic data that is asked has come."""
        row = fresh(self.survivor)
        assert row.protected or (row.location_hidden and row.ask_urgent)
        assert not row.protected or world.location_rows(self.survivor) == 0
        told = (name(None, "Mallinen"), ban(None))
        answer(entry(self.survivor, *told, at=None), asked=[ask_of(self.survivor)])
        assert fresh(self.survivor).protected
        assert world.location_rows(self.survivor) == 0


def in_either_order(one: Callable[[], object], other: Callable[[], object], order: str) -> BaseException | None:
    return overtaking(one, other) if order == "merge first" else overtaking(other, one)


either_order = pytest.mark.parametrize("order", ["merge first", "merge second"])


@either_order
@pytest.mark.parametrize("cohorts", [1, 2])
@pytest.mark.parametrize("under", ["code", "old"])
def test_e34_a_page_with_a_ban_under_either_code(order: str, cohorts: int, under: str) -> None:
    two = Two(cohorts=cohorts)
    of, where = getattr(two, under), two.cohort if under == "code" else two.theirs
    told = entry(of, ban("LISATTY"), home("LISATTY"), old_home("MUUTETTU"))
    error = in_either_order(two.merge, lambda: apply_page(two.run, where, told, key=300), order)
    if order == "merge second":
        # The ban came first: what was shown before is not what would be done now.
        assert isinstance(error, Refused)
        assert all(fresh(person).protected for person in (two.survivor, two.other))
        token = merging.plan(clerk, two.survivor.subject, two.other.subject).token
        merging.merge(clerk, two.survivor.subject, two.other.subject, token)
    else:
        assert error is None
    two.settled()
    two.hidden()


@either_order
@pytest.mark.parametrize("of", ["survivor", "other"])
def test_b12_basic_data_that_was_asked_before_the_merge(order: str, of: str) -> None:
    two = Two()
    person: Person = getattr(two, of)
    told, asked = entry(person, *SAME, at=None), [ask_of(person)]
    assert in_either_order(two.merge, lambda: answer(told, asked=asked), order) is None
    two.settled()
    assert fresh(two.survivor).ask is not None
    two.hidden()


@either_order
@pytest.mark.parametrize("of", ["survivor", "other"])
def test_f43_the_erasure_of_one_of_the_two(order: str, of: str, settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_LEDGER = tmp_path / "ledger.jsonl"
    two = Two()
    due: Person = getattr(two, of)
    Clientship.objects.filter(person=due).update(end=date(2020, 2, 1))
    two.merge = lambda: merging.merge(clerk, *subjects, token)
    subjects = (two.survivor.subject, two.other.subject)
    token = merging.plan(clerk, *subjects).token
    error = in_either_order(two.merge, lambda: erasure.run(clerk, today()), order)
    stays = Clientship.objects.get(end=None)
    if order == "merge first":
        assert error is None
        assert stays.person == two.survivor
        assert not ErasureReceipt.objects.filter(whole_person=True).exists()
        assert codes_of(two.survivor) == {two.code: True, two.old: False}
    else:
        assert isinstance(error, Refused | PermissionDenied)
        assert list(Person.objects.all()) == [stays.person]
        assert ErasureReceipt.objects.get().whole_person
        assert not Problem.objects.exists()


def test_d30_another_merge_of_the_same_two() -> None:
    two = Two()
    assert isinstance(overtaking(two.merge, two.merge), Refused)
    two.settled()


def test_d30_a_merge_with_a_third_of_the_same_person() -> None:
    two = Two()
    third = client(SHOWN, into=two.cohort)
    kept = Clientship.objects.get(person=third).pk
    Clientship.objects.filter(pk=kept).update(start=date(2019, 1, 1), end=date(2019, 12, 31))
    apply_page(two.run, two.cohort, entry(two.survivor, *merged(code_of(third), two.code)), key=170)
    subjects = (two.survivor.subject, third.subject)
    token = merging.plan(clerk, *subjects).token
    error = overtaking(two.merge, lambda: merging.merge(clerk, *subjects, token))
    if error is not None:
        assert isinstance(error, Refused)
        merging.merge(clerk, *subjects, merging.plan(clerk, *subjects).token)
    assert Person.objects.get() == two.survivor
    assert set(Clientship.objects.values_list("pk", flat=True)) == two.clientships | {kept}


@either_order
def test_d28_a_clientship_that_is_added_by_the_old_code(order: str) -> None:
    two = Two()
    more = Service.objects.create(code="KOLMAS", name_fi="Kolmas", kind="X", unit=world.service().unit)
    error = in_either_order(
        two.merge, lambda: clients.add(clerk, hetu=two.old, service=more, start=date(2026, 1, 1)), order
    )
    if order == "merge second":
        assert isinstance(error, Refused)
        assert Clientship.objects.get(service=more).person == two.other
    else:
        assert error is None
        assert Clientship.objects.get(service=more).person == two.survivor
    assert Clientship.objects.filter(pk__in=two.clientships).count() == 2


@either_order
def test_f42_the_end_of_a_clientship_that_is_moved(order: str) -> None:
    two = Two()
    stale = Clientship.objects.get(person=two.other)
    error = in_either_order(two.merge, lambda: clients.end(clerk, stale, end=today(), reason=EndReason.MOVED), order)
    assert error is None if order == "merge first" else isinstance(error, Refused)
    assert Clientship.objects.get(pk=stale.pk).end == today()


def test_f42_a_clientship_that_was_moved_is_locked_by_the_person_it_has_now() -> None:
    two = Two()
    stale = Clientship.objects.get(person=two.other)
    two.merge()
    end = partial(clients.end, clerk, stale, end=today(), reason=EndReason.MOVED)
    assert overtaking(lambda: vtj_data.lock([two.survivor.pk]), end) is None


@either_order
def test_outside_a_list_that_names_the_old_code(order: str) -> None:
    two = Two()
    lines = f"henkilotunnus;palvelu;alkupaiva\n{two.old};KOTI;2026-01-01\n"
    error = in_either_order(two.merge, lambda: imports.run(clerk, io.BytesIO(lines.encode()), day=today()), order)
    assert error is None or isinstance(error, Refused)
    owners = set(Clientship.objects.values_list("person", flat=True))
    assert owners <= set(Person.objects.values_list("pk", flat=True))
    assert Clientship.objects.filter(pk__in=two.clientships).count() == 2


def test_d30_two_entries_that_vtj_found_to_be_one_are_merged_and_kept_true(vtj: Handle, tmp_path: Path) -> None:
    world.clients(vtj.codes())
    sync("test", wait=0)
    living = (one["henkilotunnus"] for one in vtj.truth() if not (one["turvakielto"] or one["kuollut"]))
    surviving = vtj.happen("codes_merged", next(living))
    (removed,) = vtj.truth([surviving])[0]["edelliset_henkilotunnukset"]
    sync("test", wait=0)
    one, other = (PersonCode.objects.get(hetu=hetu).person for hetu in (removed, surviving))
    token = merging.plan(clerk, one.subject, other.subject).token
    assert merging.merge(clerk, one.subject, other.subject, token) == other.subject
    assert fresh(other).location_hidden
    assert tasks.fetch([other.pk]) == 1
    assert (fresh(other).location_hidden, fresh(other).ask) == (False, None)
    vtj.happen("name_changed", surviving)
    vtj.advance(2)
    assert sync("test", wait=0).state == "COMPLETE"
    assert Cohort.objects.filter(enrolments__person=other).count() == 1
    assert differences(vtj, tmp_path) == []
    assert not Problem.objects.filter(closed_at=None).exclude(kind__in=("TWO_ENTRIES", *TASKS)).exists()
    assert Clientship.objects.filter(person=other).count() == 1
    assert today() - Clientship.objects.get(person=other).start > timedelta()
