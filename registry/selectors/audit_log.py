"""The audit log as auditors read it, newest first (domain.md G46, H52)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from registry.clock import HELSINKI
from registry.hetu import Hetu
from registry.models import AuditEvent, Person, SubjectCode
from registry.policies import SEE_AUDIT_LOG, Access
from registry.selectors import audit_words
from registry.services import audit
from registry.services.audit import Action

PAGE: Final = 50
# So many events a file holds at most, and so many are read at a time.
MOST: Final = 100_000
CHUNK: Final = 2000
HEADINGS: Final = (
    _("Number"),
    _("When"),
    _("Who"),
    _("What"),
    _("Clients"),
    _("Ids of the clients"),
    _("Basis"),
    _("From"),
    _("Outcome"),
)

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
    subjects = _subjects(code)
    found = _page(AuditEvent.objects.filter(subjects__overlap=subjects), before) if subjects else []
    audit.record(access, Action.VIEW_LOG, subjects=subjects)
    theirs = {str(subject) for subject in subjects}
    return [replace(one, subjects=tuple(s for s in one.subjects if s in theirs)) for one in found]


def download(access: Access, code: Hetu | None, form: str) -> Iterator[Sequence[str]]:
    """The rows of a file in this form, headings first: the events of one person, or the newest of all. Audited before
    the first row. Raises PermissionDenied."""
    access.require(SEE_AUDIT_LOG)
    subjects = _subjects(code) if code else []
    rows = AuditEvent.objects.filter(subjects__overlap=subjects) if code else AuditEvent.objects.all()
    newest = rows.order_by("-pk").values_list("pk", flat=True).first() if subjects or not code else None
    audit.record(access, Action.DOWNLOAD_LOG, subjects=subjects, details={"form": form})
    return _rows(rows, newest, {str(one) for one in subjects} if code else None)


def _rows(rows: QuerySet[AuditEvent], newest: int | None, theirs: Set[str] | None) -> Iterator[Sequence[str]]:
    """At most :data:`MOST`; of each event only the ids in ``theirs``, if there are any."""
    yield [str(one) for one in HEADINGS]
    before, left = (newest or 0) + 1, MOST
    while left and (found := _page(rows, before, min(left, CHUNK))):
        for one in found:
            subjects = [s for s in one.subjects if theirs is None or s in theirs]
            at = f"{one.at.astimezone(HELSINKI):%-d.%-m.%Y %-H.%M.%S}"
            ids, what = " ".join(subjects), ", ".join(filter(None, (one.action, one.details)))
            yield (str(one.number), at, one.user, what, str(one.count), ids, one.basis, one.origin, one.outcome)
        before, left = found[-1].number, left - len(found)


def _subjects(code: Hetu) -> list[UUID]:
    return list(SubjectCode.objects.filter(code_hash__in=audit.code_hashes(code)).values_list("subject", flat=True))


def _page(rows: QuerySet[AuditEvent], before: int | None, most: int = PAGE + 1) -> list[EventRow]:
    rows = rows.filter(pk__lt=before) if before else rows
    found = list(rows.order_by("-pk")[:most])
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
