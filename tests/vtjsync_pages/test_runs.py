"""The history of the runs and the page of one (domain.md B15, E41, H52)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registry.models import AuditEvent, User
from tests.cast import access
from tests.factories import DataPermitFactory
from vtjsync import selectors
from vtjsync.engine.connection import database_now
from vtjsync.models import Cohort, RunCohort, SyncControl, SyncRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client, bertta: User) -> Client:
    client.force_login(bertta)
    return client


def ended(**more: object) -> SyncRun:
    told = {"state": "COMPLETE", "started_by": "schedule", "owner": "h:1:1", "ended_at": timezone.now()}
    return SyncRun.objects.create(**(told | more))


def test_the_history_tells_in_words_how_each_run_ended(administrator: Client, bertta: User) -> None:
    ended(started_by=str(bertta.pk), received=120345)
    ended(state="FAILED", reason="DENIED", started_by="schedule")
    text = administrator.get(reverse("sync-history")).content.decode()
    for word in ("Valmis", "Epäonnistui", "VTJ tai liityntäpalvelin", "bertta", "Aikataulu", "120\u00a0345"):
        assert word in text
    assert AuditEvent.objects.filter(action="VIEW_SYNC", user_id=bertta.pk).count() == 1


def test_a_run_tells_of_data_groups_outside_of_the_permit_where_there_were_any(administrator: Client) -> None:
    for number, told in ((0, False), (7, True)):
        page = administrator.get(reverse("sync-run", args=[ended(other_groups=number).pk])).content.decode()
        assert ("Muita tietoryhmiä" in page) is told


def test_the_history_goes_back_page_by_page(administrator: Client) -> None:
    runs = [ended() for _ in range(selectors.PAGE + 3)]
    first = administrator.get(reverse("sync-history"))
    assert len(first.context["rows"]) == selectors.PAGE
    rows = administrator.get(reverse("sync-history"), {"before": first.context["older"]}).context["rows"]
    assert [one.row for one in rows] == runs[:3][::-1]


def test_the_progress_of_a_run_moves_until_it_is_done(administrator: Client) -> None:
    run = SyncRun.objects.create(
        started_by="command", owner="h:1:1", cohorts_total=4, cohorts_done=3, persons_total=2000, persons_done=500
    )
    progress = reverse("sync-run-progress", args=[run.pk])
    page = administrator.get(reverse("sync-run", args=[run.pk])).content.decode()
    assert f'data-live="{progress}"' in page
    assert 'http-equiv="refresh"' in page
    part = administrator.get(progress).content.decode()
    assert 'value="3" max="4"' in part
    assert 'value="500" max="2000"' in part
    assert "data-done" not in part
    SyncRun.objects.update(state="INCOMPLETE", reason="UNAVAILABLE", ended_at=timezone.now())
    part = administrator.get(progress).content.decode()
    assert "data-done" in part
    assert "VTJ ei vastannut" in part
    page = administrator.get(reverse("sync-run", args=[run.pk])).content.decode()
    assert "data-live" not in page
    assert 'http-equiv="refresh"' not in page


def test_a_run_says_nothing_of_what_is_not_known_yet(administrator: Client) -> None:
    run = SyncRun.objects.create(started_by="command", owner="h:1:1")
    part = administrator.get(reverse("sync-run-progress", args=[run.pk])).content.decode()
    for words in ("Päättynyt", "0/0", "uudelleen"):
        assert words not in part


def test_a_run_names_its_cohorts_and_cursors(administrator: Client) -> None:
    run, cohort = ended(), Cohort.objects.create(cursor=7, cursor_at=database_now())
    RunCohort.objects.create(run=run, cohort=cohort, cursor_from=10007000, cursor_to=10007812, up_to_date=True)
    page = administrator.get(reverse("sync-run", args=[run.pk])).content.decode()
    assert "10007000" in page
    assert "10007812" in page


def test_a_run_that_is_not_is_not_found(administrator: Client) -> None:
    assert administrator.get(reverse("sync-run", args=[17])).status_code == 404
    assert administrator.get(reverse("sync-run-progress", args=[17])).status_code == 404


def test_b15_the_register_is_as_fresh_as_the_last_run_that_did_everything() -> None:
    whole = {"phase": "BASIC_DATA", "cohorts_total": 2, "cohorts_done": 2}
    ended(state="INCOMPLETE", reason="UNAVAILABLE", **whole)
    assert selectors.up_to_date_as_of() is None
    run = ended(**whole)
    # Only the changes, only the basic data, not to the end, and one that is under way.
    ended(phase="CHANGES", cohorts_total=2, cohorts_done=2)
    ended(phase="BASIC_DATA")
    ended(state="INCOMPLETE", reason="UNAVAILABLE", **whole)
    ended(state="RUNNING", ended_at=None, **whole)
    run.refresh_from_db()
    assert selectors.up_to_date_as_of() == run.started_at


@pytest.mark.parametrize("user", ["aino", "bertta", "eeva"])
def test_e41_a_pause_shows_on_every_page(client: Client, user: str, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(user))
    page = client.get(reverse("start"), follow=True).content.decode()
    assert "VTJ-päivitys on tauolla" not in page
    SyncControl.objects.create(paused_until=timezone.now() + timedelta(hours=3))
    page = client.get(reverse("start"), follow=True).content.decode()
    assert "VTJ-päivitys on tauolla" in page


def test_the_number_of_queries_does_not_grow(bertta: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ended(started_by=str(bertta.pk))
    # The user and the rights, the runs, their starters, the event.
    with django_assert_num_queries(5):
        selectors.runs(access(User.objects.get(pk=bertta.pk)))
    for _ in range(20):
        ended(started_by=str(bertta.pk))
    with django_assert_num_queries(5):
        assert len(selectors.runs(access(User.objects.get(pk=bertta.pk)))) == 21


@pytest.mark.parametrize(
    ("left", "successor", "said"),
    [
        (None, False, None),
        (91, False, None),
        (90, False, "90 päivän"),
        (7, False, "7 päivän"),
        (7, True, None),
        (0, False, "Tietolupaa ei ole voimassa"),
    ],
)
def test_a2_administrators_are_warned_before_the_permit_ends(
    administrator: Client, left: int | None, successor: bool, said: str | None
) -> None:
    today = timezone.localdate()
    end = None if left is None else today + timedelta(days=left - 1)
    DataPermitFactory.create(valid_to=end)
    if successor and end:
        DataPermitFactory.create(valid_from=end + timedelta(days=1))
    page = administrator.get(reverse("sync-history")).content.decode()
    assert ("ietolu" in page) is (said is not None)
    assert said is None or said in page
