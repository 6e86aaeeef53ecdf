"""The sessions of signed-in users, and their ends (docs/adr/0017). Triggers end them too: see migration 0016."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from registry.models import Session, User
from registry.policies import END_SESSIONS, Access
from registry.services import audit
from registry.services.audit import Action

# An ended session is kept so long: whoever comes back with it is told why it ended.
KEPT: Final = timedelta(days=1)


def live() -> QuerySet[Session]:
    """The sessions of users that have not ended, by the database's clock."""
    return Session.objects.filter(
        user__isnull=False, expire_date__gt=Now(), last_seen__gt=Now() - settings.SESSION_IDLE
    )


def end_own(access: Access, handle: UUID) -> int:
    """Ends one session of the user's own. Returns how many that were: none when it is not theirs, or not any more."""
    return _end(access, live().filter(user=access.user, handle=handle))


def end_others(access: Access, key: str | None) -> int:
    """Ends all of the user's own but the one with the key. Returns how many."""
    return _end(access, live().filter(user=access.user).exclude(pk=key))


def end_all_of(access: Access, number: int) -> int:
    """Ends every session of the user with the number. Returns how many. Raises PermissionDenied."""
    access.require(END_SESSIONS)
    user = User.objects.filter(pk=number).first()
    return _end(access, live().filter(user=user), user) if user else 0


def forget() -> None:
    """Removes sessions that ended long ago, and those of nobody as soon as they have."""
    kept = Q(expire_date__gt=Now() - KEPT, last_seen__gt=Now() - settings.SESSION_IDLE - KEPT)
    of_nobody = Q(user=None) & Q(expire_date__lt=Now())
    Session.objects.filter(~kept | of_nobody).delete()


def _end(access: Access, rows: QuerySet[Session], user: User | None = None) -> int:
    with transaction.atomic():
        count, _by_table = rows.delete()
        if count:
            name = (user or access.user).get_username()  # type: ignore[union-attr]
            audit.record(access, Action.END_SESSIONS, details={"sessions": count, "user": name})
    return count
