"""Ending a clientship, after seeing what will be erased and when; and taking the end back (domain.md F42)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from registry.forms import EndClientship
from registry.models import Clientship, EndReason
from registry.policies import MANAGE_CLIENTSHIPS
from registry.selectors import client as selector
from registry.selectors.erasures import preview_rows
from registry.services import clients
from registry.services.errors import Refused
from registry.views.access import access, needs

BASIS = "ending a clientship"


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE_CLIENTSHIPS)
def end(request: HttpRequest, number: int) -> HttpResponse:
    """The form; then what will be erased and when; and the end itself when that was confirmed."""
    clientship = _clientship(request, number)
    form = EndClientship(clientship.start, request.POST or None)
    preview = None
    if request.method == "POST" and form.is_valid():
        # What is confirmed is the day that was previewed, and no other.
        confirmed = request.POST.get("confirm") == form.cleaned_data["end"].isoformat()
        if confirmed and _ended(request, clientship, form):
            return redirect("client", clientship.person.subject)
        preview = clients.erasure_preview(access(request, BASIS), clientship, form.cleaned_data["end"])
    shown = {"clientship": clientship, "name": selector.name_of(access(request, BASIS), clientship.person)}
    context = {"form": form, "preview": preview, "rows": preview_rows(preview), **shown}
    return render(request, "registry/clientship_end.html", context)


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def take_back(request: HttpRequest, number: int) -> HttpResponse:
    """The clientship goes on as if it had not been ended."""
    clientship = _clientship(request, number)
    try:
        clients.take_back_end(access(request, BASIS), clientship)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The end was taken back: the clientship goes on."))
    return redirect("client", clientship.person.subject)


def _ended(request: HttpRequest, clientship: Clientship, form: EndClientship) -> bool:
    told = form.cleaned_data
    try:
        clients.end(access(request, BASIS), clientship, end=told["end"], reason=EndReason(told["reason"]))
    except Refused as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, _("The clientship was ended. Until the erasure you can take the end back."))
    return True


def _clientship(request: HttpRequest, number: int) -> Clientship:
    """The clientship, if it is the user's to see. Raises Http404 and PermissionDenied."""
    found = selector.clientship(access(request, BASIS), number)
    if found is None:
        raise Http404
    return found
