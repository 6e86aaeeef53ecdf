"""A protected client's page is opened for a reason, which the supervisor sees listed (domain.md E38)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry import policies
from registry.models import Opening, OpeningReason, Person
from registry.policies import HANDLE_PROTECTED, Access
from registry.services import audit
from registry.services.audit import Action
from registry.services.errors import Refused

# So long a user is not asked again about the same person.
LASTS: Final = timedelta(hours=8)


class ReasonNeeded(Exception):
    """The page is of a protected person, and the user has not said why it is opened."""

    def __init__(self, subject: UUID) -> None:
        super().__init__("a reason is needed")
        self.subject = subject


def require(access: Access, person: Person) -> None:
    """Raises :class:`ReasonNeeded` unless the user has given a reason lately. A command gives its own in the log, and
    who looks by emergency access has given one to get it."""
    if access.user is None or access.emergency:
        return
    given = Opening.objects.filter(person=person, user=access.user, at__gt=Now() - LASTS)
    if not given.exists():
        raise ReasonNeeded(person.subject)


def give_reason(access: Access, subject: UUID, reason: OpeningReason, note: str = "") -> None:
    """Notes why the user opens the person's page. Raises PermissionDenied for a person who is not the user's, or not
    protected, and Refused for another reason that is not told."""
    access.require(HANDLE_PROTECTED)
    if reason is OpeningReason.EMERGENCY:
        raise PermissionDenied
    note = note.strip()
    if reason is OpeningReason.OTHER and not note:
        raise Refused(_("Tell the other reason in a few words."))
    with transaction.atomic():
        person = protected(access, subject)
        if person is None or access.user is None:
            raise PermissionDenied
        username = access.user.get_username()
        Opening.objects.create(person=person, user=access.user, username=username, reason=reason, note=note)
        audit.record(access, Action.OPEN_PROTECTED, subjects=[subject], details={"why": reason.value})


def protected(access: Access, subject: UUID) -> Person | None:
    """The protected person whom the user may open with a reason."""
    return policies.persons(access).filter(subject=subject, protected=True).first()
