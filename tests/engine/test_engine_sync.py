"""A whole run against a VTJ on a socket: domain.md B8, B13, B15, B16, B19, A2, F44."""

from __future__ import annotations

from datetime import date

import pytest
from pytest_django import Settings

from registry.models import AuditEvent, Clientship, DataPermit, Person, PersonCode
from tests.engine import world
from tests.engine.conftest import Start
from vtjsync import selectors, tasks
from vtjsync.engine import changes
from vtjsync.engine.run import Run
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort, Enrolment, SyncControl, SyncRun
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)

FEW = 60


@pytest.fixture
def few_empty_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many pages in a row that tell nothing new are endless, instead of a thousand."""
    monkeypatch.setattr(changes, "MAX_EMPTY_PAGES", FEW)


@pytest.fixture
def register(vtj: Handle) -> Handle:
    """Sixty clients, loaded and in one cohort."""
    world.clients(vtj.codes(60))
    assert sync("test", wait=0).state == SyncRun.State.COMPLETE
    return vtj


def since(vtj: Handle, count: int) -> list[str]:
    return [path.split("/")[0] for path, _ in vtj.requests[count:]]


def test_a3_everyone_on_the_list_is_loaded_and_enrolled(register: Handle) -> None:
    row = SyncRun.objects.get()
    assert (row.received, row.not_found, row.persons_done, row.persons_total) == (60, 0, 60, 60)
    assert Person.objects.filter(status="CURRENT").count() == Enrolment.objects.count() == 60
    assert row.requests == len(register.requests)


def test_b9_the_cursor_is_asked_before_the_basic_data_and_the_changes_after_it(register: Handle) -> None:
    assert since(register, 0) == ["kirjausavain", "perustiedot", "muutokset"]


def test_c24_only_granted_groups_are_asked_for_by_name(vtj: Handle) -> None:
    world.clients(vtj.codes(2))
    DataPermit.objects.update(groups=["HENKILON_NIMI", "TURVAKIELTO"])
    sync("test", wait=0)
    (asked,) = [body for path, body in vtj.requests if path == "perustiedot"]
    assert asked["tietoryhmat"] == ["HENKILON_NIMI", "TURVAKIELTO"]


def test_b8_persons_are_divided_over_cohorts_with_a_cursor_each(vtj: Handle, settings: Settings) -> None:
    settings.VTJ_COHORT_SIZE = 25
    world.clients(vtj.codes(60))
    sync("test", wait=0)
    sizes = [Enrolment.objects.filter(cohort=one).count() for one in Cohort.objects.order_by("id")]
    assert sizes == [25, 25, 10]
    asked = [body for path, body in vtj.requests if path == "muutokset"]
    assert sorted(len(body["hetulista"]) for body in asked) == [10, 25, 25]


def test_b19_changes_go_before_basic_data(register: Handle) -> None:
    world.clients([world.new_code()])
    before = len(register.requests)
    sync("test", wait=0)
    assert since(register, before)[:2] == ["muutokset", "perustiedot"]


def test_b19_an_ask_is_answered_in_the_same_run(register: Handle) -> None:
    code = register.codes(1)[0]
    register.append(code, [{"tietoryhma": "KOTIKUNTA", "muutosattribuutti": "OUTO", "kuntakoodi": "091"}])
    row = sync("test", wait=0)
    assert (row.state, row.asked_again, row.received) == ("COMPLETE", 1, 1)
    assert not Person.objects.filter(ask__isnull=False).exists()


def test_b14_a_malformed_entry_in_a_good_page_stops_nobody(register: Handle) -> None:
    bad, good = register.codes(2)
    register.append(bad, [], raw={"tietoryhmat": "not a list"})
    register.append(good, [{"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": "se"}])
    row = sync("test", wait=0)
    assert (row.state, row.asked_again) == ("COMPLETE", 1)
    assert Person.objects.get(codes__hetu=good).language_code == "se"
    assert not Person.objects.get(codes__hetu=bad).location_hidden


def test_other_data_groups_are_counted_and_left_alone(register: Handle) -> None:
    """Any group beside the product's eight (domain.md, The eight data groups)."""
    code = register.codes(1)[0]
    said = {"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": "se"}
    stray = {"tietoryhma": "SUKUPUOLI", "muutosattribuutti": "OUTO", "sukupuolikoodi": "1"}
    register.append(code, [said, stray, stray])
    row = sync("test", wait=0)
    assert (row.state, row.applied, row.asked_again, row.other_groups) == ("COMPLETE", 1, 0, 2)


def test_a7_codes_of_the_other_kind_are_in_no_request(register: Handle, settings: Settings) -> None:
    """A register that was moved to an environment of the other kind: nobody's code goes over the line."""
    Person.objects.filter(codes__hetu=register.codes(1)[0]).update(ask="VALUE")
    world.clients([world.new_code()])
    before = len(register.requests)
    settings.HETU_ALLOW_TEST_CODES = False
    assert sync("test", wait=0).state == "COMPLETE"
    assert tasks.fetch(list(Person.objects.values_list("pk", flat=True))) == 0
    assert since(register, before) == []
    settings.HETU_ALLOW_TEST_CODES = True
    assert sync("test", wait=0).received == 1


