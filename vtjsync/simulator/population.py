"""Who there is at the start: person number ``index`` of a seed, made when asked for and never kept.

Codes and indexes map to each other without a table, so millions of people cost nothing: every thousand of indexes is
dealt over the strata below, and inside a stratum a linear step that shares no factor with its size visits every code
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import gcd
from typing import Final

from registry import hetu
from vtjsync.simulator import names
from vtjsync.simulator.dice import Dice
from vtjsync.simulator.people import (
    ABROAD,
    BAN_FOR_NOW,
    MONTH,
    YEAR,
    Ban,
    Death,
    Foreign,
    Home,
    Language,
    Person,
    Town,
    When,
)
from vtjsync.simulator.places import BY_SIZE, FOREIGN, STREETS, Locality

PER_DAY: Final = 1000 - hetu.FIRST_TEST_NUMBER
CYCLE: Final = 1000
NEWBORN_DAYS: Final = 120
# Golden steps through a cycle of a thousand, one for births and one for lives: neighbours in index differ.
_BIRTHS: Final = 387
_LIVES: Final = 577
_BIRTHS_BACK: Final = pow(_BIRTHS, -1, CYCLE)
_LIVES_BACK: Final = pow(_LIVES, -1, CYCLE)
_GOLDEN: Final = 0.6180339887

# What has become of how many in a thousand (about 2 in 1,000 are under a ban).
BANNED: Final = range(2)
SINGLE_ABROAD: Final = range(2, 8)
SEVERAL_ABROAD: Final = range(8, 10)
DEAD: Final = range(10, 20)
NOWHERE: Final = range(20, 22)


@dataclass(frozen=True, slots=True)
class Stratum:
    """People whose codes have the separator and who were born from ``first`` on; ``share`` in a thousand of all."""

    separator: str
    first: date
    days: int
    share: int

    @property
    def size(self) -> int:
        """How many codes it holds."""
        return self.days * PER_DAY


class Population:
    """The people of a seed, as they were on ``start``."""

    def __init__(self, size: int, seed: int, start: date, *, unique_streets: bool = False) -> None:
        """Raises ValueError when there are not enough test codes for so many."""
        self.size, self.seed, self.start = size, seed, start
        self.unique_streets = unique_streets
        self.strata = _strata(start)
        self._by_residue = [stratum for stratum in self.strata for _ in range(stratum.share)]
        self._before = {stratum: self._by_residue.index(stratum) for stratum in self.strata}
        self._steps = {stratum: _step(stratum.size, seed) for stratum in self.strata}
        self._back = {stratum: pow(step, -1, stratum.size) for stratum, (step, _) in self._steps.items()}
        dice = Dice(seed, "population")
        self._birth_shift, self._life_shift = dice.below(CYCLE), dice.below(CYCLE)
        room = min(stratum.size // stratum.share for stratum in self.strata) * CYCLE
        if not 0 < size <= room:
            raise ValueError(f"the population must be from 1 to {room}: there are no test codes for more")

    def code(self, index: int) -> hetu.Hetu:
        """The identity code of the index. Indexes from ``size`` on are codes that nobody has yet."""
        stratum, slot = self._slot(index)
        days, number = divmod(slot, PER_DAY)
        return hetu.compose(stratum.first + timedelta(days=days), hetu.FIRST_TEST_NUMBER + number, stratum.separator)

    def index(self, code: str) -> int | None:
        """The index of the code; None when it is of nobody at the start."""
        born = _birth_date(code)
        stratum = next((one for one in self.strata if born and one.separator == code[6] and _holds(one, born)), None)
        if born is None or stratum is None:
            return None
        slot = (born - stratum.first).days * PER_DAY + int(code[7:10]) - hetu.FIRST_TEST_NUMBER
        _, shift = self._steps[stratum]
        cycles, place = divmod((slot - shift) * self._back[stratum] % stratum.size, stratum.share)
        residue = self._before[stratum] + place
        index = cycles * CYCLE + (residue - self._birth_shift) * _BIRTHS_BACK % CYCLE
        return index if index < self.size and self.code(index) == code else None

    def with_life(self, lives: range, dice: Dice) -> int | None:
        """The index of somebody whose life at the start is one of these (BANNED ...); None when there is nobody."""
        residue = (dice.pick(lives) - self._life_shift) * _LIVES_BACK % CYCLE
        return residue + CYCLE * dice.below(-(-(self.size - residue) // CYCLE)) if residue < self.size else None

    def newborn(self, dice: Dice) -> int | None:
        """The index of somebody born just before the start; None when there is nobody."""
        newborns = self.strata[-1]
        residue = self._before[newborns] + dice.below(newborns.share)
        first = (residue - self._birth_shift) * _BIRTHS_BACK % CYCLE
        return first + CYCLE * dice.below(-(-(self.size - first) // CYCLE)) if first < self.size else None

    def person(self, index: int) -> Person:
        """The person at the start."""
        stratum, slot = self._slot(index)
        born = stratum.first + timedelta(days=slot // PER_DAY)
        dice = Dice(self.seed, index)
        person = Person(index, self.code(index), born, quirks=dice.below(1 << 60))
        locality = dice.pick(BY_SIZE)
        name(person, dice, swedish=locality.bilingual and dice.one_in(4))
        life = (index * _LIVES + self._life_shift) % CYCLE
        since = _some_day(dice, max(born, self.start - timedelta(days=30 * 365)), self.start - timedelta(days=30))
        if stratum is self.strata[-1]:
            if dice.below(2):
                person.first_names = person.last_name = person.last_ascii = None
            self._settle(person, locality, When(born), dice)
        elif life in DEAD or stratum is self.strata[0]:
            last = max(born, self.start - timedelta(days=3650))
            day = _some_day(dice, last, self.start) if stratum is not self.strata[0] else born + timedelta(days=25_000)
            person.death = Death(None if dice.one_in(10) else roughly(day, dice, 5))
        elif life in SINGLE_ABROAD or life in SEVERAL_ABROAD:
            start = roughly(since, dice, 10)
            person.foreign = [foreign_address(dice, start, self.token(index, 0))]
            if life in SEVERAL_ABROAD:
                second = foreign_address(dice, When(since + timedelta(days=9)), self.token(index, 1))
                person.foreign.append(second)
            person.towns = [Town(ABROAD, When(start.day))]
        elif life not in NOWHERE:
            self._settle(person, locality, roughly(since, dice, 25), dice)
        if life in BANNED:
            end = (None, BAN_FOR_NOW, self.start + timedelta(days=300 + dice.below(700)))[dice.below(3)]
            person.ban, person.banned_once = Ban(end), True
        return person

    def token(self, index: int, serial: int) -> str | None:
        """A word that no other person and no other event has, for names of streets in drills; None without them."""
        if not self.unique_streets:
            return None
        number, letters = index * 1024 + serial, ""
        for _ in range(8):
            number, letter = divmod(number, 26)
            letters += chr(ord("a") + letter)
        return f"Z{letters}"

    def _settle(self, person: Person, locality: Locality, start: When, dice: Dice) -> None:
        person.homes = [home_address(locality, dice, start, self.token(person.index, 0))]
        moved = start if dice.below(3) else When(_some_day(dice, person.born, start.first))
        person.towns = [Town(locality.municipality, moved)]

    def _slot(self, index: int) -> tuple[Stratum, int]:
        residue = (index * _BIRTHS + self._birth_shift) % CYCLE
        stratum = self._by_residue[residue]
        step, shift = self._steps[stratum]
        place = index // CYCLE * stratum.share + residue - self._before[stratum]
        return stratum, (place * step + shift) % stratum.size


def name(person: Person, dice: Dice, *, swedish: bool) -> None:
    """Gives the person names and the mother tongue that goes with them."""
    if dice.one_in(12):
        last = dice.pick(names.LAST_FURTHER)
        person.first_names, person.language = dice.pick(names.FIRST_FURTHER), dice.pick(names.FURTHER)
    else:
        firsts = names.FIRST_SV if swedish else names.FIRST_FI
        last = dice.pick(names.LAST_SV if swedish else names.LAST_FI), None
        person.first_names = " ".join(dict.fromkeys(dice.pick(firsts) for _ in range(dice.between(1, 3))))
        person.language = names.SWEDISH if swedish else names.FINNISH
    person.last_name, person.last_ascii = last


def another_language(person: Person, dice: Dice) -> Language:
    """A mother tongue that is not the person's."""
    languages = (names.FINNISH, names.SWEDISH, *names.FURTHER)
    return dice.pick([language for language in languages if language != person.language])


