"""Grave acts want a sign-in that is fresh (docs/adr/0017): ``@fresh_sign_in`` before the view.

Who signed in too long ago is asked once more and led back to the page where the act is confirmed. What was posted is
not kept and not done by coming back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from registry.forms import SignInAgain
from registry.services import audit
from registry.services.audit import Action
from registry.services.sign_in import BASIS, Fault, NotIn
from registry.views.access import View, access, user_of
from registry.views.signing import PROVED, note_fault


def fresh_sign_in(back: str | None = None) -> Callable[[View], View]:
    """The view asks for a fresh sign-in first. ``back``: the name of the page with the confirmation, where that is
    another one than the view's own."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if _is_fresh(request):
                return view(request, *args, **kwargs)
            page = reverse(back, kwargs=kwargs) if back else request.get_full_path()
            return redirect(f"{reverse('sign-in-again')}?{urlencode({'next': page})}")

        return guarded

    return decorate


def prove(request: HttpRequest) -> None:
    """Notes that the user has just shown to be who is signed in, here or at the sign-in service."""
    request.proved = True  # type: ignore[attr-defined]
    request.session[PROVED] = time.time()
    audit.record(access(request, BASIS), Action.SIGN_IN_AGAIN)
    messages.success(request, _("Thank you. You can go on now; nothing has been done yet."))


@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponse:
    """Asks for the password; whoever signs in at the sign-in service is led there."""
    user, page = user_of(request), _page(request)
    if user.issuer:
        return render(request, "registry/sign_in_again.html", {"next": page, "elsewhere": True})
    form = SignInAgain(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        prove(request)
        return redirect(page)
    if form.wrong:
        note_fault(request, NotIn(Fault.PASSWORD))
    return render(request, "registry/sign_in_again.html", {"form": form, "next": page})


def _is_fresh(request: HttpRequest) -> bool:
    age: float = time.time() - request.session.get(PROVED, 0)
    return 0 <= age < settings.FRESH_SIGN_IN.total_seconds()


def _page(request: HttpRequest) -> str:
    """Where it goes on, if that is a page of ours."""
    page = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if safe else reverse("start")
