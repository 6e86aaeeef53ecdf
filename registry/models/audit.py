"""Who saw and did what to whom, when and why (domain.md G46, G47), and the seals that show tampering (docs/adr/0013).

What must hold here is held by triggers and functions of migration 0011, and by the rights of the application's database
role: a trigger of django-pgtrigger can be put off by a setting of the session.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One act. ``subjects`` are the random ids of the persons; no code in clear, no name and no place is in here.

    Partitioned by the month of ``at`` (UTC); the database itself sets ``at``, and in ``tx`` the transaction that wrote
    the event.
    """

    tx = models.BigIntegerField(
        editable=False, db_default=Func(Func(function="pg_current_xact_id"), function="registry_audit_tx")
    )
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
            models.Index(fields=["tx"], name="audit_by_transaction"),
            models.Index(fields=["user_id", "at"], name="audit_by_user"),
            GinIndex(fields=["subjects"], name="audit_by_subject"),
            models.Index(fields=["id"], condition=Q(action="VERIFY_AUDIT"), name="audit_of_checks"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"


class SubjectCode(models.Model):
    """A keyed hash of an identity code and whom it meant: answers "who has looked at my data" after a correction and
    after erasure (domain.md G47). Lives as long as the log. ``key_id`` names the key of the hash."""

    code_hash = models.BinaryField()
    subject = models.UUIDField()
    since = models.DateTimeField(db_default=Now())
    key_id = models.TextField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["code_hash", "subject"], name="code_hash_of_subject")]
        indexes = [models.Index(fields=["subject"], name="code_hash_by_subject")]

    def __str__(self) -> str:
        return str(self.pk)


class AuditSeal(models.Model):
    """A seal over the events of the transactions from ``from_tx`` up to, and without, ``to_tx`` (docs/adr/0013).

    ``months`` has the number and the digest of its events by the month of each event. ``next_tx``, ``top_id`` and
    ``open_since`` bound what may still be written later: the next transaction's number, the highest number of an event
    given out, and the earliest time that a later event may bear. ``dropped`` is set where the seal tells that a month
    was removed: the month, its number of events, the event that tells of it. ``digest`` is keyed and covers all of it,
    and the digest of the seal before.
    """

    number = models.BigIntegerField(primary_key=True)
    made_at = models.DateTimeField()
    from_tx = models.BigIntegerField()
    to_tx = models.BigIntegerField()
    next_tx = models.BigIntegerField()
    top_id = models.BigIntegerField()
    open_since = models.DateTimeField()
    months = models.JSONField()
    dropped = models.JSONField(null=True)
    key_id = models.TextField()
    digest = models.BinaryField()

    class Meta:
        verbose_name = _("seal of the audit log")
        default_permissions = ()
        indexes = [models.Index(fields=["number"], condition=Q(dropped__isnull=False), name="seal_of_dropped_month")]

    def __str__(self) -> str:
        return str(self.pk)


class AuditHold(models.Model):
    """An inquiry: while one is open, no month of the audit log is removed (domain.md G46)."""

    reason = models.TextField()
    placed_by = models.TextField()
    placed_at = models.DateTimeField(db_default=Now())
    released_by = models.TextField(blank=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("hold on the audit log")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
