"""A right that is taken away is gone with the next click, in every session (domain.md H52)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import AuditEvent, User
from tests.access.conftest import Things

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
    "the role": (lambda user: user.groups.clear(), 403),
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
