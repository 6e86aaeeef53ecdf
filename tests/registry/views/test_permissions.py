"""Who gets which page (domain.md H52): every page that can be read, for everyone of the cast."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import Clientship, Person, Problem, Service, User
from tests.factories import ClientshipFactory, PersonFactory, pair
from vtjsync.models import SyncRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

CAST = ("aino", "bertta", "celia", "daniel", "eeva")
# What each of the cast gets, in that order.
PAGES = {
    "clients": (200, 403, 200, 200, 403),
    "client-deceased": (200, 403, 200, 200, 403),
    "client-add": (200, 403, 200, 200, 403),
    "client": (200, 403, 404, 200, 403),
    "clientship-end": (200, 403, 404, 200, 403),
    "problems": (200, 200, 200, 200, 403),
    "problem": (200, 403, 404, 200, 403),
    "pair": (403, 403, 403, 200, 403),
    "pair-merge": (403, 403, 403, 200, 403),
    "sync-history": (403, 200, 403, 403, 403),
    "sync-run": (403, 200, 403, 403, 403),
    "sync-run-progress": (403, 200, 403, 403, 403),
    "sync-connection": (403, 200, 403, 403, 403),
    "sync-connection-look": (403, 200, 403, 403, 403),
    "erasures": (403, 200, 403, 403, 403),
    "audit-log": (403, 403, 403, 403, 200),
}
# The same for what can only be done by POST; done well it leads on (302).
ACTS = {
    "client-search": (200, 403, 200, 200, 403),
    "client-code": (200, 403, 404, 200, 403),
    # Look-ups are off here: for whoever might, there is no such page.
    "client-look-up": (404, 403, 404, 404, 403),
    "clientship-take-back": (302, 403, 404, 302, 403),
    "problem-ask": (302, 403, 404, 302, 403),
    "problem-aside": (200, 403, 404, 200, 403),
    "problem-name": (302, 403, 404, 302, 403),
    "problem-right": (302, 403, 404, 302, 403),
    "problem-wrong": (302, 403, 404, 302, 403),
    "pair-merge": (403, 403, 403, 302, 403),
    "pair-report": (403, 403, 403, 200, 403),
    "sync-pause": (403, 302, 403, 403, 403),
    "sync-schedule": (403, 302, 403, 403, 403),
    "sync-now": (403, 302, 403, 403, 403),
    "sync-connection-now": (403, 302, 403, 403, 403),
    "sync-resume": (403, 302, 403, 403, 403),
    "sync-resume-look-ups": (403, 302, 403, 403, 403),
    "erasure-confirm": (403, 302, 403, 403, 403),
    "audit-log-inquiry": (403, 403, 403, 403, 200),
}


@pytest.fixture
def kept(service_a: Service) -> Clientship:
    return ClientshipFactory.create(service=service_a, person=PersonFactory.create(home=True))


def address(name: str, kept: Clientship) -> str:
    if name in ("client", "client-code"):
        return reverse(name, args=[kept.person.subject])
    if name.startswith("clientship-"):
        return reverse(name, args=[kept.pk])
    if name.startswith("problem-") or name == "problem":
        problem, _ = Problem.objects.get_or_create(person=kept.person, kind="NOT_FOUND")
        return reverse(name, args=[problem.pk])
    if name.startswith("pair"):
        problems = pair(kept.person, PersonFactory.create())
        return reverse(name, args=[problem.person.subject for problem in problems])
    if name.startswith("sync-run"):
        run, _ = SyncRun.objects.get_or_create(started_by="command", owner="h:1:1")
        return reverse(name, args=[run.pk])
    return reverse(name)


@pytest.fixture
def signed_in(request: pytest.FixtureRequest, client: Client) -> Client:
    client.force_login(request.getfixturevalue(request.param))
    return client


@pytest.mark.parametrize(
    ("signed_in", "name", "status"),
    [(who, name, row[place]) for name, row in PAGES.items() for place, who in enumerate(CAST)],
    indirect=["signed_in"],
)
def test_h52_who_may_read_which_page(signed_in: Client, name: str, status: int, kept: Clientship) -> None:
    assert signed_in.get(address(name, kept)).status_code == status


@pytest.mark.parametrize(
    ("signed_in", "name", "status"),
    [(who, name, row[place]) for name, row in ACTS.items() for place, who in enumerate(CAST)],
    indirect=["signed_in"],
)
def test_h52_who_may_do_what(signed_in: Client, name: str, status: int, kept: Clientship) -> None:
    assert signed_in.post(address(name, kept), {"q": "k", "minutes": 60}).status_code == status


@pytest.mark.parametrize(
    "name", [name for name in ACTS if name not in ("client-search", "client-code", "audit-log-inquiry")]
)
def test_nothing_is_done_by_following_a_link(client: Client, bertta: User, name: str, kept: Clientship) -> None:
    client.force_login(bertta)
    assert client.get(address(name, kept)).status_code in {403, 405}


def test_h52_a_stranger_and_nobody_are_the_same_answer(client: Client, celia: User, kept: Clientship) -> None:
    client.force_login(celia)
    stranger = client.get(reverse("client", args=[kept.person.subject]))
    nobody = client.get(reverse("client", args=["00000000-0000-4000-8000-000000000000"]))
    assert stranger.status_code == nobody.status_code == 404
    said = [
        re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", one.content.decode())
        for one in (stranger, nobody)
    ]
    assert said[0] == said[1]


def test_h52_celia_sees_nothing_of_unit_a(client: Client, celia: User, kept: Clientship) -> None:
    ClientshipFactory.create(person=kept.person, service__unit=celia.units.get(), service__name_fi="Kuntoutus")
    client.force_login(celia)
    page = client.get(reverse("client", args=[kept.person.subject])).content.decode()
    assert "Kuntoutus" in page
    assert kept.service.name_fi not in page
    assert kept.service.name_fi not in client.get(reverse("clients")).content.decode()


def test_a_superuser_without_a_role_sees_no_personal_data(client: Client, kept: Clientship) -> None:
    root = User.objects.create(username="root", is_superuser=True)
    client.force_login(root)
    assert client.get(reverse("clients")).status_code == 403
    assert client.get(reverse("start")).status_code == 200


@pytest.mark.parametrize(
    ("signed_in", "first"),
    [("aino", "clients"), ("bertta", "sync-history"), ("daniel", "clients"), ("eeva", "audit-log")],
    indirect=["signed_in"],
)
def test_each_role_begins_where_its_work_is(signed_in: Client, first: str) -> None:
    assert signed_in.get(reverse("start"))["Location"] == reverse(first)


def test_g49_no_address_of_a_page_holds_anything_of_a_person(client: Client, aino: User, kept: Clientship) -> None:
    client.force_login(aino)
    person = Person.objects.get(pk=kept.person_id)
    code = person.codes.get().hetu
    for name in ("clients", "client", "clientship-end"):
        page = client.get(address(name, kept)).content.decode()
        links = [part.split('"')[0] for part in page.replace('action="', 'href="').split('href="')[1:]]
        assert links
        for link in links:
            assert not any(word in link for word in (code, person.last_name or "?", person.home_street_fi or "?"))
