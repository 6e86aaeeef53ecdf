"""When a person is erased, and what of them (domain.md F42, F43)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from django.db import connection
from pytest_django import Settings

from registry.clock import HELSINKI, today
from registry.models import (
    AuditEvent,
    Clientship,
    ContactAddress,
    EndReason,
    ErasureReceipt,
    NameCheck,
    Person,
    PersonCode,
    ProblemKind,
    Service,
    User,
)
from registry.services import clients, erasure
from registry.services.erasure import Due
from tests.cast import access, clerk
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    ForeignAddressFactory,
    PersonFactory,
    ProblemFactory,
    UserFactory,
    answered,
    emergency,
    new_code,
    opened,
)
from vtjsync.engine.connection import database_now
from vtjsync.models import Cohort, Enrolment, Silence, SyncRun

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 10)
ONE = timedelta(days=1)


def at(day: date, hour: int = 12) -> datetime:
    """The hour of the Helsinki day."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=HELSINKI)


def ended(end: date, entered: date | None = None, **more: object) -> Clientship:
    """A clientship with this last day, entered on the day itself unless told otherwise."""
    return ClientshipFactory.create(end=end, end_reason="MOVED", ended_at=at(entered or end), **more)


def there(person: Person) -> bool:
    return Person.objects.filter(pk=person.pk).exists()


def test_f43_a_person_goes_on_the_day_after_the_last_end() -> None:
    person = ended(DAY - 90 * ONE).person
    ended(DAY, entered=DAY - 30 * ONE, person=person)
    erasure.run(clerk, DAY)
    assert there(person)
    report = erasure.run(clerk, DAY + ONE)
    assert not there(person)
    assert (report.persons, report.held) == (1, 0)


def test_f43_a_past_end_is_due_on_the_day_after_it_was_entered() -> None:
    person = ended(DAY - 90 * ONE, entered=DAY).person
    erasure.run(clerk, DAY)
    assert there(person)
    erasure.run(clerk, DAY + ONE)
    assert not there(person)


@pytest.mark.parametrize(
    ("entered", "first"),
    [
        (datetime(2026, 6, 10, 20, 59, tzinfo=UTC), date(2026, 6, 11)),
        (datetime(2026, 6, 10, 21, 0, tzinfo=UTC), date(2026, 6, 12)),
        (datetime(2026, 1, 10, 21, 59, tzinfo=UTC), date(2026, 1, 11)),
        (datetime(2026, 1, 10, 22, 0, tzinfo=UTC), date(2026, 1, 12)),
    ],
    ids=["summer before midnight", "summer midnight", "winter before midnight", "winter midnight"],
)
def test_g51_the_day_on_which_an_end_was_entered_is_helsinkis(entered: datetime, first: date) -> None:
    ClientshipFactory.create(end=date(2026, 1, 1), ended_at=entered)
    assert erasure.due(first - ONE).persons == 0
    assert erasure.due(first).persons == 1


@pytest.mark.parametrize(
    "other",
    [
        {"start": DAY - 9 * ONE, "end": None},
        {"start": DAY + 9 * ONE, "end": None},
        {"start": DAY + 9 * ONE, "end": DAY + 19 * ONE},
        {"start": DAY - 9 * ONE, "end": DAY},
        {"start": DAY - 9 * ONE, "end": DAY + ONE},
    ],
    ids=["open", "to come", "to come and to end", "ends today", "ends tomorrow"],
)
def test_f43_another_clientship_keeps_the_person(other: dict[str, date | None]) -> None:
    person = ended(DAY - 3 * ONE).person
    ClientshipFactory.create(person=person, **other)
    erasure.run(clerk, DAY)
    assert there(person)
    assert Clientship.objects.count() == 2


