"""The audit log in the tests: what only somebody with the rights of the database's own administrator can do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from registry.models import AuditEvent, AuditSeal
from registry.services import audit, audit_months, audit_seals
from registry.services.audit import Action
from tests.cast import clerk

_TABLES = """
    SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit_no_truncate'
    ORDER BY tgrelid <> 'registry_auditevent'::regclass, 1
"""


def tables() -> list[str]:
    """The log, each of its months, and the seals: what cannot be truncated."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [name for (name,) in cursor.fetchall()]


def few_months() -> None:
    """Lets the tests' database have two months ahead instead of two years: whoever empties it empties them all."""
    audit_months.AHEAD = 2
    now = timezone.now()
    last = now.year * 12 + now.month + audit_months.AHEAD
    with connection.cursor() as cursor:
        for month in audit_months.months():
            year, number = map(int, month.split("-"))
            if year * 12 + number > last:
                cursor.execute(f"DROP TABLE registry_auditevent_{year}_{number:02}")


def allow_truncate() -> None:
    """Lets the tests' database be emptied."""
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_no_truncate")


@contextmanager
def no_triggers() -> Iterator[Any]:
    """A cursor for which no trigger counts."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def tamper(sql: str, *values: object) -> None:
    """One statement past the triggers."""
    with no_triggers() as cursor:
        cursor.execute(sql, values)


def event(**fields: Any) -> AuditEvent:
    """An event with a time of its own."""
    with no_triggers():
        return AuditEvent.objects.create(**fields)


def record(times: int = 1, action: Action = Action.VIEW) -> None:
    """So many events."""
    for _ in range(times):
        audit.record(clerk, action)


def sealed(times: int = 1, action: Action = Action.VIEW) -> AuditSeal:
    """So many events, and the seal over them."""
    record(times, action)
    return seal()


def seal(leaving: int = 0) -> AuditSeal:
    """The newest seal, over all events but so many, made at once. A transaction in another database of the same server
    holds a seal back for a while: until then none is made, or there would be one more."""
    until = time.monotonic() + 150
    while time.monotonic() < until:
        if AuditEvent.objects.filter(tx__gte=audit_seals.horizon()).count() <= leaving:
            audit_seals.seal()
            newest = audit_seals.last()
            if newest and AuditEvent.objects.filter(tx__gte=newest.to_tx).count() <= leaving:
                return newest
        time.sleep(0.05)
    raise AssertionError("a transaction of another database stands in the way")


@contextmanager
def other_session() -> Iterator[psycopg.Connection]:
    """A session beside the test's own."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        yield other
