"""What is kept of protected clients only: why their pages were opened, and where they may be reached (E38, E39)."""

from __future__ import annotations

from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.models.person import Person

CONTACT_COLUMNS: Final = ("care_of", "lines", "postal_code", "town", "phone", "email")
CONTACT_REFUSAL: Final = "a contact address is kept of protected persons only"
# The text is fixed: PostgreSQL would print the row that a CHECK refuses.
_REFUSE_UNPROTECTED: Final = f"""
    IF NOT EXISTS (SELECT FROM registry_person p WHERE p.id = NEW.person_id AND p.protected) THEN
        RAISE EXCEPTION USING MESSAGE = '{CONTACT_REFUSAL}', ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class OpeningReason(models.TextChoices):
    """Why the page of a protected client is opened; or, of any client, by emergency access (docs/adr/0019)."""

    HANDOVER = "HANDOVER", _("I take the client over")
    SERVICE = "SERVICE", _("The client's service or decision")
    CONTACT = "CONTACT", _("The client or a provider got in touch")
    CHECK = "CHECK", _("Checking the data, or a problem with it")
    OTHER = "OTHER", _("Another reason, told below")
    EMERGENCY = "EMERGENCY", _("Emergency access")


class Opening(models.Model):
    """Somebody gave a reason and opened a protected client's page; the supervisor sees it listed (domain.md E38)."""

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="openings")
    # The name stays when the account goes.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.TextField()
    reason = models.TextField(choices=OpeningReason)
    note = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("opening")
        default_permissions = ()
        permissions = [("see_openings", "See why the pages of protected clients were opened")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=OpeningReason.OTHER) | ~Q(note=""), name="another_reason_is_told"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "person", "at"], name="opening_of_user"),
            models.Index(fields=["person"], name="opening_of_person"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ContactAddress(models.Model):
    """Where a protected client wants to be reached, as the client said: no data of VTJ, and not the home (E39).

    One for a person. It can be written only while the person is protected; when the ban ends a problem asks whether it
    is still needed, and until that is answered it stays.
    """

    person = models.OneToOneField(Person, models.DO_NOTHING, related_name="contact_address")
    care_of = models.TextField(_("c/o"), blank=True)
    lines = models.TextField(_("street address or PO box"), blank=True)
    postal_code = models.TextField(_("postal code"), blank=True)
    town = models.TextField(_("town"), blank=True)
    phone = models.TextField(_("phone"), blank=True)
    email = models.TextField(_("e-mail"), blank=True)
    confirmed_not_home = models.BooleanField()
    entered_at = models.DateTimeField(db_default=Now())
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("contact address")
        default_permissions = ()
        permissions = [("keep_contact_address", "See and keep the contact addresses of protected clients")]
        constraints = [
            models.CheckConstraint(condition=Q(confirmed_not_home=True), name="contact_address_is_not_the_home"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="refuse_unprotected",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=_REFUSE_UNPROTECTED,
            ),
            pgtrigger.Trigger(
                name="refuse_change_of_unprotected",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange(*CONTACT_COLUMNS),
                func=_REFUSE_UNPROTECTED,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
