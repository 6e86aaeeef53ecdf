"""Whether the connection to VTJ works: what ``check_vtj`` tells, as a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from registry.policies import RUN_SYNC, SEE_SYNC, may
from registry.views.access import access, asks_by_itself, needs, user_of
from vtjsync import selectors, tasks

BASIS = "connection to VTJ"


@require_safe
@needs(SEE_SYNC)
def page(request: HttpRequest) -> HttpResponse:
    """The newest check, part by part."""
    check = selectors.connection_check(access(request, BASIS))
    return render(request, "vtjsync/connection.html", {"check": check, "may_check": may(user_of(request), RUN_SYNC)})


@require_safe
@needs(SEE_SYNC)
@asks_by_itself
def look(request: HttpRequest) -> HttpResponse:
    """The part of the page that moves while a check is under way."""
    return render(
        request, "vtjsync/connection_look.html", {"check": selectors.connection_check(access(request, BASIS))}
    )


@require_POST
@needs(RUN_SYNC)
def now(request: HttpRequest) -> HttpResponse:
    """Begins a check; the page shows it as it comes."""
    tasks.start_check(access(request, BASIS))
    return redirect("sync-connection")
