"""What watches the program asks: does it live, can it work, and the numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from registry.models import Problem, ProblemKind
from tests.cast import clerk
from tests.engine import world
from tests.factories import ClientshipFactory, PersonFactory
from tests.registry.views.test_sign_in import ADDRESSES
from vtjsync import alarms, metrics, tallies, tasks
from vtjsync.engine.connection import database_now, stop
from vtjsync.models import Cohort, SyncRun, Tally
from vtjsync.simulator import server

pytestmark = pytest.mark.django_db

READY = {"status": "ready", "database": "ok", "migrations": "ok", "queue": "ok", "sync": "ok"}


def complete_run(hours: float) -> None:
    """Somebody is on the list, and a sync that was complete began so long ago."""
    ClientshipFactory.create()
    SyncRun.objects.create(
        state=SyncRun.State.COMPLETE,
        phase=SyncRun.Phase.BASIC_DATA,
        cohorts_done=1,
        started_by="schedule",
        started_at=database_now() - timedelta(hours=hours),
        owner="test",
    )


def ready(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_health_touches_nothing(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert not answer.cookies


def test_ready_when_everything_is_in_order(client: Client) -> None:
    tasks.watch()
    assert ready(client) == (200, READY)


def test_workers_that_are_silent_are_told(client: Client) -> None:
    assert ready(client) == (503, READY | {"status": "not ready", "queue": "silent"})
    tasks.watch()
    Tally.objects.update(at=Now() - timedelta(minutes=16))
    assert ready(client)[1]["queue"] == "silent"


def test_a_last_good_run_that_is_too_old_is_told(client: Client, settings: Settings) -> None:
    tasks.watch()
    complete_run(hours=2.9)
    assert ready(client) == (200, READY)
    settings.UNKNOWN_AFTER = timedelta(hours=2)
    assert ready(client) == (503, READY | {"status": "not ready", "sync": "late"})


def test_a_migration_that_is_missing_is_told(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="vtjsync", name__startswith="0011").delete()
    assert ready(client) == (503, {"status": "not ready", "database": "ok", "migrations": "missing"})


def test_a_database_that_is_away_is_told_without_its_words(client: Client) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.9 failed")

    with connection.execute_wrapper(away):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "database": "not reachable"})


def test_the_numbers_are_for_those_whom_the_settings_name(client: Client, settings: Settings) -> None:
    for given in ("", "Bearer", "Bearer "):
        assert not metrics.may_read("127.0.0.1", given)
    assert client.get("/metrics").status_code == 404
    settings.METRICS_ALLOW = ["10.1.0.0/24"]
    assert client.get("/metrics", REMOTE_ADDR="10.1.0.7").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.1.1.7").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="10.1.1.7", HTTP_X_FORWARDED_FOR="10.1.0.7").status_code == 404
    settings.METRICS_TOKEN = "a-token-from-a-file"
    for given, status in (("Bearer a-token-from-a-file", 200), ("Bearer other", 404), ("", 404), ("Bearer ä", 404)):
        assert client.get("/metrics", HTTP_AUTHORIZATION=given).status_code == status


def numbers() -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_the_numbers_are_those_of_the_register() -> None:
    tasks.watch()
    told = numbers()
    assert told["vtjsync_runs", "SYNC", "COMPLETE"] == 0
    assert ("vtjsync_last_complete_run_age_seconds",) not in told
    complete_run(hours=2)
    Cohort.objects.create(cursor=1, cursor_at=Now(), up_to_date_as_of=Now() - timedelta(hours=30))
    Problem.objects.create(person=PersonFactory.create(), kind=ProblemKind.NOT_FOUND)
    tallies.add(tallies.CODES_REMOVED, 2)
    stop("refused")
    tasks.pause(clerk)
    alarms.note(alarms.Kind.LEAK, is_on=True)
    Client().post(ADDRESSES["sign-in"], {"username": "x", "password": "y"})
    told = numbers()
    assert told["vtjsync_runs", "SYNC", "COMPLETE"] == 1
    assert told["vtjsync_last_complete_run_age_seconds",] == pytest.approx(7200, abs=60)
    assert told["vtjsync_cohorts_stale",] == told["vtjsync_cohorts",] == 1
    assert told["vtjsync_cohort_oldest_age_seconds",] == pytest.approx(108_000, abs=60)
    assert told["vtjsync_problems_open", "NOT_FOUND"] == 1
    assert told["vtjsync_problems_open", "TWO_ENTRIES"] == 0
    assert told["vtjsync_codes_removed_from_logs_total",] == 2
    assert told["vtjsync_stopped",] == told["vtjsync_paused",] == 1
    assert told["vtjsync_sign_in_failures_last_hour",] == 1
    assert told["vtjsync_alarm", "LEAK"] == 1
    assert told["vtjsync_alarm", "SEAL"] == 0
    assert 0 <= told["vtjsync_queue_alive_age_seconds",] < 60


def test_g49_no_label_is_of_a_person() -> None:
    person = PersonFactory.create()
    Problem.objects.create(person=person, kind=ProblemKind.NOT_FOUND)
    families = text_string_to_metric_families(metrics.text().decode())
    labels = {label for family in families for one in family.samples for label in one.labels}
    assert labels <= {"kind", "state", "class"}
    assert str(person.subject) not in metrics.text().decode()


@pytest.mark.django_db(transaction=True)
def test_a_real_run_is_in_the_numbers(settings: Settings) -> None:
    vtj = server.start(population=20, seed=7)
    settings.VTJ_SERVER, settings.VTJ_CLIENT = vtj.url, server.CLIENT
    settings.VTJ_USERNAME, settings.VTJ_PASSWORD = server.USERNAME, server.PASSWORD
    world.clients(vtj.codes(2))
    try:
        assert tasks.sync() == "COMPLETE"
    finally:
        vtj.stop()
    told = numbers()
    assert told["vtjsync_runs", "SYNC", "COMPLETE"] == 1
    assert sum(value for name, value in told.items() if name[0] == "vtjsync_requests_this_minute") >= 1
    assert told["vtjsync_last_complete_run_age_seconds",] < 60
