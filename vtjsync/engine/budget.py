"""The requests of a minute, which all workers on all machines share, and who goes first (domain.md B19).

Each class leaves a part of the minute to the classes above it, less and less of it as the minute passes: a ban is asked
about at once though a first load has been at it since the minute began, and what nobody needed is used up in the end.
Who has been told to wait goes before every class below.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from registry import lock
from vtjsync.models import SyncControl


class Priority(IntEnum):
    """What a request is for, the first class first."""

    CHANGES = 0
    URGENT = 1
    ADDED = 2
    ASKS = 3
    FIRST_LOAD = 4
    NOT_FOUND = 5
    RECONCILIATION = 6


# What a class leaves at the beginning of a minute, for each class above it.
RESERVED: Final = 0.1
# Who waits looks every second; one who has not looked for so long has given up.
WAITS_SECONDS: Final = 3
# VTJ is believed for so long at most when it asks to be left alone.
QUOTA_CAP_SECONDS: Final = 60.0

# The row is the lock: one worker at a time counts.
_CONTROL: Final = """
    SELECT stopped_reason, coalesce(quota_until > clock_timestamp(), false),
           extract(second FROM clock_timestamp())::float
    FROM vtjsync_synccontrol FOR UPDATE
"""
_USED: Final = """
    SELECT coalesce(sum(used) FILTER (WHERE minute = date_trunc('minute', clock_timestamp())), 0),
           coalesce(bool_or(priority < %s AND waiting_at > clock_timestamp() - make_interval(secs => %s)), false)
    FROM vtjsync_requestbudget
"""
_TAKE: Final = """
    INSERT INTO vtjsync_requestbudget AS b (priority, minute, used)
    VALUES (%s, date_trunc('minute', clock_timestamp()), 1)
    ON CONFLICT (priority) DO UPDATE SET waiting_at = NULL, minute = excluded.minute,
        used = CASE WHEN b.minute = excluded.minute THEN b.used ELSE 0 END + 1
"""
_WAIT: Final = """
    INSERT INTO vtjsync_requestbudget (priority, used, waiting_at) VALUES (%s, 0, clock_timestamp())
    ON CONFLICT (priority) DO UPDATE SET waiting_at = excluded.waiting_at
"""
_QUOTA: Final = """
    UPDATE vtjsync_synccontrol
    SET quota_until = greatest(quota_until, clock_timestamp() + make_interval(secs => %s))
"""


class Stopped(Exception):
    """No request may be sent until an administrator lets the sync go on (domain.md B16). The text says why."""


def take(priority: Priority) -> bool:
    """Takes one request from the minute; False: look again in a second. Raises :class:`Stopped`, and Locked while the
    ledger of erasures is not replayed after a restore: no code of somebody erased is sent (domain.md F45)."""
    lock.require_asking()
    SyncControl.objects.get_or_create(pk=True)
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CONTROL)
        stopped, left_alone, second = cursor.fetchone()
        if stopped:
            raise Stopped(stopped)
        cursor.execute(_USED, [priority, WAITS_SECONDS])
        used, others_wait = cursor.fetchone()
        limit = settings.VTJ_RATE_LIMIT
        free = not limit or (not others_wait and used < room(priority, limit, second))
        taken = free and not left_alone
        cursor.execute(_TAKE if taken else _WAIT, [priority])
    return taken


def room(priority: Priority, limit: int, second: float) -> int:
    """How many requests of the minute a class may find used and still send one, so many seconds into it."""
    return limit - int(limit * RESERVED * priority * (1 - second / 60))


def leave_alone(seconds: float | None) -> None:
    """VTJ has said 429: no worker asks for so long (domain.md B16)."""
    with database.cursor() as cursor:
        cursor.execute(_QUOTA, [min(seconds or 1.0, QUOTA_CAP_SECONDS)])
