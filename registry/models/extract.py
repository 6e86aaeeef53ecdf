"""A client's own extract of the audit log: who asked for it, and what was decided (domain.md G46, G47, E38)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry.clock import today

# Older log data is given for a special reason only (law 703/2023, 11 §).
USUAL: Final = timedelta(days=2 * 366)
STAYS: Final = "what was decided about an extract of the log stays"
KEPT: Final = "requests for an extract of the log are kept for five years at least"


class Requester(models.TextChoices):
    """Who asks for the client's log."""

    CLIENT = "CLIENT", _("The client")
    GUARDIAN = "GUARDIAN", _("A guardian of a minor")
    TRUSTEE = "TRUSTEE", _("A trustee or another legal representative")


class Ground(models.TextChoices):
    """Why log data is not given, as a whole or a line of it (law 703/2023, 11 §)."""

    DANGER = "DANGER", _("Knowing it could cause serious danger to the client's health or care")
    OTHERS = "OTHERS", _("Knowing it could harm the rights of somebody else")
    NO_RIGHT = "NO_RIGHT", _("Whoever asked has no right to this client's log data")
    TOO_OLD = "TOO_OLD", _("It is older than two years, and there is no special reason")


class LogExtract(models.Model):
    """A request, from the day it was made to what was decided. ``subjects`` are the random ids that the code led to; no
    code is kept. The lines are those of the log up to ``last_event``, so that it reads the same every time.

    Made once, decided once; it goes when the log of its time goes. People are a plain number and name, as in the log.
    """

    class Outcome(models.TextChoices):
        OPEN = "OPEN", _("Not decided yet")
        RELEASED = "RELEASED", _("Given")
        REFUSED = "REFUSED", _("Not given")

    subjects = ArrayField(models.UUIDField(), default=list)
    requester = models.TextField(choices=Requester)
    reference = models.TextField()
    since = models.DateField()
    until = models.DateField()
    asked_on = models.DateField(default=today)
    reason = models.TextField(blank=True)
    last_event = models.BigIntegerField()
    made_at = models.DateTimeField(db_default=Now())
    made_by = models.BigIntegerField(null=True)
    made_name = models.TextField(blank=True)
    outcome = models.TextField(choices=Outcome, default=Outcome.OPEN)
    ground = models.TextField(choices=Ground, blank=True)
    note = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.BigIntegerField(null=True)
    decided_name = models.TextField(blank=True)

    class Meta:
        verbose_name = _("extract of the log")
        default_permissions = ()
        permissions = [("make_log_extract", "Make a client's own extract of the audit log")]
        constraints = [
            models.CheckConstraint(condition=Q(since__lte=F("until")), name="extract_begins_before_its_end"),
            models.CheckConstraint(
                condition=~Q(reason="") | Q(since__gte=F("asked_on") - USUAL), name="a_longer_extract_has_its_reason"
            ),
            models.CheckConstraint(
                condition=(Q(outcome="OPEN") & Q(decided_at=None))
                | (Q(outcome="RELEASED") & Q(decided_at__isnull=False))
                | (Q(outcome="REFUSED") & Q(decided_at__isnull=False) & ~Q(ground="") & ~Q(note="")),
                name="a_refused_extract_has_its_ground",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="request_stays",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange(
                    exclude=["outcome", "ground", "note", "decided_at", "decided_by", "decided_name"]
                ),
                func=f"RAISE EXCEPTION '{STAYS}';",
            ),
            pgtrigger.Trigger(
                name="decision_stays",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__outcome__df="OPEN"),
                func=f"RAISE EXCEPTION '{STAYS}';",
            ),
            pgtrigger.Trigger(
                name="kept_for_years",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func=f"""
                    IF OLD.made_at > now() - interval '5 years' THEN RAISE EXCEPTION '{KEPT}'; END IF;
                    RETURN OLD;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ExtractLine(models.Model):
    """What was decided about one line of an extract that leaves line by line (domain.md E38). ``line`` is the number of
    the line's first event in the log."""

    class Decision(models.TextChoices):
        GIVE = "GIVE", _("Give, without unit and service")
        WITH_PLACE = "WITH_PLACE", _("Give, with unit and service")
        LEAVE_OUT = "LEAVE_OUT", _("Leave out")

    extract = models.ForeignKey(LogExtract, models.CASCADE, related_name="lines")
    line = models.BigIntegerField()
    decision = models.TextField(choices=Decision)
    ground = models.TextField(choices=Ground, blank=True)
    decided_by = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["extract", "line"], name="extract_line_once"),
            models.CheckConstraint(
                condition=(Q(decision="LEAVE_OUT") & ~Q(ground="")) | (~Q(decision="LEAVE_OUT") & Q(ground="")),
                name="a_line_left_out_has_its_ground",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="line_stays",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=f"""
                    IF NOT EXISTS (SELECT FROM registry_logextract e WHERE e.id = NEW.extract_id AND e.outcome = 'OPEN')
                    THEN RAISE EXCEPTION '{STAYS}'; END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