def test_b13_pages_are_asked_until_up_to_date(start_vtj: Start) -> None:
    vtj = start_vtj(population=60, page=2, activity=15.0)
    world.clients(vtj.codes(60))
    sync("test", wait=0)
    vtj.advance(1)
    row = sync("test", wait=0)
    assert row.state == "COMPLETE"
    assert row.requests > 3
    assert Cohort.objects.get().up_to_date_as_of is not None


def test_b15_half_a_run_makes_the_register_no_fresher(register: Handle) -> None:
    whole = SyncRun.objects.get()
    assert selectors.up_to_date_as_of() == whole.started_at
    assert sync("test", wait=0, with_basic_data=False).state == "COMPLETE"
    assert sync("test", wait=0, with_changes=False).state == "COMPLETE"
    assert selectors.up_to_date_as_of() == whole.started_at


@pytest.mark.usefixtures("few_empty_pages")
@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        ("429", "INCOMPLETE", "UNAVAILABLE"),
        ("500", "INCOMPLETE", "UNAVAILABLE"),
        ("502html", "INCOMPLETE", "UNAVAILABLE"),
        ("reset", "INCOMPLETE", "UNAVAILABLE"),
        ("html200", "INCOMPLETE", "UNREADABLE"),
        ("empty", "INCOMPLETE", "UNREADABLE"),
        ("half", "INCOMPLETE", "UNREADABLE"),
        ("denied", "FAILED", "DENIED"),
        ("denied-old", "FAILED", "DENIED"),
        ("unauthorized", "FAILED", "DENIED"),
        ("stuck", "FAILED", "NO_PROGRESS"),
        ("endless", "FAILED", "ENDLESS"),
    ],
)
def test_b16_a_fault_ends_the_run_with_its_reason_and_the_next_goes_on(
    register: Handle, settings: Settings, fault: str, state: str, reason: str
) -> None:
    settings.VTJ_DEADLINE = 1.0
    code = register.codes(1)[0]
    register.append(code, [{"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": "se"}])
    register.faults(fault)
    row = sync("test", wait=0)
    assert (row.state, row.reason) == (state, reason)
    register.faults("none")
    SyncControl.objects.update(stopped_reason="")
    assert sync("test", wait=0).state == "COMPLETE"
    assert Person.objects.get(codes__hetu=code).language_code == "se"


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [("stuck=1", "FAILED", "NO_PROGRESS"), ("html200=1", "INCOMPLETE", "UNREADABLE")],
)
def test_b8_what_happens_to_one_cohort_keeps_no_ban_of_another_waiting(
    vtj: Handle, settings: Settings, fault: str, state: str, reason: str
) -> None:
    settings.VTJ_COHORT_SIZE = 30
    world.clients(vtj.codes(60))
    sync("test", wait=0)
    banned = PersonCode.objects.filter(person__enrolment__cohort=Cohort.objects.latest("pk")).earliest("person")
    vtj.happen("ban_started_alone", banned.hetu)
    vtj.append(vtj.codes(1)[0], [{"tietoryhma": "KOTIKUNTA", "muutosattribuutti": "OUTO", "kuntakoodi": "091"}])
    vtj.faults(fault)
    row = sync("test", wait=0)
    assert (row.state, row.reason, row.cohorts_done, row.cohorts_total) == (state, reason, 1, 2)
    assert Person.objects.get(pk=banned.person_id).protected


def test_b8_a_cohort_whose_answer_never_comes_keeps_no_ban_of_another_waiting(
    start_vtj: Start, settings: Settings
) -> None:
    vtj = start_vtj(slow_seconds=1.5)
    settings.VTJ_COHORT_SIZE = 30
    world.clients(vtj.codes(60))
    sync("test", wait=0)
    banned = PersonCode.objects.filter(person__enrolment__cohort=Cohort.objects.latest("pk")).earliest("person")
    vtj.happen("ban_started_alone", banned.hetu)
    settings.VTJ_DEADLINE = 0.5
    vtj.faults("slow=1")
    row = sync("test", wait=0)
    assert (row.state, row.reason, row.cohorts_done, row.cohorts_total) == ("INCOMPLETE", "UNAVAILABLE", 1, 2)
    assert Person.objects.get(pk=banned.person_id).protected


@pytest.mark.parametrize(("fault", "reason"), [("slow=1", "UNAVAILABLE"), ("html200=1", "UNREADABLE")])
def test_b11_a_batch_that_vtj_has_no_answer_to_keeps_nobody_else_waiting(
    start_vtj: Start, settings: Settings, fault: str, reason: str
) -> None:
    vtj = start_vtj(slow_seconds=1.5)
    world.clients(vtj.codes(60))
    sync("test", wait=0)
    Person.objects.update(ask="VALUE")
    settings.VTJ_DEADLINE, settings.VTJ_BASIC_DATA_BATCH = 0.5, 20
    vtj.faults(fault)
    row = sync("test", wait=0, with_changes=False)
    assert (row.state, row.reason, row.received) == ("INCOMPLETE", reason, 40)
    assert list(Person.objects.filter(ask="VALUE")) == list(Person.objects.order_by("pk")[:20])


