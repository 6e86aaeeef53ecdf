"""The lines of an extract of the log: the events about somebody, those alike taken together (docs/adr/0018).

What somebody did again and again in the same minute is one line, and what the program does by itself one for each kind,
from its first time to its last. Nothing is read but what a client may be told: neither where a user sat, nor who else
was in the same list, nor how many they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db import connection

from registry.clock import HELSINKI
from registry.models import LogExtract

# Details that say why, and the service, which points to a place.
DETAILS: Final = ("service", "reason", "why", "unconfirmed")
_HELD: Final = ", ".join(f"details ->> '{one}' AS {one}" for one in DETAILS)
_ALIKE: Final = f"user_id, username, action, basis, outcome, {', '.join(DETAILS)}"
_LINES: Final = f"""
    SELECT min(id) AS number, min(at) AS first, max(at) AS last, count(*) AS times, {_ALIKE}
    FROM (SELECT id, at, user_id, username, action, basis, outcome, {_HELD},
                 CASE WHEN user_id IS NOT NULL THEN date_trunc('minute', at) END AS minute
          FROM registry_auditevent
          WHERE subjects && %(subjects)s::uuid[] AND at >= %(since)s AND at < %(until)s AND id <= %(last)s) AS told
    GROUP BY minute, {_ALIKE}
"""  # noqa: S608
_PAGE: Final = f"SELECT * FROM ({_LINES}) AS l WHERE number > %(after)s ORDER BY number LIMIT %(most)s"  # noqa: S608
_COUNTS: Final = f"""
    SELECT count(*), count(*) FILTER (WHERE d.decision IS NULL), count(*) FILTER (WHERE d.decision = 'LEAVE_OUT')
    FROM ({_LINES}) AS l
    LEFT JOIN registry_extractline d ON d.line = l.number AND d.extract_id = %(extract)s
"""  # noqa: S608
# From the first that the log or the register knows of the person to the erasure, or to when it was asked.
_LISTED: Final = """
    SELECT min(at), (SELECT min(created_at) FROM registry_person WHERE subject = ANY(%(subjects)s::uuid[])),
           max(at) FILTER (WHERE action = 'ERASE' AND NOT details ? 'clientships')
    FROM registry_auditevent WHERE subjects && %(subjects)s::uuid[] AND id <= %(last)s
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Events that are alike. ``number`` is that of the first; ``times``, how many they are."""

    number: int
    first: datetime
    last: datetime
    times: int
    user_id: int | None
    username: str
    action: str
    basis: str
    outcome: str
    service: str | None
    reason: str | None
    why: str | None
    unconfirmed: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines there are, and of those how many are not decided, and are left out."""

    lines: int
    undecided: int
    left_out: int


def groups(extract: LogExtract, after: int = 0, most: int = 51) -> list[Group]:
    """So many lines after the one with that number, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, _values(extract) | {"after": after, "most": most})
        return [Group(*row) for row in cursor.fetchall()]


def counts(extract: LogExtract) -> Counts:
    """How much there is to decide."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, _values(extract) | {"extract": extract.pk})
        return Counts(*cursor.fetchone())


def listed(extract: LogExtract) -> tuple[datetime, datetime] | None:
    """From when to when, within the period, VTJ was asked about the person by itself (domain.md G46); None if never."""
    values = _values(extract)
    with connection.cursor() as cursor:
        cursor.execute(_LISTED, values)
        logged, created, erased = cursor.fetchone()
    begins = min(filter(None, (logged, created)), default=None)
    if begins is None:
        return None
    ends = extract.made_at if created or erased is None else erased
    first, last = max(begins, values["since"]), min(ends, values["until"])
    return (first, last) if first <= last else None


def _values(extract: LogExtract) -> dict[str, Any]:
    return {
        "subjects": extract.subjects,
        "since": datetime.combine(extract.since, time.min, HELSINKI),
        "until": datetime.combine(extract.until + timedelta(days=1), time.min, HELSINKI),
        "last": extract.last_event,
    }
