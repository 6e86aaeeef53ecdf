"""Where the register stands in VTJ's log of changes, and what every run did."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.models import Person


class Cohort(models.Model):
    """Persons who share a cursor: what several workers share out (domain.md B8).

    ``cursor_at`` is the database's time when the answer that gave the cursor had come; a person joins only with basic
    data requested after it (B9). ``up_to_date_as_of`` is set only by a poll that ended with ajanTasalla (B15).
    """

    cursor = models.BigIntegerField(_("cursor"))
    cursor_at = models.DateTimeField()
    up_to_date_as_of = models.DateTimeField(null=True)
    # VTJ refuses the cursor (domain.md B17): since when, and in which words.
    refused_at = models.DateTimeField(null=True)
    refused_status = models.PositiveSmallIntegerField(null=True)
    refused_type = models.TextField(blank=True)
    reset_asked = models.BooleanField(default=False)
    reset_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Enrolment(models.Model):
    """A person in a cohort."""

    person = models.OneToOneField(Person, models.DO_NOTHING, primary_key=True, related_name="enrolment")
    cohort = models.ForeignKey(Cohort, models.DO_NOTHING, related_name="enrolments")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class SyncRun(models.Model):
    """One run: its row exists before the work, and tells the truth after a crash (docs/adr). A reconciliation goes
    beside a sync."""

    class State(models.TextChoices):
        RUNNING = "RUNNING", _("Running")
        COMPLETE = "COMPLETE", _("Complete")
        INCOMPLETE = "INCOMPLETE", _("Incomplete: the next run goes on")
        FAILED = "FAILED", _("Failed")
        INTERRUPTED = "INTERRUPTED", _("Interrupted")

    class Phase(models.TextChoices):
        CHANGES = "CHANGES", _("Changes")
        BASIC_DATA = "BASIC_DATA", _("Basic data")

    class Kind(models.TextChoices):
        SYNC = "SYNC", _("Sync")
        RECONCILIATION = "RECONCILIATION", _("Reconciliation")

    kind = models.TextField(_("kind"), choices=Kind, default=Kind.SYNC)
    state = models.TextField(_("state"), choices=State, default=State.RUNNING)
    phase = models.TextField(_("phase"), choices=Phase, blank=True)
    # Why an unfinished run ended: the name of a member of vtjsync.engine.run.Stop.
    reason = models.TextField(blank=True)
    # "schedule", "command", or the number of the user who pressed the button.
    started_by = models.TextField()
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    owner = models.TextField()
    heartbeat_at = models.DateTimeField(db_default=Now())

    cohorts_total = models.PositiveIntegerField(default=0)
    cohorts_done = models.PositiveIntegerField(default=0)
    persons_total = models.PositiveIntegerField(default=0)
    persons_done = models.PositiveIntegerField(default=0)

    requests = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0)
    entries = models.PositiveIntegerField(default=0)
    entries_unknown = models.PositiveIntegerField(default=0)
    applied = models.PositiveIntegerField(default=0)
    asked_again = models.PositiveIntegerField(default=0)
    received = models.PositiveIntegerField(default=0)
    not_found = models.PositiveIntegerField(default=0)
    bans_started = models.PositiveIntegerField(default=0)
    bans_ended = models.PositiveIntegerField(default=0)
    problems_opened = models.PositiveIntegerField(default=0)
    # Rows of data groups outside the product or the permit, which are left alone (domain.md, the eight data groups).
    other_groups = models.PositiveIntegerField(default=0)
    # Of a reconciliation: how many values of each field (registry.history) were not what VTJ says (domain.md G50).
    drift = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        default_permissions = ()
        permissions = [
            ("see_sync", "See the sync history"),
            ("run_sync", "Start a sync run"),
            ("change_schedule", "Change the schedule of the syncs"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(state="RUNNING"), name="one_run_of_a_kind_at_a_time"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RunCohort(models.Model):
    """What one run did to one cohort: its cursor from and to."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="cohorts")
    cohort = models.ForeignKey(Cohort, models.CASCADE, related_name="runs")
    cursor_from = models.BigIntegerField()
    cursor_to = models.BigIntegerField()
    up_to_date = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "cohort"], name="run_of_cohort_once")]

    def __str__(self) -> str:
        return str(self.pk)


