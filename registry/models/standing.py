"""Where this database stands in the ledger outside of it, and whether the register is locked after a restore."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class LockReason(models.TextChoices):
    """Why the register is locked (domain.md F45)."""

    BY_HAND = "BY_HAND", _("It was locked by hand, before a restore from a backup.")
    OLDER = "OLDER", _("The database is older than the ledger of erasures: it comes from a backup.")
    OTHER_DATABASE = "OTHER_DATABASE", _("The database is in another place than it was: it may come from a backup.")
    LEDGER = "LEDGER", _("The ledger of erasures is missing, was cut off or is another one.")


class Standing(models.Model):
    """The one row. ``number`` and ``digest`` are the ledger's last line that this database knows of, written in the
    transaction that the line tells of; a restored backup has older ones.

    ``identity``: which database of which server this is. ``replayed_at``: since when, while it is locked, the ledger is
    replayed, so that VTJ may be asked.
    """

    only = models.BooleanField(primary_key=True, default=True)
    number = models.BigIntegerField(default=0)
    digest = models.TextField(blank=True)
    identity = models.TextField(blank=True)
    locked_at = models.DateTimeField(null=True)
    locked_reason = models.TextField(choices=LockReason, blank=True)
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(only=True), name="standing_is_one"),
            models.CheckConstraint(
                condition=Q(locked_at=None, locked_reason="", replayed_at=None)
                | (Q(locked_at__isnull=False) & ~Q(locked_reason="")),
                name="locked_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.number}"
