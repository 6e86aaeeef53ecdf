"""An answer of VTJkysely, read by the names of its elements (wire.md 3, docs/adr/0009).

Which elements there are, in which order and namespace, differs by product. What is not there is not known; what is
empty has no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from registry.hetu import Hetu
from registry.record import PartialDate, Precision
from vtjsync.wire.errors import Denied, Reason, Unavailable, Unreadable, VtjError
from vtjsync.wire.muutosrajapinta import identity_code


class Outcome(StrEnum):
    """What VTJ says of the code. DEAD and WITHHELD: of whom, but nothing more."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    PASSIVE = "passive"
    DEAD = "dead"
    WITHHELD = "withheld"


class Ban(StrEnum):
    """Whether there is a ban. UNKNOWN: the product does not tell; it changes nothing and reassures nobody."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A permanent address in Finland: its line in Finnish and Swedish, whichever form the product has."""

    line_fi: str | None = None
    line_sv: str | None = None
    postal_code: str | None = None
    post_office_fi: str | None = None
    post_office_sv: str | None = None
    start: PartialDate | None = None


@dataclass(frozen=True, slots=True, repr=False)
class LookUp:
    """What a look-up found. Its repr tells nothing, so that no log can.

    ``in_force``: the code that was asked about is the person's code now. ``code`` is that code now, None when it is
    not told. ``address`` is None while a ban is on, whatever the product sends.
    """

    outcome: Outcome
    in_force: bool = False
    code: Hetu | None = None
    first_names: str | None = None
    last_name: str | None = None
    ban: Ban = Ban.UNKNOWN
    address: Address | None = None


# Paluukoodi, by the list in DVV's catalogue of data types. 0018: a child under fifteen.
OUTCOMES: Final = {
    "0000": Outcome.FOUND,
    "0018": Outcome.FOUND,
    "0001": Outcome.NOT_FOUND,
    "0006": Outcome.NOT_FOUND,
    "0002": Outcome.PASSIVE,
    "0007": Outcome.DEAD,
    "0019": Outcome.WITHHELD,
}
CREDENTIALS: Final = frozenset({"0003", "0004", "-1500"})
# The product, the end user, the invoicing, a certificate that we do not use, or characters: it will be said again.
SETTINGS: Final = frozenset(
    {"0010", "0011", "0012", "0013", "0014", "0015", "-1505", "-1805", "-1900", "-1901", "-1902", "-1903", "-1904"}
)
PASSING: Final = frozenset({"-1800", "-1906"})

IN_FORCE: Final = "1"
SEARCH_CODE_PASSIVE: Final = "2"
NO_BAN: Final = (None, "0")
ADDRESSES: Final = ("VakinainenKotimainenLahiosoite", "VakinainenKotimainenOsoite")
_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_RETURN_CODE: Final = re.compile(r"-?[0-9]{1,5}")


def read(elements: Sequence[Any], asked: Hetu) -> LookUp | VtjError:
    """What the elements of an answer's body say of the code that was asked about, or which error they tell."""
    response = next((one for one in elements if _name(one) == "response"), None)
    message = _child(response, "VTJHenkiloVastaussanoma")
    code = _return_code(message, response)
    if code in CREDENTIALS:
        return Denied(Reason.LOOK_UP_CREDENTIALS, error_type=_type(code))
    if code in SETTINGS:
        return Unavailable(Reason.LOOK_UP_SETTINGS, error_type=_type(code), again=False)
    if code in PASSING:
        return Unavailable(Reason.OUT_OF_ORDER, error_type=_type(code))
    outcome, person = OUTCOMES.get(code), _child(message, "Henkilo")
    search = _child(message, "Hakuperusteet", "Henkilotunnus")
    if _text(search) not in (None, asked) or outcome is None or (outcome is Outcome.FOUND and person is None):
        return Unreadable(Reason.NOT_AS_AGREED, error_type=_type(code))
    if outcome in (Outcome.FOUND, Outcome.PASSIVE):
        return _person(outcome, person, asked, _attribute(search, "hakuperustePaluukoodi"))
    return LookUp(outcome)