class ConnectionCheck(models.Model):
    """One look at the connection to VTJ. ``findings`` is a list of :class:`vtjsync.engine.check.Finding` as plain
    values: nothing personal is asked, so nothing personal is in it."""

    started_by = models.TextField()
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)

    class Meta:
        verbose_name = _("check of the connection")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class SyncControl(models.Model):
    """The one row that all workers look at before a request: whether to stop, or to leave VTJ alone for a while.

    ``stopped_reason`` is set by 401, 403 and access denied (domain.md B16) and cleared by an administrator.
    """

    only = models.BooleanField(primary_key=True, default=True)
    stopped_reason = models.TextField(blank=True)
    stopped_at = models.DateTimeField(null=True)
    # A pause of the schedule ends by itself (domain.md E41).
    paused_until = models.DateTimeField(null=True)
    # The same as the first two, for single look-ups, which have an account of their own.
    look_ups_stopped_reason = models.TextField(blank=True)
    look_ups_stopped_at = models.DateTimeField(null=True)
    # The groups of the permit that the register's data was last asked with (domain.md C24); None before the first run.
    granted = ArrayField(models.TextField(), null=True)
    # VTJ has said 429, and asked to be left alone until then.
    quota_until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(only=True), name="sync_control_is_one")]

    def __str__(self) -> str:
        return "sync control"


class RequestBudget(models.Model):
    """The requests of one class in the minute that it last asked in, counted over all workers (domain.md B19).

    ``priority`` is a member of vtjsync.engine.budget.Priority. ``waiting_at``: when a request was last told to wait.
    """

    priority = models.PositiveSmallIntegerField(primary_key=True)
    minute = models.DateTimeField(null=True)
    used = models.PositiveIntegerField(default=0)
    waiting_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Brake(models.Model):
    """So much would have ended or gone by the silence of basic data that nothing of it was written (domain.md B18).

    One waits at a time; ``decision`` is empty until an administrator has decided.
    """

    class Decision(models.TextChoices):
        RELEASED = "RELEASED", _("Released")
        ASKED_AGAIN = "ASKED_AGAIN", _("Asked again")

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="brakes")
    opened_at = models.DateTimeField(db_default=Now())
    decision = models.TextField(choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(models.Value(1), condition=Q(decision=""), name="one_brake_waits"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Silence(models.Model):
    """Basic data was silent about groups of which values are held; whether that counts is decided for the whole run.

    Holds the names of the groups, TURVAKIELTO for a ban that would end, and never a value (docs/adr/0008).
    """

    class State(models.TextChoices):
        NOTED = "NOTED"
        HELD = "HELD"
        ALLOWED = "ALLOWED"

    person = models.OneToOneField(Person, models.DO_NOTHING, primary_key=True, related_name="+")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="silences")
    groups = ArrayField(models.TextField())
    state = models.TextField(choices=State, default=State.NOTED)
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Tally(models.Model):
    """Something of operations that is counted over all processes, and when it last was: never anything of a person."""

    name = models.TextField(primary_key=True)
    count = models.BigIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Attempts(models.Model):
    """How often somebody did in the present window what may be done only so often (vtjsync.limits).

    ``key`` has keyed hashes of what was typed as a name and of where it came from, or the number of a user.
    """

    key = models.TextField(primary_key=True)
    since = models.DateTimeField(db_default=Now())
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class Alarm(models.Model):
    """Something that somebody has to look at, from when it began until it was over (vtjsync.alarms).

    ``kind`` is a member of vtjsync.alarms.Kind. ``told_at``: when the administrators were last told of it.
    """

    kind = models.TextField()
    since = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_told_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(ended_at=None), name="one_open_alarm_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
