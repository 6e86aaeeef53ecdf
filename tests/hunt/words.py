"""Words that nobody else has: of every person, for every field, so that a hit is certain; and a VTJ that tells them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any, Final
from unittest.mock import patch

from vtjsync.simulator import population, rows, scene, vital, world
from vtjsync.simulator.people import ABROAD, COUNTRY_IN_WORDS, DAY, Foreign, Home, Person, Town, When

MARKER: Final = "qxz"
# Without letters that the simulator cuts an address at, that sort as others, or that begin the marker.
LETTERS: Final = "bcdefghijklmnoprstuvyz"
LENGTH: Final = 9
WORD: Final = re.compile(f"{MARKER}[{LETTERS}]{{{LENGTH}}}", re.IGNORECASE)
CODE: Final = re.compile(r"(?<!\d)[0-3]\d[01]\d{3}[-+A-FU-Y]\d{3}[0-9A-Y]", re.IGNORECASE)
# Days before every real one, each of one person; as they are stored, and as a page or an answer of VTJkysely has them.
ISO_DAY: Final = re.compile(r"(?<!\d)(1[67]\d\d)-?(\d\d)-?(\d\d)(?!\d)")
FINNISH_DAY: Final = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(1[67]\d\d)(?!\d)")
FIRST_DAY: Final = date(1600, 1, 1)
OLD: Final = timedelta(days=90)

PLACE, NAME, REFERENCE, NOTE, CONTACT, IDENTITY = "place", "name", "reference", "note", "contact", "code"
# Whose words are typed and must be kept nowhere.
NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class Said:
    """Whose a word is: the simulator's number of the person; ``unit`` is that of a clientship's reference."""

    owner: int
    kind: str
    unit: str = ""


class Words:
    """All words, days and codes, and whose they are."""

    def __init__(self) -> None:
        self.of: dict[str, Said] = {}
        self.whose: Callable[[str], int | None] = lambda _code: None
        # Two who turned out to be one person are that one.
        self.heirs: Mapping[int, int] = {}
        self._days: dict[tuple[object, ...], date] = {}
        self._of_day: dict[date, Said] = {}

    def word(self, owner: int, kind: str, *key: object, unit: str = "") -> str:
        """The word of the owner for this key, the same every time."""
        number = int.from_bytes(blake2b(repr((owner, kind, key)).encode(), digest_size=8).digest(), "little")
        letters = ""
        for _ in range(LENGTH):
            number, letter = divmod(number, len(LETTERS))
            letters += LETTERS[letter]
        word = MARKER + letters
        assert self.of.setdefault(word, Said(owner, kind, unit)) == Said(owner, kind, unit)
        return word

    def owner(self, text: str) -> int:
        """Whose the first word in the text is."""
        found = WORD.search(text)
        assert found
        return self.of[found[0].lower()].owner

    def day(self, owner: int, *key: object) -> date:
        """A day that nobody else has."""
        told = self._days.setdefault((owner, *key), FIRST_DAY + timedelta(days=len(self._days)))
        self._of_day[told] = Said(owner, PLACE)
        return told

    def heard(self, text: str) -> Iterator[tuple[str, Said]]:
        """Every word, code and day of somebody that stands in the text."""
        for found in set(WORD.findall(text)):
            # One that is nobody's is a part of something random, such as a token.
            if said := self.of.get(found.lower()):
                yield found.lower(), self.now(said)
        for found in set(CODE.findall(text)):
            owner = self.whose(found.upper())
            if owner is not None:
                yield found.upper(), Said(owner, IDENTITY)
        days = {tuple(map(int, one)) for one in ISO_DAY.findall(text)}
        days |= {(int(year), int(month), int(day)) for day, month, year in FINNISH_DAY.findall(text)}
        for year, month, day in days:
            try:
                told = date(year, month, day)
            except ValueError:
                continue
            if told in self._of_day:
                yield told.isoformat(), self.now(self._of_day[told])

    def now(self, said: Said) -> Said:
        """The same of who they are now."""
        while said.owner in self.heirs:
            said = replace(said, owner=self.heirs[said.owner])
        return said


_now_of: ContextVar[int] = ContextVar("person", default=NOBODY)


@contextmanager
def telling(words: Words, start: date) -> Iterator[None]:
    """The simulator tells these words in place of its own names and places, from its ``start``."""

    def of(person: Person, kind: str, field: str, value: str | None) -> str | None:
        return words.word(person.index, kind, field, value).capitalize() if value else None

    def named(original: Callable[..., None]) -> Callable[..., None]:
        def tell(person: Person, *arguments: Any, **more: Any) -> None:
            original(person, *arguments, **more)
            if not WORD.fullmatch(person.first_names or MARKER):
                person.first_names = of(person, NAME, "first", person.first_names)
            person.last_name, person.last_ascii = of(person, NAME, "last", person.last_name), None

        return tell

    def home_address(locality: Any, dice: Any, since: When, token: str) -> Home:
        home, owner = _home(locality, dice, since, token), words.owner(token)
        fields = ("street_sv", "number", "staircase", "apartment", "division", "postal_code", "office_fi", "office_sv")
        own = {name: words.word(owner, PLACE, token, name) for name in (*fields, "building")}
        return replace(home, **own)

    def foreign_address(dice: Any, since: When, token: str) -> Foreign:
        address, owner = _foreign(dice, since, token), words.owner(token)
        own = {name: words.word(owner, PLACE, token, name) for name in ("locality", "country_name")}
        return replace(address, street=token, country=COUNTRY_IN_WORDS, **own)

    def of_person(original: Callable[..., Any], place: int) -> Callable[..., Any]:
        def tell(*arguments: Any) -> Any:
            token = _now_of.set(arguments[place].index)
            try:
                return original(*arguments)
            finally:
                _now_of.reset(token)

        return tell

    def since(owner: int, when: When, *key: object) -> When:
        return When(words.day(owner, *key, when.day)) if when.precision == DAY and when.day < start - OLD else when

    def home(one: Home, attribute: str | None = None) -> rows.Row:
        owner = words.owner(one.street_fi)
        told = _home_row(replace(one, start=since(owner, one.start, one.street_fi)), attribute)
        return told | {"kuntakoodi": words.word(owner, PLACE, one.street_fi, one.municipality)}

    def foreign(one: Foreign, attribute: str | None = None) -> rows.Row:
        return _foreign_row(replace(one, start=since(words.owner(one.street), one.start, one.street)), attribute)

    def town(one: Town, attribute: str | None = None, **more: Any) -> rows.Row:
        owner = _now_of.get()
        if one.code != ABROAD:
            one = Town(words.word(owner, PLACE, "town", one), since(owner, one.start, "town", one.code))
        return _town_row(one, attribute, **more)

    _home, _foreign = population.home_address, population.foreign_address
    _home_row, _foreign_row, _town_row = rows.home, rows.foreign, rows.town
    replaced: list[tuple[Any, str, Any]] = [
        (population, "name", named(population.name)),
        (vital, "name", named(vital.name)),
        (vital, "_new_last_name", named(vital._new_last_name)),
        *((module, "home_address", home_address) for module in (population, scene)),
        *((module, "foreign_address", foreign_address) for module in (population, scene)),
        (rows, "home", home),
        (rows, "foreign", foreign),
        (rows, "town", town),
        (rows, "basic_data", of_person(rows.basic_data, 0)),
        (world.World, "_happens", of_person(world.World._happens, 2)),
        (world.World, "_token", lambda self, person: _new_token(words, self, person)),
        (population.Population, "token", lambda _self, index, serial: words.word(index, PLACE, "start", serial)),
    ]
    with ExitStack() as stack:
        for module, name, told in replaced:
            stack.enter_context(patch.object(module, name, told))
        yield


def _new_token(words: Words, vtj: world.World, person: Person) -> str:
    vtj._serial += 1
    return words.word(person.index, PLACE, "moved", vtj._serial)
