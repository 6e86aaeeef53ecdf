"""Who is signed in, since when and from where (docs/adr/0017)."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.models.organisation import User

# What saving a session's data may write: never when it was last seen, nor its handle.
_WRITTEN: Final = ("session_data", "expire_date", "user", "began", "origin", "browser")


class Session(AbstractBaseSession):
    """A session of the pages, of somebody signed in or of nobody. It ends at ``expire_date`` whatever happens, and
    when it was not seen for too long; triggers of migration 0016 end it when the account is deactivated
    or loses a role. ``handle`` names it on a page: the key itself is the way in."""

    handle = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    began = models.DateTimeField(db_default=Now())
    last_seen = models.DateTimeField(db_default=Now())
    origin = models.TextField(blank=True)
    browser = models.TextField(blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        default_permissions = ()
        permissions = [("end_sessions", "End the sessions of any user")]

    def save(self, *args: Any, **how: Any) -> None:
        """As the session store saves: a row that is there keeps when it was last seen."""
        if how.get("force_update"):
            how["update_fields"] = _WRITTEN
        super().save(*args, **how)

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        """What reads and writes the rows."""
        from registry.sessions import SessionStore

        return SessionStore
