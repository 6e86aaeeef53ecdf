"""What waits for an administrator's word, and what every page tells of it (domain.md A2, B16-B19, E41, G50)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from registry.models import AuditEvent, User
from tests.factories import DataPermitFactory, PersonFactory
from vtjsync import tasks
from vtjsync.engine.budget import Priority, take
from vtjsync.engine.connection import database_now
from vtjsync.models import Brake, Cohort, Enrolment, RequestBudget, Silence, SyncControl, SyncRun

pytestmark = pytest.mark.django_db

PAGES = ["start", "sync-history", "sync-connection", "erasures"]


@pytest.fixture
def administrator(client: Client, bertta: User) -> Client:
    tasks.create_schedules()
    client.force_login(bertta)
    return client


@pytest.fixture
def other(aino: User) -> Client:
    other = Client()
    other.force_login(aino)
    return other


def told(client: Client, page: str = "sync-history") -> str:
    return client.get(reverse(page), follow=True).content.decode()


@pytest.fixture
def braked(db: None) -> Brake:
    """Three municipalities and one ban are held back."""
    run = SyncRun.objects.create(started_by="schedule", owner="h:1:1", state="INCOMPLETE", reason="BRAKE")
    persons = PersonFactory.create_batch(4)
    groups = [["KOTIKUNTA"], ["KOTIKUNTA"], ["KOTIKUNTA", "AIDINKIELI"], ["TURVAKIELTO"]]
    for person, names in zip(persons, groups, strict=True):
        Silence.objects.create(person=person, run=run, groups=names, state="HELD")
    made: Brake = Brake.objects.create(run=run)
    return made


# The brake


def test_b18_an_administrator_sees_kind_and_count_and_nobody(administrator: Client, braked: Brake) -> None:
    page = told(administrator)
    assert "Pidätetty: tiedot, jotka puuttuivat VTJ:n vastauksista, 4 asiakasta" in page
    for words, number in (("Poistuvat kotikunnat", 3), ("Poistuvat äidinkielet", 1), ("Päättyvät turvakiellot", 1)):
        assert f"<dt>{words}</dt><dd>{number}</dd>" in page
    assert "Poistuvat nimet" not in page
    assert not any(str(held.person.subject) in page for held in Silence.objects.select_related("person"))


def test_b18_it_says_so_when_the_permit_was_changed_shortly_before(administrator: Client, braked: Brake) -> None:
    permit = DataPermitFactory.create()
    type(permit).objects.update(changed_at=braked.opened_at - timedelta(days=20))
    assert "Asetusten tietolupaa muutettiin" not in told(administrator)
    type(permit).objects.update(groups=["HENKILON_NIMI", "TURVAKIELTO"])
    assert "Asetusten tietolupaa muutettiin" in told(administrator)


@pytest.mark.parametrize(
    ("address", "action", "state"),
    [("sync-brake-release", "RELEASE_BRAKE", {"ALLOWED"}), ("sync-brake-ask", "ASK_HELD_AGAIN", set())],
)
def test_b18_a_decision_is_logged_and_begins_a_run(
    administrator: Client, bertta: User, braked: Brake, *, address: str, action: str, state: set[str]
) -> None:
    assert reverse(address) in told(administrator)
    assert administrator.post(reverse(address))["Location"] == reverse("sync-starting", args=[braked.run_id])
    braked.refresh_from_db()
    assert braked.decided_by == bertta
    event = AuditEvent.objects.get(action=action)
    assert (event.user_id, event.count) == (bertta.pk, 4)
    assert set(Silence.objects.values_list("state", flat=True)) == state
    assert OrmQ.objects.count() == 1
    assert "Pidätetty" not in told(administrator)


@pytest.mark.parametrize("page", PAGES)
def test_b18_every_page_of_an_administrator_tells_of_it(administrator: Client, braked: Brake, page: str) -> None:
    assert "Päivitys pidätti tietoja, jotka puuttuivat VTJ:n vastauksista" in told(administrator, page)


def test_b18_others_neither_see_nor_decide(other: Client, braked: Brake) -> None:
    assert "pidätti" not in told(other, "start")
    for address in ("sync-brake-release", "sync-brake-ask"):
        assert other.post(reverse(address)).status_code == 403
    braked.refresh_from_db()
    assert braked.decision == ""


# Refused cursors


@pytest.fixture
def refused(db: None) -> Cohort:
    cohort: Cohort = Cohort.objects.create(
        cursor=7, cursor_at=database_now(), refused_at=database_now(), refused_status=410, refused_type="Vanhentunut"
    )
    Enrolment.objects.create(person=PersonFactory.create(), cohort=cohort)
    return cohort


def test_b17_an_administrator_sees_and_resets_a_refused_cursor(administrator: Client, refused: Cohort) -> None:
    address = reverse("sync-cursor-reset", args=[refused.pk])
    page = told(administrator)
    assert "410 Vanhentunut" in page
    assert address in page
    administrator.post(address)
    refused.refresh_from_db()
    assert refused.reset_asked
    assert AuditEvent.objects.get(action="ASK_RESET").details == {"cohort": refused.pk}
    assert OrmQ.objects.count() == 1
    page = told(administrator)
    assert address not in page
    assert "Seuraava päivitys nollaa" in page


@pytest.mark.parametrize("page", PAGES)
def test_b17_every_page_of_an_administrator_tells_of_it(administrator: Client, refused: Cohort, page: str) -> None:
    assert "VTJ hylkää kirjausavaimen" in told(administrator, page)


def test_b17_others_do_not_reset(other: Client, refused: Cohort) -> None:
    assert other.post(reverse("sync-cursor-reset", args=[refused.pk])).status_code == 403
    assert "VTJ hylkää" not in told(other, "start")


# A stop


@pytest.mark.parametrize("page", PAGES)
def test_b16_every_page_of_an_administrator_tells_what_to_do_about_a_stop(administrator: Client, page: str) -> None:
    reason = (
        "VTJ does not accept the user name and password. Check VTJ_USERNAME, VTJ_PASSWORD and VTJ_AUTH_HEADER;"
        " too many attempts can lock the account."
    )
    SyncControl.objects.create(stopped_reason=reason, stopped_at=timezone.now())
    text = told(administrator, page)
    assert "VTJ_PASSWORD" in text
    assert "does not accept" not in text
    assert reverse("sync-resume") in text


# The budget


def test_b19_the_gauge_tells_what_is_used_and_who_waits(administrator: Client, settings: Settings) -> None:
    settings.VTJ_RATE_LIMIT = 60
    minute = database_now().replace(second=0, microsecond=0)
    RequestBudget.objects.create(pk=Priority.CHANGES, minute=minute, used=2)
    RequestBudget.objects.create(pk=Priority.FIRST_LOAD, minute=minute, used=58)
    assert not take(Priority.RECONCILIATION)
    page = told(administrator)
    if database_now().minute == minute.minute:
        assert "60 / 60" in page
        assert 'value="60" max="60"' in page
    assert "odottaa vuoroaan" in page.split("<dt>Vertailu</dt>")[1][:80]
    assert "odottaa vuoroaan" not in page.split("<dt>Muutokset</dt>")[1][:80]


def test_b19_last_minutes_requests_are_no_longer_used(administrator: Client, settings: Settings) -> None:
    settings.VTJ_RATE_LIMIT = 60
    before = database_now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    RequestBudget.objects.create(pk=Priority.CHANGES, minute=before, used=60)
    assert "0 / 60" in told(administrator)


def test_b19_without_a_limit_it_says_so(administrator: Client) -> None:
    assert "Rajaa ei ole asetettu" in told(administrator)


def test_b16_a_429_is_told(administrator: Client) -> None:
    SyncControl.objects.create(quota_until=database_now() + timedelta(seconds=40))
    assert "VTJ on pyytänyt odottamaan" in told(administrator, "sync-budget")


def test_the_budget_is_for_administrators(other: Client) -> None:
    assert other.get(reverse("sync-budget")).status_code == 403


# The pause


@pytest.mark.parametrize("page", PAGES)
def test_e41_a_pause_is_ended_by_hand_from_any_page(administrator: Client, page: str) -> None:
    administrator.post(reverse("sync-pause"))
    assert reverse("sync-pause-end") in told(administrator, page)
    assert tasks.sync() == "PAUSED"
    administrator.post(reverse("sync-pause-end"))
    assert tasks.paused_until() is None
    assert reverse("sync-pause-end") not in told(administrator, page)
    outcomes = AuditEvent.objects.filter(action="CHANGE_SCHEDULE").order_by("id").values_list("outcome", flat=True)
    assert list(outcomes) == ["paused", "resumed"]


def test_e41_others_see_the_pause_and_do_not_end_it(administrator: Client, other: Client) -> None:
    administrator.post(reverse("sync-pause"))
    page = told(other, "start")
    assert "VTJ-päivitys on tauolla" in page
    assert reverse("sync-pause-end") not in page
    assert other.post(reverse("sync-pause-end")).status_code == 403
    assert tasks.paused_until() is not None


# The permit


@pytest.mark.parametrize(
    ("days", "tone"),
    [(90, 'class="notice "'), (31, 'class="notice "'), (30, "warn"), (8, "warn"), (7, "bad"), (1, "bad")],
)
def test_a2_the_warnings_grow_graver(administrator: Client, days: int, tone: str) -> None:
    DataPermitFactory.create(valid_to=timezone.localdate() + timedelta(days=days - 1))
    page = told(administrator, "erasures")
    notice = page.split("<strong>Tietolupa päättyy")[0][-60:]
    assert tone in notice


# Reconciliations


def test_g50_a_reconciliation_is_in_the_history_with_its_kind_and_tells_the_drift(administrator: Client) -> None:
    SyncRun.objects.create(started_by="schedule", owner="h:1:1", state="COMPLETE")
    run = SyncRun.objects.create(
        kind="RECONCILIATION", started_by="schedule", owner="h:1:1", state="COMPLETE", drift={"home": 2, "last_name": 1}
    )
    page = told(administrator)
    assert page.count(">Vertailu</span></th>") == 1
    assert page.count(">Päivitys</span></th>") == 1
    page = administrator.get(reverse("sync-run", args=[run.pk])).content.decode()
    assert "Vakinainen osoite: 2" in page
    assert "Sukunimi: 1" in page
    assert "Muutosilmoituksia" not in page
    SyncRun.objects.filter(pk=run.pk).update(drift={})
    page = administrator.get(reverse("sync-run", args=[run.pk])).content.decode()
    assert "Ei yhtään" in page


def test_g50_a_reconciliation_under_way_is_no_sync_under_way(administrator: Client) -> None:
    run = SyncRun.objects.create(kind="RECONCILIATION", started_by="schedule", owner="h:1:1")
    assert reverse("sync-now") in told(administrator)
    assert administrator.post(reverse("sync-now"))["Location"] == reverse("sync-starting", args=[0])
    part = administrator.get(reverse("sync-run-progress", args=[run.pk])).content.decode()
    assert "cohorts-done" not in part
    assert "persons-done" in part
