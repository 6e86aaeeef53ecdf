"""What one answer does to the persons it is about: gathered in memory under their locks, then written at once.

Changes and basic data share it. An answer is a page of entries or a batch of basic data; :func:`load` locks and reads
the persons, :meth:`Effects.take` lets one reading count, :meth:`Effects.write` stores all of it in the transaction that
the caller has open (domain.md B10).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeVar

from django.conf import settings

from registry import history
from registry.hetu import Hetu, InvalidHetu, parse
from registry.models import AppliedChange, PersonStatus, ProblemKind
from registry.models.person import LOCATION_FIELDS
from registry.services import codes, problems, vtj_data
from registry.services.problems import Found
from registry.services.vtj_data import Change, Held
from vtjsync.engine import brake
from vtjsync.reading.codes import code as read_code
from vtjsync.reading.meaning import Unclear
from vtjsync.reading.outcome import Ask, CodeFinding, Outcome, PersonState, most_pressing
from vtjsync.wire.groups import CodeRow, Row

CODE_FIELD: Final = "code"
# How often an answer is stored anew when another worker was ahead.
TRIES: Final = 5
T = TypeVar("T")
Source = AppliedChange.Source


@dataclass
class Effects:
    """The persons, locked and as they stand in the course of the answer, and what is to be written of them."""

    held: dict[int, Held]
    owner: dict[str, int]
    current: dict[int, Hetu]
    pairs: dict[int, set[int]]
    touched: set[int] = field(default_factory=set)
    banned: set[int] = field(default_factory=set)
    freed: set[int] = field(default_factory=set)
    applied: int = 0
    ignored: int = 0
    _changes: dict[int, list[Change]] = field(default_factory=dict)
    _active: dict[int, Hetu] = field(default_factory=dict)
    _former: dict[Hetu, int] = field(default_factory=dict)
    _taken: dict[int, tuple[Source, datetime]] = field(default_factory=dict)
    _opened: dict[tuple[int, ProblemKind, int | None], Found] = field(default_factory=dict)
    _closed: set[tuple[int, ProblemKind]] = field(default_factory=set)
    _apart: set[tuple[int, int]] = field(default_factory=set)

    def state(self, person_id: int) -> PersonState:
        """What the reading needs of the person."""
        held = self.held[person_id]
        return PersonState(
            record=held.record,
            basic_data_at=held.basic_data_at,
            newest_entry_at=held.newest_entry_at,
            ban_since=held.ban_since,
            silence_at=held.ban_silence_at,
            reveal_awaited=held.reveal_awaited,
            recheck_on=held.recheck_on,
        )

    def take(self, person_id: int, outcome: Outcome, source: Source, at: datetime) -> None:
        """Lets the reading of one entry or basic data answer of the person count. ``at`` is VTJ's time of it."""
        self._taken[person_id] = source, at
        self.ignored += outcome.ignored
        held = self.held[person_id]
        before, state = self.state(person_id), outcome.state
        if before.record.protected and not state.record.protected and self.pairs.get(person_id):
            # One of two entries for the same person: protected until that is solved (domain.md D30).
            record = vtj_data.stay_protected(state.record)
            state = replace(
                state,
                record=record,
                ban_since=before.ban_since,
                reveal_awaited=False,
                recheck_on=before.recheck_on,
            )
        if outcome.ban_started:
            self._protected(person_id)
        if state != before:
            self.touched.add(person_id)
            self._log(person_id, before, state, source, at)
            held.record, held.basic_data_at = state.record, state.basic_data_at
            held.newest_entry_at = state.newest_entry_at
            held.ban_since, held.ban_silence_at = state.ban_since, state.silence_at
            held.reveal_awaited, held.recheck_on = state.reveal_awaited, state.recheck_on
            if before.record.protected and not state.record.protected:
                self.freed.add(person_id)
        if outcome.codes is not None:
            self._codes(person_id, outcome.codes, source, at)

    def ask(self, person_id: int, why: Ask, not_before: datetime | None = None) -> None:
        """Marks the person to be asked; the more pressing of two reasons stays (domain.md B11)."""
        held = self.held[person_id]
        known = [Ask(held.ask)] if held.ask in set(Ask) else []
        held.ask = most_pressing([*known, why])
        held.ask_urgent = Ask(str(held.ask)).urgent
        held.ask_not_before, held.ask_attempts = not_before, 0
        self.touched.add(person_id)

    def hide(self, person_id: int) -> None:
        """Hides the location until basic data has come (domain.md B14)."""
        self.held[person_id].location_hidden = True
        self.touched.add(person_id)

    def open_problem(self, person_id: int, kind: ProblemKind) -> None:
        """A problem to open, or to count another attempt of."""
        self._opened[person_id, kind, None] = Found(person_id, kind)
        self._closed.discard((person_id, kind))

    def close_problem(self, person_id: int, kind: ProblemKind) -> None:
        """A problem to close, if it is open; the last word of an answer counts."""
        self._opened.pop((person_id, kind, None), None)
        self._closed.add((person_id, kind))

    def write(self, run_id: int | None) -> int:
        """Stores everything. Returns how many problems were new. Raises StorageError and :class:`Overtaken`."""
        for person_id in problems.tell_apart(self._apart):
            if self.held[person_id].record.protected:
                self.ask(person_id, Ask.BAN)
        self._keep_pairs_alike()
        changes = [change for of_person in self._changes.values() for change in of_person]
        self.applied = len(changes)
        brake.forget(self.banned)
        vtj_data.write([self.held[one] for one in sorted(self.touched)], changes, self.banned, run_id)
        try:
            codes.replace_codes(self._active, self._former)
        except codes.Taken:
            raise Overtaken from None
        problems.close_problems(self._closed)
        return problems.open_problems(self._opened.values())

    def _log(self, person_id: int, before: PersonState, after: PersonState, source: Source, at: datetime) -> None:
        """Keeps what changed. The first basic data of a person changes nothing, and a place is logged only of somebody
        who is not protected afterwards: not even that it went (domain.md E34)."""
        if before.basic_data_at is None:
            return
        for one in history.differences(before.record, after.record):
            if not (after.record.protected and one.field in LOCATION_FIELDS):
                change = Change(person_id, one.field, one.old, one.new, source, at)
                self._changes.setdefault(person_id, []).append(change)

    def _protected(self, person_id: int) -> None:
        """A ban began: what the answer told before of the person's places is not written either (domain.md E34)."""
        self.banned.add(person_id)
        self.freed.discard(person_id)
        kept = [one for one in self._changes.get(person_id, ()) if one.field not in LOCATION_FIELDS]
        self._changes[person_id] = kept

    def _codes(self, person_id: int, finding: CodeFinding, source: Source, at: datetime) -> None:
        active, told = finding.active, {person_id}
        if active is None or not _allowed(active):
            self.open_problem(person_id, ProblemKind.NO_SUCCESSOR)
        elif (owner := self.owner.setdefault(active, person_id)) == person_id:
            self.close_problem(person_id, ProblemKind.NO_SUCCESSOR)
            self._becomes_current(person_id, active, source, at)
        else:
            told.add(owner)
            self._two_entries(owner, person_id)
        for code in finding.former:
            owner = self.owner.setdefault(code, person_id)
            if owner not in told:
                told.add(owner)
                self._two_entries(person_id, owner)
            elif owner == person_id and self.current.get(person_id) != code:
                self._former[code] = person_id
        if source is Source.BASIC_DATA and active is not None and active == self.current.get(person_id):
            self._apart.update((person_id, twin) for twin in self.pairs.get(person_id, set()) - told)

    def _becomes_current(self, person_id: int, active: Hetu, source: Source, at: datetime) -> None:
        before = self.current.get(person_id)
        if before == active:
            return
        if before is not None:
            # One of a chain of corrections in this answer may be in no other place yet.
            self._former[before] = person_id
        self._former.pop(active, None)
        self._active[person_id] = self.current[person_id] = active
        if self.held[person_id].status != PersonStatus.AWAITING:
            change = Change(person_id, CODE_FIELD, None, None, source, at)
            self._changes.setdefault(person_id, []).append(change)
        self.ask(person_id, Ask.CODE)

    def _two_entries(self, survivor: int, other: int) -> None:
        """The same person is in the register twice: nothing is merged silently (domain.md D30). Both are touched, so
        that what was asked before this was known counts for neither."""
        for person_id, twin in ((survivor, other), (other, survivor)):
            self.pairs.setdefault(person_id, set()).add(twin)
            found = Found(person_id, ProblemKind.TWO_ENTRIES, twin, survives=person_id == survivor)
            self._opened[person_id, ProblemKind.TWO_ENTRIES, twin] = found
            self._apart.discard((person_id, twin))
            self.touched.add(person_id)

    def _keep_pairs_alike(self) -> None:
        """Both entries of one person are protected if either is (domain.md D30), however many hang together."""
        spread = [one for one in self.pairs if self.held[one].record.protected]
        while spread:
            one = spread.pop()
            for twin in self.pairs[one]:
                held = self.held[twin]
                if not held.record.protected:
                    before = self.state(twin)
                    held.record = vtj_data.stay_protected(held.record)
                    held.ban_since = self.held[one].ban_since
                    held.ban_silence_at, held.reveal_awaited, held.recheck_on = None, False, None
                    self._protected(twin)
                    if heard := self._taken.get(one) or self._taken.get(twin):
                        self._taken[twin] = heard
                        self._log(twin, before, self.state(twin), *heard)
                    self.touched.add(twin)
                    spread.append(twin)


