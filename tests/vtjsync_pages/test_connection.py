"""The page of the connection to VTJ, and the warning that a certificate ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ
from pytest_django import Settings

from registry.models import User
from vtjsync import tasks
from vtjsync.engine import check
from vtjsync.engine.check import Part, Tone
from vtjsync.models import ConnectionCheck
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client, bertta: User) -> Client:
    client.force_login(bertta)
    return client


def page(client: Client) -> str:
    return client.get(reverse("sync-connection")).content.decode()


def checked(part: Part, tone: Tone, word: str) -> None:
    day = (datetime.now(UTC) + timedelta(days=12)).date().isoformat()
    finding = {"part": part, "tone": tone, "word": word, "text": "", "day": day, "days": 12}
    ConnectionCheck.objects.create(started_by="schedule", ended_at=datetime.now(UTC), findings=[finding])


def test_before_the_first_check_the_page_says_so(administrator: Client) -> None:
    assert "Ei vielä tarkistettu" in page(administrator)


def test_a_check_is_queued_waited_for_and_shown(administrator: Client, bertta: User, vtj: Handle) -> None:
    assert administrator.post(reverse("sync-connection-now"))["Location"] == reverse("sync-connection")
    (queued,) = OrmQ.objects.all()
    number = ConnectionCheck.objects.get().pk
    assert (queued.func(), queued.args()) == ("vtjsync.tasks.check_connection", (number,))
    look = reverse("sync-connection-look")
    assert look in page(administrator)
    assert reverse("sync-connection-now") not in page(administrator)
    assert "data-done" not in administrator.get(look).content.decode()
    assert tasks.check_connection(number) == "0 not in order"
    assert "data-done" in administrator.get(look).content.decode()
    told = page(administrator)
    assert look not in told
    assert "Alijärjestelmämme saa käyttää palvelua." in told
    assert f"Käynnistäjä: {bertta.username}" in told


def test_who_may_see_it(client: Client, aino: User, eeva: User) -> None:
    for user in (aino, eeva):
        client.force_login(user)
        for name in ("sync-connection", "sync-connection-look"):
            assert client.get(reverse(name)).status_code == 403
        assert client.post(reverse("sync-connection-now")).status_code == 403
    assert not ConnectionCheck.objects.exists()


@pytest.mark.parametrize(("tone", "word"), [(Tone.WARN, "ENDS_SOON"), (Tone.BAD, "ENDED")])
def test_a_certificate_that_ends_is_warned_of_on_every_page(
    administrator: Client, bertta: User, tone: Tone, word: str
) -> None:
    checked(Part.OWN_CERTIFICATE, tone, word)
    told = administrator.get(reverse("sync-history")).content.decode()
    assert "Oma varmenne" in told
    assert reverse("sync-connection") in told


def test_one_that_does_not_end_soon_is_not(administrator: Client) -> None:
    checked(Part.OWN_CERTIFICATE, Tone.GOOD, "VALID")
    assert "Oma varmenne" not in administrator.get(reverse("sync-history")).content.decode()


def test_others_are_not_warned(client: Client, aino: User) -> None:
    checked(Part.OWN_CERTIFICATE, Tone.BAD, "ENDED")
    client.force_login(aino)
    assert "Oma varmenne" not in client.get(reverse("clients")).content.decode()


def test_the_nightly_check_is_made_once_a_day_after_the_quiet_hour(
    vtj: Handle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "QUIET_HOUR", 24)
    assert tasks.check_nightly() == "NOT_DUE"
    monkeypatch.setattr(tasks, "QUIET_HOUR", -1)
    assert tasks.check_nightly() == "0 not in order"
    assert tasks.check_nightly() == "NOT_DUE"
    assert ConnectionCheck.objects.get().started_by == "schedule"
    ConnectionCheck.objects.update(started_at=datetime.now(UTC) - timedelta(days=1))
    assert not check.is_done_on(datetime.now(UTC).date() + timedelta(days=1))
    assert tasks.check_nightly() == "0 not in order"
