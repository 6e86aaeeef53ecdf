"""``verify_audit`` and ``hold_audit`` as an operator calls them: what they say, how they exit (outside.md)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registry.models import AuditEvent, AuditHold
from registry.services import audit_check
from tests import evidence, processes

pytestmark = pytest.mark.django_db(transaction=True)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Path:
    """A log of the workers, with three seals in it."""
    caplog.set_level(logging.INFO, "vtjsync.audit")
    for _ in range(3):
        evidence.sealed()
    path = tmp_path / "workers.log"
    text = [f"2026-11-25 12:00:00,000 INFO vtjsync.audit: {line}\n" for line in caplog.messages]
    path.write_text("Ä started\n" + "".join(text), encoding="latin-1")
    return path


def test_a_whole_log(capsys: pytest.CaptureFixture[str]) -> None:
    evidence.sealed(2)
    evidence.record()
    capsys.readouterr()
    call_command("verify_audit")
    assert lines(capsys) == ["1 seals with 2 events looked at; 1 events were not sealed yet; nothing wrong."]


def test_what_was_not_sealed_is_sealed_now(capsys: pytest.CaptureFixture[str]) -> None:
    evidence.record(3)
    call_command("verify_audit")
    evidence.seal()
    evidence.tamper("DELETE FROM registry_auditevent WHERE id = (SELECT min(id) FROM registry_auditevent)")
    with pytest.raises(CommandError, match="The first broken seal is 1") as error:
        call_command("verify_audit")
    assert error.value.returncode == 1


def test_a_broken_log_names_the_first_broken_seal_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        evidence.sealed()
    evidence.tamper(
        "UPDATE registry_auditevent SET username = 'x' WHERE id > (SELECT min(id) FROM registry_auditevent)"
    )
    monkeypatch.setattr("registry.management.commands.verify_audit.SHOWN", 2)
    capsys.readouterr()
    with pytest.raises(CommandError, match="The first broken seal is 2") as error:
        call_command("verify_audit")
    assert error.value.returncode == 1
    said = lines(capsys)
    assert [line.split(":")[0] for line in said[:2]] == ["seal 2", "seal 3"]
    assert said[2:] == [
        "and 1 more",
        "4 seals with 4 events looked at; 0 events were not sealed yet; 3 wrong.",
    ]


def test_the_outside_copy(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_audit", "--seals", str(log))
    assert "3 seals of the outside copy compared" in lines(capsys)[-1]
    log.write_text(log.read_text(encoding="latin-1").replace("events 1 digest", "events 2 digest"))
    with pytest.raises(CommandError, match="first broken seal is 1") as error:
        call_command("verify_audit", "--seals", str(log))
    assert error.value.returncode == 1


def test_an_outside_copy_that_cannot_be_read(tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_text("nothing\n")
    for path, words in ((tmp_path / "none.log", "No such file"), (tmp_path, "directory"), (empty, "no line tells")):
        with pytest.raises(CommandError, match=words) as error:
            call_command("verify_audit", "--seals", str(path))
        assert error.value.returncode == 2


def test_it_exits_as_promised() -> None:
    evidence.sealed()
    assert processes.run("verify_audit").returncode == 0
    evidence.seal()
    evidence.tamper("UPDATE registry_auditevent SET username = 'x'")
    done = processes.run("verify_audit")
    assert (done.returncode, "first broken seal is 1" in done.stderr) == (1, True)
    assert processes.run("verify_audit", "--seals", "/none").returncode == 2
    assert processes.run("verify_audit", "--seal").returncode == 2


def test_only_so_many_findings_are_kept_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_check, "KEPT", 2)
    report = audit_check.Report()
    for number in range(5):
        report.found(number, "x")
    assert (report.count, len(report.findings)) == (5, 2)


def test_g46_an_inquiry_is_placed_and_released(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("hold_audit", "--reason", "Selvitys 12/2026", "--by", "tietosuojavastaava")
    hold = AuditHold.objects.get()
    assert (hold.reason, hold.placed_by, hold.released_at) == ("Selvitys 12/2026", "tietosuojavastaava", None)
    assert lines(capsys)[0].startswith(f"{hold.pk}: Selvitys 12/2026 (tietosuojavastaava, ")
    call_command("hold_audit", "--release", str(hold.pk), "--by", "tietosuojavastaava")
    assert lines(capsys) == ["No inquiry holds the audit log: months are removed when their time is over."]
    hold.refresh_from_db()
    assert hold.released_at is not None
    told = AuditEvent.objects.order_by("pk").values_list("action", "basis", "details")
    assert list(told) == [
        ("HOLD_AUDIT", "hold_audit command", {"hold": hold.pk}),
        ("RELEASE_AUDIT", "hold_audit command", {"hold": hold.pk}),
    ]


def test_an_inquiry_needs_a_reason_and_somebody_who_decides() -> None:
    for options, code in (
        (["--reason", "x"], 2),
        (["--reason", " ", "--by", "x"], 2),
        (["--release", "1"], 2),
        (["--release", "1", "--by", "x"], 1),
    ):
        with pytest.raises(CommandError) as error:
            call_command("hold_audit", *options)
        assert error.value.returncode == code
    assert not AuditEvent.objects.exists()
