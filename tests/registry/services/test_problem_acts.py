"""What staff do about a problem, and a name of a list that is not VTJ's (domain.md A4, F43, H52, H55; outside.md)."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from registry.clock import today
from registry.hetu import Hetu
from registry.models import (
    AuditEvent,
    Clientship,
    DataPermit,
    ErasureReceipt,
    Person,
    PersonStatus,
    Problem,
    ProblemKind,
    Service,
    User,
)
from registry.problem_kinds import KINDS
from registry.services import erasure, imports, mismatches, name_check, problem_acts, vtj_data
from registry.services.errors import Refused
from registry.services.mismatches import Way
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, PersonFactory, ProblemFactory, code_of, new_code, pair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


def last_event() -> tuple[str, list[object]]:
    event = AuditEvent.objects.latest("pk")
    return event.action, event.subjects


@pytest.fixture
def lost(service_a: Service) -> Problem:
    """A client of unit A whom VTJ does not find, and is asked about in six hours."""
    later = timezone.now() + timedelta(hours=6)
    person = PersonFactory.create(status="NOT_FOUND", ask="VALUE", ask_not_before=later, ask_attempts=2)
    ClientshipFactory.create(person=person, service=service_a)
    return ProblemFactory.create(person=person)


def test_every_kind_has_its_words() -> None:
    assert set(KINDS) == set(ProblemKind)


def test_a4_vtj_is_asked_again_now(aino: User, lost: Problem) -> None:
    before = lost.person.version
    problem_acts.ask_again(access(aino), lost)
    person = Person.objects.get(pk=lost.person_id)
    assert (person.ask, person.ask_not_before, person.ask_attempts) == ("VALUE", None, 0)
    assert person.version > before
    assert OrmQ.objects.count() == 1
    assert last_event() == ("ASK_AGAIN", [person.subject])
    assert Problem.objects.get().closed_at is None


def test_d30_of_two_entries_both_are_asked(daniel: User, service_a: Service) -> None:
    one = ClientshipFactory.create(service=service_a).person
    other = ClientshipFactory.create().person
    problem, _ = pair(one, other)
    problem_acts.ask_again(access(daniel), problem)
    assert set(Person.objects.exclude(ask=None)) == {one, other}


@pytest.mark.parametrize("why", ["no clientship in force", "no permit"])
def test_a1_a2_nobody_is_asked_about_who_must_not_be(aino: User, lost: Problem, why: str) -> None:
    if why == "no permit":
        DataPermit.objects.update(valid_to=today() - timedelta(days=1))
    else:
        Clientship.objects.update(end=today() - timedelta(days=1))
    with pytest.raises(Refused):
        problem_acts.ask_again(access(aino), lost)
    assert Person.objects.get().ask_not_before is not None
    assert not OrmQ.objects.exists()


def test_a_note_sets_a_problem_aside_and_settles_nothing(aino: User, lost: Problem) -> None:
    problem_acts.set_aside(access(aino), lost, "  Kysytty asiakkaalta ")
    problem = Problem.objects.get()
    assert (problem.note, problem.handled_by, problem.closed_at) == ("Kysytty asiakkaalta", aino, None)
    assert problem.handled_at is not None
    assert last_event() == ("SET_ASIDE", [lost.person.subject])
    assert "Kysytty" not in str(AuditEvent.objects.latest("pk").details)


@pytest.mark.parametrize("kind", ["NAME_MISMATCH", "TWO_ENTRIES"])
def test_what_hides_data_or_protects_is_not_set_aside_with_a_note(daniel: User, service_a: Service, kind: str) -> None:
    person = ClientshipFactory.create(service=service_a).person
    other = PersonFactory.create()
    problem = pair(person, other)[0] if kind == "TWO_ENTRIES" else ProblemFactory.create(person=person, kind=kind)
    with pytest.raises(Refused):
        problem_acts.set_aside(access(daniel), problem, "Tehty")
    with pytest.raises(Refused):
        problem_acts.set_aside(access(daniel), ProblemFactory.create(person=person), "  ")


def test_h52_e38_whose_problems_one_acts_on(aino: User, celia: User, bertta: User, daniel: User, lost: Problem) -> None:
    for user in (celia, bertta):
        with pytest.raises(PermissionDenied):
            problem_acts.set_aside(access(user), lost, "x")
        with pytest.raises(PermissionDenied):
            problem_acts.ask_again(access(user), lost)
    Person.objects.update(protected=True)
    with pytest.raises(PermissionDenied):
        problem_acts.ask_again(access(aino), lost)
    problem_acts.ask_again(access(daniel), lost)


def test_what_the_engine_closed_meanwhile_is_not_acted_on(aino: User, lost: Problem) -> None:
    Problem.objects.update(closed_at=timezone.now())
    for act in (
        lambda: problem_acts.ask_again(access(aino), lost),
        lambda: problem_acts.set_aside(access(aino), lost, "x"),
    ):
        with pytest.raises(Refused):
            act()


def test_e34_what_people_wrote_goes_when_a_ban_begins(aino: User, lost: Problem) -> None:
    problem_acts.set_aside(access(aino), lost, "Asuu nyt Salapolulla")
    held = vtj_data.read(vtj_data.lock([lost.person_id]))[lost.person_id]
    held.record = vtj_data.stay_protected(held.record)
    vtj_data.write([held], [], [held.id], None)
    assert Problem.objects.get(kind=lost.kind).note == ""


# --- a name of an imported list that is not VTJ's


def imported(service: Service, code: Hetu, last_name: str, start: str = "2026-01-01") -> imports.Report:
    lines = f"henkilotunnus;palvelu;alkupaiva;sukunimi\n{code};{service.code};{start};{last_name}\n"
    return imports.run(clerk, io.BytesIO(lines.encode()), day=today())


@pytest.fixture
def doubted(service_a: Service) -> Problem:
    """A client of unit A, just imported with another name than VTJ's; known to the register before in no other way."""
    person = PersonFactory.create(last_name="Kolehmainen", home=True)
    assert imported(service_a, code_of(person), "Virtanen").mismatches == 1
    return Problem.objects.get()


