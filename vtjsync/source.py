"""VTJ as the source of the register's data: what ``registry.ports`` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, NullIf

from registry.clock import today
from registry.hetu import Hetu
from registry.models import Person
from registry.ports import Identity
from registry.sql import ids
from vtjsync.engine import permit
from vtjsync.engine.due import DUE
from vtjsync.engine.permit import ON_THE_LIST, NoPermit
from vtjsync.models import Enrolment, Silence
from vtjsync.reading.outcome import Ask

# When a person p is asked next: at the time of the mark, with the next run, or on the day on which a value ends. What
# the brake holds back waits for an administrator (domain.md B18).
_NEXT: Final = f"""
    SELECT p.id, CASE WHEN {DUE["silent"]} OR {DUE["joining"]} THEN clock_timestamp()
                      WHEN p.ask <> '{Ask.SILENT}' THEN coalesce(p.ask_not_before, clock_timestamp())
                      ELSE p.recheck_on::timestamp AT TIME ZONE 'Europe/Helsinki' END
    FROM registry_person p WHERE p.id = ANY(%s) AND {ON_THE_LIST}
"""  # noqa: S608 - the conditions are constants


class Vtj:
    """The source that the register is given at start."""

    def fetch_soon(self, person_ids: Sequence[int]) -> None:
        """Queues the question for these persons' basic data."""
        from vtjsync import tasks

        tasks.start_fetch(person_ids)

    def import_soon(self, number: int) -> None:
        """Queues the step."""
        from vtjsync import tasks

        tasks.start_import(number)

    def ask_again(self, person_ids: Sequence[int]) -> None:
        """Marks them as after a corrected code, and as urgently as a ban where there may be one, unless there is a mark
        already (domain.md B11, B19, D28). The version goes up with it: what was asked before does not answer it (B12).
        """
        doubted = Q(protected=True) | Q(location_hidden=True)
        why = Case(When(doubted, then=Value(Ask.BAN)), default=Value(Ask.CODE))
        Person.objects.filter(id__in=ids(person_ids)).update(
            ask=Coalesce(NullIf("ask", Value(Ask.SILENT)), why),
            ask_urgent=Case(When(doubted, then=Value(True)), default=F("ask_urgent")),
            ask_not_before=None,
            ask_attempts=0,
            version=F("version") + 1,
        )

    def next_ask_at(self, person_ids: Sequence[int]) -> dict[int, datetime]:
        """When each person is asked next, on the database's clock (domain.md A1, A2, A4, C21)."""
        try:
            permit.granted(today())
        except NoPermit:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [list(person_ids), today(), today()])
            return {person: at for person, at in cursor.fetchall() if at is not None}

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
                " AND (o.kind = 'NO_SUCCESSOR' OR o.kind = 'TWO_ENTRIES' AND o.survives IS NOT TRUE))"
                " THEN greatest(p.checked_at, c.up_to_date_as_of) ELSE p.checked_at END"
                " FROM registry_person p LEFT JOIN vtjsync_enrolment e ON e.person_id = p.id"
                " LEFT JOIN vtjsync_cohort c ON c.id = e.cohort_id"
                " WHERE p.id = ANY(%s) AND p.checked_at IS NOT NULL",
                [Ask.PERMIT, list(person_ids)],
            )
            return dict(cursor.fetchall())
