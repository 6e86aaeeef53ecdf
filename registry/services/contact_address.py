"""The contact address of a protected client: written, changed and removed by hand, and never by VTJ (domain.md E39)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import policies
from registry.models import ContactAddress, Person, ProblemKind
from registry.models.protected import CONTACT_COLUMNS
from registry.policies import KEEP_CONTACT_ADDRESS, Access
from registry.services import audit, vtj_data
from registry.services.audit import Action
from registry.services.errors import Refused
from registry.services.problems import close_problems


def save(access: Access, subject: UUID, told: Mapping[str, str], *, confirmed: bool) -> None:
    """Keeps what the client told as the person's contact address, in place of an earlier one. ``told`` has the names of
    the columns; ``confirmed``: the client has said that it is not the home.

    Raises PermissionDenied and Refused.
    """
    values = {name: (told.get(name) or "").strip() for name in CONTACT_COLUMNS}
    with transaction.atomic():
        person = _locked(access, subject)
        if not person.protected:
            raise Refused(_("A contact address is kept only while a non-disclosure order is in force."))
        if not confirmed:
            raise Refused(_("Ask the client, and confirm that this is not the home."))
        if not any(values.values()):
            raise Refused(_("Write at least one way to reach the client."))
        by = {"confirmed_not_home": True, "entered_at": timezone.now(), "entered_by": access.user}
        # The database tells the row that it refuses.
        with vtj_data.without_values():
            _row, new = ContactAddress.objects.update_or_create(person=person, defaults=values | by)
        audit.record(access, Action.ADD_CONTACT if new else Action.CHANGE_CONTACT, subjects=[subject])


def remove(access: Access, subject: UUID) -> None:
    """Forgets the contact address, and the question about it is answered. Raises PermissionDenied and Refused."""
    with transaction.atomic():
        person = _locked(access, subject)
        gone, _counts = ContactAddress.objects.filter(person=person).delete()
        if not gone:
            raise Refused(_("There is no contact address any more."))
        close_problems([(person.pk, ProblemKind.CONTACT_ADDRESS)])
        audit.record(access, Action.REMOVE_CONTACT, subjects=[subject])


def _locked(access: Access, subject: UUID) -> Person:
    """The person as it stands under the lock: a ban may be ending at this very moment."""
    access.require(KEEP_CONTACT_ADDRESS)
    seen = policies.persons(access).filter(subject=subject)
    number = seen.values_list("pk", flat=True).first()
    if number is None or not vtj_data.lock([number]):
        raise PermissionDenied
    person = seen.first()
    if person is None:
        raise PermissionDenied
    return person
