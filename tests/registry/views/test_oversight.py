"""The pages of auditors and administrators: the log, and the erasures that wait (domain.md F43, G46)."""

from __future__ import annotations

import io
import re
from datetime import date
from uuid import uuid4

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext

from registry.models import AuditEvent, ErasureHold, ErasureReceipt, PersonCode, Service, SubjectCode, User
from registry.selectors import audit_log
from registry.services import audit
from registry.services.audit import Action
from tests.cast import access
from tests.factories import PersonFactory, code_of, new_code

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
    for stale in ({}, {"persons": "311"}, {"persons": "x"}, {"persons": "9" * 5000}):
        assert client.post(reverse("erasure-confirm"), stale)["Location"] == reverse("erasures")
        assert ErasureHold.objects.get().confirmed_at is None
    page = client.get(reverse("erasures")).content.decode()
    assert str(gettext("Something has changed since you opened the page. Look at the number again.")) in page
    shown = dict(re.findall(r'<input type="hidden" name="(persons)" value="([^"]*)">', page))
    assert client.post(reverse("erasure-confirm"), shown)["Location"] == reverse("erasures")
    hold = ErasureHold.objects.get()
    assert hold.confirmed_by == bertta
    assert AuditEvent.objects.filter(action="CONFIRM_ERASURE", count=312).exists()
    for _ in range(2):
        page = client.get(reverse("erasures")).content.decode()
    assert reverse("erasure-confirm") not in page
    assert "Poisto vahvistettiin" in page


def test_f45_a_receipt_tells_the_services_by_name(client: Client, bertta: User, service_a: Service) -> None:
    for service in (service_a.code, "GONE"):
        ErasureReceipt.objects.create(subject=uuid4(), code_hashes=[], services=[service], whole_person=True, rows={})
    client.force_login(bertta)
    page = client.get(reverse("erasures")).content.decode()
    assert service_a.name_fi in page
    assert "GONE" in page


def ask(client: Client, code: str, **more: object) -> str:
    return client.post(reverse("audit-log-inquiry"), {"hetu": code} | more).content.decode()


def test_g47_who_has_looked_at_ones_data_by_any_code_and_after_erasure(client: Client, eeva: User, aino: User) -> None:
    person, other = PersonFactory.create(), PersonFactory.create()
    code, former = code_of(person), new_code()
    SubjectCode.objects.create(code_hash=audit.code_hash(former), subject=person.subject)
    audit.record(access(aino), Action.LIST, subjects=[person.subject, other.subject])
    PersonCode.objects.filter(person=person).delete()
    person.delete()
    client.force_login(eeva)
    for asked in (code, former):
        text = ask(client, asked)
        assert str(Action.LIST.label) in text
        assert str(person.subject) in text
        assert str(other.subject) not in text
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.subjects, event.basis) == ("VIEW_LOG", [person.subject], "inquiry of a person")


def test_g47_of_somebody_unknown_there_are_no_events(client: Client, eeva: User) -> None:
    client.force_login(eeva)
    assert 'class="empty"' in ask(client, new_code())
    assert 'id="id_hetu_error"' in ask(client, "x")
    assert client.get(reverse("audit-log-inquiry"))["Location"] == reverse("audit-log")


def test_g47_the_pages_of_an_inquiry_travel_by_post(client: Client, eeva: User, aino: User) -> None:
    person = PersonFactory.create()
    for _ in range(audit_log.PAGE + 3):
        audit.record(access(aino), Action.VIEW, subjects=[person.subject])
    client.force_login(eeva)
    first = client.post(reverse("audit-log-inquiry"), {"hetu": code_of(person)})
    older = first.context["older"]
    assert f'name="before" value="{older}"' in first.content.decode()
    second = client.post(reverse("audit-log-inquiry"), {"hetu": code_of(person), "before": older})
    assert len(second.context["rows"]) == 3


def test_g46_what_is_found_is_downloaded_and_that_is_an_event(client: Client, eeva: User, aino: User) -> None:
    person, other = PersonFactory.create(), PersonFactory.create()
    audit.record(access(aino), Action.LIST, subjects=[person.subject, other.subject])
    audit.record(access(aino), Action.VIEW, subjects=[other.subject])
    client.force_login(eeva)
    address = reverse("audit-log-download")
    found = b"".join(client.post(address, {"hetu": code_of(person), "form": "csv"})).decode()
    assert str(person.subject) in found
    assert str(other.subject) not in found
    assert str(Action.VIEW.label) + '"' not in found
    every = client.post(address, {"form": "xlsx"})
    assert every["Content-Disposition"] == 'attachment; filename="audit-log.xlsx"'
    texts = [cell.value for row in openpyxl.load_workbook(io.BytesIO(every.content)).active for cell in row]
    assert str(Action.VIEW.label) in texts
    assert "127.0.0.1" in texts
    # Without the code it is not everybody that is downloaded.
    assert client.post(address, {"hetu": "x", "form": "csv"}).status_code == 302
    events = AuditEvent.objects.filter(action="DOWNLOAD_LOG").order_by("pk")
    assert [event.subjects for event in events] == [[person.subject], []]
    assert b"".join(client.post(address, {"hetu": new_code(), "form": "csv"})).count(b"\n") == 1


def test_a_file_of_the_log_has_every_event_once(eeva: User, aino: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "CHUNK", 2)
    for _ in range(5):
        audit.record(access(aino), Action.VIEW, subjects=[uuid4()])
    numbers = [int(row[0]) for row in list(audit_log.download(access(eeva), None, "csv"))[1:]]
    assert numbers == sorted(AuditEvent.objects.filter(action="VIEW").values_list("pk", flat=True), reverse=True)
    monkeypatch.setattr(audit_log, "MOST", 3)
    assert len(list(audit_log.download(access(eeva), None, "csv"))) == 4
