"""The main paths in a real browser (domain.md F42, G49, H53, H55)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from registry.models import Clientship, ContactAddress, Person, Service, User
from tests.factories import (
    PASSWORD,
    AppliedChangeFactory,
    ClientshipFactory,
    PersonFactory,
    ProblemFactory,
    UserFactory,
    opened,
    pair,
)
from tests.looks import CUT, FAINT, SIDEWAYS, SMALL, SPLIT, UNNAMED, sign_in
from tests.vtjsync_pages.extracts import extract_pages
from vtjsync import tasks
from vtjsync.engine.budget import Priority
from vtjsync.models import Brake, Cohort, RequestBudget, Silence, SyncRun
from vtjsync.simulator.server import Handle

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    NewPage = Callable[..., Page]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("permit"),
]


def client(service: Service, last_name: str, first_names: str = "Aino", **more: object) -> Clientship:
    person = PersonFactory.create(last_name=last_name, first_names=first_names, **({"home": True} | more))
    return ClientshipFactory.create(person=person, service=service, reference="PS-1")


def test_from_sign_in_to_a_client_by_the_keyboard_alone(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service
) -> None:
    client(service_a, "Virtanen")
    client(service_a, "Öhman-Äyräs", "Åke")
    page = new_page()
    page.goto(live_server.url)
    expect(page.get_by_label("Käyttäjätunnus")).to_be_focused()
    page.keyboard.type(aino.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Asiakkaat").wait_for()
    expect(page.locator("tbody th")).to_have_text(["Virtanen, Aino", "Öhman-Äyräs, Åke"])
    for words in ("äyr", "öh åk"):
        page.get_by_label("Nimi tai henkilötunnus").focus()
        page.keyboard.press("Control+A")
        page.keyboard.type(words)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("tbody th")).to_have_text(["Öhman-Äyräs, Åke"])
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Öhman-Äyräs, Åke":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Åke Öhman-Äyräs").wait_for()
    expect(page.get_by_text("Mikkolantie 30 F 28")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_h55_a_client_is_added_and_vtj_tells_the_name(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service, vtj: Handle, *, scripts: bool
) -> None:
    (truth,) = vtj.truth([next(code for code in vtj.codes() if not vtj.truth([code])[0]["turvakielto"])])
    page = new_page(java_script_enabled=scripts)
    sign_in(page, live_server.url, aino)
    page.goto(live_server.url + reverse("client-add"))
    page.get_by_label("Henkilötunnus").fill(truth["henkilotunnus"])
    page.get_by_label("Palvelu", exact=True).select_option(label=service_a.name_fi)
    page.locator("main button").click()
    page.get_by_role("heading", name="Haetaan VTJ:stä").wait_for()
    tasks.fetch(list(Person.objects.values_list("pk", flat=True)))
    page.get_by_role("heading", name="Onko tämä oikea henkilö?").wait_for()
    expect(page.get_by_text(f"{truth['etunimet']} {truth['sukunimi']}")).to_be_visible()
    page.get_by_role("button", name="Ei").click()
    page.get_by_role("status").wait_for()
    assert not Person.objects.exists()


def test_f42_a_clientship_is_ended_after_seeing_what_goes(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service
) -> None:
    kept = client(service_a, "Virtanen")
    page = new_page()
    sign_in(page, live_server.url, aino)
    page.goto(live_server.url + reverse("client", args=[kept.person.subject]))
    page.get_by_role("link", name="Päätä asiakkuus").click()
    page.get_by_label("Viimeinen päivä").fill("31.12.2030")
    page.get_by_label("Syy").select_option(label="Asiakas on muuttanut pois")
    page.locator("main button").click()
    preview = page.get_by_role("heading", name="Poistetaan 1.1.2031")
    preview.wait_for()
    expect(page.locator("main")).to_contain_text("omaa viitettäsi")
    page.get_by_role("button", name="Päätä asiakkuus").click()
    page.get_by_role("status").wait_for()
    kept.refresh_from_db()
    assert str(kept.end) == "2030-12-31"
    with page.expect_navigation():
        page.get_by_role("button", name="Peru päättäminen").click()
    kept.refresh_from_db()
    assert kept.end is None


def test_the_page_of_a_run_moves_by_itself(live_server: LiveServer, new_page: NewPage, bertta: User) -> None:
    run = SyncRun.objects.create(started_by="command", owner="h:1:1", cohorts_total=4, cohorts_done=1)
    page = new_page()
    sign_in(page, live_server.url, bertta)
    page.goto(live_server.url + reverse("sync-run", args=[run.pk]))
    expect(page.get_by_text("Käynnissä")).to_be_visible()
    SyncRun.objects.update(cohorts_done=3)
    page.locator('progress[value="3"]').wait_for()
    SyncRun.objects.update(state="COMPLETE", ended_at=timezone.now())
    page.get_by_text("Valmis").wait_for()
    expect(page.locator("progress")).to_have_count(0)


def test_h54_paper_has_no_code_and_no_navigation(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service
) -> None:
    kept = client(service_a, "Virtanen")
    page = new_page()
    sign_in(page, live_server.url, aino)
    page.goto(live_server.url + reverse("client", args=[kept.person.subject]))
    with page.expect_navigation():
        page.get_by_role("button", name="Näytä").click()
    code = kept.person.codes.get().hetu
    expect(page.get_by_text(code)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Piilota")).to_be_focused()
    page.emulate_media(media="print")
    expect(page.get_by_text(code)).not_to_be_visible()
    expect(page.get_by_role("navigation").first).not_to_be_visible()
    expect(page.get_by_text("Mikkolantie 30 F 28")).to_be_visible()


def test_e41_what_was_not_confirmed_lately_is_left_out_on_paper(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service
) -> None:
    kept = client(service_a, "Virtanen", checked_at=timezone.now() - timedelta(hours=30))
    AppliedChangeFactory.create(person=kept.person, field="municipality", old_value="049", new_value="837")
    page = new_page()
    sign_in(page, live_server.url, aino)
    page.goto(live_server.url + reverse("client", args=[kept.person.subject]))
    for place in ("Mikkolantie", "Helsinki", "Tampere"):
        expect(page.get_by_text(place).first).to_be_visible()
    left_out = page.get_by_text("Jätetty pois tulosteesta")
    expect(left_out).not_to_be_visible()
    page.emulate_media(media="print")
    expect(left_out).to_be_visible()
    for place in ("Mikkolantie", "Helsinki", "Tampere"):
        expect(page.get_by_text(place).first).not_to_be_visible()
    expect(page.get_by_text("Virtanen").first).to_be_visible()
    page.goto(live_server.url + reverse("clients"))
    expect(page.get_by_text("Helsinki")).not_to_be_visible()
    page.emulate_media(media="screen")
    expect(page.get_by_text("Helsinki")).to_be_visible()


def test_e41_it_is_on_paper_for_a_reason(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service
) -> None:
    kept = client(service_a, "Virtanen", checked_at=timezone.now() - timedelta(hours=30))
    page = new_page()
    sign_in(page, live_server.url, aino)
    page.goto(live_server.url + reverse("client", args=[kept.person.subject]))
    page.get_by_role("button", name="Näytä myös tulosteessa").click()
    page.get_by_text("Ne tulevat myös paperille").wait_for()
    page.emulate_media(media="print")
    expect(page.get_by_text("Mikkolantie").first).to_be_visible()


@pytest.fixture
def pages(service_a: Service, aino: User, bertta: User, daniel: User, eeva: User) -> list[tuple[User, str]]:
    """Every page as somebody sees it, with long names and every state."""
    service_a.name_fi = "Ympärivuorokautinen palveluasuminen"
    service_a.save()
    long = client(service_a, "Väyrynen-Korpijärvinen", "Kustaanheimonen Maximilian Alexander")
    AppliedChangeFactory.create(person=long.person, field="municipality", old_value="049", new_value="091")
    ended = ClientshipFactory.create(
        person=long.person, service__unit=service_a.unit, end=timezone.localdate() - timedelta(days=1)
    )
    banned = client(service_a, "Suojattu", home=False, protected=True)
    opened(daniel, banned.person)
    handover = ProblemFactory.create(person=banned.person, kind="HANDOVER", unit=service_a.unit)
    contacted = client(service_a, "Tavoitettava", home=False, protected=True)
    opened(daniel, contacted.person)
    told = {"care_of": "Äyräs", "lines": "PL 17", "postal_code": "00101", "town": "Mallila", "phone": "040 1"}
    ContactAddress.objects.create(person=contacted.person, confirmed_not_home=True, entered_by=daniel, **told)
    unopened = client(service_a, "Avaamaton", home=False, protected=True)
    supervisor = UserFactory.create(username="fanni", roles=["supervisor"], units=[service_a.unit])
    lost = ProblemFactory.create(person=client(service_a, "Kadonnut", status="NOT_FOUND").person)
    doubted = ProblemFactory.create(person=client(service_a, "Toinen").person, kind="NAME_MISMATCH")
    twins = [client(service_a, name).person for name in ("Väyrynen-Korpijärvinen", "Öhman-Äyräs")]
    pair(*twins)
    beside = [one.subject for one in twins]
    old = client(service_a, "Vanha", checked_at=timezone.now() - timedelta(hours=30))
    run = SyncRun.objects.create(started_by="command", owner="h:1:1", persons_total=100_000, persons_done=5)
    SyncRun.objects.create(
        state="FAILED", reason="DENIED", started_by="schedule", owner="h:1:1", ended_at=run.started_at
    )
    held = SyncRun.objects.create(
        kind="RECONCILIATION",
        state="INCOMPLETE",
        reason="BRAKE",
        started_by="schedule",
        owner="h:1:1",
        drift={"home": 2},
    )
    Brake.objects.create(run=held)
    Silence.objects.create(person=long.person, run=held, groups=["KOTIKUNTA", "TURVAKIELTO"], state="HELD")
    Cohort.objects.create(cursor=1, cursor_at=run.started_at, refused_at=run.started_at, refused_status=400)
    RequestBudget.objects.create(pk=Priority.RECONCILIATION, waiting_at=timezone.now() + timedelta(hours=1))
    tasks.create_schedules()
    return [
        (daniel, reverse("clients")),
        (daniel, reverse("client-deceased")),
        (daniel, reverse("client", args=[long.person.subject])),
        (daniel, reverse("client", args=[banned.person.subject])),
        (aino, reverse("client", args=[banned.person.subject])),
        (daniel, reverse("client", args=[old.person.subject])),
        (daniel, reverse("client", args=[contacted.person.subject])),
        (daniel, reverse("client-open", args=[unopened.person.subject])),
        (daniel, reverse("contact-address", args=[contacted.person.subject])),
        (daniel, reverse("problem", args=[handover.pk])),
        (supervisor, reverse("openings")),
        (daniel, reverse("client-add")),
        (daniel, reverse("clientship-end", args=[ended.pk])),
        (daniel, reverse("problems")),
        (daniel, reverse("problems") + "?kind=NOT_FOUND"),
        (bertta, reverse("problems")),
        (daniel, reverse("problem", args=[lost.pk])),
        (daniel, reverse("problem", args=[doubted.pk])),
        (daniel, reverse("pair", args=beside)),
        (daniel, reverse("pair-merge", args=beside)),
        (bertta, reverse("sync-history")),
        (bertta, reverse("sync-run", args=[run.pk])),
        (bertta, reverse("sync-run", args=[held.pk])),
        (bertta, reverse("erasures")),
        (bertta, reverse("clients")),
        (eeva, reverse("audit-log")),
        *extract_pages(eeva, daniel, long.person, banned.person),
        (daniel, reverse("account")),
        (daniel, reverse("password")),
        (daniel, reverse("sign-in-again")),
        (bertta, reverse("sessions")),
        (eeva, "/nowhere/"),
    ]


def look(page: Page, live_server: LiveServer, pages: list[tuple[User, str]]) -> dict[str, object]:
    """What is wrong with the looks of the pages."""
    wrong: dict[str, object] = {}
    for user, address in pages:
        sign_in(page, live_server.url, user)
        page.goto(live_server.url + address)
        found = {name: page.evaluate(script) for name, script in CHECKS.items()}
        wrong |= {f"{address} {name}": value for name, value in found.items() if value}
    return wrong


CHECKS = {"sideways": SIDEWAYS, "cut": CUT, "faint": FAINT, "small": SMALL, "split": SPLIT, "unnamed": UNNAMED}


@pytest.mark.parametrize(("width", "color_scheme"), [(1280, "light"), (360, "dark")])
def test_h53_every_page_fits_can_be_read_and_pressed(
    live_server: LiveServer, new_page: NewPage, pages: list[tuple[User, str]], width: int, color_scheme: str
) -> None:
    assert look(new_page(width, color_scheme=color_scheme), live_server, pages) == {}


def test_h53_every_page_fits_on_paper_and_can_be_read_there(
    live_server: LiveServer, new_page: NewPage, pages: list[tuple[User, str]]
) -> None:
    """A sheet of A4 with its margins is 673 px wide; who works in the dark prints on white all the same."""
    page = new_page(673, color_scheme="dark")
    page.emulate_media(media="print")
    wrong = look(page, live_server, pages)
    assert {what: value for what, value in wrong.items() if what.endswith(("faint", "sideways"))} == {}


@pytest.mark.long
@pytest.mark.parametrize("width", [320, 768, 1920])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_h53_every_page_in_every_language_and_theme(
    live_server: LiveServer,
    new_page: NewPage,
    pages: list[tuple[User, str]],
    *,
    width: int,
    color_scheme: str,
    language: str,
) -> None:
    page = new_page(width, color_scheme=color_scheme)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    assert look(page, live_server, pages) == {}
