"""The audit log as auditors read it, newest first (domain.md G46, H52)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from registry.hetu import Hetu
from registry.models import AuditEvent, Person, SubjectCode
from registry.policies import SEE_AUDIT_LOG, Access
from registry.selectors import audit_words
from registry.services import audit
from registry.services.audit import Action

PAGE: Final = 50

# This detail points to a place.
PLACE: Final = "service"


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
    found = list(rows.order_by("-pk")[: PAGE + 1])
    with_place = {subject for event in found if PLACE in event.details for subject in event.subjects}
    plain = Person.objects.filter(subject__in=with_place, protected=False)
    told = set(plain.values_list("subject", flat=True))
    return [_in_words(event, place=told.issuperset(event.subjects)) for event in found]


def _in_words(event: AuditEvent, *, place: bool) -> EventRow:
    """``place``: the service may be told, since the person is in the register and not protected (domain.md E38)."""
    shown = {key: value for key, value in event.details.items() if place or key != PLACE}
    return EventRow(
        number=event.pk,
        at=event.at,
        action=audit_words.action(event.action),
        details=audit_words.details(shown),
        user=event.username,
        subjects=tuple(map(str, event.subjects)),
        count=event.count,
        basis=audit_words.basis(event.basis),
        origin=event.origin,
        outcome=audit_words.outcome(event.outcome),
    )
