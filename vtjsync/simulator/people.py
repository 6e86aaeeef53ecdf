"""The people of the simulated world, as they are: dated facts, kept apart from the messages that tell of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final, NamedTuple

DAY: Final = "PAIVA"
MONTH: Final = "KUUKAUSI"
YEAR: Final = "VUOSI"
ABROAD: Final = "200"
COUNTRY_IN_WORDS: Final = "998"
FOR_NOW: Final = date(2999, 2, 28)
BAN_FOR_NOW: Final = date(2120, 2, 28)
FAR_AHEAD: Final = timedelta(days=20 * 366)


class When(NamedTuple):
    """A day, of which perhaps only the month or the year is known (domain.md C23)."""

    day: date
    precision: str = DAY

    @property
    def first(self) -> date:
        """The first day that it can be."""
        if self.precision == DAY:
            return self.day
        return self.day.replace(day=1) if self.precision == MONTH else self.day.replace(month=1, day=1)

    @property
    def text(self) -> str:
        """``1965-11-01``, ``1965-11`` or ``1965``, as in the export's format."""
        return self.day.isoformat()[: {DAY: 10, MONTH: 7, YEAR: 4}[self.precision]]


@dataclass(frozen=True, slots=True)
class Home:
    """A permanent address in Finland; ``end`` is its last day."""

    street_fi: str
    street_sv: str | None
    number: str
    staircase: str | None
    apartment: str | None
    division: str | None
    postal_code: str
    office_fi: str
    office_sv: str | None
    municipality: str
    building: str
    start: When
    end: date | None = None

    def on(self, day: date) -> bool:
        """Whether it is in force on the day."""
        return self.start.first <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A permanent address abroad; ``country_name`` only with country 998."""

    street: str
    locality: str
    country: str
    country_name: str | None
    start: When
    end: date | None = None

    def on(self, day: date) -> bool:
        """Whether it is in force on the day."""
        return self.start.first <= day and (self.end is None or day <= self.end)


class Town(NamedTuple):
    """A home municipality, 200 for those abroad, and since when."""

    code: str
    start: When


class Language(NamedTuple):
    """A mother tongue: VTJ's code, ISO 639-2's, and its name where the codes have none."""

    code: str
    iso: str
    name: str | None = None


class Death(NamedTuple):
    """A death, its day perhaps not known."""

    on: When | None


class Ban(NamedTuple):
    """A ban in force and the end planned for it, which by itself ends nothing."""

    end: date | None


@dataclass(slots=True)
class Person:
    """One person. ``homes`` and ``towns`` hold what is in force and what is already known to come, oldest first.

    ``last_ascii`` is the last name without the letters that VTJ's older fields cannot hold, None when it needs none.
    ``banned_once``: there has been a ban, so VTJ tells of it even when it is over. ``quirks`` is a fixed random
    number from which the person's own way of being told follows.
    """

    index: int
    code: str
    born: date
    quirks: int
    former: list[str] = field(default_factory=list)
    first_names: str | None = None
    last_name: str | None = None
    last_ascii: str | None = None
    language: Language | None = None
    death: Death | None = None
    ban: Ban | None = None
    banned_once: bool = False
    homes: list[Home] = field(default_factory=list)
    foreign: list[Foreign] = field(default_factory=list)
    towns: list[Town] = field(default_factory=list)
    merged: bool = False

    def quirk(self, number: int, one_in: int) -> bool:
        """Whether the person has the numbered habit, which one in so many have."""
        return (self.quirks >> (number * 5)) % one_in == 0

    def home(self, day: date) -> Home | None:
        """The address in Finland on the day."""
        return next((home for home in reversed(self.homes) if home.on(day)), None)

    def abroad(self, day: date) -> list[Foreign]:
        """The addresses abroad on the day."""
        return [one for one in self.foreign if one.on(day)]

    def town(self, day: date) -> Town | None:
        """The home municipality on the day."""
        return next((town for town in reversed(self.towns) if town.start.first <= day), None)

    def settle(self, home: Home, today: date) -> Home | None:
        """Makes ``home`` the address from its start on. Returns the one before it, with its end, or None."""
        old = self.homes[-1] if self.homes else None
        if old is not None:
            old = replace(old, end=home.start.first - timedelta(days=1))
        self.homes = [one for one in (old, home) if one is not None and (one.end is None or one.end >= today)]
        return old

    def register_in(self, town: Town, today: date) -> Town | None:
        """Makes ``town`` the home municipality from its start on. Returns the one before it, or None."""
        old = self.towns[-1] if self.towns else None
        self.towns = [old, town] if old is not None and town.start.first > today else [town]
        return old
