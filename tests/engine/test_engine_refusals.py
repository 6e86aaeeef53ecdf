"""A list that VTJ refuses is halved down to the codes that it refuses, and the rest goes on (domain.md B16)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from registry.hetu import Hetu
from registry.models import Person, Problem
from tests.engine import world
from tests.engine.conftest import Start
from vtjsync import tasks
from vtjsync.engine import halving
from vtjsync.engine.connection import database_now
from vtjsync.engine.refusals import DELAYS
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort, Enrolment, SyncRun
from vtjsync.simulator.server import Handle
from vtjsync.wire.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def register(start_vtj: Start) -> Handle:
    """Sixty-four clients, loaded and in one cohort."""
    vtj = start_vtj(population=64)
    world.clients(vtj.codes(64))
    assert sync("test", wait=0).state == SyncRun.State.COMPLETE
    return vtj


def speaks(vtj: Handle, code: str, language: str) -> None:
    vtj.append(code, [{"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": language}])


def person(code: str) -> Person:
    return Person.objects.get(codes__hetu=code)


def refused() -> set[str]:
    rows = Problem.objects.filter(kind="CODE_REFUSED", closed_at=None)
    return set(rows.values_list("person__codes__hetu", flat=True))


@pytest.mark.parametrize("bad", [(0,), (63,), (5, 6), (0, 17, 31, 32, 63), tuple(range(0, 64, 4))])
def test_b16_refused_codes_of_changes_are_found_and_the_rest_goes_on(register: Handle, bad: tuple[int, ...]) -> None:
    codes = register.codes(64)
    for code in codes:
        speaks(register, code, "se")
    register.refuse(codes[number] for number in bad)
    row = sync("test", wait=0)
    assert (row.state, row.problems_opened) == ("COMPLETE", len(bad))
    assert refused() == {codes[number] for number in bad}
    speaking = Person.objects.filter(language_code="se").values_list("codes__hetu", flat=True)
    assert set(speaking) == set(codes) - refused()
    assert Cohort.objects.get().cursor == register._control.world.top_key


def test_b16_a_refused_code_holds_nobody_up_in_later_runs(register: Handle) -> None:
    bad, good = register.codes(2)
    register.refuse([bad])
    sync("test", wait=0)
    speaks(register, good, "se")
    before = len(register.requests)
    assert sync("test", wait=0).state == "COMPLETE"
    assert person(good).language_code == "se"
    assert len(register.requests) == before + 1
    assert not Enrolment.objects.filter(person__codes__hetu=bad).exists()


def test_b16_it_is_asked_again_later_and_later_and_never_given_up(register: Handle) -> None:
    (bad,) = register.codes(1)
    register.refuse([bad])
    waits = []
    for _ in range(len(DELAYS) + 2):
        sync("test", wait=0)
        row = person(bad)
        assert row.ask_not_before is not None
        waits.append(row.ask_not_before - database_now())
        Person.objects.filter(pk=row.pk).update(ask_not_before=database_now() - timedelta(seconds=1))
    for wait, delay in zip(waits, [*DELAYS, DELAYS[-1], DELAYS[-1]], strict=True):
        assert delay - timedelta(minutes=1) < wait <= delay
    assert Problem.objects.get(kind="CODE_REFUSED").attempts == len(DELAYS) + 2


def test_b16_accepted_again_it_closes_by_itself_and_the_person_joins_with_new_basic_data(register: Handle) -> None:
    (bad,) = register.codes(1)
    register.refuse([bad])
    sync("test", wait=0)
    register.refuse()
    Person.objects.filter(codes__hetu=bad).update(ask_not_before=None)
    row = sync("test", wait=0)
    assert (row.state, row.received) == ("COMPLETE", 1)
    assert refused() == set()
    assert (person(bad).ask, person(bad).ask_attempts) == (None, 0)
    assert Enrolment.objects.filter(person__codes__hetu=bad).exists()


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_b16_a_first_load_with_refused_codes_loads_the_others(start_vtj: Start, count: int) -> None:
    vtj = start_vtj(population=30)
    codes = vtj.codes(30)
    world.clients(codes)
    vtj.refuse(codes[:count])
    row = sync("test", wait=0)
    assert (row.state, row.received, row.problems_opened) == ("COMPLETE", 30 - count, count)
    assert refused() == set(codes[:count])
    assert set(Person.objects.filter(status="AWAITING").values_list("codes__hetu", flat=True)) == refused()


def test_b16_a_list_of_refused_codes_only_is_told_apart_by_somebody_who_is_known(register: Handle) -> None:
    more = [world.new_code() for _ in range(7)]
    world.clients(more)
    register.refuse(more)
    row = sync("test", wait=0)
    assert (row.state, refused()) == ("COMPLETE", set(more))
    # And again when their time has come.
    Person.objects.filter(codes__hetu__in=more).update(ask_not_before=None)
    assert sync("test", wait=0).state == "COMPLETE"
    assert set(Problem.objects.values_list("attempts", flat=True)) == {2}


def test_b16_when_everything_is_refused_no_code_is_to_blame(register: Handle) -> None:
    codes = register.codes(64)
    register.refuse(codes)
    Person.objects.update(ask="VALUE")
    before = len(register.requests)
    row = sync("test", wait=0)
    assert (row.state, row.reason) == ("FAILED", "REFUSED")
    assert refused() == set()
    assert len(register.requests) - before < 40
    assert Enrolment.objects.count() == 64
    register.refuse()
    assert sync("test", wait=0).state == "COMPLETE"


def test_b16_a_cohort_of_refused_codes_only_is_empty_afterwards(start_vtj: Start, settings: Settings) -> None:
    settings.VTJ_COHORT_SIZE = 5
    vtj = start_vtj(population=10)
    world.clients(vtj.codes(10))
    sync("test", wait=0)
    first = Cohort.objects.earliest("id")
    bad = list(Enrolment.objects.filter(cohort=first).values_list("person__codes__hetu", flat=True))
    vtj.refuse(bad)
    assert sync("test", wait=0).state == "COMPLETE"
    assert refused() == set(bad)
    before = len(vtj.requests)
    assert sync("test", wait=0).state == "COMPLETE"
    assert [path for path, _ in vtj.requests[before:]] == ["muutokset"]


def test_b16_one_person_whose_code_is_refused_alone(vtj: Handle) -> None:
    (code,) = vtj.codes(1)
    world.clients([code])
    vtj.refuse([code])
    assert tasks.fetch([person(code).pk]) == 0
    assert refused() == {code}


def test_b16_a_list_that_is_only_too_long_is_asked_in_parts(register: Handle, settings: Settings) -> None:
    register.refuse(longer_than=20)
    speaks(register, register.codes(64)[-1], "se")
    Person.objects.filter(codes__hetu__in=register.codes(50)).update(ask="VALUE")
    row = sync("test", wait=0)
    assert (row.state, row.received, row.problems_opened) == ("COMPLETE", 50, 0)
    assert person(register.codes(64)[-1]).language_code == "se"


def test_b16_pages_of_parts_lose_nothing(start_vtj: Start) -> None:
    """Each part has pages of its own, and the cursor follows the one that came least far."""
    vtj = start_vtj(population=40, page=3)
    codes = vtj.codes(40)
    world.clients(codes)
    sync("test", wait=0)
    for code in codes:
        speaks(vtj, code, "se")
    vtj.refuse(longer_than=15)
    assert sync("test", wait=0).state == "COMPLETE"
    assert Person.objects.filter(language_code="se").count() == 40


@pytest.mark.parametrize("bad", [1, 7, 400])
def test_b16_halving_has_a_bound(bad: int) -> None:
    codes = [Hetu(str(number)) for number in range(4096)]
    wrong = set(codes[:: 4096 // bad])
    sent: list[int] = []

    def send(part: object) -> list[Hetu]:
        assert isinstance(part, list)
        sent.append(len(part))
        if wrong & set(part):
            raise Refused(status=400)
        return part

    found = halving.ask(codes, send, lambda: None, alone=False)
    assert len(sent) <= halving.MOST_REQUESTS
    answered = [code for part in found.answers for code in part]
    assert not wrong & set(answered)
    assert set(found.refused) <= wrong
    if bad < 100:
        assert (set(found.refused), found.error) == (wrong, None)
        assert set(answered) | wrong == set(codes)
    else:
        assert found.error is not None
