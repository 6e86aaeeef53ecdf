"""Another key for the audit log: what the former one made is still verified and found (domain.md G47)."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from registry import ledger, lock
from registry.models import NameCheck, Person, SubjectCode
from registry.selectors import audit_log
from registry.services import audit, audit_check, audit_keys, erasure, name_check, persons, restore
from registry.services.audit import Action
from tests import evidence
from tests.cast import clerk
from tests.factories import ClientshipFactory, PersonFactory, new_code
from tests.registry.services.test_restore import forgotten

NEW = "another-key-of-the-audit-log-for-tests"


def change_key(settings: Settings) -> None:
    settings.AUDIT_KEY, settings.AUDIT_KEY_FORMER = NEW, [settings.AUDIT_KEY, *settings.AUDIT_KEY_FORMER]


@pytest.mark.django_db
def test_g47_who_has_looked_at_ones_data_is_answered_after_another_key(settings: Settings) -> None:
    old, new = new_code(), new_code()
    persons.find_or_create([old])
    subject = SubjectCode.objects.get().subject
    audit.record(clerk, Action.VIEW, subjects=[subject])
    change_key(settings)
    persons.find_or_create([new])
    assert [row.action for row in audit_log.events_of(clerk, old)] == [str(Action.VIEW.label)]
    assert audit_log.events_of(clerk, new) == []
    names = list(SubjectCode.objects.order_by("pk").values_list("key_id", flat=True))
    assert names == [key.id for key in reversed(audit_keys.every())]
    settings.AUDIT_KEY_FORMER = []
    assert audit_log.events_of(clerk, old) == []


@pytest.mark.django_db(transaction=True)
def test_g46_the_chain_goes_on_over_two_changes_of_the_key(settings: Settings) -> None:
    evidence.sealed(2)
    change_key(settings)
    evidence.sealed(2)
    settings.AUDIT_KEY, settings.AUDIT_KEY_FORMER = "third-" + NEW, [NEW, *settings.AUDIT_KEY_FORMER]
    evidence.sealed(2)
    report = audit_check.run(clerk)
    assert (report.findings, report.seals) == ([], 3)
    evidence.tamper("UPDATE registry_auditevent SET origin = 'x' WHERE id = (SELECT min(id) FROM registry_auditevent)")
    assert [one.seal for one in audit_check.run(clerk).findings] == [1]


@pytest.mark.django_db
def test_a_name_that_waits_for_vtjs_answer_is_compared_after_another_key(settings: Settings) -> None:
    person = PersonFactory.create(last_name="Virtanen", first_names="Aino Maria")
    hashes = {"last_name_hash": name_check.name_hash("Virtanen"), "first_names_hash": name_check.name_hash("Maria")}
    NameCheck.objects.create(person=person, **hashes)
    change_key(settings)
    assert name_check.compare([person.pk]) == 0


@pytest.mark.django_db
def test_f45_a_ledger_is_known_and_gone_on_with_after_another_key(settings: Settings) -> None:
    lock.write(ledger.MARK, {})
    change_key(settings)
    assert lock.reason() is None
    lock.write(ledger.MARK, {})
    assert lock.reason() is None
    assert [line.position.number for line in ledger.lines()] == [1, 2]
    settings.AUDIT_KEY_FORMER = []
    with pytest.raises(ledger.Broken):
        list(ledger.lines())


@pytest.mark.django_db(transaction=True)
def test_f45_who_was_erased_is_found_by_code_after_another_key(settings: Settings) -> None:
    """The backup knows the person by another random id: it is of the time when there were two entries."""
    person = ClientshipFactory.create(end=timezone.localdate() - timedelta(days=1)).person
    forgotten(lambda: erasure.run(clerk, timezone.localdate()))
    Person.objects.update(subject=uuid4())
    change_key(settings)
    assert lock.reason() is not None
    assert restore.replay(clerk).persons == 1
    assert not Person.objects.filter(pk=person.pk).exists()


def test_a_key_is_named_and_not_told(settings: Settings) -> None:
    key = audit_keys.current()
    assert len(key.id) == 8
    assert settings.AUDIT_KEY not in repr(key)
    assert audit_keys.current() == key
    change_key(settings)
    assert audit_keys.current().id != key.id
    assert audit_keys.every() == [audit_keys.current(), key]


def test_keys_come_from_files_too_without_the_ends_of_their_lines(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n")
    (tmp_path / "former").write_text("a" * 40 + "\n" + "b" * 40 + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUDIT_KEY")}
    environment |= {
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
        "AUDIT_KEY_FORMER_FILE": str(tmp_path / "former"),
        "DATABASE_URL": "postgres://none@/none",
    }
    code = "from vtjsync import settings as s; print([s.AUDIT_KEY, *s.AUDIT_KEY_FORMER])"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(["k" * 40, "a" * 40, "b" * 40])
