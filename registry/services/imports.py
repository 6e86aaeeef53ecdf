"""The organisation's own list into the register (outside.md, Import file): a stream, judged and written as sets.

All of it is one transaction. The lines wait in a temporary table, where a few statements tell what each of them means;
only then is anything written.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from registry import lock
from registry.hetu import Hetu
from registry.models import EndReason, Person, Provider, Service
from registry.policies import HANDLE_PROTECTED, IMPORT_CLIENTS, MANAGE_CLIENTSHIPS, Access, services
from registry.services import audit, erasure, name_check, persons, vtj_data
from registry.services.audit import Action
from registry.services.errors import Refused
from registry.services.import_file import Bad, Known, Line, Words, read
from registry.services.name_check import name_hash
from registry.services.vtj_data import without_values
from registry.sql import ids

SHOWN: Final = 100
ENDS_TO_CONFIRM: Final = 50
CHUNK: Final = 20_000
READING, COMPARING, WRITING = "READING", "COMPARING", "WRITING"
TOLD_EVERY: Final = 1000
# Any number: one import at a time.
LOCK: Final = 7_263_511

_STAGED: Final = (
    "number",
    "hetu",
    "service_id",
    "start",
    '"end"',
    "provider_id",
    "reference",
    "last_hash",
    "first_hash",
)
_STAGING: Final = """
    CREATE TEMP TABLE import_line (
        number int, hetu text COLLATE "C", service_id bigint, start date, "end" date, provider_id bigint,
        reference text, last_hash bytea, first_hash bytea
    ) ON COMMIT DROP
"""
_JUDGED: Final = """
    CREATE TEMP TABLE import_judged (
        LIKE import_line, person_id bigint, who text, clientship_id bigint, verdict text, other int
    ) ON COMMIT DROP
"""
# What each line is. The same clientship is the same person (by any code), service and start; the first line of it
# counts. Takes today.
_JUDGE: Final = """
    INSERT INTO import_judged
    WITH known AS (
        SELECT l.*, k.person_id, coalesce(k.person_id::text, l.hetu) AS who
        FROM import_line l LEFT JOIN registry_personcode k ON k.hetu = l.hetu
    ), placed AS (
        SELECT n.*, c.id AS clientship_id, c."end" AS held_end,
               first_value(n.number) OVER alike AS first, first_value(n."end") OVER alike AS first_end
        FROM known n LEFT JOIN registry_clientship c
        ON c.person_id = n.person_id AND c.service_id = n.service_id AND c.start = n.start
        WINDOW alike AS (PARTITION BY n.who, n.service_id, n.start ORDER BY n.number)
    )
    SELECT number, hetu, service_id, start, "end", provider_id, reference, last_hash, first_hash,
           person_id, who, clientship_id,
           CASE WHEN number > first AND "end" IS NOT DISTINCT FROM first_end THEN 'same'
                WHEN number > first THEN 'contradiction'
                WHEN clientship_id IS NULL AND "end" < %s THEN 'ended'
                WHEN clientship_id IS NULL THEN 'new'
                WHEN "end" IS NULL OR "end" = held_end THEN 'same'
                WHEN held_end IS NULL THEN 'ends'
                ELSE 'other_end' END,
           first
    FROM placed
"""
# A second open one beside one of the register, as it stands when the ends of the file have been written. Takes today.
_SECOND: Final = """
    UPDATE import_judged n SET verdict = 'second'
    FROM registry_clientship c LEFT JOIN import_judged e ON e.clientship_id = c.id AND e.verdict = 'ends'
    WHERE n.verdict = 'new' AND c.person_id = n.person_id AND c.service_id = n.service_id
      AND coalesce(e."end", c."end", 'infinity') >= %s
      AND daterange(c.start, coalesce(e."end", c."end"), '[]') && daterange(n.start, n."end", '[]')
"""
# New lines of a person who has several of one service, as they come.
_SEVERAL: Final = """
    SELECT number, who, service_id, start, "end" FROM (
        SELECT *, count(*) OVER (PARTITION BY who, service_id) AS lines FROM import_judged WHERE verdict = 'new'
    ) n WHERE lines > 1 ORDER BY number
"""
_SECOND_IN_FILE: Final = """
    UPDATE import_judged n SET verdict = 'second_in_file', other = found.other
    FROM unnest(%s::int[], %s::int[]) AS found (number, other) WHERE found.number = n.number
"""
# What is the same as a bad line is as bad. Takes the verdicts that are.
_AS_BAD: Final = """
    UPDATE import_judged n SET verdict = f.verdict, other = f.other
    FROM import_judged f
    WHERE n.verdict = 'same' AND n.number > n.other AND f.number = n.other AND f.verdict = ANY(%s)
