"""What every answer carries, asked over real HTTP; and the pages of what goes wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings as django_settings
from django.db import ProgrammingError, connection
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from registry.models import Unit, User
from registry.policies import ROLES
from tests.factories import UserFactory
from tests.registry.views.test_sign_in import ADDRESSES
from vtjsync.middleware import MAX_BODY

SECRET = "Salapolku 7"
LANGUAGES = ("fi", "sv", "en")
WORDS = {
    400: ("Pyyntöä ei voitu ymmärtää", "Begäran kunde inte förstås", "The request could not be understood"),
    403: ("Sinulla ei ole oikeutta tähän sivuun", "Du har inte rätt att se sidan", "You may not see this page"),
    404: ("Sivua ei löytynyt", "Sidan hittades inte", "The page was not found"),
    413: ("Liian paljon kerralla", "För mycket på en gång", "That was too much at once"),
    500: ("Tapahtui virhe", "Något gick fel", "Something went wrong"),
}


def signed_in(user: User | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    if user is not None:
        client = Client()
        client.force_login(user)
        session.cookies.set(django_settings.SESSION_COOKIE_NAME, client.cookies["sessionid"].value)
    return session


@pytest.fixture
def everybody(roles: None, unit_a: Unit) -> User:
    return UserFactory.create(roles=list(ROLES), units=[unit_a])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["nobody", pytest.param("aino", marks=pytest.mark.long), "everybody"])
def test_every_address_answers_with_the_headers_that_protect_it(
    live_server: LiveServer, request: pytest.FixtureRequest, who: str
) -> None:
    session = signed_in(None if who == "nobody" else request.getfixturevalue(who))
    seen = set()
    for name, address in [*ADDRESSES.items(), ("none", "/no-such-page/")]:
        for method in ("GET", "POST"):
            answer = session.request(method, live_server.url + address, allow_redirects=False)
            seen.add(answer.status_code)
            assert answer.status_code < 500 or name == "readyz", name
            headers = answer.headers
            policy = headers["Content-Security-Policy"]
            for part in ("default-src", "object-src", "base-uri", "frame-ancestors"):
                assert f"{part} 'none'" in policy, name
            assert "unsafe" not in policy, name
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", name
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin", name
            assert headers["Referrer-Policy"] == "same-origin", name
            assert headers["X-Content-Type-Options"] == "nosniff", name
            assert headers["X-Frame-Options"] == "DENY", name
            assert "geolocation=()" in headers["Permissions-Policy"], name
            assert {"no-store", "private"} <= set(headers["Cache-Control"].split(", ")), name
            assert headers["X-Request-ID"], name
    assert {200, 403, 404} <= seen


def test_files_may_be_kept_and_have_the_same_policies(client: Client) -> None:
    answer = client.get("/static/register.css")
    assert answer.status_code == 200
    assert "no-store" not in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == 'text/css; charset="utf-8"'
    assert client.get("/static/icon.svg")["Content-Type"] == "image/svg+xml; charset=utf-8"


@contextmanager
def broken() -> Iterator[None]:
    """The database refuses what a page of clients asks, in words that quote a place."""

    def refuse(execute: Any, sql: str, *more: Any) -> Any:
        if "registry_clientship" in sql:
            raise ProgrammingError(SECRET)
        return execute(sql, *more)

    with connection.execute_wrapper(refuse):
        yield


def failed(status: int, user: User, language: str) -> tuple[Any, str]:
    client = Client(raise_request_exception=False, HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(user)
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
    if status == 400:
        answer = client.get("/", SERVER_NAME="elsewhere.example")
    elif status == 403:
        answer = client.get(reverse("audit-log"))
    elif status == 404:
        answer = client.get("/no-such-page/")
    elif status == 413:
        answer = client.post(reverse("client-search"), {"q": "x" * MAX_BODY})
    else:
        with broken():
            answer = client.get(reverse("clients"))
    return answer, answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", WORDS)
def test_what_goes_wrong_has_a_page_in_words_and_nothing_else(aino: User, status: int, language: str) -> None:
    answer, page = failed(status, aino, language)
    assert answer.status_code == status
    assert f"<h1>{WORDS[status][LANGUAGES.index(language)]}</h1>" in page
    assert f'<html lang="{language}">' in page
    assert "register.css" in page
    for detail in (SECRET, "ProgrammingError", "Traceback", "elsewhere.example", "no-such-page/</", "Django"):
        assert detail not in page
    assert (answer["X-Request-ID"] in page) is (status == 500)


@pytest.mark.django_db(transaction=True)
def test_a_large_body_is_refused_before_it_is_read(live_server: LiveServer) -> None:
    parts = urlsplit(live_server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        head = f"POST {reverse('sign-in')} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        line.sendall(
            f"{head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000000\r\n\r\n".encode()
        )
        # Not one byte of the body was sent.
        assert b" 413 " in line.recv(4096)
