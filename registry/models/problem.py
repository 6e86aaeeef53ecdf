"""What needs a person to look at it."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.models.organisation import Unit
from registry.models.person import Person


class ProblemKind(models.TextChoices):
    """Why VTJ's data of a person is not to be trusted as it stands; or what a ban leaves to be done (:data:`TASKS`)."""

    NOT_FOUND = "NOT_FOUND", _("Not found in VTJ")
    NO_SUCCESSOR = "NO_SUCCESSOR", _("The identity code has ended without a new one")
    TWO_ENTRIES = "TWO_ENTRIES", _("The same person is in the register twice")
    UNREADABLE = "UNREADABLE", _("VTJ's answer could not be read")
    CONTRADICTING = "CONTRADICTING", _("VTJ's answer contradicts itself")
    NAME_MISMATCH = "NAME_MISMATCH", _("The name differs from the imported list")
    BAN_UNCLEAR = "BAN_UNCLEAR", _("It is not certain whether the non-disclosure order is in force")
    CODE_REFUSED = "CODE_REFUSED", _("VTJ refuses the identity code")
    HANDOVER = "HANDOVER", _("A protected client is to be taken over")
    CONTACT_ADDRESS = "CONTACT_ADDRESS", _("Is the contact address still needed?")


# These say nothing against what VTJ tells of the person (domain.md E38, E39).
TASKS: Final = frozenset({ProblemKind.HANDOVER, ProblemKind.CONTACT_ADDRESS})

_PAIR: Final = Q(kind=ProblemKind.TWO_ENTRIES)
_OPEN: Final = Q(closed_at=None)


class Problem(models.Model):
    """An open or closed problem of a person; at most one open of each kind, of two entries one for each other one, and
    one for each unit that has to take the person over.

    It is closed when its cause is gone. Until then staff may set it aside: ``handled_at`` with a note, or
    ``reported_on``, the day on which a case of two entries was reported to DVV. When the person is asked next is told
    by the person's own mark.
    """

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="problems")
    kind = models.TextField(choices=ProblemKind)
    opened_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=1)

    # Of TWO_ENTRIES (domain.md D30): the other entry of the register; whether this one has the code that VTJ calls
    # active, None where it did not say; since when VTJ's basic data speaks of this one as of a person by itself.
    other = models.ForeignKey(Person, models.DO_NOTHING, null=True, related_name="+")
    survives = models.BooleanField(null=True)
    apart_at = models.DateTimeField(null=True)
    # What both are: two foreign keys to (id, protected) let neither be protected without the other (docs/adr/0012).
    pair_protected = models.BooleanField(null=True)
    reported_on = models.DateField(null=True)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    # Of HANDOVER: whose handlers are to take the person over. It points to a place, and nobody else sees it (E38).
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")

    handled_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # Gone at the start of a ban: what people write may tell a place (domain.md E34).
    note = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        default_permissions = ()
        permissions = [
            ("see_problems", "See what needs attention"),
            ("merge_persons", "Merge two entries of one person, or report them to DVV"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "other", "unit"],
                condition=_OPEN,
                nulls_distinct=False,
                name="one_open_problem_of_a_kind",
            ),
            models.CheckConstraint(
                condition=(_PAIR & _OPEN & Q(other__isnull=False, pair_protected__isnull=False) & ~Q(other=F("person")))
                | (~(_PAIR & _OPEN) & Q(other=None, pair_protected=None)),
                name="open_pair_names_the_other",
            ),
            models.CheckConstraint(
                condition=_PAIR | Q(survives=None, apart_at=None, reported_on=None), name="only_pairs_are_reported"
            ),
            models.CheckConstraint(
                condition=Q(kind=ProblemKind.HANDOVER, unit__isnull=False)
                | ~Q(kind=ProblemKind.HANDOVER) & Q(unit=None),
                name="handover_names_its_unit",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=_OPEN, name="problem_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
