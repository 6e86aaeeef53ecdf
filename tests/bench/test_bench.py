"""Every measurement runs, in a small size, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import harness
from tests.bench.__main__ import WORKS

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


@pytest.mark.long
def test_every_measurement_runs_and_leaves_nothing() -> None:
    for work in WORKS:
        done = bench(work, "200")
        assert (done.returncode, done.stderr) == (0, "")
        machine, _, _head, _line, *rows = done.stdout.splitlines()
        assert "PostgreSQL" in machine
        assert rows
        assert all(row.count("|") == 7 and " 200 " in row for row in rows)
        assert not harness.VAR.exists()


@pytest.mark.parametrize("arguments", [("no_such",), ("changes", "many"), ("changes", "1", "2")])
def test_called_wrongly_it_says_how(arguments: tuple[str, ...]) -> None:
    done = bench(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "first_load" in done.stderr
