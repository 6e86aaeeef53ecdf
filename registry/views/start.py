"""The way in: each role begins where its work is; and the choice of a language."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from registry.policies import (
    SEE_AUDIT_LOG,
    SEE_CLIENTS,
    SEE_OPENINGS,
    SEE_PROBLEMS,
    SEE_SYNC,
    USE_EMERGENCY_ACCESS,
    may,
)
from registry.views.access import user_of

FIRST_PAGES: Final = (
    (SEE_CLIENTS, "clients"),
    (SEE_SYNC, "sync-history"),
    (SEE_PROBLEMS, "problems"),
    (SEE_AUDIT_LOG, "audit-log"),
    (SEE_OPENINGS, "openings"),
    (USE_EMERGENCY_ACCESS, "emergency"),
)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """To the first page that the user may see; to a page that says that there is none."""
    for permission, page in FIRST_PAGES:
        if may(user_of(request), permission):
            return redirect(page)
    return render(request, "registry/no_rights.html")
