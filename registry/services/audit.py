"""The one function that writes the audit log (domain.md G46), and the keyed hash that leads into it (G47).

An event is written before the page or file it tells of, in the transaction of the act: no event, no data. It holds no
code in clear, no name and no place.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.hetu import Hetu
from registry.models import AuditEvent
from registry.policies import Access


class Action(models.TextChoices):
    """What can be done that leaves an event."""

    SIGN_IN = "SIGN_IN", _("Signed in")
    SIGN_OUT = "SIGN_OUT", _("Signed out")
    LIST = "LIST", _("Viewed a list of clients")
    SEARCH = "SEARCH", _("Searched for clients")
    VIEW = "VIEW", _("Viewed a client")
    SHOW_CODE = "SHOW_CODE", _("Had the identity code shown")
    LOOK_UP = "LOOK_UP", _("Looked an identity code up in VTJ")
    PRINT_UNCONFIRMED = "PRINT_UNCONFIRMED", _("Had a location printed that was not confirmed lately")
    ADD_CLIENT = "ADD_CLIENT", _("Added a client")
    NOT_THE_PERSON = "NOT_THE_PERSON", _("Removed a client added by mistake")
    END_CLIENTSHIP = "END_CLIENTSHIP", _("Ended a clientship")
    TAKE_BACK_END = "TAKE_BACK_END", _("Took back the end of a clientship")
    VIEW_PROBLEMS = "VIEW_PROBLEMS", _("Viewed what needs attention")
    ASK_AGAIN = "ASK_AGAIN", _("Had VTJ asked again")
    SET_ASIDE = "SET_ASIDE", _("Set a problem aside with a note")
    SHOW_NAME = "SHOW_NAME", _("Had the name shown that VTJ gives")
    CONFIRM_PERSON = "CONFIRM_PERSON", _("Confirmed that it is the person of the list")
    VIEW_PAIR = "VIEW_PAIR", _("Viewed two entries of one person")
    MERGE = "MERGE", _("Merged two entries of one person")
    REPORT_PAIR = "REPORT_PAIR", _("Reported two entries of one person to DVV")
    IMPORT = "IMPORT", _("Imported a list of clients")
    EXPORT = "EXPORT", _("Exported the register")
    ERASE = "ERASE", _("Erased what was due")
    ERASE_VTJ_DATA = "ERASE_VTJ_DATA", _("Erased VTJ data that no permit covers")
    CONFIRM_ERASURE = "CONFIRM_ERASURE", _("Confirmed an erasure")
    LOAD_SETUP = "LOAD_SETUP", _("Changed the set-up")
    CREATE_USER = "CREATE_USER", _("Created a user")
    START_RUN = "START_RUN", _("Started a sync run")
    END_RUN = "END_RUN", _("A sync run ended")
    ASK_CHANGES = "ASK_CHANGES", _("Asked VTJ for changes")
    ASK_BASIC_DATA = "ASK_BASIC_DATA", _("Asked VTJ for basic data")
    RESUME_SYNC = "RESUME_SYNC", _("Let the sync go on")
    RESUME_LOOK_UPS = "RESUME_LOOK_UPS", _("Let the look-ups go on")
    CHECK_VTJ = "CHECK_VTJ", _("Checked the connection to VTJ")
    ASK_RESET = "ASK_RESET", _("Had a refused cursor reset")
    RESET_CURSOR = "RESET_CURSOR", _("A refused cursor was reset")
    FOLLOW_PERMIT = "FOLLOW_PERMIT", _("Had everybody asked again by a changed permit")
    HOLD_BACK = "HOLD_BACK", _("A run held back what VTJ was silent about")
    RELEASE_BRAKE = "RELEASE_BRAKE", _("Released what a run had held back")
    ASK_HELD_AGAIN = "ASK_HELD_AGAIN", _("Had VTJ asked again about what a run had held back")
    CHANGE_SCHEDULE = "CHANGE_SCHEDULE", _("Changed the schedule of the syncs")
    VIEW_SYNC = "VIEW_SYNC", _("Viewed the sync history")
    VIEW_LOG = "VIEW_LOG", _("Read the audit log")
    HOLD_UP = "HOLD_UP", _("Was held up: too many attempts")
    VERIFY_PROTECTION = "VERIFY_PROTECTION", _("Checked that no place of a protected person is kept")


def record(
    access: Access,
    action: Action,
    *,
    subjects: Iterable[UUID] = (),
    count: int | None = None,
    outcome: str = "done",
    details: Mapping[str, str | int] | None = None,
) -> None:
    """Write one event. ``count`` is the number of persons where it differs from that of ``subjects``.

    ``details`` holds numbers and names of things (run, cohort, service), never anything of a person.
    """
    ids = list(subjects)
    AuditEvent.objects.create(
        action=action,
        user_id=access.user.pk if access.user else None,
        username=access.user.get_username() if access.user else "",
        subjects=ids,
        count=len(ids) if count is None else count,
        basis=access.basis,
        origin=access.origin,
        outcome=outcome,
        details=dict(details or {}),
    )


def code_hash(hetu: Hetu) -> bytes:
    """The keyed hash of an identity code: pseudonymous data, named as such (domain.md G47)."""
    return hmac.digest(settings.AUDIT_KEY.encode(), hetu.encode(), hashlib.sha256)
