"""What every page shows around its content: whose register it is, where one can go, and which version runs."""

from __future__ import annotations

from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registry import lock
from registry.models import Authority, User
from registry.policies import (
    CONFIRM_ERASURE,
    END_SESSIONS,
    HANDLE_PROTECTED,
    IMPORT_CLIENTS,
    MAKE_LOG_EXTRACT,
    MANAGE_CLIENTSHIPS,
    SEE_AUDIT_LOG,
    SEE_CLIENTS,
    SEE_OPENINGS,
    SEE_PROBLEMS,
    SEE_SYNC,
    USE_EMERGENCY_ACCESS,
    Access,
    locked,
    may,
)
from registry.selectors import openings, problems
from registry.version import VERSION

register = template.Library()

# What stands around a page counts, and tells of nobody: it leaves no event.
AROUND: Final = "every page"

# Who holds one of the rights sees the place.
NAVIGATION: Final = (
    ((SEE_CLIENTS,), "clients", _("Clients")),
    ((SEE_CLIENTS, SEE_PROBLEMS), "problems", _("Needs attention")),
    ((MANAGE_CLIENTSHIPS,), "client-add", _("Add a client")),
    ((USE_EMERGENCY_ACCESS,), "emergency", _("Emergency access")),
    ((IMPORT_CLIENTS,), "imports", _("Import a list")),
    ((SEE_SYNC,), "sync-history", _("VTJ synchronisation")),
    ((SEE_OPENINGS,), "openings", _("Openings")),
    ((CONFIRM_ERASURE,), "erasures", _("Erasures")),
    ((SEE_AUDIT_LOG,), "audit-log", _("Audit log")),
    ((MAKE_LOG_EXTRACT,), "log-extracts", _("Log extracts")),
    ((END_SESSIONS,), "sessions", _("Sessions")),
)


@register.simple_tag(takes_context=True)
def authority_name(context: dict[str, Any]) -> str:
    """The name of the permit holder, asked for once per page."""
    if "authority" not in context.render_context:  # type: ignore[attr-defined]
        context.render_context["authority"] = Authority.objects.first()  # type: ignore[attr-defined]
    authority = context.render_context["authority"]  # type: ignore[attr-defined]
    return str(authority or _("Client register"))


@register.inclusion_tag("components/navigation.html", takes_context=True)
def navigation(context: dict[str, Any]) -> dict[str, Any]:
    """The pages that the user's rights open."""
    request: HttpRequest = context["request"]
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"items": []}
    items = [(label, reverse(name)) for rights, name, label in NAVIGATION if any(may(user, one) for one in rights)]
    around = max((address for _label, address in items if request.path.startswith(address)), key=len, default="")
    waiting = {reverse("problems"): _waiting(user)}
    return {
        "items": [
            {
                "label": label,
                "address": address,
                "current": "page" if address == request.path else "true" if address == around else "",
                "count": waiting.get(address, ""),
            }
            for label, address in items
        ]
    }


def _waiting(user: User) -> str:
    """How many problems of the user's own clients wait; for administrators how many hand-overs nobody sees who could
    take the client over. Nothing when none do."""
    count = (problems.count_own if may(user, SEE_CLIENTS) else problems.count_unattended)(Access(user, AROUND))
    return f"{problems.COUNTED}+" if count > problems.COUNTED else str(count or "")


@register.inclusion_tag("components/lock.html", takes_context=True)
def lock_notice(context: dict[str, Any]) -> dict[str, Any]:
    """That the register is locked after a restore from a backup (domain.md F45); how to go on, for administrators."""
    reason = lock.reason()
    user = getattr(context.get("request"), "user", None)
    return {
        "reason": reason,
        "command": "python manage.py restore_finish",
        "replayed": reason is not None and lock.state().replayed_at is not None,
        "may_finish": reason is not None and user is not None and user.is_authenticated and may(user, SEE_SYNC),
    }


@register.inclusion_tag("components/emergency.html", takes_context=True)
def emergency_notice(context: dict[str, Any]) -> dict[str, Any]:
    """The user's own emergency accesses, while they last (docs/adr/0019)."""
    user = getattr(context.get("request"), "user", None)
    if user is None or not user.is_authenticated:
        return {"rows": []}
    return {"rows": list(openings.lasting(Access(user, AROUND)))}


@register.simple_tag(takes_context=True)
def no_clients_shown(context: dict[str, Any]) -> bool:
    """Whether this user sees no client, only because the register is locked."""
    user = context["request"].user
    return locked(Access(user, AROUND)) and not may(user, HANDLE_PROTECTED)


@register.simple_tag(takes_context=True)
def return_address(context: dict[str, Any]) -> str:
    """Where to come back to after a change of language."""
    request: HttpRequest = context["request"]
    return request.get_full_path() if request.method == "GET" else request.path


@register.simple_tag
def version() -> str:
    """The version of the program."""
    return VERSION
