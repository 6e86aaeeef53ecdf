"""Staff add clients, end clientships and take the end back (domain.md F42, H55). Nothing is erased here, but a client
who was added by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import ports
from registry.clock import today
from registry.hetu import Hetu
from registry.models import Clientship, EndReason, Person, PersonStatus, Provider, Service
from registry.policies import HANDLE_PROTECTED, MANAGE_CLIENTSHIPS, Access, clientships, locked, services
from registry.services import audit, erasure, persons, vtj_data
from registry.services.audit import Action
from registry.services.errors import AlreadyClient, Refused
from registry.services.import_file import EARLIEST, LATEST

# How long "this is not the person" erases at once; after that the clientship is ended like any other (domain.md F43).
MISTAKE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the end of a clientship will erase, and when (domain.md F42).

    ``whole_person``: it is the person's last one, and everything goes. ``rows``: how many rows of each table (name in
    the database) there are to go now. ``reference`` and ``history``: whether there is any of what VTJ cannot give back.
    """

    erased_on: date
    whole_person: bool
    rows: Mapping[str, int]
    reference: bool
    history: bool


def add(
    access: Access,
    *,
    hetu: Hetu,
    service: Service,
    start: date,
    provider: Provider | None = None,
    reference: str | None = None,
) -> Clientship:
    """Makes the person a client of the service; somebody new awaits basic data, which is asked for at once.

    Whoever may not handle protected clients is not told that the person is one: the clientship is made, and does not
    show among the caller's own (``policies.clientships``), just as when VTJ tells of the ban a moment later. If there
    is one already, that is returned and nothing changes (domain.md E38).

    Raises PermissionDenied, and Refused when the clientship cannot be: AlreadyClient when there is one that says so.
    """
    access.require(MANAGE_CLIENTSHIPS)
    if not services(access).filter(pk=service.pk).exists():
        raise PermissionDenied
    if provider is not None and not service.providers.filter(pk=provider.pk).exists():
        raise Refused(_("The provider does not produce this service."))
    if locked(access):
        # Who was erased after the backup is back in it, until the ledger is replayed (domain.md F45).
        raise Refused(_("The register is locked after a restore from a backup. Add the client when it is open again."))
    if start < EARLIEST:
        raise Refused(_("The start date is too far in the past."))
    if start > LATEST:
        raise Refused(_("Check the year."))
    with transaction.atomic():
        person = _person(hetu)
        others = Clientship.objects.filter(person=person, service=service)
        clash = others.filter(Q(start=start) | Q(end=None) | Q(end__gte=max(start, today()))).first()
        made = clash or Clientship.objects.create(
            person=person,
            service=service,
            provider=provider,
            start=start,
            reference=(reference or "").strip() or None,
        )
        # Also when nothing changes: to learn that somebody is a client is a look at them (domain.md G46).
        outcome, details = "refused" if clash else "done", {"service": service.code}
        audit.record(access, Action.ADD_CLIENT, subjects=[person.subject], outcome=outcome, details=details)
        if not clash and person.status != PersonStatus.CURRENT and start <= today():
            ports.source().fetch_soon([person.pk])
    if clash and (access.may(HANDLE_PROTECTED) or not person.protected):
        same_day = _("The person has had a clientship of this service from the same day.")
        already = _("The person is a client of this service already.")
        raise AlreadyClient(same_day if clash.start == start else already, person.subject)
    return made


def end(access: Access, clientship: Clientship, *, end: date, reason: EndReason) -> Clientship:
    """Ends an open clientship; ``end`` is its last day, past or to come. Raises PermissionDenied and Refused."""
    with transaction.atomic():
        held = _locked(access, clientship)
        if held.end is not None:
            raise Refused(_("The clientship has been ended already."))
        if end < held.start:
            raise Refused(_("The end date is before the start date."))
        if end > LATEST:
            raise Refused(_("Check the year."))
        held.end, held.end_reason, held.ended_at, held.ended_by = end, reason, timezone.now(), access.user
        held.save(update_fields=["end", "end_reason", "ended_at", "ended_by"])
        _record(access, Action.END_CLIENTSHIP, held)
    return held


def take_back_end(access: Access, clientship: Clientship) -> Clientship:
    """Opens an ended clientship again, as long as it has not been erased. Raises PermissionDenied and Refused."""
    with transaction.atomic():
        held = _locked(access, clientship)
        if held.end is None:
            raise Refused(_("The clientship is open."))
        if Clientship.objects.filter(person=held.person_id, service=held.service_id, end=None).exists():
            raise Refused(_("The person has a newer clientship of this service."))
        held.end = held.end_reason = held.ended_at = held.ended_by = None
        held.save(update_fields=["end", "end_reason", "ended_at", "ended_by"])
        _record(access, Action.TAKE_BACK_END, held)
    return held


def erasure_preview(access: Access, clientship: Clientship, end: date) -> Preview:
    """What would be erased, and when, if the clientship were ended now with this last day. Raises PermissionDenied."""
    held = _allowed(access, clientship)
    others = Clientship.objects.filter(person=held.person_id).exclude(pk=held.pk)
    if others.filter(end=None).exists():
        day = erasure.clientship_erased_on(end, today())
        return Preview(day, False, {Clientship._meta.db_table: 1}, reference=bool(held.reference), history=False)
    ends = [end, *others.values_list("end", flat=True)]
    rows = erasure.count_rows(held.person_id)
    return Preview(
        erased_on=erasure.erased_on(max(day for day in ends if day is not None), today()),
        whole_person=True,
        rows=rows,
        reference=Clientship.objects.filter(person=held.person_id).exclude(reference=None).exists(),
        history="registry_appliedchange" in rows,
    )


def mistaken(access: Access, clientship: Clientship) -> None:
    """ "No, this is not the person": takes back what :func:`add` did, at once (domain.md H55).

    The person goes too, unless there are other clientships. Only within a day of the adding: after that the clientship
    is ended. Raises PermissionDenied and Refused.
    """
    with transaction.atomic():
        held = _locked(access, clientship)
        if held.created_at < timezone.now() - MISTAKE:
            raise Refused(_("The client was added too long ago. End the clientship instead."))
        _record(access, Action.NOT_THE_PERSON, held)
        if Clientship.objects.filter(person=held.person_id).exclude(pk=held.pk).exists():
            erasure.erase_clientship_now(access, held)
        else:
            erasure.erase_now(access, held.person_id)


def _person(hetu: Hetu) -> Person:
    """The person of the code, new or known, locked. Somebody who is erased at this very moment is a new person (A3)."""
    while True:
        person_id = persons.find_or_create([hetu]).get(hetu)
        if person_id is not None and vtj_data.lock([person_id]):
            return Person.objects.get(pk=person_id)


def _allowed(access: Access, clientship: Clientship) -> Clientship:
    access.require(MANAGE_CLIENTSHIPS)
    held = clientships(access).select_related("person", "service").filter(pk=clientship.pk).first()
    if held is None:
        raise PermissionDenied
    return held


def _locked(access: Access, clientship: Clientship) -> Clientship:
    """The clientship as it stands under the lock of its person. One that is gone was erased, or is not the user's; one
    that a merge has moved meanwhile is locked by its new person."""
    held = clientship
    while True:
        locked = vtj_data.lock([held.person_id])
        held = _allowed(access, clientship)
        if held.person_id in locked:
            return held


def _record(access: Access, action: Action, clientship: Clientship) -> None:
    audit.record(access, action, subjects=[clientship.person.subject], details={"service": clientship.service.code})
