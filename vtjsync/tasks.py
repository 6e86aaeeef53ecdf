"""What runs in the background, and when. Arguments and results hold ids and counts only (domain.md G49)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django_q.models import Schedule
from django_q.tasks import async_task

from registry import lock
from registry.clock import HELSINKI, helsinki_day, today
from registry.lock import Locked
from registry.policies import CHANGE_SCHEDULE, RUN_SYNC, Access
from registry.services import audit, audit_check, audit_months, audit_seals, erasure, extracts, import_jobs, sessions
from registry.services.audit import Action
from registry.services.protection import check as protection
from registry.services.vtj_data import StorageError
from vtjsync import alarms, limits, tallies
from vtjsync.engine import basic_data, check, permit
from vtjsync.engine import sync as engine
from vtjsync.engine.connection import Connection, Stopped
from vtjsync.engine.effects import Overtaken
from vtjsync.engine.reconciliation import reconcile
from vtjsync.engine.run import BASIS, Busy
from vtjsync.logs import places
from vtjsync.models import SyncControl, SyncRun
from vtjsync.wire.errors import VtjError

log = logging.getLogger(__name__)

SYNC: Final = "sync"
ERASURE: Final = "erasure"
RECONCILIATION: Final = "reconciliation"
CHECK: Final = "check"
AUDIT_LOG: Final = "audit log"
WATCH: Final = "watch"
VERIFY: Final = "verify"
SCHEDULE: Final = "schedule"
EVERY_MINUTES: Final = (15, 30, 60, 120, 240)
# A pause ends by itself (domain.md E41).
PAUSE: Final = timedelta(hours=24)
# The hour that some nights have twice and some not at all (domain.md G51).
QUIET_HOUR: Final = 3


class Unexpected(Exception):
    """An error that a task does not know. The queue stores and logs an error's text, which may hold a person's data:
    this one has the kind of the error, and where it was met (domain.md G49)."""


@contextmanager
def without_text() -> Iterator[None]:
    """Passes an error on as :class:`Unexpected`."""
    try:
        yield
    except Exception as error:
        raise Unexpected(places(error)) from None


@without_text()
def sync(started_by: str = SCHEDULE) -> str:
    """One run of the sync. Returns its state in a word."""
    if started_by == SCHEDULE and paused_until() is not None:
        return "PAUSED"
    try:
        return str(engine.sync(started_by).state)
    except Busy:
        return "BUSY"


@without_text()
def fetch(person_ids: Sequence[int]) -> int:
    """Basic data of these persons now. Returns how many came; who did not waits for the next run."""
    try:
        granted = permit.granted(today())
        connection = Connection()
        try:
            counts = basic_data.fetch(connection, person_ids, granted)
            if counts["bans_started"]:
                lock.mark()
            return counts["received"]
        finally:
            connection.close()
    except (VtjError, Stopped, Locked, permit.NoPermit, Overtaken, StorageError) as error:
        log.warning("basic data was not fetched at once: %s: %s", type(error).__name__, error)
        return 0


@without_text()
def erase_due() -> str:
    """Erases what is due (domain.md F43), at the first tick at which it is; lists that nobody imported go at every one.
    Returns the counts in words."""
    try:
        if datetime.now(HELSINKI).hour == QUIET_HOUR:
            return "QUIET"
        return str(erasure.run(Access(None, BASIS), today()))
    finally:
        # Neither keeps the other from being done.
        import_jobs.expire()


@without_text()
def import_step(number: int) -> str:
    """Checks or imports the list with this number, whichever it waits for. Returns its state in a word."""
    return import_jobs.step(number)


@without_text()
def reconcile_nightly() -> str:
    """Compares the night's share of the register, once a day at the first tick at which it is due (domain.md G50, G51).
    Returns the run's state in a word."""
    if datetime.now(HELSINKI).hour == QUIET_HOUR or paused_until() is not None or _reconciled_on(today()):
        return "NOT_DUE"
    try:
        return str(reconcile(SCHEDULE, wait=0).state)
    except Busy:
        return "BUSY"


def _reconciled_on(day: date) -> bool:
    """Whether the schedule's reconciliation was begun on the Helsinki day. One whose process died is due again."""
    rows = SyncRun.objects.filter(kind=SyncRun.Kind.RECONCILIATION, started_by=SCHEDULE)
    newest = rows.exclude(state=SyncRun.State.INTERRUPTED).order_by("-pk").first()
    return newest is not None and helsinki_day(newest.started_at) >= day


@without_text()
def check_connection(number: int) -> str:
    """Makes the check of the connection with this number. Returns how many parts are not in order, in words."""
    bad = sum(one.tone == check.Tone.BAD for one in check.run(number))
    return f"{bad} not in order"


@without_text()
def check_nightly() -> str:
    """Checks the connection once a day, after the quiet hour, so that a certificate's end is seen in time."""
    if datetime.now(HELSINKI).hour <= QUIET_HOUR or check.is_done_on(today()):
        return "NOT_DUE"
    return check_connection(check.begin(Access(None, "nightly check"), SCHEDULE))


