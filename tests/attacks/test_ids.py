"""Trying ids and codes tells nothing: what is another unit's answers as what there is not (domain.md E38, H52)."""

from __future__ import annotations

import re
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from registry.hetu import Hetu
from registry.models import Clientship, Service, User
from tests.access.conftest import NOBODY, NUMBER, problem
from tests.factories import ClientshipFactory, PersonFactory, code_of, new_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

# What is of one answer alone.
_OWN = re.compile(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"|value="[^"]*"|/[0-9a-f-]{36}/|/\d+/')
OF_PERSON = ("client", "client-code", "client-print", "client-check", "client-waiting", "client-withdraw")
ACTS = ("client-mistaken", "contact-address", "client-open")
OF_CLIENTSHIP = ("clientship-end", "clientship-take-back")
OF_PROBLEM = ("problem", "problem-ask", "problem-aside", "problem-name", "problem-right", "problem-wrong")


def plain(answer: Any) -> tuple[int, str, dict[str, str]]:
    own = {"X-Request-ID", "Content-Length", "Expires"}
    headers = {name: _OWN.sub("", value) for name, value in answer.items() if name not in own}
    return answer.status_code, _OWN.sub("", answer.content.decode()), headers


@pytest.fixture
def hidden(service_a: Service, service_b: Service) -> dict[str, Clientship]:
    """Whom Aino does not see: a client of another unit, and a protected one of her own whom she never saw."""
    return {
        "of another unit": ClientshipFactory.create(service=service_b, person=PersonFactory.create(home=True)),
        "protected elsewhere": ClientshipFactory.create(service=service_b, person=PersonFactory.create(protected=True)),
    }


@pytest.mark.parametrize("whose", ["of another unit", "protected elsewhere"])
def test_an_id_of_another_unit_is_of_nothing(
    client: Client, aino: User, hidden: dict[str, Clientship], whose: str
) -> None:
    held = hidden[whose]
    client.force_login(aino)
    mine = {
        **dict.fromkeys((*OF_PERSON, *ACTS), (held.person.subject, NOBODY)),
        **dict.fromkeys(OF_CLIENTSHIP, (held.pk, NUMBER)),
        **dict.fromkeys(OF_PROBLEM, (problem(held.person).pk, NUMBER)),
    }
    for page, (there, nowhere) in mine.items():
        for ask in (client.get, client.post):
            told, nothing = (ask(reverse(page, args=[one]), {"end": "1.2.2026"}) for one in (there, nowhere))
            assert plain(told) == plain(nothing), page
            assert told.status_code in {302, 403, 404, 405}, page


def shapes(client: Client, code: Hetu) -> list[str]:
    """Every statement that the search for the code makes, without its values; the event's own kind among them."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.post(reverse("client-search"), {"q": code})
    assert answer.status_code == 200
    return [re.sub(r"'[^']*'|\d+", "?", one["sql"]) for one in asked.captured_queries]


def test_the_search_for_a_code_asks_the_same_whoever_has_it(
    client: Client, aino: User, hidden: dict[str, Clientship], settings: Settings
) -> None:
    """So that the time that it takes tells nothing either (compare the long test below)."""
    settings.SEARCHES_A_MINUTE = 1000
    client.force_login(aino)
    nobody = shapes(client, new_code())
    for whose, held in hidden.items():
        assert shapes(client, code_of(held.person)) == nobody, whose
    assert len(nobody) > 3


def test_the_answer_to_a_code_is_the_same_whoever_has_it(
    client: Client, aino: User, hidden: dict[str, Clientship]
) -> None:
    client.force_login(aino)
    nobody = new_code()
    ask: list[Callable[[Hetu], Any]] = [
        lambda code: client.post(reverse("client-search"), {"q": code}),
        lambda code: client.post(reverse("client-search"), {"q": code[:10].lower()}),
    ]
    for question in ask:
        answers = [plain(question(code_of(held.person))) for held in hidden.values()]
        assert all(one == plain(question(nobody)) for one in answers)


@pytest.mark.long
def test_the_search_for_a_code_takes_the_same_time_whoever_has_it(
    client: Client, aino: User, hidden: dict[str, Clientship], settings: Settings
) -> None:
    settings.SEARCHES_A_MINUTE = 100_000
    client.force_login(aino)
    codes = {"nobody": new_code(), **{whose: code_of(held.person) for whose, held in hidden.items()}}
    times: dict[str, list[float]] = {whose: [] for whose in codes}
    for _ in range(150):
        # In turn, so that what the machine does beside it is everybody's.
        for whose, code in codes.items():
            began = perf_counter()
            client.post(reverse("client-search"), {"q": code})
            times[whose].append(perf_counter() - began)
    ratios = {whose: median(taken) / median(times["nobody"]) for whose, taken in times.items()}
    print(", ".join(f"{whose}: {ratio:.3f}" for whose, ratio in ratios.items()))
    assert all(0.8 < ratio < 1.25 for ratio in ratios.values()), ratios
