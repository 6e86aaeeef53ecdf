"""``check_vtj``: how it stands with every part of the way to VTJ (wire.md 1)."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation
from pytest_django import Settings

from registry.models import AuditEvent
from registry.policies import Access
from registry.services.audit import Action
from tests.wire.certificates import NOW, issue, serving
from tests.wire.server import Reply, Server
from vtjsync.engine import check
from vtjsync.engine.check import Part, Tone
from vtjsync.engine.connection import stop
from vtjsync.models import ConnectionCheck, SyncControl
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db
CLERK = Access(None, "test")


def found() -> dict[str, tuple[str, str]]:
    return {one.part: (one.tone, one.word) for one in check.look(datetime.now(UTC))}


def bad() -> dict[str, str]:
    return {part: word for part, (tone, word) in found().items() if tone == Tone.BAD}


def test_everything_is_in_order_and_nothing_personal_is_asked(vtj: Handle) -> None:
    assert found() == {
        Part.SETTINGS: (Tone.GOOD, ""),
        Part.OWN_CERTIFICATE: (Tone.NONE, "PLAIN_HTTP"),
        Part.SERVER_CERTIFICATE: (Tone.NONE, "PLAIN_HTTP"),
        Part.CONNECTION: (Tone.GOOD, ""),
        Part.MEMBERS: (Tone.GOOD, ""),
        Part.PERMIT: (Tone.GOOD, ""),
        Part.ACCOUNT: (Tone.GOOD, ""),
    }
    (asked,) = vtj.requests
    assert asked[0].startswith("kirjausavain/")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("VTJ_CLIENT", "FI-TEST/MUN/0101263-6/somebody", (Part.MEMBERS, "UNKNOWN_CLIENT")),
        ("VTJ_SERVICE", "FI-TEST/GOV/0245437-2/Other/VTJmutpa", (Part.MEMBERS, "UNKNOWN_SERVICE")),
        ("VTJ_SERVICE", "FI-TEST/GOV/0245437-2/VTJmutpa/Other", (Part.PERMIT, "NOT_ALLOWED")),
        ("VTJ_PASSWORD", "wrong", (Part.ACCOUNT, "credentials")),
        ("VTJ_SERVER", "http://127.0.0.1:9", (Part.CONNECTION, "network")),
        ("VTJ_SERVER", "http://example.org", (Part.SETTINGS, "")),
        ("VTJ_SERVER", "", (Part.SETTINGS, "")),
        ("VTJ_CLIENT", "nobody", (Part.SETTINGS, "")),
    ],
)
def test_a_wrong_setting_is_told_at_its_part(
    vtj: Handle, settings: Settings, name: str, value: str, expected: tuple[Part, str]
) -> None:
    setattr(settings, name, value)
    part, word = expected
    assert bad()[part] == word


def test_what_comes_after_a_fault_is_not_tried(vtj: Handle, settings: Settings) -> None:
    settings.VTJ_SERVER = "http://127.0.0.1:9"
    not_tried = [part for part, (_, word) in found().items() if word == "NOT_TRIED"]
    assert not_tried == [Part.MEMBERS, Part.PERMIT, Part.ACCOUNT]


@pytest.mark.parametrize(
    ("reply", "part", "word"),
    [
        (Reply(body=b"<html>"), Part.CONNECTION, "html"),
        (Reply(body=b""), Part.CONNECTION, "empty"),
        (Reply(status=302, headers={"Location": "/elsewhere"}), Part.CONNECTION, "redirect"),
        (Reply(status=500, headers={"X-Road-Error": "Server.ServerProxy.AccessDenied"}), Part.PERMIT, "permit"),
        (Reply(status=500, headers={"X-Road-Error": "server.serverproxy.access_denied"}), Part.PERMIT, "permit"),
        (Reply(status=500, headers={"X-Road-Error": "server.clientproxy.unknown_member"}), Part.MEMBERS, "addressing"),
    ],
)
def test_a_strange_answer_is_told_at_its_part(settings: Settings, reply: Reply, part: Part, word: str) -> None:
    with Server().running() as odd:
        odd.replies = [reply]
        settings.VTJ_SERVER = odd.url
        assert bad() == {part: word}


def test_a_stop_is_not_caused_and_the_account_not_tried_again_while_there_is_one(
    vtj: Handle, settings: Settings
) -> None:
    """Another attempt with a wrong password could lock the account (B16)."""
    settings.VTJ_PASSWORD = "wrong"
    assert bad() == {Part.ACCOUNT: "credentials"}
    assert not SyncControl.objects.exclude(stopped_at=None).exists()
    stop("credentials")
    asked = len(vtj.requests)
    assert found()[Part.ACCOUNT] == (Tone.NONE, "STOPPED")
    assert not [path for path, _ in vtj.requests[asked:] if "kirjausavain" in path]


@pytest.mark.parametrize(
    ("days", "tone", "word"),
    [(31, Tone.GOOD, "VALID"), (30, Tone.WARN, "ENDS_SOON"), (1, Tone.WARN, "ENDS_SOON"), (0, Tone.BAD, "ENDED")],
)
def test_a_certificate_is_warned_of_thirty_days_before_its_end(
    settings: Settings, tmp_path: Path, days: int, tone: Tone, word: str
) -> None:
    ours, theirs = issue(tmp_path, "us", days=days), issue(tmp_path, "server", days=days)
    settings.VTJ_SERVER = "https://127.0.0.1:9"
    settings.VTJ_CERT, settings.VTJ_KEY, settings.VTJ_SERVER_CERT = ours.cert, ours.key, theirs.cert
    told = {one.part: one for one in check.look(NOW)}
    for part in (Part.OWN_CERTIFICATE, Part.SERVER_CERTIFICATE):
        assert (told[part].tone, told[part].word, told[part].days) == (tone, word, days)


def test_tls_is_tried_with_the_pinned_certificate(settings: Settings, tmp_path: Path) -> None:
    authority = issue(tmp_path, "authority", authority=True)
    us, theirs, other = (issue(tmp_path, name, authority) for name in ("us", "server", "other"))
    settings.VTJ_CERT, settings.VTJ_KEY = us.cert, us.key
    with Server(serving(theirs, authority)).running() as secure:
        provider = dict(zip(("xroad_instance", "member_class", "member_code", "subsystem_code"),
                            settings.VTJ_SERVICE.split("/"), strict=False))  # fmt: skip
        secure.replies = [Reply(body=json.dumps({"member": [{"id": provider}]}).encode())]
        settings.VTJ_SERVER = secure.url
        settings.VTJ_SERVER_CERT = theirs.cert
        assert found()[Part.CONNECTION] == (Tone.GOOD, "")
        settings.VTJ_SERVER_CERT = other.cert
        assert bad() == {Part.CONNECTION: "server_certificate"}
        settings.VTJ_SERVER_CERT, settings.VTJ_CERT, settings.VTJ_KEY = theirs.cert, "", ""
        assert bad() == {Part.CONNECTION: "own_certificate"}
        settings.VTJ_SERVER_CERT = str(tmp_path / "missing.crt")
        assert bad().keys() == {Part.SETTINGS, Part.SERVER_CERTIFICATE}


def test_the_check_is_written_down_and_audited_and_old_ones_go(vtj: Handle) -> None:
    old = ConnectionCheck.objects.create(started_by="schedule", started_at=datetime.now(UTC) - timedelta(days=91))
    number = check.begin(CLERK, "command")
    findings = check.run(number)
    row = ConnectionCheck.objects.get(pk=number)
    assert [check.Finding(**one) for one in row.findings] == findings
    assert row.ended_at is not None
    assert not ConnectionCheck.objects.filter(pk=old.pk).exists()
    assert AuditEvent.objects.filter(action=Action.CHECK_VTJ).count() == 1


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_finding_has_its_words(language: str) -> None:
    found = [check.Finding(Part.ACCOUNT, Tone.BAD, reason, day="2026-01-09") for reason in [*check.WORDS, *check.TEXTS]]
    found += [check.Finding(part, Tone.GOOD) for part in check.GOOD]
    with translation.override(language):
        words = [check.words(one) for one in found]
    assert all(words)
    assert len(set(words)) == len(words)
    assert any("9.1.2026" in one for one in words)


def test_the_command_tells_each_part_in_words(vtj: Handle, settings: Settings) -> None:
    out = io.StringIO()
    call_command("check_vtj", stdout=out)
    assert "In order     Right to use VTJ's service: Our subsystem may use the service." in out.getvalue()
    assert len(out.getvalue().splitlines()) == len(Part)
    settings.VTJ_PASSWORD = "wrong"
    with pytest.raises(CommandError) as error:
        call_command("check_vtj", stdout=out)
    assert error.value.returncode == 1
    assert "VTJ does not accept the user name and password" in out.getvalue()
