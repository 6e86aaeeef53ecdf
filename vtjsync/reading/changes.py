"""What one change entry means for a person (domain.md C, D27, E32-E37): apply what is certain, ask the rest.

The ban is decided first, from all rows. Then every group by itself: a group that is certain is applied, one that is
not stays as it was and is asked; basic data follows in the same run, so what is applied beside an ask is never left
unverified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from registry.clock import helsinki_day
from registry.record import LOCATION_GROUPS, ForeignAddress, Group, HomeAddress, PartialDate
from vtjsync.reading import bans, codes, values
from vtjsync.reading.meaning import (
    CHANGE,
    GROUP_OF,
    STORED,
    UNCERTAIN,
    VALID_NOW,
    Meaning,
    Unclear,
    day_after,
    earliest,
    far_ahead,
    valid_rows,
)
from vtjsync.reading.outcome import Ask, CodeFinding, Context, Outcome, PersonState, most_pressing
from vtjsync.reading.values import Value, Values
from vtjsync.wire.groups import LocationRow, NameRow, Row


def read(
    rows: Sequence[Row],
    changed_at: datetime | None,
    state: PersonState,
    context: Context,
    *,
    readable: bool = True,
) -> Outcome:
    """The person after the entry, whatever the order of its rows. Never raises for what a row holds.

    ``changed_at`` is muutospv, aware. An entry that is not ``readable``, or whose time is missing or to come, only
    ever protects; it is asked and the location hidden (domain.md B14).

    An entry older than the basic data (C22) is asked and not applied, and that goes for its bans too: the newer basic
    data has already weighed them, and keeping a ban that has ended would make repair (E33) necessary. If it speaks of
    a ban that is not held, the location is hidden until the answer: that cannot do harm either way. The same goes for
    an entry older than the newest one applied, which comes when VTJ repeats a page, and for that one if basic data has
    come since. Nothing older than what was last
    heard of a ban ends it, however small the difference: a tolerance is for what must not be asked in vain.
    """
    found = bans.evidence(rows, CHANGE)
    day = _day(changed_at, context.today)
    if not readable or changed_at is None or day is None:
        return _unreadable(found, changed_at if day else None, state, context)
    if _is_old(changed_at, state, context.tolerance):
        return _older(rows, found, state, context)
    held, before = state, state.record.protected
    if found.told:
        # Any word of the ban ends its silence (domain.md E33).
        state = replace(state, silence_at=None)
    asks = _ban_asks(found, protected=before)
    since = state.ban_since or changed_at
    lifted = before and found.lifts and Group.BAN in context.granted and changed_at >= since
    if found.protects:
        state = bans.protect(state, found, changed_at, day)
    elif lifted:
        state = replace(bans.lift(state), reveal_awaited=True)
        asks = {Ask.REVEAL}
    protected = state.record.protected
    days, turns = _Days(day, context.today), set[date]()
    groups = context.groups(protected=protected)
    record = state.record if Group.BAN in context.granted else state.record.without_location()
    for group in sorted(groups & {GROUP_OF.get(type(row)) for row in rows}):
        of_group = [row for row in rows if GROUP_OF.get(type(row)) is group]
        turns.update(values.turns(of_group, day))
        try:
            told = _resolve(group, of_group, values.held(record, group), days, lifted=lifted)
        except Unclear:
            asks.add(Ask.PLACE if group in LOCATION_GROUPS else Ask.VALUE)
        else:
            record = values.store(record, group, told)
    finding = _codes(rows, asks) if Group.CODE in context.granted else None
    if protected and record.protection_end is not None:
        turns.add(day_after(record.protection_end.last))
    state = replace(state, record=record, recheck_on=_recheck(state.recheck_on, earliest(turns, context.today)))
    if state != held or finding is not None:
        state = replace(state, newest_entry_at=changed_at)
    return Outcome(
        state=state,
        ask=most_pressing(asks),
        hide_location=found.unclear and not protected,
        codes=finding,
        ban_started=protected and not before,
        ban_ended=before and not protected,
        ignored=context.ignored(rows),
    )


def _unreadable(found: bans.Evidence, changed_at: datetime | None, state: PersonState, context: Context) -> Outcome:
    before = state.record.protected
    if found.protects:
        newest = max(filter(None, (state.newest_entry_at, changed_at)), default=None)
        state = replace(bans.protect(state, found, changed_at, context.today), newest_entry_at=newest)
    return Outcome(state, Ask.UNREADABLE, hide_location=True, ban_started=state.record.protected and not before)


def _is_old(changed_at: datetime, state: PersonState, tolerance: timedelta) -> bool:
    """Whether what is held is newer. Entries are VTJ's log and in its order; basic data has another clock (C22). The
    newest entry itself, told again when basic data has come since, would undo what that has told (B13)."""
    newest, asked = state.newest_entry_at, state.basic_data_at
    if newest is not None and (changed_at < newest or (changed_at == newest and asked is not None and asked > newest)):
        return True
    return asked is not None and asked - changed_at > tolerance


def _older(rows: Sequence[Row], found: bans.Evidence, state: PersonState, context: Context) -> Outcome:
    if found.told or found.censored:
        ask = Ask.BAN
    elif any(isinstance(row, LocationRow) for row in rows):
        ask = Ask.PLACE
    else:
        ask = Ask.OLDER
    hidden = (found.protects or found.unclear) and not state.record.protected
    return Outcome(state, ask, hide_location=hidden, ignored=context.ignored(rows))


def _ban_asks(found: bans.Evidence, *, protected: bool) -> set[Ask]:
    """Whether the ban must be asked about: every doubt, and all that does not fit what is held (domain.md E32, E35).

    A true told in passing is no news of a ban that is held. A location that can be read is, for someone held to be
    protected, a sign that the ban may be over.
    """
    if found.protects:
        passing = found.true and protected
        doubt = found.unclear or found.false or not (found.firm or passing)
    else:
        doubt = found.unclear or (protected and (found.told or found.place))
    return {Ask.BAN} if doubt else set()


def _codes(rows: Sequence[Row], asks: set[Ask]) -> CodeFinding | None:
    """The codes of the entry; after any correction basic data is asked under the new code (domain.md D28)."""
    try:
        finding = codes.finding(rows, CHANGE)
    except Unclear:
        asks.add(Ask.CODE)
        return None
    if finding is not None and finding.active is not None:
        asks.add(Ask.CODE)
    return finding


@dataclass(frozen=True, slots=True)
class _Days:
    """The entry's own Helsinki day and the answer's."""

    entry: date
    today: date


@dataclass(slots=True)
class _Seen:
    """The values of a group's rows, sorted by what the rows say of them; of each removal, what is valid now."""

    current: set[Value] = field(default_factory=set)
    ended: set[Value] = field(default_factory=set)
    wrong: set[Value] = field(default_factory=set)
    context: set[Value] = field(default_factory=set)
    removals: set[Values] = field(default_factory=set)


