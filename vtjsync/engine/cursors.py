"""A cursor that VTJ accepts no more (domain.md B17): noted, and reset by an administrator's word or by the setting.

After a reset nobody knows what happened since the last answer, a ban perhaps. So everybody in the cohort is asked
about, with bans and places, and until then their locations are shown as not confirmed (registry.selectors.place).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from registry.policies import RUN_SYNC, Access
from registry.services import audit
from registry.services.audit import Action
from vtjsync.engine.budget import Priority
from vtjsync.engine.connection import Connection, database_now
from vtjsync.engine.run import BASIS
from vtjsync.models import Cohort
from vtjsync.reading.outcome import Ask
from vtjsync.wire.errors import Refused

# How often a cohort's cursor is reset without anybody's word.
BY_ITSELF: Final = timedelta(days=1)

# Somebody whose location is hidden by an entry that could not be read stays so.
_ASK_EVERYBODY: Final = """
    UPDATE registry_person SET ask = CASE WHEN ask = %s THEN ask ELSE %s END, ask_urgent = true,
        ask_not_before = NULL, ask_attempts = 0, version = version + 1
    WHERE id IN (SELECT p.id FROM registry_person p JOIN vtjsync_enrolment e ON e.person_id = p.id
        WHERE e.cohort_id = %s ORDER BY p.id FOR UPDATE OF p)
"""


class CursorRefused(Exception):
    """VTJ refuses the cursor of a cohort; ``error`` is what it says."""

    def __init__(self, error: Refused) -> None:
        super().__init__(str(error))
        self.error = error


def note(cohort_id: int, error: Refused) -> None:
    """Remembers what VTJ says, for an administrator to see. The first time stays."""
    told = {"refused_status": error.status, "refused_type": error.error_type}
    Cohort.objects.filter(pk=cohort_id, refused_at=None).update(refused_at=database_now(), **told)


def by_itself(cohort_id: int, error: Refused) -> bool:
    """Whether the setting lets this refusal reset the cursor without anybody's word, once a day for each cohort."""
    if f"{error.status}:{error.error_type}" not in settings.VTJ_CURSOR_RESET_ON:
        return False
    return not Cohort.objects.filter(pk=cohort_id, reset_at__gt=database_now() - BY_ITSELF).exists()


def ask_reset(access: Access, cohort_id: int) -> None:
    """An administrator's word: the next run resets the refused cursor. Needs the right to run the sync."""
    access.require(RUN_SYNC)
    with transaction.atomic():
        if Cohort.objects.filter(pk=cohort_id).exclude(refused_at=None).update(reset_asked=True):
            audit.record(access, Action.ASK_RESET, details={"cohort": cohort_id})


def reset(connection: Connection, run_id: int, cohort_id: int) -> None:
    """A new cursor first, as for a new cohort (B9), and then a mark on everybody in it. Raises VtjError, Stopped."""
    key = connection.yesterday_key(Priority.CHANGES)
    with transaction.atomic(), database.cursor() as cursor:
        cohort = Cohort.objects.select_for_update().get(pk=cohort_id)
        cohort.cursor, cohort.cursor_at = key, database_now()
        cohort.reset_at, cohort.reset_asked = cohort.cursor_at, False
        accepted(cohort)
        cohort.save()
        cursor.execute(_ASK_EVERYBODY, [Ask.UNREADABLE, Ask.LOST_TRACK, cohort_id])
        details = {"run": run_id, "cohort": cohort_id}
        audit.record(Access(None, BASIS), Action.RESET_CURSOR, count=cursor.rowcount, details=details)


def accepted(cohort: Cohort) -> None:
    """VTJ accepts the cursor: forgets a refusal. The caller saves the row."""
    cohort.refused_at, cohort.refused_status, cohort.refused_type = None, None, ""
