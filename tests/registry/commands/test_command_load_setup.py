"""``load_setup`` as an operator calls it: what it says where, and how it exits (outside.md, Commands). What a file may
hold is tested beside the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.models import AuditEvent, Service
from tests import processes

pytestmark = pytest.mark.django_db(transaction=True)

UNIT = {"koodi": "KOTI", "nimi": {"fi": "Kotihoito"}}
SERVICE = {"koodi": "KOTIHOITO", "nimi": {"fi": "Kotihoito"}, "laji": "PALVELUSETELI", "yksikko": "KOTI"}


def write(path: Path, content: object) -> str:
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_exit_0_and_the_counts_on_standard_output(tmp_path: Path) -> None:
    file = write(tmp_path / "setup.json", {"yksikot": [UNIT], "palvelut": [SERVICE]})
    first, second = (processes.run("load_setup", file) for _ in range(2))
    assert (first.returncode, first.stderr) == (second.returncode, second.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        "luvansaaja: 1 added, 0 changed, 0 the same",
        "luvat: 0 added, 0 changed, 0 the same",
        "yksikot: 1 added, 0 changed, 0 the same",
        "tuottajat: 0 added, 0 changed, 0 the same",
        "palvelut: 1 added, 0 changed, 0 the same",
    ]
    assert "palvelut: 0 added, 0 changed, 1 the same" in second.stdout
    assert Service.objects.get().code == "KOTIHOITO"
    assert AuditEvent.objects.get().basis == "load_setup command"


def test_exit_1_when_the_content_contradicts_itself(tmp_path: Path) -> None:
    refused = processes.run("load_setup", write(tmp_path / "setup.json", {"palvelut": [SERVICE]}))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "KOTIHOITO refers to the unit KOTI, which is not there" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not Service.objects.exists()


def test_exit_2_for_what_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "setup.json"
    for path, words in (
        (write(file, {"palvelu": []}), "unknown field `palvelu`"),
        (str(tmp_path / "none.json"), f"{tmp_path / 'none.json'}: No such file"),
    ):
        wrong = processes.run("load_setup", path)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert words in wrong.stderr
        assert "Traceback" not in wrong.stderr
