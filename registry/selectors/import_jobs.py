"""One's own lists on their way into the register: how each stands, and its bad lines (outside.md, Import file).

A list belongs to who uploaded it. What is told of its lines tells of people in the register: the check that found it
has left its event (domain.md G46), and another is left when the bad lines are downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry import policies
from registry.models import ImportBadLine, ImportJob, Service
from registry.policies import Access
from registry.services import audit, import_jobs, imports
from registry.services.audit import Action
from registry.services.import_file import OPTIONAL, REQUIRED, Words
from registry.services.import_jobs import ACTIVE, State

LISTED: Final = 50
PAGE: Final = 50
# What a list may tell, in the order of the columns of an empty one.
_COLUMNS: Final = {
    "henkilotunnus": gettext_lazy("identity code"),
    "palvelu": gettext_lazy("code of the service"),
    "alkupaiva": gettext_lazy("first day, as 31.1.2026 or 2026-01-31"),
    "loppupaiva": gettext_lazy("last day; it ends an open clientship"),
    "tuottaja": gettext_lazy("the provider's business id (Y-tunnus)"),
    "viite": gettext_lazy("own reference"),
    "sukunimi": gettext_lazy("only compared with VTJ's, and not stored"),
    "etunimet": gettext_lazy("only compared with VTJ's, and not stored"),
}
_TONES: Final = {
    State.CHECKED: "warn",
    State.DONE: "good",
    State.REFUSED: "bad",
    State.CANCELLED: "",
    State.EXPIRED: "",
}
_WAITS: Final = gettext_lazy("Waits for its turn")
_CUT_OFF: Final = gettext_lazy("Interrupted")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list and how it stands. ``active``: a worker is at it, or will be. ``cut_off``: one was, and is no more."""

    job: ImportJob
    state: str
    tone: str
    active: bool
    cut_off: bool

    @property
    def reason(self) -> str:
        """Why it was not imported, or has to be looked at again."""
        return Words(self.job.reason, self.job.reason_values).translated() if self.job.reason else ""

    @property
    def phase(self) -> str:
        """What the worker does."""
        return str(ImportJob.Phase(self.job.phase).label) if self.job.phase else ""

    @property
    def total(self) -> int:
        """How much there is of the phase; 0 when that is not known."""
        return self.job.file_lines if self.job.phase == imports.READING else self.job.total

    @property
    def to_type(self) -> int:
        """The number that has to be typed, since so many persons will be erased (domain.md F43); 0 for none."""
        erased: int = self.job.counts.get("erased", 0)
        return erased if erased > imports.ENDS_TO_CONFIRM else 0

    @property
    def changes(self) -> int:
        """How many clientships the import adds and ends."""
        counts = self.job.counts
        return int(counts.get("added", 0)) + int(counts.get("ended", 0))

    @property
    def kept(self) -> int:
        """How many of the bad lines are told at most."""
        return import_jobs.BAD_LINES_KEPT

    @property
    def goes_at(self) -> datetime:
        """When the content is removed, imported or not."""
        return self.job.uploaded_at + settings.IMPORT_WAIT


@dataclass(frozen=True, slots=True)
class BadRow:
    """A bad line: number, column, and the reason in the reader's words."""

    line: int
    column: str
    reason: str


def own(access: Access) -> list[Listed]:
    """The caller's latest lists, the newest first. Raises PermissionDenied."""
    jobs = ImportJob.objects.filter(user=import_jobs.importer(access)).order_by("-pk")[:LISTED]
    return [_listed(job) for job in jobs]


def one(access: Access, number: int) -> Listed:
    """One of the caller's lists. Raises PermissionDenied and ImportJob.DoesNotExist."""
    found = _listed(import_jobs.own(access, number))
    # Between the two looks it may have ended: it is cut off only if it still is so.
    return _listed(import_jobs.own(access, number)) if found.cut_off else found


def bad_lines(access: Access, number: int, page: int) -> tuple[Sequence[BadRow], int]:
    """One page of the bad lines, from 1, and how many pages there are. Raises as :func:`one`."""
    rows = ImportBadLine.objects.filter(job=import_jobs.own(access, number)).order_by("line")
    pages = max(-(-rows.count() // PAGE), 1)
    begin = (min(max(page, 1), pages) - 1) * PAGE
    return [_row(row) for row in rows[begin : begin + PAGE]], pages


def bad_lines_file(access: Access, number: int) -> list[tuple[str, str, str]]:
    """The bad lines as rows of a table, its headings first. Audited. Raises as :func:`one`."""
    job = import_jobs.own(access, number)
    rows = [_row(row) for row in ImportBadLine.objects.filter(job=job).order_by("line")]
    audit.record(access, Action.FETCH_BAD_LINES, count=0, details={"bad_count": len(rows)})
    headings = (_("Line"), _("Column"), _("What is wrong"))
    return [headings, *((str(row.line), row.column, row.reason) for row in rows)]


def empty_list() -> list[tuple[str, ...]]:
    """A list without lines: the columns."""
    return [(*REQUIRED, *OPTIONAL)]


def columns() -> list[tuple[str, str, bool]]:
    """The columns of a list: name, what it holds, and whether it may be left out."""
    return [(name, str(_COLUMNS[name]), name in OPTIONAL) for name in (*REQUIRED, *OPTIONAL)]


def services(access: Access) -> list[Service]:
    """The services that a list of the caller may name. Raises PermissionDenied."""
    import_jobs.importer(access)
    return list(policies.services(access).order_by("code"))


def _row(row: ImportBadLine) -> BadRow:
    return BadRow(row.line, row.column, Words(row.reason, row.values).translated())


def _listed(job: ImportJob) -> Listed:
    state, active = State(job.state), job.state in ACTIVE
    cut_off = active and job.begun_at is not None and not import_jobs.is_live(job.pk)
    if cut_off:
        return Listed(job, str(_CUT_OFF), "bad", active=False, cut_off=True)
    if active:
        return Listed(job, str(state.label if job.begun_at else _WAITS), "busy", active=True, cut_off=False)
    return Listed(job, str(state.label), _TONES[state], active=False, cut_off=False)
