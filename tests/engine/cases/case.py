"""One row of the table: what VTJ tells of a person, and how the person stands in the register after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from registry.record import PersonRecord
from tests.reading.rows import ENTRY, JSON, STATE
from vtjsync.reading.outcome import Ask, PersonState

# Where a row names an identity code: the person's own, two that nobody has, and that of another entry of the register.
OWN: Final = "<own code>"
NEW: Final = "<new code>"
THIRD: Final = "<third code>"
TWIN: Final = "<code of another entry>"


class Told(NamedTuple):
    """One entry of the change feed; ``at`` is its muutospv, ``under`` the code that it comes under."""

    rows: Sequence[object]
    at: datetime | None = ENTRY
    under: str = OWN


@dataclass(frozen=True)
class Case:
    """``rows`` are those of one entry; ``pages`` stand in their place where there are several entries.

    No ``after`` means that the record stays. ``codes`` are the person's afterwards, the current one first. ``applied``
    names the fields in the log of changes where they do not follow from the record before and after. ``twin`` is the
    other entry of the register whose code TWIN is; ``twin_after`` its record afterwards, if that changes.
    """

    rule: str
    name: str
    rows: Sequence[JSON] = ()
    after: PersonRecord | None = None
    ask: Ask | None = None
    before: PersonState = STATE
    hidden: bool = False
    reveal: bool = False
    problem: str | None = None
    recheck: date | None = None
    codes: tuple[str, ...] = (OWN,)
    applied: tuple[str, ...] | None = None
    pages: Sequence[Sequence[Told]] = ()
    twin: PersonState | None = None
    twin_after: PersonRecord | None = None

    def __str__(self) -> str:
        return f"{self.rule} {self.name}"

    @property
    def told(self) -> Sequence[Sequence[Told]]:
        """The pages, each with its entries."""
        return self.pages or [[Told(self.rows)]]

    @property
    def record(self) -> PersonRecord:
        """The record afterwards."""
        return self.before.record if self.after is None else self.after

    @property
    def fields(self) -> list[str]:
        """The fields that the log of changes names afterwards, sorted: no place of somebody protected (E34)."""
        if self.applied is not None:
            return sorted(self.applied)
        before, after = parts(self.before.record), parts(self.record)
        hidden = {"home", "foreign", "municipality"} if self.record.protected else set()
        changed = [name for name in after if before[name] != after[name] and name not in hidden]
        return sorted([*changed, *(["code"] if self.codes[0] != OWN else [])])


def parts(record: PersonRecord) -> dict[str, object]:
    """The record by the fields of the log of changes (G48)."""
    return {
        "first_names": record.first_names,
        "last_name": record.last_name,
        "language": (record.language_code, record.language_name),
        "deceased": (record.deceased, record.death_date),
        "protected": record.protected,
        "home": record.home,
        "foreign": record.foreign,
        "municipality": record.municipality and record.municipality.code,
    }


def grid(text: str) -> Iterator[tuple[str, str | None, str]]:
    """Every cell of a table in words: the name of its line, the attribute of its column (``-`` is none), the word."""
    head, *lines = [line.split() for line in text.strip().splitlines()]
    for name, *words in lines:
        for attribute, word in zip(head, words, strict=True):
            yield name, None if attribute == "-" else attribute, word