"""
# Known lines that tell of another provider or reference than the register holds.
_OTHERWISE: Final = """
    SELECT count(*) FROM import_judged j JOIN registry_clientship c ON c.id = j.clientship_id
    WHERE j.verdict IN ('same', 'ends') AND (
        j.provider_id IS NOT NULL AND j.provider_id IS DISTINCT FROM c.provider_id
        OR coalesce(j.reference, '') NOT IN ('', coalesce(c.reference, '')))
"""
# Persons with no clientship left without an end, and the last days of the first and the last of them: the due run will
# erase them. Whether other units need them still is not told (domain.md H52, E38): only the caller's own services
# (taken twice) count, and the number is rather too high than too low.
_ERASED: Final = """
    WITH gone AS (
        SELECT DISTINCT e.person_id FROM import_judged e WHERE e.verdict = 'ends'
        AND NOT EXISTS (
            SELECT FROM registry_clientship c WHERE c.person_id = e.person_id AND c."end" IS NULL
            AND c.service_id = ANY(%s)
            AND NOT EXISTS (SELECT FROM import_judged x WHERE x.clientship_id = c.id AND x.verdict = 'ends'))
        AND NOT EXISTS (
            SELECT FROM import_judged n WHERE n.person_id = e.person_id AND n.verdict = 'new' AND n."end" IS NULL)
    ), days AS (
        SELECT j.person_id, j."end" FROM import_judged j JOIN gone USING (person_id) WHERE j.verdict IN ('ends', 'new')
        UNION ALL
        SELECT c.person_id, c."end" FROM registry_clientship c JOIN gone USING (person_id) WHERE c.service_id = ANY(%s)
    ), last AS (SELECT max("end") AS day FROM days GROUP BY person_id)
    SELECT count(*), min(day), max(day) FROM last
"""
# Persons who are new: to the register, or (takes whether so) to the caller's own units.
_NEW_PERSONS: Final = """
    SELECT count(DISTINCT n.who) FROM import_judged n WHERE n.verdict = 'new' AND (n.person_id IS NULL
        OR %s AND NOT EXISTS (
            SELECT FROM registry_clientship c WHERE c.person_id = n.person_id AND c.service_id = ANY(%s)))
"""
_WRITE_ENDS: Final = """
    UPDATE registry_clientship c
    SET "end" = j."end", end_reason = %s, ended_at = clock_timestamp(), ended_by_id = %s
    FROM import_judged j WHERE j.verdict = 'ends' AND c.id = j.clientship_id AND c."end" IS NULL
"""
_WRITE_NEW: Final = """
    INSERT INTO registry_clientship (person_id, service_id, provider_id, start, "end", end_reason, ended_at, reference)
    SELECT person_id, service_id, provider_id, start, "end", CASE WHEN "end" IS NOT NULL THEN %s END,
           CASE WHEN "end" IS NOT NULL THEN clock_timestamp() END, reference
    FROM import_judged WHERE verdict = 'new' ORDER BY number ON CONFLICT DO NOTHING
"""
# Of every line that adds or ends something: one of them may bear the code of somebody else. And of known lines where a
# name is in doubt, since the list may have been put right.
_WRITE_NAMES: Final = """
    INSERT INTO registry_namecheck (person_id, last_name_hash, first_names_hash)
    SELECT DISTINCT person_id, last_hash, first_hash FROM import_judged j
    WHERE num_nonnulls(last_hash, first_hash) > 0 AND (verdict IN ('new', 'ends') OR verdict = 'same' AND EXISTS (
        SELECT FROM registry_problem k
        WHERE k.person_id = j.person_id AND k.kind = 'NAME_MISMATCH' AND k.closed_at IS NULL))
    ON CONFLICT DO NOTHING RETURNING person_id
