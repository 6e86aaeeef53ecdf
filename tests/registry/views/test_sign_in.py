"""The way in and out, the choice of a language, and the pages for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.translation import override
from django.views.defaults import server_error

from registry.models import AuditEvent, User
from tests.factories import PASSWORD, UserFactory

OPEN_TO_ALL = {"sign-in", "set-language", "healthz", "readyz", "metrics", "oidc-begin", "oidc-callback"}
EXAMPLES = {"uuid": uuid4(), "int": 1, "str": "x", "slug": "x"}

pytestmark = pytest.mark.django_db


def addresses(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, str]]:
    """The name of every page, and an address of it."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns)
        elif pattern.name:
            converters = pattern.pattern.converters
            kinds = {name: type(one).__name__.removesuffix("Converter").lower() for name, one in converters.items()}
            yield pattern.name, reverse(pattern.name, kwargs={name: EXAMPLES[kind] for name, kind in kinds.items()})


ADDRESSES = dict(addresses(get_resolver().url_patterns))


@pytest.mark.parametrize("name", sorted(ADDRESSES.keys() - OPEN_TO_ALL))
def test_h52_no_page_opens_without_signing_in(client: Client, name: str) -> None:
    for answer in (client.get(ADDRESSES[name]), client.post(ADDRESSES[name])):
        if name == "sign-out":
            # Signing out twice only leads back; a link cannot sign anybody out.
            assert answer.status_code in {302, 405}
        else:
            assert answer.status_code == 302
            assert answer["Location"].startswith(reverse("sign-in"))


def test_g46_signing_in_and_out_leaves_an_event_each(client: Client) -> None:
    user = UserFactory.create()
    answer = client.post(reverse("sign-in"), {"username": user.username, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, reverse("start"))
    answer = client.post(reverse("sign-out"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("sign-in"))
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert "messages" not in client.cookies
    assert "Olet kirjautunut ulos" in client.get(answer["Location"]).content.decode()
    events = AuditEvent.objects.order_by("pk").values_list("action", "outcome", "user_id", "username", "origin")
    assert list(events) == [
        ("SIGN_IN", "done", user.pk, user.username, "127.0.0.1"),
        ("SIGN_OUT", "done", user.pk, user.username, "127.0.0.1"),
    ]


def test_a_link_signs_nobody_out(client: Client) -> None:
    client.force_login(UserFactory.create())
    assert client.get(reverse("sign-out")).status_code == 405
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize(
    ("active", "name", "password"),
    [(True, "matti", "wrong"), (True, "nobody", PASSWORD), (False, "matti", PASSWORD)],
    ids=["wrong password", "no such user", "not in use"],
)
def test_a_refusal_does_not_tell_what_was_wrong(client: Client, active: bool, name: str, password: str) -> None:
    UserFactory.create(username="matti", is_active=active)
    answer = client.post(reverse("sign-in"), {"username": name, "password": password})
    assert answer.status_code == 200
    assert "Käyttäjätunnus tai salasana on väärin. Tarkista molemmat ja yritä uudelleen." in answer.content.decode()
    assert password not in answer.content.decode()
    assert "_auth_user_id" not in client.session
    event = AuditEvent.objects.get()
    # What stands in the box of the name may be a password.
    assert (event.action, event.outcome, event.user_id, event.username) == ("SIGN_IN", "refused", None, "")


def test_an_empty_form_says_what_is_missing_beside_each_box(client: Client) -> None:
    page = client.post(reverse("sign-in"), {}).content.decode()
    assert "data-errors" in page
    assert page.count('aria-invalid="true"') == 2


def test_nobody_is_led_to_another_site(client: Client) -> None:
    user = UserFactory.create()
    form = {"username": user.username, "password": PASSWORD, "next": "https://example.com/"}
    assert client.post(reverse("sign-in"), form)["Location"] == reverse("start")


@pytest.mark.parametrize(
    ("who", "page"),
    [("aino", "clients"), ("daniel", "clients"), ("bertta", "sync-history"), ("eeva", "audit-log")],
)
def test_each_role_begins_where_its_work_is(
    client: Client, request: pytest.FixtureRequest, who: str, page: str
) -> None:
    user: User = request.getfixturevalue(who)
    client.force_login(user)
    answer = client.get(reverse("start"), follow=True)
    assert answer.redirect_chain == [(reverse(page), 302)]
    assert answer.status_code == 200
    assert user.get_full_name() in answer.content.decode()


def test_h52_a_superuser_without_a_role_sees_nothing(client: Client) -> None:
    client.force_login(UserFactory.create(is_superuser=True))
    assert "Ei vielä oikeuksia" in client.get(reverse("start")).content.decode()


@pytest.mark.parametrize(("language", "words"), [("fi", "Kirjaudu sisään"), ("sv", "Logga in"), ("en", "Sign in")])
def test_the_language_that_was_chosen_stays(client: Client, language: str, words: str) -> None:
    answer = client.post(reverse("set-language"), {"language": language, "next": reverse("sign-in")})
    assert (answer.status_code, answer["Location"]) == (302, reverse("sign-in"))
    with override(None):
        page = client.get(reverse("sign-in")).content.decode()
    assert f'<html lang="{language}">' in page
    assert f"<h1>{words}</h1>" in page


def test_a_page_that_is_not_there_looks_like_the_others(client: Client) -> None:
    for _ in range(2):
        answer = client.get("/no-such-page/")
        page = answer.content.decode()
        assert answer.status_code == 404
        assert "<h1>Sivua ei löytynyt</h1>" in page
        assert '<header class="top">' in page
        client.force_login(UserFactory.create())


def test_a_form_from_elsewhere_is_refused_in_words() -> None:
    answer = Client(enforce_csrf_checks=True).post(reverse("sign-in"), {})
    assert answer.status_code == 403
    assert "Mitään ei muutettu." in answer.content.decode()


def test_the_page_of_a_fault_needs_no_database(rf: RequestFactory, django_assert_num_queries) -> None:  # noqa: ANN001
    with django_assert_num_queries(0):
        answer = server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Vika on palvelussa" in answer.content.decode()
