"""Emergency access: the question who and why, the client's page to read, and the end (docs/adr/0019)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.emergency_forms import AskEmergency
from registry.policies import USE_EMERGENCY_ACCESS
from registry.selectors import client as selector
from registry.services import emergency
from registry.services.errors import Refused
from registry.views.access import access, needs

BASIS: Final = "emergency access"


@require_http_methods(["GET", "HEAD", "POST"])
@needs(USE_EMERGENCY_ACCESS)
def begin(request: HttpRequest) -> HttpResponse:
    """Whom, by the whole identity code, and why; then the client's page."""
    form = AskEmergency(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = emergency.begin(access(request, BASIS), form.cleaned_data["hetu"], form.cleaned_data["reason"])
        except Refused as error:
            form.add_error(None, str(error))
        else:
            return redirect("emergency-client", made.person.subject)
    minutes = int(emergency.lasts().total_seconds() // 60)
    return render(request, "registry/emergency.html", {"form": form, "minutes": minutes})


@require_safe
@needs(USE_EMERGENCY_ACCESS)
def page(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The client's page, as long as the access lasts. Nothing can be done there."""
    client = selector.viewed(access(request, BASIS).in_emergency(), subject)
    if client is None:
        raise Http404
    return render(request, "registry/emergency_client.html", {"client": client, "emergency": True})


@require_POST
@needs(USE_EMERGENCY_ACCESS)
def end(request: HttpRequest, number: int) -> HttpResponse:
    """The access ends now."""
    emergency.end(access(request, BASIS), number)
    messages.success(request, _("The emergency access has ended."))
    return redirect("start")
