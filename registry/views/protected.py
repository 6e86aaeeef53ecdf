"""Protected clients: why a page is opened, hand-over, contact address, the supervisor's list (domain.md E38, E39)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.forms import ContactForm, Units, WhyOpened
from registry.policies import HANDLE_PROTECTED, KEEP_CONTACT_ADDRESS, SEE_OPENINGS
from registry.selectors import contacts
from registry.selectors import openings as selector
from registry.selectors import problems as problem_selector
from registry.services import contact_address, handover
from registry.services import openings as reasons
from registry.services.errors import Refused
from registry.views.access import access, needs

BASIS: Final = "protected clients"
CONTACT: Final = "contact address"


@require_http_methods(["GET", "HEAD", "POST"])
@needs(HANDLE_PROTECTED)
def opening(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The question why a protected client's page is opened; with the answer it leads on."""
    who = access(request, BASIS)
    if reasons.protected(who, subject) is None:
        raise Http404
    form = WhyOpened(request.POST or None, initial={"next": request.GET.get("next", "")})
    if request.method == "POST" and form.is_valid():
        reasons.give_reason(who, subject, form.cleaned_data["reason"], form.cleaned_data["note"])
        wanted = form.cleaned_data["next"]
        inside = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
        return redirect(wanted if inside else reverse("client", args=[subject]))
    return render(request, "registry/client_open.html", {"form": form})


@require_POST
@needs(HANDLE_PROTECTED)
def take_over(request: HttpRequest, number: int) -> HttpResponse:
    """The handler takes the client over."""
    who = access(request, BASIS)
    row = problem_selector.row(who, number)
    if row is None:
        raise Http404
    try:
        handover.take_over(who, row)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("You have taken the client over."))
    return redirect("client", row.person.subject)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(KEEP_CONTACT_ADDRESS)
def contact(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The contact address, to be written or changed."""
    who = access(request, CONTACT)
    page = contacts.page(who, subject)
    if page is None:
        raise Http404
    form = ContactForm(request.POST or None, initial=page.contact.values if page.contact else None)
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        try:
            contact_address.save(who, subject, told, confirmed=told.pop("confirmed"))
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The contact address was saved."))
            return redirect("client", subject)
    return render(request, "registry/contact_address.html", {"form": form, "page": page})


@require_POST
@needs(KEEP_CONTACT_ADDRESS)
def contact_removed(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The contact address goes."""
    try:
        contact_address.remove(access(request, CONTACT), subject)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The contact address was removed."))
    return redirect("client", subject)


@require_safe
@needs(SEE_OPENINGS)
def openings(request: HttpRequest) -> HttpResponse:
    """Why protected clients were opened, the newest first."""
    before, unit = request.GET.get("before", "")[:18], request.GET.get("unit", "")
    who = access(request, "openings of protected clients")
    page = selector.listed(who, unit=unit, before=int(before) if before.isdecimal() else None)
    choices = [("", _("All of your units")), *((one.code, one.name) for one in page.units)]
    context: dict[str, Any] = {"page": page, "form": Units(choices, page.unit), "first": not before}
    return render(request, "registry/openings.html", context)
