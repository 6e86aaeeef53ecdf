"""The one function that writes the audit log, and the keyed hash that leads into it (domain.md G46, G47)."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from registry.models import AuditEvent, User
from registry.policies import Access
from registry.services import audit, users
from registry.services.audit import Action, code_hash
from tests.cast import clerk
from tests.factories import new_code

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]


def test_g46_who_when_what_whom_why_from_where_and_with_what_outcome(aino: User) -> None:
    subjects, before = [uuid4(), uuid4()], timezone.now()
    who = Access(aino, "client's page", "192.0.2.7")
    audit.record(who, Action.VIEW, subjects=iter(subjects), outcome="refused", details={"service": "KOTI", "run": 3})
    event = AuditEvent.objects.get()
    assert (event.user_id, event.username, event.action) == (aino.pk, "aino", "VIEW")
    assert (event.subjects, event.count) == (subjects, 2)
    assert (event.basis, event.origin, event.outcome) == ("client's page", "192.0.2.7", "refused")
    assert event.details == {"service": "KOTI", "run": 3}
    assert before - timedelta(minutes=1) < event.at <= timezone.now()


def test_g46_a_command_is_nobody_and_tells_its_name() -> None:
    audit.record(clerk, Action.EXPORT)
    event = AuditEvent.objects.get()
    assert (event.user_id, event.username, event.basis, event.origin) == (None, "", "command", "")
    assert (event.subjects, event.count, event.outcome, event.details) == ([], 0, "done", {})


def test_g46_a_bulk_request_tells_the_number_without_the_subjects() -> None:
    audit.record(clerk, Action.ASK_CHANGES, count=9000, details={"run": 1, "cohort": 2})
    event = AuditEvent.objects.get()
    assert (event.count, event.subjects) == (9000, [])


def test_g46_the_event_outlives_the_account(aino: User) -> None:
    audit.record(Access(aino, "test"), Action.VIEW)
    number = aino.pk
    aino.delete()
    event = AuditEvent.objects.get()
    assert (event.user_id, event.username) == (number, "aino")


def test_g46_the_event_and_the_act_are_one_transaction() -> None:
    with transaction.atomic():
        audit.record(clerk, Action.IMPORT)
        assert AuditEvent.objects.exists()
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_g46_no_event_no_act(aino: User) -> None:
    """Whoever writes and cannot log has written nothing."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE registry_auditevent ADD CONSTRAINT is_full CHECK (action <> 'CREATE_USER')")
    try:
        with pytest.raises(Exception, match="is_full"):
            users.create(clerk, "bertta", "neljä-tuulta-8", [])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE registry_auditevent DROP CONSTRAINT is_full")
    assert User.objects.get() == aino


def test_g47_the_hash_is_keyed_and_of_the_whole_code(settings: Settings) -> None:
    code, other = new_code(), new_code()
    assert len(code_hash(code)) == 32
    assert code_hash(code) == code_hash(code) != code_hash(other)
    before = code_hash(code)
    settings.AUDIT_KEY = "another-key-of-the-audit-log-for-tests"
    assert code_hash(code) != before


def test_g46_the_log_is_written_by_this_one_function() -> None:
    writes = re.compile(r"AuditEvent(\.objects\.(create|bulk_create)|\()|INTO registry_auditevent")
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("registry", "vtjsync")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts and "models" not in path.parts and writes.search(path.read_text())
    ]
    assert found == ["registry/services/audit.py"]
