"""The organisation's own list by the pages (outside.md, Import file): uploaded, checked and imported, each step by
whichever worker is free, so that a closed browser and a dead worker lose nothing.

A step is one transaction: a list is imported with its result, or it waits as before. A worker at a step holds a lock of
the database by a connection of its own, which goes when the worker does, and by which it tells how far it is.
"""

from __future__ import annotations

import time
from datetime import timedelta
from io import BytesIO
from types import TracebackType
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from registry import lock, ports
from registry.clock import today
from registry.models import ImportBadLine, ImportFile, ImportJob, User
from registry.policies import HANDLE_PROTECTED, IMPORT_CLIENTS, MANAGE_CLIENTSHIPS, Access
from registry.services import audit, import_file, imports
from registry.services.audit import Action
from registry.services.errors import Refused
from registry.services.import_file import NotAList, Words
from registry.services.imports import Report
from registry.services.vtj_data import StorageError

State = ImportJob.State

BASIS: Final = "importing a list"
# Any number: the locks of lists that a worker is at.
LOCKS: Final = 7_263_512
# A list waits for a worker no longer than this without being queued anew.
PATIENCE: Final = timedelta(minutes=2)
TOLD_SECONDS: Final = 1.0
BAD_LINES_KEPT: Final = 10_000
KEPT: Final = timedelta(days=30)
# A worker has something to do.
ACTIVE: Final = (State.CHECK, State.WRITE)
NUMBERS: Final = ("lines", "added", "ended", "same", "new_persons", "mismatches", "otherwise", "erased", "bad_count")

LOCKED: Final = gettext_noop("The register is locked after a restore from a backup. Try again when it is open.")
NO_RIGHT: Final = gettext_noop("You have no right to import lists any more.")
STORAGE: Final = gettext_noop("The database refused the write. Nothing was imported.")
MEANWHILE: Final = gettext_noop("Somebody of the list was erased at this very moment. Nothing was imported: try again.")
NUMBER_CHANGED: Final = gettext_noop("The number of persons who will be erased has changed. Look at it again.")

_LIVE: Final = """
    SELECT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_TELL: Final = """
    UPDATE registry_importjob SET phase = %s, done = %s, total = %s, begun_at = coalesce(begun_at, clock_timestamp())
    WHERE id = %s
"""


class _Gone(Exception):
    """The list was cancelled, or removed, while a worker was at it."""


def upload(access: Access, content: bytes) -> int:
    """Takes a list in, to be checked. Returns its number.

    Of one whose header is not that of a list nothing is kept: a column that is not known may hold addresses
    (domain.md E36). Raises PermissionDenied, Refused and NotAList.
    """
    user = importer(access)
    if not lock.may_ask():
        raise Refused(_(LOCKED))
    import_file.check_header(BytesIO(content))
    with transaction.atomic():
        job = ImportJob.objects.create(user=user, origin=access.origin, file_lines=content.rstrip().count(b"\n"))
        ImportFile.objects.create(job=job, content=content)
        ports.source().import_soon(job.pk)
    number: int = job.pk
    return number


def start(access: Access, number: int, confirm_ends: int | None) -> None:
    """Lets a list that was checked be imported. ``confirm_ends``: how many persons its ends will erase, where those are
    more than :data:`imports.ENDS_TO_CONFIRM`. Starting it twice is starting it once. Raises PermissionDenied, Refused
    and ImportJob.DoesNotExist."""
    job = own(access, number)
    if not lock.may_ask():
        raise Refused(_(LOCKED))
    erased = job.counts.get("erased", 0)
    if job.state == State.CHECKED and erased > imports.ENDS_TO_CONFIRM and confirm_ends != erased:
        raise Refused(_("Nothing was imported: the number does not agree. Check the ends in the list, and try again."))
    _queue(number, State.CHECKED, state=State.WRITE, confirm_ends=confirm_ends, reason="")


def resume(access: Access, number: int) -> None:
    """Lets a step go on that was cut off, from its beginning. Raises PermissionDenied and ImportJob.DoesNotExist."""
    job = own(access, number)
    if job.state in ACTIVE and not is_live(number):
        _queue(number, job.state)


def cancel(access: Access, number: int) -> None:
    """Gives a list up, unless a worker is writing it. Audited. Raises PermissionDenied, Refused and
    ImportJob.DoesNotExist."""
    job = own(access, number)
    if job.state == State.WRITE and is_live(number):
        raise Refused(_("The list is being imported at this moment, and can no longer be cancelled."))
    with transaction.atomic():
        if job.state in (*ACTIVE, State.CHECKED) and _end(job, State.CANCELLED):
            audit.record(access, Action.IMPORT, outcome="cancelled", details={"lines": job.counts.get("lines", 0)})


def own(access: Access, number: int) -> ImportJob:
    """The caller's own list. Raises PermissionDenied and ImportJob.DoesNotExist."""
    job: ImportJob = ImportJob.objects.get(pk=number, user=importer(access))
    return job


def importer(access: Access) -> User:
    """The member of staff who imports: with the rights of the import itself, since a list may name anybody, and what is
    told of its lines tells who is a client (domain.md E38). Raises PermissionDenied."""
    for right in (IMPORT_CLIENTS, MANAGE_CLIENTSHIPS, HANDLE_PROTECTED):
        access.require(right)
    if access.user is None:
        raise PermissionDenied
    return access.user


