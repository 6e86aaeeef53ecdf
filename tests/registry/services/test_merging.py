"""Two entries of one person become one (domain.md D30, E34, F45, G47)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django_q.models import OrmQ

from registry.clock import today
from registry.models import (
    AppliedChange,
    AuditEvent,
    Clientship,
    EmergencyAccess,
    ErasureReceipt,
    ForeignAddress,
    NameCheck,
    Person,
    PersonCode,
    Problem,
    Service,
    SubjectCode,
    User,
)
from registry.selectors import audit_log
from registry.services import audit, clients, merging
from registry.services.errors import Refused
from registry.services.merging import Plan
from registry.services.name_check import name_hash
from tests.cast import access, clerk
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    ForeignAddressFactory,
    PersonFactory,
    ProblemFactory,
    code_of,
    emergency,
    new_code,
    pair,
)
from vtjsync.models import Cohort, Enrolment

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(service_a: Service) -> tuple[Person, Person]:
    """A client of unit A by two codes; VTJ's active one is the first's."""
    survivor, other = PersonFactory.create(home=True), PersonFactory.create(home=True)
    ClientshipFactory.create(person=survivor, service=service_a, start=date(2022, 1, 1))
    ClientshipFactory.create(person=other, start=date(2021, 1, 1), reference="PS-2")
    pair(survivor, other)
    return survivor, other


def planned(user: User | None, one: Person, other: Person) -> Plan:
    return merging.plan(access(user), one.subject, other.subject)


def merged(user: User | None, one: Person, other: Person) -> UUID:
    return merging.merge(access(user), one.subject, other.subject, planned(user, one, other).token)


def test_d30_clientships_and_codes_come_to_the_entry_with_the_active_code(
    daniel: User, two: tuple[Person, Person]
) -> None:
    survivor, other = two
    active, removed, older = code_of(survivor), code_of(other), new_code()
    PersonCode.objects.create(person=other, hetu=older, current=False)
    ids = set(Clientship.objects.values_list("pk", flat=True))
    assert merged(daniel, other, survivor) == survivor.subject
    assert not Person.objects.filter(pk=other.pk).exists()
    assert dict(PersonCode.objects.filter(person=survivor).values_list("hetu", "current")) == {
        active: True,
        removed: False,
        older: False,
    }
    assert set(Clientship.objects.filter(person=survivor).values_list("pk", flat=True)) == ids


def test_d30_basic_data_is_asked_and_what_was_asked_before_is_dropped(daniel: User, two: tuple[Person, Person]) -> None:
    survivor, _ = two
    merged(daniel, *two)
    row = Person.objects.get(pk=survivor.pk)
    assert (row.ask, row.ask_urgent, row.location_hidden, row.home_street_fi) == ("BAN", True, True, "Mikkolantie")
    assert row.version > survivor.version
    assert OrmQ.objects.count() == 1


def test_d30_the_pair_is_closed_and_no_receipt_says_that_anybody_was_erased(
    daniel: User, two: tuple[Person, Person]
) -> None:
    survivor, other = two
    ProblemFactory.create(person=other, kind="NOT_FOUND")
    merged(daniel, *two)
    problem = Problem.objects.get()
    assert (problem.person, problem.kind, problem.closed_by, problem.other) == (survivor, "TWO_ENTRIES", daniel, None)
    assert problem.closed_at is not None
    assert not ErasureReceipt.objects.exists()


def test_g47_every_code_leads_to_the_log_of_both(daniel: User, eeva: User, two: tuple[Person, Person]) -> None:
    survivor, other = two
    codes = [code_of(survivor), code_of(other)]
    audit.record(access(daniel), audit.Action.VIEW, subjects=[other.subject])
    audit.record(access(daniel), audit.Action.VIEW, subjects=[survivor.subject])
    merged(daniel, *two)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, set(event.subjects), event.username) == ("MERGE", {one.subject for one in two}, "daniel")
    assert event.details == {"moved": 1, "joined": 0}
    audit.record(access(daniel), audit.Action.VIEW, subjects=[survivor.subject])
    for code in codes:
        rows = [row for row in audit_log.events_of(access(eeva), code) if row.user == "daniel"]
        assert len(rows) == 4
        assert {subject for row in rows for subject in row.subjects} == {str(one.subject) for one in two}


def test_g47_who_was_merged_into_one_of_the_two_before_is_found_too(daniel: User, two: tuple[Person, Person]) -> None:
    survivor, other = two
    first = PersonFactory.create()
    code, subject = code_of(first), first.subject
    ClientshipFactory.create(person=first, service=Clientship.objects.filter(person=survivor).get().service)
    pair(other, first)
    merged(None, other, first)
    merged(daniel, *two)
    for asked in (code, code_of(survivor)):
        subjects = SubjectCode.objects.filter(code_hash=audit.code_hash(asked)).values_list("subject", flat=True)
        assert set(subjects) == {subject, other.subject, survivor.subject}


def test_d30_clientships_that_overlap_become_one(daniel: User, service_a: Service, two: tuple[Person, Person]) -> None:
    survivor, other = two
    own = Clientship.objects.get(person=survivor)
    ClientshipFactory.create(person=other, service=service_a, start=date(2020, 1, 1), reference="A-9")
    plan = planned(daniel, *two)
    assert [one.kept.pk for one in plan.joined] == [own.pk]
    merged(daniel, *two)
    kept = Clientship.objects.get(person=survivor, service=service_a)
    assert (kept.pk, kept.start, kept.end, kept.reference) == (own.pk, date(2020, 1, 1), None, "A-9")
    assert Clientship.objects.count() == 2


def test_e34_the_history_of_the_other_entry_goes_and_the_survivors_stays(
    daniel: User, two: tuple[Person, Person]
) -> None:
    survivor, other = two
    kept = AppliedChangeFactory.create(person=survivor, field="home", new_value="x")
    AppliedChangeFactory.create_batch(2, person=other)
    ForeignAddressFactory.create(person=other)
    Enrolment.objects.create(person=other, cohort=Cohort.objects.create(cursor=1, cursor_at=timezone.now()))
    assert planned(daniel, *two).changes == 2
    merged(daniel, *two)
    assert AppliedChange.objects.get() == kept
    assert not ForeignAddress.objects.exists()
    assert not Enrolment.objects.exists()


def test_e36_of_two_protected_ones_the_survivor_is_protected_since_the_later_ban(
    daniel: User, service_a: Service
) -> None:
    early, late = timezone.now() - timedelta(days=9), timezone.now() - timedelta(days=1)
    survivor = PersonFactory.create(protected=True, ban_since=early, ban_silence_at=timezone.now())
    other = PersonFactory.create(protected=True, ban_since=late)
    ClientshipFactory.create(person=survivor, service=service_a)
    pair(survivor, other, note="")
    merged(daniel, survivor, other)
    row = Person.objects.get()
    assert (row.protected, row.ban_since, row.ban_silence_at, row.home_street_fi) == (True, late, None, None)


def test_d30_a_third_entry_of_the_same_person_is_now_the_survivors_pair(
    daniel: User, two: tuple[Person, Person]
) -> None:
    survivor, other = two
    third = ClientshipFactory.create().person
    pair(third, other)
    merged(daniel, *two)
    rows = Problem.objects.filter(closed_at=None).order_by("pk").values_list("person", "other", "survives")
    assert set(rows) == {(third.pk, survivor.pk, True), (survivor.pk, third.pk, False)}


def test_d30_three_that_are_all_the_same_person_are_merged_one_after_the_other(
    daniel: User, two: tuple[Person, Person]
) -> None:
    survivor, other = two
    third = ClientshipFactory.create().person
    pair(survivor, third)
    pair(other, third)
    merged(daniel, *two)
    assert Problem.objects.filter(closed_at=None).count() == 2
    merged(daniel, survivor, third)
    assert Person.objects.get() == survivor
    assert Clientship.objects.filter(person=survivor).count() == 3
    assert not Problem.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(("first", "second"), [({"status": "NOT_FOUND"}, {}), ({"checked_at": None}, {}), ({}, {})])
def test_d30_where_vtj_did_not_say_the_one_that_it_knows_and_confirmed_last_stays(
    daniel: User, service_a: Service, first: dict[str, object], second: dict[str, object]
) -> None:
    one, other = PersonFactory.create(**first), PersonFactory.create(**second)
    ClientshipFactory.create(person=one, service=service_a)
    for row in pair(one, other):
        Problem.objects.filter(pk=row.pk).update(survives=None)
    assert planned(daniel, one, other).survivor == other
    assert planned(daniel, other, one).survivor == other


def test_a_name_in_doubt_has_to_be_decided_first(daniel: User, two: tuple[Person, Person]) -> None:
    ProblemFactory.create(person=two[1], kind="NAME_MISMATCH")
    with pytest.raises(Refused):
        merged(daniel, *two)
    assert Person.objects.count() == 2


@pytest.mark.parametrize(("told", "doubted"), [("Kolehmainen", False), ("Virtanen", True)])
def test_the_name_that_a_list_told_of_the_other_entry_is_compared_with_the_survivors(
    daniel: User, two: tuple[Person, Person], *, told: str, doubted: bool
) -> None:
    survivor, other = two
    Person.objects.filter(pk=survivor.pk).update(last_name="Kolehmainen")
    NameCheck.objects.create(person=other, last_name_hash=name_hash(told))
    merged(daniel, *two)
    open_kinds = set(Problem.objects.filter(closed_at=None).values_list("kind", flat=True))
    assert open_kinds == ({"NAME_MISMATCH"} if doubted else set())
    assert not NameCheck.objects.exists()


def test_names_that_wait_for_vtj_go_on_waiting(daniel: User, two: tuple[Person, Person]) -> None:
    Person.objects.update(status="AWAITING")
    for person, told in ((two[0], "Kolehmainen"), (two[1], "Kolehmainen"), (two[1], "Virtanen")):
        NameCheck.objects.create(person=person, last_name_hash=name_hash(told))
    merged(daniel, *two)
    assert set(NameCheck.objects.values_list("person", flat=True)) == {two[0].pk}
    assert NameCheck.objects.count() == 2


def test_d30_only_what_was_shown_is_done(daniel: User, service_a: Service, two: tuple[Person, Person]) -> None:
    survivor, other = two
    token = planned(daniel, *two).token
    clients.add(clerk, hetu=code_of(other), service=service_a, start=today())
    with pytest.raises(Refused):
        merging.merge(access(daniel), survivor.subject, other.subject, token)
    assert Person.objects.count() == 2
    assert merged(daniel, *two)


@pytest.mark.parametrize("name", ["aino", "bertta", "celia", "eeva"])
def test_d30_the_right_is_needed(request: pytest.FixtureRequest, name: str, two: tuple[Person, Person]) -> None:
    user = request.getfixturevalue(name)
    with pytest.raises(PermissionDenied):
        planned(user, *two)
    with pytest.raises(PermissionDenied):
        merging.report(access(user), two[0].subject, two[1].subject, today())


def test_h52_one_of_the_two_is_a_client_of_ones_own_unit(daniel: User, two: tuple[Person, Person]) -> None:
    assert planned(daniel, *two)
    daniel.units.clear()
    with pytest.raises(PermissionDenied):
        planned(User.objects.get(pk=daniel.pk), *two)


def test_e38_protected_ones_are_merged_by_handlers_of_protected_clients_only(
    aino: User, daniel: User, service_a: Service
) -> None:
    one, other = PersonFactory.create_batch(2, protected=True)
    ClientshipFactory.create(person=one, service=service_a)
    pair(one, other)
    merger = User.objects.get(pk=aino.pk)
    merger.user_permissions.add(daniel.groups.get().permissions.get(codename="merge_persons"))
    with pytest.raises(PermissionDenied):
        planned(merger, one, other)
    assert planned(daniel, one, other)
    Person.objects.update(protected=False)
    Problem.objects.update(pair_protected=False)
    assert planned(merger, one, other)


def test_d30_those_who_are_not_known_to_be_one_person_are_never_merged(
    daniel: User, service_a: Service, two: tuple[Person, Person]
) -> None:
    stranger = ClientshipFactory.create(service=service_a).person
    with pytest.raises(PermissionDenied):
        planned(daniel, two[0], stranger)
    token = planned(daniel, *two).token
    Problem.objects.update(closed_at=timezone.now(), other=None, pair_protected=None)
    with pytest.raises(PermissionDenied):
        merging.merge(access(daniel), two[0].subject, two[1].subject, token)


def test_d30_a_report_to_dvv_keeps_the_problem_open_with_its_date(daniel: User, two: tuple[Person, Person]) -> None:
    one, other = two
    merging.report(access(daniel), one.subject, other.subject, today())
    rows = Problem.objects.filter(closed_at=None)
    assert {(row.reported_on, row.reported_by) for row in rows} == {(today(), daniel)}
    assert len(rows) == 2
    event = AuditEvent.objects.latest("pk")
    assert (event.action, set(event.subjects)) == ("REPORT_PAIR", {one.subject, other.subject})
    for day in (today() + timedelta(days=1), today() - timedelta(days=1)):
        with pytest.raises(Refused):
            merging.report(access(daniel), one.subject, other.subject, day)


def test_h55_a_clientship_that_was_moved_is_ended_by_its_new_person(
    daniel: User, service_a: Service, two: tuple[Person, Person]
) -> None:
    survivor, other = two
    stale = ClientshipFactory.create(person=other, service__unit=service_a.unit)
    merged(daniel, *two)
    assert stale.person_id == other.pk
    ended = clients.end(access(daniel), stale, end=today(), reason="MOVED")  # type: ignore[arg-type]
    assert (ended.person, ended.end) == (survivor, today())


def test_an_emergency_access_to_the_other_entry_goes_on(daniel: User, two: tuple[Person, Person]) -> None:
    survivor, other = two
    emergency(daniel, other)
    merged(daniel, *two)
    assert EmergencyAccess.objects.get().person == survivor
