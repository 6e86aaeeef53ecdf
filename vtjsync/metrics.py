"""What monitoring reads: numbers of the database at the moment that it asks, so that it does not matter which of the
processes answers. No label and no number is of a person (domain.md G49)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils.crypto import constant_time_compare
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from registry.models import AuditEvent, Problem, ProblemKind
from registry.services import erasure
from registry.services.audit import Action
from vtjsync import alarms, selectors, tallies
from vtjsync.engine.budget import Priority
from vtjsync.engine.connection import database_now
from vtjsync.models import Cohort, RequestBudget, Silence, SyncControl, SyncRun


def may_read(origin: str, authorization: str) -> bool:
    """Whether METRICS_ALLOW lists the address or METRICS_TOKEN is given. With neither set nobody may."""
    token = settings.METRICS_TOKEN
    if token and constant_time_compare(authorization, f"Bearer {token}"):
        return True
    try:
        return any(ip_address(origin) in ip_network(one) for one in settings.METRICS_ALLOW)
    except ValueError:
        return False


def text() -> bytes:
    """All of it in the form of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Register())
    return generate_latest(registry)


class _Register(Collector):
    def describe(self) -> list[Any]:
        """Nothing is asked of the database before somebody asks us."""
        return []

    def collect(self) -> Iterator[Any]:
        now = database_now()
        yield from _runs(now)
        yield from _cohorts(now)
        yield from _work(now)
        yield from _counts(now)


def _runs(now: datetime) -> Iterator[Any]:
    runs = GaugeMetricFamily("vtjsync_runs", "Runs by kind and how they stand.", labels=["kind", "state"])
    known = {(kind, state): 0 for kind in SyncRun.Kind.values for state in SyncRun.State.values}
    rows = SyncRun.objects.values_list("kind", "state").annotate(number=Count("pk"))
    for labels, number in (known | {(kind, state): number for kind, state, number in rows}).items():
        runs.add_metric(labels, number)
    yield runs
    as_of = selectors.up_to_date_as_of()
    if as_of is not None:
        yield _gauge("last_complete_run_age_seconds", "Since the last run that was complete began.", _age(now, as_of))
    control = SyncControl.objects.first()
    yield _gauge("stopped", "1: an administrator has to let the sync go on.", bool(control and control.stopped_at))
    paused = bool(control and control.paused_until and control.paused_until > now)
    yield _gauge("paused", "1: an administrator has paused the schedule.", paused)


def _cohorts(now: datetime) -> Iterator[Any]:
    told = Cohort.objects.aggregate(
        number=Count("pk"),
        oldest=Min("up_to_date_as_of"),
        stale=Count("pk", filter=Q(up_to_date_as_of=None) | Q(up_to_date_as_of__lt=now - settings.LOCATION_WARN)),
        refused=Count("pk", filter=Q(refused_at__isnull=False)),
    )
    yield _gauge("cohorts", "Groups of persons who share a cursor.", told["number"])
    yield _gauge("cohorts_stale", "Those not up to date for LOCATION_WARN_HOURS.", told["stale"])
    yield _gauge("cohorts_refused", "Those whose cursor VTJ refuses.", told["refused"])
    if told["oldest"]:
        yield _gauge(
            "cohort_oldest_age_seconds", "Since the one furthest behind was up to date.", _age(now, told["oldest"])
        )


def _work(now: datetime) -> Iterator[Any]:
    problems = GaugeMetricFamily("vtjsync_problems_open", "Problems that wait for somebody.", labels=["kind"])
    rows = Problem.objects.filter(closed_at=None).values_list("kind").annotate(number=Count("pk"))
    for kind, number in (dict.fromkeys(ProblemKind.values, 0) | dict(rows)).items():
        problems.add_metric([kind], number)
    yield problems
    yield _gauge("queue_length", "Tasks that wait for a worker or are under way.", OrmQ.objects.count())
    watched = tallies.last(tallies.WATCH)
    if watched is not None:
        yield _gauge("queue_alive_age_seconds", "Since the workers last did their smallest task.", _age(now, watched))
    used = GaugeMetricFamily("vtjsync_requests_this_minute", "Requests to VTJ in this minute.", labels=["class"])
    minute = dict(
        RequestBudget.objects.filter(minute=now.replace(second=0, microsecond=0)).values_list("priority", "used")
    )
    for priority in Priority:
        used.add_metric([priority.name], minute.get(priority, 0))
    yield used
    yield _gauge("request_limit", "Requests allowed in a minute; 0: any number.", settings.VTJ_RATE_LIMIT)
    held = Silence.objects.filter(state=Silence.State.HELD).count()
    yield _gauge("held_back_persons", "Persons of whom a run has held something back.", held)
    yield _gauge("erasure_waits", "1: an erasure waits to be confirmed.", erasure.held() is not None)


def _counts(now: datetime) -> Iterator[Any]:
    known = dict.fromkeys((tallies.CODES_REMOVED, tallies.HELD_SIGN_INS, tallies.HELD_SEARCHES), 0)
    told = known | tallies.counts()
    words = {
        tallies.CODES_REMOVED: "Identity codes that had to be removed from log lines. Each is a defect.",
        tallies.HELD_SIGN_INS: "Attempts to sign in that were refused as too many.",
        tallies.HELD_SEARCHES: "Searches and look-ups that were refused as too many.",
    }
    for name, help_text in words.items():
        yield CounterMetricFamily(f"vtjsync_{name}", help_text, value=told[name])
    refused = AuditEvent.objects.filter(action=Action.SIGN_IN, outcome="refused", at__gt=now - timedelta(hours=1))
    yield _gauge("sign_in_failures_last_hour", "Attempts to sign in that failed.", refused.count())
    open_ = GaugeMetricFamily("vtjsync_alarm", "1: somebody has to look.", labels=["kind"])
    for kind in alarms.Kind.values:
        open_.add_metric([kind], int(kind in alarms.is_open()))
    yield open_


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"vtjsync_{name}", words, value=float(value))


def _age(now: datetime, then: datetime) -> float:
    return max((now - then).total_seconds(), 0.0)
