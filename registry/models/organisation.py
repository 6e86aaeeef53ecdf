"""Who keeps the register, on what permit, in which units, for which services, and with which staff."""

from __future__ import annotations

from datetime import date

import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from registry.record import LOCATION_GROUPS, Group


class Named(models.Model):
    """Something with a name in the three languages; Swedish and English may be missing."""

    name_fi = models.TextField(_("name in Finnish"))
    name_sv = models.TextField(_("name in Swedish"), blank=True)
    name_en = models.TextField(_("name in English"), blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the language of the page, or in Finnish where that is missing."""
        return getattr(self, f"name_{(get_language() or 'fi')[:2]}", "") or self.name_fi


class Authority(Named):
    """The permit holder (luvansaaja): the one municipality or county that this installation serves."""

    business_id = models.CharField(_("business id"), max_length=9)
    only = models.BooleanField(default=True, editable=False, unique=True)

    class Meta:
        verbose_name = _("authority")
        constraints = [models.CheckConstraint(condition=Q(only=True), name="authority_is_one")]


class DataPermit(models.Model):
    """A permit of VTJ data (tietolupa). One is in force at a time (tuotekuvaus 2)."""

    number = models.TextField(_("permit number"), unique=True)
    purpose = models.TextField(_("purpose of use"))
    legal_basis = models.TextField(_("legal basis"))
    groups = ArrayField(models.TextField(), verbose_name=_("granted data groups"))
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    # When what it covers was last changed, however that was written: erasure leaves a day for a mistake (A2).
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("data permit")
        verbose_name_plural = _("data permits")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="permit_ends_after_start"
            ),
            ExclusionConstraint(
                name="permits_do_not_overlap",
                # Two permits can move their common border in one transaction.
                deferrable=models.Deferrable.IMMEDIATE,
                expressions=[
                    (
                        Func(
                            "valid_from",
                            "valid_to",
                            models.Value("[]"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    )
                ],
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="note_change",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("groups", "valid_from", "valid_to"),
                func="NEW.changed_at = clock_timestamp(); RETURN NEW;",
            )
        ]

    def __str__(self) -> str:
        return self.number

    def in_force(self, day: date) -> bool:
        """Whether the permit covers the Helsinki day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    @property
    def places(self) -> frozenset[Group]:
        """The location groups that may be told: none without the right to hear of bans (domain.md C24)."""
        return frozenset(one for one in LOCATION_GROUPS if {one, Group.BAN} <= set(self.groups))

    @property
    def covers(self) -> frozenset[Group]:
        """The groups of which values may be held and told (domain.md C24)."""
        return frozenset(one for one in Group if one in self.groups) - LOCATION_GROUPS | self.places


class Unit(Named):
    """An organising unit (yksikkö): whose caseworkers see the clients of its services."""

    code = models.TextField(_("code"), unique=True)

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")


class Provider(models.Model):
    """A producer of services (palveluntuottaja)."""

    business_id = models.CharField(_("business id"), max_length=9, unique=True)
    name = models.TextField(_("name"))

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")

    def __str__(self) -> str:
        return self.name


class Service(Named):
    """A service given by voucher or bought from a provider (palvelu)."""

    class Kind(models.TextChoices):
        VOUCHER = "PALVELUSETELI", _("Service voucher")
        PURCHASED = "OSTOPALVELU", _("Purchased service")

    code = models.TextField(_("code"), unique=True)
    kind = models.TextField(_("kind"), choices=Kind)
    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"), related_name="services")
    providers = models.ManyToManyField(Provider, verbose_name=_("providers"), related_name="services", blank=True)

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")


class User(AbstractUser):
    """A member of staff. Groups give the rights, units the rows (domain.md H52). Who signs in at the organisation's own
    sign-in service is known by ``issuer`` and ``sub``, never by name or e-mail; local accounts have neither."""

    issuer = models.TextField(blank=True, editable=False)
    sub = models.TextField(blank=True, editable=False)
    units = models.ManyToManyField(Unit, verbose_name=_("units"), related_name="staff", blank=True)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "sub"], condition=~Q(issuer=""), name="one_user_of_issuer_and_sub"
            ),
            models.CheckConstraint(
                condition=Q(issuer="", sub="") | (~Q(issuer="") & ~Q(sub="")), name="issuer_with_sub"
            ),
        ]
