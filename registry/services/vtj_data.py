"""The set-based write of what VTJ says of many persons (domain.md A6, E34, E36).

Whoever writes has locked the rows first with :func:`lock`, in the same transaction; erasure takes the same lock. No
function here inserts a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from django.db import Error, connection

from registry.clock import today
from registry.models import Person
from registry.models.person import LOCATION_FIELDS
from registry.names import name_key
from registry.record import ForeignAddress, HomeAddress, Municipality, PartialDate, PersonRecord, Precision
from registry.services import bans
from registry.sql import ids


class StorageError(Exception):
    """The database refused a write. Carries its five-character code and never its message, which may hold values."""


@contextmanager
def without_values() -> Iterator[None]:
    """Passes an error of the database on without message or detail (domain.md E36), one of COPY too."""
    try:
        with connection.wrap_database_errors:
            yield
    except Error as error:
        code = getattr(error.__cause__, "sqlstate", None) or "unknown"
        raise StorageError(f"the database refused the write ({code})") from None


@dataclass(slots=True)
class Held:
    """What is held of one person, read under lock, changed in memory and written back. Times are aware."""

    id: int
    status: str
    record: PersonRecord
    basic_data_at: datetime | None
    newest_entry_at: datetime | None
    ban_since: datetime | None
    ban_silence_at: datetime | None
    reveal_awaited: bool
    location_hidden: bool
    recheck_on: date | None
    checked_at: datetime | None
    version: int
    ask: str | None
    ask_urgent: bool
    ask_not_before: datetime | None
    ask_attempts: int
    foreign_stored: frozenset[ForeignAddress] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One row for the log of applied changes: a field with its texts before and after (domain.md G48)."""

    person_id: int
    field: str
    old: str | None
    new: str | None
    source: str
    changed_at: datetime


PLAIN: Final = (
    "status",
    "basic_data_at",
    "newest_entry_at",
    "ban_since",
    "ban_silence_at",
    "reveal_awaited",
    "location_hidden",
    "recheck_on",
    "checked_at",
    "ask",
    "ask_urgent",
    "ask_not_before",
    "ask_attempts",
)
OF_RECORD: Final = ("first_names", "last_name", "language_code", "language_name", "deceased", "protected")
OF_HOME: Final = (
    "street_fi",
    "street_sv",
    "house_number",
    "staircase",
    "apartment",
    "division",
    "postal_code",
    "post_office_fi",
    "post_office_sv",
    "municipality_code",
)
DATES: Final = ("death_date", "protection_end", "home_start", "municipality_moved_in")
COLUMNS: Final = (
    *PLAIN,
    *OF_RECORD,
    *(f"home_{name}" for name in OF_HOME),
    "municipality_code",
    *(part for name in DATES for part in (name, f"{name}_precision")),
)
WRITTEN: Final = (*COLUMNS, "name_key")
FOREIGN: Final = ("street", "locality", "country_code", "country_name", "start", "start_precision")

# Person's own columns are named here only; none of these texts holds a value.
_TABLE = Person._meta.db_table
_READ = f"SELECT id, version, {', '.join(COLUMNS)} FROM {_TABLE} WHERE id = ANY(%s)"  # noqa: S608
_READ_FOREIGN = f"SELECT person_id, {', '.join(FOREIGN)} FROM registry_foreignaddress WHERE person_id = ANY(%s)"  # noqa: S608
_STAGING = f"CREATE TEMP TABLE vtj_staging ON COMMIT DROP AS SELECT id, {', '.join(WRITTEN)} FROM {_TABLE} WITH NO DATA"  # noqa: S608
_UPDATE = (
    f"UPDATE {_TABLE} p SET version = p.version + 1, {', '.join(f'{name} = s.{name}' for name in WRITTEN)}"  # noqa: S608
    " FROM vtj_staging s WHERE s.id = p.id"
)
# For whom this write begins or ends a ban, and whether VTJ's data of the person comes for the first time.
_TURNED: Final = (
    f"SELECT p.id, s.protected, p.status = 'AWAITING' FROM {_TABLE} p JOIN vtj_staging s ON s.id = p.id"  # noqa: S608
    " WHERE p.protected <> s.protected"
)
# VTJ has answered about what was added by hand, and the clientship has begun (domain.md E38). Takes persons and today.
_ANSWERED: Final = """
    UPDATE registry_clientship c SET awaits_since = NULL FROM registry_person p
    WHERE p.id = c.person_id AND c.awaits_since IS NOT NULL AND c.person_id = ANY(%s) AND c.start <= %s
      AND (p.checked_at > c.awaits_since OR p.ask_attempts > 0)
"""


def lock(person_ids: Collection[int]) -> list[int]:
    """Locks the rows of those that there still are, in the order of their ids, until the transaction ends."""
    rows = Person.objects.select_for_update().filter(id__in=ids(person_ids)).order_by("id")
    return list(rows.values_list("id", flat=True))


