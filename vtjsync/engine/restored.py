"""When a restored register may be unlocked: every cohort was brought up to date since the ledger was replayed, and
everybody was answered who was to be asked (domain.md B15, F45)."""

from __future__ import annotations

from dataclasses import dataclass

from registry import lock
from vtjsync.models import Cohort, SyncRun


@dataclass(frozen=True, slots=True)
class Missing:
    """What is still to come: cohorts that are not up to date, of how many, and whether no run has been complete."""

    cohorts: int
    of: int
    run: bool

    def __bool__(self) -> bool:
        return bool(self.cohorts or self.run)

    def __str__(self) -> str:
        told = "no sync run since the replay has been complete" if self.run else "a sync run has been complete"
        return f"{told}; {self.of - self.cohorts} of {self.of} cohorts are up to date"


def missing() -> Missing:
    """What a restored register lacks; everything until the ledger is replayed."""
    since = lock.state().replayed_at
    cohorts = Cohort.objects.filter(enrolments__isnull=False).distinct()
    if since is None:
        return Missing(cohorts.count(), cohorts.count(), run=True)
    whole = SyncRun.objects.filter(
        kind=SyncRun.Kind.SYNC,
        state=SyncRun.State.COMPLETE,
        phase=SyncRun.Phase.BASIC_DATA,
        started_at__gte=since,
    )
    late = cohorts.exclude(up_to_date_as_of__gte=since).count()
    return Missing(late, cohorts.count(), run=not whole.exists())
