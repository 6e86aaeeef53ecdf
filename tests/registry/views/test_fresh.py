"""Grave acts want a sign-in that is fresh (docs/adr/0017)."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from registry.models import AuditEvent, Person, Service, Unit, User
from tests.factories import PASSWORD, ClientshipFactory, PersonFactory, pair
from tests.provider import Provider

pytestmark = pytest.mark.django_db


NOW = int(time.time())
LONG_AGO = NOW - 3600


@pytest.fixture
def daniels(client: Client, daniel: User) -> Client:
    """Daniel's browser; he signed in a while ago."""
    client.force_login(daniel)
    stale(client)
    return client


@pytest.fixture
def merge(service_a: Service) -> str:
    """The address of the confirmation of a merge."""
    one = ClientshipFactory.create(service=service_a, person=PersonFactory.create(home=True)).person
    sides = pair(one, PersonFactory.create())
    return reverse("pair-merge", args=[side.person.subject for side in sides])


def stale(client: Client) -> None:
    session = client.session
    session["proved"] = time.time() - 301
    session.save()


def events() -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(action__in=["SIGN_IN_AGAIN", "MERGE", "CONFIRM_ERASURE", "HOLD_UP"]).order_by("pk")
    return [(one.action, one.outcome, one.details.get("fault", "")) for one in rows]


def asked(page: str) -> str:
    return f"{reverse('sign-in-again')}?next={page.replace('/', '%2F')}"


def test_a_merge_wants_a_fresh_sign_in(daniels: Client, merge: str) -> None:
    token = shown(daniels, merge)
    stale(daniels)
    before = Person.objects.count()
    answer = daniels.post(merge, {"confirm": token})
    assert answer["Location"] == asked(merge)
    assert (Person.objects.count(), events()) == (before, [("SIGN_IN_AGAIN", "done", "")])
    page = daniels.get(answer["Location"]).content.decode()
    assert "Oletko se sinä?" in page
    answer = daniels.post(reverse("sign-in-again"), {"password": PASSWORD, "next": merge})
    assert answer["Location"] == merge
    # Coming back does nothing.
    page = daniels.get(merge).content.decode()
    assert "mitään ei ole vielä tehty" in page
    assert Person.objects.count() == before
    assert daniels.post(merge, {"confirm": token}).status_code == 302
    assert Person.objects.count() == before - 1
    assert [one[0] for one in events()] == ["SIGN_IN_AGAIN", "SIGN_IN_AGAIN", "MERGE"]


def shown(client: Client, page: str) -> str:
    """The token of the confirmation page, for which the password is asked too."""
    assert client.get(page)["Location"] == asked(page)
    client.post(reverse("sign-in-again"), {"password": PASSWORD})
    return str(client.get(page).context["preview"].token)


def test_a_mass_erasure_wants_a_fresh_sign_in(client: Client, bertta: User) -> None:
    client.force_login(bertta)
    stale(client)
    answer = client.post(reverse("erasure-confirm"), {"persons": "3"})
    assert answer["Location"] == asked(reverse("erasures"))
    client.post(reverse("sign-in-again"), {"password": PASSWORD})
    assert client.post(reverse("erasure-confirm"), {"persons": "3"})["Location"] == reverse("erasures")


def test_a_download_of_the_log_wants_a_fresh_sign_in(client: Client, eeva: User) -> None:
    client.force_login(eeva)
    stale(client)
    answer = client.post(reverse("audit-log-download"), {"form": "csv"})
    assert answer["Location"] == asked(reverse("audit-log"))
    answer = client.post(reverse("log-extract-download", args=[7]), {"form": "csv"})
    assert answer["Location"] == asked(reverse("log-extract", args=[7]))
    assert not AuditEvent.objects.filter(action__startswith="DOWNLOAD").exists()
    client.post(reverse("sign-in-again"), {"password": PASSWORD})
    assert b"".join(client.post(reverse("audit-log-download"), {"form": "csv"})).startswith(b"\xef\xbb\xbf")


def test_rights_come_first(client: Client, aino: User, merge: str) -> None:
    client.force_login(aino)
    stale(client)
    assert client.post(merge).status_code == 403