def load(mentioned: Collection[str], others: Collection[int] = ()) -> Effects:
    """Locks and reads the persons who have or had one of the codes, these others, and the other entries of the same
    person: all at once, in the order of their ids, so that nobody waits for each other.

    For use inside a transaction. Raises :class:`Overtaken` when a code changed hands, or another entry of somebody was
    found, while the locks were waited for.
    """
    persons = {*codes.owners(mentioned).values(), *others}
    locked = vtj_data.lock(persons.union(problems.pairs(persons)))
    held, owner, pairs = vtj_data.read(locked), codes.owners(mentioned), problems.pairs(locked)
    if not held.keys() >= pairs.keys() | set(owner.values()):
        raise Overtaken
    return Effects(held=held, owner=owner, current=codes.current(locked), pairs=pairs)


def again(write: Callable[[], T]) -> T:
    """Lets ``write``, a transaction of its own, be tried over when another worker wrote first: nothing of it was kept,
    and the answer that it stores is as good as before. Raises :class:`Overtaken` when that does not help."""
    for _ in range(TRIES - 1):
        with suppress(Overtaken):
            return write()
    return write()


class Overtaken(Exception):
    """Another worker wrote first; nothing of the answer was applied (domain.md B10, B12)."""


def codes_in(rows: Iterable[Row]) -> set[str]:
    """Every code that the rows mention, well-formed: any other text is nobody's, and the database may refuse it."""
    found: set[str] = set()
    for row in _code_rows(rows):
        for text in (row.aktiivinenHenkilotunnus, row.muutettuHenkilotunnus, *(row.edellisetHenkilotunnukset or ())):
            with suppress(Unclear):
                found.update({hetu} if (hetu := read_code(text)) else ())
    return found


def successors(rows: Iterable[Row]) -> set[Hetu]:
    """The active codes that the rows name, where the setting allows them."""
    told = (row.aktiivinenHenkilotunnus for row in _code_rows(rows))
    return {Hetu(code) for code in told if code is not None and _allowed(code)}


def _code_rows(rows: Iterable[Row]) -> Iterator[CodeRow]:
    for row in rows:
        if isinstance(row, CodeRow):
            yield row
            yield from _code_rows(row.voimassaolevatTiedot or ())


def _allowed(code: str) -> bool:
    """Whether the setting allows the code to be sent (domain.md A7)."""
    try:
        return parse(code, test_codes=settings.HETU_ALLOW_TEST_CODES) == code
    except InvalidHetu:
        return False
