"""Staff add clients, end clientships and take the end back (domain.md F42, H55). Nothing is erased here, but a client
who was added by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import policies, ports
from registry.clock import today
from registry.hetu import Hetu
from registry.models import (
    AppliedChange,
    Clientship,
    ContactAddress,
    EndReason,
    Person,
    PersonCode,
    PersonStatus,
    Problem,
    Provider,
    Service,
)
from registry.policies import (
    KEEP_CONTACT_ADDRESS,
    MANAGE_CLIENTSHIPS,
    SEE_FORMER,
    Access,
    changes,
    clientships,
    problems,
    services,
)
from registry.services import audit, bans, erasure, persons, vtj_data
from registry.services.audit import Action
from registry.services.errors import AlreadyClient, Refused
from registry.services.import_file import EARLIEST, LATEST

# How long "this is not the person" erases at once; after that the clientship is ended like any other (domain.md F43).
MISTAKE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the end of a clientship will erase, and when (domain.md F42).

    ``whole_person``: it is the person's last one, and everything goes. ``rows``: how many rows of each table (name in
    the database) there are to go now. ``reference``, ``history`` and ``contact`` (address): whether there is any of
    what VTJ cannot give back. Of clientships that the caller may not see nothing is told: whether other units still
    need the person shows nowhere (domain.md H52, E38).
    """

    erased_on: date
    whole_person: bool
    rows: Mapping[str, int]
    reference: bool
    history: bool
    contact: bool = False


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

    A caller who does not see the person already is not told whether the register knew them, or whether there is a ban:
    the clientship awaits VTJ's answer like that of somebody new, and does not show among the caller's own before
    (``policies.clientships``). If there is one already that the caller may not see, that one awaits the answer and is
    returned (domain.md E38).

    Raises PermissionDenied, and Refused when the clientship cannot be: AlreadyClient when there is one that says so.
    """
    access.require(MANAGE_CLIENTSHIPS)
    if not services(access).filter(pk=service.pk).exists():
        raise PermissionDenied
    if provider is not None and not service.providers.filter(pk=provider.pk).exists():
        raise Refused(_("The provider does not produce this service."))
    if start < EARLIEST:
        raise Refused(_("The start date is too far in the past."))
    if start > LATEST:
        raise Refused(_("Check the year."))
    with transaction.atomic():
        person = _person(hetu)
        others = Clientship.objects.filter(person=person, service=service)
        clash = others.filter(Q(start=start) | Q(end=None) | Q(end__gte=max(start, today()))).first()
        told = clash is not None and clientships(access).filter(pk=clash.pk).exists()
        known = policies.persons(access).filter(pk=person.pk).exists()
        made = clash or Clientship.objects.create(
            person=person,
            service=service,
            provider=provider,
            start=start,
            reference=(reference or "").strip() or None,
        )
        if not told:
            _ask(made, start, known=known, new=clash is None)
        # Also when nothing changes: to learn that somebody is a client is a look at them (domain.md G46).
        outcome = "refused" if clash else "done"
        details = audit.of_service(made)
        audit.record(access, Action.ADD_CLIENT, subjects=[person.subject], outcome=outcome, details=details)
    if clash and told:
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
    others = list(clientships(access).filter(person=held.person_id).exclude(pk=held.pk))
    if any(one.end is None for one in others):
        day = erasure.clientship_erased_on(end, today())
        return Preview(day, False, {Clientship._meta.db_table: 1}, reference=bool(held.reference), history=False)
    rows = _rows(access, held.person, clientships=1 + len(others))
    return Preview(
        erased_on=erasure.erased_on(max([end, *(one.end for one in others if one.end)]), today()),
        whole_person=True,
        rows=rows,
        reference=any(one.reference for one in (held, *others)),
        history=AppliedChange._meta.db_table in rows,
        contact=ContactAddress._meta.db_table in rows,
    )


def _rows(access: Access, person: Person, *, clientships: int) -> dict[str, int]:
    """How many rows of each table go with the person, as far as the caller may know of them."""
    rows = erasure.count_rows(person.pk) | {
        Clientship._meta.db_table: clientships,
        Problem._meta.db_table: problems(access).filter(person=person).count(),
        AppliedChange._meta.db_table: changes(access, person).count(),
    }
    if not access.may(SEE_FORMER):
        rows[PersonCode._meta.db_table] = 1
    if not access.may(KEEP_CONTACT_ADDRESS):
        rows[ContactAddress._meta.db_table] = 0
    return {table: count for table, count in rows.items() if count}


def mistaken(access: Access, clientship: Clientship) -> None:
    """ "No, this is not the person": takes back what :func:`add` did, at once (domain.md H55).

    The person goes too, unless there are other clientships. Only within a day of the adding: after that the clientship
    is ended. Raises PermissionDenied and Refused.
    """
    with transaction.atomic():
        held = _locked(access, clientship, awaited=True)
        if held.awaits_since is not None and held.awaits_since != held.created_at:
            _leave(access, held)
            return
        if held.created_at < timezone.now() - MISTAKE:
            raise Refused(_("The client was added too long ago. End the clientship instead."))
        _record(access, Action.NOT_THE_PERSON, held)
        if Clientship.objects.filter(person=held.person_id).exclude(pk=held.pk).exists():
            erasure.erase_clientship_now(access, held)
        else:
            erasure.erase_now(access, held.person_id)


def withdraw(access: Access, clientship: Clientship) -> bool:
    """Takes back a clientship that VTJ has not answered about. Returns whether it went at once, as :func:`mistaken`
    does within a day; after that it ends on its first possible day (domain.md F43). Raises PermissionDenied, Refused.
    """
    with transaction.atomic():
        held = _locked(access, clientship, awaited=True)
        if held.awaits_since is None:
            raise Refused(_("VTJ has answered meanwhile. Look at it again."))
        if held.awaits_since >= timezone.now() - MISTAKE:
            mistaken(access, held)
            return True
        if held.awaits_since == held.created_at:
            held.end, held.end_reason = max(held.start, today()), EndReason.MISTAKE
            held.ended_at, held.ended_by = timezone.now(), access.user
            held.save(update_fields=["end", "end_reason", "ended_at", "ended_by"])
            _record(access, Action.END_CLIENTSHIP, held)
        else:
            _leave(access, held)
    return False


def _leave(access: Access, held: Clientship) -> None:
    """It was there before, and the caller does not know of it: nothing was added, and nothing goes (domain.md E38)."""
    audit.record(access, Action.NOT_THE_PERSON, subjects=[held.person.subject], outcome="refused")
    Clientship.objects.filter(pk=held.pk).update(awaits_since=None)


def _ask(made: Clientship, start: date, *, known: bool, new: bool) -> None:
    """Asks VTJ about whom was added. Whom the caller did not know is asked about anew, whoever it is, and until the
    answer has come they are all alike (domain.md E38). One that is ``new`` awaits it from the moment it was made."""
    person = made.person
    if not known:
        if made.awaits_since is None:
            since = F("created_at") if new else Now()
            Clientship.objects.filter(pk=made.pk).update(awaits_since=since)
            made.refresh_from_db(fields=["awaits_since"])
        if person.status != PersonStatus.AWAITING:
            ports.source().ask_again([person.pk])
        if person.protected:
            with connection.cursor() as cursor:
                bans.begin(cursor, {person.pk: True})
    elif person.status == PersonStatus.CURRENT:
        return
    if start <= today():
        ports.source().fetch_soon([person.pk])


def _person(hetu: Hetu) -> Person:
    """The person of the code, new or known, locked. Somebody who is erased at this very moment is a new person (A3)."""
    while True:
        person_id = persons.find_or_create([hetu]).get(hetu)
        if person_id is not None and vtj_data.lock([person_id]):
            return Person.objects.get(pk=person_id)


def _allowed(access: Access, clientship: Clientship, *, awaited: bool = False) -> Clientship:
    access.require(MANAGE_CLIENTSHIPS)
    held = clientships(access).select_related("person", "service").filter(pk=clientship.pk).first()
    if held is None and awaited:
        held = policies.awaited(access).select_related("person", "service").filter(pk=clientship.pk).first()
    if held is None:
        raise PermissionDenied
    return held


def _locked(access: Access, clientship: Clientship, *, awaited: bool = False) -> Clientship:
    """The clientship as it stands under the lock of its person. One that is gone was erased, or is not the user's; one
    that a merge has moved meanwhile is locked by its new person."""
    held = clientship
    while True:
        locked = vtj_data.lock([held.person_id])
        held = _allowed(access, clientship, awaited=awaited)
        if held.person_id in locked:
            return held


def _record(access: Access, action: Action, clientship: Clientship) -> None:
    audit.record(access, action, subjects=[clientship.person.subject], details=audit.of_service(clientship))