@pytest.mark.usefixtures("few_empty_pages")
def test_b13_a_long_stretch_of_the_log_that_is_about_nobody_of_ours_is_not_endless(start_vtj: Start) -> None:
    vtj = start_vtj(page=1)
    world.clients(vtj.codes(1))
    sync("test", wait=0)
    for _ in range(FEW - 1):
        vtj.append(vtj.codes(2)[1], [{"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": "se"}])
    assert sync("test", wait=0).state == "COMPLETE"


@pytest.mark.parametrize("fault", ["429=1", "500=1", "reset=1", "502html=1"])
def test_b16_a_passing_fault_is_only_a_retry(register: Handle, fault: str) -> None:
    register.faults(fault)
    row = sync("test", wait=0)
    assert (row.state, row.retries) == ("COMPLETE", 1)


def test_b16_denied_stops_all_runs_until_somebody_lets_them_go_on(register: Handle) -> None:
    register.faults("denied=1")
    sync("test", wait=0)
    before = len(register.requests)
    row = sync("test", wait=0)
    assert (row.state, row.reason) == ("FAILED", "STOPPED")
    assert len(register.requests) == before
    assert "permit" in SyncControl.objects.get().stopped_reason


def test_a4_who_is_left_out_is_a_problem_and_the_run_is_complete(vtj: Handle) -> None:
    world.clients(vtj.codes(10))
    vtj.faults("leftout=1")
    row = sync("test", wait=0)
    assert (row.state, row.not_found, row.received) == ("COMPLETE", 1, 9)
    assert Person.objects.filter(status="NOT_FOUND").count() == 1


def test_a2_without_a_permit_nobody_is_asked(register: Handle) -> None:
    before = len(register.requests)
    DataPermit.objects.update(valid_to=date(2020, 12, 31))
    row = sync("test", wait=0)
    assert (row.state, row.reason) == ("FAILED", "NO_PERMIT")
    assert len(register.requests) == before


def test_a2_a_permit_that_ends_while_a_run_goes_on_ends_the_run(vtj: Handle, settings: Settings) -> None:
    settings.VTJ_BASIC_DATA_BATCH = 10
    world.clients(vtj.codes(40))

    def day_ends(run: Run) -> None:
        if run.counts["received"] >= 20:
            DataPermit.objects.update(valid_to=date(2020, 12, 31))

    row = sync("test", wait=0, watch=day_ends)
    assert (row.state, row.reason, row.received) == ("FAILED", "NO_PERMIT", 30)
    DataPermit.objects.update(valid_to=None)
    DataPermit.objects.update(groups=["HENKILON_NIMI", "TURVAKIELTO"])
    before = len(vtj.requests)
    sync("test", wait=0, watch=lambda _run: DataPermit.objects.update(groups=["HENKILON_NIMI"]))
    asked = [body["tietoryhmat"] for path, body in vtj.requests[before:] if path == "perustiedot"]
    assert {tuple(groups) for groups in asked} == {("HENKILON_NIMI",)}


def test_f44_after_the_end_the_code_is_in_no_request(register: Handle) -> None:
    code = register.codes(1)[0]
    Clientship.objects.filter(person__codes__hetu=code).update(end=date(2020, 2, 1))
    before = len(register.requests)
    sync("test", wait=0)
    bodies = [body for _, body in register.requests[before:]]
    assert bodies
    assert all(code not in body["hetulista"] for body in bodies)


def test_b9_who_comes_back_to_the_list_is_loaded_anew(register: Handle) -> None:
    code = register.codes(1)[0]
    clientship = Clientship.objects.filter(person__codes__hetu=code)
    clientship.update(end=date(2020, 2, 1))
    sync("test", wait=0)
    register.append(code, [{"tietoryhma": "AIDINKIELI", "muutosattribuutti": "LISATTY", "kielikoodi": "se"}])
    sync("test", wait=0)
    clientship.update(end=None)
    row = sync("test", wait=0)
    assert row.received == 1
    assert Enrolment.objects.filter(person__codes__hetu=code).exists()


def test_g46_every_request_leaves_an_event_before_it_is_sent(register: Handle) -> None:
    actions = list(AuditEvent.objects.order_by("id").values_list("action", "count"))
    assert actions == [("START_RUN", 0), ("ASK_BASIC_DATA", 60), ("ASK_CHANGES", 60), ("END_RUN", 60)]


def test_g49_no_code_is_in_a_run_or_its_events(register: Handle) -> None:
    told = str(list(AuditEvent.objects.values())) + str(list(SyncRun.objects.values()))
    assert not any(code in told for code in PersonCode.objects.values_list("hetu", flat=True))
