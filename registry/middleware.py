"""Who is signed in, at every page: nobody comes further without, and a session that is used is noted as seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# A page that reloads itself where there is no JavaScript says so in its address: nobody is there for certain.
WATCHING = "watching"


class SignedIn(LoginRequiredMiddleware):
    """Leads whoever is not signed in to the sign-in page, and back from there."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        """What asks by itself, again and again, keeps no session alive."""
        answer = super().process_view(request, view_func, view_args, view_kwargs)
        by_hand = not getattr(view_func, "asks_by_itself", False) and WATCHING not in request.GET
        if answer is None and by_hand and getattr(view_func, "login_required", True):
            request.session.seen()  # type: ignore[attr-defined]
        return answer

    def handle_no_permission(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseRedirect:
        """Says when a session has ended. What was posted is not done; the way leads back to the page with the form."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            messages.info(request, _ended(request))
        page = request.get_full_path() if request.method in {"GET", "HEAD"} else _posted_from(request)
        return redirect_to_login(page, reverse("sign-in"))


def _ended(request: HttpRequest) -> str:
    if getattr(request.session, "was_idle", False):
        minutes = int(settings.SESSION_IDLE.total_seconds() // 60)
        return ngettext(
            "The register was not used for %(minutes)d minute, so you were signed out.",
            "The register was not used for %(minutes)d minutes, so you were signed out.",
            minutes,
        ) % {"minutes": minutes}
    return _("Your session has ended.")


def _posted_from(request: HttpRequest) -> str:
    """The page with the form, if it is one of ours; else the start page."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return reverse("start")
    parts = urlsplit(page)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
