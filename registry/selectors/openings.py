"""Why the pages of protected clients were opened, for the supervisor of those who opened them (domain.md E38)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from registry import policies
from registry.models import EmergencyAccess, Opening, OpeningReason, Unit
from registry.policies import SEE_OPENINGS, Access
from registry.services import audit
from registry.services.audit import Action
from registry.sql import ids

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """Who opened which client, named by the random id, when and why. ``linked``: the reader may see the client too."""

    subject: UUID
    linked: bool
    who: str
    at: datetime
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page, the newest first. ``units`` are those of the reader, ``unit`` the chosen one; ``older`` is where the next
    page begins."""

    rows: tuple[OpeningRow, ...]
    units: tuple[Unit, ...]
    unit: str
    older: int | None


def lasting(access: Access) -> list[EmergencyAccess]:
    """The user's own emergency accesses of this moment, the one that ends first before the others (docs/adr/0019): for
    every page, and of the persons nothing but the random id, so that it leaves no event."""
    return list(policies.emergencies(access).select_related("person").order_by("until"))


def listed(access: Access, *, unit: str = "", before: int | None = None) -> Page:
    """The openings by the staff of the reader's own units, or of one of them by its code: not those of the clients'
    units, which would point to a place. Audited. Raises PermissionDenied."""
    access.require(SEE_OPENINGS)
    every = Unit.objects.filter(staff=access.user) if access.user else Unit.objects.all()
    units = tuple(every.distinct().order_by("name_fi", "pk"))
    chosen = [one for one in units if one.code == unit] or units
    # Whoever is on duty for all belongs to no unit: every supervisor reads of it.
    nobodys = Q(user__units=None, user__isnull=False, reason=OpeningReason.EMERGENCY)
    rows = Opening.objects.filter(Q(user__units__in=chosen) | nobodys).distinct().select_related("person", "user")
    found = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: PAGE + 1])
    shown = found[:PAGE]
    seen = policies.persons(access).filter(pk__in=ids(one.person_id for one in shown))
    linked = set(seen.values_list("pk", flat=True))
    audit.record(access, Action.VIEW_OPENINGS, subjects=dict.fromkeys(one.person.subject for one in shown))
    return Page(
        rows=tuple(
            OpeningRow(
                subject=one.person.subject,
                linked=one.person_id in linked,
                who=str((one.user and one.user.get_full_name()) or one.username),
                at=one.at,
                reason=str(OpeningReason(one.reason).label),
                note=one.note,
            )
            for one in shown
        ),
        units=units,
        unit=unit if len(chosen) < len(units) or len(units) == 1 else "",
        older=shown[-1].pk if len(found) > PAGE else None,
    )