def test_f43_an_ended_clientship_of_somebody_who_stays_goes_thirty_days_after_its_end() -> None:
    stays = ClientshipFactory.create()
    goes = ended(DAY, person=stays.person)
    erasure.run(clerk, DAY + 29 * ONE)
    assert Clientship.objects.count() == 2
    report = erasure.run(clerk, DAY + 30 * ONE)
    assert Clientship.objects.get() == stays
    assert (report.persons, report.clientships, report.rows) == (0, 1, {"registry_clientship": 1})
    receipt = ErasureReceipt.objects.get()
    assert (receipt.whole_person, receipt.rows) == (False, {"registry_clientship": 1})
    assert receipt.services == [goes.service.code]
    event = AuditEvent.objects.get()
    assert (event.action, event.subjects, event.count) == ("ERASE", [stays.person.subject], 1)
    assert event.details == {"clientships": 1}


def test_f43_how_long_an_ended_clientship_is_kept_is_a_setting(settings: Settings) -> None:
    settings.ENDED_CLIENTSHIP_DAYS = 5
    ended(DAY, person=ClientshipFactory.create().person)
    assert erasure.due(DAY + 4 * ONE) == Due(0, 0)
    assert erasure.due(DAY + 5 * ONE) == Due(0, 1)


def test_f43_with_no_days_at_all_the_last_day_is_still_a_clients_day(settings: Settings) -> None:
    settings.ENDED_CLIENTSHIP_DAYS = 0
    person = ended(DAY, entered=DAY - 9 * ONE).person
    erasure.run(clerk, DAY)
    assert Clientship.objects.filter(person=person).exists()
    assert erasure.clientship_erased_on(DAY, DAY - ONE) == DAY + ONE


def test_f43_a_late_end_of_somebody_who_stays_is_due_on_the_next_day_too() -> None:
    ended(DAY - 90 * ONE, entered=DAY, person=ClientshipFactory.create().person)
    assert erasure.due(DAY) == Due(0, 0)
    assert erasure.due(DAY + ONE) == Due(0, 1)


@pytest.mark.parametrize(("end", "entered"), [*product((-40, -30, -29, -1, 0, 1, 40), (-35, -1, 0))])
@pytest.mark.parametrize("stays", [False, True])
def test_f42_what_the_pages_promise_is_the_day_on_which_it_goes(end: int, entered: int, stays: bool) -> None:
    one = ended(DAY + end * ONE, entered=DAY + entered * ONE)
    if stays:
        ClientshipFactory.create(person=one.person)
    promise = erasure.clientship_erased_on if stays else erasure.erased_on
    told = promise(DAY + end * ONE, DAY + entered * ONE)
    assert erasure.due(told - ONE) == Due(0, 0)
    assert erasure.due(told) == (Due(0, 1) if stays else Due(1, 0))


def test_f42_what_was_taken_back_in_time_stays(aino: User, service_a: Service) -> None:
    made = answered(clients.add(access(aino), hetu=new_code(), service=service_a, start=date(2026, 1, 1)))
    clients.end(access(aino), made, end=today(), reason=EndReason.MOVED)
    assert erasure.due(today() + ONE).persons == 1
    clients.take_back_end(access(aino), made)
    erasure.run(clerk, today() + ONE)
    assert there(made.person)


def test_f43_nothing_goes_in_the_click(aino: User, service_a: Service) -> None:
    made = answered(clients.add(access(aino), hetu=new_code(), service=service_a, start=date(2026, 1, 1)))
    clients.end(access(aino), made, end=date(2026, 1, 2), reason=EndReason.MOVED)
    erasure.run(clerk, today())
    assert there(made.person)


REFERRING = """
    WITH RECURSIVE gone (name) AS (
        SELECT 'registry_person'::regclass::oid
        UNION SELECT c.conrelid FROM pg_constraint c JOIN gone ON c.confrelid = gone.name WHERE c.contype = 'f'
    )
    SELECT name::regclass::text FROM gone
"""


def tables_of_a_person() -> set[str]:
    """Every table that refers to a person, or to a table that does, as the database itself knows them."""
    with connection.cursor() as cursor:
        cursor.execute(REFERRING)
        return {table for (table,) in cursor.fetchall()}


