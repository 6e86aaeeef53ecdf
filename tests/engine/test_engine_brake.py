"""The brake: what the silence of basic data would end or clear is decided for the whole run (domain.md B18, E33)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from pytest_django import Settings

from registry.models import AppliedChange, AuditEvent, ForeignAddress, Person, User
from registry.models.person import LOCATION_COLUMNS, LOCATION_FIELDS
from registry.policies import Access
from registry.record import Group
from tests.engine import world
from tests.engine.conftest import Start
from tests.engine.races import overtaking
from vtjsync import tasks
from vtjsync.engine import brake
from vtjsync.engine.connection import database_now
from vtjsync.engine.run import Run
from vtjsync.engine.sync import sync
from vtjsync.models import Brake, Silence, SyncRun
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = Access(None, "test")
LIVES = Person.objects.exclude(municipality_code=None)


@pytest.fixture
def register(start_vtj: Start, settings: Settings) -> Handle:
    """A hundred and twenty clients, loaded; basic data is asked ten at a time."""
    settings.VTJ_BASIC_DATA_BATCH = 10
    vtj = start_vtj(population=120)
    world.clients(vtj.codes(120))
    assert run() == ("COMPLETE", "")
    return vtj


def run() -> tuple[str, str]:
    row = sync("test", wait=0)
    return row.state, row.reason


def ask(persons: QuerySet[Person] | Sequence[Person]) -> None:
    Person.objects.filter(pk__in=[one.pk for one in persons]).update(ask="VALUE", ask_attempts=0, ask_not_before=None)


def silent(vtj: Handle, *groups: Group) -> None:
    """VTJ's own permit grants these groups no more, and nobody has told us."""
    vtj.grant(set(Group) - set(groups))


def of_groups() -> set[tuple[str, ...]]:
    return {tuple(groups) for groups in Silence.objects.values_list("groups", flat=True)}


def test_b18_a_few_values_go_in_the_same_run_by_a_second_answer(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    chosen = list(LIVES[:20])
    ask(chosen)
    before = len(register.requests)
    assert run() == ("COMPLETE", "")
    gone = Person.objects.filter(pk__in=[one.pk for one in chosen])
    assert set(gone.values_list("municipality_code", "ask")) == {(None, None)}
    assert AppliedChange.objects.filter(field="municipality", new_value=None).count() == 20
    assert not Silence.objects.exists()
    assert [path for path, _ in register.requests[before:]].count("perustiedot") == 4


def test_b18_too_many_values_stay_in_every_batch_and_wait_for_an_administrator(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    held = LIVES.count()
    ask(LIVES[:21])
    assert run() == ("INCOMPLETE", "BRAKE")
    assert LIVES.count() == held
    assert not AppliedChange.objects.exists()
    assert brake.count() == {Group.MUNICIPALITY: 21}
    event = AuditEvent.objects.get(action="HOLD_BACK")
    assert (event.count, event.subjects) == (21, [])


def test_b18_the_whole_run_counts_and_not_a_batch_of_it(register: Handle, settings: Settings) -> None:
    settings.VTJ_BASIC_DATA_BATCH = 5
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:40])
    assert run() == ("INCOMPLETE", "BRAKE")
    assert brake.count() == {Group.MUNICIPALITY: 40}


def test_b18_a_small_share_of_those_answered_is_no_sign_of_a_changed_permit(
    start_vtj: Start, settings: Settings
) -> None:
    vtj = start_vtj(population=1100)
    world.clients(vtj.codes(1100))
    run()
    homes = list(Person.objects.exclude(home_street_fi=None)[:22])
    for one in homes:
        rows = [row for row in rows_of(vtj, one) if row["tietoryhma"] != Group.HOME]
        vtj.set_basic(world.code_of(one), rows)
    ask(Person.objects.all())
    assert run() == ("COMPLETE", "")
    assert not Person.objects.filter(pk__in=[one.pk for one in homes]).exclude(home_street_fi=None).exists()
    # The same number of a smaller run is one.
    more = list(Person.objects.exclude(home_street_fi=None)[:22])
    for one in more:
        vtj.set_basic(world.code_of(one), [])
    ask(more)
    assert run() == ("INCOMPLETE", "BRAKE")


def rows_of(vtj: Handle, person: Person) -> list[dict[str, Any]]:
    return list(vtj._control.world.basic_data(world.code_of(person)) or [])


def without_ban(vtj: Handle, count: int) -> list[Person]:
    """Living people of whose ban VTJ's basic data says nothing."""
    free = LIVES.filter(protected=False, deceased=False)
    return [one for one in free if not any(row["tietoryhma"] == Group.BAN for row in rows_of(vtj, one))][:count]


