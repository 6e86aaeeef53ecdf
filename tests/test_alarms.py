"""What administrators are told of by e-mail, once, again while it lasts, and when it is over (domain.md E41, G46)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django_q.models import OrmQ, Schedule
from pytest_django import Settings

from registry.models import AuditEvent, Clientship, EmergencyAccess, Person
from tests import evidence
from tests.factories import ClientshipFactory, PersonFactory, UserFactory, emergency
from tests.test_operations_pages import complete_run
from vtjsync import alarms, tasks
from vtjsync.alarms import Kind
from vtjsync.engine import run as engine
from vtjsync.engine.check import Part, Tone
from vtjsync.engine.connection import stop
from vtjsync.models import Alarm, Brake, Cohort, ConnectionCheck, Silence, SyncRun

pytestmark = pytest.mark.django_db

OPERATIONS = (Path(__file__).resolve().parent.parent / "docs" / "operations.md").read_text()
GRAVE, ALL = "pager@example.fi", "on-call@example.fi"


@pytest.fixture(autouse=True)
def _recipients(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ALARM_EMAILS, settings.ALARM_EMAILS_GRAVE = [ALL], [GRAVE, ALL]


def told() -> list[str]:
    """The subjects since this was last asked."""
    subjects = [one.subject for one in mail.outbox]
    mail.outbox.clear()
    return subjects


def later(hours: float) -> None:
    """So much time passes for every alarm."""
    gone = timedelta(hours=hours)
    Alarm.objects.update(since=F("since") - gone, told_at=F("told_at") - gone)


def test_nothing_is_told_when_nothing_is_the_matter() -> None:
    alarms.watch()
    complete_run(hours=1)
    PersonFactory.create()
    alarms.watch()
    assert told() == []
    assert not Alarm.objects.exists()


def test_once_when_it_begins_daily_while_it_lasts_and_when_it_is_over() -> None:
    stop("Access denied")
    for _ in range(3):
        alarms.watch()
    assert told() == ["[vtjsync] Vakava: VTJ-päivitys on pysäytetty"]
    later(hours=23)
    alarms.watch()
    assert told() == []
    later(hours=2)
    alarms.watch()
    assert told() == ["[vtjsync] Vakava: VTJ-päivitys on pysäytetty"]
    engine.SyncControl.objects.update(stopped_at=None, stopped_reason="")
    for _ in range(2):
        alarms.watch()
    assert told() == ["[vtjsync] Ohi: VTJ-päivitys on pysäytetty"]
    # A new occurrence is told at once.
    stop("Access denied")
    alarms.watch()
    assert told() == ["[vtjsync] Vakava: VTJ-päivitys on pysäytetty"]


def test_no_complete_run_in_three_hours_means_that_the_effect_of_bans_is_unknown() -> None:
    complete_run(hours=2.9)
    SyncRun.objects.create(state=SyncRun.State.FAILED, started_by="schedule", owner="test")
    alarms.watch()
    assert told() == []
    SyncRun.objects.filter(state=SyncRun.State.COMPLETE).update(started_at=Now() - timedelta(hours=3, minutes=1))
    alarms.watch()
    assert told() == ["[vtjsync] Vakava: Ei tiedetä, kenen turvakielto on alkanut"]
    complete_run(hours=0)
    alarms.watch()
    assert told() == ["[vtjsync] Ohi: Ei tiedetä, kenen turvakielto on alkanut"]


def test_a_register_that_was_never_loaded_is_told_too() -> None:
    ClientshipFactory.create()
    alarms.watch()
    assert told() == []
    Person.objects.update(created_at=Now() - timedelta(hours=4))
    alarms.watch()
    assert len(told()) == 1


def test_nobody_on_the_list_means_that_no_ban_can_be_missed() -> None:
    complete_run(hours=20)
    Clientship.objects.update(end=date(2026, 2, 1))
    alarms.watch()
    assert told() == []


def test_a_schedule_that_is_slower_by_choice_is_no_alarm() -> None:
    tasks.create_schedules()
    Schedule.objects.filter(name=tasks.SYNC).update(minutes=240)
    complete_run(hours=4.5)
    alarms.watch()
    assert told() == []
    SyncRun.objects.update(started_at=Now() - timedelta(hours=5.1))
    alarms.watch()
    assert len(told()) == 1


def test_what_the_database_tells_by_itself() -> None:
    run = SyncRun.objects.create(state=SyncRun.State.INCOMPLETE, started_by="schedule", owner="test")
    Brake.objects.create(run=run)
    Silence.objects.create(person=PersonFactory.create(), run=run, groups=["TURVAKIELTO"], state=Silence.State.HELD)
    Cohort.objects.create(cursor=1, cursor_at=Now(), refused_at=Now())
    day = (datetime.now(UTC) + timedelta(days=12)).date().isoformat()
    end = {"part": Part.OWN_CERTIFICATE, "tone": Tone.WARN, "word": "ENDS_SOON", "text": "", "day": day, "days": 12}
    ConnectionCheck.objects.create(started_by="schedule", ended_at=datetime.now(UTC), findings=[end])
    alarms.watch()
    assert {one.subject.split(": ", 1)[0]: one.to for one in mail.outbox} == {
        "[vtjsync] Vakava": [ALL, GRAVE],
        # Not grave: it need not wake anybody.
        "[vtjsync] Varoitus": [ALL],
    }
    assert "Oma varmenne" in next(one.body for one in mail.outbox if "Varoitus" in one.subject)
    assert {row.kind for row in Alarm.objects.all()} == {Kind.BRAKE, Kind.CURSOR, Kind.CERTIFICATE}
    told()
    later(hours=25)
    alarms.watch()
    # A certificate's end is told again every week.
    assert [one.rpartition(": ")[0] for one in told()] == ["[vtjsync] Vakava"] * 2


@pytest.mark.parametrize("kind", Kind)
def test_each_names_its_part_of_the_instructions_and_nothing_of_a_person(kind: Kind) -> None:
    person = PersonFactory.create()
    alarms.note(kind, is_on=True)
    alarms.tell()
    (message,) = mail.outbox
    section = alarms.ABOUT[kind].section
    assert f"**{section}**" in OPERATIONS
    assert f"docs/operations.md, ”{section}”" in message.body
    assert str(person.subject) not in message.body
    assert str(alarms.ABOUT[kind].words) in message.body


def test_what_the_mail_server_does_not_take_is_tried_again(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    alarms.note(Kind.LEAK, is_on=True)
    alarms.tell()
    assert Alarm.objects.get().told_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    alarms.tell()
    assert len(told()) == 1


class Slow(EmailBackend):
    """A mail server that takes its time."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        time.sleep(0.3)
        return super().send_messages(messages)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wait", [0.0, 0.45], ids=["at once", "one after the other"])
