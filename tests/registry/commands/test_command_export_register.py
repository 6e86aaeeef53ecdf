"""``export_register`` as an operator calls it: what it says where, and how it exits (outside.md, Commands)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registry.models import AuditEvent, PersonCode
from tests import processes
from tests.factories import PersonFactory, code_of, new_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "register.jsonl"


def codes(file: Path) -> list[str]:
    return [json.loads(line)["henkilotunnus"] for line in file.read_text(encoding="utf-8").splitlines()]


def test_protected_and_former_come_by_their_flags_only(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    person, protected = PersonFactory.create(), PersonFactory.create(protected=True)
    PersonCode.objects.create(person=person, hetu=new_code(), current=False)
    call_command("export_register", file)
    assert capsys.readouterr().out == f"1 persons written to {file}\n"
    assert codes(file) == [code_of(person)]
    assert json.loads(file.read_text())["edelliset_henkilotunnukset"] == []
    call_command("export_register", file, "--include-protected")
    assert set(codes(file)) == {code_of(person), code_of(protected)}
    call_command("export_register", file, "--include-former")
    assert len(json.loads(file.read_text())["edelliset_henkilotunnukset"]) == 1
    assert [event.basis for event in AuditEvent.objects.all()] == ["export_register command"] * 3


def test_what_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no folder" / "file", Path("/"), Path(), tmp_path / ("x" * 300)):
        with pytest.raises(CommandError) as error:
            call_command("export_register", path)
        assert error.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_exit_0_and_a_file_for_its_owner(file: Path) -> None:
    person = PersonFactory.create(home=True)
    done = processes.run("export_register", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"1 persons written to {file}\n", "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert codes(file) == [code_of(person)]
    assert json.loads(file.read_text())["kotikunta"]["kuntakoodi"] == "091"
    assert AuditEvent.objects.get().subjects == [person.subject]


@pytest.mark.django_db(transaction=True)
def test_exit_2_for_a_file_that_cannot_be_written_and_for_none(tmp_path: Path) -> None:
    for arguments, words in (([str(tmp_path)], "Is a directory"), ([], "required")):
        wrong = processes.run("export_register", *arguments)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert words in wrong.stderr
        assert "Traceback" not in wrong.stderr
    assert not AuditEvent.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_exit_1_without_a_database(file: Path) -> None:
    nowhere = processes.run("export_register", str(file), DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert not file.exists()
