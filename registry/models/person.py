"""What VTJ says of a client, now, and how it came to say so.

The location columns are home_* and municipality_*, the rows of ForeignAddress, and the applied changes of the location
fields. None of them can hold a value for a protected person (domain.md E36): a trigger with a fixed text refuses
first, so that no value reaches an error message, and a constraint stands behind it. For the child tables the
constraint is a foreign key to (id, protected) whose second column is always false (docs/adr).
"""

from __future__ import annotations

import uuid
from typing import Final

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

HOME_COLUMNS: Final = (
    "home_street_fi",
    "home_street_sv",
    "home_house_number",
    "home_staircase",
    "home_apartment",
    "home_division",
    "home_postal_code",
    "home_post_office_fi",
    "home_post_office_sv",
    "home_municipality_code",
    "home_start",
    "home_start_precision",
)
MUNICIPALITY_COLUMNS: Final = ("municipality_code", "municipality_moved_in", "municipality_moved_in_precision")
LOCATION_COLUMNS: Final = HOME_COLUMNS + MUNICIPALITY_COLUMNS
LOCATION_FIELDS: Final = ("home", "foreign", "municipality")
REFUSAL: Final = "location values of a protected person are refused"

NO_LOCATION: Final = Q(**{f"{column}__isnull": True for column in LOCATION_COLUMNS})
REFUSE_ON_PERSON: Final = f"""
    IF NEW.protected AND num_nonnulls({", ".join(f"NEW.{column}" for column in LOCATION_COLUMNS)}) > 0 THEN
        RAISE EXCEPTION USING MESSAGE = '{REFUSAL}', ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""
REFUSE_ON_CHILD: Final = f"""
    IF EXISTS (SELECT FROM registry_person p WHERE p.id = NEW.person_id AND p.protected) THEN
        RAISE EXCEPTION USING MESSAGE = '{REFUSAL}', ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class PersonStatus(models.TextChoices):
    """Where the person stands with VTJ. An open problem and a missing permit come on top of it."""

    AWAITING = "AWAITING", _("Awaiting VTJ's data")
    CURRENT = "CURRENT", _("Up to date")
    NOT_FOUND = "NOT_FOUND", _("Not found in VTJ")


class Person(models.Model):
    """A client. The row is empty until VTJ's basic data has come (status AWAITING)."""

    subject = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    status = models.TextField(choices=PersonStatus, default=PersonStatus.AWAITING)

    first_names = models.TextField(_("first names"), null=True)
    last_name = models.TextField(_("last name"), null=True)
    name_key = models.TextField(default="", db_collation="C")
    language_code = models.TextField(_("mother tongue"), null=True)
    language_name = models.TextField(null=True)
    deceased = models.BooleanField(_("deceased"), default=False)
    death_date = models.DateField(_("date of death"), null=True)
    death_date_precision = models.PositiveSmallIntegerField(null=True)
    protected = models.BooleanField(_("non-disclosure order"), default=False)
    protection_end = models.DateField(null=True)
    protection_end_precision = models.PositiveSmallIntegerField(null=True)

    home_street_fi = models.TextField(null=True)
    home_street_sv = models.TextField(null=True)
    home_house_number = models.TextField(null=True)
    home_staircase = models.TextField(null=True)
    home_apartment = models.TextField(null=True)
    home_division = models.TextField(null=True)
    home_postal_code = models.TextField(null=True)
    home_post_office_fi = models.TextField(null=True)
    home_post_office_sv = models.TextField(null=True)
    home_municipality_code = models.TextField(null=True)
    home_start = models.DateField(null=True)
    home_start_precision = models.PositiveSmallIntegerField(null=True)
    municipality_code = models.TextField(null=True)
    municipality_moved_in = models.DateField(null=True)
    municipality_moved_in_precision = models.PositiveSmallIntegerField(null=True)

    # How sure we are of the above. Times of VTJ's clock decide what is older (domain.md B13, C22, E33).
    basic_data_at = models.DateTimeField(null=True)
    newest_entry_at = models.DateTimeField(null=True)
    ban_since = models.DateTimeField(null=True)
    ban_silence_at = models.DateTimeField(null=True)
    reveal_awaited = models.BooleanField(default=False)
    location_hidden = models.BooleanField(default=False)
    # Times of our own clock.
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    checked_at = models.DateTimeField(null=True)

    # Counts everything that is applied, so that a late answer is recognised (domain.md B12).
    version = models.PositiveIntegerField(default=0)
    # The mark "ask VTJ for basic data" (domain.md B11): a reason, how urgent, and when to try again.
    ask = models.TextField(null=True)
    ask_urgent = models.BooleanField(default=False)
    ask_not_before = models.DateTimeField(null=True)
    ask_attempts = models.PositiveSmallIntegerField(default=0)
    recheck_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        permissions = [
            ("see_clients", "See the clients of one's own units"),
            ("handle_protected", "See and handle clients under a non-disclosure order"),
            ("see_former", "See former identity codes and former names"),
            ("export_register", "Export the register"),
        ]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(protected=False) | NO_LOCATION, name="protected_has_no_location"),
            models.UniqueConstraint(fields=["id", "protected"], name="person_and_protected"),
        ]
        indexes = [
            models.Index(fields=["name_key", "id"], name="person_by_name"),
            GinIndex(SearchVector("name_key", config="simple"), name="person_by_name_part"),
            models.Index(fields=["name_key", "id"], condition=Q(deceased=True), name="person_deceased"),
            models.Index(fields=["id"], condition=Q(status=PersonStatus.AWAITING), name="person_awaiting"),
            models.Index(fields=["ask_urgent", "id"], condition=Q(ask__isnull=False), name="person_to_ask"),
            models.Index(fields=["recheck_on"], condition=Q(recheck_on__isnull=False), name="person_to_recheck"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="refuse_location_of_protected",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=REFUSE_ON_PERSON,
            )
        ]

    def __str__(self) -> str:
        return str(self.subject)


