"""A whole run, in the order of domain.md B19: the changes of all cohorts, then basic data for those who are due."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError

from registry import lock
from registry.clock import today
from registry.lock import Locked
from registry.services.vtj_data import StorageError
from vtjsync.engine import basic_data, brake, changes, cursors, due, permit
from vtjsync.engine.brake import Braked
from vtjsync.engine.changes import Endless, NoProgress
from vtjsync.engine.connection import Connection, QuotaUsedUp, Stopped
from vtjsync.engine.cursors import CursorRefused
from vtjsync.engine.effects import Overtaken
from vtjsync.engine.permit import NoPermit
from vtjsync.engine.run import WAIT_SECONDS, Lost, Run, begin
from vtjsync.models import Cohort, SyncRun
from vtjsync.wire.errors import Denied, Refused, Unavailable, Unreadable

log = logging.getLogger(__name__)

# A first load of half a million never delays a ban (domain.md B19): the cohorts are polled again in between.
POLL_AGAIN_SECONDS: Final = 300.0
MAX_FRUITLESS_ROUNDS: Final = 5

REASON_OF: Final[dict[type[Exception], str]] = {
    ImproperlyConfigured: "SETTINGS",
    NoPermit: "NO_PERMIT",
    Locked: "LOCKED",
    Stopped: "STOPPED",
    Denied: "DENIED",
    Unavailable: "UNAVAILABLE",
    QuotaUsedUp: "QUOTA",
    Refused: "REFUSED",
    Unreadable: "UNREADABLE",
    NoProgress: "NO_PROGRESS",
    Endless: "ENDLESS",
    Overtaken: "OVERTAKEN",
    Lost: "LOST",
    Braked: "BRAKE",
    CursorRefused: "CURSOR",
}
# What one cohort can meet while the others go on.
OF_ONE_COHORT: Final = (CursorRefused, Refused, Unreadable, NoProgress, Endless, Overtaken, StorageError)


def sync(
    started_by: str,
    *,
    with_changes: bool = True,
    with_basic_data: bool = True,
    wait: float = WAIT_SECONDS,
    watch: Callable[[Run], None] = lambda _run: None,
) -> SyncRun:
    """One run from its row to its end; returns the row. ``watch`` is called as the run goes on.

    Whatever ends it early is the row's reason, and what was applied stays applied. Raises Busy when another run is
    under way and stays so for ``wait`` seconds.
    """
    run = begin(started_by, wait)
    return carry_out(run, lambda: _connected(run, with_changes, with_basic_data, watch))


def carry_out(run: Run, work: Callable[[], None]) -> SyncRun:
    """Does the work of a run and closes it with the reason for which it ended; returns its row."""
    try:
        work()
    except tuple(REASON_OF) as error:
        log.warning("run %s ended early: %s: %s", run.id, type(error).__name__, error)
        return run.close(REASON_OF[type(error)])
    except (StorageError, DatabaseError) as error:
        # The text of a database error may hold values (domain.md E36, G49).
        log.error("run %s failed in the database: %s", run.id, type(error).__name__)  # noqa: TRY400
        return run.close("ERROR")
    except (KeyboardInterrupt, SystemExit):
        run.close("INTERRUPTED")
        raise
    except Exception:
        run.close("ERROR")
        raise
    return run.close()


def _connected(run: Run, with_changes: bool, with_basic_data: bool, watch: Callable[[Run], None]) -> None:
    # Here also where nobody is to be asked, and again for each request: a run may go on past midnight (domain.md A2).
    lock.require_asking()
    permit.granted(today())
    brake.prepare()

    def heartbeat() -> None:
        run.progress.update(requests=connection.client.requests, retries=connection.client.retries)
        run.beat()
        watch(run)

    connection = Connection(heartbeat)
    try:
        _rounds(connection, run, with_changes, with_basic_data)
    finally:
        run.progress.update(requests=connection.client.requests, retries=connection.client.retries)
        connection.close()


def _rounds(connection: Connection, run: Run, with_changes: bool, with_basic_data: bool) -> None:
    """Changes, then basic data, until every cohort was up to date once and nobody is due any more; then, once, what the
    silence of basic data would do (domain.md B18)."""
    polled: dict[int, float] = {}
    failed: dict[int, Exception] = {}
    fruitless = 0
    decided = False
    while True:
        permit.follow()
        if with_changes:
            _poll_cohorts(connection, run, polled, failed)
        if not with_basic_data:
            break
        run.progress.update(phase=SyncRun.Phase.BASIC_DATA)
        due.mark_rechecks(connection.today)
        run.progress["persons_total"] = run.counts["persons_done"] + due.count()
        try:
            counts = basic_data.ask_due(connection, run, time.monotonic() + POLL_AGAIN_SECONDS)
        except basic_data.BatchFailed as failure:
            # Of those who were answered the run decides all the same: the next one may meet this again.
            if decided or not brake.decide(run):
                raise failure.error from None
            decided = True
            continue
        if not counts["due"] and (not with_changes or polled.keys() >= _cohorts()):
            if not decided and brake.decide(run):
                decided = True
                continue
            break
        fruitless = 0 if counts["stored"] or not counts["due"] else fruitless + 1
        if fruitless > MAX_FRUITLESS_ROUNDS:
            raise Overtaken
    for error in failed.values():
        raise error
    if brake.waits():
        raise Braked


def _poll_cohorts(connection: Connection, run: Run, polled: dict[int, float], failed: dict[int, Exception]) -> None:
    """Polls each cohort that was not polled lately. One that fails by itself keeps no other's bans waiting: it ends the
    run only when everything else is done."""
    cohorts = _cohorts()
    run.progress.update(phase=SyncRun.Phase.CHANGES, cohorts_total=len(cohorts))
    for cohort_id in sorted(cohorts):
        if time.monotonic() - polled.get(cohort_id, -POLL_AGAIN_SECONDS) < POLL_AGAIN_SECONDS:
            continue
        failed.pop(cohort_id, None)
        try:
            _poll(connection, run, cohort_id)
        except OF_ONE_COHORT as error:
            log.warning("sync run %s, cohort %s: %s: %s", run.id, cohort_id, type(error).__name__, error)
            failed[cohort_id] = error
        except Unavailable as error:
            if not connection.answers_others(error):
                raise
            log.warning("sync run %s, cohort %s has to wait: %s", run.id, cohort_id, error)
            failed[cohort_id] = error
        polled[cohort_id] = time.monotonic()
        run.progress["cohorts_done"] = len(polled) - len(failed)
        run.beat()


def _poll(connection: Connection, run: Run, cohort_id: int) -> None:
    """The changes of one cohort, from a new cursor where the setting allows it."""
    try:
        changes.poll(connection, run, cohort_id)
    except CursorRefused as refusal:
        cursors.note(cohort_id, refusal.error)
        if not cursors.by_itself(cohort_id, refusal.error):
            raise
        cursors.reset(connection, run.id, cohort_id)
        changes.poll(connection, run, cohort_id)


def _cohorts() -> set[int]:
    return set(Cohort.objects.filter(enrolments__isnull=False).distinct().values_list("pk", flat=True))