def whole(person: Person) -> Person:
    """The person with a row, or two, in every table that refers to one. A new table needs a line here."""
    PersonCode.objects.create(person=person, hetu=new_code(), current=False)
    ended(DAY, person=person, reference="A-17")
    ended(DAY, person=person)
    Person.objects.filter(pk=person.pk).update(protected=True)
    ContactAddress.objects.create(person=person, town="Mallila", confirmed_not_home=True)
    Person.objects.filter(pk=person.pk).update(protected=False, home_street_fi="Mikkolantie")
    opened(UserFactory.create(), person)
    emergency(UserFactory.create(), person)
    ForeignAddressFactory.create(person=person)
    AppliedChangeFactory.create_batch(3, person=person)
    ProblemFactory.create(person=person, closed_at=at(DAY))
    ProblemFactory.create(person=person, kind=ProblemKind.UNREADABLE)
    NameCheck.objects.create(person=person, last_name_hash=b"hash")
    run, _ = SyncRun.objects.get_or_create(started_by="test", owner="none:1:1")
    Silence.objects.create(person=person, run=run, groups=["KOTIKUNTA"])
    Enrolment.objects.create(person=person, cohort=Cohort.objects.create(cursor=1, cursor_at=database_now()))
    return person


WHOLE = {
    "registry_person": 1,
    "registry_personcode": 2,
    "registry_clientship": 2,
    "registry_foreignaddress": 1,
    "registry_appliedchange": 3,
    "registry_problem": 2,
    "registry_namecheck": 1,
    "registry_contactaddress": 1,
    "registry_opening": 1,
    "registry_emergencyaccess": 1,
    "vtjsync_enrolment": 1,
    "vtjsync_silence": 1,
}


def test_f43_every_table_that_refers_to_a_person_is_emptied() -> None:
    person, other = whole(PersonFactory.create()), whole(PersonFactory.create())
    ClientshipFactory.create(person=other)
    assert tables_of_a_person() == WHOLE.keys()
    assert erasure.count_rows(person.pk) == WHOLE
    report = erasure.run(clerk, DAY + ONE)
    assert report.rows == WHOLE
    assert ErasureReceipt.objects.get().rows == WHOLE
    assert erasure.count_rows(person.pk) == {"registry_person": 1}
    assert not there(person)
    assert erasure.count_rows(other.pk) == WHOLE | {"registry_clientship": 3}


def test_f43_a_problem_of_another_that_names_the_person_goes_and_the_other_stays() -> None:
    person, other = ended(DAY).person, ClientshipFactory.create().person
    ProblemFactory.create(person=person, kind=ProblemKind.TWO_ENTRIES, other=other)
    ProblemFactory.create(person=other, kind=ProblemKind.TWO_ENTRIES, other=person)
    ProblemFactory.create(person=other, kind=ProblemKind.NOT_FOUND)
    assert erasure.run(clerk, DAY + ONE).rows["registry_problem"] == 2
    assert not there(person)
    assert other.problems.get().kind == ProblemKind.NOT_FOUND


def test_f43_a_person_under_a_ban_goes_like_any_other() -> None:
    person = whole(PersonFactory.create())
    person.foreign_addresses.all().delete()
    Person.objects.filter(pk=person.pk).update(protected=True, home_street_fi=None)
    erasure.run(clerk, DAY + ONE)
    assert not there(person)


def test_g46_the_erasure_is_an_event_that_names_the_subjects() -> None:
    persons = [ended(DAY).person for _ in range(3)]
    erasure.run(clerk, DAY + ONE)
    event = AuditEvent.objects.get()
    assert (event.action, event.count, event.basis) == ("ERASE", 3, "command")
    assert set(event.subjects) == {person.subject for person in persons}


def test_a_run_with_nothing_due_does_nothing() -> None:
    ClientshipFactory.create()
    report = erasure.run(clerk, DAY)
    assert (report.persons, report.clientships, +report.rows) == (0, 0, {})
    assert not ErasureReceipt.objects.exists()
    assert not AuditEvent.objects.exists()
