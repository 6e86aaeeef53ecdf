"""The permit steers what is asked, held and shown: it ends, another follows, groups come and go (domain.md A2, C24)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from registry.clock import today
from registry.models import AppliedChange, AuditEvent, Clientship, DataPermit, ForeignAddress, Person, PersonCode
from registry.policies import Access
from registry.record import LOCATION_GROUPS, Group
from registry.selectors import client
from registry.selectors.place import Place
from registry.services import erasure, uncovered
from tests.engine import world
from tests.engine.conftest import Start
from tests.factories import AppliedChangeFactory
from vtjsync.engine import brake
from vtjsync.engine.sync import sync
from vtjsync.models import Enrolment
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)

PROMPT = Access(None, "test")
DAY = timedelta(days=1)
EVERYTHING = {str(group) for group in Group}


@pytest.fixture
def register(start_vtj: Start) -> Handle:
    """Sixty clients, some of them protected, loaded by a permit of all groups."""
    vtj = start_vtj(population=60)
    for _ in range(3):
        vtj.happen("ban_started_alone")
    world.clients(vtj.codes(60))
    assert run() == ("COMPLETE", "")
    return vtj


def run() -> tuple[str, str]:
    row = sync("test", wait=0)
    return row.state, row.reason


def grants(vtj: Handle, *groups: Group) -> None:
    """DVV grants these groups, and the set-up says so."""
    vtj.grant(groups)
    DataPermit.objects.update(groups=[str(group) for group in groups])


def asked(vtj: Handle, before: int) -> list[Any]:
    return [body for path, body in vtj.requests[before:] if path == "perustiedot"]


def due_run(day: date) -> None:
    erasure.run(PROMPT, day)


def somebody(vtj: Handle) -> Person:
    """Somebody with a name, an address and a home municipality."""
    found = Person.objects.exclude(home_street_fi=None).exclude(municipality_code=None).exclude(last_name=None)
    return found.filter(deceased=False).earliest("id")


# A permit ends


def test_a2_a_permit_that_ends_hides_at_once_and_erases_on_the_next_day(register: Handle) -> None:
    person, banned = somebody(register), Person.objects.filter(protected=True)
    AppliedChangeFactory.create(person=person, field="home", old_value="Vanhatie 1", new_value="Uusitie 2")
    protected = set(banned.values_list("pk", flat=True))
    last = today()
    DataPermit.objects.update(valid_to=last - DAY)
    assert run() == ("FAILED", "NO_PERMIT")
    page = client.viewed(PROMPT, person.subject)
    assert page is not None
    assert (page.place, page.home, page.municipality) == (Place.NO_PERMIT, None, "")
    # A past end that was entered today is due on the next day.
    due_run(last)
    assert world.fresh(person).home_street_fi is not None
    due_run(last + DAY)
    row = world.fresh(person)
    assert world.record_of(person) == world.PersonRecord()
    assert (row.status, row.name_key, row.checked_at, row.basic_data_at) == ("AWAITING", "", None, None)
    assert not ForeignAddress.objects.exists()
    assert not AppliedChange.objects.exists()
    assert not Enrolment.objects.exists()
    # The organisation's own list stays, and a ban keeps hiding where somebody is served.
    assert PersonCode.objects.count() == Clientship.objects.count() == 60
    assert set(Person.objects.filter(protected=True).values_list("pk", flat=True)) == protected != set()
    events = AuditEvent.objects.filter(action="ERASE_VTJ_DATA")
    assert sum(event.count for event in events) == 60


def test_a2_the_erasure_of_a_planned_end_is_due_on_the_day_after_it(register: Handle) -> None:
    entered = today() - 30 * DAY
    DataPermit.objects.update(valid_to=today())
    DataPermit.objects.update(changed_at=world.database_now() - 30 * DAY)
    assert entered < today()
    due_run(today())
    assert Person.objects.exclude(last_name=None).exists()
    due_run(today() + DAY)
    assert not Person.objects.exclude(last_name=None).exists()


def test_a2_a_permit_that_follows_keeps_everything(register: Handle) -> None:
    DataPermit.objects.update(valid_to=today() - DAY)
    DataPermit.objects.create(
        number="DVV/2", purpose="p", legal_basis="l", groups=sorted(EVERYTHING), valid_from=today()
    )
    before, held = len(register.requests), Person.objects.exclude(home_street_fi=None).count()
    assert run() == ("COMPLETE", "")
    assert asked(register, before) == []
    due_run(today() + DAY)
    assert Person.objects.exclude(home_street_fi=None).count() == held


def test_a2_a_permit_that_comes_too_late_loads_everybody_again(register: Handle) -> None:
    people = set(Person.objects.exclude(home_street_fi=None).values_list("pk", flat=True))
    DataPermit.objects.update(valid_to=today() - DAY)
    due_run(today() + DAY)
    DataPermit.objects.create(
        number="DVV/2", purpose="p", legal_basis="l", groups=sorted(EVERYTHING), valid_from=today()
    )
    assert run() == ("COMPLETE", "")
    assert set(Person.objects.exclude(home_street_fi=None).values_list("pk", flat=True)) == people
    assert Enrolment.objects.count() == 60
    # What was there before is no change.
    assert not AppliedChange.objects.exists()


def test_a2_the_erasure_goes_on_where_a_crash_left_it(register: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncovered, "BATCH", 25)
    DataPermit.objects.update(valid_to=today() - DAY)
    monkeypatch.setattr(uncovered, "_erase", _crash_after(1, uncovered._erase))
    with pytest.raises(RuntimeError):
        due_run(today() + DAY)
    left = Person.objects.filter(status="CURRENT").count()
    assert left == 35
    monkeypatch.undo()
    due_run(today() + DAY)
    assert not Person.objects.exclude(status="AWAITING").exists()


def _crash_after(times: int, function: Any) -> Any:
    calls = []

    def call(*args: Any, **more: Any) -> Any:
        if len(calls) == times:
            raise RuntimeError
        calls.append(1)
        return function(*args, **more)

    return call


def test_a2_nothing_is_erased_in_a_register_without_any_permit(db: None) -> None:
    person = world.client()
    DataPermit.objects.all().delete()
    due_run(today() + DAY)
    assert world.fresh(person).last_name is not None


# Groups come and go


def test_c24_a_group_that_is_lost_is_not_read_as_absent_is_not_shown_and_is_erased_on_the_next_day(
    register: Handle,
) -> None:
    person = somebody(register)
    AppliedChangeFactory.create(person=person, field="municipality", old_value="049", new_value="091")
    grants(register, *(set(Group) - {Group.MUNICIPALITY}))
    before = len(register.requests)
    assert run() == ("COMPLETE", "")
    # Everybody was asked again, without the group.
    assert sum(len(body["hetulista"]) for body in asked(register, before)) == 60
    assert all(Group.MUNICIPALITY not in body["tietoryhmat"] for body in asked(register, before))
    assert world.fresh(person).municipality_code is not None
    assert not AppliedChange.objects.filter(field="municipality", new_value=None).exists()
    page = client.viewed(PROMPT, person.subject)
    assert page is not None
    assert (page.municipality, Group.MUNICIPALITY in page.granted, page.changes) == ("", False, ())
    assert page.home is not None
    due_run(today())
    assert world.fresh(person).municipality_code is not None
    due_run(today() + DAY)
    row = world.fresh(person)
    assert (row.municipality_code, row.municipality_moved_in, row.status) == (None, None, "CURRENT")
    assert row.home_street_fi is not None
    assert not AppliedChange.objects.filter(field="municipality").exists()
    assert Enrolment.objects.count() == 60


def test_c24_a_group_that_is_gained_is_asked_of_everybody(start_vtj: Start) -> None:
    vtj = start_vtj(population=60)
    world.clients(vtj.codes(60))
    grants(vtj, *(set(Group) - {Group.HOME, Group.LANGUAGE}))
    run()
    assert not Person.objects.exclude(home_street_fi=None).exists()
    grants(vtj, *Group)
    before = len(vtj.requests)
    assert run() == ("COMPLETE", "")
    assert sum(len(body["hetulista"]) for body in asked(vtj, before)) == 60
    truth = {one["henkilotunnus"]: one for one in vtj.truth()}
    for code, street in PersonCode.objects.filter(current=True).values_list("hetu", "person__home_street_fi"):
        home = truth[code]["vakinainen_kotimainen_osoite"]
        assert street == (home["katunimi"]["fi"] if home else None)
    event = AuditEvent.objects.get(action="FOLLOW_PERMIT")
    assert event.count == 60


def test_c24_the_same_permit_asks_nobody_again(register: Handle) -> None:
    before = len(register.requests)
    DataPermit.objects.update(groups=sorted(EVERYTHING, reverse=True))
    run()
    assert asked(register, before) == []


def test_c24_a_question_by_a_new_permit_doubts_nothing_that_is_held(register: Handle) -> None:
    person = somebody(register)
    Person.objects.update(checked_at=world.database_now() - 40 * DAY)
    grants(register, *(set(Group) - {Group.DEATH}))
    register.faults("500")
    run()
    assert world.fresh(person).ask == "PERMIT"
    page = client.viewed(PROMPT, person.subject)
    assert page is not None
    assert page.place == Place.SHOWN


def test_c24_a_permit_without_bans_stores_no_location_group(start_vtj: Start) -> None:
    vtj = start_vtj(population=60)
    world.clients(vtj.codes(60))
    grants(vtj, *(set(Group) - {Group.BAN}))
    assert run() == ("COMPLETE", "")
    assert Person.objects.exclude(last_name=None).exists()
    moved = next(one["henkilotunnus"] for one in vtj.truth() if not one["kuollut"] and not one["turvakielto"])
    vtj.happen("moved_in_municipality", moved)
    assert run() == ("COMPLETE", "")
    held = [world.record_of(person).has_location for person in Person.objects.all()]
    assert not any(held)
    assert not AppliedChange.objects.filter(field__in=("home", "foreign", "municipality")).exists()


def test_c24_a_permit_that_loses_bans_shows_no_place_and_keeps_those_it_knew(register: Handle) -> None:
    person, banned = somebody(register), Person.objects.filter(protected=True).count()
    assert banned
    grants(register, *(set(Group) - {Group.BAN}))
    page = client.viewed(PROMPT, person.subject)
    assert page is not None
    assert (page.home, page.municipality, page.granted & LOCATION_GROUPS) == (None, "", frozenset())
    assert run() == ("COMPLETE", "")
    assert world.location_rows(person) == 0
    assert Person.objects.filter(protected=True).count() == banned


def test_c24_names_and_languages_too_are_shown_only_by_the_permit(register: Handle) -> None:
    person = somebody(register)
    grants(register, *(set(Group) - {Group.NAME, Group.LANGUAGE}))
    page = client.viewed(PROMPT, person.subject)
    assert page is not None
    assert (page.name, page.language) == ("", "")
    due_run(today() + DAY)
    row = world.fresh(person)
    assert (row.last_name, row.first_names, row.name_key, row.language_code) == (None, None, "", None)


# The brake, and a permit that is put right


def test_b18_what_is_held_back_is_asked_anew_when_the_set_up_follows_the_permit(register: Handle) -> None:
    register.grant(set(Group) - {Group.MUNICIPALITY})
    Person.objects.update(ask="VALUE")
    assert run() == ("INCOMPLETE", "BRAKE")
    grants(register, *(set(Group) - {Group.MUNICIPALITY}))
    assert run() == ("COMPLETE", "")
    assert not brake.waits()
    assert brake.count() == {}
    assert Person.objects.exclude(municipality_code=None).exists()
    assert not Person.objects.exclude(ask=None).exists()
