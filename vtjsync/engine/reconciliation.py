"""A rolling share of the register is compared with fresh basic data, so that all of it is in a set number of days
(domain.md G50).

What differs is corrected by the same code as every other answer, the brake included (B18, E33), and counted by field.
The next persons are those whose basic data is the oldest, so a night that was lost is made up for by itself. It goes
beside a sync, behind everything else, and VTJ's first 429 ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.db import connection as database
from django.db.models import Count

from registry import lock
from registry.clock import today
from registry.models import AppliedChange
from vtjsync.engine import basic_data, brake, due, permit
from vtjsync.engine.brake import Braked
from vtjsync.engine.budget import Priority
from vtjsync.engine.connection import Connection, database_now
from vtjsync.engine.permit import ON_THE_LIST
from vtjsync.engine.run import WAIT_SECONDS, Run, begin
from vtjsync.engine.sync import carry_out
from vtjsync.models import SyncRun
from vtjsync.wire.errors import VtjError


def reconcile(
    started_by: str,
    share: float | None = None,
    *,
    wait: float = WAIT_SECONDS,
    watch: Callable[[Run], None] = lambda _run: None,
) -> SyncRun:
    """Compares the share of the register, by default the night's; returns the run's row, with the drift in it.

    Raises Busy when another reconciliation is under way and stays so for ``wait`` seconds.
    """
    run = begin(started_by, wait, SyncRun.Kind.RECONCILIATION)
    return carry_out(run, lambda: _connected(run, share, watch))


def chosen(share: float | None = None) -> list[int]:
    """The persons whose turn it is: those of the oldest basic data, at least one. The night's share is one of
    RECONCILE_DAYS parts of the register, or everybody who was not compared for so long, if those are more."""
    old = database_now() - timedelta(days=settings.RECONCILE_DAYS)
    where = f"FROM registry_person p WHERE {due.UNASKED} AND {ON_THE_LIST}"
    with database.cursor() as cursor:
        sql = f"SELECT count(*), count(*) FILTER (WHERE p.basic_data_at < %s) {where}"
        cursor.execute(sql, [old, today(), today()])
        everybody, overdue = cursor.fetchone()
        number = ceil(everybody * share) if share else max(ceil(everybody / settings.RECONCILE_DAYS), overdue)
        sql = f"SELECT p.id {where} ORDER BY p.basic_data_at NULLS FIRST, p.id LIMIT %s"
        cursor.execute(sql, [today(), today(), number])
        return [person for (person,) in cursor.fetchall()]


def drift(run_id: int) -> dict[str, int]:
    """How many values of each field the run found otherwise than VTJ has them."""
    rows = AppliedChange.objects.filter(run=run_id).values("field").annotate(number=Count("id"))
    return dict(rows.values_list("field", "number"))


def _connected(run: Run, share: float | None, watch: Callable[[Run], None]) -> None:
    lock.require_asking()
    permit.granted(today())
    brake.prepare()

    def heartbeat() -> None:
        run.progress.update(requests=connection.client.requests, retries=connection.client.retries)
        run.beat()
        watch(run)

    connection = Connection(heartbeat, insists=False)
    try:
        _compare(connection, run, share)
    finally:
        run.progress.update(requests=connection.client.requests, retries=connection.client.retries, drift=drift(run.id))
        connection.close()


def _compare(connection: Connection, run: Run, share: float | None) -> None:
    persons = chosen(share)
    failed: list[VtjError] = []
    run.progress.update(phase=SyncRun.Phase.BASIC_DATA, persons_total=len(persons))
    for first in range(0, len(persons), settings.VTJ_BASIC_DATA_BATCH):
        if batch := due.unasked(persons[first : first + settings.VTJ_BASIC_DATA_BATCH]):
            basic_data.ask_in(run, connection, batch, Priority.RECONCILIATION, failed)
    if brake.decide(run):
        last = 0
        while batch := due.batch("silent", last):
            last = batch[-1].person_id
            basic_data.ask_in(run, connection, batch, Priority.RECONCILIATION, failed)
    for error in failed:
        raise error
    if brake.waits():
        raise Braked