def read(person_ids: Collection[int]) -> dict[int, Held]:
    """What is held of the persons. Read after :func:`lock`, by a statement of its own, so that it is what the lock
    guards and not what a snapshot from before it shows."""
    wanted = list(person_ids)
    foreign: dict[int, list[ForeignAddress]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_READ_FOREIGN, [wanted])
        for person_id, street, locality, code, name, start, precision in cursor.fetchall():
            address = ForeignAddress(street, locality, code, name, partial(start, precision))
            foreign.setdefault(person_id, []).append(address)
        cursor.execute(_READ, [wanted])
        return {row[0]: _held(row, frozenset(foreign.get(row[0], ()))) for row in cursor.fetchall()}


def write(held: Sequence[Held], changes: Sequence[Change], banned: Collection[int], run_id: int | None) -> None:
    """Stores the persons and the log of their changes.

    ``banned`` are those for whom a ban began: whatever tells where they live or stayed goes first, from the log of
    changes too (domain.md E34). What else begins or ends with a ban does so here (E38, E39).
    Raises :class:`StorageError`.
    """
    with without_values(), connection.cursor() as cursor:
        if banned:
            cursor.execute(
                "DELETE FROM registry_appliedchange WHERE person_id = ANY(%s) AND field = ANY(%s)",
                [list(banned), list(LOCATION_FIELDS)],
            )
            # What people wrote about the person may tell a place too.
            cursor.execute("UPDATE registry_problem SET note = '' WHERE person_id = ANY(%s)", [list(banned)])
        moved = [one for one in held if one.record.foreign != one.foreign_stored]
        if moved:
            cursor.execute("DELETE FROM registry_foreignaddress WHERE person_id = ANY(%s)", [[one.id for one in moved]])
        if held:
            cursor.execute(_STAGING)
            _copy(cursor, "vtj_staging", ("id", *WRITTEN), (_row(one) for one in held))
            cursor.execute(_TURNED)
            turned = cursor.fetchall()
            cursor.execute(_UPDATE)
            cursor.execute("DROP TABLE vtj_staging")
            bans.begin(cursor, {person: first for person, protected, first in turned if protected})
            bans.end(cursor, [person for person, protected, _first in turned if not protected])
            cursor.execute(_ANSWERED, [[one.id for one in held], today()])
        if moved:
            rows = ((one.id, *_foreign_row(address)) for one in moved for address in one.record.foreign)
            _copy(cursor, "registry_foreignaddress", ("person_id", *FOREIGN), rows)
        if changes:
            columns = ("person_id", "field", "old_value", "new_value", "source", "changed_at", "run")
            log = ((c.person_id, c.field, c.old, c.new, c.source, c.changed_at, run_id) for c in changes)
            _copy(cursor, "registry_appliedchange", columns, log)


def record_of(values: dict[str, Any], foreign: frozenset[ForeignAddress]) -> PersonRecord:
    """The record that the columns of a person's row and the person's foreign addresses spell.

    They may have been read without a lock, and a ban may have begun in between: then there are no addresses.
    """
    dates = {name: partial(values[name], values[f"{name}_precision"]) for name in DATES}
    home = HomeAddress(**{name: values[f"home_{name}"] for name in OF_HOME}, start=dates["home_start"])
    code = values["municipality_code"]
    return PersonRecord(
        **{name: values[name] for name in OF_RECORD},
        death_date=dates["death_date"],
        protection_end=dates["protection_end"],
        home=None if home == HomeAddress() else home,
        foreign=frozenset() if values["protected"] else foreign,
        municipality=None if code is None else Municipality(code, dates["municipality_moved_in"]),
    )


def partial(value: date | None, precision: int | None) -> PartialDate | None:
    """The partial date of its two columns."""
    return None if value is None else PartialDate(value, Precision(precision or Precision.DAY))


def _held(row: Sequence[Any], foreign: frozenset[ForeignAddress]) -> Held:
    person_id, version, *rest = row
    values = dict(zip(COLUMNS, rest, strict=True))
    plain = {name: values[name] for name in PLAIN}
    if values["protected"]:
        # Without the lock a ban may have begun since the addresses were read (domain.md E34).
        foreign = frozenset()
    return Held(id=person_id, version=version, record=record_of(values, foreign), foreign_stored=foreign, **plain)


def _row(held: Held) -> list[Any]:
    record = held.record
    home = record.home or HomeAddress()
    municipality = record.municipality
    dates = {
        "death_date": record.death_date,
        "protection_end": record.protection_end,
        "home_start": home.start,
        "municipality_moved_in": municipality.moved_in if municipality else None,
    }
    return [
        held.id,
        *(getattr(held, name) for name in PLAIN),
        *(getattr(record, name) for name in OF_RECORD),
        *(getattr(home, name) for name in OF_HOME),
        municipality.code if municipality else None,
        *(part for name in DATES for part in _parts(dates[name])),
        name_key(record.last_name, record.first_names),
    ]


def _foreign_row(address: ForeignAddress) -> tuple[Any, ...]:
    return address.street, address.locality, address.country_code, address.country_name, *_parts(address.start)


def _parts(day: PartialDate | None) -> tuple[date | None, int | None]:
    return (None, None) if day is None else (day.value, int(day.precision))


def _copy(cursor: Any, table: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def stay_protected(record: PersonRecord) -> PersonRecord:
    """The record as it is held of someone protected: nothing that tells a place (domain.md E34)."""
    return replace(record.without_location(), protected=True)
