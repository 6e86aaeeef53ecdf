"""Seals over the audit log (domain.md G46, docs/adr/0013): what a seal covers, and how one is made.

A seal covers the events of a range of transactions, up to the oldest one that is still at work: to what is sealed
nothing can be added any more, however late a transaction is committed, and nobody waits for anybody.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, connection, transaction

from registry.models import AuditSeal
from registry.services import audit_keys

# The outside copy: whoever can change the database cannot take back what the log stream has told.
stream = logging.getLogger("vtjsync.audit")

BATCH: Final = 100_000
# Before all transactions.
FIRST: Final = -(2**63)

# An event as the seal sees it; no setting of a session changes this text. A column that is added later is added to it
# only where it holds something, so that older seals hold.
_CONTENT: Final = (
    "sha256(convert_to(jsonb_build_array(e.tx, e.id, (extract(epoch FROM e.at) * 1000000)::bigint, e.action, e.user_id,"
    " e.username, e.subjects, e.count, e.basis, e.origin, e.outcome, e.details)::text, 'UTF8'))"
)
# The events of neighbouring seals, by seal (the place in the list) and month. ``misplaced``: those whose number had
# been given out before the seal, and whose transaction began after it.
_COVERED: Final = f"""
    SELECT n, month, count(*), encode(sha256(string_agg(content, ''::bytea ORDER BY tx, id, content)), 'hex'), min(at),
           count(*) FILTER (WHERE id <= (%(tops)s::bigint[])[n] AND tx >= (%(nexts)s::bigint[])[n])
    FROM (
        SELECT width_bucket(e.tx, %(ends)s::bigint[]) + 1 AS n, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
               e.tx, e.id, e.at, {_CONTENT} AS content
        FROM registry_auditevent e WHERE e.tx >= %(start)s::bigint AND e.tx < %(end)s::bigint
    ) AS covered GROUP BY n, month
"""  # noqa: S608 - constants
# Read before the moment: whoever has got a number up to this one has got a transaction's number before, and so a lower
# one than ours.
_TOP: Final = """
    SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END, pg_current_xact_id_if_assigned() IS NOT NULL
    FROM registry_auditevent_id_seq
"""
# Sealers share it; whoever removes a month has it alone. Nobody waits: the next tick comes soon.
_TOGETHER: Final = "SELECT pg_try_advisory_xact_lock_shared(hashtext('registry_auditseal'))"
_ALONE: Final = "SELECT pg_try_advisory_xact_lock(hashtext('registry_auditseal'))"
_HORIZON: Final = "SELECT registry_audit_tx(pg_snapshot_xmin(pg_current_snapshot()))"
# The oldest transaction at work, the next one after ours, the time, and since when there is work that we can see.
_MOMENT: Final = """
    SELECT registry_audit_tx(pg_snapshot_xmin(now)), registry_audit_tx(pg_current_xact_id()) + 1, clock_timestamp(),
           (SELECT min(xact_start) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid())
    FROM pg_current_snapshot() AS now
"""
_LIMIT: Final = """
    SELECT tx FROM registry_auditevent WHERE tx >= %s::bigint AND tx < %s::bigint ORDER BY tx LIMIT 1 OFFSET %s::bigint
"""
_OPEN: Final = "SELECT min(at) FROM registry_auditevent WHERE tx >= %s::bigint"


class Rewound(Exception):
    """The server's transactions have lower numbers than what is sealed: the database has moved to another server."""


class Written(Exception):
    """The transaction has written already: its number is older than events that others have written since, so that no
    seal can be made in it."""