def home_address(locality: Locality, dice: Dice, start: When, token: str | None) -> Home:
    """An address in the locality from ``start`` on; with a token its street is like no other."""
    fi, sv = (f"{token}ntie", f"{token}vägen") if token else dice.pick(STREETS)
    code, office_fi, office_sv = dice.pick(locality.offices)
    flat = dice.below(4) > 0
    return Home(
        street_fi=fi,
        street_sv=sv if locality.bilingual else None,
        number=f"{dice.between(1, 60)}" if dice.below(20) else f"{dice.between(1, 30)}a-{dice.between(31, 60)}b",
        staircase=dice.pick("ABCDEF") if flat else None,
        apartment=f"{dice.between(1, 140):03d}" if flat else None,
        division=dice.pick("abc") if flat and dice.one_in(30) else None,
        postal_code=code,
        office_fi=office_fi,
        office_sv=None if office_fi == office_sv and dice.below(2) else office_sv,
        municipality=locality.municipality,
        building=f"9{dice.below(10**8):08d}{dice.pick(hetu.CHECK_CHARACTERS)}",
        start=start,
    )


def foreign_address(dice: Dice, start: When, token: str | None) -> Foreign:
    """An address abroad from ``start`` on; with a token its street is like no other."""
    street, locality, country, country_name = dice.pick(FOREIGN)
    return Foreign(f"{token or street} {dice.between(1, 90)}", locality, country, country_name, start)


