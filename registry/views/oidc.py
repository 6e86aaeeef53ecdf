"""To the organisation's own sign-in service and back (docs/adr/0017)."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from registry.models import User
from registry.oidc import LEEWAY
from registry.services.sign_in import Fault, NotIn
from registry.views import fresh
from registry.views.signing import note_fault

NEXT = "oidc_login_next"
STATES = "oidc_states"
ASKED = "asked_to_sign_in_again"


class Begin(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Sends the browser to the sign-in service. Whoever is signed in here already has to sign in there once more."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """With a state, a nonce and a challenge of its own."""
        if not settings.OIDC_OP_ISSUER:
            raise Http404
        answer: HttpResponse = super().get(request)
        return answer

    def get_extra_params(self, request: HttpRequest) -> dict[str, Any]:
        """What asks for a sign-in that is fresh."""
        if not request.user.is_authenticated:
            return {}
        request.session[ASKED] = time.time()
        return {"prompt": "login", "max_age": 0}


class Callback(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """What the sign-in service sends the browser back with."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Where the user wanted to go; or a page that says why not."""
        if not settings.OIDC_OP_ISSUER:
            raise Http404
        if "error" in request.GET:
            # The state is used up. The library would sign out whoever is signed in.
            request.session.get(STATES, {}).pop(request.GET.get("state", ""), None)
            request.session.modified = True
            return _refused(request, NotIn(Fault.DENIED))
        try:
            answer: HttpResponse = super().get(request)
        except SuspiciousOperation:
            return _refused(request, NotIn(Fault.STATE))
        except NotIn as error:
            return _refused(request, error)
        return answer

    def login_success(self) -> HttpResponse:
        """Signs in; or notes for who is signed in that the sign-in is fresh."""
        request, user = self.request, self.user
        page = request.session.pop(NEXT, None) or settings.LOGIN_REDIRECT_URL
        # A session that lost a role with this very sign-in has ended, and begins anew.
        if auth.SESSION_KEY in request.session:
            _again(request, user)
        else:
            auth.login(request, user)
        return redirect(page)

    def login_failure(self) -> HttpResponse:
        """Without a session that asked for it, a code is nobody's."""
        raise NotIn(Fault.STATE)


def _again(request: HttpRequest, user: User) -> None:
    asked = request.session.pop(ASKED, None)
    if user != request.user:
        raise NotIn(Fault.OTHER_PERSON)
    if asked is None or user.auth_time is None or user.auth_time < asked - LEEWAY:  # type: ignore[attr-defined]
        raise NotIn(Fault.NOT_FRESH)
    fresh.prove(request)


def _refused(request: HttpRequest, error: NotIn) -> HttpResponse:
    note_fault(request, error)
    status = 503 if error.fault == Fault.UNREACHABLE else 403
    return render(request, "registry/not_signed_in.html", {"fault": error.fault}, status=status)
