"""A random history: a small VTJ, a register that follows it, and everything that can come in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.models import Q
from hypothesis import strategies as st

from registry.clock import today
from registry.models import Clientship, Person
from tests.engine import crash, world
from tests.engine.line import Clock, let_ask, line_to
from tests.engine.truth import differences, twice_applied, wrongly_confirmed
from vtjsync.engine.connection import database_now
from vtjsync.engine.sync import sync
from vtjsync.models import Enrolment, SyncRun
from vtjsync.simulator.events import KINDS
from vtjsync.simulator.faults import FAULTS, REST
from vtjsync.simulator.server import Handle

DAY = timedelta(days=1)
EVENTFUL = 3
# Nothing in a history lasts: an answer that is late is late because the machine is busy.
PATIENCE_SECONDS = 120.0
# These give a person another code, which can be told only to those who are heard of (docs/adr/0003).
OF_CODES = {"code_changed", "codes_merged"}
# What lasts for as long as it is on is no more than a step of a history: all but these may come for a request or two.
SPOILS = sorted(name for name, calls in FAULTS.items() if calls & REST and name not in {"endless", "slow"})


@dataclass(frozen=True)
class Happens:
    """An event to one of the people."""

    kind: str
    whose: int


@dataclass(frozen=True)
class Passes:
    """Time, with what happens by itself in a few days; in many nothing does, or the history would be a long one."""

    days: int = 0
    minutes: int = 0


@dataclass(frozen=True)
class Leaves:
    """One of the people is no longer on the list."""

    whose: int


@dataclass(frozen=True)
class Returns:
    """Everybody is on the list again, and those who were not yet."""


@dataclass(frozen=True)
class Spoils:
    """VTJ, or the way to it, will be out of order for a request or two."""

    fault: str
    times: int = 1


@dataclass(frozen=True)
class Runs:
    """A run of the sync, that ends in the middle after so many steps of the program if ``ends`` says how."""

    ends: str = ""
    steps: int = 0


@dataclass(frozen=True)
class History:
    """``seed`` and the sizes make the VTJ; ``listed`` of its people are clients from the start, and ``known`` when
    their basic data has come before anything happens."""

    seed: int
    people: int
    listed: int
    page: int
    cohort: int
    batch: int
    activity: float
    starts: datetime
    known: bool
    steps: tuple[Any, ...] = field(default=())


# What is rare in life is what goes wrong: bans and corrected codes, more than once to the same few people.
steps = st.one_of(
    st.builds(Happens, st.sampled_from([kind.name for kind in KINDS]), st.integers(0, 11)),
    st.builds(Happens, st.sampled_from([kind.name for kind in KINDS]), st.integers(0, 2)),
    st.builds(Happens, st.sampled_from([kind.name for kind in KINDS if "ban_started" in kind.name]), st.integers(0, 2)),
    st.builds(Happens, st.sampled_from([kind.name for kind in KINDS if "ban_ended" in kind.name]), st.integers(0, 2)),
    st.builds(Happens, st.sampled_from(sorted(OF_CODES)), st.integers(0, 2)),
    st.builds(Happens, st.sampled_from(["move_to_come", "move_for_now"]), st.integers(0, 11)),
    st.builds(Passes, days=st.sampled_from([1, 1, 2, 3, 40])),
    st.builds(Passes, minutes=st.sampled_from([1, 4, 6, 50, 300])),
    st.builds(Leaves, st.integers(0, 11)),
    st.just(Returns()),
    st.builds(Spoils, st.sampled_from(SPOILS), st.integers(1, 2)),
    st.just(Runs()),
    st.builds(Runs, st.sampled_from(sorted(crash.ENDS)), st.integers(1, 300) | st.integers(1, 3000)),
    st.builds(Runs, st.sampled_from(sorted(crash.ENDS)), st.integers(1, 300) | st.integers(1, 3000)),
)
histories = st.integers(2, 12).flatmap(
    lambda people: st.builds(
        History,
        seed=st.integers(0, 2**16),
        people=st.just(people),
        listed=st.integers(1, people),
        page=st.integers(1, 7),
        cohort=st.integers(1, 8),
        batch=st.integers(1, 8),
        activity=st.sampled_from([0.0, 0.3, 1.0]),
        # Ahead of the real day: the program asks for VTJ's yesterday by its own clock, before VTJ has told the time.
        starts=st.datetimes(datetime(2041, 1, 1), datetime(2041, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        known=st.sampled_from([True, True, True, False]),
        steps=st.lists(steps, min_size=8, max_size=24).map(tuple),
    )
)


class Life:
    """A history that is being lived: the VTJ behind ``vtj``, made anew, and an empty register."""

    def __init__(self, history: History, vtj: Handle, folder: Path) -> None:
        self.history, self.vtj, self.folder = history, vtj, folder
        self.clock = Clock(history.starts)
        vtj.renew(
            population=history.people,
            seed=history.seed,
            page=history.page,
            activity=history.activity,
            clock=self.clock,
        )
        world.empty()
        self.codes = vtj.codes()
        world.clients(self.codes[: history.listed])
        self.waiting = self.codes[history.listed :]
        # Whose code has changed since they were heard of: they must be heard of before they leave.
        self.unheard = False

    def live(self) -> None:
        """All the steps, in settings of the history's own."""
        sizes = {"VTJ_COHORT_SIZE": self.history.cohort, "VTJ_BASIC_DATA_BATCH": self.history.batch}
        with line_to(self.vtj, VTJ_DEADLINE=PATIENCE_SECONDS, VTJ_READ_TIMEOUT=PATIENCE_SECONDS, **sizes):
            if self.history.known:
                self._runs(Runs())
            for step in self.history.steps:
                getattr(self, f"_{type(step).__name__.lower()}")(step)
            self._end()

    def _happens(self, step: Happens) -> None:
        if step.kind in OF_CODES and not self._all_heard():
            return
        code = self.codes[step.whose % len(self.codes)]
        # Two corrections of one code differ in the log by their time alone.
        self.clock.now += timedelta(seconds=1)
        try:
            self.vtj.happen(step.kind, code)
        except ValueError:
            return
        self.unheard = self.unheard or step.kind in OF_CODES
        self.codes = self.vtj.codes()

    def _passes(self, step: Passes) -> None:
        self.clock.now += timedelta(minutes=step.minutes)
        if 0 < step.days <= EVENTFUL and self.history.activity and self._all_heard():
            self.vtj.advance(step.days)
            self.unheard, self.codes = True, self.vtj.codes()
        else:
            self.clock.now += step.days * DAY
        Person.objects.update(ask_not_before=None)

    def _leaves(self, step: Leaves) -> None:
        if not self.unheard:
            code = self.codes[step.whose % len(self.codes)]
            Clientship.objects.filter(person__codes__hetu=code).update(end=today() - DAY)

    def _returns(self, _step: Returns) -> None:
        Clientship.objects.update(end=None)
        if self.waiting:
            world.clients(self.waiting)
            self.waiting = []

    def _spoils(self, step: Spoils) -> None:
        self.vtj.faults(f"{step.fault}={step.times}")

    def _runs(self, step: Runs) -> None:
        since = database_now()
        if step.ends:
            with crash.after(step.steps, crash.ENDS[step.ends]):
                sync("test", wait=0)
        elif sync("test", wait=0).state == SyncRun.State.COMPLETE:
            self.unheard = False
        assert wrongly_confirmed(self.vtj, self.folder, since) == []
        let_ask()

    def _all_heard(self) -> bool:
        """Whether everybody is on the list and in a cohort."""
        on_the_list = Clientship.objects.filter(end=None).count()
        return not self.waiting and on_the_list == Enrolment.objects.count() == Person.objects.count()

    def _end(self) -> None:
        """Everything is in order at last, what was put off is due, and what was to come has come."""
        self.clock.now += 40 * DAY
        self._returns(Returns())
        self.vtj.faults("none")
        # VTJ does not know the code of the other entry of one person any more.
        alone = Person.objects.exclude(problems__kind="TWO_ENTRIES", problems__closed_at=None)
        in_doubt = alone.filter(Q(ask__isnull=False) | Q(location_hidden=True))
        for _ in range(3):
            Person.objects.update(ask_not_before=None)
            row = sync("test", wait=0)
            assert (row.state, row.reason) == (SyncRun.State.COMPLETE, "")
            if not in_doubt.exists():
                break
        assert differences(self.vtj, self.folder) == []
        assert not in_doubt.exists()
        assert not SyncRun.objects.filter(state=SyncRun.State.RUNNING).exists()
        assert twice_applied() == []
