"""A protected client's page opens for a reason, which the supervisor sees listed (domain.md E38)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from registry.models import AuditEvent, Opening, OpeningReason, Person, Service, Unit, User
from registry.selectors import client as client_selector
from registry.selectors import openings as selector
from registry.selectors import pairs, problems
from registry.services import openings
from registry.services.errors import Refused
from registry.services.openings import LASTS, ReasonNeeded
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, PersonFactory, ProblemFactory, UserFactory, opened, pair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


@pytest.fixture
def person(service_a: Service) -> Person:
    made: Person = PersonFactory.create(protected=True)
    ClientshipFactory.create(person=made, service=service_a)
    return made


def give(user: User, person: Person, reason: OpeningReason = OpeningReason.SERVICE, note: str = "") -> None:
    openings.give_reason(access(user), person.subject, reason, note)


def test_e38_without_a_reason_nothing_of_a_protected_person_opens(person: Person, daniel: User) -> None:
    other = ClientshipFactory.create(person__protected=True).person
    problem = ProblemFactory.create(person=person)
    pair(person, other)
    who, subject = access(daniel), person.subject
    clientship = person.clientships.get()
    for look in (
        lambda: client_selector.viewed(who, subject),
        lambda: client_selector.with_code(who, subject),
        lambda: client_selector.clientship(who, clientship.pk),
        lambda: problems.problem(who, problem.pk),
        lambda: pairs.side_by_side(who, subject, other.subject),
    ):
        with pytest.raises(ReasonNeeded) as needed:
            look()
        assert needed.value.subject == subject
        assert str(subject) not in str(needed.value)
    assert not AuditEvent.objects.exists()
    give(daniel, person)
    assert client_selector.viewed(who, subject) is not None
    assert problems.problem(who, problem.pk) is not None
    assert pairs.side_by_side(who, subject, other.subject) is not None
    assert client_selector.clientship(who, clientship.pk) is not None


def test_e38_who_is_not_protected_needs_none(aino: User, daniel: User, service_a: Service) -> None:
    person = ClientshipFactory.create(service=service_a).person
    for user in (aino, daniel):
        assert client_selector.viewed(access(user), person.subject) is not None
    with pytest.raises(PermissionDenied):
        give(daniel, person)


def test_e38_a_reason_is_the_users_own_for_this_person_and_some_hours(
    person: Person, daniel: User, unit_a: Unit, service_a: Service
) -> None:
    give(daniel, person)
    colleague = UserFactory.create(roles=["handler"], units=[unit_a])
    second = PersonFactory.create(protected=True)
    ClientshipFactory.create(person=second, service=service_a)
    for user, whom in ((colleague, person), (daniel, second)):
        with pytest.raises(ReasonNeeded):
            client_selector.viewed(access(user), whom.subject)
    Opening.objects.update(at=timezone.now() - LASTS - timedelta(minutes=1))
    with pytest.raises(ReasonNeeded):
        client_selector.viewed(access(daniel), person.subject)


def test_e38_the_reason_is_logged_and_needs_the_right(person: Person, aino: User, celia: User, daniel: User) -> None:
    for user in (aino, celia):
        with pytest.raises(PermissionDenied):
            give(user, person)
    with pytest.raises(Refused):
        give(daniel, person, OpeningReason.OTHER, "  ")
    assert not Opening.objects.exists()
    give(daniel, person, OpeningReason.OTHER, " soitto ")
    event = AuditEvent.objects.get()
    assert (event.action, event.subjects, event.details) == ("OPEN_PROTECTED", [person.subject], {"why": "OTHER"})
    assert Opening.objects.get().note == "soitto"


def test_e38_a_handler_of_another_unit_opens_nobody(person: Person, unit_b: Unit, roles: None) -> None:
    other = UserFactory.create(roles=["handler"], units=[unit_b])
    with pytest.raises(PermissionDenied):
        give(other, person)
    assert client_selector.viewed(access(other), person.subject) is None


def test_e38_the_supervisor_sees_what_the_staff_of_ones_own_units_opened(
    person: Person, daniel: User, unit_a: Unit, unit_b: Unit, service_b: Service
) -> None:
    fanni = UserFactory.create(roles=["supervisor"], units=[unit_a])
    gunnar = UserFactory.create(roles=["handler"], units=[unit_b])
    theirs = ClientshipFactory.create(service=service_b, person__protected=True).person
    give(daniel, person, OpeningReason.CONTACT, "soitti")
    opened(gunnar, theirs)
    page = selector.listed(access(fanni))
    (row,) = page.rows
    assert (row.subject, row.who, row.note, row.linked) == (person.subject, "Daniel Esimerkki", "soitti", False)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.subjects) == ("VIEW_OPENINGS", [person.subject])
    fanni.units.add(unit_b)
    assert len(selector.listed(access(fanni)).rows) == 2
    assert [one.subject for one in selector.listed(access(fanni), unit="B").rows] == [theirs.subject]
    assert len(selector.listed(access(fanni), unit="?").rows) == 2
    assert len(selector.listed(clerk).rows) == 2


def test_e38_the_list_goes_on_from_the_last(person: Person, daniel: User, unit_a: Unit) -> None:
    fanni = UserFactory.create(roles=["supervisor"], units=[unit_a])
    opened(daniel, *[person] * (selector.PAGE + 1))
    page = selector.listed(access(fanni))
    assert (len(page.rows), page.older is not None) == (selector.PAGE, True)
    assert len(selector.listed(access(fanni), before=page.older).rows) == 1


def test_h52_the_list_takes_the_right(aino: User, bertta: User, daniel: User, eeva: User) -> None:
    for user in (aino, bertta, daniel, eeva):
        with pytest.raises(PermissionDenied):
            selector.listed(access(user))
