"""What the pages ask about the synchronisation. None of it is about a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from registry.models import User
from registry.policies import SEE_SYNC, Access
from registry.selectors.wording import FIELDS
from registry.services import audit
from registry.services.audit import Action
from vtjsync.engine import check, look_up
from vtjsync.engine.run import REASONS
from vtjsync.models import ConnectionCheck, RunCohort, SyncControl, SyncRun

PAGE: Final = 50
COHORTS_SHOWN: Final = 200
TONES: Final = {
    SyncRun.State.RUNNING: "busy",
    SyncRun.State.COMPLETE: "good",
    SyncRun.State.INCOMPLETE: "warn",
    SyncRun.State.FAILED: "bad",
    SyncRun.State.INTERRUPTED: "warn",
}


@dataclass(frozen=True, slots=True)
class State:
    """What holds for every run: a stop with its reason in VTJ's words, and the end of a pause."""

    stopped_at: datetime | None = None
    stopped_reason: str = ""
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in words, with its counts in ``row``."""

    row: SyncRun
    kind: str
    drift: tuple[tuple[str, int], ...]
    state: str
    tone: str
    reason: str
    started_by: str
    duration: timedelta | None

    @property
    def running(self) -> bool:
        """Whether it is still under way."""
        return self.row.state == SyncRun.State.RUNNING

    @property
    def compares(self) -> bool:
        """Whether it is a reconciliation."""
        return self.row.kind == SyncRun.Kind.RECONCILIATION


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One part of the connection in words; ``certificate``: it is one whose end is known."""

    part: str
    tone: str
    state: str
    words: str
    certificate: bool


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check of the connection; without ``ended_at`` it is under way, and has no lines yet."""

    started_at: datetime
    ended_at: datetime | None
    started_by: str
    lines: list[CheckLine]


def state() -> State:
    """The stop and the pause, as they are now."""
    row = SyncControl.objects.filter(Q(stopped_at__isnull=False) | Q(paused_until__gt=Now())).first()
    return State(row.stopped_at, row.stopped_reason, row.paused_until) if row else State()


def look_ups_stopped() -> State | None:
    """The stop of single look-ups, where there are any."""
    row = SyncControl.objects.exclude(look_ups_stopped_at=None).first() if look_up.is_on() else None
    return State(row.look_ups_stopped_at, row.look_ups_stopped_reason) if row else None


def up_to_date_as_of() -> datetime | None:
    """The moment as of which the register is up to date: the start of the last run that polled every cohort to its end
    and answered every ask (domain.md B15). None before the first."""
    rows = _syncs().filter(state=SyncRun.State.COMPLETE, phase=SyncRun.Phase.BASIC_DATA, cohorts_done__gt=0)
    return rows.order_by("-pk").values_list("started_at", flat=True).first()


def runs(access: Access, before: int | None = None) -> list[RunRow]:
    """A page of the history, newest first, from the run before the one numbered ``before``; one more than a page
    tells that there are others. Audited. Raises PermissionDenied."""
    access.require(SEE_SYNC)
    rows = SyncRun.objects.filter(pk__lt=before) if before else SyncRun.objects.all()
    found = _in_words(rows.order_by("-pk")[: PAGE + 1])
    audit.record(access, Action.VIEW_SYNC)
    return found


def run(access: Access, number: int) -> RunRow | None:
    """One run; None when there is no such. Audited. Raises PermissionDenied."""
    found = progress(access, number)
    if found is not None:
        audit.record(access, Action.VIEW_SYNC, details={"run": number})
    return found


def progress(access: Access, number: int) -> RunRow | None:
    """The same without an event: what an open page asks again and again. Raises PermissionDenied."""
    access.require(SEE_SYNC)
    return next(iter(_in_words(SyncRun.objects.filter(pk=number))), None)


def running() -> int | None:
    """The number of the sync that is under way."""
    return _syncs().filter(state=SyncRun.State.RUNNING).values_list("pk", flat=True).first()


def connection_check(access: Access) -> CheckView | None:
    """The newest check of the connection; None before the first. Audited. Raises PermissionDenied."""
    found = connection_look(access)
    audit.record(access, Action.VIEW_SYNC, details={"page": "connection"})
    return found


def connection_look(access: Access) -> CheckView | None:
    """The same without an event: what an open page asks again and again. Raises PermissionDenied."""
    access.require(SEE_SYNC)
    row = ConnectionCheck.objects.order_by("-pk").first()
    return None if row is None else _check(row)


def certificates_that_end() -> list[CheckLine]:
    """The certificates that end within 30 days or have ended, as the newest finished check found them."""
    row = ConnectionCheck.objects.exclude(ended_at=None).order_by("-pk").first()
    return [line for line in _check(row).lines if line.tone in {"warn", "bad"} and line.certificate] if row else []


def _check(row: ConnectionCheck) -> CheckView:
    found = [check.Finding(**one) for one in row.findings]
    lines = [
        CheckLine(
            part=str(check.Part(one.part).label),
            tone=one.tone,
            state=str(check.Tone(one.tone).label),
            words=check.words(one),
            certificate=bool(one.day),
        )
        for one in found
    ]
    names = _names([row.started_by])
    return CheckView(row.started_at, row.ended_at, _started_by(row.started_by, names), lines)


def _syncs() -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(kind=SyncRun.Kind.SYNC)


def newest() -> int:
    """The number of the newest sync; 0 before the first."""
    return _syncs().order_by("-pk").values_list("pk", flat=True).first() or 0


def begun_after(access: Access, number: int) -> int | None:
    """The first sync after the one with this number; None until there is one. Raises PermissionDenied."""
    access.require(SEE_SYNC)
    return _syncs().filter(pk__gt=number).order_by("pk").values_list("pk", flat=True).first()


def cohorts_of(number: int) -> list[RunCohort]:
    """What the run did to its cohorts, at most :data:`COHORTS_SHOWN` of them, the unfinished first."""
    return list(RunCohort.objects.filter(run=number).order_by("up_to_date", "cohort")[:COHORTS_SHOWN])


def _in_words(rows: Iterable[SyncRun]) -> list[RunRow]:
    found = list(rows)
    names = _names(row.started_by for row in found)
    now = datetime.now(found[0].started_at.tzinfo) if found else None
    return [
        RunRow(
            row=row,
            kind=str(SyncRun.Kind(row.kind).label),
            drift=tuple((str(FIELDS.get(field, field)), number) for field, number in sorted(row.drift.items())),
            state=str(SyncRun.State(row.state).label),
            tone=TONES[SyncRun.State(row.state)],
            reason=str(REASONS.get(row.reason, "")),
            started_by=_started_by(row.started_by, names),
            duration=None if now is None else max(timedelta(), (row.ended_at or now) - row.started_at),
        )
        for row in found
    ]


def _names(started_by: Iterable[str]) -> dict[int, str]:
    users = {int(one) for one in started_by if one.isdecimal()}
    return dict(User.objects.filter(pk__in=users).values_list("pk", "username")) if users else {}


def _started_by(started_by: str, names: dict[int, str]) -> str:
    if started_by.isdecimal():
        return names.get(int(started_by), _("a former user"))
    return {"schedule": _("Schedule"), "command": _("Command")}.get(started_by, started_by)
