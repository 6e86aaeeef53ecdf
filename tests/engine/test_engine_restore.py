"""A backup is restored by pg_restore: who was erased since stays erased, and whose ban began since is never shown
(domain.md F45, E36, E40)."""

from __future__ import annotations

import json
import random
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from registry import lock
from registry.clock import today
from registry.models import AuditEvent, Clientship, ErasureReceipt, LockReason, Person, PersonCode, Service, User
from registry.services import erasure, restore
from tests import backup, processes
from tests.cast import clerk
from tests.engine import world
from tests.engine.conftest import Start
from tests.engine.test_engine_dump import streets
from tests.engine.test_engine_kill import environment
from tests.engine.truth import differences
from vtjsync import tasks
from vtjsync.engine.run import begin
from vtjsync.engine.sync import sync
from vtjsync.models import SyncRun
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)


def page(user: User, path: str) -> str:
    """What the user sees; empty for nothing at all."""
    browser = Client()
    browser.force_login(user)
    answer = browser.get(path, HTTP_X_FORWARDED_PROTO="https", HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code in {200, 404}
    return answer.content.decode()


def exported(tmp_path: Path) -> str:
    to = tmp_path / "export.jsonl"
    call_command("export_register", str(to), stdout=StringIO())
    return to.read_text()


class Story:
    """A register of twenty that is backed up; then A is erased, B comes under a ban, and C moves."""

    def __init__(self, vtj: Handle, folder: Path, users: list[User]) -> None:
        self.vtj, self.folder, self.users = vtj, folder, users
        self.a, self.b, self.c, *_others = codes = vtj.codes(20)
        world.clients(codes)
        assert sync("test", wait=0).state == "COMPLETE"
        self.b_lived = streets(vtj, self.b)
        self.dump = folder / "register.dump"
        backup.dump(self.dump)

    def goes_on(self) -> None:
        Clientship.objects.filter(person=self.person(self.a)).update(end=today() - timedelta(days=1))
        assert erasure.run(clerk, today()).persons == 1
        self.vtj.happen("ban_started_alone", self.b)
        self.vtj.happen("moved_in_municipality", self.c)
        assert sync("test", wait=0).state == "COMPLETE"
        assert not lock.is_locked()

    def restored(self) -> None:
        backup.restore(self.dump)
        self.asked_before = len(self.vtj.requests)

    def person(self, code: str) -> Person:
        return PersonCode.objects.get(hetu=code).person

    def asked(self) -> str:
        """Every request since the restore, as one text."""
        return "\n".join(map(str, self.vtj.requests[self.asked_before :]))


@pytest.fixture
def staff(service_a: Service, aino: User, daniel: User, bertta: User) -> list[User]:
    return [aino, daniel, bertta]


@pytest.fixture
def story(start_vtj: Start, tmp_path: Path, staff: list[User]) -> Story:
    return Story(start_vtj(population=20, unique_streets=True), tmp_path, staff)


def test_f45_from_a_backup_to_an_open_register(story: Story, tmp_path: Path) -> None:
    story.goes_on()
    story.restored()
    aino, daniel, bertta = story.users
    b = story.person(story.b)
    assert not b.protected
    assert b.home_street_fi in story.b_lived

    # Nothing is shown, exported or sent, before any process has looked at it.
    assert lock.reason() is LockReason.OLDER
    for user in (aino, daniel):
        for path in ("/clients/", f"/clients/{b.subject}/", f"/clients/{story.person(story.c).subject}/"):
            shown = page(user, path)
            assert "The register is locked" in shown
            assert not [street for street in (b.home_street_fi, b.home_post_office_fi) if street in shown]
    assert str(b.subject) not in page(aino, "/clients/")
    assert "restore_finish" not in page(aino, "/clients/")
    assert "restore_finish" in page(bertta, "/sync/")
    with pytest.raises(CommandError, match="nothing is exported"):
        exported(tmp_path)
    assert tasks.sync() == "FAILED"
    assert SyncRun.objects.latest("pk").reason == "LOCKED"
    assert tasks.fetch([story.person(story.a).pk]) == 0
    assert "locked" in tasks.erase_due()
    assert story.asked() == ""
    assert AuditEvent.objects.filter(action="LOCK", details={"lock": "OLDER"}).count() == 1

    # The ledger first: who was erased is erased again, and the receipt is back.
    out = StringIO()
    call_command("restore_finish", "--replay-only", stdout=out)
    assert "1 receipts; erased again: 1 persons" in out.getvalue()
    assert not PersonCode.objects.filter(hetu=story.a).exists()
    assert ErasureReceipt.objects.get().whole_person
    assert lock.is_locked()
    assert str(b.subject) not in page(aino, "/clients/")
    with pytest.raises(CommandError, match="nothing is exported"):
        exported(tmp_path)

    # Then VTJ, and it is open.
    call_command("restore_finish", stdout=out)
    assert "unlocked" in out.getvalue()
    assert lock.reason() is None
    b = story.person(story.b)
    assert b.protected
    assert not b.home_street_fi
    assert story.person(story.c).home_street_fi in streets(story.vtj, story.c)
    assert story.a not in story.asked()
    assert story.b in story.asked()
    assert str(b.subject) not in page(aino, "/clients/")
    assert "The register is locked" not in page(aino, "/clients/")
    lines = [json.loads(line) for line in exported(tmp_path).splitlines()]
    assert {story.a, story.b}.isdisjoint(line["henkilotunnus"] for line in lines)
    assert len(lines) == 18
    call_command("verify_protection", stdout=StringIO())
    assert list(AuditEvent.objects.filter(action__in=["REPLAY_LEDGER", "UNLOCK"]).values_list("action", flat=True)) == [
        "REPLAY_LEDGER",
        "REPLAY_LEDGER",
        "UNLOCK",
    ]


def test_f45_a_ban_is_noted_though_its_run_never_ends(story: Story) -> None:
    """No erasure was made, and the process died after the page."""
    run = begin("test", wait=0)
    backup.dump(story.dump)
    run.counts["bans_started"] = 1
    run.beat()
    story.restored()
    assert lock.reason() is LockReason.OLDER


def test_f45_a_run_without_a_ban_makes_an_older_database_known_too(story: Story) -> None:
    assert sync("test", wait=0).state == "COMPLETE"
    story.restored()
    assert lock.reason() is LockReason.OLDER


def test_f45_a_backup_since_which_nothing_happened_is_not_locked(story: Story) -> None:
    backup.dump(story.dump)
    story.restored()
    assert lock.reason() is None


def test_f45_what_is_missing_is_said_and_the_register_stays_locked(story: Story) -> None:
    story.goes_on()
    story.restored()
    story.vtj.faults("500")
    with pytest.raises(CommandError, match="0 of 1 cohorts are up to date"):
        call_command("restore_finish", stdout=StringIO())
    assert lock.is_locked()
    story.vtj.faults("none")
    call_command("restore_finish", stdout=StringIO())
    assert not lock.is_locked()
    assert story.person(story.b).protected
    with pytest.raises(CommandError, match="not locked"):
        call_command("restore_finish", stdout=StringIO())


def test_f45_of_whom_vtj_says_nothing_the_location_stays_hidden(story: Story) -> None:
    """The backup shows an address, and a ban that began since may be what VTJ would tell."""
    unknown = world.client()
    Person.objects.filter(pk=unknown.pk).update(checked_at=timezone.now())
    sync("test", wait=0)
    backup.dump(story.dump)
    story.goes_on()
    story.restored()
    assert not world.fresh(unknown).location_hidden
    call_command("restore_finish", stdout=StringIO())
    assert not lock.is_locked()
    assert world.fresh(unknown).status == "NOT_FOUND"
    assert world.fresh(unknown).location_hidden
    assert not story.person(story.c).location_hidden


def test_f45_half_a_run_unlocks_nothing(story: Story) -> None:
    story.goes_on()
    story.restored()
    restore.replay(clerk)
    assert sync("test", wait=0, with_basic_data=False).state == "COMPLETE"
    before = SyncRun.objects.count()
    call_command("restore_finish", stdout=StringIO())
    assert SyncRun.objects.count() == before + 1
    assert not lock.is_locked()


def test_f45_a_second_restore_during_the_first_begins_again(story: Story) -> None:
    story.goes_on()
    story.restored()
    call_command("restore_finish", "--replay-only", stdout=StringIO())
    story.restored()
    assert not lock.may_ask()
    call_command("restore_finish", stdout=StringIO())
    assert not PersonCode.objects.filter(hetu=story.a).exists()
    assert story.a not in story.asked()
    assert story.person(story.b).protected


def test_f45_a_backup_in_another_database_is_locked_though_nothing_happened_since(story: Story, tmp_path: Path) -> None:
    """As when the ledger itself came from the same backup."""
    backup.dump(story.dump)
    with backup.elsewhere(story.dump) as name:
        there = processes.environment()["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
        done = processes.run("export_register", str(tmp_path / "there.jsonl"), DATABASE_URL=there)
        assert done.returncode == 1
        assert "locked after a restore" in done.stderr
        assert not (tmp_path / "there.jsonl").exists()
        told = processes.run("restore_finish", DATABASE_URL=there, **environment(story.vtj))
        assert told.returncode == 0, told.stderr
        assert "unlocked" in told.stdout
    # The database that it was taken from is now the older one.
    assert lock.reason() is LockReason.OLDER


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_f45_a_restore_that_is_killed_again_and_again_ends_in_the_truth(
    start_vtj: Start, tmp_path: Path, service_a: Service
) -> None:
    """Weeks of bans, moves and erasures are forgotten; ``restore_finish`` is killed at six random moments."""
    dice = random.Random(45)
    vtj = start_vtj(population=600, unique_streets=True, activity=20.0, page=5)
    codes = vtj.codes(500)
    world.clients(codes)
    assert processes.run("sync", **environment(vtj)).returncode == 0
    dump = tmp_path / "register.dump"
    backup.dump(dump)
    gone: list[str] = []
    for _week in range(3):
        vtj.advance(7)
        assert processes.run("sync", **environment(vtj)).returncode == 0
        people = list(Person.objects.order_by("pk").values_list("pk", flat=True))
        ended = dice.sample(people, 45)
        gone += PersonCode.objects.filter(person__in=ended).values_list("hetu", flat=True)
        Clientship.objects.filter(person__in=ended).update(end=today() - timedelta(days=1))
        assert erasure.run(clerk, today()).persons == 45
    # A former code may be another entry's that was erased: VTJ tells it of who stays.
    kept = set(PersonCode.objects.filter(current=True).values_list("hetu", "person__subject"))
    protected = set(Person.objects.filter(protected=True).values_list("subject", flat=True))
    backup.restore(dump)
    asked_before = len(vtj.requests)
    for _kill in range(6):
        process = processes.start("restore_finish", **environment(vtj))
        time.sleep(dice.uniform(0.5, 2.0))
        process.kill()
        process.communicate()
        connection.close()
        if not lock.is_locked():
            break
    if lock.is_locked():
        done = processes.run("restore_finish", **environment(vtj))
        assert done.returncode == 0, done.stderr
    assert not lock.is_locked()
    assert set(PersonCode.objects.filter(current=True).values_list("hetu", "person__subject")) == kept
    assert Person.objects.count() == len(kept)
    assert ErasureReceipt.objects.count() == 135
    assert set(Person.objects.filter(protected=True).values_list("subject", flat=True)) == protected
    sent = "\n".join(map(str, vtj.requests[asked_before:]))
    assert [code for code in gone if code in sent] == []
    # Of two entries that VTJ has merged since, the one that was erased may be the one that VTJ still tells of: nothing
    # is heard under the other's code.
    assert [one for one in differences(vtj, tmp_path) if "henkilotunnus" not in one] == []
    assert not Person.objects.filter(status="NOT_FOUND", protected=False, location_hidden=False).exists()
    call_command("verify_protection", stdout=StringIO())
