"""The proof finds a leak in every kind of place, and tells where and never what (domain.md E40)."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from registry.models import AuditEvent, Person, Provider
from registry.models.person import LOCATION_COLUMNS
from registry.policies import Access
from registry.services.audit import Action
from registry.services.protection import check
from registry.sessions import SessionStore
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    ForeignAddressFactory,
    PersonFactory,
    ProblemFactory,
    code_of,
    pair,
)

pytestmark = pytest.mark.django_db

SECRET = "Salapolku 17"
PLACE = {"katunimi": {"fi": SECRET}}
CLERK = Access(None, "test")


@pytest.fixture(autouse=True)
def var(settings: Any, tmp_path: Path) -> Path:
    """The program's own folder, empty, and its ledger elsewhere."""
    folder = tmp_path / "var"
    folder.mkdir()
    settings.VAR_DIR, settings.ERASURE_LEDGER = folder, tmp_path / "ledger.jsonl"
    return folder


@pytest.fixture
def daniels(var: Path) -> Person:
    """Somebody protected, among others who are not."""
    other: Person = PersonFactory.create(home=True)
    ForeignAddressFactory.create(person=other)
    AppliedChangeFactory.create(person=other, field="home", old_value="Vanhatie 1")
    return PersonFactory.create(protected=True)  # type: ignore[no-any-return]


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


@pytest.fixture
def unguarded(db: None) -> None:
    """A database that has lost what guards it; it comes back with the end of the test's transaction."""
    guarded = ("registry_person", "registry_foreignaddress", "registry_appliedchange")
    execute(
        "SET CONSTRAINTS ALL IMMEDIATE",
        *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in guarded),
        "ALTER TABLE registry_person DROP CONSTRAINT protected_has_no_location",
        *(f"ALTER TABLE {table} DROP CONSTRAINT {table}_of_unprotected" for table in guarded[1:]),
    )


def found(*strings: str, folders: tuple[Path, ...] = ()) -> set[str]:
    report = check.run(CLERK, strings, folders)
    assert SECRET not in "".join(map(str, report.findings))
    return {one.where for one in report.findings}


def test_e40_nothing_is_found_where_nothing_is(daniels: Person) -> None:
    ClientshipFactory.create(person=daniels, reference="A-17")
    report = check.run(CLERK)
    assert report.findings == []
    assert (report.protected, report.tables > 20, report.columns > 200) == (1, True, True)
    event = AuditEvent.objects.get(action=Action.VERIFY_PROTECTION)
    assert (event.count, event.outcome) == (1, "done")


@pytest.mark.parametrize("column", LOCATION_COLUMNS)
def test_e40_in_a_column_of_the_person(daniels: Person, unguarded: None, column: str) -> None:
    number = column.endswith("precision")
    day = column in {"home_start", "municipality_moved_in"}
    value = "3" if number else "'2020-01-01'" if day else f"'{SECRET}'"
    execute(f"UPDATE registry_person SET {column} = {value} WHERE id = {daniels.pk}")  # noqa: S608
    assert found() == {f"registry_person.{column}"}


def test_e40_in_an_address_abroad(daniels: Person, unguarded: None) -> None:
    ForeignAddressFactory.create(person=daniels, street=SECRET, locality=None, country_code=None)
    assert found() == {"registry_foreignaddress.street"}


def test_e40_in_the_log_of_changes_even_as_a_bare_fact(daniels: Person, unguarded: None) -> None:
    AppliedChangeFactory.create(person=daniels, field="municipality", old_value=None, new_value=None)
    assert found() == {"registry_appliedchange.field"}


def test_e40_in_words_about_the_person(daniels: Person) -> None:
    ProblemFactory.create(person=daniels, note=json.dumps(PLACE))
    ProblemFactory.create(person=PersonFactory.create(), note=json.dumps(PLACE))
    assert found() == {"registry_problem.note"}


def test_e40_in_a_problem_of_another_person(daniels: Person) -> None:
    pair(PersonFactory.create(protected=True), daniels, note=str(PLACE))
    assert found() == {"registry_problem.note"}


def test_e40_in_words_about_nobody(daniels: Person) -> None:
    AuditEvent.objects.create(action="VIEW", details=PLACE)
    (where,) = found()
    assert re.fullmatch(r"registry_auditevent_\d{4}_\d{2}\.details", where)


