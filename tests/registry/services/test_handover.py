"""What begins and ends with a ban for those who work with the client (domain.md E38, E39)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registry import policies
from registry.clock import today
from registry.models import AuditEvent, Clientship, Person, PersonStatus, Problem, ProblemKind, Service, Unit, User
from registry.selectors import problems as selector
from registry.services import bans, clients, contact_address, erasure, handover, merging, vtj_data
from registry.services.errors import Refused
from tests.cast import access, clerk
from tests.factories import (
    ClientshipFactory,
    PersonFactory,
    ProblemFactory,
    ServiceFactory,
    UserFactory,
    code_of,
    crowd,
    pair,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(service_a: Service, service_b: Service) -> Person:
    """A client of both units, by two services of the first."""
    made: Person = PersonFactory.create(home=True)
    for service in (service_a, ServiceFactory.create(unit=service_a.unit), service_b):
        ClientshipFactory.create(person=made, service=service)
    return made


@pytest.fixture
def gunnar(roles: None, unit_b: Unit) -> User:
    """A handler of unit B."""
    return UserFactory.create(username="gunnar", roles=["handler"], units=[unit_b])  # type: ignore[no-any-return]


def turn(*persons: Person, protected: bool) -> None:
    """A ban of theirs begins or ends."""
    with transaction.atomic():
        rows = vtj_data.read(vtj_data.lock([one.pk for one in persons]))
        for row in rows.values():
            record = row.record.without_location()
            row.record = vtj_data.stay_protected(record) if protected else type(record)(last_name="Vapaa")
            row.status = PersonStatus.CURRENT
        vtj_data.write(list(rows.values()), [], list(rows) if protected else [], None)


def waiting(user: User | None = None) -> list[tuple[str, str]]:
    """The open hand-overs and questions that the user sees: kind and unit."""
    rows = policies.problems(access(user)).filter(closed_at=None).order_by("unit__code", "pk")
    return [(one.kind, one.unit.code if one.unit else "") for one in rows.select_related("unit")]


def test_e38_the_start_of_a_ban_goes_to_the_handlers_of_each_unit(
    person: Person, aino: User, celia: User, daniel: User, gunnar: User
) -> None:
    turn(person, protected=True)
    assert waiting() == [("HANDOVER", "A"), ("HANDOVER", "B")]
    assert waiting(daniel) == [("HANDOVER", "A")]
    assert waiting(gunnar) == [("HANDOVER", "B")]
    assert waiting(aino) == waiting(celia) == []
    turn(person, protected=True)
    assert len(waiting()) == 2


def test_e38_a_unit_whose_clientships_have_ended_takes_nobody_over(person: Person, service_b: Service) -> None:
    Clientship.objects.filter(service=service_b).update(end=today() - timedelta(days=1))
    turn(person, protected=True)
    assert waiting() == [("HANDOVER", "A")]


def test_e38_what_could_not_be_written_hands_nobody_over(person: Person) -> None:
    row = vtj_data.read([person.pk])[person.pk]
    row.record = vtj_data.stay_protected(row.record)
    change = vtj_data.Change(person.pk, "home", None, "x", "CHANGE", timezone.now())
    with pytest.raises(vtj_data.StorageError), transaction.atomic():
        vtj_data.write([row], [change], [], None)
    assert waiting() == []


def test_e38_an_imported_list_hands_nobody_over_with_its_first_basic_data(service_a: Service) -> None:
    numbers = crowd(service_a, 3)
    Clientship.objects.filter(person=numbers[0]).update(awaits_since=timezone.now())
    turn(*Person.objects.filter(pk__in=numbers), protected=True)
    assert [one.person_id for one in Problem.objects.all()] == [numbers[0]]


def test_e38_a_crowd_is_handed_over_in_one_statement(
    service_a: Service, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    numbers = crowd(service_a, 1500)
    with django_assert_num_queries(2), connection.cursor() as cursor:
        bans.begin(cursor, dict.fromkeys(numbers, False))
    assert Problem.objects.filter(kind="HANDOVER").count() == 1500


def test_e38_a_handler_takes_the_client_over_for_the_unit(person: Person, daniel: User, gunnar: User) -> None:
    turn(person, protected=True)
    mine = policies.problems(access(daniel)).get()
    handover.take_over(access(daniel), mine)
    assert waiting() == [("HANDOVER", "B")]
    mine.refresh_from_db()
    assert mine.closed_by == daniel
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.subjects, event.details) == ("TAKE_OVER", [person.subject], {})
    with pytest.raises(Refused):
        handover.take_over(access(daniel), mine)
    with pytest.raises(PermissionDenied):
        handover.take_over(access(daniel), policies.problems(access(gunnar)).get())


def test_e38_only_a_hand_over_is_taken_over_and_only_by_a_handler(person: Person, aino: User, daniel: User) -> None:
    other = ProblemFactory.create(person=person)
    with pytest.raises(Refused):
        handover.take_over(access(daniel), other)
    with pytest.raises(PermissionDenied):
        handover.take_over(access(aino), other)
    assert Problem.objects.get().closed_at is None


def test_e38_it_goes_away_when_the_ban_ends(person: Person) -> None:
    turn(person, protected=True)
    turn(person, protected=False)
    assert waiting() == []


def test_e38_it_goes_away_with_the_units_last_clientship(person: Person, service_b: Service) -> None:
    turn(person, protected=True)
    Clientship.objects.filter(service=service_b).update(end=today() - timedelta(days=90))
    erasure.run(clerk, today())
    assert waiting() == [("HANDOVER", "A")]


def test_e38_an_administrator_learns_that_no_handler_sees_it_and_nothing_else(
    person: Person, bertta: User, celia: User, daniel: User, unit_b: Unit
) -> None:
    turn(person, protected=True)
    page = selector.listed(access(bertta))
    assert page.unattended
    assert sorted((row.kind, row.person, row.unattended) for row in page.rows) == [
        ("HANDOVER", None, False),
        ("HANDOVER", None, True),
    ]
    assert selector.count_unattended(access(bertta)) == 1
    assert selector.count_unattended(access(celia)) == 0
    UserFactory.create(roles=["handler"], units=[unit_b], is_active=False)
    assert selector.count_unattended(access(bertta)) == 1
    UserFactory.create(roles=["handler"], units=[unit_b])
    assert selector.count_unattended(access(bertta)) == 0
    assert not selector.listed(access(bertta)).unattended


def test_e38_who_adds_a_protected_person_hands_over_to_the_handlers_of_the_unit(
    celia: User, gunnar: User, daniel: User, service_b: Service
) -> None:
    person = PersonFactory.create(protected=True)
    clients.add(access(celia), hetu=code_of(person), service=service_b, start=today())
    assert waiting() == [("HANDOVER", "B")]
    assert waiting(celia) == waiting(daniel) == []


def test_e39_the_end_of_a_ban_asks_about_the_contact_address(person: Person, aino: User, daniel: User) -> None:
    turn(person, protected=True)
    contact_address.save(access(daniel), person.subject, {"phone": "040 123"}, confirmed=True)
    turn(person, protected=False)
    assert waiting(daniel) == [("CONTACT_ADDRESS", "")]
    assert waiting(aino) == []
    turn(person, protected=True)
    assert ("CONTACT_ADDRESS", "") not in waiting()
    turn(person, protected=False)
    contact_address.remove(access(daniel), person.subject)
    assert waiting() == []


def test_e39_without_a_contact_address_nothing_is_asked(person: Person) -> None:
    turn(person, protected=True)
    turn(person, protected=False)
    assert waiting() == []


def test_d30_a_merge_keeps_what_is_to_be_done(person: Person, service_b: Service) -> None:
    other = PersonFactory.create()
    service = ServiceFactory.create(unit__code="C")
    for one in (service_b, service):
        ClientshipFactory.create(person=other, service=one)
    turn(person, other, protected=True)
    assert len(waiting()) == 4
    pair(person, other)
    token = merging.plan(clerk, person.subject, other.subject).token
    merging.merge(clerk, person.subject, other.subject, token)
    open_ = Problem.objects.filter(kind="HANDOVER", closed_at=None).order_by("unit__code")
    assert [(one.person_id, one.unit.code) for one in open_ if one.unit] == [(person.pk, code) for code in "ABC"]


@pytest.mark.parametrize(("kind", "unit"), [("HANDOVER", False), ("NOT_FOUND", True)])
def test_a_hand_over_and_nothing_else_names_a_unit(unit_a: Unit, kind: ProblemKind, unit: bool) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Problem.objects.create(person=PersonFactory.create(), kind=kind, unit=unit_a if unit else None)
