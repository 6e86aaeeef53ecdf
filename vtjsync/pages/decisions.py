"""What waits for an administrator's word: what a run held back, a refused cursor, a pause. All of it by POST."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registry.policies import CHANGE_SCHEDULE, RUN_SYNC
from registry.views.access import access, needs
from vtjsync import tasks
from vtjsync.engine import brake, cursors
from vtjsync.pages import control
from vtjsync.pages.control import BASIS


@require_POST
@needs(RUN_SYNC)
def release(request: HttpRequest) -> HttpResponse:
    """Lets what was held back be written, by a run that begins now (domain.md B18)."""
    brake.release(access(request, BASIS))
    messages.success(
        request, _("Released. The next run asks these clients again, and what VTJ still does not have goes.")
    )
    return control.begin(request)


@require_POST
@needs(RUN_SYNC)
def ask_again(request: HttpRequest) -> HttpResponse:
    """Drops what was held back, and has it asked anew by a run that begins now (domain.md B18)."""
    brake.ask_again(access(request, BASIS))
    messages.success(request, _("The next run asks these clients anew."))
    return control.begin(request)


@require_POST
@needs(RUN_SYNC)
def reset(request: HttpRequest, cohort: int) -> HttpResponse:
    """Has a refused cursor reset by a run that begins now (domain.md B17)."""
    cursors.ask_reset(access(request, BASIS), cohort)
    messages.success(request, _("The next run takes a new cursor, and then asks everybody in the cohort."))
    return control.begin(request)


@require_POST
@needs(CHANGE_SCHEDULE)
def end_pause(request: HttpRequest) -> HttpResponse:
    """Ends the pause by hand (domain.md E41)."""
    tasks.end_pause(access(request, BASIS))
    messages.success(request, _("The pause has ended."))
    return redirect("sync-history")
