"""The state of the seals over the audit log, for auditors (domain.md G46, docs/adr/0013)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from registry.models import AuditEvent, AuditHold
from registry.policies import SEE_AUDIT_LOG, Access
from registry.services import audit_months, audit_seals
from registry.services.audit import Action

# The task seals every few minutes.
LATE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SealState:
    """``up_to``: every event before is sealed; ``waiting`` events are not yet, and ``late`` says that they wait for too
    long. ``whole`` is what the last check said, None before the first. ``holds`` are the inquiries that hold the log,
    ``years`` how long it is kept without one."""

    number: int
    up_to: datetime | None
    waiting: int
    late: bool
    checked_at: datetime | None
    whole: bool | None
    holds: list[AuditHold]
    years: int


def state(access: Access) -> SealState:
    """The state now. Raises PermissionDenied."""
    access.require(SEE_AUDIT_LOG)
    newest = audit_seals.last()
    rest = AuditEvent.objects.filter(tx__gte=newest.to_tx if newest else audit_seals.FIRST)
    oldest = rest.order_by("at").values_list("at", flat=True).first()
    check = AuditEvent.objects.filter(action=Action.VERIFY_AUDIT).order_by("-pk").first()
    return SealState(
        number=newest.number if newest else 0,
        up_to=newest.open_since if newest else None,
        waiting=rest.count(),
        late=oldest is not None and oldest < timezone.now() - LATE,
        checked_at=check.at if check else None,
        whole=check.outcome == "done" if check else None,
        holds=audit_months.held(),
        years=max(settings.AUDIT_LOG_YEARS, audit_months.LEAST_YEARS),
    )