def _resolve(group: Group, rows: Sequence[Row], held: Values, days: _Days, *, lifted: bool) -> Values:
    """The group's values after its rows (domain.md C20). Raises :class:`Unclear` when they are not certain.

    Equal rows count as one: the same value told twice, also by a POISTETTU's voimassaolevatTiedot, is no contradiction.
    """
    seen = _sorted(group, rows, days, lifted=lifted)
    current = _current(group, seen)
    if seen.removals:
        told = next(iter(seen.removals))
        if len(seen.removals) > 1 or not seen.current <= told:
            raise Unclear("what is valid")
    elif current:
        if current & seen.ended or (group is Group.FOREIGN and not held <= current | seen.ended | seen.wrong):
            raise Unclear("what remains")
        told = current
    else:
        told = _without_ended(held, seen)
    if group is not Group.FOREIGN and len(told) > 1:
        raise Unclear("two current values")
    return told


def _current(group: Group, seen: _Seen) -> Values:
    """The values in force. At the end of a ban LISATIETO tells values too: beside the others for the set of foreign
    addresses, else only where there is no other (domain.md C, E37)."""
    if group is Group.FOREIGN or not seen.current:
        return frozenset(seen.current | seen.context)
    return frozenset(seen.current)


def _without_ended(held: Values, seen: _Seen) -> Values:
    """What is left of the held values when every row of the group has ended."""
    if any(_perhaps_same(one, other) for one in held for other in seen.ended):
        raise Unclear("whether it is the value held")
    left = held - seen.ended
    if left and (left != held or seen.wrong):
        raise Unclear("what remains")
    return left


