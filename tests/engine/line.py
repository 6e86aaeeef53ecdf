"""The line from the program to a simulated VTJ whose clock the test holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from django.test import override_settings

from vtjsync.models import SyncControl
from vtjsync.simulator import server
from vtjsync.simulator.server import Handle
from vtjsync.wire.line import Line


class Clock:
    """VTJ's time, which passes only when it is told to, and a moment each time that it is read."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def let_ask() -> None:
    """Nothing is stopped, and VTJ need not be left alone any more."""
    SyncControl.objects.update(stopped_reason="", quota_until=None)


@contextmanager
def line_to(vtj: Handle, **settings: object) -> Iterator[None]:
    """The settings point to the VTJ, and attempts follow each other without the waits between them: what VTJ asked to
    be waited for is over at once."""
    own = {
        "VTJ_SERVER": vtj.url,
        "VTJ_CLIENT": server.CLIENT,
        "VTJ_USERNAME": server.USERNAME,
        "VTJ_PASSWORD": server.PASSWORD,
    }
    waits = patch.dict(Line.__init__.__kwdefaults__ or {}, sleep=lambda _seconds: let_ask())
    with override_settings(**own, **settings), waits:
        yield
