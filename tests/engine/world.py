"""Persons on the list, in a cohort, and answers of VTJ for them, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count

from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from registry.hetu import Hetu, compose
from registry.models import (
    TASKS,
    AppliedChange,
    Clientship,
    DataPermit,
    ForeignAddress,
    Person,
    PersonCode,
    PersonStatus,
    Problem,
    Service,
    SubjectCode,
    Unit,
)
from registry.record import Group, PersonRecord
from registry.services import vtj_data
from tests.reading.rows import ALL, DAY, ENTRY, JSON, RECORD, decoded
from vtjsync.engine import basic_data, changes
from vtjsync.engine.connection import Sent, database_now
from vtjsync.engine.due import Asked
from vtjsync.engine.effects import successors
from vtjsync.engine.run import Run, begin
from vtjsync.models import Cohort, Enrolment, RunCohort, Silence, SyncControl, SyncRun
from vtjsync.reading.outcome import PersonState
from vtjsync.wire.muutosrajapinta import BasicDataPage, ChangePage, Entry

_serial = count()


def new_code() -> Hetu:
    """A test code that no other call has given."""
    serial = next(_serial)
    return compose(date(1950, 1, 1) + timedelta(days=serial // 90), 900 + serial % 90, "-")


def service() -> Service:
    """A service of a unit; with it a permit of all groups, from long ago on."""
    if not DataPermit.objects.exists():
        groups = [str(group) for group in Group]
        DataPermit.objects.create(
            number="DVV/1/2020", purpose="p", legal_basis="l", groups=groups, valid_from=date(2020, 1, 1)
        )
    unit, _ = Unit.objects.get_or_create(code="A", defaults={"name_fi": "Yksikkö A"})
    found, _ = Service.objects.get_or_create(code="KOTI", defaults={"name_fi": "Kotihoito", "kind": "X", "unit": unit})
    return found


def cohort(cursor: int = 100) -> Cohort:
    """A cohort whose cursor was answered just now."""
    made: Cohort = Cohort.objects.create(cursor=cursor, cursor_at=database_now())
    return made


def client(record: PersonRecord | None = RECORD, *, into: Cohort | None = None, code: Hetu | None = None) -> Person:
    """Somebody on the list. With a record: up to date since the day before ENTRY; without: awaiting basic data."""
    person: Person = Person.objects.create()
    PersonCode.objects.create(person=person, hetu=code or new_code())
    Clientship.objects.create(person=person, service=service(), start=date(2020, 1, 1))
    if record is not None:
        with transaction.atomic():
            held = vtj_data.read(vtj_data.lock([person.pk]))[person.pk]
            held.record, held.status, held.basic_data_at = record, PersonStatus.CURRENT, ENTRY - DAY
            held.ban_since = ENTRY - 9 * DAY if record.protected else None
            vtj_data.write([held], [], (), None)
    if into is not None:
        Enrolment.objects.create(person=person, cohort=into)
    return fresh(person)


PROTECTED = replace(RECORD.without_location(), protected=True)


def fresh(person: Person) -> Person:
    """The row as it stands now."""
    return Person.objects.get(pk=person.pk)


def code_of(person: Person) -> Hetu:
    """The current code."""
    return Hetu(PersonCode.objects.get(person=person, current=True).hetu)


def codes_of(person: Person) -> dict[str, bool]:
    """Every code of the person, and whether it is the current one."""
    return dict(PersonCode.objects.filter(person=person).values_list("hetu", "current"))


def record_of(person: Person) -> PersonRecord:
    """The record that the register holds."""
    return vtj_data.read([person.pk])[person.pk].record


def entry(person: Person | Hetu | str, *rows: JSON, at: datetime | None = ENTRY, readable: bool = True) -> Entry:
    """An entry of the feed, or of basic data with ``at`` None."""
    code = code_of(person) if isinstance(person, Person) else Hetu(person)
    return Entry(code, decoded(rows), at, readable)


def run() -> Run:
    """A run under way."""
    return begin("test", wait=0)


def sent(at: datetime = ENTRY) -> Sent:
    """A request of this moment, at VTJ's time ``at``."""
    return Sent(database_now(), at)


def apply_page(
    run_: Run,
    into: Cohort,
    *entries: Entry,
    key: int = 200,
    asked_with: int | None = None,
    up_to_date: bool = True,
    broken: int = 0,
) -> None:
    """One page of changes for the cohort."""
    page = ChangePage(key, list(entries), up_to_date, ENTRY, broken)
    into.refresh_from_db()
    cursor = into.cursor if asked_with is None else asked_with
    asked = [*changes.codes_of(into.pk), *successors(row for one in entries for row in one.rows)]
    changes.apply(run_, into.pk, cursor, asked=asked, page=page, sent=sent(), granted=ALL)


