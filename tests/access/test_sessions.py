"""A right that is taken away is gone with the next click, in every session (domain.md H52)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db.models import F
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from registry.models import AuditEvent, Session, User
from registry.services import sessions
from tests.access.conftest import Things
from tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


def dismissed(user: User) -> None:
    user.is_active = False
    user.save()


def another_password(user: User) -> None:
    user.set_password("another-password")
    user.save()


LOST: dict[str, tuple[Callable[[User], None], int]] = {
    "the account": (dismissed, 302),
    "the password": (another_password, 302),
    "the role": (lambda user: user.groups.clear(), 302),
    "the unit": (lambda user: user.units.clear(), 404),
}


@pytest.mark.parametrize("what", LOST)
def test_h52_what_is_taken_away_is_gone_at_once(client: Client, aino: User, things: Things, what: str) -> None:
    lose, status = LOST[what]
    client.force_login(aino)
    page = things.address("client", "A")
    assert client.get(page).status_code == 200
    lose(aino)
    before = AuditEvent.objects.filter(action="VIEW").count()
    answer = client.get(page)
    assert answer.status_code == status
    assert b"Kolehmainen" not in answer.content
    assert AuditEvent.objects.filter(action="VIEW").count() == before
    if status == 302:
        assert answer["Location"].startswith(reverse("sign-in"))


@pytest.mark.parametrize("what", ["the account", "the role"])
def test_h52_its_sessions_end_for_good(client: Client, aino: User, what: str) -> None:
    """Not only until the account is in use again; those of others go on."""
    client.force_login(aino)
    other = Client()
    other.force_login(UserFactory.create())
    LOST[what][0](aino)
    User.objects.update(is_active=True)
    assert client.get(reverse("account")).status_code == 302
    assert other.get(reverse("account")).status_code == 200


def aged(client: Client, **fields: timedelta) -> None:
    """The session of the client as if so much time had gone by since."""
    rows = Session.objects.filter(pk=client.session.session_key)
    rows.update(**{name: F(name) - time for name, time in fields.items()})


def test_an_idle_session_ends_on_the_server_and_leads_back(client: Client, aino: User) -> None:
    client.force_login(aino)
    aged(client, last_seen=settings.SESSION_IDLE - timedelta(minutes=1))
    assert client.get(reverse("clients")).status_code == 200
    aged(client, last_seen=settings.SESSION_IDLE - timedelta(minutes=1))
    assert client.get(reverse("clients")).status_code == 200, "using it keeps it alive"
    aged(client, last_seen=settings.SESSION_IDLE)
    answer = client.get(reverse("clients") + "?page=2")
    assert answer["Location"] == f"{reverse('sign-in')}?next=/clients/%3Fpage%3D2"
    assert "Rekisteriä ei käytetty 30 minuuttiin" in client.get(answer["Location"]).content.decode()
    form = {"username": aino.username, "password": PASSWORD, "next": "/clients/?page=2"}
    assert client.post(reverse("sign-in"), form)["Location"] == "/clients/?page=2"


def test_a_session_ends_at_last_however_it_is_used(client: Client, aino: User) -> None:
    client.force_login(aino)
    aged(client, expire_date=timedelta(hours=9, minutes=59))
    assert client.get(reverse("clients")).status_code == 200
    # What is saved on the way does not make it longer, nor does another proof of who it is.
    assert client.post(reverse("sign-in-again"), {"password": PASSWORD}).status_code == 302
    aged(client, expire_date=settings.SESSION_LONGEST)
    answer = client.get(reverse("clients"), follow=True)
    assert "Istuntosi on päättynyt" in answer.content.decode()


def test_saving_a_session_moves_neither_end(client: Client, aino: User) -> None:
    client.force_login(aino)
    session = client.session
    session["began"] -= 9 * 3600
    session.save()
    row = Session.objects.get(pk=session.session_key)
    assert row.expire_date - row.began == settings.SESSION_LONGEST
    assert row.expire_date - timezone.now() < timedelta(hours=1, seconds=1)
    Session.objects.update(last_seen=F("last_seen") - timedelta(minutes=5))
    session.save()
    assert Session.objects.get(pk=session.session_key).last_seen == row.last_seen - timedelta(minutes=5)


def test_what_was_posted_too_late_is_not_done_and_leads_to_its_page(client: Client, aino: User, things: Things) -> None:
    client.force_login(aino)
    aged(client, last_seen=settings.SESSION_IDLE)
    page = "/clients/clientships/1/end/"
    answer = client.post(page, {"end": "x"}, headers={"referer": f"http://testserver{page}"})
    assert answer["Location"] == f"{reverse('sign-in')}?next={page}"
    for elsewhere in ("https://example.com/x", ""):
        answer = client.post(page, {}, headers={"referer": elsewhere})
        assert answer["Location"] == f"{reverse('sign-in')}?next={reverse('start')}"


def watched(request: pytest.FixtureRequest, things: Things) -> dict[User, list[str]]:
    """What the pages ask for by themselves."""
    run = things.address("sync-run-progress", "A")
    looks = [run, reverse("sync-budget"), reverse("sync-connection-look"), things.address("sync-starting-look", "A")]
    aino, bertta = request.getfixturevalue("aino"), request.getfixturevalue("bertta")
    return {
        bertta: [*looks, reverse("sync-history") + "?watching"],
        aino: [things.address("client-waiting", "A"), things.address("client", "A") + "?watching"],
    }


def test_what_asks_by_itself_keeps_no_session_alive(request: pytest.FixtureRequest, things: Things) -> None:
    for user, addresses in watched(request, things).items():
        client = Client()
        client.force_login(user)
        aged(client, last_seen=timedelta(minutes=20))
        before = Session.objects.get(user=user).last_seen
        assert {client.get(address).status_code for address in addresses} <= {200, 404}
        assert Session.objects.get(user=user).last_seen == before
        client.get(reverse("account"))
        assert Session.objects.get(user=user).last_seen > before


def test_every_part_that_a_page_asks_for_again_is_marked() -> None:
    """Those that live.js looks at, and those that reload where there is no JavaScript."""
    templates = {file.name: file.read_text() for file in (settings.BASE_DIR / "templates").rglob("*.html")}
    names = {name for text in templates.values() for name in re.findall(r"data-live=\"{% url '([a-z-]+)'", text)}
    assert len(names) == 6
    patterns = [one for part in get_resolver().url_patterns for one in getattr(part, "url_patterns", [part])]
    marked = {one.name for one in patterns if getattr(one.callback, "asks_by_itself", False)}
    assert marked == names
    again = [text for text in templates.values() if 'http-equiv="refresh"' in text]
    assert len(again) == 6
    assert all("; url=?watching" in text for text in again)


def test_an_ended_session_is_removed_a_day_later(client: Client, aino: User) -> None:
    client.force_login(aino)
    Client().get(reverse("sign-in"))
    sessions.forget()
    assert Session.objects.count() == 1
    aged(client, last_seen=settings.SESSION_IDLE + sessions.KEPT)
    sessions.forget()
    assert not Session.objects.exists()
