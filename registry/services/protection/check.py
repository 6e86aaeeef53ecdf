"""Looks for places of protected persons, and for given strings, everywhere the program keeps something (domain.md E40).

What is found is told by table and column, or by file, with the number of rows or lines: never a value, and nothing of
what was given is kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.db import connection
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from registry.models import Person, PersonCode, Session
from registry.models.person import LOCATION_FIELDS
from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action
from registry.services.protection import traces
from registry.services.protection.catalog import Table, tables
from registry.sessions import SessionStore

CHUNK: Final = 2000
LONGEST_LINE: Final = 1_000_000
# A contact address that the client gave is no data of VTJ, and has rights of its own (domain.md E39). These columns are
# lawful in this table; any other place in it, and the same ones anywhere else, are not.
BY_HAND: Final = {"registry_contactaddress": frozenset({"postal_code"})}
# Who a line of a file may be about: by a code, or by a subject, which looks like any other id in a log.
_CODE: Final = re.compile(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]")
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be there: ``where`` is a table with its column, or a file; ``count`` rows or lines."""

    where: str
    what: str
    count: int

    def __str__(self) -> str:
        return f"{self.where}: {self.what} ({self.count})"


@dataclass
class Report:
    """What was looked at, and what was found."""

    protected: int = 0
    tables: int = 0
    columns: int = 0
    payloads: int = 0
    files: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, where: str, what: str, count: int) -> None:
        """Adds a finding, unless the count is nothing."""
        if count:
            self.findings.append(Finding(where, what, count))

    def __str__(self) -> str:
        return (
            f"{self.tables} tables with {self.columns} columns, {self.payloads} payloads and {self.files} files looked"
            f" at; {self.protected} protected persons; {len(self.findings)} places hold what must not be there"
        )


A_PLACE: Final = "a place of a protected person"
A_KEY: Final = "a key of a place"
A_STRING: Final = "a given string"
STATISTICS: Final = "the planner's samples of a place"
OWN_DATABASE: Final = frozenset({"postgres", "postgres-binaries"})
UNREADABLE: Final = "what cannot be decoded, so that nobody knows what it holds"


def run(access: Access, strings: Iterable[str] = (), folders: Sequence[Path] = ()) -> Report:
    """Looks everywhere, in files below ``folders`` and the program's own folder too. Audited.

    Raises ValueError for a string that is too short, OSError for a folder that cannot be read.
    """
    variants = traces.variants(strings)
    report = Report(protected=Person.objects.filter(protected=True).count())
    every = tables()
    report.tables, report.columns = len(every), sum(len(table.columns) for table in every)
    for table in every:
        _places(table, report)
        _keys(table, report)
        if variants:
            _strings(table, variants, report)
    _statistics(variants, report)
    _payloads(variants, report)
    _files([settings.VAR_DIR, settings.ERASURE_LEDGER, *folders], variants, report)
    audit.record(
        access,
        Action.VERIFY_PROTECTION,
        count=report.protected,
        outcome="found" if report.findings else "done",
        details={"findings": len(report.findings), "strings": len(variants)},
    )
    return report


def _places(table: Table, report: Report) -> None:
    """Columns of a place, filled in a row that is tied to a protected person."""
    lawful = BY_HAND.get(table.name, frozenset())
    named = [column for column in table.columns if traces.COLUMN.fullmatch(column) and column not in lawful]
    if not table.ties:
        return
    counts = {column: f"{_quoted(column)} IS NOT NULL" for column in named}
    values: list[Any] = []
    if table.name == "registry_appliedchange":
        counts["field"], values = "field = ANY(%s)", [list(LOCATION_FIELDS)]
    for column, count in _counted(table, counts, _of_protected(table), values).items():
        report.found(f"{table.name}.{column}", A_PLACE, count)


def _keys(table: Table, report: Report) -> None:
    """Keys of a place with a value, in words of a row that is tied to a protected person, or to nobody."""
    counts = {column: f"{_quoted(column)}::text ~ %s" for column in table.texts}
    counts |= {
        column: f"EXISTS (SELECT FROM {_parts(column)} WHERE encode(whole, 'escape') ~ %s)" for column in table.binary
    }
    where = _of_protected(table) if table.ties else "true"
    for column, count in _counted(table, counts, where, [traces.KEY_WITH_VALUE] * len(counts)).items():
        report.found(f"{table.name}.{column}", A_KEY, count)


def _strings(table: Table, variants: Sequence[str], report: Report) -> None:
    """The given strings, in any row of any table."""
    counts = {column: f"{_quoted(column)}::text LIKE ANY(%s)" for column in table.texts}
    binary = {
        column: f"EXISTS (SELECT FROM unnest(%s::bytea[]) AS given (part), {_parts(column)}"
        " WHERE position(part IN whole) > 0)"
        for column in table.binary
    }
    patterns = traces.like(variants)
    values = [patterns] * len(counts) + [[text.encode() for text in variants]] * len(binary)
    for column, count in _counted(table, counts | binary, "true", values).items():
        report.found(f"{table.name}.{column}", A_STRING, count)


