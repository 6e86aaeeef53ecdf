"""From a row to the value that it tells (domain.md C23, C25), and from values to the person's record and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeAlias

from registry.record import ForeignAddress, Group, HomeAddress, Municipality, PartialDate, PersonRecord, Precision
from vtjsync.reading.meaning import Unclear, day_after, far_ahead, valid_rows
from vtjsync.wire.groups import (
    DeathRow,
    ForeignRow,
    HomeRow,
    LanguageRow,
    MunicipalityRow,
    NameRow,
    Row,
    WireDate,
    WireNames,
)

PRECISIONS: Final = {"PAIVA": Precision.DAY, "KUUKAUSI": Precision.MONTH, "VUOSI": Precision.YEAR}
LANGUAGE_IN_WORDS: Final = "98"
LANGUAGE_IN_WORDS_ISO: Final = "mis"
COUNTRY_IN_WORDS: Final = "998"

_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
# What PostgreSQL cannot hold: one such text would stop the whole page (domain.md B14). The sort key of the names is in
# an index, which takes 2,700 bytes, and a letter can be five of them.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
LONGEST: Final = 250


@dataclass(frozen=True, slots=True)
class Names:
    """The current first names and last name; either may be missing."""

    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """The mother tongue; ``name`` only where the code says that the language is told in words."""

    code: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """Whether the person is dead, and since when if it is known (domain.md C26)."""

    deceased: bool = False
    on: PartialDate | None = None


Value: TypeAlias = Names | Language | Death | HomeAddress | ForeignAddress | Municipality
Values: TypeAlias = frozenset[Value]
NOTHING: Final[Values] = frozenset({Names(), Language(), Death()})


def partial_date(wire: WireDate | None) -> PartialDate | None:
    """The date with its precision; the parts beyond the precision are padding, whatever they hold.

    None when there is none. Raises :class:`Unclear` for a date that is not in the calendar and for an unknown
    precision.
    """
    if wire is None:
        return None
    precision, match = PRECISIONS.get(wire.tarkkuus), _DATE.fullmatch(wire.arvo)
    if precision is None or match is None:
        raise Unclear("date")
    year, month, day = (int(part) if part else 0 for part in match.groups())
    try:
        known = date(year, month if precision >= Precision.MONTH else 1, day if precision is Precision.DAY else 1)
    except ValueError:
        raise Unclear("date") from None
    return PartialDate(known, precision)


def dates(row: Row) -> tuple[PartialDate | None, PartialDate | None]:
    """The first and the last day of the row's validity. Raises :class:`Unclear`."""
    match row:
        case NameRow() | LanguageRow() | HomeRow() | ForeignRow():
            return partial_date(row.alkupv), partial_date(row.loppupv)
        case MunicipalityRow():
            return partial_date(row.kuntaanMuuttopv or row.kuntaanMuuttoPv), None
        case _:
            return None, None


def turns(rows: Iterable[Row], day: date) -> Iterator[date]:
    """The days on which what the rows tell begins to be, or is no longer, in force, seen on ``day`` (domain.md C21)."""
    for row in rows:
        for part in (row, *(valid_rows(row) or ())):
            with suppress(Unclear):
                start, end = dates(part)
                if start is not None:
                    yield start.value
                if end is not None and not far_ahead(end, day):
                    yield day_after(end.last)


def value(row: Row) -> Value:
    """The value that the row tells. Raises :class:`Unclear` when it tells none, or one that cannot be read."""
    match row:
        case NameRow():
            told: Value = Names(
                _text(row.etunimiUTF8) or _text(row.etunimi), _text(row.sukunimiUTF8) or _text(row.sukunimi)
            )
            empty = told == Names()
        case LanguageRow():
            code = _text(row.kielikoodi)
            in_words = code == LANGUAGE_IN_WORDS or _text(row.kielikoodiISO6392) == LANGUAGE_IN_WORDS_ISO
            told, empty = Language(code, _text(row.nimi) if in_words else None), code is None
        case DeathRow():
            deceased = row.kuollut is True
            told, empty = Death(deceased, partial_date(row.kuolinpv) if deceased else None), row.kuollut is None
        case HomeRow():
            told = _home(row)
            empty = told == HomeAddress()
            told = replace(told, start=partial_date(row.alkupv))
        case ForeignRow():
            country = _text(row.valtiokoodi)
            told = ForeignAddress(
                _text(row.lahiosoite),
                _text(row.paikkakunta),
                country,
                _text(row.valtionimi) if country == COUNTRY_IN_WORDS else None,
            )
            empty = told == ForeignAddress()
            told = replace(told, start=partial_date(row.alkupv))
        case MunicipalityRow():
            municipality = _text(row.kuntakoodi)
            told, empty = Municipality(municipality or "", dates(row)[0]), municipality is None
        case _:
            raise Unclear("group")
    if empty:
        raise Unclear("no value")
    return told


def held(record: PersonRecord, group: Group) -> Values:
    """The group's values in the record; none for an unknown or absent one."""
    found: set[Value] = set()
    match group:
        case Group.NAME:
            found.add(Names(record.first_names, record.last_name))
        case Group.LANGUAGE:
            found.add(Language(record.language_code, record.language_name))
        case Group.DEATH:
            found.add(Death(record.deceased, record.death_date))
        case Group.HOME if record.home:
            found.add(record.home)
        case Group.FOREIGN:
            found.update(record.foreign)
        case Group.MUNICIPALITY if record.municipality:
            found.add(record.municipality)
    return frozenset(found - NOTHING)


def store(record: PersonRecord, group: Group, values: Values) -> PersonRecord:
    """The record with these as the group's only values: one at most, but for foreign addresses."""
    match group:
        case Group.NAME:
            names = next((one for one in values if isinstance(one, Names)), Names())
            record = replace(record, first_names=names.first, last_name=names.last)
        case Group.LANGUAGE:
            language = next((one for one in values if isinstance(one, Language)), Language())
            record = replace(record, language_code=language.code, language_name=language.name)
        case Group.DEATH:
            death = next((one for one in values if isinstance(one, Death)), Death())
            record = replace(record, deceased=death.deceased, death_date=death.on)
        case Group.HOME:
            record = replace(record, home=next((one for one in values if isinstance(one, HomeAddress)), None))
        case Group.FOREIGN:
            record = replace(record, foreign=frozenset(one for one in values if isinstance(one, ForeignAddress)))
        case Group.MUNICIPALITY:
            place = next((one for one in values if isinstance(one, Municipality)), None)
            record = replace(record, municipality=place)
    return record


def _home(row: HomeRow) -> HomeAddress:
    street, office = row.katunimi or WireNames(), row.postitoimipaikka or WireNames()
    return HomeAddress(
        street_fi=_text(street.fi),
        street_sv=_text(street.sv),
        house_number=_text(row.katunumero),
        staircase=_text(row.huoneistokirjain),
        apartment=_text(row.huoneistonumero),
        division=_text(row.jakokirjain),
        postal_code=_text(row.postinumero),
        post_office_fi=_text(office.fi),
        post_office_sv=_text(office.sv),
        municipality_code=_text(row.kuntakoodi),
    )


def _text(text: str | None) -> str | None:
    """The text without outer spaces, None when nothing is left."""
    if text is None:
        return None
    if len(text) > LONGEST or _UNSTORABLE.search(text):
        raise Unclear("text")
    return text.strip() or None
