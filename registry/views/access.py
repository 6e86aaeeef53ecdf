"""Who asks, why and from where: made of the request in one place, for every selector and service."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from registry.models import User
from registry.policies import Access, may
from registry.services.openings import ReasonNeeded

View = Callable[..., HttpResponseBase]


def access(request: HttpRequest, basis: str) -> Access:
    """The signed-in user's access; ``basis`` says in a word or two what the page is for (domain.md G46)."""
    return Access(user_of(request), basis, origin(request))


def origin(request: HttpRequest) -> str:
    """The network address that the request came from, as the outermost of our own proxies saw it.

    Each proxy adds the address that it saw to the end of ``X-Forwarded-For``; what stands before the entries of ours
    is the word of whoever asked, and is not believed.
    """
    seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies: int = settings.TRUSTED_PROXIES
    if 0 < proxies <= len(seen):
        try:
            return str(ip_address(seen[-proxies].strip()))
        except ValueError:
            pass
    return str(request.META.get("REMOTE_ADDR", ""))


def user_of(request: HttpRequest) -> User:
    """The signed-in user. Raises PermissionDenied where nobody is: no page for anonymous ones comes here."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def needs(*permissions: str) -> Callable[[View], View]:
    """The view answers 403 to whoever holds none of the rights, and no browser keeps what it answers. To open a
    protected client it first asks for a reason (domain.md E38)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not any(may(user_of(request), permission) for permission in permissions):
                raise PermissionDenied
            try:
                response = view(request, *args, **kwargs)
            except ReasonNeeded as needed:
                response = _ask_why(request, needed)
            add_never_cache_headers(response)
            return response

        return guarded

    return decorate


def asks_by_itself(view: View) -> View:
    """A part of a page that the browser asks for again and again: nobody need be there, and it keeps no session alive
    (docs/adr/0017). Stands nearest to the view; what is around it passes the mark on."""
    view.asks_by_itself = True  # type: ignore[attr-defined]
    return view


def _ask_why(request: HttpRequest, needed: ReasonNeeded) -> HttpResponse:
    """Leads to the question, and from there back to what was asked for; an act is not done by coming back."""
    address = reverse("client-open", args=[needed.subject])
    back = f"?{urlencode({'next': request.path})}" if request.method == "GET" else ""
    return redirect(address + back)