def _person(outcome: Outcome, person: Any, asked: Hetu, search_code: str | None) -> LookUp:
    number = _child(person, "Henkilotunnus")
    current, force = identity_code(_text(number) or ""), _attribute(number, "voimassaolokoodi")
    ban = _ban(person)
    return LookUp(
        outcome,
        outcome is Outcome.FOUND
        and current in (None, asked)
        and force in (None, IN_FORCE)
        and search_code != SEARCH_CODE_PASSIVE,
        current,
        _text(person, "NykyisetEtunimet", "Etunimet"),
        _text(person, "NykyinenSukunimi", "Sukunimi"),
        ban,
        None if ban is Ban.ON else _address(person),
    )


def _return_code(message: Any, response: Any) -> str:
    """Paluukoodi or faultCode; of two that differ the one that tells less."""
    told = (_attribute(_child(message, "Paluukoodi"), "koodi"), _text(response, "faultCode"))
    codes = [code for code in told if code is not None]
    return next((code for code in codes if OUTCOMES.get(code) is not Outcome.FOUND), codes[0] if codes else "")


def _type(code: str) -> str:
    return f"Paluukoodi:{code}" if _RETURN_CODE.fullmatch(code) else ""


def _ban(person: Any) -> Ban:
    """Empty or 0: off. A missing element: unknown. Anything else: on."""
    told = _child(person, "Turvakielto", "TurvakieltoTieto")
    if told is None:
        return Ban.UNKNOWN
    return Ban.OFF if _text(told) in NO_BAN else Ban.ON


def _address(person: Any) -> Address | None:
    """The address that has a value, told in one line or in parts."""
    for name in ADDRESSES:
        told = _child(person, name)
        found = Address(
            _line(told, "S"),
            _line(told, "R"),
            _text(told, "Postinumero"),
            _text(told, "PostitoimipaikkaS"),
            _text(told, "PostitoimipaikkaR"),
            _date(_text(told, "AsuminenAlkupvm")),
        )
        if found != Address():
            return found
    return None


def _line(told: Any, language: str) -> str | None:
    """``Mikkolantie 30 F 28``; the apartment's leading zeros are padding (domain.md C25)."""
    street = _text(told, f"Katu{language}")
    if street is None:
        return _text(told, f"Lahiosoite{language}")
    apartment = (_text(told, "Huoneistonumero") or "").lstrip("0")
    rest = (_text(told, "Katunumero"), _text(told, "Porraskirjain"), apartment, _text(told, "Jakokirjain"))
    return " ".join([street, *filter(None, rest)])


def _date(text: str | None) -> PartialDate | None:
    """``19921100`` is November 1992; None for what is no date."""
    match = _DATE.fullmatch(text or "")
    if match is None:
        return None
    year, month, day = map(int, match.groups())
    precision = Precision.DAY if month and day else Precision.MONTH if month else Precision.YEAR
    with suppress(ValueError):
        return PartialDate.of(date(year, month or 1, (month and day) or 1), precision)
    return None


# Elements of lxml; those that are not there are None.


def _child(element: Any, *path: str) -> Any:
    for name in path:
        element = next((one for one in _children(element) if _name(one) == name), None)
    return element


def _children(element: Any) -> Iterator[Any]:
    return iter(() if element is None else element)


def _name(element: Any) -> str:
    """The name without its namespace; empty for a processing instruction."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _text(element: Any, *path: str) -> str | None:
    """The text without outer spaces; None when it is missing or empty."""
    found = _child(element, *path)
    return None if found is None else "".join(found.itertext()).strip() or None


def _attribute(element: Any, name: str) -> str | None:
    return None if element is None else (element.get(name) or "").strip() or None
