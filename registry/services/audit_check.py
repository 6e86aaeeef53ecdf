"""Checks the seals of the audit log (domain.md G46, outside.md ``verify_audit``): seal by seal, set-based, and with
an outside copy of the seals where there is one. Nothing of a person is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import QuerySet

from registry.models import AuditSeal
from registry.policies import Access
from registry.services import audit, audit_keys, audit_seals
from registry.services.audit import Action
from registry.services.audit_seals import Covered

# Seals, and events, that one query looks at.
SEALS: Final = 1000
EVENTS: Final = 200_000
KEPT: Final = 1000
# An event that somebody at the database's own prompt wrote in a transaction that the seal could not see.
SLACK: Final = timedelta(hours=1)
STANDSTILL: Final = timedelta(days=1)
CHANGED: Final = "the seal was changed, or does not follow from the one before"
_LINE: Final = re.compile(r"\bseal (\d{1,18}) events (\d{1,18}) digest ([0-9a-f]{64})\b")
# What no seal covers yet: the events after the newest one.
_TAIL: Final = """
    SELECT count(*), min(at), clock_timestamp(), count(*) FILTER (WHERE id <= %s::bigint AND tx >= %s::bigint)
    FROM registry_auditevent WHERE tx >= %s::bigint
"""


# Neighbouring seals, each with the one before.
Chunk = list[tuple[AuditSeal, AuditSeal | None]]


@dataclass(frozen=True, slots=True)
class Told:
    """A seal as the outside copy has it."""

    events: int
    digest: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, in words, with a seal; 0 is what no seal covers yet."""

    seal: int
    what: str

    def __str__(self) -> str:
        return f"seal {self.seal}: {self.what}" if self.seal else self.what


@dataclass
class Report:
    """What was looked at, and what was found. ``dropped``: months that were removed lawfully, by seal."""

    seals: int = 0
    events: int = 0
    unsealed: int = 0
    made_at: datetime | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    outside: int = 0
    count: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, seal: int, what: str) -> None:
        """Adds a finding; only the first ones are kept, and all are counted."""
        self.count += 1
        if self.count <= KEPT:
            self.findings.append(Finding(seal, what))


def outside(lines: Iterable[str]) -> tuple[dict[int, Told], list[Finding]]:
    """The seals that the lines of a log tell, and those that they tell in two ways. Other lines are passed over."""
    told: dict[int, Told] = {}
    twice = []
    for text in lines:
        if match := _LINE.search(text):
            number, one = int(match[1]), Told(int(match[2]), match[3])
            if told.setdefault(number, one) != one:
                twice.append(Finding(number, "the outside copy has two different seals with this number"))
    return told, twice


def run(
    access: Access, copy: tuple[Mapping[int, Told], Sequence[Finding]] = ({}, ()), watch: Callable[[int], object] = id
) -> Report:
    """Checks everything, writes the event, and seals what is not sealed yet. ``watch`` is told the number of seals
    looked at."""
    while True:
        dropped = lawfully_dropped()
        report = _checked(copy, dropped, watch)
        # A month that was removed meanwhile would look like one that is missing.
        if lawfully_dropped() == dropped:
            break
    report.findings.sort(key=lambda one: (one.seal == 0, one.seal))
    details = {"seals": report.seals, "events": report.events}
    if report.findings:
        details |= {"wrong": report.count, "seal": report.findings[0].seal}
    audit.record(access, Action.VERIFY_AUDIT, outcome="found" if report.findings else "done", details=details)
    with suppress(audit_seals.Rewound):
        audit_seals.seal()
    return report


def lawfully_dropped() -> dict[str, int]:
    """The months that were removed, by the number of the seal that tells so; a seal that is not true tells nothing."""
    rows = AuditSeal.objects.filter(dropped__isnull=False).order_by("number")
    former = {one.number: one for one in AuditSeal.objects.filter(number__in=[row.number - 1 for row in rows])}
    true = (row for row in rows if _is_true(row, former.get(row.number - 1)))
    return {str((row.dropped or {})["month"]): row.number for row in true}


def month_findings(month: str) -> tuple[int, int, list[Finding]]:
    """Checks the events of one month, whole: their number, the last seal that covers any (0: none), what was found."""
    rows = AuditSeal.objects.filter(months__has_key=month).order_by("number")
    first, final = rows.first(), rows.last()
    report = Report()
    total = 0
    if first and final:
        between = AuditSeal.objects.filter(number__gte=first.number, number__lte=final.number)
        before = AuditSeal.objects.filter(number=first.number - 1).first()
        for chunk, covered in _chunks(between.order_by("number"), before):
            for place, (one, _former) in enumerate(chunk):
                total += one.months.get(month, [0])[0]
                _compare(report, one, month, covered.get((place, month)))
    with connection.cursor() as cursor:
        bounds = "at >= (%s || '-01')::timestamp AT TIME ZONE 'UTC' AND at <"
        bounds += " ((%s || '-01')::timestamp + interval '1 month') AT TIME ZONE 'UTC'"
        cursor.execute(f"SELECT count(*) FROM registry_auditevent WHERE {bounds}", [month, month])  # noqa: S608
        (there,) = cursor.fetchone()
    if there != total and not report.findings:
        report.found(0, f"{month} holds {there} events, and the seals tell of {total}")
    return total, final.number if final else 0, report.findings


