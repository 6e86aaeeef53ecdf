"""The simulated VTJ itself: people as they are now, the log of changes, and the passing of time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from vtjsync.simulator import rows, truth
from vtjsync.simulator.dice import Dice
from vtjsync.simulator.events import BY_NAME, KINDS, Kind, look_among
from vtjsync.simulator.people import Person
from vtjsync.simulator.population import Population
from vtjsync.simulator.scene import Scene

HELSINKI: Final = ZoneInfo("Europe/Helsinki")
FIRST_KEY: Final = 5_446_623_423
TRIES: Final = 40
# What happens to so many people in a day, and the least that makes a small population worth looking at.
DAILY_RATE: Final = 0.001
LEAST_A_DAY: Final = 8
# From this many people on, kinds of weight 1 are as rare as they are.
LARGE: Final = 50_000
COMMON_FACTOR: Final = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log: under which code, when, of which groups, and its JSON."""

    key: int
    code: str
    at: datetime
    kind: str
    body: bytes


class World:
    """People and their changes. Not safe for threads: the server locks."""

    zone: Final = HELSINKI

    def __init__(self, population: Population, clock: Callable[[], datetime]) -> None:
        """``clock`` is the real time, aware; the simulated one differs from it by whole days."""
        self.population = population
        self._clock = clock
        self.days_ahead = (population.start - clock().astimezone(HELSINKI).date()).days
        self.log: list[Entry] = []
        self.top_key = FIRST_KEY
        self.basic_rows: dict[str, list[rows.Row]] = {}
        self._changed: dict[int, Person] = {}
        self._touched: list[int] = []
        self._given: dict[str, int] = {}
        self._heirs: dict[int, int] = {}
        self._serial = 0
        self._deck: list[Kind] = []
        self._decks = 0

    # --- time

    @property
    def now(self) -> datetime:
        """The simulated time: the real time of day in Helsinki, on the simulated day."""
        real = self._clock().astimezone(HELSINKI)
        # Arithmetic with a zone is on the wall clock, which is what is meant; fold tells the hours of October apart.
        return (real + timedelta(days=self.days_ahead)).replace(fold=real.fold)

    @property
    def today(self) -> date:
        """The simulated day in Helsinki."""
        return self.now.date()

    def advance(self, days: int, now: datetime, activity: float) -> None:
        """Lets the days pass that end with ``now``, the simulated time after them."""
        for left in reversed(range(days)):
            until = now - timedelta(days=left)
            self._live(until.date(), until, activity)

    def _live(self, day: date, until: datetime, activity: float) -> None:
        """The events of one day, from its midnight to ``until``."""
        dice = Dice(self.population.seed, day, "day")
        expected = max(self.population.size * DAILY_RATE, LEAST_A_DAY) * activity
        count = int(expected) + (dice.below(1000) < expected % 1 * 1000)
        # In UTC, where no hour is missing or comes twice.
        midnight = datetime.combine(day, time(), HELSINKI).astimezone(UTC)
        seconds = (until.astimezone(UTC) - midnight).total_seconds()
        for number in range(count):
            at = midnight + timedelta(seconds=int(seconds * 1000 * (number + 1) / (count + 1)) / 1000)
            self._deal(day, at)

    def _deal(self, day: date, at: datetime) -> None:
        if not self._deck:
            factor = COMMON_FACTOR if self.population.size >= LARGE else 1
            self._deck = [
                kind for kind in KINDS for _ in range(kind.weight if kind.weight == 1 else kind.weight * factor)
            ]
            Random(f"{self.population.seed}/{self._decks}").shuffle(self._deck)
            self._decks += 1
        kind = self._deck.pop()
        dice = Dice(self.population.seed, self._serial, kind.name)
        scene = self._scene(day, dice)
        person = self._somebody(kind, scene)
        if person is not None:
            self._happens(kind, person, scene, at)

    # --- events

    def happen(self, kind_name: str, code: str | None, at: datetime) -> str:
        """Lets an event happen to the person with the code, or to somebody. Returns the code of its entry.

        Raises ValueError when there is no such kind, or it cannot happen to the person.
        """
        kind = BY_NAME.get(kind_name)
        if kind is None:
            raise ValueError(f"no such event; there are: {', '.join(BY_NAME)}")
        day, serial = at.astimezone(HELSINKI).date(), self._serial
        scene = self._scene(day, Dice(self.population.seed, self._serial, kind.name))
        person = self._somebody(kind, scene) if code is None else self.person(code)
        if person is None or not kind.suits(person, day):
            self._serial = serial
            raise ValueError("this cannot happen to the person")
        return self._happens(kind, person, scene, at)

    def _happens(self, kind: Kind, person: Person, scene: Scene, at: datetime) -> str:
        under = person.code
        told = kind.happens(person, scene)
        self._keep(person)
        self._given[person.code] = person.index
        if told:
            self.append(under, self._untidied(told, scene.dice), at, kind=kind.name)
        return under

    def _untidied(self, told: list[rows.Row], dice: Dice) -> list[rows.Row]:
        """The rows as VTJ might send them: in any order, with groups and fields that nobody was told of."""
        if dice.one_in(4):
            told = [*told, {"tietoryhma": "UUSI_TIETORYHMA", "muutosattribuutti": "LISATIETO", "tieto": {"arvo": 1}}]
        if dice.one_in(6):
            told = [{**row, "uusiKentta": {"arvo": "x"}} for row in told]
        return dice.shuffled(told) if dice.one_in(3) else told

    def append(
        self, code: str, told: Sequence[Any], at: datetime, *, kind: str = "", raw: dict[str, Any] | None = None
    ) -> int:
        """Writes an entry at the end of the log and returns its key; ``raw`` overrides members of the entry itself."""
        entry = {"henkilotunnus": code, "tietoryhmat": list(told), "muutospv": timestamp(at)} | (raw or {})
        self.top_key += 1 + Dice(self.population.seed, len(self.log), "key").below(9)
        self.log.append(Entry(self.top_key, code, at, kind, msgspec.json.encode(entry)))
        return self.top_key

    def _scene(self, day: date, dice: Dice) -> Scene:
        self._serial += 1
        return Scene(day, dice, self._new_code, self._token, lambda person, suits: self._other(person, suits, day))

    def _new_code(self) -> str:
        self._serial += 1
        return self.population.code(self.population.size + self._serial)

    def _token(self, person: Person) -> str | None:
        self._serial += 1
        return self.population.token(self.population.size + self._serial, person.index % 1024)

    def _other(self, person: Person, suits: Callable[[Person, date], bool], day: date) -> Person | None:
        dice = Dice(self.population.seed, self._serial, "other")
        for _ in range(TRIES):
            other = self._at(dice.below(self.population.size))
            if other.index != person.index and suits(other, day):
                self._keep(other)
                self._heirs[other.index] = person.index
                return other
        return None

    def _somebody(self, kind: Kind, scene: Scene) -> Person | None:
        """Somebody to whom it can happen: where the start has such people, and among those who have changed since."""
        for attempt in range(TRIES):
            rare = kind.among is not None and attempt % 2 and self._touched
            index = scene.dice.pick(self._touched) if rare else look_among(kind, self.population, scene)
            person = None if index is None else self._at(index)
            if person is not None and kind.suits(person, scene.day):
                return person
        return None

    def _keep(self, person: Person) -> None:
        if person.index not in self._changed:
            self._changed[person.index] = person
            self._touched.append(person.index)

    # --- people

    def _at(self, index: int) -> Person:
        return self._changed.get(index) or self.population.person(index)

    def person(self, code: str) -> Person | None:
        """The person whose current code it is; None when it is nobody's."""
        index = self._given.get(code)
        index = self.population.index(code) if index is None else index
        person = None if index is None else self._at(index)
        return person if person is not None and person.code == code and not person.merged else None

    def code_now(self, code: str) -> str | None:
        """The current code of the person who has or has had this one; None when it is nobody's."""
        index = self._holder(code)
        return None if index is None else self._code(index)

    def _holder(self, code: str) -> int | None:
        """The index of the person who has or has had the code."""
        index = self._given.get(code)
        index = self.population.index(code) if index is None else index
        while index in self._heirs:
            index = self._heirs[index]
        return index

    def _code(self, index: int) -> str:
        person = self._changed.get(index)
        return self.population.code(index) if person is None else person.code

    def codes(self, count: int) -> Iterator[str]:
        """The current codes of the first ``count`` people, without those who turned out to be somebody else."""
        return (self._code(index) for index in range(min(count, self.population.size)) if index not in self._heirs)

    def truth(self, codes: Iterable[str]) -> Iterator[truth.Record]:
        """The records of those who have or have had the codes, by their current codes. Unknown codes are left out."""
        today = self.today
        holders = {index for index in map(self._holder, codes) if index is not None}
        for _, index in sorted((self._code(index), index) for index in holders):
            yield truth.record(self._at(index), today)

    def basic_data(self, code: str) -> list[rows.Row] | None:
        """The rows of the person with the current code today; None for nobody's code."""
        if code in self.basic_rows:
            return self.basic_rows[code]
        person = self.person(code)
        return None if person is None else rows.basic_data(person, self.today)

    # --- the log

    def key_before(self, day: date) -> int:
        """The key with which a question is answered with all entries of the Helsinki day and later ones."""
        if day <= self.population.start:
            return FIRST_KEY
        midnight = datetime.combine(day, time(), HELSINKI)
        position = bisect_left(self.log, midnight, key=lambda entry: entry.at)
        return self.log[position - 1].key if position else FIRST_KEY

    def page(self, after: int, size: int) -> tuple[list[Entry], int, bool]:
        """The next entries of everybody, at most ``size``; the key of the last; whether the log ends there."""
        first = bisect_right(self.log, after, key=lambda entry: entry.key)
        page = self.log[first : first + size]
        at_end = first + size >= len(self.log)
        return page, self.top_key if at_end else page[-1].key, at_end

    def between(self, after: int, to: int) -> list[Entry]:
        """The entries with keys over ``after`` and up to ``to``."""
        first, last = (bisect_right(self.log, key, key=lambda entry: entry.key) for key in (after, to))
        return self.log[first:last]

    def before(self, key: int, count: int) -> int:
        """The key that lies ``count`` entries before the key."""
        position = bisect_right(self.log, key, key=lambda entry: entry.key) - count
        return self.log[position - 1].key if position > 0 else FIRST_KEY


def timestamp(at: datetime) -> str:
    """muutospv: UTC with milliseconds, ``2020-10-01T04:38:04.394Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_groups(entry: bytes, granted: Collection[str]) -> bytes | None:
    """The entry without rows of those of the eight groups that are not granted; None when nothing is left."""
    message = msgspec.json.decode(entry)
    told = [
        row for row in message["tietoryhmat"] if row["tietoryhma"] in granted or row["tietoryhma"] not in rows.GROUPS
    ]
    return msgspec.json.encode(message | {"tietoryhmat": told}) if told else None
