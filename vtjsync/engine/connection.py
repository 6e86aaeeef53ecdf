"""The application's one way to VTJ: the settings' security server, the stop that binds all workers, and two clocks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection as database
from django.db.models.functions import Now

from registry.clock import helsinki_day
from vtjsync.engine import budget
from vtjsync.engine.budget import Priority, Stopped
from vtjsync.logs import request_id
from vtjsync.models import SyncControl
from vtjsync.wire.errors import Denied, Reason, Unavailable, VtjError
from vtjsync.wire.muutosrajapinta import Muutosrajapinta
from vtjsync.wire.xroad import XRoadClient, XRoadService

__all__ = ["Connection", "QuotaUsedUp", "Sent", "Stopped", "database_now", "stop"]


class QuotaUsedUp(Exception):
    """VTJ has said 429 to one who does not insist (domain.md G50)."""


class Dated(Protocol):
    """An answer that may tell what time it was at VTJ."""

    @property
    def at(self) -> datetime | None:
        """VTJ's time of the answer."""


Answer = TypeVar("Answer", bound=Dated)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """When a request was sent: ``database`` on the database's clock, by which workers compare (domain.md B9); ``vtj``
    on VTJ's, by which entries and basic data compare (C22). Before the request, and so never too late."""

    database: datetime
    vtj: datetime

    @property
    def today(self) -> date:
        """The Helsinki day at VTJ."""
        return helsinki_day(self.vtj)


class Connection:
    """Muutosrajapinta as the settings say. One for each worker; close it after use."""

    def __init__(self, heartbeat: Callable[[], None] = lambda: None, *, insists: bool = True) -> None:
        """``heartbeat`` is called before every attempt of a request, and while one waits for its turn. Who does not
        insist gets :class:`QuotaUsedUp` at the first 429. Raises ImproperlyConfigured."""
        self._heartbeat = heartbeat
        self._insists = insists
        self._priority = Priority.ASKS
        self._ahead = timedelta()
        self.client = x_road_client(before_request=self._before_request, on_error=self._on_error)
        self.api = Muutosrajapinta(self.client)

    def send(self, call: Callable[[Muutosrajapinta], Answer], priority: Priority) -> tuple[Answer, Sent]:
        """The answer of one call and when it was sent. Raises VtjError, :class:`Stopped`, :class:`QuotaUsedUp`."""
        sent, started = database_now(), time.monotonic()
        answer = self._call(call, priority)
        now = datetime.now(UTC)
        if answer.at is not None:
            self._ahead = answer.at - now
        return answer, Sent(sent, now + self._ahead - timedelta(seconds=time.monotonic() - started))

    @property
    def today(self) -> date:
        """The Helsinki day at VTJ, as far as its last answer tells."""
        return helsinki_day(datetime.now(UTC) + self._ahead)

    def yesterday_key(self, priority: Priority) -> int:
        """The first key of VTJ's Helsinki day before (domain.md B9). Raises as :meth:`send` does."""
        day = self.today - timedelta(days=1)
        return self._call(lambda api: api.first_key(day), priority)

    def answers_others(self, error: VtjError) -> bool:
        """Whether VTJ still answers a small question after it failed at a list: then it may answer for others, who
        need not wait for these. A used-up quota is everybody's. Raises Denied, :class:`Stopped` and
        :class:`QuotaUsedUp`."""
        if error.reason is Reason.QUOTA:
            return False
        try:
            self.yesterday_key(self._priority)
        except Denied:
            raise
        except VtjError:
            return False
        return True

    def close(self) -> None:
        """Closes the pooled connections."""
        self.client.close()

    def _call(self, call: Callable[[Muutosrajapinta], T], priority: Priority) -> T:
        self._priority = priority
        return call(self.api)

    def _before_request(self) -> None:
        """Nothing is asked while the sync is stopped, above the shared budget, or inside a transaction (B10)."""
        if database.in_atomic_block:
            raise RuntimeError("a request to VTJ inside a database transaction")
        self._heartbeat()
        while not budget.take(self._priority):
            time.sleep(1)
            self._heartbeat()

    def _on_error(self, error: VtjError) -> None:
        """What an attempt's error means for all workers: none may go on (B16), or VTJ is to be left alone for a
        while."""
        if isinstance(error, Denied):
            stop(str(error))
        elif isinstance(error, Unavailable) and error.reason is Reason.QUOTA:
            budget.leave_alone(error.retry_after)
            if not self._insists:
                raise QuotaUsedUp from None


def x_road_client(**options: Any) -> XRoadClient:
    """A client of X-Road as the settings say; ``options`` go before them. Raises ImproperlyConfigured, in words."""
    if not settings.VTJ_SERVER or not settings.VTJ_CLIENT:
        raise ImproperlyConfigured("VTJ_SERVER and VTJ_CLIENT are not set. See docs/operations.md.")
    told: dict[str, Any] = {
        "server": settings.VTJ_SERVER,
        "client": settings.VTJ_CLIENT,
        "username": settings.VTJ_USERNAME,
        "password": settings.VTJ_PASSWORD,
        "auth_header": settings.VTJ_AUTH_HEADER,
        "extra_headers": settings.VTJ_EXTRA_HEADERS,
        "cert": settings.VTJ_CERT,
        "key": settings.VTJ_KEY,
        "server_cert": settings.VTJ_SERVER_CERT,
        "connect_timeout": settings.VTJ_CONNECT_TIMEOUT,
        "read_timeout": settings.VTJ_READ_TIMEOUT,
        "deadline": settings.VTJ_DEADLINE,
        "issue": request_id,
    }
    try:
        return XRoadClient(service=XRoadService.parse(settings.VTJ_SERVICE), **told | options)
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from None


def database_now() -> datetime:
    """The database's clock, which all workers share."""
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def stop(reason: str) -> None:
    """Stops every run of every worker until an administrator lets them go on (domain.md B16)."""
    SyncControl.objects.update_or_create(pk=True, defaults={"stopped_reason": reason, "stopped_at": Now()})
