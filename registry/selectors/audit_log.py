"""The audit log as auditors read it, newest first (domain.md G46, H52)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext, gettext_noop

from registry.hetu import Hetu
from registry.models import AuditEvent, ProblemKind, SubjectCode
from registry.policies import SEE_AUDIT_LOG, Access
from registry.selectors.place import Override
from registry.services import audit
from registry.services.audit import Action
from registry.services.look_up import Reason

PAGE: Final = 50

# What stands in the log in English and is read in the reader's language.
BASES: Final = (
    gettext_noop("client list"),
    gettext_noop("client search"),
    gettext_noop("client's page"),
    gettext_noop("adding a client"),
    gettext_noop("checking an added client"),
    gettext_noop("ending a clientship"),
    gettext_noop("what needs attention"),
    gettext_noop("two entries of one person"),
    gettext_noop("erasures"),
    gettext_noop("signing in"),
    gettext_noop("sync history"),
    gettext_noop("steering the sync"),
    gettext_noop("reading the log"),
    gettext_noop("VTJ synchronisation"),
    gettext_noop("inquiry of a person"),
)
OUTCOMES: Final = {
    "done": gettext_noop("done"),
    "refused": gettext_noop("refused"),
    "asked": gettext_noop("asked"),
    "answered": gettext_noop("answered"),
    "nothing told": gettext_noop("nothing told"),
    "no answer": gettext_noop("no answer"),
    "paused": gettext_noop("paused"),
    "resumed": gettext_noop("resumed"),
    "found": gettext_noop("something was found"),
    "dry run": gettext_noop("only tried"),
    "unconfirmed": gettext_noop("not written, a confirmation is needed"),
    "RUNNING": gettext_noop("Running"),
    "COMPLETE": gettext_noop("Complete"),
    "INCOMPLETE": gettext_noop("Incomplete: the next run goes on"),
    "FAILED": gettext_noop("Failed"),
    "INTERRUPTED": gettext_noop("Interrupted"),
}


DETAILS: Final = {
    "run": gettext_noop("run"),
    "cohort": gettext_noop("cohort"),
    "service": gettext_noop("service"),
    "minutes": gettext_noop("minutes"),
    "user": gettext_noop("user"),
    "roles": gettext_noop("roles"),
    "started_by": gettext_noop("started by"),
    "clientships": gettext_noop("clientships"),
    "reason": gettext_noop("reason"),
    "unconfirmed": gettext_noop("not confirmed lately"),
    "kind": gettext_noop("kind"),
    "groups": gettext_noop("data groups"),
    "problem": gettext_noop("problem"),
    "moved": gettext_noop("clientships moved"),
    "joined": gettext_noop("clientships joined"),
    "day": gettext_noop("day"),
}

# What these details hold is one of a few words.
WORDS: Final[dict[str, type[TextChoices]]] = {"reason": Reason, "unconfirmed": Override, "problem": ProblemKind}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in words. ``subjects`` are the random ids of the persons, ``count`` their number."""

    number: int
    at: datetime
    action: str
    details: str
    user: str
    subjects: tuple[str, ...]
    count: int
    basis: str
    origin: str
    outcome: str


def events(access: Access, before: int | None = None) -> list[EventRow]:
    """A page of events, from the one before the event numbered ``before``; one more than a page tells that there are
    others. Reading is an event itself. Raises PermissionDenied."""
    access.require(SEE_AUDIT_LOG)
    found = _page(AuditEvent.objects.all(), before)
    audit.record(access, Action.VIEW_LOG)
    return found


def events_of(access: Access, code: Hetu, before: int | None = None) -> list[EventRow]:
    """The same of one person, by any of the codes the person has had, after a correction and after erasure too: the
    answer to "who has looked at my data" (domain.md G47). Of each event only this person's id is shown."""
    access.require(SEE_AUDIT_LOG)
    subjects = list(SubjectCode.objects.filter(code_hash=audit.code_hash(code)).values_list("subject", flat=True))
    found = _page(AuditEvent.objects.filter(subjects__overlap=subjects), before) if subjects else []
    audit.record(access, Action.VIEW_LOG, subjects=subjects)
    theirs = {str(subject) for subject in subjects}
    return [replace(one, subjects=tuple(s for s in one.subjects if s in theirs)) for one in found]


def _page(rows: QuerySet[AuditEvent], before: int | None) -> list[EventRow]:
    rows = rows.filter(pk__lt=before) if before else rows
    return [_in_words(event) for event in rows.order_by("-pk")[: PAGE + 1]]


def _in_words(event: AuditEvent) -> EventRow:
    known = event.action in Action.values
    details = (f"{gettext(DETAILS.get(key, key))}: {_value(key, value)}" for key, value in event.details.items())
    return EventRow(
        number=event.pk,
        at=event.at,
        action=str(Action(event.action).label) if known else event.action,
        details=", ".join(details),
        user=event.username,
        subjects=tuple(map(str, event.subjects)),
        count=event.count,
        basis=gettext(event.basis) if event.basis else "",
        origin=event.origin,
        outcome=gettext(OUTCOMES.get(event.outcome, event.outcome)) if event.outcome else "",
    )


def _value(key: str, value: str | int) -> str:
    words = WORDS.get(key)
    return str(words(value).label) if words and value in words.values else str(value)
