"""VTJ as the source of the register's data: what ``registry.ports`` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from registry.hetu import Hetu
from registry.ports import Identity


class Vtj:
    """The source that the register is given at start."""

    def fetch_soon(self, person_ids: Sequence[int]) -> None:
        """Queues the question for these persons' basic data."""
        from vtjsync import tasks

        tasks.start_fetch(person_ids)

    def offers_look_ups(self) -> bool:
        """Whether the settings turn VTJkysely on."""
        from vtjsync.engine import look_up

        return look_up.is_on()

    def look_up(self, code: Hetu, *, asked_by: str, reason: str) -> Identity:
        """Asks VTJkysely about one person, now."""
        from vtjsync.engine import look_up

        return look_up.look_up(code, asked_by=asked_by, reason=reason)

    def confirmed_at(self, person_ids: Sequence[int]) -> dict[int, datetime]:
        """When each person's data was last known to be up to date, on the database's clock (domain.md B15, E41).

        That is the last poll of the person's cohort that ended with ajanTasalla, or the person's own basic data if that
        is later; with a question open, the basic data alone.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT p.id, CASE WHEN p.ask IS NULL THEN greatest(p.checked_at, c.up_to_date_as_of)"
                " ELSE p.checked_at END"
                " FROM registry_person p LEFT JOIN vtjsync_enrolment e ON e.person_id = p.id"
                " LEFT JOIN vtjsync_cohort c ON c.id = e.cohort_id"
                " WHERE p.id = ANY(%s) AND p.checked_at IS NOT NULL",
                [list(person_ids)],
            )
            return dict(cursor.fetchall())
