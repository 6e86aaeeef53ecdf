"""Texts that mean something to the database, to a template or to a browser are texts (domain.md G49)."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from registry.clock import today
from registry.models import Clientship, ContactAddress, Person, Problem, Provider, Service, Unit, User
from registry.names import name_key
from registry.services import imports
from tests.cast import clerk
from tests.factories import (
    ClientshipFactory,
    PersonFactory,
    ProblemFactory,
    ProviderFactory,
    UserFactory,
    code_of,
    new_code,
    opened,
)
from vtjsync.engine.sync import sync
from vtjsync.simulator import kysely, server
from vtjsync.simulator.products import PRODUCTS

# --- the database

STATEMENTS = [
    "' OR '1'='1",
    "'; DROP TABLE registry_person; --",
    '" OR ""="',
    "\\'; SELECT pg_sleep(9); --",
    "%",
    "_",
    "%s",
    "%(evil)s",
    "{0.__class__}",
    "$1",
    "$$",
    "a:*|b",
    "!a",
    "a & b",
    "<->",
    "(((",
    "' UNION SELECT hetu FROM registry_personcode --",
    "kolehmainen') OR ('a'='a",
]


@pytest.fixture
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Every statement, with its values apart."""
    heard: list[tuple[str, Any]] = []

    def hear(execute: Any, sql: str, values: Any, *more: Any) -> Any:
        heard.append((sql, values))
        return execute(sql, values, *more)

    with connection.execute_wrapper(hear):
        yield heard


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(len(STATEMENTS)), ids=STATEMENTS)
def test_what_is_typed_is_a_value_and_no_statement(
    aino: User, permit: None, service_a: Service, statements: list[tuple[str, Any]], number: int
) -> None:
    text, client = STATEMENTS[number], Client()
    for _ in range(2):
        ClientshipFactory.create(service=service_a, person=PersonFactory.create(last_name="Kolehmainen"))
    client.force_login(aino)
    for typed in ({"q": text}, {"q": text, "after": text, "before": text}):
        found = client.post(reverse("client-search"), typed)
        assert found.status_code == 200
        assert "Hanna Maria" not in found.content.decode()
    for page, words in (
        ("clients", {"after": text, "before": text, "sort": text, "order_by": text}),
        ("client-deceased", {"after": text}),
        ("problems", {"kind": text, "after": text, "aside": text}),
    ):
        assert client.get(reverse(page), words).status_code == 200, page
    client.post(reverse("client-add"), {"hetu": text, "service": text, "provider": text, "start": text})
    file = StringIO()
    lines = csv.writer(file, delimiter=";", lineterminator="\n")
    lines.writerow(("henkilotunnus", "palvelu", "alkupaiva", "viite", "sukunimi"))
    lines.writerows([(new_code(), "KOTI", "2026-01-31", text, text), (text, text, text, "", "")])
    assert imports.run(clerk, BytesIO(file.getvalue().encode()), day=today()).bad_count == 1
    assert Clientship.objects.filter(reference=text).count() == 1
    assert not [sql for sql, _ in statements if len(text) > 3 and text.lower() in sql.lower()]
    assert Person.objects.count() == 3


# --- the browser, and the templates

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title></textarea><script>alert(1)</script>",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "javascript:alert(1)",
    "\u202e<b>x</b>",
]
MARKUP = "".join(EVIL)
# What MARKUP would be, were it read as anything but a text.
HARM = re.compile(
    r"<script>alert|<img src=x|<svg/onload|<b>x|href=.?javascript:|(?<!\{\{ )14\d{4}\b|\son\w+=alert\(1\)>"
)


def harmless(text: str, where: str) -> None:
    assert not HARM.search(text), where
    # Inside of an attribute the first quotation mark would end it.
    for value in re.findall(r'="([^"]*)"', text):
        assert "<" not in value, where


def pages(subject: Any, number: int, problem: int) -> list[tuple[str, list[Any]]]:
    one: list[tuple[str, list[Any]]] = [(page, [subject]) for page in ("client", "client-open", "contact-address")]
    several = ("clients", "client-add", "problems", "openings", "audit-log", "sync-history", "erasures", "start")
    return [*((page, []) for page in several), *one, ("clientship-end", [number]), ("problem", [problem])]


@pytest.fixture
def evil_world(unit_a: Unit, service_a: Service, daniel: User) -> tuple[Clientship, Clientship]:
    """A client and a protected one; whatever staff, set-up or VTJ can write has markup in it."""
    Unit.objects.update(name_fi=MARKUP, name_sv=MARKUP, name_en=MARKUP)
    Service.objects.update(name_fi=MARKUP, name_sv=MARKUP, name_en=MARKUP)
    provider: Provider = ProviderFactory.create(name=MARKUP)
    service_a.providers.add(provider)
    User.objects.update(first_name=MARKUP[:100], last_name=MARKUP[:100])
    names = {"first_names": MARKUP, "last_name": MARKUP, "name_key": name_key(MARKUP), "language_name": MARKUP}
    texts = ("home_street_fi", "home_house_number", "home_postal_code", "home_post_office_fi", "municipality_code")
    seen = PersonFactory.create(home=True, **names, **dict.fromkeys(texts, MARKUP))
    hidden = PersonFactory.create(protected=True, **names)
    held = [
        ClientshipFactory.create(service=service_a, person=one, provider=provider, reference=MARKUP)
        for one in (seen, hidden)
    ]
    for one in (seen, hidden):
        ProblemFactory.create(person=one, note=MARKUP)
    ContactAddress.objects.create(person=hidden, town=MARKUP, lines=MARKUP, confirmed_not_home=True)
    opened(daniel, hidden)
    return held[0], held[1]


