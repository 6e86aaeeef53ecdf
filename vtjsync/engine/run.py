"""A run's row: it exists before the work, is closed after a crash, and only one is open at a time (docs/adr).

The row is the lock: a partial unique index allows one RUNNING row. Its owner is named, so that the next run on the
same machine sees at once that the owner is gone; on another machine a missing heartbeat tells it.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry import lock
from registry.policies import RUN_SYNC, Access
from registry.services import audit, audit_seals, restore
from registry.services.audit import Action
from vtjsync.models import SyncControl, SyncRun

STALE: Final = timedelta(minutes=10)
WAIT_SECONDS: Final = 60.0
HEARTBEAT_SECONDS: Final = 1.0

BASIS: Final = "VTJ synchronisation"
# Why a run ended early: the name in the row, and the words for people.
REASONS: Final = {
    "SETTINGS": _("The settings of the connection to VTJ cannot be used."),
    "NO_PERMIT": _("No data permit is in force."),
    "LOCKED": _(
        "The register is locked after a restore from a backup: the ledger of erasures has to be replayed first."
    ),
    "STOPPED": _("The sync is stopped until an administrator lets it go on."),
    "DENIED": _("VTJ or the security server refused us: the permit, the credentials or the certificate."),
    "UNAVAILABLE": _("VTJ did not answer."),
    "REFUSED": _("VTJ refused a request."),
    "CURSOR": _("VTJ no longer accepts where a cohort stands in its log: an administrator has to reset the cursor."),
    "UNREADABLE": _("An answer of VTJ could not be read."),
    "NO_PROGRESS": _("VTJ said that there is more, but did not advance."),
    "ENDLESS": _("VTJ's changes did not come to an end."),
    "QUOTA": _("VTJ's quota of requests was used up. The rest is compared another night."),
    "BRAKE": _("VTJ was silent about so much that nothing of it was written: an administrator has to look."),
    "LOST": _("Another run took over."),
    "OVERTAKEN": _("Another worker was ahead."),
    "INTERRUPTED": _("The program was stopped."),
    "ERROR": _("An unexpected error; see the log."),
}
# The next run goes on where these ended; the others need somebody to look.
PASSING: Final = frozenset({"BRAKE", "QUOTA", "UNAVAILABLE", "LOST", "OVERTAKEN", "UNREADABLE", "INTERRUPTED"})


class Busy(Exception):
    """Another run is under way, and did not end while this one waited."""


class Lost(Exception):
    """The run's row was taken over: somebody else believes that this run is dead."""


class Run:
    """The open row of a run, its counts, and its heartbeat."""

    def __init__(self, row: SyncRun) -> None:
        self.id = row.pk
        self.counts: Counter[str] = Counter()
        self.progress: dict[str, Any] = {}
        self._owner = row.owner
        self._bans = 0
        self._written = time.monotonic()

    def beat(self, *, now: bool = False) -> None:
        """Writes the counts and the progress, at most once a second. Raises :class:`Lost`.

        A ban that has begun is noted in the ledger at once: a database from before it is known as one (domain.md F45).
        """
        if self.counts["bans_started"] > self._bans:
            self._bans = self.counts["bans_started"]
            lock.mark()
        if not now and time.monotonic() - self._written < HEARTBEAT_SECONDS:
            return
        self._written = time.monotonic()
        if not self._row().update(heartbeat_at=Now(), **self.counts, **self.progress):
            raise Lost

    def close(self, reason: str = "") -> SyncRun:
        """Ends the run: complete without a reason, else as the reason says. Returns the row as it stands."""
        state = SyncRun.State.COMPLETE
        if reason:
            state = SyncRun.State.INCOMPLETE if reason in PASSING else SyncRun.State.FAILED
        with transaction.atomic():
            fields = {**self.counts, **self.progress}
            self._row().update(state=state, reason=reason, ended_at=Now(), heartbeat_at=Now(), **fields)
            row = SyncRun.objects.get(pk=self.id)
            _note_end(row)
        # Not before the next tick but now: what a run did is what tampering would be about.
        with suppress(audit_seals.Rewound):
            audit_seals.seal()
        lock.mark()
        return row

    def _row(self) -> Any:
        return SyncRun.objects.filter(pk=self.id, state=SyncRun.State.RUNNING, owner=self._owner)


def begin(started_by: str, wait: float = WAIT_SECONDS, kind: SyncRun.Kind = SyncRun.Kind.SYNC) -> Run:
    """Opens a run. While another of the kind is under way, waits for up to ``wait`` seconds; raises :class:`Busy`."""
    deadline = time.monotonic() + wait
    while True:
        _close_dead()
        try:
            with transaction.atomic():
                row = SyncRun.objects.create(started_by=started_by, owner=owner(), kind=kind)
                details: dict[str, str | int] = {"run": row.pk, "kind": str(kind), "started_by": started_by}
                audit.record(Access(None, BASIS), Action.START_RUN, details=details)
            restore.notice()
            lock.mark()
            return Run(row)
        except IntegrityError:
            if time.monotonic() >= deadline:
                raise Busy from None
            time.sleep(0.5)


def owner() -> str:
    """This process, so that another one on this machine can tell whether it still lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{_process_start(os.getpid())}"


def resume(access: Access) -> None:
    """Lets the sync go on after a stop (domain.md B16). Needs the right to run it."""
    access.require(RUN_SYNC)
    with transaction.atomic():
        SyncControl.objects.filter(pk=True).update(stopped_reason="", stopped_at=None)
        audit.record(access, Action.RESUME_SYNC)


def _close_dead() -> None:
    """Closes a run whose process has died."""
    for row in SyncRun.objects.filter(state=SyncRun.State.RUNNING):
        dead = SyncRun.objects.filter(pk=row.pk, state=SyncRun.State.RUNNING, owner=row.owner)
        if _alive(row.owner):
            dead = dead.filter(heartbeat_at__lt=Now() - STALE)
        with transaction.atomic():
            if dead.update(state=SyncRun.State.INTERRUPTED, ended_at=F("heartbeat_at")):
                _note_end(SyncRun.objects.get(pk=row.pk))


def _note_end(row: SyncRun) -> None:
    """The event that a run ended, in the transaction that ends it (domain.md G46)."""
    audit.record(Access(None, BASIS), Action.END_RUN, count=row.received, outcome=row.state, details={"run": row.pk})


def _alive(name: str) -> bool:
    """False only where it is certain: a process of this machine that is no more."""
    host, pid, started = name.rsplit(":", 2)
    if host != socket.gethostname() or not started:
        return True
    return _process_start(int(pid)) == started


def _process_start(pid: int) -> str:
    """When the process started, in the kernel's ticks; empty where the system does not tell, or no such process."""
    try:
        # The name in parentheses may itself hold spaces; a zombie does no more work.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