def test_two_workers_do_not_both_tell(settings: Settings, wait: float) -> None:
    settings.EMAIL_BACKEND = "tests.test_alarms.Slow"
    for kind in (Kind.LEAK, Kind.SEAL):
        alarms.note(kind, is_on=True)

    def tell() -> None:
        alarms.tell()
        connection.close()

    threads = [threading.Thread(target=tell) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(wait)
    for thread in threads:
        thread.join()
    assert len(told()) == 2


def test_without_recipients_it_stands_in_the_log(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.ALARM_EMAILS = settings.ALARM_EMAILS_GRAVE = []
    alarms.note(Kind.LEAK, is_on=True)
    for _ in range(2):
        alarms.tell()
    assert caplog.messages == ["alarm: A place of a protected person is kept"]


def test_what_nobody_was_told_of_is_not_told_to_be_over() -> None:
    alarms.note(Kind.LEAK, is_on=True)
    alarms.note(Kind.LEAK, is_on=False)
    alarms.tell()
    assert told() == []


@pytest.mark.django_db(transaction=True)
def test_g46_the_nightly_check_raises_the_alarm_of_a_broken_seal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(tasks, "QUIET_HOUR", -1)
    evidence.record()
    evidence.seal()
    evidence.tamper(
        "UPDATE registry_auditevent SET username = 'somebody' WHERE id = (SELECT min(id) FROM registry_auditevent)"
    )
    assert tasks.verify_nightly() == "1 found"
    alarms.tell()
    assert told() == ["[vtjsync] Vakava: Lokin sinetti on rikki"]


def test_e40_the_nightly_check_raises_the_alarm_of_a_leak_once_a_day(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.VAR_DIR, settings.ERASURE_LEDGER = tmp_path, tmp_path / "ledger"
    monkeypatch.setattr(tasks, "QUIET_HOUR", 24)
    assert tasks.verify_nightly() == "NOT_DUE"
    monkeypatch.setattr(tasks, "QUIET_HOUR", -1)
    (tmp_path / "left.jsonl").write_text('{"postal_code": "00100"}\n')
    assert tasks.verify_nightly() == "1 found"
    assert tasks.verify_nightly() == "NOT_DUE"
    alarms.tell()
    assert told() == ["[vtjsync] Vakava: Turvakiellon alaisen henkilön sijaintitieto on tallessa"]
    (tmp_path / "left.jsonl").unlink()
    assert AuditEvent.objects.filter(action="VERIFY_PROTECTION", outcome="found").count() == 1
    alarms.note(Kind.LEAK, is_on=False)
    alarms.tell()
    assert len(told()) == 1


def test_the_smallest_task_leaves_no_result_behind() -> None:
    tasks.create_schedules()
    assert "'save': False" in Schedule.objects.get(name=tasks.WATCH).kwargs
    assert not OrmQ.objects.exists()


class Smtp(threading.Thread):
    """A mail server that takes one message."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.lines: list[str] = []

    def run(self) -> None:
        """Speaks as much of the protocol as one message needs."""
        line, _address = self.listener.accept()
        with line, line.makefile("rwb") as file:
            self.say(file, "220 ready")
            in_message = False
            for raw in file:
                told = raw.decode().rstrip("\r\n")
                self.lines.append(told)
                if in_message:
                    in_message = told != "."
                    if not in_message:
                        self.say(file, "250 taken")
                elif told.upper() == "DATA":
                    in_message = True
                    self.say(file, "354 go on")
                elif told.upper() == "QUIT":
                    self.say(file, "221 bye")
                    return
                else:
                    self.say(file, "250 ok")

    def say(self, file: object, told: str) -> None:
        file.write(f"{told}\r\n".encode())  # type: ignore[attr-defined]
        file.flush()  # type: ignore[attr-defined]


def test_a_real_mail_server_gets_it(settings: Settings) -> None:
    server = Smtp()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.listener.getsockname()
    alarms.note(Kind.SEAL, is_on=True)
    alarms.tell()
    server.join(timeout=10)
    server.listener.close()
    assert f"rcpt TO:<{GRAVE}>".lower() in {one.lower() for one in server.lines}
    assert any(one.startswith("Subject: ") for one in server.lines)
    assert Alarm.objects.get().told_at is not None


def test_each_emergency_access_is_told_of_the_short_ones_too(settings: Settings) -> None:
    """Also one that begins while another lasts, and one for which the mail server was away (docs/adr/0019)."""
    settings.EMERGENCY_EMAILS = ["supervisor@example.fi"]
    user, person = UserFactory.create(), PersonFactory.create()
    emergency(user, person, ended_at=Now())
    alarms.watch()
    assert {address for one in mail.outbox for address in one.to} == {ALL, "supervisor@example.fi"}
    assert len(told()) == 1
    alarms.watch()
    assert len(told()) == 1
    assert not alarms.is_open()
    for _ in range(2):
        emergency(user, person)
        alarms.watch()
        assert len(told()) == 1
    settings.EMAIL_BACKEND = "tests.test_alarms.Away"
    emergency(user, person)
    EmergencyAccess.objects.filter(ended_at=None).update(ended_at=Now())
    alarms.watch()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    alarms.watch()
    assert len(told()) == 1


class Away(EmailBackend):
    """A mail server that does not answer."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        raise OSError
