"""The commands of outside.md, the simulator in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from vtjsync.simulator.server import Handle

ROOT = Path(__file__).resolve().parents[2]
# The commands use no database: one that is not there proves it.
ENVIRONMENT = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "SECRET_KEY": "s" * 40,
    "AUDIT_KEY": "a" * 40,
    "VTJSYNC_MODE": "demo",
}


def simulator_process(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "vtj_simulator", "--population", "200", "--seed", "3", *arguments]
    environment = os.environ | ENVIRONMENT
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def control(simulator: Handle, *arguments: str) -> str:
    out = StringIO()
    call_command("vtj_simulator_control", "--port", str(simulator.port), *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = simulator_process("--port", "0", "--state", str(tmp_path / "state.json"))
    assert process.stdout is not None
    line = process.stdout.readline()
    yield process, int(line.split("127.0.0.1:")[1].split(":")[0])
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_simulator_says_that_it_is_ready_and_ends_cleanly(
    served: tuple[subprocess.Popen[str], int], number: signal.Signals, tmp_path: Path
) -> None:
    process, port = served
    call_command("vtj_simulator_control", "--port", str(port), "advance", "--days", "2", stdout=StringIO())
    assert json.loads((tmp_path / "state.json").read_text())["deeds"][0]["days"] == 2
    process.send_signal(number)
    out, error = process.communicate(timeout=10)
    assert (process.returncode, out, error) == (0, "", "")


def test_a_taken_port_is_said_in_words(simulator: Handle) -> None:
    process = simulator_process("--port", str(simulator.port))
    _, error = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"Port {simulator.port} cannot be used" in error
    assert "Traceback" not in error


def test_truth_is_written_as_json_lines_for_its_owner(simulator: Handle, tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    control(simulator, "advance", "--days", "3")
    control(simulator, "truth", str(file), "--count", "50")
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert records == simulator.truth(simulator.codes(50))
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_truth_of_chosen_codes(simulator: Handle, tmp_path: Path) -> None:
    codes, file = tmp_path / "codes", tmp_path / "truth"
    control(simulator, "codes", str(codes), "--count", "5")
    chosen = codes.read_text().split()
    assert chosen == simulator.codes(5)
    control(simulator, "truth", str(file), "--codes", str(codes))
    assert [json.loads(line)["henkilotunnus"] for line in file.read_text().splitlines()] == sorted(chosen)


def test_truth_of_everybody(simulator: Handle, tmp_path: Path) -> None:
    control(simulator, "truth", str(tmp_path / "truth"))
    assert len((tmp_path / "truth").read_text().splitlines()) == 300


def test_faults_by_command(simulator: Handle) -> None:
    assert json.loads(control(simulator, "faults", "429=2,leftout"))["faults"] == {"429": 2, "leftout": None}
    assert json.loads(control(simulator, "faults", "none"))["faults"] == {}
    with pytest.raises(CommandError, match="no such fault: boom") as caught:
        control(simulator, "faults", "boom")
    assert caught.value.returncode == 2


def test_an_event_by_command(simulator: Handle) -> None:
    control(simulator, "happen", "died")
    assert [kind for kind, _ in simulator.events()] == ["died"]


def test_control_of_a_simulator_that_is_not_there(simulator: Handle) -> None:
    simulator.stop()
    with pytest.raises(CommandError, match="No simulator answers") as caught:
        control(simulator, "status")
    assert caught.value.returncode == 1


def test_a_codes_file_that_is_not_there(simulator: Handle, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        control(simulator, "truth", str(tmp_path / "truth"), "--codes", str(tmp_path / "none"))
    assert caught.value.returncode == 2
