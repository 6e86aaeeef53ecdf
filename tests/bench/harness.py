"""What the measurements share: a server, an empty register, a clock and a row of the table."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypedDict

from vtjsync.demo import postgres

VAR: Final = Path(__file__).resolve().parents[2] / "var" / "bench"
SETTINGS: Final = {
    "DJANGO_SETTINGS_MODULE": "vtjsync.settings",
    "VTJSYNC_MODE": "demo",
    "VTJSYNC_VAR": str(VAR),
    "SECRET_KEY": "only-for-measuring-" * 4,
    "AUDIT_KEY": "only-for-measuring-the-log-" * 4,
    "HETU_ALLOW_TEST_CODES": "true",
}


class Server(TypedDict):
    """Where the server is."""

    host: str
    user: str
    dbname: str


@contextmanager
def server() -> Iterator[Server]:
    """PostgreSQL as it comes, with durable settings; nothing of it is left afterwards. Two would measure each other, so
    that the second one waits."""
    VAR.parent.mkdir(exist_ok=True)
    with VAR.with_suffix(".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        _remove()
        try:
            found = postgres.ensure_running(VAR)
            yield {"host": found["HOST"], "user": found["USER"], "dbname": found["NAME"]}
        finally:
            _remove()


def head(database: Any) -> str:
    """The machine, and the head of the table."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    version = divmod(database.server_version, 10_000)
    machine = f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB of memory"
    programs = f"PostgreSQL {version[0]}.{version[1]}, Python {sys.version.split()[0]}"
    table = "| what | size | time | beside it, in the same run | time | ratio |\n|---|--:|--:|---|--:|--:|"
    return f"{machine}; {programs}\n\n{table}"


def measure(work: str, size: int) -> None:
    """One measurement in this process, whose environment names an empty database."""
    import django

    django.setup()
    logging.disable()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    import_module(f"tests.bench.{work}").measure(size)


def row(what: str, size: str, taken: float, beside: str, other: float) -> None:
    """Prints a row of the table; times in seconds."""
    print(f"| {what} | {size} | {_time(taken)} | {beside} | {_time(other)} | {taken / other:.1f} |", flush=True)


def seconds(work: Callable[[], Any]) -> float:
    """How long the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median(work: Callable[[], Any], times: int = 21) -> float:
    """How long the work takes when it is done again and again."""
    return statistics.median(seconds(work) for _ in range(times))


def empty_register() -> None:
    """Takes all persons out, as if there had been none; units, services and the permit stay."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE registry_person, registry_subjectcode, vtjsync_cohort, vtjsync_syncrun CASCADE")
        cursor.execute("VACUUM ANALYZE")


def _time(taken: float) -> str:
    return f"{taken:.1f} s" if taken >= 1 else f"{taken * 1000:.1f} ms"


def _remove() -> None:
    postgres.remove(VAR)
    place = postgres._place(VAR)
    for left in (place.data.parent, place.sockets, VAR):
        shutil.rmtree(left, ignore_errors=True)