@without_text()
def keep_audit_log() -> str:
    """Seals the audit log, makes its months ahead, and removes those whose time is over (domain.md G46, G51). Returns
    the counts in words."""
    made, dropped = 0, []
    try:
        made = audit_seals.seal()
        audit_months.make_ahead()
        if datetime.now(HELSINKI).hour != QUIET_HOUR:
            dropped = audit_months.drop_due(Access(None, "keeping the log"))
            extracts.forget_old()
    except audit_seals.Rewound:
        log.error("the audit log is not sealed: the database was restored into another server, run migrate")  # noqa: TRY400
    except audit_months.Torn as error:
        log.error("a month of the audit log is not removed, it was tampered with: %s", error)  # noqa: TRY400
    return f"{made} seals made, {len(dropped)} months removed"


@without_text()
def watch() -> str:
    """The smallest task: tells that schedules and workers live, and the administrators what they have to look at."""
    tallies.add(tallies.WATCH)
    # First of all: whatever is wrong with the rest, administrators are told.
    alarms.watch()
    limits.forget()
    sessions.forget()
    import_jobs.wake(import_jobs.PATIENCE)
    return "WATCHED"


@without_text()
def verify_nightly() -> str:
    """Looks once a day, after the quiet hour, whether a place of a protected person is kept (domain.md E40), and
    whether the audit log is as it was sealed (G46). Returns how much was found, in words."""
    done = tallies.last(VERIFY)
    if datetime.now(HELSINKI).hour <= QUIET_HOUR or (done is not None and helsinki_day(done) >= today()):
        return "NOT_DUE"
    found = len(protection.run(Access(None, "nightly check")).findings)
    alarms.note(alarms.Kind.LEAK, is_on=bool(found))
    broken = audit_check.run(Access(None, "nightly check")).count
    alarms.note(alarms.Kind.SEAL, is_on=bool(broken))
    tallies.add(VERIFY)
    return f"{found + broken} found"


def start_check(access: Access) -> None:
    """Queues a check of the connection for the member of staff who asked for it. Raises PermissionDenied."""
    access.require(RUN_SYNC)
    if access.user is None:
        raise PermissionDenied
    with transaction.atomic():
        async_task("vtjsync.tasks.check_connection", check.begin(access, str(access.user.pk)), task_name="check")


def start_sync(user_id: int) -> None:
    """Queues a run for the member of staff who asked for it."""
    async_task("vtjsync.tasks.sync", str(user_id), task_name="sync")


def start_fetch(person_ids: Sequence[int]) -> None:
    """Queues :func:`fetch`; inside a transaction it is queued when that is committed."""
    async_task("vtjsync.tasks.fetch", list(person_ids), task_name="fetch")


def start_import(number: int) -> None:
    """Queues :func:`import_step`; inside a transaction it is queued when that is committed."""
    async_task("vtjsync.tasks.import_step", number, task_name="import")


def schedule() -> Schedule | None:
    """The schedule of the sync: ``minutes`` and ``next_run``."""
    return Schedule.objects.filter(name=SYNC).first()


def set_schedule(access: Access, minutes: int) -> None:
    """How often the sync runs: one of :data:`EVERY_MINUTES`. It ends a pause."""
    access.require(CHANGE_SCHEDULE)
    if minutes not in EVERY_MINUTES:
        raise ValueError("not one of the offered intervals")
    with transaction.atomic():
        SyncControl.objects.update_or_create(pk=True, defaults={"paused_until": None})
        Schedule.objects.filter(name=SYNC).update(minutes=minutes, next_run=Now() + timedelta(minutes=minutes))
        audit.record(access, Action.CHANGE_SCHEDULE, details={"minutes": minutes})


def pause(access: Access) -> None:
    """Lets no scheduled run begin for 24 hours (domain.md E41)."""
    access.require(CHANGE_SCHEDULE)
    with transaction.atomic():
        SyncControl.objects.update_or_create(pk=True, defaults={"paused_until": Now() + PAUSE})
        audit.record(access, Action.CHANGE_SCHEDULE, outcome="paused")


def end_pause(access: Access) -> None:
    """Lets scheduled runs begin again before the pause has ended by itself (domain.md E41)."""
    access.require(CHANGE_SCHEDULE)
    with transaction.atomic():
        SyncControl.objects.filter(pk=True).update(paused_until=None)
        audit.record(access, Action.CHANGE_SCHEDULE, outcome="resumed")


def paused_until() -> datetime | None:
    """When the pause ends; None when there is none."""
    row = SyncControl.objects.filter(Q(paused_until__gt=Now())).first()
    return row.paused_until if row else None


def create_schedules(**_kwargs: Any) -> None:
    """After a migration: the schedules that are missing. One that is there stays as it was set."""
    tasks = (
        (SYNC, "vtjsync.tasks.sync", 60),
        (ERASURE, "vtjsync.tasks.erase_due", 60),
        (RECONCILIATION, "vtjsync.tasks.reconcile_nightly", 60),
        (CHECK, "vtjsync.tasks.check_nightly", 60),
        (AUDIT_LOG, "vtjsync.tasks.keep_audit_log", 5),
        (VERIFY, "vtjsync.tasks.verify_nightly", 60),
        (WATCH, "vtjsync.tasks.watch", 5),
    )
    for name, task, minutes in tasks:
        defaults = {"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1}
        if name == WATCH:
            # Its results would push all others out of the queue's memory.
            defaults["kwargs"] = str({"q_options": {"save": False}})
        Schedule.objects.get_or_create(name=name, defaults=defaults)
