"""VTJ as the source of the register's data: what ``registry.ports`` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from registry.hetu import Hetu
from registry.models import Person
from registry.ports import Identity
from registry.sql import ids
from vtjsync.models import Enrolment, Silence
from vtjsync.reading.outcome import Ask


class Vtj:
    """The source that the register is given at start."""

    def fetch_soon(self, person_ids: Sequence[int]) -> None:
        """Queues the question for these persons' basic data."""
        from vtjsync import tasks

        tasks.start_fetch(person_ids)

    def ask_again(self, person_ids: Sequence[int]) -> None:
        """Marks them as after a corrected code, unless there is a mark already (domain.md B11, D28)."""
        Person.objects.filter(id__in=ids(person_ids)).update(
            ask=Coalesce("ask", Value(Ask.CODE)), ask_not_before=None, ask_attempts=0, version=F("version") + 1
        )

    def forget(self, person_ids: Sequence[int]) -> None:
        """Takes them out of their cohorts; whoever is asked about again joins anew (domain.md A2)."""
        Enrolment.objects.filter(person__in=ids(person_ids)).delete()
        Silence.objects.filter(person__in=ids(person_ids)).delete()

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
        is later. The basic data alone with a question open (that the permit has changed doubts nothing that is held,
        C24), and of those whose code VTJ does not find or has replaced: their changes would not be told under it.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT p.id, CASE WHEN (p.ask IS NULL OR p.ask = %s) AND p.status = 'CURRENT' AND NOT EXISTS ("
                "SELECT FROM registry_problem o WHERE o.person_id = p.id AND o.closed_at IS NULL"
                " AND o.kind IN ('NO_SUCCESSOR', 'TWO_ENTRIES'))"
                " THEN greatest(p.checked_at, c.up_to_date_as_of) ELSE p.checked_at END"
                " FROM registry_person p LEFT JOIN vtjsync_enrolment e ON e.person_id = p.id"
                " LEFT JOIN vtjsync_cohort c ON c.id = e.cohort_id"
                " WHERE p.id = ANY(%s) AND p.checked_at IS NOT NULL",
                [Ask.PERMIT, list(person_ids)],
            )
            return dict(cursor.fetchall())