def _checked(
    copy: tuple[Mapping[int, Told], Sequence[Finding]], dropped: Mapping[str, int], watch: Callable[[int], object]
) -> Report:
    told, twice = copy
    report = Report(dropped=dict(dropped), outside=len(told))
    for torn in twice:
        report.found(torn.seal, torn.what)
    newest: AuditSeal | None = None
    for chunk, covered in _chunks(AuditSeal.objects.order_by("number"), None):
        for place, (one, former) in enumerate(chunk):
            found = {month: what for (n, month), what in covered.items() if n == place}
            _look_at(report, one, former, found)
            _look_outside(report, one, told)
            newest = one
        watch(report.seals)
    report.made_at = newest.made_at if newest else None
    _look_at_tail(report, newest)
    there = newest.number if newest else 0
    if (most := max(told, default=0)) > there:
        report.found(there + 1, f"{_missing(there + 1, most)}: the outside copy has what the database has not")
    return report


def _look_at(report: Report, one: AuditSeal, former: AuditSeal | None, found: Mapping[str, Covered]) -> None:
    """One seal, and what it covers by month."""
    report.seals += 1
    report.events += sum(what.count for what in found.values())
    expected = former.number + 1 if former else 1
    if one.number != expected:
        report.found(expected, _missing(expected, one.number - 1))
    elif one.key_id not in {key.id for key in audit_keys.every()}:
        report.found(one.number, f"no key is given with the name {one.key_id}")
    elif not _is_true(one, former):
        report.found(one.number, CHANGED)
    for month in sorted({*one.months, *found}):
        if month in found or month not in report.dropped:
            _compare(report, one, month, found.get(month))
    _look_at_order(report, one.number, found.values(), former)


def _chunks(
    rows: QuerySet[AuditSeal], former: AuditSeal | None
) -> Iterator[tuple[Chunk, dict[tuple[int, str], Covered]]]:
    """The seals, each with the one before, in groups of neighbours, and what they cover."""
    chunk: Chunk = []
    size = 0
    for one in _each(rows):
        torn = former is not None and (one.number != former.number + 1 or one.from_tx != former.to_tx)
        if chunk and (torn or len(chunk) >= SEALS or size + audit_seals.events(one) > EVENTS):
            yield _looked_at(chunk)
            chunk, size = [], 0
        chunk.append((one, former))
        size += audit_seals.events(one)
        former = one
    if chunk:
        yield _looked_at(chunk)


def _each(rows: QuerySet[AuditSeal]) -> Iterator[AuditSeal]:
    """The seals in the order of their numbers, some at a time."""
    after = 0
    while part := list(rows.filter(number__gt=after)[:SEALS]):
        yield from part
        after = part[-1].number


def _looked_at(chunk: Chunk) -> tuple[Chunk, dict[tuple[int, str], Covered]]:
    start = audit_seals.FIRST if chunk[0][0].number == 1 else chunk[0][0].from_tx
    ends = [one.to_tx for one, _ in chunk]
    return chunk, audit_seals.covered(start, ends, [former for _, former in chunk])


def _is_true(one: AuditSeal, former: AuditSeal | None) -> bool:
    message = audit_seals.message(one, former)
    return any(key.id == one.key_id and key.digest(message) == bytes(one.digest) for key in audit_keys.every())


def _compare(report: Report, one: AuditSeal, month: str, found: Covered | None) -> None:
    count, digest = one.months.get(month, [0, ""])
    there = found.count if found else 0
    if there < count:
        report.found(one.number, f"{count - there} of its {count} events of {month} are missing")
    elif there > count:
        report.found(one.number, f"{there - count} events of {month} were inserted")
    elif found and found.digest != digest:
        report.found(one.number, f"an event of {month} was changed")


def _look_at_order(report: Report, number: int, found: Iterable[Covered], former: AuditSeal | None) -> None:
    """Events that were written after the former seal cannot have an older number, or an older time."""
    misplaced = sum(one.misplaced for one in found)
    if misplaced:
        report.found(number, f"{misplaced} events were inserted among older ones: their numbers were given out before")
    if former and any(one.earliest < former.open_since - SLACK for one in found):
        report.found(number, "an event was inserted later than its time tells")


def _look_outside(report: Report, one: AuditSeal, told: Mapping[int, Told]) -> None:
    if (copy := told.get(one.number)) is None:
        return
    if copy.digest != bytes(one.digest).hex() or copy.events != audit_seals.events(one):
        report.found(one.number, "the outside copy has another seal with this number")


def _look_at_tail(report: Report, newest: AuditSeal | None) -> None:
    top, following, start = (newest.top_id, newest.next_tx, newest.to_tx) if newest else (None, None, audit_seals.FIRST)
    with connection.cursor() as cursor:
        cursor.execute(_TAIL, [top, following, start])
        report.unsealed, earliest, now, misplaced = cursor.fetchone()
    if newest and audit_seals.horizon() < newest.to_tx:
        report.found(
            0, "the database was restored into another server: run “manage.py migrate” before anything is done"
        )
    if earliest is not None:
        _look_at_order(report, 0, [Covered(report.unsealed, "", earliest, misplaced)], newest)
        if earliest < now - STANDSTILL and not report.findings:
            report.found(0, f"{report.unsealed} events are not sealed, the oldest for more than a day")


def _missing(first: int, final: int) -> str:
    return "the seal is missing" if first == final else f"the seals {first} to {final} are missing"
