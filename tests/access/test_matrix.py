"""Who gets what, for every address and method (domain.md E38, H52), and what each leaves in the audit log (G46).

The table is tests/access/matrix.txt. An address that is not in it fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from registry.models import AuditEvent, Unit, User
from registry.policies import ROLES
from tests.access.conftest import Things
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

TABLE = Path(__file__).with_name("matrix.txt")
CAST = ("aino", "bertta", "celia", "daniel", "eeva", "nobody")
SIGN_IN = "in"
# These only ever lead to another page.
LEAD_ON = {"start", "sign-in", "set-language", "client-print", "client-code", "client-search", "audit-log-inquiry"}
# What a form needs to be understood; a page that does not know a field leaves it.
SENT = {"q": "k", "minutes": 60, "language": "sv"}


@dataclass(frozen=True)
class Row:
    """What each of the cast gets, in order: a status, ``in`` for a way to the sign-in page; and the events of each."""

    method: str
    page: str
    about: str
    answers: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.method, self.page, self.about))


def rows() -> list[Row]:
    lines = (line.split() for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#"))
    return [Row(method, page, about, tuple(answers)) for method, page, about, *answers in lines]


def named(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from named(one.url_patterns)
        else:
            assert one.name
            yield one.name


def answer(who: User | None, row: Row, things: Things) -> str:
    """What comes back, and the acts that the audit log has of it. Nothing of it stays."""
    client = Client()
    with transaction.atomic():
        if who is not None:
            client.force_login(who)
        address = things.address(row.page, row.about)
        before = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        response = client.generic(row.method, address) if row.method != "POST" else client.post(address, SENT)
        events = AuditEvent.objects.filter(pk__gt=before).order_by("pk").values_list("action", flat=True)
        told = str(response.status_code)
        if response.status_code == 302 and response["Location"].startswith(reverse("sign-in") + "?"):
            told = SIGN_IN
        found = "+".join([told, *events])
        transaction.set_rollback(True)
    return found


@pytest.fixture
def cast(aino: User, bertta: User, celia: User, daniel: User, eeva: User) -> dict[str, User | None]:
    return dict(zip(CAST, (aino, bertta, celia, daniel, eeva, None), strict=True))


@pytest.mark.parametrize("row", rows(), ids=str)
def test_h52_g46_who_gets_what_and_what_it_leaves(row: Row, cast: dict[str, User | None], things: Things) -> None:
    assert [answer(who, row, things) for who in cast.values()] == list(row.answers)


def test_h52_every_address_is_in_the_table() -> None:
    told = {(row.method, row.page) for row in rows()}
    pages = set(named(get_resolver().url_patterns))
    assert {page for _, page in told} == pages
    assert {(method, page) for method in ("GET", "POST") for page in pages} == told


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_h52_no_other_method_does_or_tells_anything(method: str, unit_a: Unit, roles: None, things: Things) -> None:
    """Not even to somebody of all roles. What leads on does so however it is asked."""
    anybody = UserFactory.create(roles=sorted(ROLES), units=[unit_a])
    asked = sorted({(row.page, "-" if row.about == "-" else "A") for row in rows()})
    found = {page: answer(anybody, Row(method, page, about, ()), things) for page, about in asked}
    assert {page for page, told in found.items() if told not in {"404", "405"}} <= LEAD_ON
    assert {told for page, told in found.items() if page in LEAD_ON} <= {"302", "405"}
