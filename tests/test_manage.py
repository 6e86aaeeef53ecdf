"""The command line tells what is missing in words, and not by the way that led there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_missing_setting_is_named_in_one_line(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "VTJSYNC_MODE": "demo", "VTJSYNC_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "end_clientships"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "SECRET_KEY" in done.stderr


def test_production_does_not_start_without_a_place_for_the_ledger(tmp_path: Path) -> None:
    """In the program's own folder a restore of the machine might take it back (domain.md F45)."""
    keys = {"SECRET_KEY": "x" * 32, "AUDIT_KEY": "y" * 32, "DATABASE_URL": "postgres://nobody@localhost/none"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "VTJSYNC_VAR": str(tmp_path), **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "ERASURE_LEDGER" in done.stderr