def test_e40_in_a_table_that_no_model_knows(daniels: Person) -> None:
    execute(
        "CREATE TABLE old_copy (who bigint REFERENCES registry_person (id), katuosoite text)",
        f"INSERT INTO old_copy SELECT id, '{SECRET}' FROM registry_person",  # noqa: S608
    )
    report = check.run(CLERK)
    assert [str(one) for one in report.findings] == ["old_copy.katuosoite: a place of a protected person (1)"]


def test_e40_in_what_the_planner_samples(daniels: Person) -> None:
    """The samples are taken of whoever is there, and outlive what they were taken of."""
    execute("ANALYZE registry_person")
    assert found() == set()
    execute("ALTER TABLE registry_person ALTER home_street_fi SET STATISTICS 100", "ANALYZE registry_person")
    PersonFactory.create_batch(3, home=True)
    execute("ANALYZE registry_person")
    assert found() == {"pg_stats of registry_person.home_street_fi"}


def queued(told: object) -> None:
    payload = SignedPackage.dumps({"id": "1", "name": "x", "func": "f", "args": (told,), "kwargs": {}})
    OrmQ.objects.create(key="vtjsync", payload=payload, lock=timezone.now())


def done(**told: object) -> None:
    now = timezone.now()
    Task.objects.create(id="1", name="x", func="f", started=now, stopped=now, success=True, **told)


def in_session(told: object) -> None:
    session = SessionStore()
    session["told"] = told
    session.save()


PAYLOADS: dict[str, Callable[[], None]] = {
    "django_q_ormq.payload": lambda: queued(PLACE),
    "django_q_task.args": lambda: done(args=(PLACE,)),
    "django_q_task.kwargs": lambda: done(kwargs={"told": json.dumps(PLACE)}),
    "django_q_task.result": lambda: done(result=str(PLACE)),
    "registry_session.session_data": lambda: in_session(PLACE),
}


def test_e40_in_bytes(daniels: Person) -> None:
    told = json.dumps(PLACE)
    execute(
        "CREATE TABLE odd (bytes bytea, many bytea[])",
        f"INSERT INTO odd VALUES (convert_to('{told}', 'UTF8'), ARRAY[convert_to('ö {told}', 'UTF8')])",  # noqa: S608
    )
    assert found() == {"odd.bytes", "odd.many"}


def test_e40_in_an_answer_of_vtjkysely(daniels: Person, var: Path) -> None:
    """Its names are others, and it comes as XML."""
    ProblemFactory.create(person=daniels, note=f"<Kotikunta><Kuntanumero>091</Kuntanumero></Kotikunta> {SECRET}")
    (var / "web.log").write_text(f"<vtj:KatuS>{SECRET}</vtj:KatuS>\n")
    assert found() == {"registry_problem.note", "file web.log"}


def test_e40_what_cannot_be_decoded_is_no_proof(daniels: Person, settings: Any) -> None:
    """Broken, or signed with a key that was changed since: the rest is looked at all the same."""
    queued(PLACE)
    OrmQ.objects.update(payload=Concat("payload", Value("x")))
    in_session(PLACE)
    settings.SECRET_KEY = "another key, as long as it must be: 32 letters"
    done(args=(PLACE,))
    report = check.run(CLERK)
    assert {one.where: one.what for one in report.findings} == {
        "django_q_ormq.payload": check.UNREADABLE,
        "registry_session.session_data": check.UNREADABLE,
        "django_q_task.args": check.A_KEY,
    }


@pytest.mark.parametrize("where", PAYLOADS)
def test_e40_in_a_payload(daniels: Person, where: str) -> None:
    PAYLOADS[where]()
    assert found() == {where}
    assert found(SECRET) == {where}


def test_e40_in_a_log_that_names_nobody(daniels: Person, var: Path) -> None:
    (var / "log").mkdir()
    (var / "log" / "web.log").write_text(f"all is well\nERROR {PLACE}\n")
    assert found() == {"file web.log"}


