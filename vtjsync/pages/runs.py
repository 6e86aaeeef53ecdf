"""The history of the runs, and the page of one."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from registry.policies import CHANGE_SCHEDULE, RUN_SYNC, SEE_SYNC, may
from registry.views.access import access, asks_by_itself, needs, user_of
from vtjsync import selectors, steering, tasks
from vtjsync.pages.forms import ScheduleForm

BASIS = "sync history"


@require_safe
@needs(SEE_SYNC)
def history(request: HttpRequest) -> HttpResponse:
    """All runs, newest first, with what steers them for those who may."""
    before = request.GET.get("before", "")[:18]
    who = access(request, BASIS)
    rows = selectors.runs(who, int(before) if before.isdecimal() else None)
    planned = tasks.schedule()
    return render(
        request,
        "vtjsync/history.html",
        {
            "rows": rows[: selectors.PAGE],
            "older": rows[selectors.PAGE - 1].row.pk if len(rows) > selectors.PAGE else None,
            "first": not before,
            "running": selectors.running(),
            "state": selectors.state(),
            "schedule": planned,
            "form": ScheduleForm(initial={"minutes": planned.minutes if planned else None}),
            "may_run": may(user_of(request), RUN_SYNC),
            "may_schedule": may(user_of(request), CHANGE_SCHEDULE),
            "held": steering.held_back(who),
            "cursors": steering.refused_cursors(who),
            "gauge": steering.gauge(who),
        },
    )


@require_safe
@needs(SEE_SYNC)
@asks_by_itself
def budget(request: HttpRequest) -> HttpResponse:
    """The part of the page that tells of this minute's requests."""
    return render(request, "vtjsync/budget.html", {"gauge": steering.gauge(access(request, BASIS))})


@require_safe
@needs(SEE_SYNC)
def page(request: HttpRequest, number: int) -> HttpResponse:
    """One run: how far it is, or how it ended."""
    run = selectors.run(access(request, BASIS), number)
    if run is None:
        raise Http404
    return render(request, "vtjsync/run.html", {"run": run, "cohorts": selectors.cohorts_of(number)})


@require_safe
@needs(SEE_SYNC)
def starting(request: HttpRequest, after: int) -> HttpResponse:
    """A run was asked for; as soon as a worker has begun one after the run numbered ``after``, its page."""
    number = selectors.begun_after(access(request, BASIS), after)
    return redirect("sync-run", number) if number else render(request, "vtjsync/starting.html", {"after": after})


@require_safe
@needs(SEE_SYNC)
@asks_by_itself
def look(request: HttpRequest, after: int) -> HttpResponse:
    """The part of that page that moves."""
    begun = selectors.begun_after(access(request, BASIS), after) is not None
    return render(request, "vtjsync/starting_look.html", {"begun": begun})


@require_safe
@needs(SEE_SYNC)
@asks_by_itself
def progress(request: HttpRequest, number: int) -> HttpResponse:
    """The part of the run's page that moves."""
    run = selectors.progress(access(request, BASIS), number)
    if run is None:
        raise Http404
    return render(request, "vtjsync/run_progress.html", {"run": run})
