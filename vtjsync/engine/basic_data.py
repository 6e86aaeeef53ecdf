"""Basic data for those who wait for it and those to be asked, in batches (domain.md A3, A4, B9, B11, B12, B19)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

import msgspec
from django.conf import settings
from django.db import connection as database
from django.db import transaction

from registry.clock import today
from registry.hetu import Hetu
from registry.models import AppliedChange, PersonStatus, ProblemKind
from registry.policies import Access
from registry.record import Group
from registry.services import audit, name_check
from registry.services.audit import Action
from registry.services.vtj_data import Held
from vtjsync.engine import brake, due, effects, halving, permit, refusals
from vtjsync.engine.budget import Priority
from vtjsync.engine.connection import Connection, Sent, database_now
from vtjsync.engine.due import Asked
from vtjsync.engine.effects import Effects
from vtjsync.engine.refusals import DELAYS
from vtjsync.engine.run import BASIS, Run
from vtjsync.models import Cohort, Enrolment
from vtjsync.reading import snapshot
from vtjsync.reading.outcome import NO_GROUPS, Ask, Context, Outcome
from vtjsync.wire.errors import Unavailable, Unreadable, VtjError
from vtjsync.wire.muutosrajapinta import BasicDataPage, Entry

# So often a person's basic data may lead back to a code that the person had before; a circle is not followed for ever.
CIRCLES: Final = 2
# The second look that must agree before silence ends a ban (domain.md E33).
SECOND_LOOK: Final = timedelta(hours=1)
# A cursor this old would replay too much for somebody who joins now.
FRESH: Final = timedelta(days=1)

COUNTED: Final = ("received", "not_found", "applied", "bans_started", "bans_ended", "problems_opened", "other_groups")
_Answer: TypeAlias = tuple[Sequence[Hetu], BasicDataPage, Sent]


class BatchFailed(Exception):
    """VTJ has no answer to one batch, and everybody else has been asked. ``error`` tells why."""

    def __init__(self, error: VtjError) -> None:
        super().__init__(str(error))
        self.error = error


def ask_due(connection: Connection, run: Run, until: float) -> Counter[str]:
    """Asks everyone who is due, the most pressing first, or as many as fit before ``until`` (time.monotonic).

    Returns the counts ``due`` and ``stored``. Raises VtjError, Stopped and NoPermit; what was stored stays stored. A
    batch that VTJ has no answer to keeps nobody else waiting: :class:`BatchFailed` is raised when the others have been
    asked.
    """
    counts: Counter[str] = Counter()
    failed: list[VtjError] = []
    for why, priority in due.PRIORITIES.items():
        last = 0
        while batch := due.batch(why, last):
            last = batch[-1].person_id
            stored = ask_in(run, connection, batch, priority, failed)
            counts.update(due=len(batch), stored=stored["received"] + stored["not_found"])
            run.counts.update(asked_again=0 if why == "joining" else len(batch))
            if stored and time.monotonic() > until:
                return counts
    for error in failed:
        raise BatchFailed(error)
    return counts


def ask_in(
    run: Run, connection: Connection, batch: Sequence[Asked], priority: Priority, failed: list[VtjError]
) -> Counter[str]:
    """Asks for one batch and counts what came of it in the run. An error that is this batch's alone goes into
    ``failed``, and the count is empty."""
    try:
        stored = ask(connection, run.id, batch, permit.granted(today()), priority)
    except (Unavailable, Unreadable) as error:
        if not connection.answers_others(error):
            raise
        failed.append(error)
        return Counter()
    run.counts.update({name: stored[name] for name in COUNTED}, persons_done=len(batch))
    run.beat()
    return stored


def fetch(connection: Connection, person_ids: Sequence[int], granted: frozenset[Group]) -> Counter[str]:
    """Asks for these persons at once, outside of any run: somebody was just added (domain.md B19)."""
    batch = due.added(person_ids)
    return ask(connection, None, batch, granted, Priority.ADDED) if batch else Counter()


def ask(
    connection: Connection, run_id: int | None, batch: Sequence[Asked], granted: frozenset[Group], priority: Priority
) -> Counter[str]:
    """One request for one batch, and its answer stored in one transaction; a batch that VTJ refuses is halved (B16)."""
    joining = sum(not one.enrolled for one in batch)
    cohort_id = _cohort_with_room(connection, joining, priority) if joining else None
    codes, send = [one.code for one in batch], _sender(connection, run_id, granted, priority)
    halved = halving.ask(codes, send, partial(refusals.known, codes), alone=True)
    counts = Counter(problems_opened=refusals.refused(halved.refused) if halved.refused else 0)
    if halved.answers:
        page, sent = _together(halved.answers)
        accepted = {code for part, _, _ in halved.answers for code in part}
        batch = [one for one in batch if one.code in accepted]
        write = transaction.atomic(store)
        counts += effects.again(
            partial(write, run_id, batch, page=page, sent=sent, granted=granted, cohort_id=cohort_id)
        )
    if halved.error is not None:
        raise halved.error
    return counts


def store(
    run_id: int | None,
    batch: Sequence[Asked],
    *,
    page: BasicDataPage,
    sent: Sent,
    granted: frozenset[Group],
    cohort_id: int | None,
) -> Counter[str]:
    """Stores an answer, in the caller's transaction. Returns counts by the names of SyncRun's fields.

    Dropped is the answer about a person who is gone, or of whom something was applied after the request had been made
    up (domain.md B12); that person stays due. What the answer is silent about is left as it is held, unless the run has
    decided that it counts (B18). Whoever is not in a cohort joins one here, under its lock, if this was
    requested after the answer that gave the cohort its cursor (B9).
    """
    context = Context(granted=granted, today=sent.today, tolerance=settings.VTJ_CLOCK_TOLERANCE)
    cohort = Cohort.objects.select_for_update().get(pk=cohort_id) if cohort_id else None
    mentioned: set[str] = {one.code for one in batch}
    entries, twins = _by_code(page, frozenset(mentioned))
    mentioned.update(*(effects.codes_in(entry.rows) for entry in entries.values()))
    found = effects.load(mentioned)
    counts: Counter[str] = Counter()
    counting, silent = brake.allowed(found.held), {}
    answered, joining = [], []
    for one in batch:
        held = found.held.get(one.person_id)
        if held is None or held.version != one.version:
            continue
        entry = entries.get(one.code)
        if entry is not None:
            counts["received"] += 1
            answered.append(held.id)
            of_person = replace(context, silence=counting.get(held.id, NO_GROUPS))
            if groups := _take(found, held, entry, sent, of_person, twin=entry.code in twins):
                silent[held.id] = groups
        elif page.up_to_date:
            _missing(found, held, sent.database, unreadable=bool(page.broken))
            counts["not_found"] += 1
        if held.status == PersonStatus.CURRENT and not one.enrolled:
            joining.append(one.person_id)
    counts["problems_opened"] = found.write(run_id)
    brake.note(run_id, answered, {one: groups for one, groups in silent.items() if one not in found.banned})
    name_check.compare([one.person_id for one in batch])
    if cohort is not None and sent.database > cohort.cursor_at:
        _join(cohort, joining)
    counts.update(applied=found.applied, bans_started=len(found.banned), bans_ended=len(found.freed))
    counts.update(other_groups=found.ignored)
    return counts


def _take(found: Effects, held: Held, entry: Entry, sent: Sent, context: Context, *, twin: bool) -> frozenset[Group]:
    """Lets one person's basic data count. ``twin``: there was another entry for the same code.

    Returns the groups about which it is silent, and that does not count yet.
    """
    if Group.BAN not in context.granted:
        # It goes without a word in the log of changes, which would hold it too (domain.md C24).
        held.record = held.record.without_location()
    outcome = snapshot.read(entry.rows, sent.vtj, found.state(held.id), context, readable=entry.readable)
    found.close_problem(held.id, ProblemKind.CODE_REFUSED)
    if outcome.codes is not None and outcome.codes.active != entry.code:
        only_protects = snapshot.read(entry.rows, sent.vtj, found.state(held.id), context, readable=False)
        _under_old_code(found, held, replace(only_protects, codes=outcome.codes), sent)
        return NO_GROUPS
    attempts, was_hidden = held.ask_attempts, held.location_hidden
    held.ask, held.ask_urgent, held.ask_not_before, held.ask_attempts = None, False, None, 0
    found.touched.add(held.id)
    found.take(held.id, outcome, AppliedChange.Source.BASIC_DATA, sent.vtj)
    held.location_hidden = outcome.hide_location or (was_hidden and bool(outcome.silent))
    if entry.readable:
        held.status = PersonStatus.CURRENT
    if outcome.silent:
        found.ask(held.id, Ask.SILENT)
    elif entry.readable:
        held.checked_at = sent.database
    if outcome.ask is not None:
        found.ask(held.id, outcome.ask, sent.database + SECOND_LOOK if outcome.ask is Ask.SILENCE else None)
    if outcome.unreadable:
        _again(found, held, Ask.UNREADABLE, attempts, sent.database)
    contradicting = outcome.unreadable if twin else outcome.contradicting
    holds = {
        ProblemKind.NOT_FOUND: False,
        ProblemKind.UNREADABLE: bool(outcome.unreadable - contradicting),
        ProblemKind.CONTRADICTING: bool(contradicting),
        ProblemKind.BAN_UNCLEAR: outcome.unconfirmed_ban,
    }
    for kind, open_ in holds.items():
        (found.open_problem if open_ else found.close_problem)(held.id, kind)
    return outcome.silent


def _under_old_code(found: Effects, held: Held, outcome: Outcome, sent: Sent) -> None:
    """VTJ calls another code the active one, or none (domain.md D27, D29): what it says under this one is not the
    person's data of now. It only ever protects, and nothing that is held goes; the new code is asked in the same run.
    """
    attempts, before = held.ask_attempts, found.current.get(held.id)
    back = outcome.codes is not None and found.owner.get(str(outcome.codes.active)) == held.id
    found.take(held.id, outcome, AppliedChange.Source.BASIC_DATA, sent.vtj)
    corrected = found.current.get(held.id) != before
    if corrected and attempts < CIRCLES:
        held.ask_attempts = attempts + 1 if back else 0
        return
    if corrected:
        found.open_problem(held.id, ProblemKind.CONTRADICTING)
    _again(found, held, Ask.CODE, attempts, sent.database)


def _missing(found: Effects, held: Held, now: datetime, *, unreadable: bool) -> None:
    """VTJ left the person out: never "no data" (domain.md A4). In an answer with an entry that nobody can tell whose it
    is, it may be that entry, and the entry may tell of a ban (B14)."""
    found.close_problem(held.id, ProblemKind.CODE_REFUSED)
    why = Ask(held.ask) if held.ask in set(Ask) else Ask.VALUE
    if unreadable:
        why = Ask.UNREADABLE
        found.hide(held.id)
        found.open_problem(held.id, ProblemKind.UNREADABLE)
    else:
        held.status = PersonStatus.NOT_FOUND
        found.open_problem(held.id, ProblemKind.NOT_FOUND)
        for kind in (ProblemKind.UNREADABLE, ProblemKind.CONTRADICTING):
            found.close_problem(held.id, kind)
    _again(found, held, why, held.ask_attempts, now)


def _again(found: Effects, held: Held, why: Ask, attempts: int, now: datetime) -> None:
    """Asks again later and later, then leaves it to staff."""
    found.touched.add(held.id)
    if attempts >= len(DELAYS):
        held.ask, held.ask_urgent, held.ask_not_before, held.ask_attempts = None, False, None, len(DELAYS)
        return
    found.ask(held.id, why, now + DELAYS[attempts])
    held.ask_attempts = attempts + 1


def _sender(
    connection: Connection, run_id: int | None, granted: frozenset[Group], priority: Priority
) -> Callable[[Sequence[Hetu]], _Answer]:
    """Sends one request for the codes, and leaves an event before it (domain.md G46)."""
    details, groups = {} if run_id is None else {"run": run_id}, sorted(granted)

    def send(codes: Sequence[Hetu]) -> _Answer:
        audit.record(Access(None, BASIS), Action.ASK_BASIC_DATA, count=len(codes), details=details)
        page, sent = connection.send(lambda api: api.basic_data(codes, groups), priority)
        return codes, page, sent

    return send


def _together(answers: Sequence[_Answer]) -> tuple[BasicDataPage, Sent]:
    """The answers for the parts of one batch as one, as of the time of the first."""
    pages = [page for _, page, _ in answers]
    entries = [entry for page in pages for entry in page.entries]
    broken, up_to_date = sum(page.broken for page in pages), all(page.up_to_date for page in pages)
    return BasicDataPage(entries, up_to_date, pages[0].at, broken), answers[0][2]


def _by_code(page: BasicDataPage, asked: frozenset[str]) -> tuple[dict[str, Entry], set[str]]:
    """The entries by the codes that were asked, and those of them that have several. These are not to be trusted: their
    rows together only ever protect. An entry may come under a new code and name the old one that was asked (D27)."""
    entries: dict[str, Entry] = {}
    twins: set[str] = set()
    for given in page.entries:
        entry, named = given, effects.codes_in(given.rows) & asked
        if given.code not in asked and len(named) == 1:
            entry = msgspec.structs.replace(given, code=Hetu(*named))
        twin = entries.get(entry.code)
        entries[entry.code] = entry if twin is None else Entry(entry.code, twin.rows + entry.rows, None, readable=False)
        twins.update({entry.code} if twin else ())
    return entries, twins


def _cohort_with_room(connection: Connection, wanted: int, priority: Priority) -> int:
    """A cohort that so many may join. A new one gets its cursor before basic data for it is asked (domain.md B9)."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM vtjsync_cohort c WHERE c.cursor_at > %s"
            " AND (SELECT count(*) FROM vtjsync_enrolment e WHERE e.cohort_id = c.id) <= %s ORDER BY c.id LIMIT 1",
            [database_now() - FRESH, settings.VTJ_COHORT_SIZE - wanted],
        )
        row = cursor.fetchone()
    if row is not None:
        cohort_id: int = row[0]
        return cohort_id
    key = connection.yesterday_key(priority)
    cohort: Cohort = Cohort.objects.create(cursor=key, cursor_at=database_now())
    return cohort.pk


def _join(cohort: Cohort, person_ids: Sequence[int]) -> None:
    """As many as there is room for: another worker may have chosen the same cohort. The others stay due."""
    room = max(settings.VTJ_COHORT_SIZE - Enrolment.objects.filter(cohort=cohort).count(), 0)
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO vtjsync_enrolment (person_id, cohort_id) SELECT unnest(%s::bigint[]), %s"
            " ON CONFLICT (person_id) DO NOTHING",
            [list(person_ids)[:room], cohort.pk],
        )
