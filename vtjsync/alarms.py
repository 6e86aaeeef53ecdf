"""What administrators are told of by e-mail: once when it begins, again while it lasts, and when it is over.

An alarm is a row from its beginning to its end. Whatever the database tells by itself is looked at by :func:`watch`;
what only a task finds out is brought with :func:`note`. A message names the part of docs/operations.md that says what
to do, and nothing of a person (domain.md G49).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, QuerySet, TextChoices
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django_q.models import Schedule

from registry.clock import HELSINKI, helsinki_day
from registry.models import Clientship, EmergencyAccess, Person
from registry.policies import open_on
from vtjsync import selectors, steering
from vtjsync.engine.connection import database_now
from vtjsync.models import Alarm, SyncControl

log = logging.getLogger(__name__)

DAILY: Final = timedelta(days=1)
WEEKLY: Final = timedelta(days=7)
# What the schedule leaves between two runs is no alarm by itself.
SLACK: Final = timedelta(hours=1)


class Kind(TextChoices):
    """What can be the matter, in the words of the subject."""

    BAN_UNKNOWN = "BAN_UNKNOWN", gettext_lazy("Nobody knows whose non-disclosure order has begun")
    LEAK = "LEAK", gettext_lazy("A place of a protected person is kept")
    SEAL = "SEAL", gettext_lazy("The seal of the audit log is broken")
    STOPPED = "STOPPED", gettext_lazy("The synchronisation is stopped")
    BRAKE = "BRAKE", gettext_lazy("A run has held back what VTJ was silent about")
    CURSOR = "CURSOR", gettext_lazy("VTJ refuses a cursor")
    CERTIFICATE = "CERTIFICATE", gettext_lazy("A certificate ends")
    EMERGENCY = "EMERGENCY", gettext_lazy("Somebody has taken emergency access to a client")


@dataclass(frozen=True, slots=True)
class About:
    """One kind: its words, the part of docs/operations.md on it, and how often it is told again while it lasts."""

    words: str | Promise
    section: str
    grave: bool = True
    again: timedelta = DAILY
    details: Callable[[], list[str]] = list
    also_to: Callable[[], list[str]] = list


def _certificates() -> list[str]:
    return [f"{line.part}: {line.words}" for line in selectors.certificates_that_end()]


ABOUT: Final = {
    Kind.BAN_UNKNOWN: About(
        gettext_lazy(
            "No run of the synchronisation has been complete for so long that a non-disclosure order may have begun"
            " without being known here. See why the runs do not end as complete."
        ),
        "Ban effect unknown.",
    ),
    Kind.LEAK: About(
        gettext_lazy(
            "The nightly check found something in the database or in a file that tells where a protected person lives."
        ),
        "A leak is suspected.",
    ),
    Kind.SEAL: About(
        gettext_lazy("The audit log is not as it was written. Somebody may have changed it in the database."),
        "The seal is broken.",
    ),
    Kind.STOPPED: About(
        gettext_lazy(
            "VTJ or the security server refused us, and nothing is asked until an administrator lets it go on."
        ),
        "The sync is stopped (401, 403, access denied).",
    ),
    Kind.BRAKE: About(
        gettext_lazy("So much would have gone at once that nothing of it was written. It waits for a decision."),
        "BRAKE.",
    ),
    Kind.CURSOR: About(
        gettext_lazy("The changes of a part of the clients are not known until the cursor is reset."),
        "CURSOR.",
    ),
    Kind.CERTIFICATE: About(
        gettext_lazy("Renew it in time: without it nothing can be asked of VTJ."),
        "The certificate is renewed.",
        grave=False,
        again=WEEKLY,
        details=_certificates,
    ),
    Kind.EMERGENCY: About(
        gettext_lazy(
            "A client of other units is being looked at by emergency access. Who it is, when and why stands on the page"
            " “Openings”, for the supervisor."
        ),
        "Emergency access.",
        grave=False,
        also_to=lambda: settings.EMERGENCY_EMAILS,
    ),
}


def watch() -> None:
    """Looks at all that the database tells, and tells the administrators what is new, lasts, or is over."""
    waiting = steering.alarms()
    note(Kind.BAN_UNKNOWN, is_on=ban_unknown(database_now()))
    note(Kind.STOPPED, is_on=SyncControl.objects.exclude(stopped_at=None).exists())
    note(Kind.BRAKE, is_on=waiting.held_back)
    note(Kind.CURSOR, is_on=bool(waiting.cursors))
    note(Kind.CERTIFICATE, is_on=bool(_certificates()))
    _note_emergencies()
    tell()


def note(kind: Kind, *, is_on: bool) -> None:
    """Whether it is so now: begins an alarm, keeps the one there is, or ends it."""
    if is_on:
        Alarm.objects.bulk_create([Alarm(kind=kind)], ignore_conflicts=True)
    else:
        Alarm.objects.filter(kind=kind, ended_at=None).update(ended_at=Now())


def _note_emergencies() -> None:
    """Each one is told of, the short ones too, and those that begin while another lasts (docs/adr/0019)."""
    rows, told = EmergencyAccess.objects.all(), Alarm.objects.filter(kind=Kind.EMERGENCY, ended_at=None)
    with transaction.atomic():
        if rows.filter(announced_at=None).update(announced_at=Now()):
            note(Kind.EMERGENCY, is_on=True)
            told.update(told_at=None)
    lasts = rows.filter(ended_at=None, until__gt=Now()).exists() or told.filter(told_at=None).exists()
    note(Kind.EMERGENCY, is_on=lasts)


def ban_unknown(now: datetime) -> bool:
    """Whether the last complete run is so long ago that a ban may have begun unseen (UNKNOWN_AFTER_HOURS).

    Where runs are scheduled further apart than that, an hour later than the schedule. Never while nobody is on the
    list.
    """
    if not Clientship.objects.filter(open_on(helsinki_day(now))).exists():
        return False
    as_of = selectors.up_to_date_as_of()
    if as_of is None:
        first = Person.objects.order_by("pk").values_list("created_at", flat=True).first()
        return first is not None and now - first > settings.UNKNOWN_AFTER
    minutes = Schedule.objects.filter(name="sync").values_list("minutes", flat=True).first() or 0
    return now - as_of > max(settings.UNKNOWN_AFTER, timedelta(minutes=minutes) + SLACK)


def tell() -> None:
    """Sends what is due. What could not be sent is tried again the next time."""
    for kind, about in ABOUT.items():
        rows = Alarm.objects.filter(kind=kind)
        open_ = rows.filter(Q(told_at=None) | Q(told_at__lt=Now() - about.again), ended_at=None)
        _tell_each(open_, over=False)
        # One that nobody was told of is not over for anybody.
        ended = rows.filter(ended_at__isnull=False, told_at__isnull=False, end_told_at=None)
        _tell_each(ended, over=True)


def _tell_each(due: QuerySet[Alarm], *, over: bool) -> None:
    for number in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            # Another worker that is telling of it at this moment has the row, and one that has told made it not due.
            row = due.select_for_update(skip_locked=True).filter(pk=number).first()
            if row is not None and _sent(row, over=over):
                Alarm.objects.filter(pk=number).update(**{"end_told_at" if over else "told_at": Now()})


def _sent(row: Alarm, *, over: bool) -> bool:
    """Writes one alarm to the log and to whom it concerns. False when the mail server did not take it."""
    kind = Kind(row.kind)
    about = ABOUT[kind]
    with override("en"):
        level = logging.WARNING if over or not about.grave else logging.ERROR
        log.log(level, "alarm%s: %s", " is over" if over else "", str(kind.label))
    to = [*settings.ALARM_EMAILS, *(settings.ALARM_EMAILS_GRAVE if about.grave else []), *about.also_to()]
    if not to:
        return True
    with override(settings.LANGUAGE_CODE):
        subject, body = _message(row, kind, about, over=over)
    try:
        EmailMessage(subject, body, to=list(dict.fromkeys(to))).send()
    except (OSError, SMTPException) as error:
        # The text of the error may quote addresses.
        log.error("an alarm could not be sent: %s", type(error).__name__)  # noqa: TRY400
        return False
    return True


def _message(row: Alarm, kind: Kind, about: About, *, over: bool) -> tuple[str, str]:
    host = next(iter(settings.ALLOWED_HOSTS), "")
    severity = _("Over") if over else _("Grave") if about.grave else _("Warning")
    since = row.since.astimezone(HELSINKI)
    told = [
        str(kind.label),
        _("Since %(time)s.") % {"time": f"{since:%-d.%-m.%Y %H:%M}"},
        *(["" if over else str(about.words)]),
        *([] if over else about.details()),
        _("What to do: docs/operations.md, “%(section)s”") % {"section": about.section},
        host,
    ]
    return f"[vtjsync] {severity}: {kind.label}", "\n\n".join(line for line in told if line)


def is_open() -> dict[str, datetime]:
    """The alarms of this moment, and since when."""
    return dict(Alarm.objects.filter(ended_at=None).order_by("kind").values_list("kind", F("since")))