class PersonCode(models.Model):
    """An identity code of a person: the current one, or one that was replaced (domain.md D28). One owner per code."""

    hetu = models.CharField(max_length=11, unique=True, db_collation="C")
    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="codes")
    current = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(current=True), name="one_current_code"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ForeignAddress(models.Model):
    """A permanent address abroad. A person may have several (domain.md C20)."""

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="foreign_addresses")
    street = models.TextField(null=True)
    locality = models.TextField(null=True)
    country_code = models.TextField(null=True)
    country_name = models.TextField(null=True)
    start = models.DateField(null=True)
    start_precision = models.PositiveSmallIntegerField(null=True)
    # Always false: with person_id it refers to (id, protected) of the person, so it cannot outlive the start of a ban.
    person_protected = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(person_protected=False), name="foreign_of_unprotected"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="refuse_location_of_protected",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=REFUSE_ON_CHILD,
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class AppliedChange(models.Model):
    """One value of a person that VTJ changed: why a field says what it says (domain.md G48).

    ``field`` is a member of :class:`registry.record.PersonRecord`; the values are the texts of
    ``registry.history``. ``run`` is the number of the sync run that brought it.
    """

    class Source(models.TextChoices):
        CHANGE = "CHANGE", _("Change from VTJ")
        BASIC_DATA = "BASIC_DATA", _("VTJ's basic data")

    person = models.ForeignKey(Person, models.DO_NOTHING, related_name="applied_changes")
    field = models.TextField()
    old_value = models.TextField(null=True)
    new_value = models.TextField(null=True)
    source = models.TextField(choices=Source)
    changed_at = models.DateTimeField()
    applied_at = models.DateTimeField(db_default=Now())
    run = models.BigIntegerField(null=True)
    # False for a change of place, else null: see ForeignAddress.person_protected.
    person_protected = models.GeneratedField(
        expression=models.Case(models.When(field__in=LOCATION_FIELDS, then=models.Value(False)), default=None),
        output_field=models.BooleanField(null=True),
        db_persist=True,
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["person", "-id"], name="change_of_person"),
            models.Index(fields=["run"], name="change_of_run"),
            models.Index(
                fields=["applied_at"],
                condition=Q(old_value__isnull=False) | Q(new_value__isnull=False),
                name="change_with_values_by_age",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="refuse_location_of_protected",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__field__in=LOCATION_FIELDS),
                func=REFUSE_ON_CHILD,
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
