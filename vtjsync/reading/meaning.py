"""The table of domain.md C: what the attribute of a changed row means, and when a dated row is in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import Enum, auto
from typing import Final

from registry.record import Group, PartialDate
from vtjsync.wire.groups import (
    ROW_TYPES,
    BanRow,
    CodeRow,
    DeathRow,
    ForeignRow,
    HomeRow,
    LanguageRow,
    MunicipalityRow,
    NameRow,
    Row,
)

FAR_YEARS: Final = 20


class Unclear(ValueError):
    """Raised where the meaning of a row or of a group is not certain. Carries no value of the row."""


class Contradicts(Unclear):
    """Raised where every row can be read, and they do not agree with each other."""


class Meaning(Enum):
    """What a row tells of its value."""

    NEW = auto()
    CORRECTED = auto()
    WRONG = auto()
    REMOVED = auto()
    CONTEXT = auto()


STORED: Final = frozenset({Meaning.NEW, Meaning.CORRECTED})
CHANGE: Final[dict[str | None, Meaning]] = {
    "LISATTY": Meaning.NEW,
    "MUUTETTU": Meaning.NEW,
    "KORJATTU": Meaning.CORRECTED,
    "KORJATTAVA": Meaning.WRONG,
    "POISTETTU": Meaning.REMOVED,
    "LISATIETO": Meaning.CONTEXT,
}
# A row of basic data, and a row of voimassaolevatTiedot, has no attribute.
VALID_NOW: Final[dict[str | None, Meaning]] = CHANGE | {None: Meaning.NEW}
# KOTIKUNTA has no loppupv that would tell the old municipality from the new one.
UNCERTAIN: Final = frozenset({(Group.MUNICIPALITY, "MUUTETTU")})

GROUP_OF: Final[dict[type[Row], Group]] = {row_type: Group(name) for name, row_type in ROW_TYPES.items()}


def valid_rows(row: Row) -> tuple[Row, ...] | None:
    """``voimassaolevatTiedot`` of the row; None when the row has no list."""
    if isinstance(
        row,
        CodeRow | NameRow | LanguageRow | DeathRow | BanRow | HomeRow | ForeignRow | MunicipalityRow,
    ):
        return row.voimassaolevatTiedot
    return None


def far_ahead(end: PartialDate, day: date) -> bool:
    """Whether an end is 20 years or more after ``day``, which means "for now" (domain.md C21)."""
    last = end.last
    return (last.year - FAR_YEARS, last.month, last.day) >= (day.year, day.month, day.day)


def day_after(day: date) -> date:
    """The next day; the last day that there is stays as it is."""
    return day + timedelta(days=1) if day < date.max else day


def earliest(turns: Iterable[date], today: date) -> date | None:
    """The first of the days after ``today``; None when there is none."""
    return min((day for day in turns if day > today), default=None)
