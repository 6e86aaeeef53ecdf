"""The audit log, for auditors; and who has looked at one person's data (domain.md G46, G47)."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry import sheets
from registry.forms import Inquiry
from registry.policies import SEE_AUDIT_LOG
from registry.selectors import audit_log, audit_seals
from registry.selectors.audit_log import EventRow
from registry.views.access import access, needs
from registry.views.fresh import fresh_sign_in


@require_safe
@needs(SEE_AUDIT_LOG)
def page(request: HttpRequest) -> HttpResponse:
    """The latest events, or those before a given one."""
    before = request.GET.get("before", "")[:18]
    rows = audit_log.events(access(request, "reading the log"), int(before) if before.isdecimal() else None)
    return _page(request, rows, Inquiry(), inquiry=False, first=not before)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEE_AUDIT_LOG)
def inquiry(request: HttpRequest) -> HttpResponse:
    """The events about one person, whose code travels by POST. A reload without it goes back to the log."""
    if request.method != "POST":
        return redirect("audit-log")
    form = Inquiry(request.POST)
    rows: Sequence[EventRow] = []
    if form.is_valid():
        who, told = access(request, "inquiry of a person"), form.cleaned_data
        rows = audit_log.events_of(who, told["hetu"], told["before"])
    return _page(request, rows, form, inquiry=True, first=not request.POST.get("before"))


@require_POST
@needs(SEE_AUDIT_LOG)
@fresh_sign_in(back="audit-log")
def download(request: HttpRequest) -> HttpResponseBase:
    """What is shown as a file: the events of one person, whose code travels by POST, or the newest of all."""
    form, kind = Inquiry(request.POST), request.POST.get("form", "")
    asked = "hetu" in request.POST
    if kind not in sheets.FORMS or (asked and not form.is_valid()):
        return redirect("audit-log")
    who = access(request, "inquiry of a person" if asked else "reading the log")
    rows = audit_log.download(who, form.cleaned_data["hetu"] if asked else None, kind)
    return sheets.response(rows, kind, "audit-log")


def _page(request: HttpRequest, rows: Sequence[EventRow], form: Inquiry, *, inquiry: bool, first: bool) -> HttpResponse:
    older = rows[audit_log.PAGE - 1].number if len(rows) > audit_log.PAGE else None
    seals = audit_seals.state(access(request, "reading the log")) if first and not inquiry else None
    context = {"rows": rows[: audit_log.PAGE], "older": older, "first": first, "form": form}
    return render(request, "registry/audit_log.html", context | {"inquiry": inquiry, "seals": seals})
