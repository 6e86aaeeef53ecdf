"""Reads the organisation's own list, line by line (outside.md, Import file). Knows the format, not the database.

No text of the file gets into a message: a shifted column or a missing header would put an identity code there. What is
said is English at a prompt, and on a page in the reader's language.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import BinaryIO, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from stdnum.exceptions import ValidationError
from stdnum.fi import ytunnus

from registry.hetu import Fault, Hetu, InvalidHetu, parse
from registry.services.errors import Unreadable

MAX_BYTES: Final = 200_000_000
MAX_LINE: Final = 10_000
MAX_LINES: Final = 2_000_000
MAX_TEXT: Final = 500
# A date before or after these is a slip of the pen, and some programs mean "for now" by the last day of all: the day
# after that one, on which the person would be erased, cannot be reckoned.
EARLIEST: Final = date(1950, 1, 1)
LATEST: Final = date(2199, 12, 31)

REQUIRED: Final = ("henkilotunnus", "palvelu", "alkupaiva")
OPTIONAL: Final = ("loppupaiva", "tuottaja", "viite", "sukunimi", "etunimet")

NO_CODE: Final = {
    Fault.MALFORMED: _("not an identity code"),
    Fault.CHECK_CHARACTER: _("not an identity code: its check character is wrong"),
    Fault.NOT_PERMANENT: _("no permanent code: a test or temporary one, which this installation does not accept"),
    Fault.NOT_TEST: _("not a test code, and this installation accepts only those"),
}
MISSING: Final = _("missing")
FIELDS: Final = _("%(found)s fields where the header has %(wanted)s")
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_FINNISH: Final = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a file: an English text with its numbers and names of columns."""

    text: str
    values: Mapping[str, int | str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values

    def translated(self) -> str:
        """In the language of the page."""
        return gettext(self.text) % self.values


class NotAList(Unreadable):
    """The file as a whole is not such a list; ``words`` tell why, one by one."""

    def __init__(self, *words: Words, columns: bool = False) -> None:
        said = "; ".join(map(str, words))
        known = f" Columns: {', '.join(REQUIRED + OPTIONAL)}."
        super().__init__(f"{said.capitalize()}.{known}" if columns else said)
        self.words = words


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that changes nothing: its number in the file, from 1, the column, and the reason."""

    line: int
    column: str
    reason: Words

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.reason}" if self.column else f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be read, with the numbers of service and provider."""

    number: int
    hetu: Hetu
    service: int
    start: date
    end: date | None
    provider: int | None
    reference: str | None
    last_name: str | None
    first_names: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the lines refer to: services by code, providers by business id, and who produces what."""

    services: Mapping[str, int]
    providers: Mapping[str, int]
    produced: Collection[tuple[int, int]]
    test_codes: bool


class _BadValue(Exception):
    def __init__(self, column: str, reason: str, **values: int) -> None:
        super().__init__(reason)
        self.column, self.reason = column, Words(reason, values)


def check_size(size: int) -> None:
    """Raises Unreadable if a list of so many bytes is not read."""
    if size > MAX_BYTES:
        raise _not_a_list(_("The file is larger than %(most)s megabytes."), most=MAX_BYTES // 1_000_000)


def read(file: BinaryIO, known: Known) -> Iterator[Line | Bad]:
    """The lines of the file, one after the other, in little memory; empty ones are passed over.

    Raises Unreadable when the file as a whole is not such a list: too large, not text in UTF-8, a wrong header.
    """
    texts = _texts(file)
    delimiter, columns = _header(texts)
    for number, text in texts:
        if not text.strip(f"{delimiter} \t"):
            continue
        try:
            yield _line(number, dict(zip(columns, _fields(text, delimiter, len(columns)), strict=True)), known)
        except _BadValue as bad:
            yield Bad(number, bad.column, bad.reason)


def check_header(file: BinaryIO) -> None:
    """Raises Unreadable if the first line does not name the columns of a list, or names another one (domain.md E36)."""
    _header(_texts(file))


def _header(texts: Iterator[tuple[int, str]]) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns."""
    _number, header = next(texts, (1, ""))
    if not header.strip():
        raise _not_a_list(_("The first line is empty. It has to name the columns."))
    delimiter = ";" if ";" in header else ","
    return delimiter, _columns(header, delimiter)


def _not_a_list(text: str, **values: int) -> NotAList:
    return NotAList(Words(text, values))


def _texts(file: BinaryIO) -> Iterator[tuple[int, str]]:
    size = number = 0
    while raw := file.readline(MAX_LINE + 1):
        number += 1
        size += len(raw)
        check_size(size)
        if number > MAX_LINES:
            raise _not_a_list(_("The file has more than %(most)s lines."), most=MAX_LINES)
        if len(raw) > MAX_LINE:
            raise _not_a_list(_("Line %(line)s is longer than %(most)s bytes."), line=number, most=MAX_LINE)
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            text = "\x00"
        # A NUL is no fault of UTF-8, but of most files that are something else.
        if "\x00" in text:
            raise _not_a_list(_("Line %(line)s is not UTF-8 text. Save the file as CSV in UTF-8."), line=number)
        yield number, text.rstrip("\r\n")


def _columns(header: str, delimiter: str) -> list[str]:
    try:
        names = [name.strip().lower() for name in _fields(header, delimiter)]
    except _BadValue:
        raise _not_a_list(_("The header cannot be read: the quotation marks do not match.")) from None
    unknown = [place for place, name in enumerate(names, 1) if name not in REQUIRED + OPTIONAL]
    missing = [name for name in REQUIRED if name not in names]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1 and name in REQUIRED + OPTIONAL]
    faults = [Words(_("column %(place)s of the header is not known"), {"place": place}) for place in unknown[:5]]
    faults += [Words(_("the column %(name)s is missing"), {"name": name}) for name in missing]
    faults += [Words(_("the column %(name)s is there more than once"), {"name": name}) for name in twice]
    if faults:
        raise NotAList(*faults, columns=True)
    return names