def is_live(number: int) -> bool:
    """Whether a worker is at it now."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [LOCKS, number])
        return bool(cursor.fetchone()[0])


def step(number: int) -> str:
    """Checks or imports the list, whichever it waits for; for a worker. Returns its state afterwards in a word.

    While another import is under way it goes on waiting, and is queued when that has ended.
    """
    with _Step(number) as at:
        if not at.is_ours:
            return "BUSY"
        job = ImportJob.objects.select_related("user").filter(pk=number, state__in=ACTIVE).first()
        file = ImportFile.objects.filter(job=number).first()
        if job is None or file is None:
            return "GONE"
        try:
            imports.run(
                Access(job.user, BASIS, job.origin),
                BytesIO(file.content),
                day=today(),
                dry_run=job.state == State.CHECK,
                confirm_ends=job.confirm_ends,
                shown=BAD_LINES_KEPT,
                watch=at.tell,
                then=lambda report: _found(job, report),
            )
        except imports.Busy:
            return "WAITS"
        except _Gone:
            return "GONE"
        except (PermissionDenied, Refused, StorageError) as error:
            _refuse(job, error)
    wake()
    return str(ImportJob.objects.values_list("state", flat=True).get(pk=number))


def wake(waited: timedelta = timedelta()) -> None:
    """Queues the lists that wait for a worker, if they have waited for so long."""
    waiting = ImportJob.objects.filter(state__in=ACTIVE, begun_at=None, queued_at__lte=Now() - waited)
    for number, state in waiting.order_by("pk").values_list("pk", "state"):
        _queue(number, state)


def expire() -> None:
    """Removes the content of lists that nobody imported in time, and forgets lists of long ago."""
    late = ImportJob.objects.filter(file__isnull=False, uploaded_at__lte=Now() - settings.IMPORT_WAIT)
    for job in late:
        if not is_live(job.pk):
            with transaction.atomic():
                _end(job, State.EXPIRED)
    ImportJob.objects.filter(uploaded_at__lte=Now() - KEPT, file=None).delete()


def _queue(number: int, known: str, **more: Any) -> None:
    with transaction.atomic():
        rows = ImportJob.objects.filter(pk=number, state=known)
        if rows.update(queued_at=Now(), begun_at=None, phase="", done=0, total=0, **more):
            ports.source().import_soon(number)


def _end(job: ImportJob, state: str, **more: Any) -> bool:
    """Ends it, with its content, unless it has become another state's meanwhile."""
    changed = ImportJob.objects.filter(pk=job.pk, state=job.state).update(state=state, ended_at=Now(), **more)
    if changed:
        ImportFile.objects.filter(job=job).delete()
    return bool(changed)


def _found(job: ImportJob, report: Report) -> None:
    """Keeps what the check or the import found, in the transaction of it."""
    told = {name: getattr(report, name) for name in NUMBERS}
    days = {"erased_first": report.erased_first, "erased_last": report.erased_last}
    if report.written:
        changed = _end(job, State.DONE, counts=told, **days)
    else:
        reason = NUMBER_CHANGED if report.unconfirmed and job.state == State.WRITE else ""
        rows = ImportJob.objects.filter(pk=job.pk, state=job.state)
        changed = bool(rows.update(state=State.CHECKED, counts=told, reason=reason, **days))
    if not changed:
        raise _Gone
    ImportBadLine.objects.filter(job=job).delete()
    ImportBadLine.objects.bulk_create(
        (
            ImportBadLine(
                job=job, line=bad.line, column=bad.column, reason=bad.reason.text, values=dict(bad.reason.values)
            )
            for bad in report.bad
        ),
        batch_size=1000,
    )


def _refuse(job: ImportJob, error: Exception) -> None:
    """Tells why it was not done. What may pass by itself lets a list that was checked be tried again."""
    words = _why(error)
    passes = words.text in (LOCKED, STORAGE, MEANWHILE) and job.state == State.WRITE
    told = {"reason": words.text, "reason_values": dict(words.values)}
    with transaction.atomic():
        if passes:
            ImportJob.objects.filter(pk=job.pk, state=job.state).update(state=State.CHECKED, **told)
        else:
            _end(job, State.REFUSED, **told)


def _why(error: Exception) -> Words:
    if isinstance(error, NotAList):
        return error.words[0]
    if isinstance(error, PermissionDenied):
        return Words(NO_RIGHT)
    if isinstance(error, StorageError):
        return Words(STORAGE)
    return Words(MEANWHILE if lock.may_ask() else LOCKED)


class _Step:
    """A worker at a step: by a connection of its own it holds the list's lock, and tells how far it is."""

    def __init__(self, number: int) -> None:
        self._number, self._phase, self._at = number, "", 0.0
        self._connection = connection.copy()
        self.is_ours = False

    def __enter__(self) -> _Step:
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, self._number])
            self.is_ours = cursor.fetchone()[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def tell(self, phase: str, done: int, total: int) -> None:
        """How far it is: every new phase, and every second."""
        if phase == self._phase and time.monotonic() - self._at < TOLD_SECONDS:
            return
        self._phase, self._at = phase, time.monotonic()
        with self._connection.cursor() as cursor:
            cursor.execute(_TELL, [phase, done, total, self._number])
