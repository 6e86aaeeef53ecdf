"""The Finnish personal identity code (henkilötunnus, hetu).

An identifier of a person and never a key of ours: it can be corrected, and one person may have had several. The
separator is part of the code: 100190-999P and 100190Y999P are two people (domain.md A7). Sex is never derived from it.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final, NewType

from stdnum.exceptions import ValidationError
from stdnum.fi import hetu as stdnum_hetu

Hetu = NewType("Hetu", str)

CHECK_CHARACTERS: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
SEPARATORS: Final = {1800: "+", 1900: "-YXWVU", 2000: "ABCDEF"}
FIRST_TEST_NUMBER: Final = 900
MASK: Final = "••••"

_CENTURY: Final = {separator: century for century, separators in SEPARATORS.items() for separator in separators}


class Fault(StrEnum):
    """Why a text is not an identity code that may be used here."""

    MALFORMED = "malformed"
    CHECK_CHARACTER = "check_character"
    NOT_PERMANENT = "not_permanent"
    NOT_TEST = "not_test"


class InvalidHetu(ValueError):
    """Raised by :func:`parse`. Carries the fault and never the text."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse(text: str, *, test_codes: bool) -> Hetu:
    """The code that ``text`` spells; outer spaces and the case of letters are forgiven.

    ``test_codes`` is the setting HETU_ALLOW_TEST_CODES: true accepts individual numbers 900-999 only, false the
    others only (domain.md A7). Raises :class:`InvalidHetu`.
    """
    code = text.strip().upper()
    if len(code) != 11 or not code.isascii() or code[6] not in _CENTURY or not (code[:6] + code[7:10]).isdigit():
        raise InvalidHetu(Fault.MALFORMED)
    if code[10] != check_character(code[:6], code[7:10]):
        raise InvalidHetu(Fault.CHECK_CHARACTER)
    try:
        stdnum_hetu.validate(code, allow_temporary=True)
    except ValidationError as error:
        raise InvalidHetu(Fault.MALFORMED) from error
    hetu = Hetu(code)
    if is_test(hetu) != test_codes:
        raise InvalidHetu(Fault.NOT_TEST if test_codes else Fault.NOT_PERMANENT)
    return hetu


def is_test(hetu: Hetu) -> bool:
    """Whether the code is a test or temporary one, which no real person has permanently (domain.md A7)."""
    return int(hetu[7:10]) >= FIRST_TEST_NUMBER


def masked(hetu: Hetu) -> str:
    """The code as it is shown until someone asks to see it: the birth date and no more (domain.md H54)."""
    return f"{hetu[:6]}{MASK}"


def check_character(birth_date: str, individual: str) -> str:
    """The check character of ``ddmmyy`` and the three digits of the individual number."""
    return CHECK_CHARACTERS[int(birth_date + individual) % 31]


def compose(birth_date: date, individual: int, separator: str) -> Hetu:
    """The code of a birth date, an individual number (0-999) and one of the separators of its century."""
    if separator not in SEPARATORS.get(birth_date.year // 100 * 100, ""):
        raise ValueError("the separator does not belong to the century")
    digits, number = f"{birth_date:%d%m%y}", f"{individual:03d}"
    return Hetu(f"{digits}{separator}{number}{check_character(digits, number)}")