"""

_FAULTS: Final = {
    "contradiction": ("loppupaiva", gettext_noop("differs from line %(other)s, which is the same clientship")),
    "ended": ("loppupaiva", gettext_noop("a new clientship that has ended already")),
    "other_end": ("loppupaiva", gettext_noop("the clientship has another end already")),
    "second": ("palvelu", gettext_noop("the person has an open clientship of this service already")),
    "second_in_file": ("palvelu", gettext_noop("a second open clientship of this service, after line %(other)s")),
}


@dataclass
class Report:
    """What the file means, in lines; ``new_persons`` (to the caller's units) and ``erased`` (by the ends, in time) are
    persons.

    ``otherwise`` counts known lines that name another provider or reference than the register, where somebody may have
    put it right since: they are left as they are. ``bad`` holds the first :data:`SHOWN` of the ``bad_count`` lines that
    change nothing, or the first ``shown`` of them. ``written`` is false after a dry run and when the ends need a
    confirmation (``unconfirmed``). ``erased_first`` and ``erased_last``: the days on which the first and the last of
    those who will be erased are (domain.md F43).
    """

    lines: int = 0
    added: int = 0
    ended: int = 0
    same: int = 0
    new_persons: int = 0
    mismatches: int = 0
    otherwise: int = 0
    erased: int = 0
    erased_first: date | None = None
    erased_last: date | None = None
    bad_count: int = 0
    bad: list[Bad] = field(default_factory=list)
    unconfirmed: bool = False
    written: bool = False
    shown: int = SHOWN

    def found(self, bad: Bad) -> None:
        """Counts a bad line, and keeps it if it is among the first."""
        self.bad_count += 1
        if len(self.bad) < self.shown:
            self.bad.append(bad)


class Busy(Refused):
    """Another import is under way."""

    def __init__(self) -> None:
        super().__init__("Another import is under way. Try again when it has ended.")


Watch = Callable[[str, int, int], None]


def run(
    access: Access,
    file: BinaryIO,
    *,
    day: date,
    dry_run: bool = False,
    confirm_ends: int | None = None,
    shown: int = SHOWN,
    watch: Watch = lambda _phase, _done, _total: None,
    then: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Brings the list into the register; good lines go in, bad ones are reported. ``day`` is Helsinki's today.

    More than :data:`ENDS_TO_CONFIRM` persons who will be erased by the ends need ``confirm_ends`` with that number, or
    nothing is written. ``watch`` is told the phase, what is done of it and how much there is (0: not known); ``then``
    is called with the report in the same transaction.
    Raises PermissionDenied, Unreadable, Refused (:class:`Busy`) and StorageError; then nothing is written either.
    A list may name anybody, and what is said of its lines tells who is a client: so it takes the right to handle
    protected clients too (domain.md E38).
    """
    for right in (IMPORT_CLIENTS, MANAGE_CLIENTSHIPS, HANDLE_PROTECTED):
        access.require(right)
    if not lock.may_ask():
        # Who was erased after the backup is back in it, until the ledger is replayed (domain.md F45).
        raise Refused(_("The register is locked after a restore: python manage.py restore_finish --replay-only first."))
    report = Report(shown=shown)
    with transaction.atomic(), without_values(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Busy
        _stage(cursor, file, _known(access), report, watch)
        watch(COMPARING, 0, 0)
        _judge(cursor, access, day, report)
        report.unconfirmed = report.erased > ENDS_TO_CONFIRM and confirm_ends != report.erased
        if dry_run or report.unconfirmed:
            # What is said of the lines tells of people in the register, written or not (domain.md G46).
            outcome = "dry run" if dry_run else "unconfirmed"
            audit.record(access, Action.IMPORT, count=report.lines, outcome=outcome, details=_counts(report))
        else:
            _write(cursor, access, report, watch)
        cursor.execute("DROP TABLE import_line, import_judged")
        then(report)
    return report


def _known(access: Access) -> Known:
    return Known(
        services=dict(services(access).values_list("code", "id")),
        providers=dict(Provider.objects.values_list("business_id", "id")),
        produced=set(Service.providers.through.objects.values_list("service_id", "provider_id")),
        test_codes=settings.HETU_ALLOW_TEST_CODES,
    )


def _stage(cursor: Any, file: BinaryIO, known: Known, report: Report, watch: Watch) -> None:
    cursor.execute(_STAGING)
    with cursor.copy(f"COPY import_line ({', '.join(_STAGED)}) FROM STDIN") as copy:
        for line in read(file, known):
            report.lines += 1
            if report.lines % TOLD_EVERY == 0:
                watch(READING, report.lines, 0)
            if isinstance(line, Bad):
                report.found(line)
            else:
                copy.write_row(_row(line))
    cursor.execute("ANALYZE import_line")


def _row(line: Line) -> tuple[Any, ...]:
    names = (name_hash(line.last_name), name_hash(line.first_names))
    return (line.number, line.hetu, line.service, line.start, line.end, line.provider, line.reference, *names)


def _judge(cursor: Any, access: Access, day: date, report: Report) -> None:
    own = list(services(access).values_list("id", flat=True))
    cursor.execute(_JUDGED)
    cursor.execute(_JUDGE, [day])
    cursor.execute("CREATE INDEX ON import_judged (clientship_id)")
    cursor.execute("CREATE INDEX ON import_judged (who, service_id)")
    cursor.execute("CREATE INDEX ON import_judged (person_id)")
    cursor.execute("ANALYZE import_judged")
    cursor.execute(_SECOND, [day])
    cursor.execute(_SECOND_IN_FILE, _second_in_file(cursor))
    cursor.execute(_AS_BAD, [list(_FAULTS)])
    cursor.execute("SELECT verdict, count(*) FROM import_judged GROUP BY verdict")
    counts = dict(cursor.fetchall())
    report.added, report.ended, report.same = (counts.pop(verdict, 0) for verdict in ("new", "ends", "same"))
    report.bad_count += sum(counts.values())
    cursor.execute(
        "SELECT number, verdict, other FROM import_judged WHERE verdict = ANY(%s) ORDER BY number LIMIT %s",
        [list(_FAULTS), report.shown],
    )
    for number, verdict, other in cursor.fetchall():
        column, reason = _FAULTS[verdict]
        report.bad.append(Bad(number, column, Words(reason, {"other": other or 0})))
    report.bad = sorted(report.bad, key=lambda bad: bad.line)[: report.shown]
    cursor.execute(_NEW_PERSONS, [access.user is not None, own])
    report.new_persons = cursor.fetchone()[0]
    cursor.execute(_ERASED, [own, own])
    report.erased, first, last = cursor.fetchone()
    if report.erased:
        report.erased_first, report.erased_last = erasure.erased_on(first, day), erasure.erased_on(last, day)
    cursor.execute(_OTHERWISE)
    report.otherwise = cursor.fetchone()[0]


def _second_in_file(cursor: Any) -> tuple[list[int], list[int]]:
    """The lines that are a second open one beside an earlier line that counts, and which that is: one line after the
    other, since a bad line stands in nobody's way."""
    counted: dict[tuple[str, int], list[tuple[date, date, int]]] = {}
    found: dict[int, int] = {}
    cursor.execute(_SEVERAL)
    for number, who, service, start, end in cursor.fetchall():
        lines, last = counted.setdefault((who, service), []), end or date.max
        # They do not overlap, so the nearest one that begins by the last day is the one to ask.
        place = bisect(lines, last, key=itemgetter(0))
        if place and lines[place - 1][1] >= start:
            found[number] = lines[place - 1][2]
        else:
            lines.insert(place, (start, last, number))
    return list(found), list(found.values())


def _write(cursor: Any, access: Access, report: Report, watch: Watch) -> None:
    # References are checked as they come: a long queue of deferred checks slows every later trigger down (measured).
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    known = _column(
        cursor,
        "SELECT DISTINCT person_id FROM import_judged WHERE verdict IN ('new', 'ends') AND person_id IS NOT NULL",
    )
    _lock(known)
    watch(WRITING, 0, 0)
    _create_persons(cursor, watch)
    cursor.execute(_WRITE_ENDS, [EndReason.LIST, access.user.pk if access.user else None])
    report.ended = cursor.rowcount
    cursor.execute(_WRITE_NEW, [EndReason.LIST])
    report.added = cursor.rowcount
    named = sorted(set(_column(cursor, _WRITE_NAMES)))
    for begin in range(0, len(named), CHUNK):
        report.mismatches += name_check.compare(named[begin : begin + CHUNK])
    touched = _column(cursor, "SELECT DISTINCT person_id FROM import_judged WHERE verdict IN ('new', 'ends')")
    subjects = Person.objects.filter(id__in=ids(touched)).values_list("subject", flat=True)
    audit.record(access, Action.IMPORT, subjects=subjects, details=_counts(report))
    report.written = True


def _counts(report: Report) -> dict[str, str | int]:
    return {name: getattr(report, name) for name in ("lines", "added", "ended", "same", "bad_count", "new_persons")}


def _create_persons(cursor: Any, watch: Watch) -> None:
    # In order, so that two writers of the same codes never wait for each other.
    new = _column(
        cursor,
        "SELECT DISTINCT hetu FROM import_judged WHERE verdict = 'new' AND person_id IS NULL ORDER BY hetu",
    )
    for begin in range(0, len(new), CHUNK):
        watch(WRITING, begin, len(new))
        made = persons.find_or_create([Hetu(code) for code in new[begin : begin + CHUNK]])
        _lock(set(made.values()))
        cursor.execute(
            "UPDATE import_judged j SET person_id = made.person"
            " FROM unnest(%s::text[], %s::bigint[]) AS made (hetu, person)"
            " WHERE j.hetu = made.hetu AND j.verdict = 'new'",
            [list(made), list(made.values())],
        )


def _lock(person_ids: Collection[int]) -> None:
    if len(vtj_data.lock(person_ids)) != len(person_ids):
        raise Refused("Somebody of the list was erased at this very moment. Nothing was written: import it again.")


def _column(cursor: Any, sql: str) -> list[Any]:
    cursor.execute(sql)
    return [value for (value,) in cursor.fetchall()]
