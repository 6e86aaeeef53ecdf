"""A name of an imported list that is not VTJ's: staff decide whether it is the person (outside.md, Import file).

Until then nothing that VTJ says is shown but, where it is asked for, the name, as when a client is added (domain.md
H55); that is logged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry import policies
from registry.clock import today
from registry.models import Clientship, EndReason, Problem, ProblemKind
from registry.policies import MANAGE_CLIENTSHIPS, Access
from registry.services import audit, erasure
from registry.services.audit import Action
from registry.services.clients import MISTAKE
from registry.services.errors import Refused
from registry.services.problem_acts import locked
from registry.sql import ids


class Way(models.TextChoices):
    """What "not the person" does. A click never erases somebody who has been in the register for more than a day."""

    TAKEN_BACK = "TAKEN_BACK", _("The clientship is removed at once; the person's other clientships stay.")
    ERASED = "ERASED", _("The person and everything in this register about the person are erased at once.")
    ENDED = "ENDED", _("The clientship is ended as entered by mistake, and the person is erased the day after.")


@dataclass(frozen=True, slots=True)
class Wrong:
    """The clientships that are not the person's, the way they go, and when."""

    clientships: tuple[Clientship, ...]
    way: Way
    erased_on: date


def name_of(access: Access, problem: Problem) -> str:
    """The name as VTJ gives it, for whoever has to decide. Audited. Raises PermissionDenied and Refused."""
    with transaction.atomic():
        held = _mismatch(access, problem)
        audit.record(access, Action.SHOW_NAME, subjects=[held.person.subject], details={"problem": held.kind})
    return " ".join(filter(None, (held.person.first_names, held.person.last_name)))


def is_the_person(access: Access, problem: Problem) -> None:
    """ "Yes, this is the person": what VTJ says is shown. Raises PermissionDenied and Refused."""
    with transaction.atomic():
        held = _mismatch(access, problem)
        _close(access, held)
        audit.record(access, Action.CONFIRM_PERSON, subjects=[held.person.subject], details={"problem": held.kind})


def preview(access: Access, problem: Problem, numbers: Collection[int]) -> Wrong:
    """What :func:`not_the_person` would do. Raises PermissionDenied and Refused."""
    with transaction.atomic():
        return _wrong(access, _mismatch(access, problem), numbers)


def not_the_person(access: Access, problem: Problem, numbers: Collection[int]) -> Way:
    """ "No": the clientships with these numbers were entered with somebody else's code.

    Those of a person who stays for the sake of others are taken back. The last ones take the person along: at once
    within a day of having been entered (domain.md H55), else they are ended as a mistake, and what VTJ says stays
    hidden until the due run (F43). Raises PermissionDenied and Refused.
    """
    with transaction.atomic():
        held = _mismatch(access, problem)
        wrong = _wrong(access, held, numbers)
        for one in wrong.clientships:
            details = audit.of_service(one)
            audit.record(access, Action.NOT_THE_PERSON, subjects=[held.person.subject], details=details)
        others = Clientship.objects.filter(person=held.person_id).exclude(
            pk__in=ids(one.pk for one in wrong.clientships)
        )
        if wrong.way is Way.TAKEN_BACK or (wrong.way is Way.ERASED and others.exists()):
            for one in wrong.clientships:
                erasure.erase_clientship_now(access, one)
            _close(access, held)
        elif wrong.way is Way.ERASED:
            erasure.erase_now(access, held.person_id)
        else:
            _end(access, wrong.clientships)
            held.handled_at, held.handled_by = timezone.now(), access.user
            held.save(update_fields=["handled_at", "handled_by"])
    return wrong.way


def _mismatch(access: Access, problem: Problem) -> Problem:
    held = locked(access, problem)
    if held.kind != ProblemKind.NAME_MISMATCH:
        raise Refused(_("The name is not in doubt."))
    return held


def _wrong(access: Access, held: Problem, numbers: Collection[int]) -> Wrong:
    access.require(MANAGE_CLIENTSHIPS)
    rows = policies.clientships(access).filter(person=held.person_id, pk__in=ids(numbers)).distinct()
    wrong = tuple(rows.select_related("service", "person").order_by("pk"))
    if not wrong or len(wrong) < len(set(numbers)):
        raise Refused(_("Choose the clientship that was entered with a wrong identity code."))
    # Whether other units have the person still is not told (domain.md H52, E38): then only what is one's own goes.
    mine = policies.clientships(access).filter(person=held.person_id)
    stays = mine.exclude(pk__in=ids(one.pk for one in wrong)).exists()
    fresh = min(one.created_at for one in wrong) >= timezone.now() - MISTAKE
    way = Way.TAKEN_BACK if stays else Way.ERASED if fresh else Way.ENDED
    last = max(max(one.start, one.end or today()) for one in wrong)
    return Wrong(wrong, way, erasure.erased_on(last, today()) if way is Way.ENDED else today())


def _end(access: Access, wrong: Sequence[Clientship]) -> None:
    for one in wrong:
        if one.end is None or one.end > today():
            one.end = max(one.start, today())
            one.ended_at, one.ended_by = timezone.now(), access.user
        one.end_reason = EndReason.MISTAKE
        one.save(update_fields=["end", "end_reason", "ended_at", "ended_by"])


def _close(access: Access, held: Problem) -> None:
    held.closed_at, held.closed_by = timezone.now(), access.user
    held.save(update_fields=["closed_at", "closed_by"])
