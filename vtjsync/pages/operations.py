"""What watches the program asks: does it live, can it work, and the numbers. Nothing of a person, and no session."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from registry.views.access import origin
from vtjsync import alarms, logs, metrics, tallies
from vtjsync.engine.connection import database_now

# The workers do their smallest task every five minutes.
SILENT: Final = timedelta(minutes=15)


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Whether all parts are in order, in one word each; 503 when one is not."""
    parts = {"database": "not reachable"}
    try:
        parts = _parts()
    except DatabaseError:
        connection.close()
    good = all(word == "ok" for word in parts.values())
    response = JsonResponse({"status": "ready" if good else "not ready", **parts}, status=200 if good else 503)
    # Whoever asks knows now; a line for every time that it is asked tells nobody more.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@login_not_required
@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """For Prometheus, from an address or with a token that the settings name; for others there is no such page."""
    if not metrics.may_read(origin(request), request.headers.get("Authorization", "")):
        raise Http404
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)


def fault(_request: HttpRequest) -> HttpResponse:
    """The page of a fault: the id by which the log is searched, and nothing else. Needs no database."""
    return render(None, "500.html", {"request_id": logs.request_id()}, status=500)


def _parts() -> dict[str, str]:
    parts = {"database": "ok"}
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return parts | {"migrations": "missing"}
    now, watched = database_now(), tallies.last(tallies.WATCH)
    silent = watched is None or now - watched > SILENT
    return parts | {
        "migrations": "ok",
        "queue": "silent" if silent else "ok",
        "sync": "late" if alarms.ban_unknown(now) else "ok",
    }
