"""What the database itself refuses, whatever writes (docs/data-model.md, docs/adr/0004)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from registry.models import (
    AppliedChange,
    AuditEvent,
    Authority,
    Clientship,
    DataPermit,
    ForeignAddress,
    Person,
    PersonCode,
)
from registry.models.person import LOCATION_COLUMNS, LOCATION_FIELDS, REFUSAL
from registry.services import vtj_data
from registry.services.vtj_data import StorageError
from tests import evidence
from tests.factories import (
    AppliedChangeFactory,
    AuthorityFactory,
    ClientshipFactory,
    DataPermitFactory,
    ForeignAddressFactory,
    PersonFactory,
    code_of,
    new_code,
)

pytestmark = pytest.mark.django_db

SECRET = "Salapolku"
GUARDED = ("registry_person", "registry_foreignaddress", "registry_appliedchange")


@contextmanager
def refused(words: str = REFUSAL) -> Iterator[None]:
    """The database refuses, in these words, and its error does not hold the value."""
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        yield
    cause = error.value.__cause__
    assert isinstance(cause, psycopg.Error)
    told = f"{error.value!r} {cause!r} {cause.diag.message_detail} {cause.diag.context}"
    assert words in told
    assert SECRET not in told


@contextmanager
def copy_refused() -> Iterator[None]:
    """The database refuses a COPY. Its own error always holds the line, so that every COPY is wrapped."""
    with pytest.raises(StorageError, match="23514") as error, transaction.atomic(), vtj_data.without_values():
        yield
    assert error.value.__cause__ is None
    assert SECRET not in repr(error.value)


@pytest.fixture
def without_triggers(db: None) -> None:
    """What stands behind the triggers; they come back with the end of the test's transaction."""
    for table in GUARDED:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def value(column: str) -> object:
    """Something that fits the column."""
    if column.endswith("precision"):
        return 3
    return date(2020, 1, 1) if column in {"home_start", "municipality_moved_in"} else SECRET


def execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def copy(table: str, columns: str, *values: Any) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as rows:
        rows.write_row(values)


@pytest.fixture
def protected() -> Person:
    return PersonFactory.create(protected=True)


def test_e36_the_location_columns_are_all_columns_that_say_so() -> None:
    names = {field.column for field in Person._meta.concrete_fields}
    assert {name for name in names if name.startswith(("home_", "municipality_"))} == set(LOCATION_COLUMNS)


@pytest.mark.parametrize("column", LOCATION_COLUMNS)
def test_e36_update_of_any_location_column(protected: Person, column: str) -> None:
    with refused():
        execute(f"UPDATE registry_person SET {column} = %s WHERE id = %s", value(column), protected.pk)  # noqa: S608


def test_e36_insert_copy_save_bulk_create_and_bulk_update(protected: Person) -> None:
    with refused():
        Person.objects.create(protected=True, home_street_fi=SECRET)
    with refused():
        Person.objects.bulk_create([Person(protected=True, home_street_fi=SECRET)])
    protected.home_street_fi = SECRET
    with refused():
        protected.save()
    with refused():
        Person.objects.bulk_update([protected], ["home_street_fi"])
    with refused():
        Person.objects.filter(pk=protected.pk).update(municipality_code=SECRET)
    with copy_refused():
        copy(
            "registry_person",
            "subject, status, name_key, deceased, protected, reveal_awaited, location_hidden, version, ask_urgent,"
            " ask_attempts, home_street_fi",
            *("7f9c24e8-3b12-4fef-91e0-000000000000", "CURRENT", "", False, True, False, False, 0, False, 0, SECRET),
        )


def test_e36_a_ban_cannot_begin_while_a_location_is_held() -> None:
    person = PersonFactory.create(home=True)
    with refused():
        Person.objects.filter(pk=person.pk).update(protected=True)


@pytest.mark.parametrize("way", ["insert", "copy", "bulk_create", "update"])
def test_e36_foreign_address(protected: Person, way: str) -> None:
    other = ForeignAddressFactory.create()
    ways: dict[str, Callable[[], object]] = {
        "insert": lambda: execute(
            "INSERT INTO registry_foreignaddress (person_id, street) VALUES (%s, %s)", protected.pk, SECRET
        ),
        "copy": lambda: copy("registry_foreignaddress", "person_id, street", protected.pk, SECRET),
        "bulk_create": lambda: ForeignAddress.objects.bulk_create([ForeignAddress(person=protected, street=SECRET)]),
        "update": lambda: ForeignAddress.objects.filter(pk=other.pk).update(person=protected, street=SECRET),
    }
    with copy_refused() if way == "copy" else refused():
        ways[way]()


