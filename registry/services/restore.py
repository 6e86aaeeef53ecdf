"""After a restore from a backup (domain.md F45): who was erased since is erased again by the ledger, and the register
is unlocked when the source of its data has brought everybody up to date.

Every step can be cut off and done again: the replay goes on from the line that the database knows, which moves forward
in the transaction that does what the line tells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry import ledger, lock, ports
from registry.hetu import Hetu
from registry.ledger import Broken, Line, Position
from registry.models import ErasureReceipt, LockReason, Person, PersonCode
from registry.policies import Access
from registry.services import audit, erasure, receipts, vtj_data
from registry.services.audit import Action, code_hashes
from registry.services.errors import Refused
from registry.sql import ids

CHUNK: Final = 10_000

# A re-added person (another random id) is a line's only when they were in the register before it.
_FOUND: Final = """
    SELECT id FROM registry_person WHERE subject = ANY(%s)
    UNION SELECT p.id FROM registry_person p JOIN unnest(%s::bigint[], %s::timestamptz[]) AS told (id, at) USING (id)
    WHERE p.created_at < told.at
"""
_CLIENTSHIPS: Final = """
    SELECT c.id, c.person_id FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[], %s::text[], %s::date[])
        AS told (subject, id, at, service, start)
    JOIN registry_person p ON p.subject = told.subject OR (p.id = told.id AND p.created_at < told.at)
    JOIN registry_service s ON s.code = told.service
    JOIN registry_clientship c ON c.person_id = p.id AND c.service_id = s.id AND c.start = told.start
"""


@dataclass
class Replayed:
    """What a replay did: erasures that the ledger tells of, persons and clientships that were back and are erased
    again. ``known``: when the last line was written that this database knew, and so how old it is; ``newest``: when the
    ledger's newest was."""

    receipts: int = 0
    persons: int = 0
    clientships: int = 0
    known: datetime | None = None
    newest: datetime | None = None


def notice() -> LockReason | None:
    """Locks a database that is found to come from a backup, so that it stays locked until the restore is finished.
    Returns why the register is locked, None when it is not."""
    now = lock.state()
    why = lock.differs(now)
    if why in (LockReason.OLDER, LockReason.OTHER_DATABASE) and (now.locked_at is None or now.replayed_at is not None):
        _lock(Access(None, "restore from a backup"), why)
    return lock.reason()


def begin(access: Access) -> None:
    """Locks the register by hand, before or after a restore. It stays locked, and nobody is asked about, until
    :func:`replay` and :func:`finish`."""
    _lock(access, LockReason.BY_HAND)


def replay(
    access: Access, *, without_ledger: bool = False, watch: Callable[[int, int], None] = lambda _done, _all: None
) -> Replayed:
    """Erases again whoever the ledger names after the line that this database knows; from then on VTJ may be asked.

    ``without_ledger``: the ledger is lost or spoilt, and the controller has decided to go on: what of it can be read is
    replayed from its beginning, and a new one begins. ``watch`` is told lines done and all. Raises Refused in words
    when the register is not locked, or the ledger cannot be relied on; OSError.
    """
    if notice() is None:
        raise Refused(_("The register is not locked: there is nothing to finish."))
    before, todo = (None, list(_readable())) if without_ledger else _after(lock.state().position)
    told = Replayed(known=before.at if before else None, newest=before.at if before else None)
    owners = _owners() if todo else {}
    for done, line in enumerate(todo):
        watch(done, len(todo))
        told.newest = line.at
        if line.what == ledger.ERASED:
            _again(access, line, owners, told, move=not without_ledger)
    watch(len(todo), len(todo))
    if without_ledger:
        _begin_anew()
    with transaction.atomic():
        row = lock.held()
        if todo and not without_ledger:
            row.number, row.digest = todo[-1].position.number, todo[-1].position.digest
        if row.locked_at is None:
            # The ledger is lost: nobody can tell whether the database is a backup.
            row.locked_at, row.locked_reason = Now(), LockReason.LEDGER
        row.identity, row.replayed_at = lock.state().here, Now() if todo or row.replayed_at is None else row.replayed_at
        row.save()
        outcome = "without ledger" if without_ledger else "done"
        details = {"receipts": told.receipts, "clientships": told.clientships}
        audit.record(access, Action.REPLAY_LEDGER, count=told.persons, outcome=outcome, details=details)
    return told


def finish(access: Access) -> None:
    """Unlocks the register. Whether the cohorts are up to date is the caller's to know; of whom nothing was heard since
    the replay all the same, not found perhaps, the location stays hidden until it is. Raises Refused when the ledger is
    not replayed."""
    if since := lock.state().replayed_at:
        _hide_unheard(since)
    with transaction.atomic():
        row = lock.held()
        if row.replayed_at is None or not lock.may_ask():
            raise Refused(_("The ledger of erasures has to be replayed first."))
        row.locked_at, row.locked_reason, row.replayed_at = None, "", None
        row.save()
        audit.record(access, Action.UNLOCK)
    lock.mark()