def test_e40_in_a_log_whose_ids_are_nobodys(daniels: Person, var: Path) -> None:
    """An id of a request or of somebody else clears no line: only a code tells that it is about another person."""
    other = Person.objects.exclude(pk=daniels.pk).get()
    (var / "web.log").write_text(f"X-Road-Id {uuid4()}: {PLACE}\nclient {other.subject}: {PLACE}\n")
    report = check.run(CLERK)
    assert [str(one) for one in report.findings] == ["file web.log: a key of a place (2)"]


@pytest.mark.parametrize("name", ["code", "subject"])
def test_e40_in_a_file_that_names_the_person(daniels: Person, tmp_path: Path, name: str) -> None:
    kept = tmp_path / "exports"
    kept.mkdir()
    who = str(code_of(daniels)) if name == "code" else str(daniels.subject)
    (kept / "register.jsonl").write_text(json.dumps({"henkilotunnus": who, **PLACE}) + "\n")
    assert found(folders=(kept,)) == {"file register.jsonl"}


def test_e40_in_a_folder_with_the_name_of_the_database(daniels: Person, var: Path, tmp_path: Path) -> None:
    """Only the files of the program's own database are left out."""
    for folder in (var / "postgres", tmp_path / "log" / "postgres"):
        folder.mkdir(parents=True)
        (folder / f"{folder.parent.name}.log").write_text(f"{PLACE}\n")
    assert found(folders=(tmp_path / "log",)) == {"file log.log"}


def test_e40_a_folder_that_goes_away_meanwhile_is_no_error(daniels: Person, var: Path) -> None:
    (var / "first.log").write_text(f"{PLACE}\n")
    (var / "rotated").mkdir()
    (var / "rotated" / "old.log").touch()
    files = check._below(var, refused := [])
    assert next(files).name == "first.log"
    shutil.rmtree(var / "rotated")
    assert list(files) == refused == []
    assert found() == {"file first.log"}


def test_e40_an_export_of_others_and_of_no_places_is_no_leak(daniels: Person, var: Path) -> None:
    other = Person.objects.exclude(pk=daniels.pk).get()
    lines = [{"henkilotunnus": code_of(other), **PLACE}, {"henkilotunnus": code_of(daniels), "kotikunta": None}]
    (var / "register.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert found() == set()


def test_e40_a_given_string_anywhere(daniels: Person, var: Path) -> None:
    """In words of an unprotected person or of nobody, in bytes, in arrays, in what is sampled, in files."""
    ClientshipFactory.create(reference=f"avain: {SECRET.upper()}")
    Provider.objects.create(business_id="2345601-9", name=SECRET.lower())
    execute(
        "CREATE TABLE odd (bytes bytea, many text[], told jsonb)",
        f"INSERT INTO odd VALUES (convert_to('x {SECRET}', 'UTF8'), ARRAY['x', '{SECRET}'], '[\"{SECRET}\"]')",  # noqa: S608
        "INSERT INTO odd SELECT * FROM odd",
        "ANALYZE odd",
    )
    (var / "notes.txt").write_text(f"{SECRET}\n")
    assert found("something else entirely") == set()
    assert found("something else entirely", SECRET) == {
        "registry_clientship.reference",
        "registry_provider.name",
        *("odd.bytes", "odd.many", "odd.told", "pg_stats of odd.many", "pg_stats of odd.told"),
        "file notes.txt",
    }


def test_e40_nothing_of_what_was_given_is_kept(daniels: Person) -> None:
    check.run(CLERK, [SECRET])
    assert found(SECRET) == set()


def test_the_command_tells_where_and_fails(daniels: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ClientshipFactory.create(reference=SECRET)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("verify_protection", "--values", "-", stdout=out)
    assert error.value.returncode == 1
    assert out.getvalue().splitlines()[0] == "registry_clientship.reference: a given string (1)"
    assert SECRET not in out.getvalue() + str(error.value)


def test_the_command_without_a_finding(daniels: Person) -> None:
    out = io.StringIO()
    call_command("verify_protection", stdout=out)
    assert out.getvalue().endswith("0 places hold what must not be there.\n")


def test_the_command_refuses_a_string_that_is_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Tie\n"))
    with pytest.raises(CommandError) as error:
        call_command("verify_protection", "--values", "-")
    assert error.value.returncode == 2
