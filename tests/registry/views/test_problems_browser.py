"""What needs attention, in a real browser, with and without scripts (domain.md D30, H53)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from registry.models import Clientship, Person, Problem, Service, User
from tests.factories import ClientshipFactory, PersonFactory, ProblemFactory, pair
from tests.looks import sign_in

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    NewPage = Callable[..., Page]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("permit"),
]

either_way = pytest.mark.parametrize("scripts", [True, False])


def client(service: Service, last_name: str) -> Person:
    person = PersonFactory.create(last_name=last_name, first_names="Aino", home=True)
    ClientshipFactory.create(person=person, service=service)
    return person


@either_way
def test_d30_from_the_navigation_to_one_entry_of_two(
    live_server: LiveServer, new_page: NewPage, daniel: User, service_a: Service, *, scripts: bool
) -> None:
    stays, goes = client(service_a, "Virtanen"), client(service_a, "Korhonen")
    pair(stays, goes)
    page = new_page(java_script_enabled=scripts)
    sign_in(page, live_server.url, daniel)
    page.goto(live_server.url)
    page.get_by_role("link", name="Selvitettävät 2").click()
    page.get_by_role("row", name="Korhonen").get_by_role("link", name="Sama henkilö").click()
    page.get_by_role("link", name="Katso molempia rinnakkain").click()
    page.get_by_role("heading", name="Saman henkilön kaksi merkintää").wait_for()
    assert page.get_by_role("row", name="Sukunimi").inner_text().split("\t")[1:] == ["Virtanen", "Korhonen"]
    page.get_by_role("link", name="Katso, mitä yhdistäminen tekee").click()
    page.get_by_role("button", name="Yhdistä merkinnät").click()
    page.get_by_role("status").wait_for()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aino Virtanen")
    expect(page.get_by_text("Osoite ja kotikunta tarkistetaan VTJ:stä")).to_be_visible()
    assert Person.objects.get() == stays
    assert Clientship.objects.count() == 1
    expect(page.get_by_role("link", name="Selvitettävät", exact=True)).to_be_visible()


@either_way
def test_outside_a_name_in_doubt_is_decided(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service, *, scripts: bool
) -> None:
    doubted = client(service_a, "Toisenimi")
    ProblemFactory.create(person=doubted, kind="NAME_MISMATCH")
    page = new_page(java_script_enabled=scripts)
    sign_in(page, live_server.url, aino)
    page.goto(live_server.url)
    page.get_by_role("link", name="Selvitettävät 1").click()
    page.locator("td").get_by_role("link").click()
    expect(page.get_by_text("Toisenimi")).to_have_count(0)
    page.get_by_role("button", name="Näytä VTJ:n antama nimi").click()
    page.get_by_text("Aino Toisenimi").wait_for()
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Ei, hän on joku toinen").click()
    page.get_by_role("heading", name="Ei oikea henkilö: mitä poistuu").wait_for()
    page.get_by_role("button", name="Henkilö ei ole oikea").click()
    page.get_by_role("status").wait_for()
    assert not Person.objects.exists()


@either_way
def test_a4_a_problem_is_set_aside_with_a_note(
    live_server: LiveServer, new_page: NewPage, aino: User, service_a: Service, *, scripts: bool
) -> None:
    ProblemFactory.create(person=client(service_a, "Kadonnut"))
    page = new_page(java_script_enabled=scripts)
    sign_in(page, live_server.url, aino)
    page.goto(live_server.url)
    page.get_by_role("link", name="Selvitettävät 1").click()
    page.locator("td").get_by_role("link").click()
    page.get_by_label("Mitä tehtiin").fill("Soitettu asiakkaalle.")
    page.get_by_role("button", name="Siirrä sivuun merkinnällä").click()
    page.get_by_role("status").wait_for()
    expect(page.get_by_text("Ei selvitettävää")).to_be_visible()
    page.get_by_role("link", name="Sivuun siirretyt (1)").click()
    page.locator("td").get_by_role("link").click()
    expect(page.get_by_text("Soitettu asiakkaalle.").first).to_be_visible()
    assert Problem.objects.get().handled_by == aino
