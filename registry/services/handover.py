"""A handler takes a protected client over (domain.md E38)."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.models import Problem, ProblemKind
from registry.policies import HANDLE_PROTECTED, Access
from registry.services import audit
from registry.services.audit import Action
from registry.services.errors import Refused
from registry.services.problem_acts import locked


def take_over(access: Access, problem: Problem) -> None:
    """The handler sees to the client from now on, for the hand-over's unit. Raises PermissionDenied and Refused."""
    access.require(HANDLE_PROTECTED)
    with transaction.atomic():
        held = locked(access, problem)
        if held.kind != ProblemKind.HANDOVER:
            raise Refused(_("There is nothing to take over."))
        held.closed_at, held.closed_by = timezone.now(), access.user
        held.save(update_fields=["closed_at", "closed_by"])
        audit.record(access, Action.TAKE_OVER, subjects=[held.person.subject])
