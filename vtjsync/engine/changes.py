"""The changes of one cohort, page by page, until VTJ says that we are up to date (domain.md B10, B13, B14)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from registry.clock import today
from registry.hetu import Hetu
from registry.models import AppliedChange
from registry.policies import Access
from registry.record import Group
from registry.services import audit
from registry.services.audit import Action
from registry.sql import ids
from vtjsync.engine import cursors, effects, halving, permit, refusals
from vtjsync.engine.budget import Priority
from vtjsync.engine.connection import Connection, Sent, database_now
from vtjsync.engine.cursors import CursorRefused
from vtjsync.engine.effects import Effects, Overtaken
from vtjsync.engine.halving import Halved
from vtjsync.engine.permit import ON_THE_LIST, SENDABLE
from vtjsync.engine.run import BASIS, Run
from vtjsync.models import Cohort, Enrolment, RunCohort
from vtjsync.reading import changes as reading
from vtjsync.reading.outcome import Ask, Context
from vtjsync.wire.errors import Refused
from vtjsync.wire.muutosrajapinta import ChangePage, Entry, Muutosrajapinta

MAX_PAGES: Final = 100_000
# VTJ may pass over a long stretch of its log in which nothing is about us, page by page.
MAX_EMPTY_PAGES: Final = 1_000  # in a row, without an entry or with those of the one before
MAX_CHAIN: Final = 50


class NoProgress(Exception):
    """VTJ says that there is more and does not advance the cursor (domain.md B13)."""


class Endless(Exception):
    """The feed of a cohort does not come to an end (domain.md B13)."""


_Answer: TypeAlias = tuple[ChangePage, Sent]


@dataclass(frozen=True, slots=True)
class _Written:
    up_to_date: bool
    cursor: int


def poll(connection: Connection, run: Run, cohort_id: int) -> None:
    """Applies all changes of the cohort's persons from its cursor on.

    Raises VtjError, Stopped, NoPermit, CursorRefused, :class:`NoProgress`, :class:`Endless` and Overtaken; what was
    applied stays.
    """
    leave_the_list(cohort_id)
    if Cohort.objects.filter(pk=cohort_id, reset_asked=True).exists():
        cursors.reset(connection, run.id, cohort_id)
    empty, before = 0, list[Entry]()
    for _ in range(MAX_PAGES):
        granted = permit.granted(today())
        cohort = Cohort.objects.get(pk=cohort_id)
        codes = codes_of(cohort_id)
        if not codes:
            return
        key = cohort.cursor
        answer = _ask(connection, run, cohort, codes)
        if answer is None:
            return
        page, sent, asked = answer
        write = partial(apply, run, cohort_id, key, asked=asked, page=page, sent=sent, granted=granted)
        written = effects.again(write)
        run.counts.update(entries=len(page.entries) + page.broken)
        run.beat(now=True)
        if written.up_to_date:
            return
        if written.cursor == key:
            raise NoProgress
        empty = empty + 1 if not page.entries or page.entries == before else 0
        before = page.entries
        if empty > MAX_EMPTY_PAGES:
            break
    raise Endless


def _ask(
    connection: Connection, run: Run, cohort: Cohort, codes: list[Hetu]
) -> tuple[ChangePage, Sent, list[Hetu]] | None:
    """A page for the codes, and for those that replace one of them in the page itself; and all that was asked about.
    None when all are refused.

    A request finds entries under the codes that it names. What happened under a new code after the correction, another
    correction for one, would be passed over for ever when the cursor moves on (domain.md D27, D28). Codes that VTJ
    refuses are left out of the page, and their persons leave the cohort (B16). Raises CursorRefused (B17).
    """
    asked, tried = list(codes), set(codes)
    send = _sender(connection, run, cohort.pk, cohort.cursor)
    for _ in range(MAX_CHAIN):
        try:
            halved = _halved(cohort, asked, send)
        except Refused as error:
            raise CursorRefused(error) if error.might_be_cursor else error from None
        if halved.refused:
            run.counts["problems_opened"] += refusals.refused(halved.refused)
            asked = [code for code in asked if code not in set(halved.refused)]
        if halved.error is not None:
            raise halved.error
        if not halved.answers:
            return None
        page, sent = _together(halved.answers)
        successors = effects.successors(row for entry in page.entries for row in entry.rows) - tried
        if not successors:
            return page, sent, asked
        tried |= successors
        asked += sorted(successors)
    raise Endless


def _halved(cohort: Cohort, asked: list[Hetu], send: Callable[[Sequence[Hetu]], _Answer]) -> Halved[_Answer]:
    """The answers for those whom VTJ accepts. A cursor that it refused before is not looked into again."""
    if cohort.refused_at is not None:
        return Halved([send(asked)])
    return halving.ask(asked, send, partial(refusals.known, asked), alone=False)


def _sender(connection: Connection, run: Run, cohort_id: int, key: int) -> Callable[[Sequence[Hetu]], _Answer]:
    """Sends one request for the codes, and leaves an event before it (domain.md G46)."""

    def send(codes: Sequence[Hetu]) -> _Answer:
        details = {"run": run.id, "cohort": cohort_id}
        audit.record(Access(None, BASIS), Action.ASK_CHANGES, count=len(codes), details=details)
        return connection.send(partial(Muutosrajapinta.changes, key=key, codes=codes), Priority.CHANGES)

    return send


def _together(answers: Sequence[_Answer]) -> _Answer:
    """The answers for the parts of a list as one page, as of the time of the first. It leads no further than the one
    that came least far; what is beyond in the others comes again, and does nothing then."""
    pages = [page for page, _ in answers]
    if len(pages) == 1:
        return answers[0]
    page = ChangePage(
        key=min(page.key for page in pages),
        entries=[entry for page in pages for entry in page.entries],
        up_to_date=all(page.up_to_date for page in pages),
        at=pages[0].at,
        broken=sum(page.broken for page in pages),
    )
    return page, answers[0][1]


def apply(
    run: Run,
    cohort_id: int,
    asked_with: int,
    *,
    asked: Sequence[Hetu],
    page: ChangePage,
    sent: Sent,
    granted: frozenset[Group],
) -> _Written:
    """One page and the cursor that it leads to, in one transaction (domain.md B10). ``asked`` are the request's codes.

    Raises Overtaken when the cohort's cursor is no longer the one that was asked with; the page is then dropped. A
    cursor never goes back; a page that does not advance it is applied all the same, since to apply it again does
    nothing, and it may hold a ban.
    """
    context = Context(granted=granted, today=sent.today, tolerance=settings.VTJ_CLOCK_TOLERANCE)
    with transaction.atomic():
        cohort = Cohort.objects.select_for_update().get(pk=cohort_id)
        if cohort.cursor != asked_with:
            raise Overtaken
        mentioned: set[str] = {entry.code for entry in page.entries}
        mentioned.update(*(effects.codes_in(entry.rows) for entry in page.entries))
        found = effects.load(mentioned, _members(cohort_id) if page.broken else ())
        enrolled = set(_members(cohort_id, found.held))
        unknown = _read(page, sent, found, enrolled, context)
        if page.broken:
            _ask_all(found, enrolled)
        problems = found.write(run.id)
        _leave_unasked(cohort_id, asked)
        cursor = max(page.key, asked_with)
        cohort.cursor, cohort.cursor_at = cursor, database_now()
        cursors.accepted(cohort)
        if page.up_to_date:
            cohort.up_to_date_as_of = sent.database
        cohort.save()
        RunCohort.objects.update_or_create(
            run_id=run.id,
            cohort=cohort,
            defaults={"cursor_to": cursor, "up_to_date": page.up_to_date},
            create_defaults={"cursor_from": asked_with, "cursor_to": cursor, "up_to_date": page.up_to_date},
        )
    run.counts.update(
        applied=found.applied,
        entries_unknown=unknown,
        bans_started=len(found.banned),
        bans_ended=len(found.freed),
        problems_opened=problems,
        other_groups=found.ignored,
    )
    return _Written(page.up_to_date, cursor)


def codes_of(cohort_id: int) -> list[Hetu]:
    """The current codes of the cohort's persons, as far as they may be sent: what a request holds (domain.md A7, B8,
    D28)."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT k.hetu FROM vtjsync_enrolment e JOIN registry_personcode k USING (person_id)"  # noqa: S608
            f" WHERE e.cohort_id = %s AND k.current AND {SENDABLE} ORDER BY e.person_id",
            [cohort_id, settings.HETU_ALLOW_TEST_CODES],
        )
        return [Hetu(code) for (code,) in cursor.fetchall()]


