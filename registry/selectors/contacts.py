"""The contact address of a protected client, for those who may keep one (domain.md E39). To see it is an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry import policies
from registry.models import ContactAddress, Person
from registry.models.protected import CONTACT_COLUMNS
from registry.policies import KEEP_CONTACT_ADDRESS, Access
from registry.services import audit, openings
from registry.services.audit import Action


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact address: ``values`` by the names of its columns, and who entered it when."""

    values: dict[str, str]
    entered_at: datetime
    entered_by: str

    @property
    def lines(self) -> tuple[str, ...]:
        """As on an envelope, without phone and e-mail."""
        told = self.values
        care_of = f"c/o {told['care_of']}" if told["care_of"] else ""
        place = " ".join(filter(None, (told["postal_code"], told["town"])))
        return tuple(filter(None, (care_of, *told["lines"].splitlines(), place)))


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Whose contact address it is, whether it may be written now, and what it is."""

    subject: UUID
    protected: bool
    contact: Contact | None


def shown(access: Access, person: Person) -> Contact | None:
    """The person's contact address; None without the right, or without one, or while the register is locked after a
    restore (F45): it may have been given up since the backup. Audited where there is one."""
    if not access.may(KEEP_CONTACT_ADDRESS) or policies.locked(access):
        return None
    row = ContactAddress.objects.select_related("entered_by").filter(person=person).first()
    if row is None:
        return None
    audit.record(access, Action.VIEW_CONTACT, subjects=[person.subject])
    by = str(row.entered_by.get_full_name() or row.entered_by) if row.entered_by else ""
    return Contact({name: getattr(row, name) for name in CONTACT_COLUMNS}, row.entered_at, by)


def page(access: Access, subject: UUID) -> ContactPage | None:
    """The page of a person's contact address; None for somebody who may not be seen, or has none and can have none.

    Raises PermissionDenied and ReasonNeeded.
    """
    access.require(KEEP_CONTACT_ADDRESS)
    person = policies.persons(access).filter(subject=subject).first()
    if person is None:
        return None
    if person.protected:
        openings.require(access, person)
    contact = shown(access, person)
    return ContactPage(subject, person.protected, contact) if contact or person.protected else None
