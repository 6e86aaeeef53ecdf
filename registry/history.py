"""The values of a person as the texts that the applied changes keep (domain.md G48)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.record import ForeignAddress, Group, HomeAddress, PartialDate, PersonRecord

LOCATION_FIELD_OF = {Group.HOME: "home", Group.FOREIGN: "foreign", Group.MUNICIPALITY: "municipality"}
FIELDS_OF = {
    Group.NAME: ("first_names", "last_name"),
    Group.LANGUAGE: ("language",),
    Group.DEATH: ("deceased",),
    Group.BAN: ("protected",),
    **{group: (field,) for group, field in LOCATION_FIELD_OF.items()},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of the record that changed, with its texts before and after; None where there was no value."""

    field: str
    old: str | None
    new: str | None


def differences(before: PersonRecord, after: PersonRecord) -> Iterator[Difference]:
    """What changed, field by field, in the order of the record."""
    old, new = texts(before), texts(after)
    for field in old:
        if old[field] != new[field]:
            yield Difference(field, old[field], new[field])


def texts(record: PersonRecord) -> dict[str, str | None]:
    """Every field of the record as text. Codes stay codes: the page names them in the reader's language."""
    language = record.language_name or record.language_code
    return {
        "first_names": record.first_names,
        "last_name": record.last_name,
        "language": language,
        "deceased": ("yes" if record.deceased else None) if record.death_date is None else record.death_date.iso(),
        "protected": "yes" if record.protected else None,
        "home": home_text(record.home),
        "foreign": "\n".join(sorted(map(foreign_text, record.foreign))) or None,
        "municipality": record.municipality.code if record.municipality else None,
    }


def home_text(home: HomeAddress | None) -> str | None:
    """One line per language: ``Mikkolantie 30 F 28, 00640 HELSINKI``, with the day it began."""
    if home is None:
        return None
    apartment = (home.apartment or "").lstrip("0")
    tail = [home.house_number, home.staircase, "".join(filter(None, (apartment, home.division)))]
    lines: list[str] = []
    for street, office in ((home.street_fi, home.post_office_fi), (home.street_sv, home.post_office_sv)):
        if street or (office and not lines):
            place = " ".join(filter(None, (home.postal_code, office or home.post_office_fi)))
            lines.append(", ".join(filter(None, (" ".join(filter(None, (street, *tail))), place))))
    return "\n".join([*dict.fromkeys(lines), *_since(home.start)])


def foreign_text(address: ForeignAddress) -> str:
    """One line: street, place, country code or the country's name in words, and the day it began."""
    country = address.country_name or address.country_code
    return ", ".join([*filter(None, (address.street, address.locality, country)), *_since(address.start)])


def _since(start: PartialDate | None) -> list[str]:
    return [f"({start.iso()}–)"] if start else []
