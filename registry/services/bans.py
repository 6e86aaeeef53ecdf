"""What begins and ends with a ban besides what VTJ tells: hand-overs, and the question about a contact address (E38).

Set-based, inside the transaction in which the ban begins or ends, whatever writes it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from registry.clock import today
from registry.models import ProblemKind

# One for each unit with a clientship that has not ended. Of somebody whose basic data comes for the first time only
# where the clientship was added by hand, and who added it may not see the person now: an imported list hands nothing
# over. Takes persons, whether it is their first basic data, and today.
_BEGIN: Final = """
    INSERT INTO registry_problem (person_id, kind, unit_id, opened_at, attempts, note)
    SELECT person, 'HANDOVER', unit, clock_timestamp(), 1, '' FROM (
        SELECT DISTINCT c.person_id AS person, s.unit_id AS unit
        FROM unnest(%s::bigint[], %s::boolean[]) AS begun (person, first)
        JOIN registry_clientship c ON c.person_id = begun.person JOIN registry_service s ON s.id = c.service_id
        WHERE (c.awaits_since IS NOT NULL OR NOT begun.first) AND (c."end" IS NULL OR c."end" >= %s)
    ) AS units
    ON CONFLICT (person_id, kind, other_id, unit_id) WHERE closed_at IS NULL DO NOTHING
"""
_ASK: Final = """
    INSERT INTO registry_problem (person_id, kind, opened_at, attempts, note)
    SELECT person_id, 'CONTACT_ADDRESS', clock_timestamp(), 1, '' FROM registry_contactaddress
    WHERE person_id = ANY(%s)
    ON CONFLICT (person_id, kind, other_id, unit_id) WHERE closed_at IS NULL DO NOTHING
"""
_CLOSE: Final = """
    UPDATE registry_problem SET closed_at = clock_timestamp()
    WHERE kind = %s AND closed_at IS NULL AND person_id = ANY(%s)
"""
# A unit whose last clientship of the person has gone has nothing to take over.
_TIDY: Final = """
    UPDATE registry_problem k SET closed_at = clock_timestamp()
    WHERE k.kind = 'HANDOVER' AND k.closed_at IS NULL AND k.person_id = ANY(%s) AND NOT EXISTS (
        SELECT FROM registry_clientship c JOIN registry_service s ON s.id = c.service_id
        WHERE c.person_id = k.person_id AND s.unit_id = k.unit_id)
"""


def begin(cursor: Any, begun: Mapping[int, bool]) -> None:
    """A ban has begun for these persons; true for those of whom this is the first basic data."""
    if begun:
        cursor.execute(_BEGIN, [list(begun), list(begun.values()), today()])
        cursor.execute(_CLOSE, [ProblemKind.CONTACT_ADDRESS, list(begun)])


def end(cursor: Any, ended: Collection[int]) -> None:
    """The ban of these persons has ended: there is nothing to take over, and a contact address is asked about."""
    if ended:
        cursor.execute(_CLOSE, [ProblemKind.HANDOVER, list(ended)])
        cursor.execute(_ASK, [list(ended)])


def tidy(cursor: Any, person_ids: Collection[int]) -> None:
    """Closes the hand-overs of units that have no clientship of the person any more."""
    cursor.execute(_TIDY, [list(person_ids)])
