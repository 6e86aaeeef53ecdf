"""Two things at once, each on a connection of its own, in an order that the test chooses."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from django.db import connection, transaction


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
