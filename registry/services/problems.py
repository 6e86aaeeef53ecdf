"""Problems are opened and closed by those who find and lose their cause, many at a time (domain.md A4, D30, E33)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from registry.models import Problem, ProblemKind
from registry.services import vtj_data
from registry.sql import ids


class Found(NamedTuple):
    """A cause that was found: ``other`` is the other entry of the register in TWO_ENTRIES, and ``survives`` whether VTJ
    calls this one's code the active one, None where it does not say."""

    person: int
    kind: ProblemKind
    other: int | None = None
    survives: bool | None = None


_OPEN: Final = """
    INSERT INTO registry_problem (person_id, kind, other_id, survives, pair_protected, opened_at, attempts, note)
    SELECT person, kind, other, survives,
           (SELECT p.protected FROM registry_person p WHERE p.id = person AND other IS NOT NULL),
           clock_timestamp(), 1, ''
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::boolean[]) AS found (person, kind, other, survives)
    ON CONFLICT (person_id, kind, other_id, unit_id) WHERE closed_at IS NULL
    DO UPDATE SET attempts = registry_problem.attempts + 1, apart_at = NULL,
                  survives = coalesce(excluded.survives, registry_problem.survives)
    RETURNING (xmax = 0)
"""
_CLOSE_PAIRS: Final = """
    UPDATE registry_problem k SET closed_at = clock_timestamp(), other_id = NULL, pair_protected = NULL
    FROM registry_problem mirror
    WHERE k.kind = 'TWO_ENTRIES' AND mirror.kind = 'TWO_ENTRIES' AND k.closed_at IS NULL AND mirror.closed_at IS NULL
      AND mirror.person_id = k.other_id AND mirror.other_id = k.person_id
      AND k.apart_at IS NOT NULL AND mirror.apart_at IS NOT NULL AND k.person_id = ANY(%s)
    RETURNING k.person_id
"""
_PAIRS: Final = """
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


def open_problems(found: Iterable[Found]) -> int:
    """Opens a problem for each; one that is open counts another attempt. Returns how many were new.

    A pair of two entries is opened from both sides, both of which are protected if either is (domain.md D30).
    """
    rows = sorted((Found(*one) for one in found), key=lambda one: (one.person, one.kind, one.other or 0))
    if not rows:
        return 0
    persons, kinds, others, survive = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [list(persons), [str(kind) for kind in kinds], list(others), list(survive)])
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
    return Problem.objects.filter(wanted, closed_at=None).exclude(kind=ProblemKind.TWO_ENTRIES).update(closed_at=Now())


def tell_apart(told: Collection[tuple[int, int]]) -> set[int]:
    """VTJ's basic data of the first person of each pair speaks of that person alone. When it has done so for both, the
    pair is closed. Returns the persons of pairs that were closed: what was kept alike is to be asked (domain.md D30).
    """
    if not told:
        return set()
    wanted = Q()
    for person, other in told:
        wanted |= Q(person=person, other=other)
    rows = Problem.objects.filter(wanted, kind=ProblemKind.TWO_ENTRIES, closed_at=None, apart_at=None)
    rows.update(apart_at=Now())
    both = {one for pair in told for one in pair}
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_PAIRS, [list(both)])
        return {person for (person,) in cursor.fetchall()}


def pairs(person_ids: Collection[int]) -> dict[int, set[int]]:
    """The other entries of the register that are the same person, for those who have one (domain.md D30), and for
    everybody who hangs together with them over others."""
    found: dict[int, set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, [ProblemKind.TWO_ENTRIES, list(person_ids)])
        for person, other in cursor.fetchall():
            found.setdefault(person, set()).add(other)
    return found


def lock_together(person_ids: Collection[int]) -> list[int] | None:
    """Locks the persons that there still are, and all who hang together with them, in the order of their ids; None when
    a pair was opened while the locks were waited for, and not everybody is locked who should be."""
    locked = vtj_data.lock(set(person_ids).union(pairs(person_ids)))
    return locked if pairs(locked).keys() <= set(locked) else None
