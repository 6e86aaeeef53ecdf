"""Who is signed in: one's own sessions, and how many anybody has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max

from registry.models import Session, User
from registry.policies import END_SESSIONS, Access
from registry.services import sessions


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session of the user's own; ``here``: the one that asks."""

    handle: UUID
    began: datetime
    last_seen: datetime
    origin: str
    browser: str
    here: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with live sessions: how many, and when one was used last."""

    number: int
    name: str
    username: str
    sessions: int
    last_seen: datetime


def own(access: Access, key: str | None) -> list[SessionRow]:
    """The user's live sessions, the one with the key first, then the one used last."""
    rows = sessions.live().filter(user=access.user).order_by("-last_seen")
    return sorted((_row(one, key) for one in rows), key=lambda one: not one.here)


def everybodys(access: Access) -> list[SignedIn]:
    """Who has live sessions, by name. Raises PermissionDenied."""
    access.require(END_SESSIONS)
    counted = sessions.live().values("user").annotate(count=Count("pk"), seen=Max("last_seen")).order_by()
    found = {one["user"]: one for one in counted}
    users = User.objects.filter(pk__in=found).order_by("last_name", "first_name", "username")
    return [
        SignedIn(one.pk, one.get_full_name(), one.get_username(), found[one.pk]["count"], found[one.pk]["seen"])
        for one in users
    ]


def _row(one: Session, key: str | None) -> SessionRow:
    return SessionRow(one.handle, one.began, one.last_seen, one.origin, one.browser, one.pk == key)