def put_under_a_ban(persons: Sequence[Person]) -> None:
    """A ban that VTJ has been silent about once already, a day ago."""
    wanted = [one.pk for one in persons]
    ForeignAddress.objects.filter(person__in=wanted).delete()
    AppliedChange.objects.filter(person__in=wanted, field__in=LOCATION_FIELDS).delete()
    now = database_now()
    Person.objects.filter(pk__in=wanted).update(
        **dict.fromkeys(LOCATION_COLUMNS, None),
        protected=True,
        ban_since=now - timedelta(days=3),
        ban_silence_at=now - timedelta(days=1),
        ask="SILENCE",
        ask_urgent=True,
    )


@pytest.mark.parametrize(("bans", "ended"), [(5, True), (6, False)])
def test_b18_e33_the_repair_of_bans_goes_through_the_brake(register: Handle, bans: int, *, ended: bool) -> None:
    free = without_ban(register, bans)
    put_under_a_ban(free)
    assert run() == (("COMPLETE", "") if ended else ("INCOMPLETE", "BRAKE"))
    rows = Person.objects.filter(pk__in=[one.pk for one in free])
    assert set(rows.values_list("protected", flat=True)) == {not ended}
    assert rows.exclude(municipality_code=None).count() == (bans if ended else 0)
    assert brake.count() == ({} if ended else {Group.BAN: 6})


@pytest.mark.parametrize(("others", "ended"), [(600, True), (590, False)])
def test_b18_a_hundredth_of_all_bans_is_no_sign_of_a_changed_permit(
    register: Handle, others: int, *, ended: bool
) -> None:
    free = without_ban(register, 6)
    put_under_a_ban(free)
    more = others - Person.objects.filter(protected=True).count()
    Person.objects.bulk_create([Person(protected=True) for _ in range(more)])
    assert run() == (("COMPLETE", "") if ended else ("INCOMPLETE", "BRAKE"))
    assert Person.objects.filter(pk__in=[one.pk for one in free], protected=True).exists() is not ended


def test_b18_nothing_of_what_the_run_would_do_by_silence_is_written(register: Handle) -> None:
    """Seven bans are too many, and so the one municipality stays too."""
    free = without_ban(register, 8)
    put_under_a_ban(free[:7])
    register.set_basic(world.code_of(free[7]), [])
    ask(free[7:])
    assert run() == ("INCOMPLETE", "BRAKE")
    assert Person.objects.get(pk=free[7].pk).municipality_code is not None
    assert brake.count()[Group.BAN] == 7
    assert brake.count()[Group.MUNICIPALITY] == 1


def test_b18_what_is_explicit_goes_on_while_the_brake_waits(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES.filter(protected=False)[:30])
    run()
    one, other = (held.person for held in Silence.objects.select_related("person")[:2])
    said = {"tietoryhma": "TURVAKIELTO", "muutosattribuutti": "LISATTY", "turvakieltoAktiivinen": True}
    register.append(world.code_of(one), [said])
    spoken = {"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": "se"}
    register.append(world.code_of(other), [spoken])
    assert run() == ("INCOMPLETE", "BRAKE")
    assert world.fresh(one).protected
    assert world.location_rows(one) == 0
    assert world.fresh(other).language_code == "se"
    # What was noted of places goes with them.
    assert not Silence.objects.filter(person=one).exists()
    assert brake.count() == {Group.MUNICIPALITY: 29}


def test_b18_later_silence_joins_what_waits(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:25])
    run()
    ask(LIVES.exclude(ask="SILENT")[:3])
    assert run() == ("INCOMPLETE", "BRAKE")
    assert brake.count() == {Group.MUNICIPALITY: 28}
    assert Brake.objects.count() == 1


def test_b18_who_waits_is_not_asked_every_hour(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:25])
    run()
    before = len(register.requests)
    run()
    assert [path for path, _ in register.requests[before:]] == ["muutokset"]


