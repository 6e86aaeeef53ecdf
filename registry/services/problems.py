"""Problems are opened and closed by those who find and lose their cause, many at a time."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from registry.models import Problem, ProblemKind
from registry.sql import ids

_OPEN = """
    INSERT INTO registry_problem (person_id, kind, other_id, opened_at, attempts, note)
    SELECT person, kind, other, clock_timestamp(), 1, ''
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS found (person, kind, other)
    ON CONFLICT (person_id, kind) WHERE closed_at IS NULL
    DO UPDATE SET attempts = registry_problem.attempts + 1, other_id = excluded.other_id
    RETURNING (xmax = 0)
"""
_PAIRS = """
    WITH RECURSIVE told AS MATERIALIZED (
        SELECT person_id AS one, other_id AS other FROM registry_problem
        WHERE kind = %s AND closed_at IS NULL AND other_id IS NOT NULL
    ), pair AS (
        SELECT one, other FROM told UNION SELECT other, one FROM told
    ), together (person) AS (
        SELECT unnest(%s::bigint[]) UNION SELECT pair.other FROM together JOIN pair ON pair.one = together.person
    )
    SELECT pair.one, pair.other FROM together JOIN pair ON pair.one = together.person
"""


def open_problems(found: Collection[tuple[int, ProblemKind, int | None]]) -> int:
    """Opens a problem for each (person, kind, other person or None); one that is open counts another attempt.

    Returns how many were new.
    """
    if not found:
        return 0
    persons, kinds, others = zip(*sorted(found, key=lambda one: (one[0], one[1])), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [list(persons), [str(kind) for kind in kinds], list(others)])
        return sum(new for (new,) in cursor.fetchall())


def close_problems(lost: Collection[tuple[int, ProblemKind]]) -> int:
    """Closes the open problems of each (person, kind) whose cause is gone. Returns how many were open."""
    by_kind: dict[ProblemKind, list[int]] = {}
    for person, kind in lost:
        by_kind.setdefault(kind, []).append(person)
    wanted = Q()
    for kind, persons in by_kind.items():
        wanted |= Q(kind=kind, person__in=ids(persons))
    if not by_kind:
        return 0
    return Problem.objects.filter(wanted, closed_at=None).update(closed_at=Now())


def pairs(person_ids: Collection[int]) -> dict[int, set[int]]:
    """The other entries of the register that are the same person, for those who have one (domain.md D30), and for
    everybody who hangs together with them over others: a problem names one other, and there may be more."""
    found: dict[int, set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, [ProblemKind.TWO_ENTRIES, list(person_ids)])
        for person, other in cursor.fetchall():
            found.setdefault(person, set()).add(other)
    return found
