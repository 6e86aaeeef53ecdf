"""What the register knows of a person, as plain values without a database.

The wire's rows become these (``vtjsync.reading``), the person's row stores these, and the export writes these. A value
that VTJ does not have is None or an empty set. Location values (home address, foreign addresses, municipality) are
always empty in the record of a protected person (domain.md E34, E36).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum, StrEnum
from typing import Self


class Precision(IntEnum):
    """How much of a partial date is known."""

    YEAR = 1
    MONTH = 2
    DAY = 3


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A date of which the day, or the month too, may be unknown (domain.md C23).

    ``value`` holds the first day of what is known, so that two equal dates compare equal whatever padding VTJ sent.
    """

    value: date
    precision: Precision = Precision.DAY

    @classmethod
    def of(cls, value: date, precision: Precision = Precision.DAY) -> Self:
        """The date with the unknown parts set to one."""
        if precision < Precision.DAY:
            value = value.replace(day=1)
        if precision < Precision.MONTH:
            value = value.replace(month=1)
        return cls(value, precision)

    @property
    def last(self) -> date:
        """The last day that the date can be: 30 November of ``1965-11``."""
        month = self.value.month if self.precision >= Precision.MONTH else 12
        if self.precision is Precision.DAY:
            return self.value
        return self.value.replace(month=month, day=monthrange(self.value.year, month)[1])

    def iso(self) -> str:
        """``1965-11-01``, ``1965-11`` or ``1965``, as outside.md's export has it."""
        return self.value.isoformat()[: {Precision.YEAR: 4, Precision.MONTH: 7, Precision.DAY: 10}[self.precision]]

    def __str__(self) -> str:
        """``1.11.1965``, ``11/1965`` or ``1965``, as shown to people."""
        match self.precision:
            case Precision.YEAR:
                return f"{self.value.year}"
            case Precision.MONTH:
                return f"{self.value.month}/{self.value.year}"
            case _:
                return f"{self.value.day}.{self.value.month}.{self.value.year}"


class Group(StrEnum):
    """The eight data groups of the product (tuotekuvaus 5), by their names on the wire."""

    CODE = "HENKILOTUNNUS_KORJAUS"
    NAME = "HENKILON_NIMI"
    LANGUAGE = "AIDINKIELI"
    DEATH = "KUOLINPAIVA"
    BAN = "TURVAKIELTO"
    HOME = "VAKINAINEN_KOTIMAINEN_OSOITE"
    FOREIGN = "VAKINAINEN_ULKOMAINEN_OSOITE"
    MUNICIPALITY = "KOTIKUNTA"


LOCATION_GROUPS = frozenset({Group.HOME, Group.FOREIGN, Group.MUNICIPALITY})

# A reason to ask VTJ about a person that says more than itself: what has happened meanwhile is not known, so a
# location that is held is shown as not confirmed (domain.md B17).
LOST_TRACK = "LOST_TRACK"


@dataclass(frozen=True, slots=True)
class HomeAddress:
    """A permanent address in Finland (VAKINAINEN_KOTIMAINEN_OSOITE).

    ``apartment`` keeps its leading zeros as VTJ sends them (domain.md C25); ``municipality_code`` is the three digits
    of the address's own municipality. An end that VTJ tells is not kept: it decides when to ask again (C21).
    """

    street_fi: str | None = None
    street_sv: str | None = None
    house_number: str | None = None
    staircase: str | None = None
    apartment: str | None = None
    division: str | None = None
    postal_code: str | None = None
    post_office_fi: str | None = None
    post_office_sv: str | None = None
    municipality_code: str | None = None
    start: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class ForeignAddress:
    """A permanent address abroad (VAKINAINEN_ULKOMAINEN_OSOITE); the postal code is inside ``locality`` (C25).

    ``country_name`` is kept only for country 998, whose name VTJ tells in words.
    """

    street: str | None = None
    locality: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    start: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class Municipality:
    """The home municipality (KOTIKUNTA), three digits; codes like 200 are not municipalities and are kept (C25)."""

    code: str
    moved_in: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What VTJ says of one person, now."""

    first_names: str | None = None
    last_name: str | None = None
    language_code: str | None = None
    language_name: str | None = None
    deceased: bool = False
    death_date: PartialDate | None = None
    protected: bool = False
    protection_end: PartialDate | None = None
    home: HomeAddress | None = None
    foreign: frozenset[ForeignAddress] = frozenset()
    municipality: Municipality | None = None

    def without_location(self) -> Self:
        """The same person without anything that tells where they live (domain.md E34)."""
        return self.with_places(())

    def with_places(self, groups: Collection[Group]) -> Self:
        """The same person with the values of these location groups only (domain.md C24)."""
        return replace(
            self,
            home=self.home if Group.HOME in groups else None,
            foreign=self.foreign if Group.FOREIGN in groups else frozenset(),
            municipality=self.municipality if Group.MUNICIPALITY in groups else None,
        )

    def with_values_of(self, groups: Collection[Group]) -> Self:
        """The same person with names, mother tongue and death only where these groups hold them (domain.md C24)."""
        named, spoken, dead = (group in groups for group in (Group.NAME, Group.LANGUAGE, Group.DEATH))
        return replace(
            self,
            first_names=self.first_names if named else None,
            last_name=self.last_name if named else None,
            language_code=self.language_code if spoken else None,
            language_name=self.language_name if spoken else None,
            deceased=self.deceased and dead,
            death_date=self.death_date if dead else None,
        )

    @property
    def has_location(self) -> bool:
        """Whether any location value is held."""
        return self.home is not None or bool(self.foreign) or self.municipality is not None
