"""Whether the connection to VTJ works, part by part and without personal data (outside.md, ``check_vtj``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from registry.clock import helsinki_day
from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action
from vtjsync.engine.connection import x_road_client
from vtjsync.models import ConnectionCheck, SyncControl
from vtjsync.wire.errors import TEXTS, Reason, VtjError
from vtjsync.wire.muutosrajapinta import Muutosrajapinta
from vtjsync.wire.tls import certificate_ends
from vtjsync.wire.xroad import XRoadClient

WARN: Final = timedelta(days=30)
# Somebody waits for the answer.
DEADLINE_SECONDS: Final = 30.0
KEPT: Final = timedelta(days=90)


class Part(TextChoices):
    """What is looked at, in this order."""

    SETTINGS = "SETTINGS", _("Settings")
    OWN_CERTIFICATE = "OWN_CERTIFICATE", _("Our own certificate")
    SERVER_CERTIFICATE = "SERVER_CERTIFICATE", _("The security server's certificate")
    CONNECTION = "CONNECTION", _("Security server")
    MEMBERS = "MEMBERS", _("X-Road's members")
    PERMIT = "PERMIT", _("Right to use VTJ's service")
    ACCOUNT = "ACCOUNT", _("VTJ's account")


class Tone(TextChoices):
    """How it stands with a part."""

    GOOD = "good", _("In order")
    WARN = "warn", _("Soon")
    BAD = "bad", _("Not in order")
    NONE = "none", _("Not tried")


GOOD: Final = {
    Part.SETTINGS: _("They can be used."),
    Part.CONNECTION: _("It answers."),
    Part.MEMBERS: _("X-Road knows our subsystem and VTJ's."),
    Part.PERMIT: _("Our subsystem may use the service."),
    Part.ACCOUNT: _("VTJ accepts the user name and password, and tells today's first key."),
}
# What else there is to say, beside the texts of vtjsync.wire.errors.
WORDS: Final = {
    "VALID": _("It is valid until %(day)s."),
    "ENDS_SOON": _("It ends on %(day)s. Renew it before that: without it nothing can be asked."),
    "ENDED": _("It ended on %(day)s. Renew it: until then nothing can be asked."),
    "NO_FILE": _("The file cannot be read, or it holds no certificate."),
    "PLAIN_HTTP": _("Plain http to an address of this machine: there is no certificate."),
    "NONE_SHOWN": _("We show no certificate. That is right only where the security server asks for none."),
    "UNKNOWN_CLIENT": _("X-Road does not know our subsystem. Check VTJ_CLIENT, and that it is registered."),
    "UNKNOWN_SERVICE": _("X-Road does not know VTJ's subsystem. Check VTJ_SERVICE."),
    "NOT_ALLOWED": _("Our subsystem may not use the service. Ask DVV to open it."),
    "NOT_TRIED": _("Something before it has to be put right first."),
    "STOPPED": _("The sync is stopped, and another attempt could lock the account. It is tried when the sync goes on."),
}
# Which part a refusal speaks of, wherever it is met; every other one speaks of the part that was tried.
PART_OF: Final = {
    Reason.ADDRESSING: Part.MEMBERS,
    Reason.PERMIT: Part.PERMIT,
    Reason.CREDENTIALS: Part.ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """How it stands with one part. ``word`` is a key of :data:`WORDS` or a Reason; ``text`` the words of a setting
    that cannot be used; ``day`` the end of a certificate, in ISO form; ``days`` until then."""

    part: str
    tone: str
    word: str = ""
    text: str = ""
    day: str = ""
    days: int | None = None


def begin(access: Access, started_by: str) -> int:
    """The row of a check that is about to be made. Audited; who asks has the right to, or is the schedule."""
    audit.record(access, Action.CHECK_VTJ)
    check: ConnectionCheck = ConnectionCheck.objects.create(started_by=started_by)
    return check.pk


def is_done_on(day: date) -> bool:
    """Whether the schedule has checked on the Helsinki day."""
    newest = ConnectionCheck.objects.filter(started_by="schedule").order_by("-pk").first()
    return newest is not None and helsinki_day(newest.started_at) >= day


def run(number: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Finding]:
    """Looks at every part, and writes down how it stands."""
    findings = look(now())
    ConnectionCheck.objects.filter(started_at__lt=now() - KEPT).delete()
    ConnectionCheck.objects.filter(pk=number).update(ended_at=now(), findings=[asdict(one) for one in findings])
    return findings


def look(now: datetime) -> list[Finding]:
    """How it stands with every part, in the order of :class:`Part`."""
    found = {one.part: one for one in _certificates(now)}
    try:
        client = x_road_client(deadline=DEADLINE_SECONDS, attempts=2)
    except ImproperlyConfigured as error:
        found[Part.SETTINGS] = Finding(Part.SETTINGS, Tone.BAD, text=str(error))
    else:
        found[Part.SETTINGS] = Finding(Part.SETTINGS, Tone.GOOD)
        try:
            found |= _asked(client, now)
        finally:
            client.close()
    return [found.get(part, Finding(part, Tone.NONE, "NOT_TRIED")) for part in Part]


def _certificates(now: datetime) -> list[Finding]:
    if settings.VTJ_SERVER.startswith("http://"):
        return [Finding(part, Tone.NONE, "PLAIN_HTTP") for part in (Part.OWN_CERTIFICATE, Part.SERVER_CERTIFICATE)]
    return [
        _certificate(Part.OWN_CERTIFICATE, settings.VTJ_CERT, now),
        _certificate(Part.SERVER_CERTIFICATE, settings.VTJ_SERVER_CERT, now),
    ]


def _certificate(part: Part, path: str, now: datetime) -> Finding:
    if not path:
        return Finding(part, Tone.NONE, "NONE_SHOWN" if part is Part.OWN_CERTIFICATE else "NOT_TRIED")
    try:
        end = certificate_ends([path])[path]
    except ValueError:
        return Finding(part, Tone.BAD, "NO_FILE")
    tone, word = Tone.GOOD, "VALID"
    if end <= now:
        tone, word = Tone.BAD, "ENDED"
    elif end - now <= WARN:
        tone, word = Tone.WARN, "ENDS_SOON"
    return Finding(part, tone, word, day=helsinki_day(end).isoformat(), days=max((end - now).days, 0))


def _asked(client: XRoadClient, now: datetime) -> dict[str, Finding]:
    """What can be told only by asking, as far as one answer leads to the next."""
    found: dict[str, Finding] = {}
    steps: tuple[tuple[Part, Callable[[], str]], ...] = (
        (Part.MEMBERS, lambda: _members(client)),
        (Part.PERMIT, lambda: "" if client.is_permitted() else "NOT_ALLOWED"),
        (Part.ACCOUNT, lambda: _account(client, now)),
    )
    for part, step in steps:
        try:
            word = step()
        except VtjError as error:
            spoken = PART_OF.get(error.reason, part if found else Part.CONNECTION)
            found[spoken] = Finding(spoken, Tone.BAD, error.reason)
            return found
        found[Part.CONNECTION] = Finding(Part.CONNECTION, Tone.GOOD)
        tone = Tone.GOOD if not word else Tone.NONE if word == "STOPPED" else Tone.BAD
        found[part] = Finding(part, tone, word)
        if tone == Tone.BAD:
            break
    return found


def _members(client: XRoadClient) -> str:
    known = client.subsystems()
    provider = "/".join(settings.VTJ_SERVICE.split("/")[:4])
    if settings.VTJ_CLIENT not in known:
        return "UNKNOWN_CLIENT"
    return "" if provider in known else "UNKNOWN_SERVICE"


def _account(client: XRoadClient, now: datetime) -> str:
    if SyncControl.objects.exclude(stopped_at=None).exists():
        return "STOPPED"
    Muutosrajapinta(client).first_key(helsinki_day(now))
    return ""


def words(finding: Finding) -> str:
    """The finding in words, in the language of the moment."""
    if finding.text:
        return finding.text
    if finding.word in WORDS:
        day = ".".join(part.lstrip("0") for part in reversed(finding.day.split("-")))
        return str(WORDS[finding.word]) % {"day": day}
    if finding.word:
        return str(_(TEXTS[Reason(finding.word)]))
    return str(GOOD[Part(finding.part)])