def roughly(day: date, dice: Dice, one_in: int) -> When:
    """The day, once in so many times with only the month or the year known."""
    return When(day, dice.pick((MONTH, YEAR))) if dice.one_in(one_in) else When(day)


def _strata(start: date) -> tuple[Stratum, ...]:
    """The oldest first and the newborn last; shares follow who is alive, as far as there are codes for them."""
    newborn = start - timedelta(days=NEWBORN_DAYS - 1)
    return (
        _stratum("+", date(1895, 1, 1), date(1900, 1, 1), 1),
        _stratum("-", date(1920, 1, 1), date(2000, 1, 1), 500),
        *(
            _stratum(one, date(1950, 1, 1), date(2000, 1, 1), share)
            for one, share in zip("YXWVU", (110, 70, 50, 30, 20), strict=True)
        ),
        *(
            _stratum(one, date(2000, 1, 1), newborn, share)
            for one, share in zip("ABCDEF", (130, 40, 20, 12, 9, 6), strict=True)
        ),
        _stratum("A", newborn, start + timedelta(days=1), 2),
    )


def _stratum(separator: str, first: date, after: date, share: int) -> Stratum:
    return Stratum(separator, first, (after - first).days, share)


def _step(size: int, seed: int) -> tuple[int, int]:
    """A step near the golden section that shares no factor with the size, so that births are spread evenly."""
    shift = Dice(seed, size, "step").below(size)
    step = int(size * _GOLDEN) + shift % 97
    while gcd(step, size) != 1:
        step += 1
    return step, shift


def _birth_date(code: str) -> date | None:
    century = next((century for century, marks in hetu.SEPARATORS.items() if code[6:7] in marks), None)
    try:
        day, month, year = int(code[:2]), int(code[2:4]), int(code[4:6])
        born = date((century or 0) + year, month, day)
    except ValueError:
        return None
    number = code[7:10]
    return born if century and number.isdigit() and int(number) >= hetu.FIRST_TEST_NUMBER else None


def _holds(stratum: Stratum, born: date) -> bool:
    return 0 <= (born - stratum.first).days < stratum.days


def _some_day(dice: Dice, first: date, last: date) -> date:
    return first + timedelta(days=dice.below(max(1, (last - first).days)))
