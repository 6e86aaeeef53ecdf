"""The sign-in page in a real browser: light and dark, wide and narrow, and by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD, UserFactory
from tests.looks import FAINT, SIDEWAYS, SMALL

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

INK_IS_LIGHT = "() => getComputedStyle(document.body).color.match(/\\d+/)[0] > 127"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_sign_in_page_fits_and_can_be_read(
    live_server: LiveServer, new_page: Callable[..., Page], width: int, color_scheme: str
) -> None:
    page = new_page(width, color_scheme=color_scheme)
    page.goto(live_server.url + reverse("sign-in"))
    for _ in range(2):
        assert page.evaluate(INK_IS_LIGHT) == (color_scheme == "dark")
        assert not page.evaluate(SIDEWAYS)
        assert page.evaluate(FAINT) == []
        assert page.evaluate(SMALL) == []
        # The same page with its errors.
        page.get_by_label("Käyttäjätunnus").fill("matti")
        with page.expect_navigation():
            page.locator("main button").click()
        page.get_by_role("alert").wait_for()


def test_the_sign_in_page_is_read_at_four_times_the_size(
    live_server: LiveServer, new_page: Callable[..., Page]
) -> None:
    """Zoomed to 400 % a desktop window is 320 px wide (WCAG 1.4.10)."""
    page = new_page(320)
    page.goto(live_server.url + reverse("sign-in"))
    assert not page.evaluate(SIDEWAYS)


def test_the_keyboard_is_enough(live_server: LiveServer, new_page: Callable[..., Page]) -> None:
    user = UserFactory.create()
    page = new_page()
    page.goto(live_server.url + reverse("sign-in"))
    expect(page.get_by_label("Käyttäjätunnus")).to_be_focused()
    page.keyboard.type(user.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ei vielä oikeuksia").wait_for()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Siirry sisältöön")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.get_by_role("button", name="Kirjaudu ulos").press("Enter")
    page.get_by_role("heading", name="Kirjaudu sisään").wait_for()


def test_a_wrong_password_moves_the_reader_to_what_is_wrong(
    live_server: LiveServer, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(live_server.url + reverse("sign-in"))
    page.get_by_label("Käyttäjätunnus").fill("nobody")
    page.get_by_label("Salasana").fill("wrong")
    page.locator("main button").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Käyttäjätunnus tai salasana on väärin.")
    expect(alert).to_be_focused()
    expect(page.get_by_label("Käyttäjätunnus")).to_have_value("nobody")
    expect(page.get_by_label("Salasana")).to_have_value("")


def test_the_language_is_changed_where_one_is(live_server: LiveServer, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(live_server.url + reverse("sign-in"))
    page.get_by_role("button", name="Svenska").click()
    page.get_by_role("heading", name="Logga in").wait_for()
    expect(page).to_have_url(live_server.url + reverse("sign-in"))
