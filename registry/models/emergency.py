"""Emergency access: one client of other units, for a short time, for a reason, told to the supervisor (H52, E38)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.models.person import Person

LONGEST: Final = timedelta(hours=24)
STAYS: Final = "an emergency access is neither prolonged nor taken up again"


class EmergencyAccess(models.Model):
    """Somebody reads this person's page until ``until``, or until they end it. ``announced_at``: when the alarm about
    it was raised. It goes with the person; the audit log stays."""

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="emergency_accesses")
    # The name stays when the account goes.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.TextField()
    reason = models.TextField()
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    announced_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("emergency access")
        default_permissions = ()
        permissions = [("use_emergency_access", "Take emergency access to a client of other units")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="an_emergency_has_its_reason"),
            models.CheckConstraint(
                condition=Q(until__gt=F("since")) & Q(until__lte=F("since") + LONGEST), name="an_emergency_is_short"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "person"], condition=Q(ended_at=None), name="emergency_of_user"),
            models.Index(fields=["person"], name="emergency_of_person"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="is_not_prolonged",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("username", "reason", "since", "until"),
                func=f"RAISE EXCEPTION '{STAYS}';",
            ),
            pgtrigger.Trigger(
                name="has_ended",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__ended_at__isnull=False, old__ended_at__df=pgtrigger.F("new__ended_at")),
                func=f"RAISE EXCEPTION '{STAYS}';",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
