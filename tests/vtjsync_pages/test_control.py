"""Run now, the schedule, the pause, and going on after a stop (domain.md B16, E41)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from registry.models import AuditEvent, User
from vtjsync import tasks
from vtjsync.models import SyncControl, SyncRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client, bertta: User) -> Client:
    tasks.create_schedules()
    client.force_login(bertta)
    return client


def test_run_now_queues_a_run_in_ones_name(administrator: Client, bertta: User) -> None:
    assert reverse("sync-now") in administrator.get(reverse("sync-history")).content.decode()
    assert administrator.post(reverse("sync-now"))["Location"] == reverse("sync-starting", args=[0])
    (queued,) = OrmQ.objects.all()
    assert (queued.func(), queued.args()) == ("vtjsync.tasks.sync", (str(bertta.pk),))


def test_a_run_that_was_asked_for_is_waited_for_and_then_shown(administrator: Client) -> None:
    earlier = SyncRun.objects.create(started_by="command", owner="h:1:1", state="COMPLETE")
    where = administrator.post(reverse("sync-now"))["Location"]
    assert where == reverse("sync-starting", args=[earlier.pk])
    look = reverse("sync-starting-look", args=[earlier.pk])
    assert look in administrator.get(where).content.decode()
    assert "data-done" not in administrator.get(look).content.decode()
    run = SyncRun.objects.create(started_by="1", owner="h:1:1")
    assert "data-done" in administrator.get(look).content.decode()
    assert administrator.get(where)["Location"] == reverse("sync-run", args=[run.pk])


def test_run_now_leads_to_the_run_that_is_under_way(administrator: Client) -> None:
    run = SyncRun.objects.create(started_by="command", owner="h:1:1")
    assert administrator.post(reverse("sync-now"))["Location"] == reverse("sync-run", args=[run.pk])
    assert not OrmQ.objects.exists()
    assert reverse("sync-now") not in administrator.get(reverse("sync-history")).content.decode()


def test_the_schedule_is_one_of_the_offered_intervals(administrator: Client) -> None:
    administrator.post(reverse("sync-schedule"), {"minutes": 120})
    planned = tasks.schedule()
    assert planned is not None
    assert planned.minutes == 120
    administrator.post(reverse("sync-schedule"), {"minutes": 7})
    planned.refresh_from_db()
    assert planned.minutes == 120
    assert AuditEvent.objects.filter(action="CHANGE_SCHEDULE").count() == 1
    page = administrator.get(reverse("sync-history")).content.decode()
    assert '<option value="120" selected>' in page


def test_e41_a_pause_ends_by_itself_and_by_a_new_schedule(administrator: Client) -> None:
    administrator.post(reverse("sync-pause"))
    until = tasks.paused_until()
    assert until is not None
    assert 23 < (until - timezone.now()).total_seconds() / 3600 <= 24
    administrator.post(reverse("sync-schedule"), {"minutes": 60})
    assert tasks.paused_until() is None


def test_b16_an_administrator_lets_a_stopped_sync_go_on(administrator: Client, aino: User) -> None:
    SyncControl.objects.create(stopped_reason="403 from the security server", stopped_at=timezone.now())
    page = administrator.get(reverse("sync-history")).content.decode()
    assert reverse("sync-resume") in page
    assert "403 from the security server" in page
    assert reverse("sync-now") not in page
    assert "Seuraava päivitys alkaa" not in page
    other = Client()
    other.force_login(aino)
    page = other.get(reverse("clients")).content.decode()
    assert "VTJ:stä ei nyt kysytä tietoja" in page
    assert "403 from the security server" not in page
    assert "liityntäpalvelin" not in page
    assert reverse("sync-resume") not in page
    administrator.post(reverse("sync-resume"))
    assert SyncControl.objects.get().stopped_reason == ""
    assert AuditEvent.objects.filter(action="RESUME_SYNC").exists()