def _fields(text: str, delimiter: str, wanted: int | None = None) -> list[str]:
    if '"' in text:
        try:
            fields = next(csv.reader([text], delimiter=delimiter, strict=True))
        except csv.Error:
            fields = []
        # An odd number: half of a field with a line break in it, and the other half would pass for a line.
        if not fields or text.count('"') % 2:
            raise _BadValue("", _("the quotation marks do not match"))
    else:
        fields = text.split(delimiter)
    if wanted is not None and len(fields) != wanted:
        raise _BadValue("", FIELDS, found=len(fields), wanted=wanted)
    return [field.strip() for field in fields]


def _line(number: int, told: Mapping[str, str], known: Known) -> Line:
    try:
        hetu = parse(told["henkilotunnus"], test_codes=known.test_codes)
    except InvalidHetu as error:
        reason = NO_CODE[error.fault] if told["henkilotunnus"] else MISSING
        raise _BadValue("henkilotunnus", reason) from None
    service = known.services.get(told["palvelu"])
    if service is None:
        raise _BadValue("palvelu", _("no service has this code") if told["palvelu"] else MISSING)
    start = _day("alkupaiva", told["alkupaiva"])
    if start is None:
        raise _BadValue("alkupaiva", MISSING)
    end = _day("loppupaiva", told.get("loppupaiva", ""))
    if end is not None and end < start:
        raise _BadValue("loppupaiva", _("before the start date"))
    return Line(
        number=number,
        hetu=hetu,
        service=service,
        start=start,
        end=end,
        provider=_provider(told.get("tuottaja", ""), service, known),
        reference=_text("viite", told),
        last_name=_text("sukunimi", told),
        first_names=_text("etunimet", told),
    )


def _day(column: str, text: str) -> date | None:
    if not text:
        return None
    day = _date(text)
    if day is None:
        raise _BadValue(column, _("not a date like 2026-01-31 or 31.1.2026"))
    if day < EARLIEST:
        raise _BadValue(column, _("too far in the past"))
    if day > LATEST:
        raise _BadValue(column, _("too far in the future"))
    return day


@lru_cache(maxsize=10_000)
def _date(text: str) -> date | None:
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _FINNISH.fullmatch(text):
            return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        pass
    return None


def _provider(text: str, service: int, known: Known) -> int | None:
    if not text:
        return None
    business_id = _business_id(text)
    if business_id is None:
        raise _BadValue("tuottaja", _("not a valid Y-tunnus"))
    provider = known.providers.get(business_id)
    if provider is None:
        raise _BadValue("tuottaja", _("no such provider"))
    if (service, provider) not in known.produced:
        raise _BadValue("tuottaja", _("does not produce this service"))
    return provider


@lru_cache(maxsize=10_000)
def _business_id(text: str) -> str | None:
    try:
        return str(ytunnus.format(ytunnus.validate(text)))
    except ValidationError:
        return None


def _text(column: str, told: Mapping[str, str]) -> str | None:
    text = told.get(column, "")
    if len(text) > MAX_TEXT:
        raise _BadValue(column, _("longer than %(most)s characters"), most=MAX_TEXT)
    if _CONTROL.search(text):
        raise _BadValue(column, _("has control characters"))
    return text or None
