"""What an event can use: the day, the dice, and things that nobody has had before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from vtjsync.simulator.dice import Dice
from vtjsync.simulator.people import Foreign, Home, Person, When
from vtjsync.simulator.places import BY_SIZE, LOCALITIES, Locality
from vtjsync.simulator.population import foreign_address, home_address


@dataclass(frozen=True, slots=True)
class Scene:
    """The day and the dice of one event. ``new_code`` gives a code that nobody has; ``token`` a word for a street of
    the person that nobody has had, or None; ``other`` finds another person for whom the question is true, to merge."""

    day: date
    dice: Dice
    new_code: Callable[[], str]
    token: Callable[[Person], str | None]
    other: Callable[[Person, Callable[[Person, date], bool]], Person | None]

    def new_home(self, person: Person, locality: Locality, start: When) -> Home:
        """An address for the person in the locality."""
        return home_address(locality, self.dice, start, self.token(person))

    def new_foreign(self, person: Person, start: When) -> Foreign:
        """An address abroad for the person."""
        return foreign_address(self.dice, start, self.token(person))

    def elsewhere(self, municipality: str | None) -> Locality:
        """A locality that is not in the municipality."""
        return self.dice.pick([locality for locality in BY_SIZE if locality.municipality != municipality])

    def here(self, municipality: str) -> Locality:
        """The locality of the municipality."""
        return next(locality for locality in LOCALITIES if locality.municipality == municipality)

    def recent(self, after: date) -> When:
        """Today or one of the last days, later than ``after``."""
        return When(max(after + timedelta(days=1), self.day - timedelta(days=self.dice.below(11))))