def _hide_unheard(since: datetime) -> None:
    """A doubt is open about everybody whose data was last confirmed before the moment: the backup may lack a ban."""
    every = list(Person.objects.filter(protected=False, location_hidden=False).values_list("pk", flat=True))
    for begin in range(0, len(every), CHUNK):
        confirmed = ports.source().confirmed_at(every[begin : begin + CHUNK])
        unheard = [person for person, at in confirmed.items() if at < since]
        with transaction.atomic():
            rows = Person.objects.filter(id__in=ids(vtj_data.lock(unheard)), protected=False)
            rows.update(location_hidden=True, version=F("version") + 1)


def _lock(access: Access, why: LockReason) -> None:
    with transaction.atomic():
        row = lock.held()
        row.locked_at, row.locked_reason, row.replayed_at = Now(), why, None
        row.save()
        audit.record(access, Action.LOCK, details={"lock": str(why)})


def _after(known: Position) -> tuple[Line | None, list[Line]]:
    """The ledger's line that the database knows, and those after it. Raises Refused in words, OSError."""
    before, todo = None, list[Line]()
    try:
        for line in ledger.lines():
            todo.append(line)
            if line.position == known:
                before, todo = line, []
    except FileNotFoundError:
        pass
    except Broken as error:
        raise Refused(gettext("The ledger of erasures was changed after its line %(number)s.") % vars(error)) from None
    if before is None and known != Position():
        raise Refused(
            _("The ledger of erasures does not hold the line that this database knows: it is another one, or cut off.")
        )
    return before, todo


def _readable() -> Iterator[Line]:
    try:
        yield from ledger.lines()
    except (FileNotFoundError, Broken):
        return


def _again(access: Access, line: Line, owners: dict[bytes, int], told: Replayed, *, move: bool) -> None:
    """Does what one line tells, in one transaction with the database's place in the ledger."""
    every = [receipts.of(one) for one in line.told["receipts"]]
    with transaction.atomic():
        persons = erasure.erase_again(access, _persons([one for one in every if one.whole_person], owners))
        clientships = _erase_clientships(access, [one for one in every if not one.whole_person], owners)
        if move:
            ErasureReceipt.objects.bulk_create(every, batch_size=receipts.BATCH)
            row = lock.held()
            row.number, row.digest = line.position.number, line.position.digest
            row.save()
    told.receipts += len(every)
    told.persons += persons
    told.clientships += clientships


def _persons(every: Collection[ErasureReceipt], owners: dict[bytes, int]) -> list[int]:
    """The persons of the receipts who are in the register: by their random id, or by any of their codes, since they may
    have been two entries when the backup was made."""
    pairs = [(owners[code], one.erased_at) for one in every for code in map(bytes, one.code_hashes) if code in owners]
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, [[one.subject for one in every], [who for who, _ in pairs], [at for _, at in pairs]])
        return [person for (person,) in cursor.fetchall()]


def _erase_clientships(access: Access, every: Collection[ErasureReceipt], owners: dict[bytes, int]) -> int:
    rows: list[tuple[Any, ...]] = []
    for one in every:
        known = {owners[code] for code in map(bytes, one.code_hashes) if code in owners}
        # Without one, the random id alone may find the person.
        rows += [(one.subject, who, one.erased_at, one.services[0], one.clientship_start) for who in known or {0}]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CLIENTSHIPS, [list(column) for column in zip(*rows, strict=True)])
        found = dict(cursor.fetchall())
        locked = vtj_data.lock(set(found.values()))
        cursor.execute(
            "DELETE FROM registry_clientship c USING registry_person p WHERE c.id = ANY(%s) AND c.person_id = ANY(%s)"
            " AND p.id = c.person_id RETURNING p.subject",
            [list(found), list(locked)],
        )
        gone = [subject for (subject,) in cursor.fetchall()]
    if gone:
        audit.record(access, Action.ERASE, subjects=set(gone), details={"clientships": len(gone)})
    return len(gone)


def _owners() -> dict[bytes, int]:
    """Whose each code of the register is, by the code's keyed hashes: a receipt has the one of its time."""
    rows = PersonCode.objects.values_list("hetu", "person").iterator(chunk_size=10_000)
    return {hashed: person for code, person in rows for hashed in code_hashes(Hetu(code))}


def _begin_anew() -> None:
    """A new ledger, from the line that this database knows on."""
    with transaction.atomic():
        row = lock.held()
        ledger.set_aside()
        after, line = ledger.compose(Position(row.number, row.digest), ledger.BEGUN, {})
        row.number, row.digest = after.number, after.digest
        row.save()
        with ledger.opened() as file:
            ledger.add(file, line)
