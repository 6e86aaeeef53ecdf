"""What VTJ's answers do to who sees a client: hand-overs, and clients who were added by hand (domain.md E38)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registry import policies
from registry.clock import today
from registry.models import Clientship, Person, Problem, Service, Unit, User
from registry.policies import create_roles
from registry.services import clients
from tests.cast import access
from tests.engine import world
from tests.engine.world import answer, apply_page, ask_of, client, entry, fresh, new_code, open_problems
from tests.factories import ServiceFactory, UserFactory
from tests.reading.rows import ENTRY, ban, home, merged, municipality, name
from vtjsync.engine.effects import Overtaken

pytestmark = pytest.mark.django_db

PLAIN = (name(None, "Mallinen"), ban(None, False), home(None), municipality(None, "091", "2010-05-01"))
BANNED = (name(None, "Mallinen"), ban(None))


@pytest.fixture
def theirs() -> Service:
    world.service()
    return ServiceFactory.create(unit__code="B")  # type: ignore[no-any-return]


@pytest.fixture
def celia(theirs: Service) -> User:
    """A caseworker of unit B, where the persons are not clients yet."""
    create_roles()
    return UserFactory.create(roles=["caseworker"], units=[theirs.unit])  # type: ignore[no-any-return]


def sees(user: User, person: Person) -> bool:
    return policies.persons(access(user)).filter(pk=person.pk).exists()


def units(person: Person) -> set[str]:
    rows = Problem.objects.filter(person=person, kind="HANDOVER", closed_at=None)
    return set(rows.values_list("unit__code", flat=True))


def test_e38_a_ban_in_a_page_of_changes_hands_the_client_over_and_its_end_takes_that_back() -> None:
    cohort, run = world.cohort(), world.run()
    person, other = client(into=cohort), client(into=cohort)
    apply_page(run, cohort, entry(person, ban("LISATTY")), key=150)
    assert (units(person), units(other)) == ({"A"}, set())
    later = ENTRY + timedelta(hours=1)
    apply_page(run, cohort, entry(person, ban("MUUTETTU", False), at=later), key=160)
    assert not fresh(person).protected
    assert units(person) == set()


def test_e38_a_page_that_is_dropped_hands_nobody_over() -> None:
    cohort, run = world.cohort(), world.run()
    person = client(into=cohort)
    with pytest.raises(Overtaken):
        apply_page(run, cohort, entry(person, ban("LISATTY")), asked_with=1)
    assert open_problems(person) == set()


def test_e38_first_basic_data_of_a_list_hands_nobody_over() -> None:
    person = client(None)
    answer(entry(person, *BANNED, at=None), asked=[ask_of(person)])
    assert fresh(person).protected
    assert units(person) == set()


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("banned", [False, True])
def test_e38_who_was_added_by_hand_is_seen_when_vtj_has_answered(
    celia: User, theirs: Service, *, known: bool, banned: bool
) -> None:
    code = new_code()
    if known:
        client(code=code)
    made = clients.add(access(celia), hetu=code, service=theirs, start=today())
    person = fresh(made.person)
    assert not sees(celia, person)
    rows = BANNED if banned else PLAIN
    answer(entry(person, *rows, at=None), asked=[ask_of(person)])
    assert Clientship.objects.get(pk=made.pk).awaits_since is None
    assert sees(celia, person) is not banned
    assert units(person) == (({"A", "B"} if known else {"B"}) if banned else set())


def test_e38_an_answer_to_an_earlier_question_is_no_answer(celia: User, theirs: Service) -> None:
    person = client()
    before = ask_of(person)
    made = clients.add(access(celia), hetu=world.code_of(person), service=theirs, start=today())
    answer(entry(person, *PLAIN, at=None), asked=[before])
    assert not sees(celia, person)
    answer(entry(person, *PLAIN, at=None), asked=[ask_of(person)])
    assert sees(celia, fresh(made.person))


def test_e38_who_is_not_found_has_been_answered_about(celia: User, theirs: Service) -> None:
    for known in (False, True):
        code = new_code()
        if known:
            client(code=code)
        person = clients.add(access(celia), hetu=code, service=theirs, start=today()).person
        answer(asked=[ask_of(person)])
        assert fresh(person).status == "NOT_FOUND"
        assert sees(celia, person)


def test_a1_before_the_first_day_nobody_is_seen(celia: User, theirs: Service) -> None:
    person = client()
    clients.add(access(celia), hetu=world.code_of(person), service=theirs, start=today() + timedelta(days=1))
    answer(entry(person, *PLAIN, at=None), asked=[ask_of(person)])
    assert not sees(celia, person)


def test_d30_the_other_entry_of_a_pair_is_handed_over_too() -> None:
    cohort, run = world.cohort(), world.run()
    person, other = client(into=cohort), client(into=cohort)
    unit, _ = Unit.objects.get_or_create(code="B", defaults={"name_fi": "B"})
    Clientship.objects.filter(person=other).update(service=ServiceFactory.create(unit=unit))
    apply_page(run, cohort, entry(person, *merged(world.code_of(other), world.code_of(person))), key=150)
    later = ENTRY + timedelta(hours=1)
    apply_page(run, cohort, entry(person, ban("LISATTY"), at=later), key=160)
    assert (units(person), units(other)) == ({"A"}, {"B"})
