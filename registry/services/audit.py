"""The one function that writes the audit log (domain.md G46), and the keyed hash that leads into it (G47).

An event is written before the page or file it tells of, in the transaction of the act: no event, no data. It holds no
code in clear, no name and no place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.hetu import Hetu
from registry.models import AuditEvent, Clientship
from registry.policies import Access
from registry.services import audit_keys


class Action(models.TextChoices):
    """What can be done that leaves an event."""

    SIGN_IN = "SIGN_IN", _("Signed in")
    SIGN_OUT = "SIGN_OUT", _("Signed out")
    SIGN_IN_AGAIN = "SIGN_IN_AGAIN", _("Signed in again before a grave act")
    CHANGE_PASSWORD = "CHANGE_PASSWORD", _("Changed the own password")
    END_SESSIONS = "END_SESSIONS", _("Ended sessions")
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
    TAKE_OVER = "TAKE_OVER", _("Took a protected client over")
    OPEN_PROTECTED = "OPEN_PROTECTED", _("Opened a protected client for a reason")
    VIEW_OPENINGS = "VIEW_OPENINGS", _("Viewed why protected clients were opened")
    VIEW_CONTACT = "VIEW_CONTACT", _("Viewed a contact address")
    ADD_CONTACT = "ADD_CONTACT", _("Added a contact address")
    CHANGE_CONTACT = "CHANGE_CONTACT", _("Changed a contact address")
    REMOVE_CONTACT = "REMOVE_CONTACT", _("Removed a contact address")
    MERGE = "MERGE", _("Merged two entries of one person")
    REPORT_PAIR = "REPORT_PAIR", _("Reported two entries of one person to DVV")
    IMPORT = "IMPORT", _("Imported a list of clients")
    FETCH_BAD_LINES = "FETCH_BAD_LINES", _("Downloaded the bad lines of an import")
    EXPORT = "EXPORT", _("Exported the register")
    ERASE = "ERASE", _("Erased what was due")
    ERASE_VTJ_DATA = "ERASE_VTJ_DATA", _("Erased VTJ data that no permit covers")
    FORGET_VALUES = "FORGET_VALUES", _("Removed the values of old changes")
    LOCK = "LOCK", _("Locked the register after a restore from a backup")
    REPLAY_LEDGER = "REPLAY_LEDGER", _("Replayed the ledger of erasures")
    UNLOCK = "UNLOCK", _("Unlocked the register")
    CONFIRM_ERASURE = "CONFIRM_ERASURE", _("Confirmed an erasure")
    LOAD_SETUP = "LOAD_SETUP", _("Changed the set-up")
    CREATE_USER = "CREATE_USER", _("Created a user")
    CHANGE_ROLES = "CHANGE_ROLES", _("A user's roles or units changed")
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
    START_EMERGENCY = "START_EMERGENCY", _("Took emergency access to a client")
    END_EMERGENCY = "END_EMERGENCY", _("Ended an emergency access")
    ASK_EXTRACT = "ASK_EXTRACT", _("Began a client's own extract of the log")
    VIEW_EXTRACT = "VIEW_EXTRACT", _("Viewed a client's own extract of the log")
    DECIDE_LINES = "DECIDE_LINES", _("Decided about lines of a client's own extract of the log")
    RELEASE_EXTRACT = "RELEASE_EXTRACT", _("Gave a client the own extract of the log")
    REFUSE_EXTRACT = "REFUSE_EXTRACT", _("Refused a client's own extract of the log")
    DOWNLOAD_EXTRACT = "DOWNLOAD_EXTRACT", _("Downloaded a client's own extract of the log")
    DOWNLOAD_LOG = "DOWNLOAD_LOG", _("Downloaded what was found in the audit log")
    HOLD_UP = "HOLD_UP", _("Was held up: too many attempts")
    VERIFY_PROTECTION = "VERIFY_PROTECTION", _("Checked that no place of a protected person is kept")
    VERIFY_AUDIT = "VERIFY_AUDIT", _("Checked the seals of the audit log")
    DROP_MONTH = "DROP_MONTH", _("Removed a month of the audit log whose time was over")
    HOLD_AUDIT = "HOLD_AUDIT", _("Had the whole audit log kept for an inquiry")
    RELEASE_AUDIT = "RELEASE_AUDIT", _("Ended an inquiry that kept the whole audit log")


def record(
    access: Access,
    action: Action,
    *,
    subjects: Iterable[UUID] = (),
    count: int | None = None,
    outcome: str = "done",
    details: Mapping[str, str | int] | None = None,
) -> AuditEvent:
    """Write one event, and return it. ``count`` is the number of persons where it differs from that of ``subjects``.

    ``details`` holds numbers and names of things (run, cohort, service), never anything of a person.
    """
    ids = list(subjects)
    return AuditEvent.objects.create(
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


def of_service(clientship: Clientship) -> dict[str, str | int]:
    """The details that name a clientship's service: a place of a protected person, and then not told (domain.md E38).
    Of whoever is protected later, the page of the log leaves it out."""
    return {} if clientship.person.protected else {"service": clientship.service.code}


def code_hash(hetu: Hetu) -> bytes:
    """The keyed hash of an identity code: pseudonymous data, named as such (domain.md G47)."""
    return audit_keys.current().digest(hetu)


def code_hashes(hetu: Hetu) -> list[bytes]:
    """The hashes under which the code may be known: those of former keys too."""
    return [key.digest(hetu) for key in audit_keys.every()]
