"""Every line that any logger would write at its most talkative, as production writes it and as it was given."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vtjsync.logs import Json, WithoutTexts

PLAIN: Final = "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"


class Heard(logging.Handler):
    """``lines`` as the two formatters of the settings write them. ``messages`` before anything was taken out: what
    whoever logs has put in."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.messages: list[str] = []
        self._met: set[str] = set()
        self._forms = (WithoutTexts(PLAIN), Json())

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the record in every form; of errors that are met all the time, which a template does, once."""
        message = f"{record.name}: {record.getMessage()}"
        if record.exc_info is None or message not in self._met:
            self.lines += [form.format(record) for form in self._forms]
        self._met.add(message)
        self.messages.append(message)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Everything from DEBUG on, of every logger. Where a logger was made to be silent it is not."""
        every = [logging.getLogger(), *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
        before = [(one, one.level, one.propagate) for one in every]
        for one in every:
            one.setLevel(logging.DEBUG)
            one.propagate = True
        handlers, every[0].handlers = every[0].handlers, [self]
        try:
            yield
        finally:
            every[0].handlers = handlers
            for one, level, propagate in before:
                one.setLevel(level)
                one.propagate = propagate