def _perhaps_same(one: Value, other: Value) -> bool:
    """Whether it cannot be told if two values are one: only the same place with the same start is the same, and only
    another place with another start is another."""
    start, other_start = _start(one), _start(other)
    if start is None or other_start is None:
        return True
    return (start == other_start) is not (_place(one) == _place(other))


def _start(one: Value) -> PartialDate | None:
    return one.start if isinstance(one, HomeAddress | ForeignAddress) else None


def _place(one: Value) -> Value:
    return replace(one, start=None) if isinstance(one, HomeAddress | ForeignAddress) else one


def _sorted(group: Group, rows: Sequence[Row], days: _Days, *, lifted: bool) -> _Seen:
    """Sorts the rows by the table of domain.md C. Raises :class:`Unclear`. LISATIETO is read only at a ban's end."""
    met = [CHANGE.get(row.muutosattribuutti) for row in rows]
    if met.count(Meaning.WRONG) != met.count(Meaning.CORRECTED):
        raise Unclear("correction")
    seen = _Seen()
    for row, meaning in zip(rows, met, strict=True):
        if meaning is None or (group, row.muutosattribuutti) in UNCERTAIN:
            raise Unclear("attribute")
        if meaning in STORED:
            (seen.current if _in_force(row, days) else seen.ended).add(_value(row))
        elif meaning is Meaning.WRONG:
            seen.wrong.add(_value(row))
        elif meaning is Meaning.REMOVED:
            seen.removals.add(_valid(row, days))
        elif lifted and _in_force(row, days):
            seen.context.add(_value(row))
    return seen


def _valid(row: Row, days: _Days) -> Values:
    """What voimassaolevatTiedot holds. A row in it that has ended contradicts it."""
    valid = valid_rows(row)
    if valid is None:
        raise Unclear("no list of what is valid")
    if any(VALID_NOW.get(part.muutosattribuutti) not in STORED or not _in_force(part, days) for part in valid):
        raise Unclear("what is valid")
    return frozenset(map(_value, valid))


def _value(row: Row) -> Value:
    """The row's value. A name in a change has both its parts, if only as empty texts: to drop one is not certain."""
    if isinstance(row, NameRow) and (
        (row.etunimi is None and row.etunimiUTF8 is None) or (row.sukunimi is None and row.sukunimiUTF8 is None)
    ):
        raise Unclear("half a name")
    return values.value(row)


def _in_force(row: Row, days: _Days) -> bool:
    """Whether the row is in force: True or False where it is certain, else raises :class:`Unclear` (domain.md C21).

    The entry's own day decides, so that a replay gives the same. A start after it, or an end between it and today, is
    not certain.
    """
    start, end = values.dates(row)
    first, last = min(days.entry, days.today), max(days.entry, days.today)
    if start is not None and start.value > first:
        raise Unclear("start")
    if end is None or far_ahead(end, days.entry):
        return True
    if first < end.last and end.value <= last:
        raise Unclear("end")
    return end.last > last


def _recheck(held: date | None, coming: date | None) -> date | None:
    """The day to ask again. One that is held stays due until basic data has come."""
    return min(held, coming) if held and coming else held or coming


def _day(moment: datetime | None, today: date) -> date | None:
    """The Helsinki day of the entry; None when it has no time, or one that cannot be: later than tomorrow."""
    try:
        day = None if moment is None else helsinki_day(moment)
    except OverflowError:
        return None
    return None if day is None or (day - today).days > 1 else day
