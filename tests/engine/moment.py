"""One moment in which everything happens to the same person: five at work, of whom each has the person's lock in turn.

Two entries of the register are one person, and one of them is no client any more. The nightly reconciliation and an ask
hold basic data, a run holds a page of changes, the merge was looked at, and the erasure is due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import connection

from registry.clock import today
from registry.models import AppliedChange, Clientship, ErasureReceipt, ForeignAddress, Person, PersonCode, Problem
from registry.models.person import LOCATION_COLUMNS, LOCATION_FIELDS
from registry.services import erasure, merging, problem_acts
from registry.services.errors import Refused
from registry.services.protection import check
from tests.cast import clerk
from tests.engine import world
from tests.engine.races import Actor, holding
from tests.engine.truth import compared, twice_applied
from tests.reading.rows import ban, municipality, name, old_home
from vtjsync import tasks
from vtjsync.engine import basic_data, changes
from vtjsync.engine.connection import Connection
from vtjsync.engine.reconciliation import reconcile
from vtjsync.engine.sync import sync
from vtjsync.models import Enrolment, SyncRun
from vtjsync.simulator.server import Handle

ACTORS: Final = ("reconciliation", "ask", "erasure", "merge", "page")
# What the page of changes tells.
EVENTS: Final = {
    "ban begins": ("ban_started_censored", "ban_started_alone", "ban_started_with_move"),
    "ban ends": ("ban_ended_with_places", "ban_ended_alone"),
    "move": ("moved_in_municipality", "moved_to_municipality"),
}
STREET: Final = "Entisentie"
# What the register says of where somebody lives, each time that it is written.
_WATCH: Final = """
    CREATE TABLE race_version (
        id bigint GENERATED ALWAYS AS IDENTITY, person bigint, protected boolean, known boolean, place text);
    CREATE FUNCTION race_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO race_version (person, protected, known, place)
        VALUES (NEW.id, NEW.protected, num_nonnulls({columns}) > 0, NEW.home_street_fi || ' ' || NEW.home_house_number);
        RETURN NULL; END $$;
    CREATE TRIGGER race_watch AFTER INSERT OR UPDATE ON registry_person FOR EACH ROW EXECUTE FUNCTION race_note();
"""
_LOOK_AWAY: Final = """
    DROP TRIGGER race_watch ON registry_person; DROP FUNCTION race_note(); DROP TABLE race_version;
