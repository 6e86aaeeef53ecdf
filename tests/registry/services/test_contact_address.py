"""The contact address of a protected client (domain.md E39)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from registry.models import AuditEvent, ContactAddress, Opening, Person, Problem, ProblemKind, Service, User
from registry.models.protected import CONTACT_REFUSAL
from registry.policies import Access
from registry.selectors import contacts, problems
from registry.services import contact_address, erasure, export, merging, restore
from registry.services.errors import Refused
from registry.services.export import Options
from registry.services.openings import ReasonNeeded
from registry.services.protection import check
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, PersonFactory, opened, pair

pytestmark = pytest.mark.django_db

SECRET = "Salapolku 17"
TOLD = {"care_of": "Äyräs", "lines": SECRET, "postal_code": "00101", "town": "Mallila", "phone": "", "email": " "}


@pytest.fixture
def person(service_a: Service) -> Person:
    return client(service_a)


def client(service: Service, **more: object) -> Person:
    made: Person = PersonFactory.create(**({"protected": True} | more))
    ClientshipFactory.create(person=made, service=service)
    return made


def keep(user: User, person: Person, **more: str) -> None:
    contact_address.save(access(user), person.subject, TOLD | more, confirmed=True)


def events() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_e39_it_is_kept_changed_seen_and_removed_with_an_event_each(person: Person, daniel: User) -> None:
    keep(daniel, person)
    keep(daniel, person, town="Toila")
    shown = contacts.shown(access(daniel), person)
    assert shown is not None
    assert shown.lines == ("c/o Äyräs", SECRET, "00101 Toila")
    assert shown.entered_by == "Daniel Esimerkki"
    contact_address.remove(access(daniel), person.subject)
    assert contacts.shown(access(daniel), person) is None
    assert events() == ["ADD_CONTACT", "CHANGE_CONTACT", "VIEW_CONTACT", "REMOVE_CONTACT"]
    assert SECRET not in str(list(AuditEvent.objects.values()))
    with pytest.raises(Refused):
        contact_address.remove(access(daniel), person.subject)


def test_e39_it_takes_a_right_of_its_own(person: Person, aino: User, celia: User, daniel: User) -> None:
    keep(daniel, person)
    daniel.groups.get().permissions.remove(*daniel.groups.get().permissions.filter(codename="keep_contact_address"))
    for user in (aino, celia, User.objects.get(pk=daniel.pk)):
        assert contacts.shown(access(user), person) is None
        for act in (lambda: keep(user, person), lambda: contact_address.remove(access(user), person.subject)):  # noqa: B023
            with pytest.raises(PermissionDenied):
                act()
        with pytest.raises(PermissionDenied):
            contacts.page(access(user), person.subject)
    assert ContactAddress.objects.count() == 1


def test_e38_to_see_it_a_reason_is_needed(person: Person, daniel: User) -> None:
    with pytest.raises(ReasonNeeded):
        contacts.page(access(daniel), person.subject)
    opened(daniel, person)
    page = contacts.page(access(daniel), person.subject)
    assert page is not None
    assert (page.protected, page.contact) == (True, None)


def test_f45_it_is_not_shown_while_the_register_is_locked(person: Person, daniel: User) -> None:
    keep(daniel, person)
    restore.begin(clerk)
    assert contacts.shown(access(User.objects.get(pk=daniel.pk)), person) is None
    assert not AuditEvent.objects.filter(action="VIEW_CONTACT").exists()


def test_e39_not_without_the_clients_word_that_it_is_not_the_home(person: Person, daniel: User) -> None:
    with pytest.raises(Refused):
        contact_address.save(access(daniel), person.subject, TOLD, confirmed=False)
    with pytest.raises(Refused):
        contact_address.save(access(daniel), person.subject, dict.fromkeys(TOLD, " "), confirmed=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactAddress.objects.create(person=person, town="Mallila", confirmed_not_home=False)
    assert not ContactAddress.objects.exists()


def test_e39_only_of_somebody_protected_whatever_writes_it(service_a: Service, daniel: User) -> None:
    person = client(service_a, protected=False)
    with pytest.raises(Refused):
        keep(daniel, person)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ContactAddress.objects.create(person=person, lines=SECRET, confirmed_not_home=True)
    assert str(refused.value).startswith(CONTACT_REFUSAL)
    assert SECRET not in str(refused.value)


def test_e39_after_the_ban_it_stays_until_answered_and_cannot_be_changed(person: Person, daniel: User) -> None:
    keep(daniel, person)
    Person.objects.update(protected=False)
    page = contacts.page(access(daniel), person.subject)
    assert page is not None
    assert page.contact is not None
    with pytest.raises(Refused):
        keep(daniel, person, town="Toila")
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactAddress.objects.update(town="Toila")
    contact_address.remove(access(daniel), person.subject)
    assert contacts.page(access(daniel), person.subject) is None


def test_e39_it_is_in_no_export(person: Person, daniel: User, tmp_path: Path) -> None:
    keep(daniel, person)
    file = tmp_path / "out.jsonl"
    assert export.export(clerk, file, Options(protected=True, former=True)) == 1
    text = file.read_text()
    assert json.loads(text)["vakinainen_kotimainen_osoite"] is None
    for word in (SECRET, "00101", "Äyräs"):
        assert word not in text


def test_f43_it_goes_with_the_person_and_the_receipt_counts_it(person: Person, daniel: User) -> None:
    keep(daniel, person)
    assert erasure.count_rows(person.pk)["registry_contactaddress"] == 1
    assert erasure.remove([person.pk])[person.pk]["registry_contactaddress"] == 1


@pytest.mark.parametrize("who", ["survivor", "other", "both"])
def test_d30_it_comes_along_in_a_merge_and_of_two_the_later_one(service_a: Service, daniel: User, who: str) -> None:
    survivor, other = client(service_a), client(service_a)
    if who != "other":
        keep(daniel, survivor, town="Ensin")
    if who != "survivor":
        keep(daniel, other, town="Sitten")
    opened(daniel, other)
    pair(survivor, other)
    token = merging.plan(clerk, survivor.subject, other.subject).token
    merging.merge(clerk, survivor.subject, other.subject, token)
    row = ContactAddress.objects.get()
    assert (row.person_id, row.town) == (survivor.pk, "Ensin" if who == "survivor" else "Sitten")
    assert Opening.objects.get().person_id == survivor.pk


# --- the proof knows that it is lawful here, and only here (domain.md E40)


@pytest.fixture
def var(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir()
    settings.VAR_DIR, settings.ERASURE_LEDGER = folder, tmp_path / "ledger.jsonl"
    return folder


def found(*strings: str) -> set[str]:
    return {one.where for one in check.run(Access(None, "test"), strings).findings}


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_e40_a_contact_address_is_lawful(person: Person, daniel: User, var: Path) -> None:
    keep(daniel, person)
    execute("ANALYZE registry_contactaddress")
    assert found() == set()


def test_e40_the_same_row_in_another_table_is_a_leak(person: Person, daniel: User, var: Path) -> None:
    keep(daniel, person)
    execute(
        "CREATE TABLE contactaddress_old AS SELECT * FROM registry_contactaddress;"
        "ALTER TABLE contactaddress_old ADD FOREIGN KEY (person_id) REFERENCES registry_person (id)"
    )
    assert found() == {"contactaddress_old.postal_code"}


def test_e40_what_vtj_says_has_no_place_beside_it(person: Person, daniel: User, var: Path) -> None:
    keep(daniel, person)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE registry_contactaddress ADD home_street_fi text DEFAULT 'x'")
    assert found() == {"registry_contactaddress.home_street_fi"}


def test_e40_a_home_that_was_written_there_is_found_by_its_words(person: Person, daniel: User, var: Path) -> None:
    keep(daniel, person)
    assert found(SECRET) == {"registry_contactaddress.lines"}


def test_e39_the_question_is_seen_by_those_who_may_keep_one(person: Person, bertta: User) -> None:
    Problem.objects.create(person=person, kind=ProblemKind.CONTACT_ADDRESS)
    (row,) = problems.listed(access(bertta)).rows
    assert (row.kind, row.person) == ("CONTACT_ADDRESS", None)
