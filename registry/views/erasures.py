"""Erasures that wait for a second person, and what was erased (domain.md F43, F45)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from registry.clock import today
from registry.forms import ConfirmErasure
from registry.policies import CONFIRM_ERASURE
from registry.selectors import erasures as selector
from registry.services import erasure
from registry.services.errors import Refused
from registry.views.access import access, needs
from registry.views.fresh import fresh_sign_in

BASIS = "erasures"


@require_safe
@needs(CONFIRM_ERASURE)
def page(request: HttpRequest) -> HttpResponse:
    """What is due, and what waits to be confirmed."""
    found = selector.erasures(access(request, BASIS), today())
    return render(request, "registry/erasures.html", {"erasures": found})


@require_POST
@needs(CONFIRM_ERASURE)
@fresh_sign_in(back="erasures")
def confirm(request: HttpRequest) -> HttpResponse:
    """The second person's word: the next due run erases."""
    form = ConfirmErasure(request.POST)
    try:
        erasure.confirm(access(request, BASIS), persons=form.cleaned_data["persons"] if form.is_valid() else 0)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The erasure was confirmed. It is done at the next hourly run."))
    return redirect("erasures")
