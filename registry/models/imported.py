"""An organisation's own list on its way into the register by the pages (outside.md, Import file)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ImportJob(models.Model):
    """One list, from the upload to the result, without anything of a person: numbers, dates, and how it stands.

    Whether a worker is at it is not told here but by a lock of the database that the worker holds
    (``registry.services.import_jobs``), so that nobody's death leaves it untrue. ``begun_at``: when a worker last began
    the step that the state names; None while it waits for one.
    """

    class State(models.TextChoices):
        CHECK = "CHECK", _("Being checked")
        CHECKED = "CHECKED", _("Waits for you")
        WRITE = "WRITE", _("Being imported")
        DONE = "DONE", _("Imported")
        REFUSED = "REFUSED", _("Not imported")
        CANCELLED = "CANCELLED", _("Cancelled")
        EXPIRED = "EXPIRED", _("Removed unused")

    class Phase(models.TextChoices):
        READING = "READING", _("Reading the list")
        COMPARING = "COMPARING", _("Comparing it with the register")
        WRITING = "WRITING", _("Writing into the register")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    # Where the upload came from, for the audit log: a worker does the rest.
    origin = models.TextField(blank=True)
    state = models.TextField(choices=State, default=State.CHECK)
    uploaded_at = models.DateTimeField(db_default=Now())
    queued_at = models.DateTimeField(db_default=Now())
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    file_lines = models.PositiveIntegerField()
    phase = models.TextField(choices=Phase, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # What the check and then the import found: the numbers of registry.services.imports.Report.
    counts = models.JSONField(default=dict)
    erased_first = models.DateField(null=True)
    erased_last = models.DateField(null=True)
    confirm_ends = models.PositiveIntegerField(null=True)
    # Why it was not imported, or has to be looked at again: an English text, as that of a bad line, with its numbers.
    reason = models.TextField(blank=True)
    reason_values = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        permissions = [("import_clients", "Import the organisation's own list of clients")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, state__in=("CHECK", "CHECKED", "WRITE"))
                | Q(ended_at__isnull=False, state__in=("DONE", "REFUSED", "CANCELLED", "EXPIRED")),
                name="import_job_has_ended",
            ),
        ]
        indexes = [models.Index(fields=["user", "-id"], name="import_job_by_user")]

    def __str__(self) -> str:
        return str(self.pk)


class ImportFile(models.Model):
    """The content of a list that waits: identity codes, and names that are only compared. Gone as soon as the list is
    imported, refused or cancelled, and after a day at most. What is taken out of it at an erasure are lines
    (domain.md F43)."""

    job = models.OneToOneField(ImportJob, models.CASCADE, primary_key=True, related_name="file")
    content = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class ImportBadLine(models.Model):
    """A line of a list that changes nothing: number, column, and the reason with its numbers; not what it held."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="bad_lines")
    line = models.PositiveIntegerField()
    column = models.TextField(blank=True)
    reason = models.TextField()
    values = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="import_bad_line_once")]

    def __str__(self) -> str:
        return str(self.pk)
