"""The audit log, for auditors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry.policies import SEE_AUDIT_LOG
from registry.selectors import audit_log
from registry.views.access import access, needs


@require_safe
@needs(SEE_AUDIT_LOG)
def page(request: HttpRequest) -> HttpResponse:
    """The latest events, or those before a given one."""
    before = request.GET.get("before", "")
    rows = audit_log.events(access(request, "reading the log"), int(before) if before.isdecimal() else None)
    older = rows[audit_log.PAGE - 1].number if len(rows) > audit_log.PAGE else None
    context = {"rows": rows[: audit_log.PAGE], "older": older, "first": not before}
    return render(request, "registry/audit_log.html", context)
