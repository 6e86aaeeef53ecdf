"""Signing in and out leaves an event each (domain.md G46), and what a session has to know of itself (docs/adr/0017)."""

from __future__ import annotations

import time
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.auth.views import LoginView
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from registry import browsers
from registry.forms import SignIn
from registry.models import User
from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action
from registry.services.sign_in import BASIS, NotIn
from registry.sessions import BEGAN, BROWSER, ORIGIN
from registry.views.access import origin

# When the user last showed to be who is signed in, in seconds since 1970.
PROVED: Final = "proved"


class SignInPage(LoginView):
    """By a local account, or at the organisation's own sign-in service: whichever the settings allow."""

    template_name = "registry/sign_in.html"
    authentication_form = SignIn
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Which ways in there are."""
        ways = {"local": settings.LOCAL_ACCOUNTS, "elsewhere": bool(settings.OIDC_OP_ISSUER)}
        return super().get_context_data(**kwargs) | ways


@receiver(user_logged_in, dispatch_uid="audit sign-in")
def signed_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Somebody signed in. One who came in by the sign-in service may have typed a password there long ago."""
    where = origin(request)
    request.proved = True  # type: ignore[attr-defined]
    request.session[BEGAN] = time.time()
    request.session[ORIGIN] = where
    request.session[BROWSER] = browsers.named(request.META.get("HTTP_USER_AGENT", ""))
    told = getattr(user, "auth_time", None)
    request.session[PROVED] = (told or 0) if user.issuer else time.time()
    audit.record(_access(request, user), Action.SIGN_IN)


@receiver(user_logged_out, dispatch_uid="audit sign-out")
def signed_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    """Somebody signed out; nobody did when the session had already ended."""
    if user is not None:
        audit.record(_access(request, user), Action.SIGN_OUT)
        words = _("You have signed out here. The sign-in service of your organisation may still know you.")
        messages.success(request, words if user.issuer else _("You have signed out."), fail_silently=True)


@receiver(user_login_failed, dispatch_uid="audit refused sign-in")
def refused(request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Somebody did not get in. What was typed as the name is not kept: it may be a password."""
    audit.record(_access(request, None), Action.SIGN_IN, outcome="refused")


def note_fault(request: HttpRequest, error: NotIn) -> None:
    """The event of somebody who did not get in, or whose sign-in was not fresh, with the reason."""
    here = request.user if request.user.is_authenticated else None
    action = Action.SIGN_IN_AGAIN if here else Action.SIGN_IN
    who = _access(request, here or error.user)
    audit.record(who, action, outcome="refused", details={"fault": error.fault.value})


def _access(request: HttpRequest | None, user: User | None) -> Access:
    return Access(user, BASIS, origin(request) if request else "")
