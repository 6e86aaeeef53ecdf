"""The embedded PostgreSQL starts where nothing is prepared, and again after a crash."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from vtjsync.demo import postgres


@pytest.fixture
def var() -> Iterator[Path]:
    """A var directory as in a checkout that nobody else may enter: root's server has to move its things."""
    with TemporaryDirectory() as name:
        directory = Path(name) / "var"
        yield directory
        postgres.stop(directory)
        place = postgres._place(directory)
        for left in (place.data.parent, place.sockets):
            shutil.rmtree(left, ignore_errors=True)


def connected(database: dict[str, Any]) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(host=database["HOST"], user=database["USER"], dbname=database["NAME"], port=postgres.PORT)


def setting(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> Any:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return row[0]


def server_pid(var: Path) -> int:
    return int((postgres._place(var).data / "postmaster.pid").read_text().split()[0])


def test_it_starts_listens_on_no_port_and_logs_no_statement(var: Path) -> None:
    with connected(postgres.ensure_running(var, durable=False)) as connection:
        assert setting(connection, "listen_addresses") == ""
        assert setting(connection, "log_min_error_statement") == "panic"
        assert setting(connection, "log_error_verbosity") == "terse"
        assert setting(connection, "server_encoding") == "UTF8"


def test_only_its_user_reaches_the_socket(var: Path) -> None:
    host = Path(postgres.ensure_running(var, durable=False)["HOST"])
    assert stat.S_IMODE(host.stat().st_mode) == 0o700


def test_the_demo_keeps_its_data_through_a_crash(var: Path) -> None:
    with connected(postgres.ensure_running(var)) as connection:
        assert setting(connection, "fsync") == "on"
        connection.execute("CREATE TABLE kept (id int)")
    os.kill(server_pid(var), signal.SIGQUIT)
    time.sleep(0.5)
    with connected(postgres.ensure_running(var)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_pid_file_whose_number_belongs_to_another_process_is_in_nobodys_way(var: Path) -> None:
    postgres.ensure_running(var, durable=False)
    file = postgres._place(var).data / "postmaster.pid"
    lines = file.read_text().splitlines()
    postgres.stop(var)
    file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with connected(postgres.ensure_running(var, durable=False)):
        pass


def test_two_that_start_at_once_share_one_server(var: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: postgres.ensure_running(var, durable=False), range(2))
    assert first == second
    with connected(first):
        pass


def test_a_socket_directory_that_somebody_else_has_put_there_is_refused(var: Path) -> None:
    place = postgres._place(var)
    place.sockets.symlink_to("/tmp")  # noqa: S108
    try:
        with pytest.raises(postgres.NoPostgres, match="belongs to somebody else"):
            postgres.ensure_running(var, durable=False)
    finally:
        place.sockets.unlink()
