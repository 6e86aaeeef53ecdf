"""Who uses which service, and what is left when nobody needs to know any more."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.models.organisation import Provider, Service
from registry.models.person import Person


class EndReason(models.TextChoices):
    """Why a clientship ended."""

    SERVICE_ENDED = "SERVICE_ENDED", _("The service has ended")
    MOVED = "MOVED", _("The client moved away")
    DIED = "DIED", _("The client has died")
    OWN_REQUEST = "OWN_REQUEST", _("The client's own wish")
    MISTAKE = "MISTAKE", _("Entered by mistake")
    LIST = "LIST", _("Ended in the organisation's own list")
    OTHER = "OTHER", _("Another reason")


class Clientship(models.Model):
    """One person's use of one service (asiakkuus). Days are Helsinki's; ``end`` is the last day."""

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="clientships")
    service = models.ForeignKey(Service, models.PROTECT, related_name="clientships", verbose_name=_("service"))
    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, blank=True, related_name="clientships", verbose_name=_("provider")
    )
    start = models.DateField(_("start date"))
    end = models.DateField(_("end date"), null=True, blank=True)
    end_reason = models.TextField(_("reason of the end"), choices=EndReason, null=True, blank=True)
    reference = models.TextField(_("own reference"), null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # Added by somebody who did not see the person, and VTJ has not answered since: until then nobody sees the person
    # by it, whether the register knew them or not (domain.md E38).
    awaits_since = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        verbose_name = _("clientship")
        verbose_name_plural = _("clientships")
        default_permissions = ()
        permissions = [("manage_clientships", "Add clients and end clientships")]
        constraints = [
            models.CheckConstraint(condition=Q(end=None) | Q(end__gte=F("start")), name="clientship_ends_after_start"),
            models.UniqueConstraint(fields=["person", "service", "start"], name="clientship_once"),
            models.UniqueConstraint(
                fields=["person", "service"], condition=Q(end=None), name="one_open_clientship_of_a_service"
            ),
        ]
        indexes = [
            models.Index(fields=["service", "person"], include=["awaits_since"], name="clientship_by_service"),
            models.Index(fields=["end"], condition=Q(end__isnull=False), name="clientship_by_end"),
            models.Index(fields=["person"], condition=Q(awaits_since__isnull=False), name="clientship_awaits"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class NameCheck(models.Model):
    """Keyed hashes of the names that a line of an imported list gave for a person, until VTJ's answer is compared with
    them. Several lines may give several."""

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="name_checks")
    last_name_hash = models.BinaryField(null=True)
    first_names_hash = models.BinaryField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["person", "last_name_hash", "first_names_hash"], name="name_check_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ErasureReceipt(models.Model):
    """Proof that a person, or one ended clientship of a person who stays, was erased (domain.md F45).

    ``code_hashes`` are keyed hashes of the person's codes: pseudonymous data. ``rows`` counts what went, per table.
    """

    erased_at = models.DateTimeField(db_default=Now())
    code_hashes = ArrayField(models.BinaryField())
    services = ArrayField(models.TextField())
    whole_person = models.BooleanField()
    rows = models.JSONField()
    in_ledger = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("erasure receipt")
        default_permissions = ()
        indexes = [
            models.Index(fields=["erased_at"], name="receipt_by_time"),
            models.Index(fields=["id"], condition=Q(in_ledger=False), name="receipt_not_in_ledger"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ErasureHold(models.Model):
    """A due run that would erase so many that a second person has to confirm it (domain.md F43)."""

    day = models.DateField()
    persons = models.PositiveIntegerField()
    asked_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("held erasure")
        default_permissions = ()
        permissions = [("confirm_erasure", "Confirm an erasure of many persons")]
        constraints = [
            models.UniqueConstraint(models.Value(1), condition=Q(done_at=None), name="one_open_erasure_hold"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