"""


@dataclass(frozen=True, slots=True)
class Case:
    """An order of the five, and what they meet.

    ``ends``: whose clientship has ended, of the entry that would stay, of the other one, or of both. ``stale``: those
    who asked before it happened. ``queued``: all of them stand in the queue of the lock at once; else each one begins
    to write when the one before has ended. ``late``: the run's own question, after its page, has its answer written
    last of all. ``marked``: staff had VTJ asked again, which the ask answers. ``told``: VTJ still answers under the
    code that it has removed, with an address, until a ban begins. ``unsent``: they have made up their questions, and
    nobody has sent one yet. ``newest``: the entry that stays came into the register last.
    """

    order: tuple[str, ...]
    event: str
    kind: str
    ends: str
    stale: frozenset[str] = frozenset()
    queued: bool = True
    late: bool = False
    marked: bool = False
    told: bool = False
    unsent: bool = False
    newest: bool = False

    def __str__(self) -> str:
        words = [
            ">".join(self.order),
            self.kind,
            f"{self.ends} ends",
            *(f"stale {one}" for one in sorted(self.stale)),
            "queued" if self.queued else "in turn",
            *(word for word in ("late", "marked", "told", "unsent", "newest") if getattr(self, word)),
        ]
        return " ".join(words).replace("_", " ")


@dataclass
class Moment:
    """The case, played against the VTJ with an empty register."""

    case: Case
    vtj: Handle
    folder: Path
    actors: dict[str, Actor] = field(default_factory=dict)

    def play(self) -> None:
        """All of it, and what must hold at the end."""
        self._load()
        self._two_entries()
        with self._watched():
            self._begin()
            self._race()
            self.check_moment()
        self.check_erased()
        self.check_after()

    def _load(self) -> None:
        """Everybody whom VTJ knows is a client, and up to date."""
        codes = self.vtj.codes()
        world.clients(codes[::-1] if self.case.newest else codes)
        run()
        assert Enrolment.objects.count() == len(codes)

    def _two_entries(self) -> None:
        """The one that stays has the code that VTJ calls active."""
        self.code = self.vtj.happen("codes_merged", self.vtj.codes()[0])
        run()
        (self.old,) = self.vtj.truth([self.code])[0]["edelliset_henkilotunnukset"]
        self.stays, self.other = (PersonCode.objects.get(hetu=code).person for code in (self.code, self.old))
        if self.case.event == "ban ends":
            self.vtj.happen("ban_started_censored", self.code)
            run()
        if self.case.told:
            told = (name(None, "Mallinen"), ban(None, False), old_home(None, end=None, katunimi={"fi": STREET}))
            self.vtj.set_basic(self.old, [*told, municipality(None, "091", "2010-05-01")])
        self.ids = sorted((self.stays.pk, self.other.pk))
        ending = {"stays": [self.stays], "other": [self.other], "both": [self.stays, self.other]}[self.case.ends]
        # The last day; the erasure is the next day's.
        Clientship.objects.filter(person__in=ending).update(end=today())
        self.places = self._places()
        self.subjects = (self.stays.subject, self.other.subject)

    def _begin(self) -> None:
        """Everybody goes as far as what they have to write."""
        token = merging.plan(clerk, *self.subjects).token
        written, page = basic_data.store, changes.apply
        if self.case.unsent:
            written = page = Connection.send
        acts: dict[str, tuple[Callable[[], object], tuple[Callable[..., object], ...]]] = {
            "reconciliation": (partial(reconcile, "test", 1.0, wait=0), (written,)),
            "ask": (partial(tasks.fetch, self.ids), (written,)),
            "erasure": (partial(erasure.run, clerk, today() + timedelta(days=1)), ()),
            "merge": (partial(merging.merge, clerk, *self.subjects, token), ()),
            "page": (partial(sync, "test", wait=0), (page, *[basic_data.store] * self.case.late)),
        }
        self.actors = {one: Actor(one, act, *stops) for one, (act, stops) in acts.items()}
        answers = ("reconciliation", "ask")
        if self.case.event != "ban ends":
            # As plainly as VTJ can say it: no ban, and the address.
            told = self.vtj._control.world.basic_data(self.code)
            self.vtj.set_basic(self.code, [*(told or ()), ban(None, False)])
        self._ask(one for one in answers if one in self.case.stale)
        self.vtj.set_basic(self.code, None)
        self.vtj.happen(self.case.kind, self.code)
        if self.case.event == "ban begins":
            # It would be another's word that this entry has none, if the one that has it were erased.
            self.vtj.set_basic(self.old, None)
        self.places |= self._places()
        self._ask(one for one in answers if one not in self.case.stale)
        self.actors["page"].start()
        assert self.actors["page"].stopped

    def _ask(self, those: Iterator[str]) -> None:
        for one in those:
            if one == "ask" and self.case.marked:
                problem_acts.ask_again(clerk, Problem.objects.get(person=self.stays, other=self.other))
            self.actors[one].start()

    def _race(self) -> None:
        """Each in turn, or all at once in the queue of the person's lock. PostgreSQL serves it in order, but for those
        who wait for a row that was written meanwhile: one of them may get ahead of the others."""
        actors = [self.actors[one] for one in self.case.order]
        if self.case.queued:
            with holding(self.ids):
                for actor in actors:
                    self._on(actor)
                    # Who found nobody to compare is done.
                    assert actor.waits or (actor.name == "reconciliation" and self.case.marked), actor.name
        for actor in actors:
            self._on(actor)
            if not (self.case.late and actor.name == "page"):
                actor.end()
        self.actors["page"].end()

    @staticmethod
    def _on(actor: Actor) -> None:
        actor.go_on() if actor.begun else actor.start()

    # --- what must hold

    def check_moment(self) -> None:
        """Nobody failed, nothing was half written, and what the register said at any moment was allowed."""
        self.merged = self.actors["merge"].error is None
        assert isinstance(self.actors["merge"].error, None | Refused | PermissionDenied)
        if self.case.event == "move" and not self.case.queued:
            # Nothing else makes another pair of the one that was shown.
            assert self.merged == (self.case.order.index("merge") < self.case.order.index("erasure"))
        for one in set(ACTORS) - {"merge"}:
            assert self.actors[one].error is None, one
        for row in SyncRun.objects.all():
            assert (row.state, row.reason) == (SyncRun.State.COMPLETE, "")
        with connection.cursor() as cursor:
            cursor.execute("SELECT person, protected, known, place FROM race_version ORDER BY id")
            versions = cursor.fetchall()
        new = self._place_of(self.code) if self.case.event == "move" else None
        for person in self.ids:
            told = [(protected, known, place) for of, protected, known, place in versions if of == person]
            assert not [one for one in told if one[0] and one[1]]
            if self.case.event == "ban begins":
                began = next((number for number, one in enumerate(told) if one[0]), len(told))
                assert all(protected for protected, *_ in told[began:])
            if new and person == self.stays.pk:
                moved = next((number for number, one in enumerate(told) if one[2] == new), len(told))
                assert all(place == new for *_, place in told[moved:])
        self._nothing_under_a_ban()

    def check_erased(self) -> None:
        """Who is gone has left nothing; nothing else of the two is lost."""
        if not self.merged:
            self._look_again()
        left = set(Person.objects.filter(pk__in=self.ids).values_list("pk", flat=True))
        wholly = ErasureReceipt.objects.filter(whole_person=True).count()
        assert wholly == 2 - len(left) - self.merged
        assert left == self._expected()
        kept = {"stays": 1, "other": 1, "both": 0}[self.case.ends]
        assert Clientship.objects.filter(person__in=left, end=None).count() == kept
        self.left = left
        self._no_trace()

    def check_after(self) -> None:
        """After the next runs the register is true, and nobody has come back."""
        self.vtj.set_basic(self.old, None)
        for _ in range(2):
            run()
            assert set(Person.objects.filter(pk__in=self.ids).values_list("pk", flat=True)) == self.left
        reconcile("test", 1.0, wait=0)
        assert Person.objects.count() == Clientship.objects.values("person").distinct().count()
        for line, differing in compared(self.vtj, self.folder):
            if line["henkilotunnus"] == self.old:
                # Left without the other one: VTJ has nothing under this code any more (docs/adr/0003).
                assert line["vtj_tila"] in {"EI_LOYDY", "SELVITETTAVA"}
            else:
                assert (differing, line["vtj_tila"]) == ([], "AJAN_TASALLA")
        assert twice_applied() == []
        self._no_trace()
        self._nothing_under_a_ban()
        assert not Person.objects.filter(location_hidden=True, status="CURRENT").exists()

    def _look_again(self) -> None:
        """The pair was another one than the one that was shown: whoever looks again sees it as it is."""
        if Person.objects.filter(pk__in=self.ids).count() == 2:
            token = merging.plan(clerk, *self.subjects).token
            assert merging.merge(clerk, *self.subjects, token) == self.stays.subject
            self.merged = True

    def _expected(self) -> set[int]:
        """Who is in the register now: after a merge one, of whom nobody is left if both were to go."""
        if self.case.ends == "both":
            return set()
        if self.merged:
            return {self.stays.pk}
        return {self.other.pk if self.case.ends == "stays" else self.stays.pk}

    def _no_trace(self) -> None:
        """Of who is gone there is no code, and of a place that is nobody's to know no word, in any table."""
        # VTJ tells the removed code as a former one of whoever stays.
        strings = [] if self.stays.pk in self.left else [self.code] if self.left else [self.code, self.old]
        assert not AppliedChange.objects.exclude(person__in=Person.objects.all()).exists()
        if (self.case.event == "ban begins" and self._banned()) or not self.left:
            strings += self.places
        report = check.run(clerk, strings)
        found = [str(one) for one in report.findings]
        assert found == [], found

    def _banned(self) -> bool:
        """Whether the register has heard of the ban of whoever is left."""
        return Person.objects.filter(pk__in=self.left, protected=True).count() == len(self.left)

    def _nothing_under_a_ban(self) -> None:
        under = Person.objects.filter(protected=True)
        for column in LOCATION_COLUMNS:
            assert not under.exclude(**{column: None}).exists()
        assert not ForeignAddress.objects.filter(person__in=under).exists()
        assert not AppliedChange.objects.filter(person__in=under, field__in=LOCATION_FIELDS).exists()

    def _place_of(self, code: str) -> str:
        home = self.vtj.truth([code])[0]["vakinainen_kotimainen_osoite"]
        assert home is not None
        return f"{home['katunimi']['fi']} {home['katunumero']}"

    def _places(self) -> set[str]:
        """Every street that either of the two ever lived in, as VTJ knows them."""
        people = filter(None, map(self.vtj._control.world.person, (self.code, self.old)))
        return {STREET, *(str(home.street_fi) for person in people for home in person.homes)}

    @contextmanager
    def _watched(self) -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute(_WATCH.format(columns=", ".join(f"NEW.{one}" for one in LOCATION_COLUMNS)))
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute(_LOOK_AWAY)


def run() -> None:
    """A run to its end."""
    row = sync("test", wait=0)
    assert (row.state, row.reason) == (SyncRun.State.COMPLETE, "")
