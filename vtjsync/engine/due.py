"""Who is due for basic data, and in which order they are asked (domain.md A4, B19, C21)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.db import connection as database

from registry.clock import today
from registry.hetu import Hetu
from vtjsync.engine.budget import Priority
from vtjsync.engine.permit import ON_THE_LIST, SENDABLE
from vtjsync.engine.refusals import DELAYS
from vtjsync.reading.outcome import Ask

_NOT_TOO_EARLY = "(p.ask_not_before IS NULL OR p.ask_not_before <= clock_timestamp())"
# Asked again and again, later and later, since VTJ leaves the person out.
_AGAIN = f"(p.ask_attempts > 0 AND p.ask <> '{Ask.UNREADABLE}')"
# Who is due, in the order of asking (domain.md B19).
DUE: Final = {
    "urgent": f"p.ask IS NOT NULL AND p.ask_urgent AND NOT {_AGAIN} AND {_NOT_TOO_EARLY}",
    "other": f"p.ask IS NOT NULL AND NOT p.ask_urgent AND p.ask <> '{Ask.SILENT}' AND NOT {_AGAIN}"
    f" AND {_NOT_TOO_EARLY}",
    "silent": f"p.ask = '{Ask.SILENT}'"
    " AND EXISTS (SELECT FROM vtjsync_silence s WHERE s.person_id = p.id AND s.state = 'ALLOWED')",
    "joining": f"p.ask IS NULL AND p.status <> 'NOT_FOUND' AND p.ask_attempts < {len(DELAYS)}"
    " AND NOT EXISTS (SELECT FROM vtjsync_enrolment e WHERE e.person_id = p.id)",
    "again": f"p.ask IS NOT NULL AND {_AGAIN} AND {_NOT_TOO_EARLY}",
}
UNASKED: Final = (
    "p.ask IS NULL AND p.status = 'CURRENT' AND EXISTS (SELECT FROM vtjsync_enrolment e WHERE e.person_id = p.id)"
)
PRIORITIES: Final = {
    "urgent": Priority.URGENT,
    "other": Priority.ASKS,
    "silent": Priority.ASKS,
    "joining": Priority.FIRST_LOAD,
    "again": Priority.NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One person of a request: the version that the answer must meet again (domain.md B12)."""

    person_id: int
    code: Hetu
    version: int
    enrolled: bool


def batch(why: str, after: int = 0) -> list[Asked]:
    """The next batch of those on the list who are due for one reason, in the order of their ids."""
    limit = min(settings.VTJ_BASIC_DATA_BATCH, settings.VTJ_COHORT_SIZE)
    return _select(f"{DUE[why]} AND p.id > %s AND {ON_THE_LIST} ORDER BY p.id LIMIT %s", [after, *_today(), limit])


def count() -> int:
    """How many are due for any reason."""
    anyone = " OR ".join(f"({condition})" for condition in DUE.values())
    with database.cursor() as cursor:
        sql = f"SELECT count(*) FROM registry_person p WHERE ({anyone}) AND {ON_THE_LIST}"  # noqa: S608
        cursor.execute(sql, _today())
        number: int = cursor.fetchone()[0]
    return number


def added(person_ids: Sequence[int]) -> list[Asked]:
    """Those of the persons who are on the list, whatever they wait for: at most a thousand."""
    return _select(f"p.id = ANY(%s) AND {ON_THE_LIST} ORDER BY p.id LIMIT 1000", [list(person_ids), *_today()])


def unasked(person_ids: Sequence[int]) -> list[Asked]:
    """Those of the persons who are in a cohort, up to date, and not to be asked about anyway."""
    return _select(f"p.id = ANY(%s) AND {UNASKED} AND {ON_THE_LIST} ORDER BY p.id", [list(person_ids), *_today()])


def mark_rechecks(day: date) -> int:
    """Marks those of whom a value ends or begins by the Helsinki day (domain.md C21), locked in the order of ids."""
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_person SET ask = %s, ask_urgent = false, ask_not_before = NULL, ask_attempts = 0,"
            " recheck_on = NULL, version = version + 1 WHERE id IN (SELECT id FROM registry_person"
            " WHERE recheck_on <= %s AND ask IS NULL ORDER BY id FOR UPDATE)",
            [Ask.VALUE, day],
        )
        return int(cursor.rowcount)


def _select(where: str, values: Sequence[int | date | list[int]]) -> list[Asked]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, k.hetu, p.version,"  # noqa: S608
            " EXISTS (SELECT FROM vtjsync_enrolment e WHERE e.person_id = p.id)"
            f" FROM registry_person p JOIN registry_personcode k ON k.person_id = p.id AND k.current"
            f" WHERE {SENDABLE} AND {where}",
            [settings.HETU_ALLOW_TEST_CODES, *values],
        )
        return [Asked(*row) for row in cursor.fetchall()]


def _today() -> list[date]:
    return [today(), today()]
