"""What stands in the audit log in English, in the reader's language (domain.md G46, H53)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext, gettext_noop

from registry.models import LockReason, OpeningReason, ProblemKind
from registry.selectors.place import Override
from registry.services.audit import Action
from registry.services.look_up import Reason

# Why personal data was wanted. A command of the server is named as one: "sync command".
BASES: Final = (
    gettext_noop("client list"),
    gettext_noop("client search"),
    gettext_noop("deceased clients"),
    gettext_noop("client's page"),
    gettext_noop("adding a client"),
    gettext_noop("checking an added client"),
    gettext_noop("ending a clientship"),
    gettext_noop("what needs attention"),
    gettext_noop("two entries of one person"),
    gettext_noop("protected clients"),
    gettext_noop("openings of protected clients"),
    gettext_noop("contact address"),
    gettext_noop("erasures"),
    gettext_noop("importing a list"),
    gettext_noop("signing in"),
    gettext_noop("own account"),
    gettext_noop("sessions of users"),
    gettext_noop("sync history"),
    gettext_noop("steering the sync"),
    gettext_noop("reading the log"),
    gettext_noop("keeping the log"),
    gettext_noop("VTJ synchronisation"),
    gettext_noop("inquiry of a person"),
    gettext_noop("extract of the log for a client"),
    gettext_noop("emergency access"),
    gettext_noop("connection to VTJ"),
    gettext_noop("nightly check"),
    gettext_noop("restore from a backup"),
)
OUTCOMES: Final = {
    "done": gettext_noop("done"),
    "refused": gettext_noop("refused"),
    "asked": gettext_noop("asked"),
    "answered": gettext_noop("answered"),
    "nothing told": gettext_noop("nothing told"),
    "no answer": gettext_noop("no answer"),
    "paused": gettext_noop("paused"),
    "resumed": gettext_noop("resumed"),
    "found": gettext_noop("something was found"),
    "dry run": gettext_noop("only tried"),
    "cancelled": gettext_noop("cancelled"),
    "unconfirmed": gettext_noop("not written, a confirmation is needed"),
    "without ledger": gettext_noop("the ledger was lost"),
    "RUNNING": gettext_noop("Running"),
    "COMPLETE": gettext_noop("Complete"),
    "INCOMPLETE": gettext_noop("Incomplete: the next run goes on"),
    "FAILED": gettext_noop("Failed"),
    "INTERRUPTED": gettext_noop("Interrupted"),
}
DETAILS: Final = {
    "run": gettext_noop("run"),
    "cohort": gettext_noop("cohort"),
    "service": gettext_noop("service"),
    "minutes": gettext_noop("minutes"),
    "user": gettext_noop("user"),
    "roles": gettext_noop("roles"),
    "started_by": gettext_noop("started by"),
    "clientships": gettext_noop("clientships"),
    "reason": gettext_noop("reason"),
    "lock": gettext_noop("why"),
    "receipts": gettext_noop("receipts"),
    "changes": gettext_noop("changes"),
    "unconfirmed": gettext_noop("not confirmed lately"),
    "kind": gettext_noop("kind"),
    "groups": gettext_noop("data groups"),
    "problem": gettext_noop("problem"),
    "moved": gettext_noop("clientships moved"),
    "joined": gettext_noop("clientships joined"),
    "day": gettext_noop("day"),
    "why": gettext_noop("reason"),
    "page": gettext_noop("page"),
    "findings": gettext_noop("places found"),
    "strings": gettext_noop("texts looked for"),
    "protected": gettext_noop("protected persons"),
    "former": gettext_noop("former codes"),
    "lines": gettext_noop("lines"),
    "added": gettext_noop("added"),
    "ended": gettext_noop("ended"),
    "same": gettext_noop("as before"),
    "bad_count": gettext_noop("bad lines"),
    "new_persons": gettext_noop("new persons"),
    "luvansaaja added": gettext_noop("authorities added"),
    "luvansaaja changed": gettext_noop("authorities changed"),
    "luvat added": gettext_noop("permits added"),
    "luvat changed": gettext_noop("permits changed"),
    "yksikot added": gettext_noop("units added"),
    "yksikot changed": gettext_noop("units changed"),
    "tuottajat added": gettext_noop("providers added"),
    "tuottajat changed": gettext_noop("providers changed"),
    "palvelut added": gettext_noop("services added"),
    "palvelut changed": gettext_noop("services changed"),
    "seals": gettext_noop("seals"),
    "events": gettext_noop("events"),
    "wrong": gettext_noop("not as sealed"),
    "seal": gettext_noop("the first broken seal"),
    "month": gettext_noop("month"),
    "last_seal": gettext_noop("last seal"),
    "hold": gettext_noop("inquiry"),
    "extract": gettext_noop("extract"),
    "form": gettext_noop("form"),
    "fault": gettext_noop("why"),
    "units": gettext_noop("units"),
    "sessions": gettext_noop("sessions"),
}

# What these details hold is one of a few words.
CHOICES: Final[dict[str, type[TextChoices]]] = {
    "reason": Reason,
    "lock": LockReason,
    "unconfirmed": Override,
    "problem": ProblemKind,
    "why": OpeningReason,
}
_YES_OR_NO: Final = {"True": gettext_noop("yes"), "False": gettext_noop("no")}
VALUES: Final = {
    "kind": {"SYNC": gettext_noop("Sync"), "RECONCILIATION": gettext_noop("Reconciliation")},
    "started_by": {"schedule": gettext_noop("Schedule"), "command": gettext_noop("Command")},
    "fault": {
        "UNREACHABLE": gettext_noop("the sign-in service did not answer"),
        "DENIED": gettext_noop("the sign-in service let nobody in"),
        "STATE": gettext_noop("begun elsewhere, or used already"),
        "CLOCK": gettext_noop("an answer that was not of now"),
        "ANSWER": gettext_noop("an answer that cannot be relied on"),
        "NO_ROLE": gettext_noop("no role"),
        "CLOSED": gettext_noop("an account that is not in use"),
        "OTHER_PERSON": gettext_noop("another person"),
        "NOT_FRESH": gettext_noop("not signed in just now"),
        "PASSWORD": gettext_noop("a wrong password"),
    },
    "page": {"connection": gettext_noop("connection to VTJ")},
    "protected": _YES_OR_NO,
    "former": _YES_OR_NO,
}
COMMAND: Final = " command"


def action(name: str) -> str:
    """What was done; the bare name when this version of the program does not know it."""
    return str(Action(name).label) if name in Action.values else name


def basis(text: str) -> str:
    """Why it was done."""
    if text.endswith(COMMAND):
        return gettext("command %(name)s") % {"name": text.removesuffix(COMMAND)}
    return gettext(text) if text else ""


def outcome(text: str) -> str:
    """What came of it."""
    return gettext(OUTCOMES.get(text, text)) if text else ""


def details(held: Mapping[str, str | int]) -> str:
    """The numbers and names of things that the event holds, each after its own word."""
    return ", ".join(f"{gettext(DETAILS.get(key, key))}: {_value(key, value)}" for key, value in held.items())


def _value(key: str, value: str | int) -> str:
    choices = CHOICES.get(key)
    if choices and value in choices.values:
        return str(choices(value).label)
    word = VALUES.get(key, {}).get(str(value))
    return gettext(word) if word else str(value)
