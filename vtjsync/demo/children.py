"""The demo's other processes: started with their logs, stopped together, none left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 10.0
PR_SET_PDEATHSIG: Final = 1


class Child:
    """A process of the demo, in a group of its own so that a Ctrl-C in the terminal is ours alone to handle."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path, folder: Path) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - before any thread
            )

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.poll() is not None

    def ask_to_stop(self) -> None:
        """Sends SIGTERM."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def wait_or_kill(self, until: float) -> None:
        """Waits until ``until`` (time.monotonic) for the process to end, then ends it and what it has started."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, until - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """Stops them, the last one started first, within ten seconds in all."""
    until = time.monotonic() + STOP_SECONDS
    for child in reversed(children):
        child.ask_to_stop()
    for child in reversed(children):
        child.wait_or_kill(until)


def _end_with_parent() -> None:
    """Between fork and exec: the kernel sends SIGTERM when the demo itself is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
