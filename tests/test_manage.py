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
