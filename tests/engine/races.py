"""Several things at once, each on a connection of its own, in an order that the test chooses."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from types import CodeType, FrameType
from typing import Any, Final

from django.db import connection, transaction

# Longer than anything here may take, PostgreSQL's look for deadlocks included.
PATIENCE: Final = 30.0
LOOK_SECONDS: Final = 0.003


def until_somebody_waits(seconds: float = 10) -> None:
    """Returns when another transaction waits for this one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waited")


def overtaking(first: Callable[[], object], second: Callable[[], object]) -> BaseException | None:
    """Does the first, and commits it only when the second waits for it. Returns what the second raised.

    Whatever the first raises is raised.
    """
    done = Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                first()
                done.set()
                until_somebody_waits()
        finally:
            done.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert done.wait(20)
        try:
            second()
        except Exception as error:
            return error
        finally:
            holding.result()
    return None


class Actor:
    """Somebody at work, in a thread and on a connection of their own, who stops where the test says.

    ``stops``: the functions before whose first line they stop, each once and in this order. ``result`` and ``error``
    are what came of it when they have ended.
    """

    def __init__(self, name: str, act: Callable[[], object], *stops: Callable[..., object]) -> None:
        self.name = name
        self.result: object = None
        self.error: Exception | None = None
        self._act, self._stops = act, [stop.__code__ for stop in stops]
        self._pid = 0
        self._stopped, self._go, self._ended = Event(), Event(), Event()
        self._thread = Thread(target=self._work, name=name, daemon=True)

    def start(self) -> Actor:
        """Begins, and returns when they have come to the first stop, wait for a lock, or have ended."""
        self._thread.start()
        return self._settle()

    def go_on(self) -> Actor:
        """Lets them go on from a stop, if they stand at one; returns as :meth:`start` does."""
        self._let_go()
        return self._settle()

    def end(self) -> Actor:
        """Lets them go on to the end, over every stop, and waits for it. They must not hang."""
        while not self.ended:
            self._let_go()
            self._until(lambda: self.stopped or self.ended)
        return self

    @property
    def begun(self) -> bool:
        """Whether they have been started."""
        return self._thread.ident is not None

    @property
    def stopped(self) -> bool:
        """Whether they stand at a stop."""
        return self._stopped.is_set()

    @property
    def ended(self) -> bool:
        """Whether all of it is done."""
        return self._ended.is_set()

    def _let_go(self) -> None:
        if self.stopped:
            self._stopped.clear()
            self._go.set()

    def _settle(self) -> Actor:
        self._until(lambda: self.stopped or self.ended or self.waits)
        return self

    def _until(self, so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < deadline, f"{self.name} hangs"
            time.sleep(LOOK_SECONDS)

    @property
    def waits(self) -> bool:
        """Whether PostgreSQL lets them wait for a lock."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self._pid])
            return bool(self._pid and cursor.fetchone()[0])

    def _work(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self._pid = cursor.fetchone()[0]
            if self._stops:
                sys.settrace(self._call)
            self.result = self._act()
        except Exception as error:
            self.error = error
        finally:
            sys.settrace(None)
            connection.close()
            self._ended.set()

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> None:
        """Python's hook: a function is called."""
        if self._next is frame.f_code:
            self._stops.pop(0)
            if not self._stops:
                sys.settrace(None)
            self._stopped.set()
            assert self._go.wait(PATIENCE)
            self._go.clear()

    @property
    def _next(self) -> CodeType | None:
        return self._stops[0] if self._stops else None


@contextmanager
def holding(person_ids: Sequence[int]) -> Iterator[None]:
    """Everybody who wants one of the persons waits until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM registry_person WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [list(person_ids)])
        yield
