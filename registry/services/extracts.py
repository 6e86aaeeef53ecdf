"""A client's own extract of the log: asked for, decided, given or refused (law 703/2023, 11 §; docs/adr/0018).

Who may is ``policies.extracts``. Of somebody who is under a ban, or of whom the register does not know any more whether
there was one, nothing leaves before each line is decided: who looked, and from where, may point to a place (E38).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import policies
from registry.clock import today
from registry.hetu import Hetu
from registry.models import AuditEvent, ExtractLine, Ground, LogExtract, Person, Requester, SubjectCode
from registry.models.extract import USUAL
from registry.policies import MAKE_LOG_EXTRACT, Access
from registry.services import audit, audit_months, extract_lines, openings
from registry.services.audit import Action
from registry.services.errors import Refused

NOT_YOURS: Final = _(
    "You cannot make an extract for this code. For clients under a non-disclosure order the handlers of their own unit"
    " make it, for everybody else an auditor."
)
DECIDED: Final = _("This extract has been decided already.")
UNDECIDED: Final = _("Decide about every line first.")
_OLD: Final = """
    SELECT id FROM registry_logextract
    WHERE made_at < date_trunc('month', now() AT TIME ZONE 'UTC' - make_interval(years => %s)) AT TIME ZONE 'UTC'
"""


def begin(
    access: Access,
    code: Hetu,
    *,
    requester: Requester,
    reference: str,
    since: date,
    until: date,
    reason: str = "",
) -> LogExtract:
    """Notes that the log of the person of this code is asked for, current, former, or erased long ago (domain.md G47).

    Raises PermissionDenied, and Refused for what is not the caller's to make, in the same words whoever it is.
    """
    access.require(MAKE_LOG_EXTRACT)
    reference, reason = reference.strip(), reason.strip()
    if not reference:
        raise Refused(_("Write your own reference, or on what the right to ask rests."))
    if since > until or until > today():
        raise Refused(_("Check the period."))
    if since < today() - USUAL and not reason:
        raise Refused(_("Log data older than two years is given for a special reason only: write it."))
    subjects = SubjectCode.objects.filter(code_hash__in=audit.code_hashes(code)).values_list("subject", flat=True)
    told: dict[str, Any] = {"requester": requester, "reference": reference, "since": since, "until": until}
    made = LogExtract(
        subjects=sorted(set(subjects)), reason=reason, made_by=_by(access), made_name=_name(access), **told
    )
    made.last_event = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with transaction.atomic():
        made.save()
        if yours := policies.extracts(access).filter(pk=made.pk).exists():
            audit.record(access, Action.ASK_EXTRACT, subjects=made.subjects, details={"extract": made.pk})
        else:
            transaction.set_rollback(True)
    if not yours:
        audit.record(access, Action.ASK_EXTRACT, subjects=made.subjects, outcome="refused")
        raise Refused(NOT_YOURS)
    made.refresh_from_db()
    return made


def line_by_line(extract: LogExtract) -> bool:
    """Whether each line has to be decided: unless everybody meant is in the register, and under no ban."""
    known = Person.objects.filter(subject__in=extract.subjects, protected=False)
    return known.count() < len(extract.subjects)


def require_reason(access: Access, extract: LogExtract) -> None:
    """Raises ReasonNeeded where it is of a protected person whom the user has given no reason to open (domain.md
    E38)."""
    for person in Person.objects.filter(subject__in=extract.subjects, protected=True):
        openings.require(access, person)


def decide_lines(access: Access, number: int, decisions: Mapping[int, tuple[str, str]]) -> None:
    """What becomes of these lines: for each number an ``ExtractLine.Decision`` and, if left out, a ``Ground``. Raises
    PermissionDenied, and Refused when the extract is decided."""
    with transaction.atomic():
        held = _open(access, number)
        rows = [
            ExtractLine(extract=held, line=line, decision=decision, ground=ground, decided_by=_by(access))
            for line, (decision, ground) in decisions.items()
        ]
        ExtractLine.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["extract", "line"],
            update_fields=["decision", "ground", "decided_by"],
        )
        if rows:
            details: dict[str, str | int] = {"extract": held.pk, "lines": len(rows)}
            audit.record(access, Action.DECIDE_LINES, subjects=held.subjects, details=details)


def release(access: Access, number: int) -> None:
    """The extract may be given to whoever asked. Raises PermissionDenied, and Refused while a line is undecided."""
    with transaction.atomic():
        held = _open(access, number)
        if line_by_line(held) and extract_lines.counts(held).undecided:
            raise Refused(UNDECIDED)
        _decide(access, held, LogExtract.Outcome.RELEASED)
        audit.record(access, Action.RELEASE_EXTRACT, subjects=held.subjects, details={"extract": held.pk})


def refuse(access: Access, number: int, ground: Ground, note: str) -> None:
    """The extract is not given: a written decision with its ground. Raises PermissionDenied and Refused."""
    note = note.strip()
    if not note:
        raise Refused(_("Write why in a few sentences: whoever asked reads it."))
    with transaction.atomic():
        held = _open(access, number)
        _decide(access, held, LogExtract.Outcome.REFUSED, ground=ground, note=note)
        details = {"extract": held.pk}
        audit.record(access, Action.REFUSE_EXTRACT, subjects=held.subjects, outcome="refused", details=details)


def forget_old() -> int:
    """Removes the requests of a time of which the log is not kept any more; none while an inquiry holds the log.
    Returns how many went."""
    if audit_months.held():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_OLD, [max(settings.AUDIT_LOG_YEARS, audit_months.LEAST_YEARS)])
        old = [number for (number,) in cursor.fetchall()]
    return LogExtract.objects.filter(pk__in=old).delete()[1].get("registry.LogExtract", 0)


def _open(access: Access, number: int) -> LogExtract:
    """The extract, locked, as long as it is not decided."""
    held = policies.extracts(access).select_for_update(of=("self",)).filter(pk=number).first()
    if held is None:
        raise PermissionDenied
    require_reason(access, held)
    if held.outcome != LogExtract.Outcome.OPEN:
        raise Refused(DECIDED)
    return held


def _decide(access: Access, held: LogExtract, outcome: LogExtract.Outcome, **more: Any) -> None:
    now, who = timezone.now(), {"decided_by": _by(access), "decided_name": _name(access)}
    LogExtract.objects.filter(pk=held.pk).update(outcome=outcome, decided_at=now, **who, **more)


def _by(access: Access) -> int | None:
    return access.user.pk if access.user else None


def _name(access: Access) -> str:
    return str(access.user.get_full_name() or access.user.get_username()) if access.user else ""
