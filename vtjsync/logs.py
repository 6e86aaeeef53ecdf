"""What the log tells of an error: what it was and where, and not its text, which may hold a person's data (G49)."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def places(error: BaseException) -> str:
    """The kind of the error and the lines of the code that it came through, and the same of what caused it."""
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(f"{type(cause).__name__}\n{''.join(traceback.format_tb(cause.__traceback__))}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "caused by ".join(told).rstrip()


class WithoutTexts(logging.Formatter):
    """Formats as usual, but for the texts of errors."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the places of an error."""
        # Another handler may have left the whole text here.
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the library's name
        """Kinds and places only."""
        return places(ei[1]) if ei[1] else ""