@dataclass(frozen=True, slots=True)
class Covered:
    """Events that a seal covers in one month. ``misplaced`` of them took a number that had been given out before."""

    count: int
    digest: str
    earliest: datetime
    misplaced: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What may still be written at one moment: see :class:`registry.models.AuditSeal`."""

    horizon: int
    next_tx: int
    top_id: int
    at: datetime
    working_since: datetime | None

    def open_since(self, to_tx: int) -> datetime:
        """The earliest time of an event that is not sealed up to the transaction, written or still to come."""
        with connection.cursor() as cursor:
            cursor.execute(_OPEN, [to_tx])
            (written,) = cursor.fetchone()
        return min(one for one in (self.at, self.working_since, written) if one is not None)


def covered(start: int, ends: Sequence[int], former: Sequence[AuditSeal | None]) -> dict[tuple[int, str], Covered]:
    """The events from transaction ``start`` on, by place in ``ends`` (up to, and without, each) and month; ``former``
    is the seal before each."""
    values: dict[str, Any] = {
        "start": start,
        "end": ends[-1],
        "ends": list(ends),
        "tops": [one.top_id if one else None for one in former],
        "nexts": [one.next_tx if one else None for one in former],
    }
    with connection.cursor() as cursor:
        cursor.execute(_COVERED, values)
        return {(n - 1, month): Covered(*rest) for n, month, *rest in cursor.fetchall()}


def moment() -> Moment:
    """This moment, for a seal. For use inside a transaction; raises :class:`Written`."""
    with connection.cursor() as cursor:
        cursor.execute(_TOP)
        top, written = cursor.fetchone()
        if written:
            raise Written
        cursor.execute(_MOMENT)
        horizon, following, at, since = cursor.fetchone()
    return Moment(horizon, following, top, at, since)


def horizon() -> int:
    """The oldest transaction at work: whatever is older has ended."""
    with connection.cursor() as cursor:
        cursor.execute(_HORIZON)
        return int(cursor.fetchone()[0])


def last() -> AuditSeal | None:
    """The newest seal."""
    return AuditSeal.objects.order_by("-number").first()


def seal() -> int:
    """Seals what no running transaction can add to any more. Returns the number of new seals.

    Of two at once one seals and the other does not; inside a transaction that has written nothing is sealed. Raises
    :class:`Rewound`.
    """
    made = 0
    try:
        while _seal():
            made += 1
    except (IntegrityError, Written):
        # The other one's seal has the number.
        return made
    return made


@transaction.atomic
def _seal() -> bool:
    if not _got(_TOGETHER):
        return False
    former = last()
    start = former.to_tx if former else FIRST
    now = moment()
    if now.horizon < start:
        raise Rewound
    with connection.cursor() as cursor:
        cursor.execute(_LIMIT, [start, now.horizon, 0])
        if (first := cursor.fetchone()) is None:
            return False
        cursor.execute(_LIMIT, [start, now.horizon, BATCH])
        more = cursor.fetchone()
    end = max(more[0], first[0] + 1) if more else now.horizon
    found = covered(start, [end], [former])
    months = {month: [one.count, one.digest] for (_, month), one in sorted(found.items())}
    add(former, now, to_tx=end, months=months)
    return True


def alone() -> bool:
    """Whether nobody else makes a seal until the transaction ends: else this is not the time to remove a month."""
    return _got(_ALONE)


def _got(lock: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(lock)
        return bool(cursor.fetchone()[0])


def add(
    former: AuditSeal | None,
    now: Moment,
    *,
    to_tx: int,
    months: dict[str, list[Any]],
    dropped: dict[str, Any] | None = None,
) -> AuditSeal:
    """Adds a seal after the former one, and tells it to the log stream once it is committed. For use inside a
    transaction. Raises IntegrityError when somebody else has added one meanwhile."""
    key = audit_keys.current()
    new = AuditSeal(
        number=former.number + 1 if former else 1,
        made_at=now.at,
        from_tx=former.to_tx if former else FIRST,
        to_tx=to_tx,
        next_tx=now.next_tx,
        top_id=now.top_id,
        open_since=now.open_since(to_tx),
        months=months,
        dropped=dropped,
        key_id=key.id,
    )
    new.digest = key.digest(message(new, former))
    new.save(force_insert=True)
    transaction.on_commit(lambda: stream.info("%s", line(new)))
    return new


def message(one: AuditSeal, former: AuditSeal | None) -> str:
    """What the digest of a seal is of: everything in it, and the digest of the one before."""
    times = [moment.timestamp() for moment in (one.made_at, one.open_since)]
    numbers = [one.number, one.from_tx, one.to_tx, one.next_tx, one.top_id]
    chain = bytes(former.digest).hex() if former else ""
    return json.dumps([chain, numbers, times, one.months, one.dropped, one.key_id], sort_keys=True)


def events(one: AuditSeal) -> int:
    """How many events the seal covers."""
    return sum(count for count, _ in one.months.values())


def line(one: AuditSeal) -> str:
    """The seal as the log stream tells it: number, count, digest."""
    told = f"seal {one.number} events {events(one)} digest {bytes(one.digest).hex()}"
    return f"{told} removed {one.dropped['month']}" if one.dropped else told