def leave_the_list(cohort_id: int) -> int:
    """Takes those out of the cohort who are no longer on the list (domain.md A1, F44). Who comes back before erasure
    joins anew, with new basic data, since nothing was heard of them in between."""
    day = today()
    with transaction.atomic(), database.cursor() as cursor:
        Cohort.objects.select_for_update().get(pk=cohort_id)
        cursor.execute(
            "DELETE FROM vtjsync_enrolment e USING registry_person p"  # noqa: S608
            f" WHERE p.id = e.person_id AND e.cohort_id = %s AND NOT {ON_THE_LIST}",
            [cohort_id, day, day],
        )
        return int(cursor.rowcount)


def _leave_unasked(cohort_id: int, asked: Sequence[Hetu]) -> None:
    """Takes those out of the cohort who joined while the page was asked for: the cursor passes over what happened to
    them in between. They join anew, with new basic data (domain.md B9)."""
    with database.cursor() as cursor:
        cursor.execute(
            "DELETE FROM vtjsync_enrolment e WHERE e.cohort_id = %s AND NOT EXISTS (SELECT FROM registry_personcode k"
            " WHERE k.person_id = e.person_id AND k.current AND k.hetu IN (SELECT unnest(%s::text[])))",
            [cohort_id, list(asked)],
        )


def _read(page: ChangePage, sent: Sent, found: Effects, enrolled: set[int], context: Context) -> int:
    """Reads every entry in the page's order. Returns how many were of nobody in the cohort: late entries of somebody
    who is gone are dropped and counted (domain.md F44)."""
    unknown = 0
    for entry in page.entries:
        person_id = found.owner.get(entry.code)
        if person_id is None or person_id not in enrolled:
            unknown += 1
            continue
        state = found.state(person_id)
        outcome = reading.read(entry.rows, entry.changed_at, state, context, readable=entry.readable)
        # Nothing happened after it was asked about: a time to come is not one, and no page could show some of them.
        at = min(entry.changed_at or sent.vtj, sent.vtj)
        found.take(person_id, outcome, AppliedChange.Source.CHANGE, at)
        if outcome.ask is not None:
            found.ask(person_id, outcome.ask)
        if outcome.hide_location:
            found.hide(person_id)
    return unknown


def _members(cohort_id: int, among: Collection[int] | None = None) -> list[int]:
    rows = Enrolment.objects.filter(cohort=cohort_id)
    rows = rows if among is None else rows.filter(person__in=ids(among))
    return list(rows.values_list("person", flat=True))


def _ask_all(found: Effects, enrolled: Collection[int]) -> None:
    """An entry whose code cannot be read may be about anybody of the cohort, and may be a ban (domain.md B14)."""
    for person_id in enrolled:
        found.ask(person_id, Ask.UNREADABLE)
        found.hide(person_id)
