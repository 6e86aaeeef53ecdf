"""Run now, how often, a pause, and going on after a stop. All of it by POST."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registry.policies import CHANGE_SCHEDULE, RUN_SYNC
from registry.views.access import access, needs, user_of
from vtjsync import selectors, tasks
from vtjsync.engine import look_up
from vtjsync.engine import run as engine
from vtjsync.pages.forms import ScheduleForm

BASIS = "steering the sync"


@require_POST
@needs(RUN_SYNC)
def now(request: HttpRequest) -> HttpResponse:
    """Queues a run and leads to where it appears, or shows the one that is under way."""
    return begin(request)


def begin(request: HttpRequest) -> HttpResponse:
    """The same after another deed that the next run carries on."""
    number = selectors.running()
    if number is not None:
        messages.info(request, _("A run is already under way."))
        return redirect("sync-run", number)
    newest = selectors.newest()
    tasks.start_sync(user_of(request).pk)
    return redirect("sync-starting", newest)


@require_POST
@needs(CHANGE_SCHEDULE)
def schedule(request: HttpRequest) -> HttpResponse:
    """How often the sync runs by itself; a choice ends a pause."""
    form = ScheduleForm(request.POST)
    if form.is_valid():
        tasks.set_schedule(access(request, BASIS), form.cleaned_data["minutes"])
        messages.success(request, _("The schedule was changed."))
    else:
        messages.error(request, _("Choose one of the offered intervals."))
    return redirect("sync-history")


@require_POST
@needs(CHANGE_SCHEDULE)
def pause(request: HttpRequest) -> HttpResponse:
    """No scheduled run for 24 hours (domain.md E41)."""
    tasks.pause(access(request, BASIS))
    return redirect("sync-history")


@require_POST
@needs(RUN_SYNC)
def resume(request: HttpRequest) -> HttpResponse:
    """Ends a stop (domain.md B16)."""
    engine.resume(access(request, BASIS))
    messages.success(request, _("The synchronisation may go on. Start a run to see whether VTJ answers."))
    return redirect("sync-history")


@require_POST
@needs(RUN_SYNC)
def resume_look_ups(request: HttpRequest) -> HttpResponse:
    """Ends the stop of single look-ups."""
    look_up.resume(access(request, BASIS))
    messages.success(request, _("Look-ups may go on."))
    return redirect("sync-history")
