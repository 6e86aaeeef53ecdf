"""Signing in and out leaves an event each (domain.md G46)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from registry.models import User
from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action
from registry.views.access import origin

BASIS = "signing in"


@receiver(user_logged_in, dispatch_uid="audit sign-in")
def signed_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Somebody signed in."""
    audit.record(_access(request, user), Action.SIGN_IN)


@receiver(user_logged_out, dispatch_uid="audit sign-out")
def signed_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    """Somebody signed out; nobody did when the session had already ended."""
    if user is not None:
        audit.record(_access(request, user), Action.SIGN_OUT)
        messages.success(request, _("You have signed out."), fail_silently=True)


@receiver(user_login_failed, dispatch_uid="audit refused sign-in")
def refused(request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Somebody did not get in. What was typed as the name is not kept: it may be a password."""
    audit.record(_access(request, None), Action.SIGN_IN, outcome="refused")


def _access(request: HttpRequest | None, user: User | None) -> Access:
    return Access(user, BASIS, origin(request) if request else "")