def ask_of(person: Person) -> Asked:
    """The person as a request would name them."""
    enrolled = Enrolment.objects.filter(person=person).exists()
    return Asked(person.pk, code_of(person), fresh(person).version, enrolled)


def answer(
    *entries: Entry,
    asked: list[Asked],
    into: Cohort | None = None,
    when: Sent | None = None,
    broken: int = 0,
    up_to_date: bool = True,
) -> dict[str, int]:
    """One answer of basic data, whose silence counts (domain.md B18)."""
    with suppress(IntegrityError):  # somebody is erased at this very moment
        let_silence_count([one.person_id for one in asked])
    page = BasicDataPage(list(entries), up_to_date, ENTRY, broken)
    with transaction.atomic():
        return dict(
            basic_data.store(
                None, asked, page=page, sent=when or sent(), granted=ALL, cohort_id=into.pk if into else None
            )
        )


def let_silence_count(person_ids: list[int]) -> None:
    """As if a run had decided that what VTJ is silent about is gone."""
    run_, _ = SyncRun.objects.get_or_create(started_by="test", state=SyncRun.State.COMPLETE, owner="none:1:1")
    Silence.objects.filter(person__in=person_ids).delete()
    persons = Person.objects.filter(pk__in=person_ids)
    Silence.objects.bulk_create(
        [Silence(person=one, run=run_, groups=list(Group), state=Silence.State.ALLOWED) for one in persons]
    )


def location_rows(person: Person) -> int:
    """How many rows of the register tell where the person lives or lived."""
    places = AppliedChange.objects.filter(person=person, field__in=("home", "foreign", "municipality")).count()
    return places + ForeignAddress.objects.filter(person=person).count() + record_of(person).has_location


def open_problems(person: Person) -> set[str]:
    """The kinds of the person's open problems with what VTJ says; what a ban leaves to be done is none."""
    rows = Problem.objects.filter(person=person, closed_at=None).exclude(kind__in=TASKS)
    return set(rows.values_list("kind", flat=True))


def applied(person: Person) -> list[tuple[str, str | None, str | None]]:
    """The person's log of changes: field, old, new."""
    rows = AppliedChange.objects.filter(person=person).order_by("id")
    return list(rows.values_list("field", "old_value", "new_value"))


def clients(codes: Sequence[str]) -> list[Person]:
    """Puts everyone on the list at once, awaiting basic data."""
    of = service()
    persons = Person.objects.bulk_create([Person() for _ in codes], batch_size=500)
    pairs = list(zip(persons, codes, strict=True))
    PersonCode.objects.bulk_create([PersonCode(person=one, hetu=code) for one, code in pairs], batch_size=1000)
    Clientship.objects.bulk_create(
        [Clientship(person=one, service=of, start=date(2020, 1, 1)) for one in persons], batch_size=1000
    )
    return persons


def held(states: Sequence[PersonState], into: Cohort, codes: Sequence[Hetu] | None = None) -> list[tuple[int, Hetu]]:
    """Puts one person with a code, a new one if none is given, for each state on the list and into the cohort."""
    codes = codes or [new_code() for _ in states]
    persons = [one.pk for one in clients(codes)]
    with transaction.atomic():
        rows = vtj_data.read(vtj_data.lock(persons))
        for person, state in zip(persons, states, strict=True):
            row = rows[person]
            row.record, row.status, row.basic_data_at = state.record, PersonStatus.CURRENT, state.basic_data_at
            row.ban_since, row.ban_silence_at = state.ban_since, state.silence_at
            row.reveal_awaited, row.recheck_on = state.reveal_awaited, state.recheck_on
            row.newest_entry_at = state.newest_entry_at
        vtj_data.write(list(rows.values()), [], (), None)
    Enrolment.objects.bulk_create([Enrolment(person_id=person, cohort=into) for person in persons], batch_size=1000)
    return list(zip(persons, codes, strict=True))


def empty() -> None:
    """Removes everybody and all that was synchronised, in a moment. The audit log stays: it can only grow."""
    models: tuple[type[Model], ...] = (
        *(Silence, RunCohort, SyncRun, Enrolment, Cohort, SyncControl),
        *(AppliedChange, Problem, ForeignAddress, Clientship, PersonCode, SubjectCode, Person),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(f"DELETE FROM {model._meta.db_table}" for model in models))  # noqa: S608
