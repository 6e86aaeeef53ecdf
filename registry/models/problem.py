"""What needs a person to look at it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.models.person import Person


class ProblemKind(models.TextChoices):
    """Why VTJ's data of a person is not to be trusted as it stands."""

    NOT_FOUND = "NOT_FOUND", _("Not found in VTJ")
    NO_SUCCESSOR = "NO_SUCCESSOR", _("The identity code has ended without a new one")
    TWO_ENTRIES = "TWO_ENTRIES", _("The same person is in the register twice")
    UNREADABLE = "UNREADABLE", _("VTJ's answer could not be read")
    NAME_MISMATCH = "NAME_MISMATCH", _("The name differs from the imported list")
    BAN_UNCLEAR = "BAN_UNCLEAR", _("It is not certain whether the non-disclosure order is in force")
    CODE_REFUSED = "CODE_REFUSED", _("VTJ refuses the identity code")


class Problem(models.Model):
    """An open or closed problem of a person; at most one open of each kind."""

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="problems")
    kind = models.TextField(choices=ProblemKind)
    # The other entry of the register in TWO_ENTRIES.
    other = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    opened_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=1)
    next_try_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        default_permissions = ()
        permissions = [("see_problems", "See what needs attention")]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"], condition=Q(closed_at=None), name="one_open_problem_of_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
