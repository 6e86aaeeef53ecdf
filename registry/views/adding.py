"""Adding a client: a code and a service, then VTJ's name, and the question whether this is the person (H55).

What the user has just added is remembered in the session as random ids and numbers, nothing of a person; and of whom
the question has not been put yet, for VTJ's answer may come when the user has gone on.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry import policies
from registry.clock import today
from registry.forms import AddClient, LookUp
from registry.models import Clientship, PersonStatus
from registry.policies import MANAGE_CLIENTSHIPS
from registry.selectors import client as selector
from registry.services import clients
from registry.services import look_up as look_ups
from registry.services.errors import AlreadyClient, Refused
from registry.views.access import access, asks_by_itself, needs
from registry.views.client import UNASKED, unseen

ADDED: Final = "added"
REMEMBERED: Final = 20
# After so long without an answer of VTJ the page offers a way on.
PATIENCE_SECONDS: Final = 20


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE_CLIENTSHIPS)
def add(request: HttpRequest) -> HttpResponse:
    """The form, and the clientship that it makes."""
    who = access(request, "adding a client")
    form = AddClient(policies.services(who), request.POST or None)
    known = None
    if request.method == "POST" and form.is_valid():
        try:
            made = clients.add(who, **form.cleaned_data)
        except Refused as error:
            form.add_error(None, str(error))
            known = error.subject if isinstance(error, AlreadyClient) else None
        else:
            _remember(request, made, form.cleaned_data["start"])
            return redirect("client-check", made.person.subject)
    context = {
        "form": form,
        "code": form["hetu"],
        "known": known,
        "look_up": LookUp() if look_ups.offered(who) else None,
    }
    return render(request, "registry/client_add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE_CLIENTSHIPS)
def look_up(request: HttpRequest) -> HttpResponse:
    """The form as it was typed so far, with the name that VTJ gives for the code. Nothing of the answer is stored."""
    who = access(request, "adding a client")
    if not look_ups.offered(who):
        raise Http404
    if request.method != "POST":
        return redirect("client-add")
    form, asked = AddClient(policies.services(who), typed=request.POST), LookUp(request.POST)
    context: dict[str, object] = {"form": form, "code": asked["hetu"], "look_up": asked}
    if asked.is_valid():
        try:
            context["identity"] = look_ups.look_up(who, asked.cleaned_data["hetu"], asked.cleaned_data["reason"])
        except Refused as error:
            context["unanswered"] = str(error)
    return render(request, "registry/client_add.html", context)


@require_safe
@needs(MANAGE_CLIENTSHIPS)
def check(request: HttpRequest, subject: UUID) -> HttpResponse:
    """Is this the person? While VTJ has not answered, the page waits."""
    added, start = _added(request, subject)
    shown = {"subject": subject, "service": added.service, "start": start}
    if added.awaits_since is not None:
        return render(request, "registry/client_check.html", shown | _wait(added, start, None))
    client = selector.viewed(access(request, "checking an added client"), subject)
    if client is None:
        return unseen(request, subject)
    wait = _wait(added, start, client.status)
    if not wait["waiting"]:
        request.session[UNASKED] = [one for one in request.session.get(UNASKED, []) if one != str(subject)]
    return render(request, "registry/client_check.html", {"client": client} | shown | wait)


@require_safe
@needs(MANAGE_CLIENTSHIPS)
@asks_by_itself
def waiting(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The part of that page that changes: done when VTJ has answered, or the client is not the user's to see."""
    added, start = _added(request, subject)
    status = selector.status(access(request, "checking an added client"), subject)
    return render(request, "registry/client_waiting.html", {"subject": subject, **_wait(added, start, status)})


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def mistaken(request: HttpRequest, subject: UUID) -> HttpResponse:
    """No: what was added is erased at once."""
    added, _start = _added(request, subject)
    try:
        clients.mistaken(access(request, "checking an added client"), added)
    except Refused as error:
        messages.error(request, str(error))
        return redirect("client", subject)
    request.session[ADDED] = {one: told for one, told in request.session[ADDED].items() if one != str(subject)}
    messages.success(request, _("The client was removed, and the look-up was logged as mistaken."))
    return redirect("client-add")


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def withdrawn(request: HttpRequest, subject: UUID) -> HttpResponse:
    """What was added in one's own units and awaits VTJ's answer is taken back."""
    who = access(request, "checking an added client")
    found = policies.awaited(who).filter(person__subject=subject).distinct()
    try:
        gone = [clients.withdraw(who, one) for one in found]
    except Refused as error:
        messages.error(request, str(error))
        return redirect("client", subject)
    if not gone:
        raise Http404
    at_once, later = _("What was added was removed."), _("The clientship was ended as entered by mistake.")
    messages.success(request, at_once if all(gone) else later)
    return redirect("clients")


def _wait(added: Clientship, start: date, status: str | None) -> dict[str, bool]:
    """Whether VTJ's answer is to be waited for: nobody is asked about before the first day (domain.md A1). The same of
    somebody whom the register knew, and of somebody protected (E38)."""
    awaited = added.awaits_since is not None or status == PersonStatus.AWAITING
    since = added.awaits_since or added.created_at
    late = (timezone.now() - since).total_seconds() > PATIENCE_SECONDS
    return {"waiting": awaited and start <= today(), "late": late}


def _remember(request: HttpRequest, made: Clientship, start: date) -> None:
    """With the day that was typed: the clientship may be one that was there, and tells its own to nobody."""
    added: dict[str, tuple[int, str]] = request.session.get(ADDED, {})
    newest = [*added.items(), (str(made.person.subject), (made.pk, start.isoformat()))][-REMEMBERED:]
    request.session[ADDED] = dict(newest)
    request.session[UNASKED] = [*request.session.get(UNASKED, []), str(made.person.subject)][-REMEMBERED:]


def _added(request: HttpRequest, subject: UUID) -> tuple[Clientship, date]:
    """The clientship that this user has just added for the person, and its first day as it was typed. Raises Http404
    for any other."""
    number, start = request.session.get(ADDED, {}).get(str(subject), (None, ""))
    added = selector.just_added(access(request, "checking an added client"), number) if number else None
    if added is None:
        raise Http404
    return added, date.fromisoformat(start)
