"""Emergency access to one client of other units (docs/adr/0019): begun with a reason, told to the supervisor, ended by
time or by its user. It reads the client's page, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry import policies
from registry.hetu import Hetu
from registry.models import EmergencyAccess, Opening, OpeningReason, Person, PersonCode, SubjectCode
from registry.models.emergency import LONGEST
from registry.policies import USE_EMERGENCY_ACCESS, Access
from registry.services import audit
from registry.services.audit import Action
from registry.services.errors import Refused

SHORTEST = timedelta(minutes=1)


def lasts() -> timedelta:
    """How long an emergency access lasts, if its user does not end it (EMERGENCY_MINUTES): a day at most."""
    return min(max(timedelta(minutes=settings.EMERGENCY_MINUTES), SHORTEST), LONGEST)


def begin(access: Access, code: Hetu, reason: str) -> EmergencyAccess:
    """Lets the user read the page of the client with this code, current or former, for a while; the supervisor is told.

    Raises PermissionDenied, and Refused in the same words and with the same questions to the database for whom nobody
    knows and for a protected client whom the user may not handle. Every try is an event.
    """
    access.require(USE_EMERGENCY_ACCESS)
    reason = reason.strip()
    if not reason:
        raise Refused(_("Write why: your supervisor reads it."))
    if access.user is None:
        raise PermissionDenied
    known = SubjectCode.objects.filter(code_hash__in=audit.code_hashes(code)).values_list("subject", flat=True)
    subjects = sorted(set(known))
    person = (
        policies.reachable(access).filter(Exists(PersonCode.objects.filter(person=OuterRef("pk"), hetu=code))).first()
    )
    if person is None:
        audit.record(access, Action.START_EMERGENCY, subjects=subjects, outcome="refused")
        raise Refused(_("No client whom you could open was found with this code. Your attempt was logged."))
    if policies.persons(access).filter(pk=person.pk).exists():
        raise Refused(_("You see this client without emergency access: search for the client."))
    with transaction.atomic():
        return policies.emergencies(access).filter(person=person).first() or _made(access, person, reason)


def end(access: Access, number: int) -> None:
    """Ends one of the user's own. Nothing is done where it has ended already."""
    with transaction.atomic():
        rows = policies.emergencies(access).select_for_update(of=("self",)).select_related("person")
        held = rows.filter(pk=number).first()
        if held is not None:
            EmergencyAccess.objects.filter(pk=held.pk).update(ended_at=Now())
            audit.record(access, Action.END_EMERGENCY, subjects=[held.person.subject])


def _made(access: Access, person: Person, reason: str) -> EmergencyAccess:
    user = access.user
    assert user is not None  # noqa: S101 - the caller has looked
    whose = {"person": person, "user": user, "username": user.get_username()}
    made = EmergencyAccess.objects.create(reason=reason, until=Now() + lasts(), **whose)
    # The supervisor's list, beside the openings of protected clients.
    Opening.objects.create(reason=OpeningReason.EMERGENCY, note=reason, **whose)
    minutes = int(lasts().total_seconds() // 60)
    audit.record(access, Action.START_EMERGENCY, subjects=[person.subject], details={"minutes": minutes})
    return made