@pytest.mark.parametrize("field", LOCATION_FIELDS)
def test_e36_applied_change_of_a_place(protected: Person, field: str) -> None:
    with refused():
        AppliedChangeFactory.create(person=protected, field=field, new_value=SECRET)
    with copy_refused():
        copy(
            "registry_appliedchange",
            "person_id, field, new_value, source, changed_at",
            *(protected.pk, field, SECRET, "CHANGE", timezone.now()),
        )
    change = AppliedChangeFactory.create(person=protected, field="last_name")
    with refused():
        AppliedChange.objects.filter(pk=change.pk).update(field=field)


def test_e36_other_changes_of_a_protected_person_are_kept(protected: Person) -> None:
    assert AppliedChangeFactory.create(person=protected, field="last_name").pk


@pytest.mark.usefixtures("without_triggers")
def test_e36_behind_the_triggers_stand_constraints(protected: Person) -> None:
    for write in (
        lambda: Person.objects.filter(pk=protected.pk).update(home_street_fi="x"),
        lambda: ForeignAddressFactory.create(person=protected),
        lambda: AppliedChangeFactory.create(person=protected, field="home"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            write()


@pytest.mark.usefixtures("without_triggers")
def test_e36_behind_the_triggers_a_ban_cannot_begin_over_a_child_row() -> None:
    for row in (ForeignAddressFactory.create(), AppliedChangeFactory.create(field="home")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Person.objects.filter(pk=row.person_id).update(protected=True)


def test_e36_an_error_is_passed_on_without_message_or_detail(protected: Person) -> None:
    for write in (
        lambda: Person.objects.filter(pk=protected.pk).update(home_street_fi=SECRET),
        lambda: copy("registry_foreignaddress", "person_id, street, start", protected.pk, SECRET, SECRET),
        lambda: PersonCode.objects.create(person=protected, hetu=code_of(protected)),
    ):
        with pytest.raises(StorageError) as error, transaction.atomic(), vtj_data.without_values():
            write()
        assert error.value.__cause__ is None
        assert SECRET not in str(error.value)
        assert code_of(protected) not in str(error.value)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE registry_auditevent SET action = 'x'",
        "DELETE FROM registry_auditevent",
        "INSERT INTO registry_auditevent SELECT * FROM registry_auditevent"
        " ON CONFLICT (id, at) DO UPDATE SET outcome = 'x'",
        "INSERT INTO registry_auditevent SELECT tx, 0, now() - interval '1 second', action, user_id, username,"
        " subjects, count, basis, origin, outcome, details FROM registry_auditevent",
        "SET pgtrigger.ignore = '{audit_append_only}'; DELETE FROM registry_auditevent",
    ],
    ids=["update", "delete", "upsert", "backdate", "put off"],
)
def test_g46_the_audit_log_is_append_only(sql: str) -> None:
    AuditEvent.objects.create(action="VIEW")
    with refused("append-only"):
        execute(sql)


def test_g46_the_audit_log_cannot_be_truncated() -> None:
    # The tests' database has these triggers off, to be emptied between tests: here they are on.
    for table in evidence.tables():
        execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for table in evidence.tables():
        with refused("append-only"):
            execute(f"TRUNCATE {table}")


def test_one_permit_is_in_force_at_a_time() -> None:
    DataPermitFactory.create(valid_from=date(2024, 1, 1), valid_to=date(2024, 12, 31))
    DataPermitFactory.create(valid_from=date(2025, 1, 1))
    for start, end in (((2024, 12, 31), (2024, 12, 31)), ((2030, 1, 1), None), ((2023, 1, 1), (2024, 1, 1))):
        with pytest.raises(IntegrityError), transaction.atomic():
            DataPermitFactory.create(valid_from=date(*start), valid_to=date(*end) if end else None)
    with pytest.raises(IntegrityError), transaction.atomic():
        DataPermitFactory.create(valid_from=date(2020, 2, 1), valid_to=date(2020, 1, 1))
    assert DataPermit.objects.count() == 2


def test_there_is_one_authority() -> None:
    AuthorityFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuthorityFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        Authority.objects.update(only=False)


def test_d28_a_code_has_one_owner_and_a_person_one_current_code() -> None:
    person = PersonFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonFactory.create(hetu=code_of(person))
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonCode.objects.create(person=person, hetu=new_code())


def test_a_clientship_once_one_open_of_a_service_and_no_end_before_the_start() -> None:
    one = ClientshipFactory.create(start=date(2026, 1, 1), end=date(2026, 1, 31))
    ClientshipFactory.create(person=one.person, service=one.service, start=date(2026, 2, 1))
    for start, end in (
        (date(2026, 1, 1), date(2026, 3, 1)),
        (date(2026, 3, 1), None),
        (date(2026, 3, 1), date(2026, 2, 1)),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ClientshipFactory.create(person=one.person, service=one.service, start=start, end=end)
    assert Clientship.objects.count() == 2
