"""What all tests share: a database that can be emptied, the cast, and a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import translation
from pytest_django import Settings

from tests import chromium
from vtjsync import logs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django import DjangoDbBlocker

pytest_plugins = ["tests.cast"]

NO_BROWSER = "no Chromium: set CHROMIUM_PATH, or install chromium"
# On a busy machine a page may take seconds. Nothing of a page is read at once: ``expect`` looks until it is so.
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The tests' database. Between tests it is emptied, which triggers against truncation refuse."""
    from tests import emptying, evidence

    with django_db_blocker.unblock():
        evidence.few_months()
        evidence.allow_truncate()
        call_command("pgtrigger", "disable", "registry.ErasureReceipt:no_truncate", verbosity=0)
        emptying.install()
        connection.close()


@pytest.fixture(autouse=True)
def ledger(settings: Settings, tmp_path: Path) -> Path:
    """The ledger of erasures of the test: with that of another one its database would be taken for a backup."""
    settings.ERASURE_LEDGER = tmp_path / "ledger" / "erasure.jsonl"
    return settings.ERASURE_LEDGER


@pytest.fixture(autouse=True)
def _finnish() -> Iterator[None]:
    """Every test begins in the application's own language."""
    with translation.override("fi"):
        yield


@pytest.fixture(autouse=True)
def _no_code_in_the_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test makes the program log an identity code: the filter that would remove it had nothing to do (G49)."""
    before = logs.removals.total
    yield
    if request.node.get_closest_marker("plants_code") is None:
        assert logs.removals.total == before, "an identity code was about to be logged"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium. Skips where there is none; with REQUIRE_BROWSER=1 that is a failure."""
    path = chromium.path()
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    # Playwright's loop lives in this thread, which makes Django think that it is called from a coroutine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield chrome
        chrome.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """``new_page(width=1280, color_scheme="light", java_script_enabled=True)``: a page of a browser of its own, in
    Finnish. Fails the test if the page's console reports an error, such as a refusal by the content security policy."""
    contexts = []
    errors: list[str] = []

    def make(width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="fi-FI", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not [error for error in errors if "status of 4" not in error]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says loudly that the pages were not tried."""
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        terminalreporter.section("THE BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(skipped)} tests of pages were skipped: {NO_BROWSER}.")
