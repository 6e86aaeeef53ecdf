"""The audit log as auditors read it, newest first (domain.md G46, H52)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext, gettext_noop

from registry.models import AuditEvent
from registry.policies import SEE_AUDIT_LOG, Access
from registry.services import audit
from registry.services.audit import Action

PAGE: Final = 50

# What stands in the log in English and is read in the reader's language.
BASES: Final = (
    gettext_noop("client list"),
    gettext_noop("client search"),
    gettext_noop("client's page"),
    gettext_noop("adding a client"),
    gettext_noop("checking an added client"),
    gettext_noop("ending a clientship"),
    gettext_noop("erasures"),
    gettext_noop("signing in"),
    gettext_noop("sync history"),
    gettext_noop("steering the sync"),
    gettext_noop("reading the log"),
    gettext_noop("VTJ synchronisation"),
    gettext_noop("command"),
)
OUTCOMES: Final = {
    "done": gettext_noop("done"),
    "refused": gettext_noop("refused"),
    "paused": gettext_noop("paused"),
    "RUNNING": gettext_noop("Running"),
    "COMPLETE": gettext_noop("Complete"),
    "INCOMPLETE": gettext_noop("Incomplete: the next run goes on"),
    "FAILED": gettext_noop("Failed"),
    "INTERRUPTED": gettext_noop("Interrupted"),
}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in words. ``subjects`` are the random ids of the persons, ``count`` their number."""

    number: int
    at: datetime
    action: str
    user: str
    subjects: Sequence[str]
    count: int
    basis: str
    origin: str
    outcome: str


def events(access: Access, before: int | None = None) -> list[EventRow]:
    """A page of events, from the one before the event numbered ``before``; one more than a page tells that there are
    others. Reading is an event itself. Raises PermissionDenied."""
    access.require(SEE_AUDIT_LOG)
    rows = AuditEvent.objects.filter(pk__lt=before) if before else AuditEvent.objects.all()
    found = [_in_words(event) for event in rows.order_by("-pk")[: PAGE + 1]]
    audit.record(access, Action.VIEW_LOG)
    return found


def _in_words(event: AuditEvent) -> EventRow:
    known = event.action in Action.values
    return EventRow(
        number=event.pk,
        at=event.at,
        action=str(Action(event.action).label) if known else event.action,
        user=event.username,
        subjects=[str(subject) for subject in event.subjects],
        count=event.count,
        basis=gettext(event.basis) if event.basis else "",
        origin=event.origin,
        outcome=gettext(OUTCOMES.get(event.outcome, event.outcome)) if event.outcome else "",
    )
