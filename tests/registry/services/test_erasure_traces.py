"""What is left of somebody erased, and who comes back (domain.md A3, F43, G47, H55)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from registry.clock import today
from registry.hetu import Hetu
from registry.models import AuditEvent, EndReason, Person, PersonCode, ProblemKind, Service, SubjectCode, User
from registry.names import name_key
from registry.selectors import audit_log
from registry.services import clients, codes, erasure, imports
from registry.services.audit import code_hash
from registry.services.export import Options, export
from registry.services.problems import open_problems
from tests.cast import access, clerk
from tests.engine import world
from tests.factories import ClientshipFactory, ForeignAddressFactory, new_code
from tests.reading.rows import home, name, old_home
from tests.traces import tables_holding

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

NAMES = ("Mallinen", "Aino Maria", "Uusinen", name_key("Mallinen", "Aino Maria"))
PLACES = ("Vanhatie", "Uusitie", "Kungsgatan")
REFERENCE = "päätös-4711"


@dataclass(frozen=True)
class Life:
    """Somebody whom everything in the program has touched, and the texts that tell of them."""

    person: Person
    codes: tuple[Hetu, Hetu]

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.codes, *NAMES, *PLACES, REFERENCE)


@pytest.fixture
def lived(client: Client, aino: User, daniel: User, service_a: Service, tmp_path: Path) -> Life:
    """A client imported with names, synced, corrected, moved, looked at, searched, exported and ended."""
    old, new = new_code(), new_code()
    row = f"{old};{service_a.code};2026-01-01;{REFERENCE};Mallinen;Aino Maria"
    text = f"henkilotunnus;palvelu;alkupaiva;viite;sukunimi;etunimet\n{row}\n"
    imports.run(clerk, io.BytesIO(text.encode()), day=today())
    person = PersonCode.objects.get(hetu=old).person
    cohort, run = world.cohort(), world.run()
    world.answer(world.entry(old, name(None, "Mallinen"), old_home(None), at=None), asked=[world.ask_of(person)])
    codes.replace_codes({person.pk: new}, {})
    world.Enrolment.objects.get_or_create(person=person, defaults={"cohort": cohort})
    moved = (name("LISATTY", "Uusinen"), home("LISATTY"), old_home("MUUTETTU"))
    world.apply_page(run, cohort, world.entry(person, *moved))
    ForeignAddressFactory.create(person=person)
    open_problems([(person.pk, ProblemKind.UNREADABLE, None)])
    for user in (aino, daniel):
        client.force_login(user)
        assert "Uusinen" in client.get(reverse("client", args=[person.subject])).content.decode()
        assert new in client.post(reverse("client-code", args=[person.subject])).content.decode()
        for words in (new, "Uusi"):
            assert "Uusinen" in client.post(reverse("client-search"), {"q": words}).content.decode()
    client.post(reverse("client-add"), {"hetu": old, "service": service_a.pk, "start": "1.1.2026"})
    export(clerk, tmp_path / "export.jsonl", Options(protected=True, former=True))
    return Life(person, (old, new))


def sample() -> None:
    """The planner looks at what the columns hold, of this person and a few others."""
    for number in range(3):
        ClientshipFactory.create(reference=f"muu-{number}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def erase(person: Person) -> None:
    """Everything that the person has ends, and the day of the erasure comes."""
    for one in person.clientships.filter(end=None):
        clients.end(clerk, one, end=today(), reason=EndReason.MOVED)
    erasure.run(clerk, today() + timedelta(days=1))
    assert not Person.objects.filter(pk=person.pk).exists()


def test_f43_no_code_no_name_and_no_place_is_left_in_any_table(lived: Life, ledger: Path) -> None:
    telling = {"registry_person", "registry_personcode", "registry_clientship", "registry_foreignaddress"}
    # PostgreSQL may have taken samples by itself already.
    holding = {place for place in tables_holding(lived.texts) if not place.startswith("samples of ")}
    assert holding == telling | {"registry_appliedchange"}
    sample()
    sampled = {"registry_person", "registry_personcode", "registry_clientship", "person_by_name_part"}
    assert tables_holding(lived.texts) >= {f"samples of {table}" for table in sampled}
    erase(lived.person)
    assert tables_holding(lived.texts) == set()
    assert not [text for text in lived.texts if text in ledger.read_text(encoding="utf-8")]


def test_g47_who_looked_is_still_answered_by_any_code_after_the_erasure(lived: Life, eeva: User) -> None:
    erase(lived.person)
    expected = {"SEARCH", "VIEW", "SHOW_CODE", "IMPORT", "EXPORT", "END_CLIENTSHIP", "ERASE"}
    for code in lived.codes:
        rows = audit_log.events_of(access(eeva), code)
        assert {str(one.subjects) for one in rows} == {str((str(lived.person.subject),))}
        told = {event.action for event in AuditEvent.objects.filter(pk__in=[one.number for one in rows])}
        assert told >= expected
        assert {"aino", "daniel"} <= {one.user for one in rows}


def test_a3_who_comes_back_is_a_new_person_of_whom_nothing_is_known(lived: Life, service_a: Service) -> None:
    before = lived.person
    erase(before)
    again = clients.add(clerk, hetu=lived.codes[0], service=service_a, start=today()).person
    assert again.subject != before.subject
    assert again.pk != before.pk
    assert (again.status, again.last_name, again.basic_data_at, again.version) == ("AWAITING", None, None, 0)
    assert [code.hetu for code in again.codes.all()] == [lived.codes[0]]
    assert not again.applied_changes.exists()
    assert not again.problems.exists()
    assert clients.add(clerk, hetu=lived.codes[1], service=service_a, start=today()).person != again


def test_g47_the_log_of_both_lives_is_found_by_the_code(lived: Life, service_a: Service, eeva: User) -> None:
    erase(lived.person)
    again = clients.add(clerk, hetu=lived.codes[1], service=service_a, start=today()).person
    subjects = {one for row in audit_log.events_of(access(eeva), lived.codes[1]) for one in row.subjects}
    assert subjects == {str(lived.person.subject), str(again.subject)}


def test_h55_not_the_person_leaves_no_code_and_no_name_either(aino: User, service_a: Service) -> None:
    code, cohort = new_code(), world.cohort()
    made = clients.add(access(aino), hetu=code, service=service_a, start=date(2026, 1, 1), reference=REFERENCE)
    rows = (name(None, "Mallinen"), home(None))
    world.answer(world.entry(code, *rows, at=None), asked=[world.ask_of(made.person)], into=cohort)
    texts = (code, *NAMES, *PLACES, REFERENCE)
    sample()
    assert tables_holding(texts) >= {"registry_person", "samples of registry_personcode"}
    clients.mistaken(access(aino), made)
    assert not [table for table in tables_holding(texts) if not table.startswith("samples")]
    # The samples are taken anew by the hourly run.
    erasure.run(clerk, today())
    assert tables_holding(texts) == set()
    assert AuditEvent.objects.filter(action="NOT_THE_PERSON", subjects=[made.person.subject]).exists()
    assert SubjectCode.objects.get(code_hash=code_hash(code)).subject == made.person.subject
