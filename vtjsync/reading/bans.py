"""What the rows of one entry or one basic data answer say of a ban (domain.md E32, E35)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeAlias

from registry.record import PartialDate, PersonRecord
from vtjsync.reading.meaning import STORED, VALID_NOW, Meaning, Unclear, far_ahead, valid_rows
from vtjsync.reading.outcome import PersonState
from vtjsync.reading.values import partial_date, value
from vtjsync.wire.groups import BanRow, LocationRow, Row

Table: TypeAlias = Mapping[str | None, Meaning]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was said of a ban.

    ``told``: a row of TURVAKIELTO came. ``true``: one says true, other than a corrected KORJATTAVA. ``firm``: it says
    so as the value in force, not in passing. ``false``: one says false where a false may end a ban. ``unclear``:
    something about it cannot be read. ``censored``: a location row, wherever it stands, is withheld. ``place``: a
    location row can be read. ``ends``: turvaLoppuPv of the firm rows.
    """

    told: bool
    true: bool
    firm: bool
    false: bool
    unclear: bool
    censored: bool
    place: bool
    ends: frozenset[PartialDate | None]

    @property
    def protects(self) -> bool:
        """Whether the person is protected after this, whatever was held before."""
        return self.true or self.censored

    @property
    def lifts(self) -> bool:
        """Whether this ends a ban: an explicit false, and nothing that speaks against it (domain.md E32)."""
        return self.false and not self.protects and not self.unclear


def evidence(rows: Sequence[Row], table: Table) -> Evidence:
    """Weighs the rows; ``table`` tells what their attributes mean (basic data has none)."""
    bans = [row for row in rows if isinstance(row, BanRow)]
    meanings = [table.get(row.muutosattribuutti) for row in bans]
    corrected = meanings.count(Meaning.WRONG) == meanings.count(Meaning.CORRECTED)
    true, firm, false, unclear = False, False, False, not corrected
    ends: set[PartialDate | None] = set()
    for row, meaning in zip(bans, meanings, strict=True):
        excused = corrected and meaning is Meaning.WRONG
        true = true or any(
            part.turvakieltoAktiivinen is True
            for part in _with_nested(row)
            if isinstance(part, BanRow) and not (excused and part is row)
        )
        stated = _stated(row, meaning)
        # A ban removed with nothing valid in its place is neither kept nor ended for certain: ask.
        removed = meaning is Meaning.REMOVED and not stated
        if stated is None or removed or None in {part.turvakieltoAktiivinen for part in (row, *stated)}:
            unclear = True
        for part in stated or ():
            firm = firm or part.turvakieltoAktiivinen is True
            false = false or part.turvakieltoAktiivinen is False
            try:
                ends.update({partial_date(part.turvaLoppuPv)} if part.turvakieltoAktiivinen else ())
            except Unclear:
                unclear = True
    places = [row for row in rows if isinstance(row, LocationRow)]
    return Evidence(
        told=bool(bans),
        true=true,
        firm=firm,
        false=false,
        unclear=unclear,
        censored=any(isinstance(part, LocationRow) and part.censored for row in places for part in _with_nested(row)),
        place=any(map(_readable, places)),
        ends=frozenset(ends),
    )


def protect(state: PersonState, found: Evidence, since: datetime | None, day: date) -> PersonState:
    """The state of a person whom ``found`` protects: nothing of a location is left, dates included (domain.md E34).

    A firm true moves ``ban_since`` forward, since it may start a new ban, and any word of the ban ends its silence
    (E33). ``since`` is the time of the message, ``day`` its Helsinki day.
    """
    known = state.record.protected
    if not known:
        ban_since = since
    elif found.firm and since is not None:
        ban_since = since if state.ban_since is None else max(state.ban_since, since)
    else:
        ban_since = state.ban_since
    end = _end(found, day) if found.firm else state.record.protection_end if known else None
    return replace(
        state,
        record=replace(state.record.without_location(), protected=True, protection_end=end),
        ban_since=ban_since,
        silence_at=None,
        reveal_awaited=False,
        recheck_on=state.recheck_on if known else None,
    )


def lift(state: PersonState) -> PersonState:
    """The state of a person whose ban has ended, without any location yet."""
    record: PersonRecord = replace(state.record, protected=False, protection_end=None)
    return replace(state, record=record, ban_since=None, silence_at=None, recheck_on=None)


def _end(found: Evidence, day: date) -> PartialDate | None:
    """The latest end told; none when one of the rows tells none, or one that means "for now" (domain.md C21)."""
    ends = [end for end in found.ends if end is not None and not far_ahead(end, day)]
    return max(ends) if ends and len(ends) == len(found.ends) else None


def _stated(row: BanRow, meaning: Meaning | None) -> Sequence[BanRow] | None:
    """The rows that tell the ban in force; None when it cannot be told which do."""
    match meaning:
        case Meaning.NEW | Meaning.CORRECTED:
            return (row,)
        case Meaning.WRONG | Meaning.CONTEXT:
            return ()
        case Meaning.REMOVED:
            valid = row.voimassaolevatTiedot
            if valid is None or any(VALID_NOW.get(part.muutosattribuutti) not in STORED for part in valid):
                return None
            return valid
        case _:
            return None


def _with_nested(row: Row) -> Iterator[Row]:
    """The row and every row inside it, without recursion, however deep."""
    waiting: list[Row] = [row]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(valid_rows(part) or ())


def _readable(row: LocationRow) -> bool:
    try:
        value(row)
    except Unclear:
        return False
    return True
