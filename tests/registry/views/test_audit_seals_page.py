"""The state of the seals on the page of the audit log (domain.md G46)."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import translation

from registry.models import User
from registry.selectors import audit_seals
from registry.services import audit_check, audit_months
from tests import evidence
from tests.cast import access, clerk

pytestmark = pytest.mark.django_db(transaction=True)


def page(client: Client, user: User) -> str:
    client.force_login(user)
    return client.get(reverse("audit-log")).content.decode()


def test_before_the_first_seal_nothing_is_sealed(client: Client, eeva: User) -> None:
    text = page(client, eeva)
    for word in ("Lokin sinetit", "ei vielä mitään", "ei ole vielä tarkistettu", "5 vuotta"):
        assert word in text
    assert "notice" not in text


def test_up_to_when_it_is_sealed_and_what_the_check_said(client: Client, eeva: User) -> None:
    evidence.sealed(3)
    audit_check.run(clerk)
    evidence.seal()
    text = page(client, eeva)
    assert "everything" not in text
    assert "kaikki oli sellaisena kuin se oli sinetöity" in text
    state = audit_seals.state(access(eeva))
    assert (state.number, state.whole, state.late) == (2, True, False)
    assert state.up_to is not None
    with translation.override("sv"):
        client.cookies["django_language"] = "sv"
        assert "allt fram till" in page(client, eeva)


def test_a_broken_seal_is_told_calmly(client: Client, eeva: User) -> None:
    evidence.sealed(3)
    evidence.tamper("UPDATE registry_auditevent SET username = 'x'")
    audit_check.run(clerk)
    text = page(client, eeva)
    assert 'class="notice bad"' in text
    assert "Kerro tietosuojavastaavalle" in text


def test_events_that_wait_too_long_are_told(client: Client, eeva: User) -> None:
    evidence.sealed()
    assert not audit_seals.state(access(eeva)).late
    evidence.record()
    evidence.tamper("UPDATE registry_auditevent SET at = at - interval '61 minutes'")
    assert audit_seals.state(access(eeva)).waiting == 1
    assert "odottavat sinetöintiä" in page(client, eeva)


def test_an_inquiry_is_told(client: Client, eeva: User) -> None:
    audit_months.hold(clerk, "Selvitys 12/2026", "tietosuojavastaava")
    assert "Selvitys 12/2026" in page(client, eeva)


def test_the_state_stands_on_the_first_page_only(client: Client, eeva: User) -> None:
    client.force_login(eeva)
    assert "Lokin sinetit" not in client.get(reverse("audit-log"), {"before": "5"}).content.decode()


def test_it_needs_the_right_to_read_the_log(aino: User) -> None:
    with pytest.raises(PermissionDenied):
        audit_seals.state(access(aino))
