"""A client's page, by the random id of the person (domain.md G49, H54)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from registry.forms import UnconfirmedForm
from registry.models import PersonStatus
from registry.policies import SEE_CLIENTS, SEE_SYNC, may
from registry.selectors import client as selector
from registry.selectors.client import Client
from registry.selectors.place import Override
from registry.views.access import access, needs, user_of

# Where the session keeps whom the user has added and not been asked about (registry.views.adding, domain.md H55).
UNASKED: Final = "unasked"


@require_safe
@needs(SEE_CLIENTS)
def page(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The page, with the identity code masked."""
    return shown(request, subject, selector.viewed(access(request, "client's page"), subject))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEE_CLIENTS)
def code(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The page with the identity code, for this one answer. A reload goes back to the masked one."""
    if request.method != "POST":
        return redirect("client", subject)
    return shown(request, subject, selector.with_code(access(request, "client's page"), subject))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEE_CLIENTS)
def printed(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The page whose print holds a location that was not confirmed lately, for this one answer (domain.md E41)."""
    form = UnconfirmedForm(request.POST)
    if request.method != "POST" or not form.is_valid():
        return redirect("client", subject)
    who = access(request, "client's page")
    return shown(request, subject, selector.printed(who, subject, Override(form.cleaned_data["why"])))


def shown(request: HttpRequest, subject: UUID, client: Client | None) -> HttpResponse:
    """The client, or what is to be told where there is none."""
    if client is None:
        return unseen(request, subject)
    unasked = client.status != PersonStatus.AWAITING and str(subject) in request.session.get(UNASKED, [])
    context = {"client": client, "may_see_runs": may(user_of(request), SEE_SYNC), "unasked": unasked}
    context["unconfirmed"] = UnconfirmedForm()
    return render(request, "registry/client.html", context)


def unseen(request: HttpRequest, subject: UUID) -> HttpResponse:
    """Somebody who was added and of whom VTJ has not told; or who was the user's client and is seen by the handlers of
    protected clients from now on (domain.md E38). Raises Http404 for everybody else, whether there is such a person or
    not."""
    if added := selector.awaited(access(request, "client's page"), subject):
        return render(request, "registry/client_awaited.html", {"added": added, "subject": subject})
    if not selector.moved_to_handlers(access(request, "client's page"), subject):
        raise Http404
    return render(request, "registry/moved.html", status=403)