def _statistics(variants: Sequence[str], report: Report) -> None:
    """What ANALYZE samples would keep a value that has gone from its row: columns of places have no samples."""
    sampled = "num_nonnulls(most_common_vals, histogram_bounds, most_common_elems) > 0"
    given = "concat(most_common_vals::text, histogram_bounds::text, most_common_elems::text) LIKE ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tablename, attname, {given} FROM pg_stats WHERE {sampled}", [traces.like(variants)])  # noqa: S608
        for table, column, has_string in cursor.fetchall():
            if traces.SAMPLED.fullmatch(column):
                report.found(f"pg_stats of {table}.{column}", STATISTICS, 1)
            if has_string:
                report.found(f"pg_stats of {table}.{column}", A_STRING, 1)


def _payloads(variants: Sequence[str], report: Report) -> None:
    """What the queue and the sessions hold, decoded."""
    counts: dict[tuple[str, str], int] = {}
    for where, payload in _decoded():
        report.payloads += 1
        text = traces.as_text(payload)
        told = (A_KEY, traces.has_key(text)), (A_STRING, any(one in text for one in variants))
        for what, bad in (*told, (UNREADABLE, payload is UNREADABLE)):
            if bad:
                counts[where, what] = counts.get((where, what), 0) + 1
    for (where, what), count in counts.items():
        report.found(where, what, count)


def _decoded() -> Iterator[tuple[str, object]]:
    """Every payload with its place; :data:`UNREADABLE` for one that was signed with another key, or is broken."""
    for queued in OrmQ.objects.iterator(CHUNK):
        yield "django_q_ormq.payload", _opened(SignedPackage.loads, queued.payload)
    for task in Task.objects.iterator(CHUNK):
        yield from ((f"{Task._meta.db_table}.{name}", getattr(task, name)) for name in ("args", "kwargs", "result"))
    store = SessionStore()
    signed = partial(signing.loads, salt=store.key_salt, serializer=store.serializer)
    for session in Session.objects.iterator(CHUNK):
        yield "registry_session.session_data", _opened(signed, session.session_data)


def _opened(opening: Callable[[str], object], payload: str) -> object:
    try:
        return opening(payload)
    except Exception:
        return UNREADABLE


def _files(folders: Sequence[Path], variants: Sequence[str], report: Report) -> None:
    """Logs, exports and whatever else lies in the program's folders, line by line."""
    protected = _names_of_protected()
    refused = list[str]()
    for path in sorted({path for folder in folders for path in _below(folder, refused)}):
        keys = strings = 0
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                for line in iter(lambda: file.readline(LONGEST_LINE), ""):
                    keys += traces.has_key(line) and _tells(line, protected)
                    strings += any(one in line for one in variants)
        except FileNotFoundError:
            continue
        except OSError:
            refused.append(path.name)
        report.files += 1
        report.found(f"file {path.name}", A_KEY, keys)
        report.found(f"file {path.name}", A_STRING, strings)
    for name in refused:
        report.found(f"file {name}", UNREADABLE, 1)


def _tells(line: str, protected: Set[str]) -> bool:
    """Whether a place in the line may be a protected person's: it names one, or no other by a code."""
    codes = _CODE.findall(line)
    return not codes or not protected.isdisjoint([*codes, *_ID.findall(line)])


def _names_of_protected() -> set[str]:
    codes = PersonCode.objects.filter(person__protected=True).values_list("hetu", flat=True)
    subjects = Person.objects.filter(protected=True).values_list("subject", flat=True)
    return {*codes, *(str(one) for one in subjects)}


def _below(folder: Path, refused: list[str]) -> Iterator[Path]:
    """The files of a folder and below it, or the one file. The files of the program's own database are looked at as
    tables. What goes away meanwhile is no error; the names of folders that may not be read are added to ``refused``."""
    if folder.is_file():
        yield folder

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            refused.append(Path(error.filename).name)

    for parent, folders, names in os.walk(folder, onerror=note):
        if Path(parent).is_relative_to(settings.VAR_DIR):
            folders[:] = [name for name in folders if name not in OWN_DATABASE]
        yield from (path for path in (Path(parent, name) for name in names) if path.is_file() and not path.is_symlink())


def _of_protected(table: Table) -> str:
    ties = ", ".join(f"t.{_quoted(column)}" for column in table.ties)
    return f"EXISTS (SELECT FROM registry_person p WHERE p.protected AND p.id IN ({ties}))"


def _counted(table: Table, conditions: dict[str, str], where: str, values: Sequence[Any]) -> dict[str, int]:
    """How many rows of the table meet each condition: one pass over it."""
    if not conditions:
        return {}
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions.values())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts} FROM {table.name} t WHERE {where}", list(values))  # noqa: S608
        return dict(zip(conditions, cursor.fetchone(), strict=True))


def _parts(column: str) -> str:
    """The bytes of a column, one by one where it is an array."""
    return f"unnest('{{}}'::bytea[] || {_quoted(column)}) AS held (whole)"


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
