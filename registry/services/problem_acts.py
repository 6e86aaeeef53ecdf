"""What staff do about a problem: have VTJ asked again, or set it aside with a note (domain.md A4, H52).

A note settles nothing: the problem stays open until its cause is gone, and what it hides stays hidden.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import policies, ports
from registry.models import Problem, ProblemKind
from registry.policies import MANAGE_CLIENTSHIPS, Access
from registry.problem_kinds import KINDS
from registry.services import audit, problems, vtj_data
from registry.services.audit import Action
from registry.services.errors import Refused


def ask_again(access: Access, problem: Problem) -> None:
    """Has VTJ asked now about the person, and of two entries about both. Raises PermissionDenied and Refused."""
    with transaction.atomic():
        held = locked(access, problem)
        if not KINDS[ProblemKind(held.kind)].asks:
            raise Refused(_("VTJ's answer would not settle this."))
        those = [person for person in (held.person, held.other) if person is not None]
        ports.source().ask_again([person.pk for person in those])
        ports.source().fetch_soon([person.pk for person in those])
        if held.person_id not in ports.source().next_ask_at([held.person_id]):
            raise Refused(_("VTJ is asked only about persons with a clientship in force, while a data permit is."))
        subjects = [person.subject for person in those]
        audit.record(access, Action.ASK_AGAIN, subjects=subjects, details={"problem": held.kind})


def set_aside(access: Access, problem: Problem, note: str) -> None:
    """Marks the problem as handled, with a note in the user's words; a later note takes the place of an earlier one.

    Raises PermissionDenied and Refused.
    """
    with transaction.atomic():
        held = locked(access, problem)
        if not KINDS[ProblemKind(held.kind)].noted:
            raise Refused(_("This is not settled with a note."))
        if not note.strip():
            raise Refused(_("Write in a few words what was done."))
        held.handled_at, held.handled_by, held.note = timezone.now(), access.user, note.strip()
        # The database tells the row that it refuses.
        with vtj_data.without_values():
            held.save(update_fields=["handled_at", "handled_by", "note"])
        audit.record(access, Action.SET_ASIDE, subjects=[held.person.subject], details={"problem": held.kind})


def locked(access: Access, problem: Problem) -> Problem:
    """The open problem as it stands under the lock of its person and of all who hang together with that person.

    Raises PermissionDenied for one that is not the user's, and Refused for one that is closed.
    """
    access.require(MANAGE_CLIENTSHIPS)
    if problems.lock_together([problem.person_id]) is None:
        raise Refused(_("Somebody else changed this at the very same moment. Look at it again."))
    held = policies.problems(access).select_related("person", "other").filter(pk=problem.pk).first()
    if held is None:
        raise PermissionDenied
    if held.closed_at is not None:
        raise Refused(_("This has been settled meanwhile."))
    return held
