"""Where sessions are kept: in a table of our own, so that they end on the server (docs/adr/0017).

The framework's documented way: a model, and a store that makes its rows of what a session holds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models.functions import Now
from django.utils import timezone

from registry.models import Session

# What a session holds of itself since somebody signed in: when, from where, in which browser; seconds since 1970.
BEGAN: Final = "began"
ORIGIN: Final = "origin"
BROWSER: Final = "browser"
# No need to note every click.
NOTED_EVERY: Final = timedelta(minutes=1)


class SessionStore(DatabaseStore):
    """``was_idle``: the session that was asked for had ended because nobody used it."""

    was_idle = False
    _last_seen: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row: it ends so long after signing in; where nobody is signed in, when it is not used."""
        began = datetime.fromtimestamp(data[BEGAN], UTC) if BEGAN in data else timezone.now()
        return Session(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=began + (settings.SESSION_LONGEST if BEGAN in data else settings.SESSION_IDLE),
            user_id=data.get(SESSION_KEY),
            began=began,
            origin=data.get(ORIGIN, ""),
            browser=data.get(BROWSER, ""),
        )

    def seen(self) -> None:
        """Somebody used it now."""
        if self._last_seen and timezone.now() - self._last_seen > NOTED_EVERY:
            Session.objects.filter(pk=self.session_key).update(last_seen=Now())

    def _get_session_from_db(self) -> Session | None:
        row = Session.objects.filter(pk=self.session_key).annotate(now=Now()).first()
        if row is not None:
            self.was_idle = row.now - row.last_seen >= settings.SESSION_IDLE
            if not self.was_idle and row.expire_date > row.now:
                self._last_seen = row.last_seen
                return row
        self._session_key = None
        return None