@pytest.mark.django_db
def test_markup_in_any_text_is_shown_as_it_was_written(
    aino: User, permit: None, evil_world: tuple[Clientship, Clientship]
) -> None:
    everybody = UserFactory.create(
        roles=["caseworker", "handler", "supervisor", "administrator", "auditor"], units=[evil_world[0].service.unit]
    )
    opened(everybody, evil_world[1].person)
    client = Client()
    client.force_login(everybody)
    told = ""
    for held in evil_world:
        problem = Problem.objects.get(person=held.person)
        for page, arguments in pages(held.person.subject, held.pk, problem.pk):
            answer = client.get(reverse(page, args=arguments), {"unit": MARKUP, "kind": MARKUP, "next": MARKUP})
            harmless(answer.content.decode(), page)
            assert "no-store" in answer["Cache-Control"], page
            told += answer.content.decode()
        code = code_of(held.person)
        for page, arguments, typed in (
            ("client-search", [], {"q": MARKUP[:150]}),
            ("client-search", [], {"q": code}),
            ("client-code", [held.person.subject], {}),
            ("client-add", [], {"hetu": MARKUP[:40], "reference": MARKUP, "start": MARKUP, "service": MARKUP}),
            ("audit-log-inquiry", [], {"hetu": MARKUP[:40]}),
            ("clientship-end", [held.pk], {"end": MARKUP, "reason": MARKUP}),
            ("problem-aside", [problem.pk], {"note": MARKUP * 3}),
            ("contact-address", [held.person.subject], {"town": MARKUP, "email": MARKUP, "care_of": MARKUP}),
            ("client-open", [held.person.subject], {"note": MARKUP, "reason": MARKUP, "next": MARKUP}),
        ):
            answer = client.post(reverse(page, args=arguments), typed)
            harmless(answer.content.decode(), page)
            assert "no-store" in answer["Cache-Control"], page
    # As it was written: the texts were really there.
    for one in EVIL:
        assert html.escape(one) in told


@pytest.mark.django_db
def test_markup_in_an_address_and_in_what_signs_in_is_no_markup(client: Client) -> None:
    harmless(client.get("/" + EVIL[0]).content.decode(), "404")
    harmless(client.get(reverse("sign-in"), {"next": EVIL[1]}).content.decode(), "sign-in")
    answer = client.post(reverse("sign-in"), {"username": EVIL[1], "password": EVIL[1], "next": EVIL[1]})
    harmless(answer.content.decode(), "sign-in")
    assert client.get("/", SERVER_NAME="x<script>alert(1)</script>").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_markup_that_vtj_tells_is_shown_as_it_was_told(
    settings: Settings, permit: None, aino: User, service_a: Service
) -> None:
    vtj = server.start(population=30, seed=7)
    try:
        settings.VTJ_SERVER, settings.VTJ_CLIENT = vtj.url, server.CLIENT
        settings.VTJ_USERNAME = settings.VTJKYSELY_USERNAME = server.USERNAME
        settings.VTJ_PASSWORD = settings.VTJKYSELY_PASSWORD = server.PASSWORD
        settings.VTJKYSELY_CLIENT, settings.VTJKYSELY_SERVICE = server.CLIENT, kysely.SERVICE
        settings.VTJKYSELY_PRODUCT = next(iter(PRODUCTS))
        (code,) = vtj.codes(1)
        told = vtj._control.world.person(code)
        assert told is not None
        vtj._control.world._keep(told)
        told.last_name, told.first_names, told.last_ascii = MARKUP, MARKUP, None
        ClientshipFactory.create(service=service_a, person=PersonFactory.create(awaiting=True, hetu=code))
        assert sync("test", wait=0).state == "COMPLETE"
        person = Person.objects.get()
        assert person.last_name == MARKUP
        browser = Client()
        browser.force_login(aino)
        shown: list[Callable[[], Any]] = [
            lambda: browser.get(reverse("clients")),
            lambda: browser.get(reverse("client", args=[person.subject])),
            lambda: browser.post(reverse("client-look-up"), {"hetu": code, "reason": "DECISION"}),
        ]
        for ask in shown:
            text = ask().content.decode()
            harmless(text, "told by VTJ")
            assert html.escape(EVIL[0]) in text
    finally:
        vtj.stop()
