"""Values of VTJ as people read them, in the language of the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from registry import codes
from registry.record import ForeignAddress, HomeAddress, PartialDate

FIELDS: Final = {
    "first_names": gettext_lazy("First names"),
    "last_name": gettext_lazy("Family name"),
    "code": gettext_lazy("Identity code"),
    "language": gettext_lazy("Mother tongue"),
    "deceased": gettext_lazy("Death"),
    "protected": gettext_lazy("Non-disclosure order"),
    "home": gettext_lazy("Home address"),
    "foreign": gettext_lazy("Address abroad"),
    "municipality": gettext_lazy("Home municipality"),
}
_ISO: Final = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_ISO_MONTH: Final = re.compile(r"\b(\d{4})-(\d{2})\b")
_COUNTRY: Final = re.compile(r"(?<=, )\d{3}(?=$|, \()", re.MULTILINE)


def language_name(code: str | None, name: str | None) -> str:
    """The mother tongue; the text that VTJ gives where it has no code of its own (domain.md C25)."""
    return name or (codes.language_name(code, _language()) or code if code else "") or ""


def municipality_name(code: str | None) -> str:
    """The municipality's name, or the code as it is."""
    return (codes.municipality_name(code, _language()) or code) if code else ""


def home_lines(home: HomeAddress) -> list[str]:
    """``Mikkolantie 30 F 28`` and ``00640 HELSINKI``; in Swedish on a Swedish page where VTJ has it."""
    swedish = _language() == "sv"
    street = (home.street_sv if swedish else None) or home.street_fi or home.street_sv
    office = (home.post_office_sv if swedish else None) or home.post_office_fi or home.post_office_sv
    apartment = "".join(filter(None, ((home.apartment or "").lstrip("0"), home.division)))
    first = " ".join(filter(None, (street, home.house_number, home.staircase, apartment)))
    return [line for line in (first, " ".join(filter(None, (home.postal_code, office)))) if line]


def foreign_lines(address: ForeignAddress) -> list[str]:
    """Street, place, and the country by its name."""
    code = address.country_code
    country = address.country_name or (codes.country_name(code, _language()) or code if code else None)
    return [line for line in (address.street, address.locality, country) if line]


def since(day: PartialDate | None) -> str:
    """``since 1.11.1965``, or nothing."""
    return _("since %(day)s") % {"day": day} if day else ""


def change_value(field: str, text: str | None) -> str:
    """The text that the log of changes keeps (``registry.history``), in words."""
    return _VALUES.get(field, str)(text) if text else ""


def _yes(text: str) -> str:
    return _("Yes") if text == "yes" else _days(text)


def _days(text: str) -> str:
    text = _ISO.sub(lambda found: f"{int(found[3])}.{int(found[2])}.{found[1]}", text)
    return _ISO_MONTH.sub(lambda found: f"{int(found[2])}/{found[1]}", text)


def _foreign(text: str) -> str:
    text = _COUNTRY.sub(lambda found: codes.country_name(found[0], _language()) or found[0], text)
    return _days(text.replace(", (", " ("))


_VALUES: Final[dict[str, Callable[[str], str]]] = {
    "language": lambda text: codes.language_name(text, _language()) or text,
    "deceased": _yes,
    "protected": _yes,
    "home": _days,
    "foreign": _foreign,
    "municipality": municipality_name,
}


def _language() -> str:
    return (get_language() or "fi")[:2]
