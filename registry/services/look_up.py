"""Looking an identity code up in VTJ before a client is added: who may, how often, and the evidence (domain.md G46).

Nothing of the answer is stored. The person need not be in the register, and nothing here tells whether they are.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry import ports
from registry.clock import HELSINKI, today
from registry.hetu import Hetu
from registry.models import AuditEvent, PersonCode, User
from registry.policies import MANAGE_CLIENTSHIPS, Access, locked
from registry.ports import Identity
from registry.selectors.place import permit_on
from registry.services import audit
from registry.services.audit import Action
from registry.services.errors import Refused


class Reason(models.TextChoices):
    """Why a code is looked up."""

    APPLICATION = "APPLICATION", _("A new application or referral")
    DECISION = "DECISION", _("A decision was made: the client is to be added")
    UNCLEAR = "UNCLEAR", _("The code or the name on the papers is unclear")


# The outcomes of its events, the first of every look-up being that it was asked.
ASKED: Final = "asked"
ANSWERED: Final = "answered"
NOTHING: Final = "nothing told"
NO_ANSWER: Final = "no answer"
REFUSED: Final = "refused"

AWAY: Final = _("VTJ does not answer at the moment. Try again a little later. You can also add the client at once.")
CLOSED: Final = _(
    "Look-ups are closed until an administrator has seen to the connection. You can still add the client."
)


def offered(access: Access) -> bool:
    """Whether the caller may look anybody up in this installation, now: without a data permit nobody is asked about
    (domain.md A2), and while the register is locked after a restore either (F45)."""
    may = access.user is not None and access.may(MANAGE_CLIENTSHIPS)
    return may and ports.source().offers_look_ups() and permit_on(today()) is not None and not locked(access)


def look_up(access: Access, code: Hetu, reason: Reason) -> Identity:
    """Whose the code is, by VTJ. Not inside a transaction.

    An event is written before VTJ is asked and another before the answer is returned, of the person if they are in the
    register. Raises PermissionDenied, and Refused in words: beyond the day's limit, or when VTJ does not answer.
    """
    user = access.user
    if user is None or not offered(access):
        raise PermissionDenied
    subjects = list(PersonCode.objects.filter(hetu=code).values_list("person__subject", flat=True))

    def record(outcome: str) -> None:
        details = {"reason": reason.value}
        audit.record(access, Action.LOOK_UP, subjects=subjects, count=1, outcome=outcome, details=details)

    with transaction.atomic():
        # One at a time: two clicks at once are two look-ups.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        within = made_today(user) < settings.VTJKYSELY_DAILY_LIMIT
        record(ASKED if within else REFUSED)
    if not within:
        words = gettext("You have made the %(limit)s look-ups of a day. You can still add the client.")
        raise Refused(words % {"limit": settings.VTJKYSELY_DAILY_LIMIT})
    try:
        identity = ports.source().look_up(code, asked_by=user.get_username(), reason=reason.value)
    except ports.Unanswered as error:
        record(NO_ANSWER)
        raise Refused(CLOSED if error.closed else AWAY) from None
    record(NOTHING if identity == Identity() else ANSWERED)
    return identity


def made_today(user: User) -> int:
    """How many look-ups the user has made on this Helsinki day; one without an answer does not count."""
    midnight = datetime.combine(today(), time(), HELSINKI)
    events = AuditEvent.objects.filter(user_id=user.pk, at__gte=midnight, action=Action.LOOK_UP)
    counted = events.aggregate(
        asked=Count("pk", filter=Q(outcome=ASKED)), unanswered=Count("pk", filter=Q(outcome=NO_ANSWER))
    )
    made: int = counted["asked"] - counted["unanswered"]
    return made
