"""What one person's basic data means (domain.md C24, E32, E33, E35)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from registry.clock import helsinki_day
from registry.record import LOCATION_GROUPS, Group
from vtjsync.reading import bans, codes, values
from vtjsync.reading.meaning import GROUP_OF, STORED, VALID_NOW, Contradicts, Unclear, day_after, earliest
from vtjsync.reading.outcome import Ask, CodeFinding, Context, Outcome, PersonState
from vtjsync.reading.values import Value, Values
from vtjsync.wire.groups import Row

REPAIR_AFTER: Final = timedelta(hours=24)


def read(
    rows: Sequence[Row],
    requested_at: datetime,
    state: PersonState,
    context: Context,
    *,
    readable: bool = True,
) -> Outcome:
    """The person after basic data that was requested at ``requested_at``. Never raises for what a row holds.

    A granted group that is absent has no value (domain.md C24), but for the ban (E33), and where the context lets the
    silence count (B18). A group that cannot be read, or
    that tells two current values where there can be one, keeps what is held and is named in ``unreadable``; if it is a
    location group, or might be a ban, the location is hidden. An answer that is not ``readable`` at all only ever
    protects. None of that asks again, since the same answer would come.
    """
    found = bans.evidence(rows, VALID_NOW)
    if not readable:
        return _unreadable(found, requested_at, state, context)
    before = state.record.protected
    state, repair = _ban(found, requested_at, state, context)
    protected = state.record.protected
    record = state.record if Group.BAN in context.granted else state.record.without_location()
    unreadable = {Group.BAN} if found.unclear and Group.BAN in context.granted else set()
    contradicting: set[Group] = set()
    cleared: set[Group] = set()
    turns: set[date] = set()
    for group in sorted(context.groups(protected=protected)):
        of_group = [row for row in rows if GROUP_OF.get(type(row)) is group]
        held = values.held(record, group)
        turns.update(values.turns(of_group, context.today))
        try:
            told = _current(group, of_group, context.today)
        except Unclear as error:
            unreadable.add(group)
            contradicting.update({group} if isinstance(error, Contradicts) else ())
            continue
        if held and not of_group:
            cleared.add(group)
            if group not in context.silence:
                continue
        if told != held:
            record = values.store(record, group, told)
    finding = _codes(rows, unreadable, contradicting) if Group.CODE in context.granted else None
    if protected and record.protection_end is not None:
        turns.add(day_after(record.protection_end.last))
    turns.update(day for day in (state.recheck_on, repair.look_again) if day is not None)
    hidden = not protected and bool(unreadable & (LOCATION_GROUPS | {Group.BAN}))
    return Outcome(
        state=replace(
            state,
            record=record,
            basic_data_at=requested_at,
            reveal_awaited=state.reveal_awaited and hidden,
            recheck_on=earliest(turns, context.today),
        ),
        ask=Ask.SILENCE if repair.first else None,
        hide_location=hidden,
        codes=finding,
        ban_started=protected and not before,
        ban_ended=before and not protected,
        ended_by_silence=repair.done,
        unconfirmed_ban=repair.impossible,
        cleared=frozenset(cleared),
        silent=frozenset(cleared - context.silence) | ({Group.BAN} if repair.held else set()),
        unreadable=frozenset(unreadable),
        contradicting=frozenset(contradicting),
        ignored=context.ignored(rows),
    )


def _unreadable(found: bans.Evidence, requested_at: datetime, state: PersonState, context: Context) -> Outcome:
    before = state.record.protected
    if found.protects:
        state = bans.protect(state, found, state.ban_since or requested_at, context.today)
    return Outcome(
        state, hide_location=True, ban_started=state.record.protected and not before, unreadable=context.granted
    )


@dataclass(frozen=True, slots=True)
class _Repair:
    """Where the repair of a ban by silence stands (domain.md E33): a first silence was heard and a second one must
    agree; it is done, or held because the silence does not count (B18); it must wait for a day; or it can never come,
    since no location is told either."""

    first: bool = False
    done: bool = False
    held: bool = False
    look_again: date | None = None
    impossible: bool = False


def _ban(
    found: bans.Evidence, requested_at: datetime, state: PersonState, context: Context
) -> tuple[PersonState, _Repair]:
    """The state after what basic data says of the ban, and how far repair by silence has come."""
    if found.protects:
        # Basic data repeats a ban that is held; only a change may start it anew.
        return bans.protect(state, found, state.ban_since or requested_at, context.today), _Repair()
    if not state.record.protected or Group.BAN not in context.granted:
        return state, _Repair()
    if found.lifts:
        return bans.lift(state), _Repair()
    since = state.ban_since or requested_at
    state = replace(state, ban_since=since)
    if found.told:
        # What it says is not certain, but it is not silence (E33).
        return replace(state, silence_at=None), _Repair()
    return _silence(found, requested_at, since, state, counts=Group.BAN in context.silence)


def _silence(
    found: bans.Evidence, requested_at: datetime, since: datetime, state: PersonState, *, counts: bool
) -> tuple[PersonState, _Repair]:
    """Basic data is silent about a ban that began at ``since``."""
    repair = _Repair()
    if requested_at - since < REPAIR_AFTER:
        repair = _Repair(look_again=day_after(helsinki_day(since + REPAIR_AFTER)) if found.place else None)
    elif not found.place:
        repair = _Repair(impossible=True)
    elif state.silence_at is None or requested_at <= state.silence_at:
        state, repair = replace(state, silence_at=state.silence_at or requested_at), _Repair(first=True)
    elif counts:
        state, repair = bans.lift(state), _Repair(done=True)
    else:
        repair = _Repair(held=True)
    return state, repair


def _current(group: Group, rows: Sequence[Row], today: date) -> Values:
    """The values in force. An ended row is left out, and one to come until its day (domain.md C21)."""
    told: set[Value] = set()
    for row in rows:
        if VALID_NOW.get(row.muutosattribuutti) not in STORED:
            raise Unclear("attribute")
        one = values.value(row)
        start, end = values.dates(row)
        if (start is None or start.value <= today) and (end is None or end.last >= today):
            told.add(one)
    if group is not Group.FOREIGN and len(told) > 1:
        raise Contradicts("two current values")
    return frozenset(told)


def _codes(rows: Sequence[Row], unreadable: set[Group], contradicting: set[Group]) -> CodeFinding | None:
    try:
        return codes.finding(rows, VALID_NOW)
    except Unclear as error:
        unreadable.add(Group.CODE)
        contradicting.update({Group.CODE} if isinstance(error, Contradicts) else ())
        return None
