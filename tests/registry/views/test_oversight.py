"""The pages of auditors and administrators: the log, and the erasures that wait (domain.md F43, G46)."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from registry.models import AuditEvent, ErasureHold, User
from registry.selectors import audit_log
from registry.services import audit
from registry.services.audit import Action
from tests.cast import access

pytestmark = pytest.mark.django_db


def test_g46_reading_the_log_is_an_event_itself(client: Client, eeva: User) -> None:
    client.force_login(eeva)
    client.get(reverse("audit-log"))
    text = client.get(reverse("audit-log")).content.decode()
    assert AuditEvent.objects.filter(action="VIEW_LOG", user_id=eeva.pk).count() == 2
    assert str(Action.VIEW_LOG.label) in text


def test_the_log_is_in_words_with_the_random_ids(client: Client, eeva: User, aino: User) -> None:
    subject = uuid4()
    audit.record(access(aino), Action.VIEW, subjects=[subject])
    client.force_login(eeva)
    text = client.get(reverse("audit-log")).content.decode()
    for word in (str(Action.VIEW.label), str(subject), "aino", "127.0.0.1"):
        assert word in text


def test_the_log_goes_back_page_by_page(client: Client, eeva: User, aino: User) -> None:
    for _ in range(audit_log.PAGE + 5):
        audit.record(access(aino), Action.VIEW, subjects=[uuid4()])
    client.force_login(eeva)
    first = client.get(reverse("audit-log"))
    older = first.context["older"]
    rows = client.get(reverse("audit-log"), {"before": older}).context["rows"]
    assert len(first.context["rows"]) == audit_log.PAGE
    assert all(row.number < older for row in rows)
    assert client.get(reverse("audit-log"), {"before": "x"}).status_code == 200


def test_f43_a_second_person_confirms_an_erasure_of_many(client: Client, bertta: User) -> None:
    ErasureHold.objects.create(day=date(2026, 1, 1), persons=312)
    client.force_login(bertta)
    assert "312" in client.get(reverse("erasures")).content.decode()
    assert client.post(reverse("erasure-confirm"))["Location"] == reverse("erasures")
    hold = ErasureHold.objects.get()
    assert hold.confirmed_by == bertta
    assert AuditEvent.objects.filter(action="CONFIRM_ERASURE", count=312).exists()
    assert reverse("erasure-confirm") not in client.get(reverse("erasures")).content.decode()
