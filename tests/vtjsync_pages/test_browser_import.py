"""A list is brought into the register in a real browser (outside.md, Import file; domain.md H53)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from registry.models import Clientship, ImportJob, Service, User
from tests.factories import new_code
from tests.looks import CUT, FAINT, SIDEWAYS, SMALL, SPLIT, UNNAMED, sign_in
from tests.registry.services.lists import REQUIRED, START
from vtjsync import tasks

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    NewPage = Callable[..., Page]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("permit"),
]


def test_a_list_is_uploaded_looked_at_and_imported(
    live_server: LiveServer, new_page: NewPage, daniel: User, service_a: Service, tmp_path: Path
) -> None:
    file = tmp_path / "asiakkaat.csv"
    file.write_text(f"{REQUIRED}\n{new_code()};KOTI;{START}\n{new_code()};EI;{START}\n")
    page = new_page(width=360)
    sign_in(page, live_server.url, daniel)
    page.goto(live_server.url + reverse("imports"))
    page.get_by_label("Asiakasluettelo").set_input_files(file)
    page.get_by_role("button", name="Tarkista luettelo").click()
    expect(page.get_by_text("Odottaa vuoroaan")).to_be_visible()
    job = ImportJob.objects.get()
    assert tasks.import_step(job.pk) == "CHECKED"
    page.get_by_role("heading", name="Mitä luettelo muuttaisi").wait_for()
    expect(page.get_by_text("millään palvelulla ei ole tätä koodia")).to_be_visible()
    for script in (FAINT, SMALL, SPLIT, CUT, UNNAMED):
        assert page.evaluate(script) == []
    assert not page.evaluate(SIDEWAYS)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Lataa virheelliset rivit").click()
    assert '"3";"palvelu";' in Path(fetched.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Tuo luettelo rekisteriin").click()
    expect(page.get_by_text("Odottaa vuoroaan")).to_be_visible()
    # The step's own connection tells how far it is; when it has died, the page says so and offers to go on.
    ImportJob.objects.update(begun_at=timezone.now(), phase="READING", done=1)
    expect(page.get_by_text("Keskeytyi")).to_be_visible()
    page.get_by_role("button", name="Jatka").click()
    expect(page.get_by_text("Odottaa vuoroaan")).to_be_visible()
    assert tasks.import_step(job.pk) == "DONE"
    expect(page.get_by_text("Tuotu", exact=True)).to_be_visible()
    assert Clientship.objects.count() == 1
    job.refresh_from_db()
    assert (job.phase, job.begun_at is None) == ("WRITING", False)
    page.get_by_role("link", name="← Tuo luettelo").click()
    expect(page.locator("tbody .sign")).to_have_text("Tuotu")
    assert not page.evaluate(SIDEWAYS)
