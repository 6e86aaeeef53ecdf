"""Who saw and did what to whom, when and why (domain.md G46, G47). Append-only: the database refuses the rest."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

APPEND_ONLY = "the audit log is append-only"


class AuditEvent(models.Model):
    """One act. ``subjects`` are the random ids of the persons; no code in clear, no name and no place is in here."""

    at = models.DateTimeField(db_default=Now())
    action = models.TextField()
    # A plain number and name: the event outlives the account.
    user_id = models.BigIntegerField(null=True)
    username = models.TextField(blank=True)
    subjects = ArrayField(models.UUIDField(), default=list)
    count = models.PositiveIntegerField(default=0)
    basis = models.TextField(blank=True)
    origin = models.TextField(blank=True)
    outcome = models.TextField(default="done")
    details = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ()
        permissions = [("see_audit_log", "Read the audit log")]
        indexes = [
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["user_id", "at"], name="audit_by_user"),
            GinIndex(fields=["subjects"], name="audit_by_subject"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=f"RAISE EXCEPTION '{APPEND_ONLY}';",
            ),
            pgtrigger.Trigger(
                name="no_truncate",
                operation=pgtrigger.Truncate,
                when=pgtrigger.Before,
                level=pgtrigger.Statement,
                func=f"RAISE EXCEPTION '{APPEND_ONLY}';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"


class SubjectCode(models.Model):
    """A keyed hash of an identity code and whom it meant: answers "who has looked at my data" after a correction and
    after erasure (domain.md G47). Lives as long as the log."""

    code_hash = models.BinaryField()
    subject = models.UUIDField()
    since = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["code_hash", "subject"], name="code_hash_of_subject")]
        indexes = [models.Index(fields=["subject"], name="code_hash_by_subject")]

    def __str__(self) -> str:
        return str(self.pk)
