"""Looking a code up in a real browser, before a client is added (domain.md H53, H55)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from registry.models import Clientship, Service, User
from tests.looks import FAINT, SIDEWAYS, SMALL, UNNAMED, sign_in
from vtjsync.simulator.server import Handle

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    NewPage = Callable[..., Page]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("permit", "service_a"),
]


IN_SIGHT = """part => {
    const { top, bottom } = document.querySelector(part).getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""


@pytest.fixture
def opened(live_server: LiveServer, new_page: NewPage, aino: User) -> Callable[..., Page]:
    """The page where aino adds a client."""

    def page_of(*size: int, **options: object) -> Page:
        page = new_page(*size, **options)
        sign_in(page, live_server.url, aino)
        page.goto(live_server.url + reverse("client-add"))
        return page

    return page_of


def ask(page: Page, code: str) -> None:
    """Asks, in whatever language the page is."""
    page.locator("#id_hetu").fill(code)
    page.locator("#id_reason").select_option("APPLICATION")
    with page.expect_navigation():
        page.locator("button[formaction]").click()
    page.locator("#told").wait_for()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_code_is_looked_up_and_then_the_client_is_added(
    look_ups: Handle, opened: Callable[..., Page], service_a: Service, *, scripts: bool
) -> None:
    (truth,) = look_ups.truth(look_ups.codes(1))
    page = opened(360, 640, java_script_enabled=scripts)
    page.get_by_label("Oma viite").fill("PS-7")
    page.get_by_label("Henkilötunnus").fill(truth["henkilotunnus"])
    page.get_by_label("Miksi kysyt?").select_option(label="Uusi hakemus tai lähete")
    page.get_by_role("button", name="Kysy VTJ:stä").click()
    page.locator("#told").wait_for()
    expect(page.get_by_text(f"{truth['etunimet']} {truth['sukunimi']}")).to_be_visible()
    expect(page.get_by_text("Henkilötunnus on voimassa.")).to_be_visible()
    # The code and the answer are in sight, and with scripts the answer has the focus, so that it is read out.
    for part in ("#id_hetu", "#told"):
        page.wait_for_function(IN_SIGHT, arg=part)
    if scripts:
        expect(page.locator("#told")).to_be_focused()
    page.get_by_label("Palvelu", exact=True).select_option(label=service_a.name_fi)
    page.get_by_role("button", name="Lisää ja hae VTJ:stä").click()
    page.get_by_role("heading", name="Haetaan VTJ:stä").wait_for()
    assert Clientship.objects.get().reference == "PS-7"


def test_enter_adds_and_looks_nobody_up(look_ups: Handle, opened: Callable[..., Page]) -> None:
    page = opened()
    page.get_by_label("Henkilötunnus").fill(look_ups.codes(1)[0])
    page.get_by_label("Henkilötunnus").press("Enter")
    page.get_by_role("alert").wait_for()
    expect(page).to_have_url(re.compile(reverse("client-add") + "$"))
    expect(page.get_by_role("alert")).to_contain_text("Valitse palvelu")
    assert look_ups.requests == []


def test_the_keyboard_is_enough(look_ups: Handle, opened: Callable[..., Page]) -> None:
    (truth,) = look_ups.truth(look_ups.codes(1))
    page = opened()
    page.get_by_label("Henkilötunnus").focus()
    page.keyboard.type(truth["henkilotunnus"])
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#told").wait_for()
    expect(page.get_by_text(str(truth["sukunimi"]))).to_be_visible()
    expect(page.locator("#told")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("[name=service]")).to_be_focused()


@pytest.mark.parametrize("language", ["fi", *(pytest.param(one, marks=pytest.mark.long) for one in ("sv", "en"))])
@pytest.mark.parametrize(("width", "color_scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")])
def test_h53_every_answer_fits_can_be_read_and_pressed(
    look_ups: Handle, opened: Callable[..., Page], language: str, width: int, color_scheme: str
) -> None:
    former, dead = look_ups.happen("code_changed"), look_ups.happen("died")
    page = opened(width, color_scheme=color_scheme)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
    page.reload()
    wrong: dict[str, object] = {}

    def look(name: str) -> None:
        for check, script in (("sideways", SIDEWAYS), ("faint", FAINT), ("small", SMALL), ("unnamed", UNNAMED)):
            if found := page.evaluate(script):
                wrong[f"{name} {check}"] = found

    look("empty")
    for name, code in (("found", look_ups.codes(1)[0]), ("former", former), ("nothing", dead)):
        ask(page, code)
        look(name)
    look_ups.faults("half")
    ask(page, dead)
    look("no answer")
    page.locator("#id_hetu").fill("x")
    page.locator("#id_reason").select_option("")
    page.locator("button[formaction]").click()
    page.get_by_role("alert").wait_for()
    look("errors")
    assert wrong == {}
