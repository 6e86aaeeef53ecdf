"""The program's own commands as processes of their own, on the test's database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from vtjsync import logs

ROOT = Path(__file__).resolve().parent.parent


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that works on the test's database, with the application's own settings."""
    database = connection.settings_dict
    host, port = database["HOST"], database["PORT"]
    where = f"{host}:{port}" if port else host
    # A directory with sockets takes the place of the host: postgres://user:@//directory/database
    account = f"{database['USER']}:{quote(database['PASSWORD'] or '')}"
    url = f"postgres://{account}@{'//' if host.startswith('/') else ''}{where.lstrip('/')}/{database['NAME']}"
    own = {"DATABASE_URL": url, "ERASURE_LEDGER": str(settings.ERASURE_LEDGER)}
    # The browser's tests set it, and no deployment starts with it.
    given = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return given | {"DJANGO_SETTINGS_MODULE": "vtjsync.settings"} | own | more


def start(*arguments: str, **more: str) -> subprocess.Popen[str]:
    """``manage.py`` with the arguments, under way; ``more`` is added to its environment."""
    return subprocess.Popen([sys.executable, "manage.py", *arguments], stdin=subprocess.DEVNULL, **_how(more))


def run(*arguments: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """``manage.py`` with the arguments, to its end; ``given`` is its standard input."""
    done = subprocess.run([sys.executable, "manage.py", *arguments], input=given, check=False, **_how(more))
    assert logs.REMOVED not in done.stderr, "an identity code was about to be logged"
    return done


def _how(more: dict[str, str]) -> dict[str, Any]:
    return {
        "cwd": ROOT,
        "env": environment(**more),
        "text": True,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
