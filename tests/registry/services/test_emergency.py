"""Emergency access: one client, for a while, for a reason, told to the supervisor (H52, E38, docs/adr/0019)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry import policies
from registry.hetu import Hetu
from registry.models import AuditEvent, EmergencyAccess, Opening, Person, Service, User
from registry.selectors import client as selector
from registry.selectors import clients as lists
from registry.selectors import openings
from registry.selectors.client import Client
from registry.services import emergency, restore
from registry.services.errors import Refused
from tests.cast import access, clerk
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    PersonFactory,
    ProblemFactory,
    UserFactory,
    code_of,
    new_code,
    opened,
)
from tests.factories import emergency as emergency_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

WHY = "Asiakas on kadonnut."


@pytest.fixture
def person(service_b: Service) -> Person:
    return ClientshipFactory.create(service=service_b, person=PersonFactory.create(home=True)).person


@pytest.fixture
def protected(service_b: Service) -> Person:
    return ClientshipFactory.create(service=service_b, person=PersonFactory.create(protected=True)).person


def begin(user: User, code: Hetu) -> EmergencyAccess:
    return emergency.begin(access(user), code, WHY)


def seen(user: User, person: Person) -> Client | None:
    return selector.viewed(access(user).in_emergency(), person.subject)


def passed(minutes: int) -> None:
    """So much time passes for every emergency access."""
    gone = timedelta(minutes=minutes)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        EmergencyAccess.objects.update(since=F("since") - gone, until=F("until") - gone)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_h52_it_opens_that_one_client_and_no_list(gunnar: User, person: Person) -> None:
    other = ClientshipFactory.create().person
    assert seen(gunnar, person) is None
    begin(gunnar, code_of(person))
    assert seen(gunnar, other) is None
    client = seen(gunnar, person)
    assert client is not None
    assert client.home is not None
    assert [one.row.service.unit.name for one in client.clientships] == ["Kuntoutus"]
    assert not policies.persons(access(gunnar)).exists()
    with pytest.raises(PermissionDenied):
        lists.listed(access(gunnar))
    assert list(policies.persons(access(gunnar).in_emergency())) == [person]


def test_h52_it_reads_and_does_nothing(gunnar: User, daniel: User, person: Person) -> None:
    """Not even what the user may do with the clients of the own units."""
    ProblemFactory.create(person=person)
    AppliedChangeFactory.create(person=person)
    for user in (gunnar, daniel):
        user.groups.add(*gunnar.groups.all())
        begin(user, code_of(person))
        client, who = seen(user, person), access(user).in_emergency()
        assert client is not None
        assert (client.problems, client.changes, client.contact, client.may_manage) == ((), (), None, False)
        held = {one for rights in policies.ROLES.values() for one in rights if who.may(one)}
        assert held <= {policies.SEE_CLIENTS, policies.HANDLE_PROTECTED}
        # And by the user's own rights there is nobody.
        assert not policies.clientships(access(user)).filter(person=person).exists()


def test_it_ends_by_time_and_by_hand(gunnar: User, person: Person, settings: Settings) -> None:
    settings.EMERGENCY_MINUTES = 30
    made = begin(gunnar, code_of(person))
    assert begin(gunnar, code_of(person)) == made
    passed(29)
    assert seen(gunnar, person) is not None
    passed(1)
    assert seen(gunnar, person) is None
    again = begin(gunnar, code_of(person))
    assert again != made
    emergency.end(access(UserFactory.create(roles=["emergency"])), again.pk)
    assert seen(gunnar, person) is not None
    emergency.end(access(gunnar), again.pk)
    assert seen(gunnar, person) is None


def test_the_database_takes_no_long_one_and_none_without_a_reason(gunnar: User, person: Person) -> None:
    with pytest.raises(Refused):
        emergency.begin(access(gunnar), code_of(person), "  ")
    made = begin(gunnar, code_of(person))
    rows, whose = EmergencyAccess.objects, {"person": person, "user": gunnar, "username": "gunnar"}
    for wrong in (
        {"reason": "", "until": Now() + timedelta(hours=1)},
        {"reason": WHY, "until": Now() + timedelta(hours=25)},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.create(**whose, **wrong)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(until=F("until") + timedelta(minutes=1))
    emergency.end(access(gunnar), made.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(ended_at=None)


@pytest.mark.parametrize(("minutes", "lasts"), [(60, 60), (0, 1), (10_000, 24 * 60)])
def test_the_setting_is_a_day_at_most(settings: Settings, minutes: int, lasts: int) -> None:
    settings.EMERGENCY_MINUTES = minutes
    assert emergency.lasts() == timedelta(minutes=lasts)


def test_e38_nobody_and_a_protected_client_are_the_same_answer(gunnar: User, protected: Person) -> None:
    told, asked = set(), []
    for code in (new_code(), code_of(protected)):
        fresh = User.objects.get(pk=gunnar.pk)
        with (
            CaptureQueriesContext(
                connection,
            ) as queries,
            pytest.raises(Refused) as error,
        ):
            begin(fresh, code)
        told.add(str(error.value))
        asked.append(len(queries))
    assert len(told) == 1
    assert asked[0] == asked[1]
    events = AuditEvent.objects.filter(action="START_EMERGENCY", outcome="refused").order_by("pk")
    assert [event.subjects for event in events] == [[], [protected.subject]]


def test_e38_a_protected_client_opens_to_a_handler_on_duty_only(
    gunnar: User, daniel: User, protected: Person, person: Person
) -> None:
    daniel.groups.add(*gunnar.groups.all())
    begin(daniel, code_of(protected))
    client = seen(daniel, protected)
    assert client is not None
    assert (client.home, client.contact) == (None, None)
    # A ban that begins while it lasts.
    begin(gunnar, code_of(person))
    Person.objects.filter(pk=person.pk).update(
        protected=True,
        **{f.name: None for f in Person._meta.fields if f.name.startswith(("home_", "municipality_"))},
    )
    assert seen(gunnar, person) is None


def test_f45_while_the_register_is_locked_everybody_counts_as_protected(gunnar: User, person: Person) -> None:
    begin(gunnar, code_of(person))
    restore.begin(clerk)
    again = User.objects.get(pk=gunnar.pk)
    assert seen(again, person) is None
    with pytest.raises(Refused):
        begin(again, code_of(person))


def test_the_supervisor_reads_of_it(gunnar: User, celia: User, service_a: Service, person: Person) -> None:
    """Of the own units' staff; and of whoever belongs to no unit everybody does."""
    units = service_a.unit, person.clientships.get().service.unit
    ours, theirs = (UserFactory.create(roles=["supervisor"], units=[unit]) for unit in units)
    begin(gunnar, code_of(person))
    celia.groups.add(*gunnar.groups.all())
    begin(celia, code_of(ClientshipFactory.create(service=service_a).person))
    read = {who: [(row.who, row.note) for row in openings.listed(access(who)).rows] for who in (ours, theirs)}
    assert read == {
        ours: [("Gunnar Esimerkki", WHY)],
        theirs: [("Celia Esimerkki", WHY), ("Gunnar Esimerkki", WHY)],
    }


