"""The log: what it tells of an error, which request a line belongs to, and no identity code (domain.md G49).

Whoever logs leaves personal data out. That no code leaves the process is looked at once more here, at the last place
that every line passes: the finished text with its message, arguments and errors. What had to be removed is counted,
and is a defect of whoever logged it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Final
from uuid import uuid4

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

REMOVED: Final = "[identity code removed]"
# An id or a digest can look like a code inside; it is passed over whole. After it: a day and a month, two digits, a
# separator of today or of before (domain.md A7), also as typography or an address spells it, and the rest.
_CODE: Final = re.compile(
    r"(?P<other>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-z])[0-9a-f]{32,}(?![0-9a-z]))"
    r"|(?<!\d)[0-3]\d[01]\d{3}(?:[-+‐‑‒–−A-FU-Y]|%2[bd])\d{3}[0-9A-Y](?!\d)",
    re.IGNORECASE | re.ASCII,
)
# What ends a line, or tells a terminal to do something, whoever gave it.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# What a proxy may name a request: six digits in a row could be the beginning of a code.
_NAME: Final = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|(?!.*[0-9]{6})[A-Za-z0-9-]{1,64}")

_request: ContextVar[str] = ContextVar("request", default="")


class Removals:
    """How many codes this process had to remove from its log, and how many of those were not yet told to the others
    (vtjsync.tallies). ``total`` never goes down."""

    def __init__(self) -> None:
        self.total = 0
        self._told = 0
        self._lock = threading.Lock()

    def add(self, number: int) -> None:
        """So many more."""
        with self._lock:
            self.total += number

    def take(self) -> int:
        """How many were removed since this was last asked."""
        with self._lock:
            number, self._told = self.total - self._told, self.total
        return number

    def untake(self, number: int) -> None:
        """So many could not be told after all."""
        with self._lock:
            self._told -= number


removals = Removals()


def request_id() -> str:
    """The id of the request or task that this is done for; empty outside of any."""
    return _request.get()


@contextmanager
def request(name: str = "") -> Iterator[str]:
    """Everything that is done inside is done for the request of this name, or for a new one. Gives its id."""
    token = _request.set(name if _NAME.fullmatch(name) else str(uuid4()))
    try:
        yield _request.get()
    finally:
        _request.reset(token)


def begin_request(name: str = "") -> None:
    """The same for a worker, which does one thing after the other."""
    _request.set(name if _NAME.fullmatch(name) else str(uuid4()))


def end_request() -> None:
    """What is done from here on is done for no request."""
    _request.set("")


def without_codes(text: str) -> str:
    """The text without what looks like an identity code. Counts what it removes."""
    number = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal number
        if found["other"]:
            return found[0]
        number += 1
        return REMOVED

    text = _CODE.sub(replace, text)
    if number:
        removals.add(number)
    return text


def escaped(text: str) -> str:
    """The text without control characters, but for plain ends of lines and tabs: each as JSON would spell it."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def places(error: BaseException) -> str:
    """The kind of the error and the lines of the code that it came through, and the same of what caused it."""
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(f"{type(cause).__name__}\n{''.join(traceback.format_tb(cause.__traceback__))}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "caused by ".join(told).rstrip()


class WithoutTexts(logging.Formatter):
    """A line to read, and below it the places of an error, without its text."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without identity codes."""
        # Another handler may have left the whole text here.
        record.exc_text = None
        record.request_id = request_id() or "-"
        try:
            return without_codes(super().format(record))
        except Exception:
            # The library would print the arguments.
            return f"{record.levelname} {record.name}: a line that cannot be made, of {record.module}:{record.lineno}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The line; what was given with an end of a line in it goes on below, set in, and cannot pass for another."""
        record.message = escaped(record.message).replace("\n", "\n    ")
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the library's name
        """Kinds and places only."""
        return places(ei[1]) if ei[1] else ""


class Json(WithoutTexts):
    """The same as one JSON object a line, for a program that collects logs."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The line itself; what follows an error comes with it."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request": record.request_id,  # type: ignore[attr-defined]
            "process": record.process,
        }
        if record.exc_info and record.exc_info[1]:
            told["error"] = places(record.exc_info[1])
        if record.stack_info:
            told["stack"] = record.stack_info
        return escaped(json.dumps(told, ensure_ascii=False))

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the library's name
        """Nothing: it is in the line."""
        return ""

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the library's name
        """Nothing: it is in the line."""
        return ""
