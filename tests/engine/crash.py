"""A run that ends in the middle: at any line of the engine, or of the services that write for it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection, connections

from vtjsync.models import SyncRun

ROOT: Final = Path(__file__).resolve().parents[2]
STEPS_IN: Final = frozenset(
    str(path)
    for path in [
        *(ROOT / "vtjsync" / "engine").glob("*.py"),
        *(ROOT / "registry" / "services" / f"{name}.py" for name in ("audit", "codes", "problems", "vtj_data")),
    ]
)


class Killed(BaseException):
    """The process is gone: nothing of the program catches this."""


# How a run can end before its time: killed, stopped by an operator, or by a defect.
ENDS: Final[dict[str, type[BaseException]]] = {"killed": Killed, "stopped": KeyboardInterrupt, "failed": RuntimeError}


@contextmanager
def after(steps: int, error: type[BaseException]) -> Iterator[None]:
    """Raises the error at the so-manieth line that is come to; not at all when there are fewer. Catches it at the end
    of the block, and what was open in the database is rolled back, as it is when a process ends."""
    left = steps

    def line(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                sys.settrace(None)
                raise error
        return line

    before = sys.gettrace()
    sys.settrace(lambda frame, _event, _argument: line if frame.f_code.co_filename in STEPS_IN else None)
    try:
        yield
    except error:
        pass
    finally:
        sys.settrace(before)
        if left <= 0:
            _die()


def _die() -> None:
    """What else the end of a process brings, though this one lives on: its connection is gone, whatever was open on
    it, and so is the owner of its run."""
    connection.connection.close()
    del connections[DEFAULT_DB_ALIAS]
    SyncRun.objects.filter(state=SyncRun.State.RUNNING).update(owner=f"{socket.gethostname()}:{os.getpid()}:1")