def test_a_wrong_password_is_counted_as_at_the_sign_in(daniels: Client, merge: str) -> None:
    for _ in range(5):
        page = daniels.post(reverse("sign-in-again"), {"password": "wrong", "next": merge}).content.decode()
        assert "Salasana on väärä" in page
    assert daniels.post(reverse("sign-in-again"), {"password": PASSWORD}).status_code == 429
    assert events() == [("SIGN_IN_AGAIN", "refused", "PASSWORD")] * 5 + [("HOLD_UP", "refused", "")]
    assert daniels.get(merge)["Location"] == asked(merge)
    held = Client().post(reverse("sign-in"), {"username": "daniel", "password": PASSWORD})
    assert held.status_code == 429


def test_the_right_password_costs_nothing(daniels: Client) -> None:
    for _ in range(7):
        daniels.post(reverse("sign-in-again"), {"password": "wrong"})
        assert daniels.post(reverse("sign-in-again"), {"password": PASSWORD}).status_code == 302


def test_nobody_is_led_to_another_site(daniels: Client) -> None:
    form = {"password": PASSWORD, "next": "https://example.com/"}
    assert daniels.post(reverse("sign-in-again"), form)["Location"] == reverse("start")


@pytest.fixture
def elsewhere(provider: Provider, roles: None, unit_a: Unit, settings: Settings) -> Client:
    """The browser of a handler of unit A who signed in at the organisation's own service, a while ago."""
    settings.OIDC_UNITS = ["vtj-kasittelijat=A"]
    provider.knows("s-9", groups=["vtj-kasittelijat"])
    client = Client()
    provider.sign_in(client, "s-9")
    stale(client)
    return client


def test_who_signed_in_elsewhere_does_it_there_once_more(elsewhere: Client, provider: Provider, merge: str) -> None:
    page = elsewhere.get(elsewhere.get(merge)["Location"]).content.decode()
    assert 'type="password"' not in page
    begun = elsewhere.get(reverse("oidc-begin"), {"next": merge})["Location"]
    assert "prompt=login" in begun
    assert "max_age=0" in begun
    answer = elsewhere.get(reverse("oidc-callback"), provider.way_back(begun, "s-9"))
    assert answer["Location"] == merge
    assert elsewhere.get(merge).status_code == 200
    assert events() == [("SIGN_IN_AGAIN", "done", "")]


@pytest.mark.parametrize(
    ("sub", "auth_time", "fault"),
    [("s-9", LONG_AGO, "NOT_FRESH"), ("s-9", "just now, honestly", "NOT_FRESH"), ("s-8", NOW, "OTHER_PERSON")],
    ids=["long ago", "no time", "somebody else"],
)
def test_only_the_same_person_and_only_now(
    request: pytest.FixtureRequest, provider: Provider, sub: str, auth_time: object, fault: str
) -> None:
    elsewhere, merge = request.getfixturevalue("elsewhere"), request.getfixturevalue("merge")
    provider.knows(sub, groups=["vtj-kasittelijat"], auth_time=auth_time)
    answer = provider.sign_in(elsewhere, sub, merge)
    assert answer.status_code == 403
    assert "Kirjautumistasi ei uusittu" in answer.content.decode()
    assert events() == [("SIGN_IN_AGAIN", "refused", fault)]
    # Still who they were, and still not fresh.
    assert elsewhere.get(merge)["Location"] == asked(merge)


def test_the_first_sign_in_is_as_fresh_as_the_provider_says(provider: Provider, merge: str, roles: None) -> None:
    """Somebody may have typed the password there in the morning."""
    provider.knows("s-9", groups=["vtj-kasittelijat"], auth_time=LONG_AGO)
    client = Client()
    provider.sign_in(client, "s-9")
    assert client.get(merge)["Location"] == asked(merge)


def test_another_role_at_that_moment_begins_a_new_session(elsewhere: Client, provider: Provider, merge: str) -> None:
    provider.knows("s-9", groups=["vtj-vetajat"])
    before = elsewhere.session.session_key
    assert provider.sign_in(elsewhere, "s-9", merge).status_code == 302
    assert elsewhere.session.session_key != before
    assert elsewhere.get(merge).status_code == 403
    assert elsewhere.get(reverse("openings")).status_code == 200


def test_turning_back_at_the_provider_signs_nobody_out(elsewhere: Client, provider: Provider) -> None:
    answer = elsewhere.get(reverse("oidc-callback"), {"error": "access_denied"})
    assert answer.status_code == 403
    assert elsewhere.get(reverse("account")).status_code == 200
    assert events() == [("SIGN_IN_AGAIN", "refused", "DENIED")]
