"""VTJ data that no permit covers is erased the day after the permit ended or was changed (domain.md A2, C24).

The person, the identity codes and the clientships stay: they are the organisation's own list. So does the fact of a
ban, with nothing else of it: only VTJ's word ends one, and without it others would see where a protected person is
served (E32, E38). Why so: docs/adr/0010.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Final

from django.db import connection, transaction

from registry import ports
from registry.clock import helsinki_day
from registry.history import FIELDS_OF
from registry.models import AppliedChange, DataPermit, Person
from registry.models.person import HOME_COLUMNS, MUNICIPALITY_COLUMNS
from registry.policies import Access
from registry.record import Group
from registry.services import audit, vtj_data
from registry.services.audit import Action
from registry.sql import ids, texts

BATCH: Final = 1000

# What holds the values of each group in a person's row, and what stands there without any.
COLUMNS: Final[dict[Group, dict[str, str]]] = {
    Group.NAME: {"first_names": "NULL", "last_name": "NULL", "name_key": "''"},
    Group.LANGUAGE: {"language_code": "NULL", "language_name": "NULL"},
    Group.DEATH: {"deceased": "false", "death_date": "NULL", "death_date_precision": "NULL"},
    Group.BAN: {"protection_end": "NULL", "protection_end_precision": "NULL"},
    Group.HOME: dict.fromkeys(HOME_COLUMNS, "NULL"),
    Group.MUNICIPALITY: dict.fromkeys(MUNICIPALITY_COLUMNS, "NULL"),
}
# Without any permit nothing is known of how true it is either. ``ban_since`` belongs to the ban.
KNOWLEDGE: Final = {
    "status": "'AWAITING'",
    "basic_data_at": "NULL",
    "checked_at": "NULL",
    "ban_silence_at": "NULL",
    "reveal_awaited": "false",
    "location_hidden": "false",
    "recheck_on": "NULL",
    "ask": "NULL",
    "ask_urgent": "false",
    "ask_not_before": "NULL",
    "ask_attempts": "0",
}


def due(day: date) -> frozenset[Group]:
    """The groups that no permit of the Helsinki day covers. None on a day on which a permit was changed: a past end is
    due on the next day, and a mistake can be put right."""
    permits = list(DataPermit.objects.all())
    if not permits or any(helsinki_day(one.changed_at) >= day for one in permits):
        return frozenset()
    covered = next((one.covers for one in permits if one.in_force(day)), frozenset())
    return frozenset(FIELDS_OF) - covered


def erase(access: Access, day: date) -> Counter[str]:
    """Erases the values of those groups, a thousand persons in a transaction. Returns the rows by table."""
    groups, rows = due(day), Counter[str]()
    known = any(one.in_force(day) for one in DataPermit.objects.all())
    while groups and (batch := _holding(groups, known=known)):
        with transaction.atomic():
            persons = vtj_data.lock(batch)
            rows += _erase(groups, persons, known=known)
            subjects = Person.objects.filter(id__in=ids(persons)).values_list("subject", flat=True)
            audit.record(access, Action.ERASE_VTJ_DATA, subjects=subjects, details={"groups": " ".join(sorted(groups))})
    return rows


def _erase(groups: Collection[Group], persons: list[int], *, known: bool) -> Counter[str]:
    changes = AppliedChange.objects.filter(person__in=ids(persons), field__in=texts(_fields(groups)))
    rows = Counter({AppliedChange._meta.db_table: changes.delete()[0]})
    with connection.cursor() as cursor:
        if Group.FOREIGN in groups:
            cursor.execute("DELETE FROM registry_foreignaddress WHERE person_id = ANY(%s)", [persons])
            rows["registry_foreignaddress"] += cursor.rowcount
        told = ", ".join(f"{column} = {value}" for column, value in _values(groups, known=known).items())
        cursor.execute(f"UPDATE registry_person SET {told}, version = version + 1 WHERE id = ANY(%s)", [persons])  # noqa: S608
        rows["registry_person"] += cursor.rowcount
    if not known:
        ports.source().forget(persons)
    return rows


def _holding(groups: Collection[Group], *, known: bool) -> list[int]:
    """Persons of whom a value of one of the groups is held, or told in the log of changes."""
    told = [f"p.{column} IS DISTINCT FROM {value}" for column, value in _values(groups, known=known).items()]
    told.append("EXISTS (SELECT FROM registry_appliedchange a WHERE a.person_id = p.id AND a.field = ANY(%s))")
    if Group.FOREIGN in groups:
        told.append("EXISTS (SELECT FROM registry_foreignaddress f WHERE f.person_id = p.id)")
    with connection.cursor() as cursor:
        sql = f"SELECT p.id FROM registry_person p WHERE {' OR '.join(told)} ORDER BY p.id LIMIT {BATCH}"  # noqa: S608
        cursor.execute(sql, [_fields(groups)])
        return [person for (person,) in cursor.fetchall()]


def _fields(groups: Collection[Group]) -> list[str]:
    return [field for group in groups for field in FIELDS_OF[group]]


def _values(groups: Collection[Group], *, known: bool) -> dict[str, str]:
    """The columns to empty, and to what. ``known``: a permit is in force, and only some of its groups are not there."""
    columns = {column: value for group in groups for column, value in COLUMNS.get(group, {}).items()}
    return columns if known else columns | KNOWLEDGE