def test_outside_a_mismatch_opens_a_problem_and_a_list_that_was_put_right_closes_it(
    service_a: Service, doubted: Problem
) -> None:
    code = code_of(doubted.person)
    assert imported(service_a, code, "Virtanen").same == 1
    assert Problem.objects.get().closed_at is None
    assert imported(service_a, code, "Kolehmainen").mismatches == 0
    assert Problem.objects.get().closed_at is not None
    assert imported(service_a, code, "Virtanen").mismatches == 0


def test_outside_the_name_of_a_new_person_is_compared_when_vtj_has_answered(service_a: Service) -> None:
    code = new_code()
    assert imported(service_a, code, "Virtanen").mismatches == 0
    person = Person.objects.get()
    with transaction.atomic():
        Person.objects.update(status=PersonStatus.CURRENT, last_name="Kolehmainen")
        assert name_check.compare([person.pk]) == 1
    assert Problem.objects.get().kind == "NAME_MISMATCH"


def test_h55_the_name_that_vtj_gives_is_shown_on_request_and_that_is_logged(
    aino: User, celia: User, doubted: Problem
) -> None:
    assert mismatches.name_of(access(aino), doubted) == "Hanna Maria Kolehmainen"
    assert last_event() == ("SHOW_NAME", [doubted.person.subject])
    with pytest.raises(PermissionDenied):
        mismatches.name_of(access(celia), doubted)


def test_yes_this_is_the_person(aino: User, doubted: Problem) -> None:
    mismatches.is_the_person(access(aino), doubted)
    problem = Problem.objects.get()
    assert (problem.closed_by, problem.closed_at is not None) == (aino, True)
    assert last_event() == ("CONFIRM_PERSON", [doubted.person.subject])


def numbers() -> list[int]:
    return list(Clientship.objects.values_list("pk", flat=True))


def test_h55_no_within_a_day_erases_at_once(aino: User, doubted: Problem) -> None:
    subject = doubted.person.subject
    assert mismatches.preview(access(aino), doubted, numbers()).way is Way.ERASED
    assert mismatches.not_the_person(access(aino), doubted, numbers()) is Way.ERASED
    assert not Person.objects.exists()
    assert ErasureReceipt.objects.get().whole_person
    actions = AuditEvent.objects.filter(subjects__contains=[subject]).values_list("action", flat=True)
    assert {"NOT_THE_PERSON", "ERASE"} <= set(actions)


def test_f43_no_after_a_day_ends_the_clientship_as_a_mistake_and_keeps_the_data_hidden(
    aino: User, doubted: Problem
) -> None:
    Clientship.objects.update(created_at=timezone.now() - timedelta(days=2))
    preview = mismatches.preview(access(aino), doubted, numbers())
    assert (preview.way, preview.erased_on) == (Way.ENDED, today() + timedelta(days=1))
    assert mismatches.not_the_person(access(aino), doubted, numbers()) is Way.ENDED
    ended, problem = Clientship.objects.get(), Problem.objects.get()
    assert (ended.end, ended.end_reason, ended.ended_by) == (today(), "MISTAKE", aino)
    assert (problem.closed_at, problem.handled_by) == (None, aino)
    erasure.run(clerk, today() + timedelta(days=1))
    assert not Person.objects.exists()


def test_no_takes_back_the_wrong_clientship_of_a_person_who_stays(aino: User, service_a: Service) -> None:
    right = ClientshipFactory.create(service__unit=service_a.unit)
    Person.objects.update(last_name="Kolehmainen")
    imported(service_a, code_of(right.person), "Virtanen")
    problem, wrong = Problem.objects.get(), Clientship.objects.get(service=service_a)
    Clientship.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert mismatches.not_the_person(access(aino), problem, [wrong.pk]) is Way.TAKEN_BACK
    assert Clientship.objects.get() == right
    assert Problem.objects.get().closed_at is not None
    assert not ErasureReceipt.objects.get().whole_person


def test_h52_only_ones_own_clientships_can_be_wrong(aino: User, service_b: Service, doubted: Problem) -> None:
    theirs = ClientshipFactory.create(person=doubted.person, service=service_b)
    for chosen in ([], [theirs.pk], numbers()):
        with pytest.raises(Refused):
            mismatches.not_the_person(access(aino), doubted, chosen)
    assert Clientship.objects.count() == 2


def test_a_problem_of_another_kind_is_no_doubt_about_the_name(aino: User, lost: Problem) -> None:
    for act in (mismatches.is_the_person, mismatches.name_of):
        with pytest.raises(Refused):
            act(access(aino), lost)
    with pytest.raises(Refused):
        mismatches.not_the_person(access(aino), lost, numbers())
    assert Clientship.objects.get().end is None