def test_g46_begin_every_view_and_end_are_events(gunnar: User, person: Person) -> None:
    made = begin(gunnar, code_of(person))
    seen(gunnar, person)
    seen(gunnar, person)
    emergency.end(access(gunnar), made.pk)
    emergency.end(access(gunnar), made.pk)
    events = AuditEvent.objects.filter(user_id=gunnar.pk, subjects=[person.subject]).order_by("pk")
    assert [event.action for event in events] == ["START_EMERGENCY", "VIEW", "VIEW", "END_EMERGENCY"]


def test_who_sees_the_client_anyway_takes_none(gunnar: User, celia: User, person: Person) -> None:
    celia.groups.add(*gunnar.groups.all())
    with pytest.raises(Refused):
        begin(celia, code_of(person))
    assert not EmergencyAccess.objects.exists()
    assert not Opening.objects.exists()


def test_h52_the_right_is_needed_and_a_superuser_has_none(aino: User, daniel: User, person: Person) -> None:
    root = UserFactory.create(is_superuser=True, is_staff=True)
    for user in (aino, daniel, root):
        with pytest.raises(PermissionDenied):
            begin(user, code_of(person))
    # Nor by a row that somebody has put into the database.
    emergency_row(root, person)
    with pytest.raises(PermissionDenied):
        seen(root, person)
    assert not policies.persons(access(root).in_emergency()).exists()


def test_a_reason_of_emergency_cannot_be_chosen_for_an_opening(daniel: User, service_a: Service) -> None:
    from registry.models import OpeningReason
    from registry.services import openings as reasons

    person = ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True)).person
    with pytest.raises(PermissionDenied):
        reasons.give_reason(access(daniel), person.subject, OpeningReason.EMERGENCY, WHY)
    opened(daniel, person)
