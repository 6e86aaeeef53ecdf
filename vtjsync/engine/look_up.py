"""A single look-up for a caseworker who is about to add a client (wire.md 3): the settings' account with VTJkysely, and
the stop that binds every worker. Nothing of an answer is kept."""

from __future__ import annotations

import logging
from typing import Final

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Now

from registry.hetu import Hetu
from registry.policies import RUN_SYNC, Access
from registry.ports import Identity, Unanswered
from registry.services import audit
from registry.services.audit import Action
from vtjsync.models import SyncControl
from vtjsync.wire.errors import Denied, Unavailable, VtjError
from vtjsync.wire.vtjkysely import Vtjkysely
from vtjsync.wire.vtjkysely_answer import Ban, LookUp, Outcome

log = logging.getLogger(__name__)

NEEDED: Final = (
    "VTJ_SERVER",
    "VTJKYSELY_CLIENT",
    "VTJKYSELY_SERVICE",
    "VTJKYSELY_PRODUCT",
    "VTJKYSELY_USERNAME",
    "VTJKYSELY_PASSWORD",
)


def is_on() -> bool:
    """Whether the settings name everything that a look-up needs."""
    return all(getattr(settings, name) for name in NEEDED)


def look_up(code: Hetu, *, asked_by: str, reason: str) -> Identity:
    """Whose the code is. When we are not let in, all look-ups stop until an administrator lets them go on.

    Raises :class:`~registry.ports.Unanswered`; RuntimeError inside a transaction (domain.md B10).
    """
    if database.in_atomic_block:
        raise RuntimeError("a request to VTJ inside a database transaction")
    if SyncControl.objects.exclude(look_ups_stopped_at=None).exists():
        raise Unanswered(closed=True)
    try:
        told = _asked(code, asked_by, reason)
    except ValueError as error:
        log.error("a look-up cannot be made: %s", error)  # noqa: TRY400 - a setting that cannot work, said in words
        closed = True
    except VtjError as error:
        denied = isinstance(error, Denied)
        closed = denied or (isinstance(error, Unavailable) and not error.again)
        level = logging.ERROR if closed else logging.WARNING
        log.log(level, "a look-up had no answer: %s (%s, X-Road-Id %s)", error, error.error_type, error.x_road_id)
        if denied:
            _stop(str(error))
    else:
        return _identity(told)
    raise Unanswered(closed=closed)


def resume(access: Access) -> None:
    """Lets look-ups go on after a stop (domain.md B16). Needs the right to run the sync."""
    access.require(RUN_SYNC)
    with transaction.atomic():
        SyncControl.objects.filter(pk=True).update(look_ups_stopped_reason="", look_ups_stopped_at=None)
        audit.record(access, Action.RESUME_LOOK_UPS)


def _asked(code: Hetu, asked_by: str, reason: str) -> LookUp:
    kysely = Vtjkysely(
        server=settings.VTJ_SERVER,
        client=settings.VTJKYSELY_CLIENT,
        service=settings.VTJKYSELY_SERVICE,
        product=settings.VTJKYSELY_PRODUCT,
        username=settings.VTJKYSELY_USERNAME,
        password=settings.VTJKYSELY_PASSWORD,
        invoicing=settings.VTJKYSELY_INVOICING,
        extra_headers=settings.VTJ_EXTRA_HEADERS,
        cert=settings.VTJ_CERT,
        key=settings.VTJ_KEY,
        server_cert=settings.VTJ_SERVER_CERT,
        connect_timeout=settings.VTJ_CONNECT_TIMEOUT,
        read_timeout=settings.VTJ_READ_TIMEOUT,
        deadline=settings.VTJKYSELY_DEADLINE,
    )
    try:
        return kysely.look_up(code, asked_by=asked_by, issue=reason)
    finally:
        kysely.close()


def _identity(told: LookUp) -> Identity:
    """What the page may know. The unknown, the dead and the withheld are one answer, and nobody under a ban differs.

    A code that is no longer in force can lead to a new identity (domain.md D31): it tells something only where a ban is
    known to be off.
    """
    if told.outcome not in (Outcome.FOUND, Outcome.PASSIVE) or not (told.in_force or told.ban is Ban.OFF):
        return Identity()
    return Identity(" ".join(filter(None, (told.first_names, told.last_name))) or None, told.in_force)


def _stop(reason: str) -> None:
    """Nobody looks up anything until an administrator lets it go on: more attempts could lock the account."""
    defaults = {"look_ups_stopped_reason": reason, "look_ups_stopped_at": Now()}
    SyncControl.objects.update_or_create(pk=True, defaults=defaults)
