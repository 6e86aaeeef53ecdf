"""Whether this database is the one that was here before, or a backup of it: then the register is locked (domain.md
F45).

The database and the ledger outside of it count together: every line is written inside a transaction that also notes its
number here. So a ledger two lines ahead tells of transactions that this database has forgotten. One line ahead is a
transaction that goes on at this moment, or that a crash has undone. docs/adr/0016 argues it.

While it is locked everybody is treated as if under a ban: nobody knows whose has begun since the backup.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from registry import ledger
from registry.ledger import Line, Position
from registry.models import LockReason, Standing

log = logging.getLogger(__name__)

# The number of this database server, and of the database in it: another one has come from somewhere.
_STANDS: Final = """
    SELECT s.number, s.digest, s.identity, s.locked_at, s.locked_reason, s.replayed_at, here.identity
    FROM (SELECT (SELECT system_identifier FROM pg_control_system()) || '/'
                 || (SELECT oid FROM pg_database WHERE datname = current_database()) AS identity) AS here
    LEFT JOIN registry_standing s ON true
"""
# So many lines make a database that does not know them surely an older one.
SURELY: Final = 2


class Locked(Exception):
    """The register is locked after a restore. The text says so in words, for a log or a terminal."""

    def __init__(self) -> None:
        super().__init__("The register is locked after a restore: python manage.py restore_finish")


@dataclass(frozen=True, slots=True)
class State:
    """What this database knows of the ledger and of a lock, and which database it is now."""

    position: Position
    identity: str
    locked_at: datetime | None
    reason: str
    replayed_at: datetime | None
    here: str


def state() -> State:
    """As it stands; nothing is known in a new database."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDS)
        number, digest, identity, locked_at, reason, replayed_at, here = cursor.fetchone()
    return State(Position(number or 0, digest or ""), identity or "", locked_at, reason or "", replayed_at, here)


def reason() -> LockReason | None:
    """Why the register is locked; None when it is not. It is looked at anew every time: a database that is restored
    while the web server runs shows nothing either."""
    now = state()
    return LockReason(now.reason) if now.locked_at else differs(now)


def is_locked() -> bool:
    """Whether no location may be shown, exported or sent."""
    return reason() is not None


def may_ask() -> bool:
    """Whether a code may be sent to VTJ: also while it is locked, when the ledger is replayed, since then the cohorts
    have to be brought up to date."""
    now = state()
    return differs(now) is None and (now.locked_at is None or now.replayed_at is not None)


def require_asking() -> None:
    """Raises :class:`Locked` unless :func:`may_ask`."""
    if not may_ask():
        raise Locked


def differs(now: State) -> LockReason | None:
    """What is not as it was when this database last wrote to the ledger, a lock by hand apart."""
    if now.identity and now.identity != now.here:
        return LockReason.OTHER_DATABASE
    try:
        found = _newest()
        if _compared(now.position, found) is None:
            return None
        # Somebody may just have written: looked at again while nobody can.
        with transaction.atomic():
            held()
            return _compared(state().position, _newest())
    except OSError as error:
        # A disk that cannot be read tells nothing of a restore; no erasure is done meanwhile.
        log.error("the erasure ledger cannot be read: %s", error.strerror)  # noqa: TRY400
        return None


def write(what: str, told: Mapping[str, Any]) -> None:
    """Adds a line to the ledger, inside the transaction that it tells of and as its last act: the line is on the disk
    before the transaction is committed. Raises OSError, and :class:`Locked`; then nothing was written."""
    with transaction.atomic(), ledger.opened() as file:
        row, here = held(), state().here
        known = Position(row.number, row.digest)
        if row.identity not in ("", here) or _compared(known, ledger.newest(file), told) is not None:
            raise Locked
        # A line that is ahead is of a transaction that was undone: this one takes its place.
        after, line = ledger.compose(known, what, told)
        row.number, row.digest, row.identity = after.number, after.digest, here
        row.save(update_fields=["number", "digest", "identity"])
        ledger.add(file, line)


def mark() -> None:
    """Notes in the ledger that this database has come so far: one restored from before is locked. What came so far is
    what is committed: inside a transaction it waits for the end. What cannot be written is logged, and nothing more."""
    if connection.in_atomic_block:
        transaction.on_commit(_mark, robust=True)
    else:
        _mark()


def _mark() -> None:
    try:
        for _ in range(SURELY):
            write(ledger.MARK, {})
    except OSError as error:
        log.error("the erasure ledger cannot be written: %s", error.strerror)  # noqa: TRY400
    except Locked:
        pass


def held() -> Standing:
    """The row, locked until the transaction ends."""
    Standing.objects.get_or_create(pk=True)
    row: Standing = Standing.objects.select_for_update().get(pk=True)
    return row


def _newest() -> Line | None:
    try:
        return ledger.last()
    except FileNotFoundError:
        return None


def _compared(known: Position, newest: Line | None, told: Mapping[str, Any] | None = None) -> LockReason | None:
    """What the ledger's newest line tells of a database that knows it up to there, and whose transaction has just done
    what is ``told``."""
    there = newest.position if newest is not None else Position()
    ahead = there.number - known.number
    if ahead < 0 or (ahead == 0 and there.digest != known.digest):
        return LockReason.LEDGER
    if ahead == 0 or newest is None:
        return None
    if ahead == 1 and newest.after != known.digest:
        return LockReason.LEDGER
    if ahead < SURELY and (newest.what != ledger.ERASED or _comes_again(newest, told or {})):
        return None
    return LockReason.OLDER


def _comes_again(line: Line, told: Mapping[str, Any]) -> bool:
    """Whether all that the line tells of has been erased now, or is here and due for it: whatever undid it, it is done
    again."""
    from registry.services import erasure

    now = {_whose(one) for one in told.get("receipts", ())}
    return erasure.is_due([one for one in line.told["receipts"] if _whose(one) not in now])


def _whose(receipt: Mapping[str, Any]) -> tuple[Any, ...]:
    return receipt["subject"], tuple(receipt["services"]), receipt["clientship_start"]
