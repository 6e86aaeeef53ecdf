"""The months of the audit log: made ahead, removed when their time is over, held by an inquiry (domain.md G46).

The database's own functions do it with the owner's rights, and refuse what is not lawful (migration 0011).
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from registry.models import AuditHold
from registry.policies import Access
from registry.services import audit, audit_check, audit_seals
from registry.services.audit import Action
from registry.services.errors import Refused

log = logging.getLogger("vtjsync.audit")

# The workers may stand still for a year before an event has no month to go to.
AHEAD = 24
LEAST_YEARS: Final = 5
_MONTHS: Final = """
    SELECT translate(right(inhrelid::regclass::text, 7), '_', '-') FROM pg_inherits
    WHERE inhparent = 'registry_auditevent'::regclass ORDER BY 1
"""
_DUE: Final = "SELECT to_char(now() AT TIME ZONE 'UTC' - make_interval(years => %s, months => 1), 'YYYY-MM')"


class Torn(Exception):
    """A month that is due for removal does not hold what its seals tell: it stays, as evidence."""


def months() -> list[str]:
    """The months that the log has room for, the oldest first: ``2026-11``, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS)
        return [month for (month,) in cursor.fetchall()]


def make_ahead() -> int:
    """Makes the months that are to come. Returns how many were made. Without a month no event is written, and so
    nothing is shown or done: nothing is lost silently."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT registry_audit_make_months(%s)", [AHEAD])
        return int(cursor.fetchone()[0])


def due() -> list[str]:
    """The months whose events are all older than the controller wants to keep them, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [max(settings.AUDIT_LOG_YEARS, LEAST_YEARS)])
        (final,) = cursor.fetchone()
    return [month for month in months() if month <= final]


def drop_due(access: Access) -> list[str]:
    """Removes the months that are due, each in a transaction with the event and the seal that tell of it; none while an
    inquiry holds the log. Returns the months. Raises :class:`Torn`."""
    dropped: list[str] = []
    for month in due():
        if held() or not _drop(access, month):
            break
        dropped.append(month)
    return dropped


def held() -> list[AuditHold]:
    """The inquiries that hold the log, the oldest first."""
    return list(AuditHold.objects.filter(released_at=None).order_by("pk"))


def hold(access: Access, reason: str, by: str) -> AuditHold:
    """An inquiry begins: from now on no month is removed. ``by`` is who decided it."""
    with transaction.atomic():
        placed = AuditHold.objects.create(reason=reason, placed_by=by)
        audit.record(access, Action.HOLD_AUDIT, details={"hold": placed.pk})
    return placed


def release(access: Access, number: int, by: str) -> None:
    """The inquiry has ended. Raises :class:`Refused` where there is none with this number."""
    with transaction.atomic():
        open_ones = AuditHold.objects.filter(pk=number, released_at=None)
        if not open_ones.update(released_at=Now(), released_by=by):
            raise Refused("There is no open inquiry with this number.")
        audit.record(access, Action.RELEASE_AUDIT, details={"hold": number})


def after_migration(**_kwargs: Any) -> None:
    """After a migration, with the owner's rights: months ahead, and numbers of transactions that go on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('registry_audit_go_on()') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute("SELECT registry_audit_go_on()")
            make_ahead()


def _drop(access: Access, month: str) -> bool:
    """Whether the month was removed; not where somebody is in the way, and the next tick does it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if not audit_seals.alone():
                return False
            events, seal, findings = audit_check.month_findings(month)
            if findings:
                raise Torn(f"{month}: {findings[0]}")
            former, now = audit_seals.last(), audit_seals.moment()
            told: dict[str, str | int] = {"month": month, "events": events, "last_seal": seal}
            event = audit.record(access, Action.DROP_MONTH, details=told)
            to_tx = former.to_tx if former else audit_seals.FIRST
            dropped = {"month": month, "events": events, "event": event.pk}
            audit_seals.add(former, now, to_tx=to_tx, months={}, dropped=dropped)
            cursor.execute("SELECT registry_audit_drop_month(%s::timestamp)", [datetime.fromisoformat(f"{month}-01")])
    except OperationalError as error:
        log.warning("a month of the audit log waits to be removed: %s", type(error).__name__)
        return False
    return True
