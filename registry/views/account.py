"""One's own sessions and password; and everybody's sessions for who may end them (docs/adr/0017)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.forms import ChangePassword
from registry.policies import END_SESSIONS
from registry.selectors import sessions as selector
from registry.services import sessions, users
from registry.services.sign_in import Fault, NotIn
from registry.views.access import access, needs, user_of
from registry.views.signing import note_fault

BASIS = "own account"


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Where one is signed in, and the way to another password."""
    rows = selector.own(access(request, BASIS), request.session.session_key)
    return render(request, "registry/account.html", {"rows": rows, "local": not user_of(request).issuer})


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Ends one of the own sessions, or all others."""
    which, who = request.POST.get("which", ""), access(request, BASIS)
    if which == "others":
        count = sessions.end_others(who, request.session.session_key)
    else:
        count = sessions.end_own(who, _handle(which))
    _tell(request, count)
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Another password for a local account; there is none to change for others."""
    user = user_of(request)
    if user.issuer:
        raise Http404
    form = ChangePassword(user, request.POST or None)
    valid = form.is_valid()
    # Whoever knows the present password is not guessing, whatever the new one is like.
    request.proved = form.is_bound and not form.has_error("old_password")  # type: ignore[attr-defined]
    if valid:
        users.change_password(access(request, BASIS), user, form.cleaned_data["new_password1"])
        update_session_auth_hash(request, user)
        messages.success(request, _("The password was changed. Everywhere else you were signed out."))
        return redirect("account")
    if form.wrong:
        note_fault(request, NotIn(Fault.PASSWORD))
    return render(request, "registry/password.html", {"form": form})


@require_safe
@needs(END_SESSIONS)
def everybody(request: HttpRequest) -> HttpResponse:
    """Who is signed in."""
    found = selector.everybodys(access(request, "sessions of users"))
    return render(request, "registry/sessions.html", {"rows": found})


@require_POST
@needs(END_SESSIONS)
def end_all(request: HttpRequest) -> HttpResponse:
    """Ends all sessions of a user."""
    number = request.POST.get("user", "")
    if not number.isdecimal():
        raise Http404
    _tell(request, sessions.end_all_of(access(request, "sessions of users"), int(number[:18])))
    return redirect("sessions")


def _handle(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _tell(request: HttpRequest, count: int) -> None:
    if not count:
        messages.info(request, _("There was no session to end any more."))
        return
    words = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", count)
    messages.success(request, words % {"count": count})
