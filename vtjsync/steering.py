"""What the pages ask about what steers the engine: the brake, refused cursors, the budget of requests. None of it is
about a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from registry.models import DataPermit
from registry.policies import SEE_SYNC, Access
from registry.record import Group
from vtjsync.engine import brake
from vtjsync.engine.budget import WAITS_SECONDS, Priority
from vtjsync.engine.connection import database_now
from vtjsync.models import Brake, Cohort, RequestBudget, Silence, SyncControl

# A permit that was changed so shortly before is likely to be why VTJ is silent.
LATELY: Final = timedelta(days=14)

KINDS: Final = {
    Group.BAN: _("Non-disclosure orders that would end"),
    Group.NAME: _("Names that would go"),
    Group.LANGUAGE: _("Mother tongues that would go"),
    Group.DEATH: _("Deaths that would go"),
    Group.HOME: _("Home addresses that would go"),
    Group.FOREIGN: _("Addresses abroad that would go"),
    Group.MUNICIPALITY: _("Home municipalities that would go"),
}
CLASSES: Final = {
    Priority.CHANGES: _("Changes"),
    Priority.URGENT: _("Questions about orders and places"),
    Priority.ADDED: _("Clients just added"),
    Priority.ASKS: _("Other questions"),
    Priority.FIRST_LOAD: _("First load"),
    Priority.NOT_FOUND: _("Not found before"),
    Priority.RECONCILIATION: _("Reconciliation"),
}


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What waits for a decision: kinds and how many persons of each. ``permit_changed``: when the set-up's permit was
    changed, if that was shortly before."""

    opened_at: datetime
    run: int
    persons: int
    kinds: tuple[tuple[str, int], ...]
    permit_changed: datetime | None


@dataclass(frozen=True, slots=True)
class ClassRow:
    """What one class of requests has used of this minute, and whether it waits for its turn."""

    label: str
    used: int
    waits: bool


@dataclass(frozen=True, slots=True)
class Gauge:
    """This minute's requests; ``limit`` 0: none is set. ``left_alone_until``: VTJ has said 429."""

    used: int
    limit: int
    classes: tuple[ClassRow, ...]
    left_alone_until: datetime | None


@dataclass(frozen=True, slots=True)
class Alarms:
    """What every page of an administrator tells: that something is held back, and how many cursors are refused."""

    held_back: bool
    cursors: int


def alarms() -> Alarms:
    """What waits for an administrator."""
    return Alarms(brake.waits(), Cohort.objects.exclude(refused_at=None).count())


def held_back(access: Access) -> HeldBack | None:
    """What the brake holds; None when it holds nothing. Raises PermissionDenied."""
    access.require(SEE_SYNC)
    waiting = Brake.objects.filter(decision="").first()
    if waiting is None or not brake.waits():
        return None
    counts = brake.count()
    changed = DataPermit.objects.filter(changed_at__gt=waiting.opened_at - LATELY).order_by("-changed_at").first()
    return HeldBack(
        opened_at=waiting.opened_at,
        run=waiting.run_id,
        persons=Silence.objects.filter(state=Silence.State.HELD).count(),
        kinds=tuple((str(label), counts[group]) for group, label in KINDS.items() if group in counts),
        permit_changed=changed.changed_at if changed else None,
    )


def refused_cursors(access: Access) -> list[Cohort]:
    """The cohorts whose cursor VTJ refuses, each with ``persons``, their number. Raises PermissionDenied."""
    access.require(SEE_SYNC)
    rows = Cohort.objects.exclude(refused_at=None).annotate(persons=Count("enrolments"))
    return list(rows.order_by("pk"))


def gauge(access: Access) -> Gauge:
    """The budget of this minute (domain.md B19). Raises PermissionDenied."""
    access.require(SEE_SYNC)
    now = database_now()
    rows = {row.priority: row for row in RequestBudget.objects.all()}
    control = SyncControl.objects.filter(quota_until__gt=now).first()
    classes = []
    for priority, label in CLASSES.items():
        row = rows.get(priority)
        used = row.used if row and row.minute == now.replace(second=0, microsecond=0) else 0
        waits = bool(row and row.waiting_at and row.waiting_at > now - timedelta(seconds=WAITS_SECONDS))
        classes.append(ClassRow(str(label), used, waits))
    return Gauge(
        used=sum(one.used for one in classes),
        limit=settings.VTJ_RATE_LIMIT,
        classes=tuple(one for one in classes if one.used or one.waits),
        left_alone_until=control.quota_until if control else None,
    )