def test_b18_what_is_held_back_is_not_confirmed_and_stays_hidden_if_it_was(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    chosen = list(LIVES[:25])
    ask(chosen)
    Person.objects.filter(pk=chosen[0].pk).update(location_hidden=True)
    before = Person.objects.get(pk=chosen[0].pk).checked_at
    run()
    row = Person.objects.get(pk=chosen[0].pk)
    assert (row.location_hidden, row.checked_at) == (True, before)
    assert not Person.objects.get(pk=chosen[1].pk).location_hidden


def test_b18_an_administrator_releases_it_and_the_next_run_asks_and_writes(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    chosen = [one.pk for one in LIVES[:30]]
    ask(Person.objects.filter(pk__in=chosen))
    run()
    brake.release(PROMPT)
    event = AuditEvent.objects.get(action="RELEASE_BRAKE")
    assert (event.count, event.subjects) == (30, [])
    assert LIVES.filter(pk__in=chosen).count() == 30
    assert run() == ("COMPLETE", "")
    assert not LIVES.filter(pk__in=chosen).exists()
    assert not Silence.objects.exists()
    assert not brake.waits()


def test_b18_asked_again_it_brakes_again_or_is_well(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:30])
    run()
    brake.ask_again(PROMPT)
    assert run() == ("INCOMPLETE", "BRAKE")
    register.grant(Group)
    brake.ask_again(PROMPT)
    assert run() == ("COMPLETE", "")
    assert not Person.objects.exclude(ask=None).exists()
    assert not AppliedChange.objects.exists()
    assert AuditEvent.objects.filter(action="ASK_HELD_AGAIN").count() == 2


def test_b18_a_release_that_no_run_used_for_a_day_lets_nothing_go(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:30])
    run()
    held = LIVES.count()
    brake.release(PROMPT)
    Silence.objects.update(noted_at=database_now() - timedelta(hours=25))
    assert run() == ("INCOMPLETE", "BRAKE")
    assert LIVES.count() == held


def test_b18_a_release_lets_no_more_go_than_was_held_back(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:30])
    run()
    brake.release(PROMPT)
    silent(register, Group.MUNICIPALITY, Group.NAME)
    named = Person.objects.exclude(last_name=None).count()
    run()
    assert Person.objects.exclude(last_name=None).count() == named
    assert of_groups() == {(Group.NAME,)}


def test_b18_a_run_that_ends_early_decides_nothing_and_the_next_asks_anew(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:30])

    def interrupt(run_: Run) -> None:
        if run_.counts["received"] >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync("test", wait=0, watch=interrupt)
    assert Silence.objects.filter(state="NOTED").count() >= 10
    assert run() == ("INCOMPLETE", "BRAKE")
    assert brake.count() == {Group.MUNICIPALITY: 30}
    assert Brake.objects.get().run == SyncRun.objects.latest("id")


@pytest.mark.parametrize(("asked", "held"), [(20, 0), (50, 40)])
def test_b18_a_batch_without_an_answer_leaves_nothing_undecided_of_the_others(
    register: Handle, asked: int, held: int
) -> None:
    silent(register, Group.MUNICIPALITY)
    before = LIVES.count()
    ask(LIVES[:asked])
    register.faults("html200=1")
    row = sync("test", wait=0, with_changes=False)
    assert (row.state, row.reason) == (("INCOMPLETE", "UNREADABLE") if held else ("COMPLETE", ""))
    assert (before - LIVES.count(), sum(brake.count().values())) == ((0, held) if held else (10, 0))


def test_b18_it_is_over_when_everybody_who_was_held_back_has_been_answered(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    ask(LIVES[:25])
    run()
    register.grant(Group)
    ask(Person.objects.filter(ask="SILENT"))
    assert run() == ("COMPLETE", "")
    assert not brake.waits()
    assert run() == ("COMPLETE", "")
    assert not Brake.objects.filter(decision="").exists()


def test_b18_what_another_run_holds_back_just_now_is_not_over(register: Handle) -> None:
    begun = Run(SyncRun.objects.create(started_by="test", owner="here:1:1", kind=SyncRun.Kind.RECONCILIATION))
    Brake.objects.create(run=SyncRun.objects.earliest("id"))
    for one in LIVES[:25]:
        Silence.objects.create(person=one, run_id=begun.id, groups=[Group.MUNICIPALITY], state="NOTED")
    assert overtaking(lambda: brake.decide(begun), brake.prepare) is None
    assert brake.waits()
    assert Brake.objects.get().decision == ""


def test_b18_outside_of_a_run_nothing_goes_by_silence(register: Handle) -> None:
    silent(register, Group.MUNICIPALITY)
    one = LIVES[0]
    assert tasks.fetch([one.pk]) == 1
    assert world.fresh(one).municipality_code is not None
    assert run() == ("COMPLETE", "")
    assert world.fresh(one).municipality_code is None


def test_b18_only_who_may_run_the_sync_decides(db: None) -> None:
    access = Access(User.objects.create(username="celia"), "test")
    for act in (brake.release, brake.ask_again):
        with pytest.raises(PermissionDenied):
            act(access)
