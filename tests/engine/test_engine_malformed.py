"""Malformed and cut answers: no run crashes, nobody else is touched, no place is shown that a ban may hide (B14, E36).

Each number is a small VTJ of its own, and a seed: everything follows from it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pytest

from registry.hetu import Hetu
from registry.models import AppliedChange, ForeignAddress, Person
from registry.models.person import LOCATION_FIELDS
from registry.record import PersonRecord
from registry.services import codes, vtj_data
from registry.services.vtj_data import Held
from tests.engine import world
from tests.engine.malformed import is_as_agreed, is_time, may_end_a_ban, may_start_a_ban, spoilt_body, varied
from tests.engine.script import Script, key_of, playing
from tests.reading.rows import CONTEXT, DAY, ENTRY, MINUTE, decoded
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort, SyncRun
from vtjsync.reading import changes, snapshot
from vtjsync.reading.outcome import PersonState
from vtjsync.simulator.events import KINDS
from vtjsync.simulator.population import Population
from vtjsync.simulator.world import World

JSON = Any
PEOPLE: Final = 200
ROUNDS: Final = 4
# A merger is about two persons, and all others must be about one. Whose new code is lost is not found again.
EVENTS: Final = [kind.name for kind in KINDS if kind.name not in {"codes_merged", "code_changed"}]
SCENES, FEW, BODIES = 20, 24, 20
# So many of either kind in make test; the other scenes in make test-long.
SOON: Final = 3
MANY: Final = range(1000, 1150)
# How a run may end whose answers are spoilt.
ENDS: Final = {("COMPLETE", ""), ("INCOMPLETE", "UNREADABLE"), ("INCOMPLETE", "OVERTAKEN"), ("FAILED", "NO_PROGRESS")}
CODE: Final = frozenset({"henkilotunnus"})


@dataclass
class Message:
    """What VTJ tells of somebody, right and as it was sent."""

    person: int
    right: JSON
    sent: JSON

    @property
    def spoilt(self) -> bool:
        """Whether it is another one than the right one: for Python, 0 is False."""
        return json.dumps(self.sent) != json.dumps(self.right)

    def __str__(self) -> str:
        return json.dumps(self.sent)[:2000]


class Scene:
    """A VTJ of the seed, a register that holds its people as they were, and a line between the two that spoils."""

    def __init__(self, number: int, people: int = PEOPLE) -> None:
        self.chance = random.Random(number)
        self.now = ENTRY
        self.vtj = World(Population(people, number, date(2026, 3, 2)), lambda: self.now)
        self.vtj.days_ahead = 0
        self.codes = [Hetu(code) for code in self.vtj.codes(people)]
        for code in self.chance.sample(self.codes, people // 8):
            self._happens(code, ["ban_started_alone"])
        states = [self._told(code, ENTRY - 2 * DAY) for code in self.codes]
        self.persons = [person for person, _ in world.held(states, world.cohort(), self.codes)]
        self.script = Script()
        self.script.basic = self.vtj.basic_data
        self.script.spoil = self._spoil
        self.messages: dict[int, Message] = {}
        self.told: Counter[int] = Counter()
        self.spoils = ""

    def round(self) -> None:
        """An event to most of the people, all told on one more page."""
        self.now += 10 * MINUTE
        heard = len(self.vtj.log)
        for code in self.chance.sample(self.codes, len(self.codes) * 4 // 5):
            self._happens(code, self.chance.choices(EVENTS, k=5))
        self.script.pages = [*self.script.pages, [json.loads(told.body) for told in self.vtj.log[heard:]]]
        self.now += 10 * MINUTE
        self.script.now = self.now

    def run(self, spoils: str, *, basic_data: bool = True) -> dict[int, Held]:
        """A run in which the answers to one call are spoilt. Returns everybody as they stand after it."""
        self.spoils = spoils
        self.messages, self.told = {}, Counter()
        assert sync("test", wait=0, with_basic_data=basic_data).state == SyncRun.State.COMPLETE
        return self.stand()

    def stand(self) -> dict[int, Held]:
        """Everybody as they stand; nobody under a ban with a place in any row."""
        stand = vtj_data.read(self.persons)
        banned = {person for person, one in stand.items() if one.record.protected}
        assert not any(stand[person].record.has_location for person in banned)
        assert not rows_of_places() & banned
        return stand

    def truth(self, code: str) -> PersonRecord:
        return self._told(code, self.now).record

    def _told(self, code: str, at: Any) -> PersonState:
        return snapshot.read(decoded(self.vtj.basic_data(code) or []), at, PersonState(), CONTEXT).state

    def _happens(self, code: str, kinds: Iterable[str]) -> None:
        """The first of the events that can happen to the person; none if none can."""
        for kind in kinds:
            try:
                self.vtj.happen(kind, code, self.now)
            except ValueError:
                continue
            return

    def _spoil(self, call: str, body: bytes) -> bytes:
        """Three of four entries varied, once for everybody, the code in each still to be read."""
        right = json.loads(body)
        if call == "kirjausavain" or not right[call]:
            return body
        owners = codes.owners({entry["henkilotunnus"] for entry in right[call]})
        texts = []
        for entry in right[call]:
            person, text = owners[entry["henkilotunnus"]], json.dumps(entry)
            if call == self.spoils and not self.told[person] and self.chance.randrange(4):
                text = varied(entry, self.chance, keep=CODE)
            self.told[person] += 1
            self.messages[person] = Message(person, entry, json.loads(text))
            texts.append(text)
        rest = "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in right.items() if name != call)
        return f"{{{json.dumps(call)}: [{', '.join(texts)}]{rest}}}".encode()


def rows_of_places() -> set[int]:
    """Those of whom a row outside their own tells a place."""
    told = set(AppliedChange.objects.filter(field__in=LOCATION_FIELDS).values_list("person", flat=True))
    return told | set(ForeignAddress.objects.values_list("person", flat=True))


def check(one: Message, before: Held, after: Held, *, with_time: bool) -> None:
    """What must hold of somebody after a message of any form."""
    safe = after.record.protected or after.location_hidden
    if not is_as_agreed(one.sent, with_time=with_time) or (with_time and not is_time(one.sent.get("muutospv"))):
        assert safe, one
        assert after.ask is not None, one
    if may_start_a_ban(one.sent):
        assert safe, one
    if before.record.protected and not after.record.protected:
        assert may_end_a_ban(one.sent), one
        assert not may_start_a_ban(one.sent), one


def state_of(held: Held) -> PersonState:
    return PersonState(
        record=held.record,
        basic_data_at=held.basic_data_at,
        newest_entry_at=held.newest_entry_at,
        ban_since=held.ban_since,
        silence_at=held.ban_silence_at,
        reveal_awaited=held.reveal_awaited,
        recheck_on=held.recheck_on,
    )


def hear_changes(scene: Scene, before: dict[int, Held]) -> dict[int, Held]:
    """A page of changes, most of them spoilt: who is not in it stays as they were, who is told rightly is read."""
    after = scene.run("muutokset", basic_data=False)
    for person in scene.persons:
        one = scene.messages.get(person)
        if one is None:
            assert after[person] == before[person]
        elif not one.spoilt:
            at = scene.vtj.log[-1].at
            outcome = changes.read(decoded(one.right["tietoryhmat"]), at, state_of(before[person]), CONTEXT)
            assert after[person].record == outcome.state.record, one
        else:
            check(one, before[person], after[person], with_time=True)
    return after


def hear_basic_data(scene: Scene, before: dict[int, Held]) -> dict[int, Held]:
    """Basic data of all who are to be asked, most of it spoilt."""
    after = scene.run("perustiedot")
    for person, code in zip(scene.persons, scene.codes, strict=True):
        one = scene.messages.get(person)
        if one is None:
            assert after[person] == before[person]
        elif not one.spoilt:
            assert after[person].record == scene.truth(code), one
            assert (after[person].ask, after[person].location_hidden) == (None, False)
        elif scene.told[person] == 1:
            check(one, before[person], after[person], with_time=False)
    return after


def hear_the_rest(scene: Scene, before: dict[int, Held]) -> None:
    """Right basic data, when the time has come to ask again."""
    Person.objects.update(ask_not_before=None)
    after = scene.run("")
    for person, code in zip(scene.persons, scene.codes, strict=True):
        if before[person].ask is None:
            assert after[person] == before[person]
        else:
            assert after[person].record == scene.truth(code)
            assert (after[person].ask, after[person].location_hidden) == (None, False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "number", [*range(SOON), *(pytest.param(one, marks=pytest.mark.long) for one in (*range(SOON, SCENES), *MANY))]
)
def test_b14_whatever_entries_look_like(number: int) -> None:
    scene, variations = Scene(number), 0
    with playing(scene.script):
        for _ in range(ROUNDS):
            scene.round()
            stand = scene.stand()
            for hear in (hear_changes, hear_basic_data):
                stand = hear(scene, stand)
                variations += sum(one.spoilt for one in scene.messages.values())
            hear_the_rest(scene, stand)
    assert variations * SCENES >= 10_000


# What may stand where a code should.
NO_CODES: Final[tuple[JSON, ...]] = (None, "", 5, [], {}, True, "010101-", "010101-9XXX", "\x00", "ä" * 11)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", NO_CODES, ids=repr)
def test_b14_an_entry_that_nobody_can_tell_whose_it_is_asks_the_whole_cohort_and_no_other(wrong: JSON) -> None:
    scene = Scene(NO_CODES.index(wrong), FEW)
    elsewhere = world.client(into=world.cohort())
    with playing(scene.script):
        scene.round()
        scene.script.spoil = lambda call, body: renamed(body, wrong) if call == "muutokset" else body
        before, after = scene.stand(), scene.run("", basic_data=False)
        for one in after.values():
            assert one.ask is not None
            assert one.record.protected or one.location_hidden
        read = [entry["henkilotunnus"] for entry in scene.script.pages[0][1:]]
        for person in codes.owners(read).values():
            assert before[person] != after[person]
        hear_the_rest(scene, after)
    assert world.fresh(elsewhere).ask is None
    assert world.fresh(elsewhere).version == elsewhere.version


def renamed(body: bytes, wrong: JSON) -> bytes:
    """The page with something else for the first entry's code."""
    right = json.loads(body)
    for entry in right["muutokset"][:1]:
        entry["henkilotunnus"] = wrong
    return json.dumps(right).encode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [*range(SOON), *(pytest.param(one, marks=pytest.mark.long) for one in MANY)])
def test_b13_b16_whatever_the_answer_as_a_whole_looks_like(number: int) -> None:
    scene = Scene(number, FEW)
    with playing(scene.script):
        for turn in range(BODIES):
            scene.round()
            before, reached = scene.stand(), len(scene.script.pages)
            call = ("muutokset", "perustiedot")[turn % 2]
            reason = spoilt_run(scene, call)
            scene.stand()
            if reason == "UNREADABLE" and call == "muutokset":
                # Nothing of the changes is applied; whoever is due for basic data is asked all the same.
                stood = scene.stand()
                for person, code in zip(scene.persons, scene.codes, strict=True):
                    assert stood[person].record in (before[person].record, scene.truth(code))
            if reason != "UNREADABLE":
                # VTJ may have said that there was nothing, or that all was told: then only an administrator knows.
                Cohort.objects.update(cursor=key_of(reached - 1))
                Person.objects.update(ask="VALUE")
            Person.objects.update(ask_not_before=None)
            after = scene.run("")
            for person, code in zip(scene.persons, scene.codes, strict=True):
                assert after[person].record == scene.truth(code)
                assert (after[person].ask, after[person].location_hidden) == (None, False)
            assert Cohort.objects.get().cursor == key_of(reached)


def spoilt_run(scene: Scene, call: str) -> str:
    """A run in which the first answer to the call is spoilt as a whole; why it ended early, if it did."""
    left = [call]

    def spoil(of: str, body: bytes) -> bytes:
        if of in left and json.loads(body)[of]:
            left.remove(of)
            return spoilt_body(body, scene.chance)
        return body

    scene.script.spoil = spoil
    row = sync("test", wait=0)
    scene.script.spoil = lambda _call, body: body
    assert row.ended_at is not None
    assert (row.state, row.reason) in ENDS
    return row.reason
