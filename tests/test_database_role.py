"""The application's own role in the database: it does everything that the application does, and can change nothing of
the evidence (domain.md G46, docs/operations.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from registry.clock import today
from registry.models import AuditEvent, AuditSeal, Clientship, Person, Requester, Service, User
from registry.services import audit, audit_months, database_role, extracts
from registry.services.protection import check
from tests import evidence
from tests.cast import access, clerk
from tests.engine import world
from tests.factories import ClientshipFactory, UserFactory, code_of
from vtjsync import tasks
from vtjsync.simulator import server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def role() -> Iterator[str]:
    """The name of the role, which the test's own connection has become; at the end it is the owner's again."""
    owner, name = connection.settings_dict["USER"], f"{connection.settings_dict['NAME']}_app"
    call_command("database_role", name, verbosity=0)
    become(name)
    try:
        yield name
    finally:
        become(owner)
        execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


@pytest.fixture
def vtj(settings: Settings, tmp_path: Path) -> Iterator[server.Handle]:
    handle = server.start(population=30, seed=7)
    settings.VTJ_SERVER, settings.VTJ_CLIENT = handle.url, server.CLIENT
    settings.VTJ_USERNAME, settings.VTJ_PASSWORD = server.USERNAME, server.PASSWORD
    settings.VTJ_DEADLINE = 1.0
    settings.ERASURE_LEDGER = tmp_path / "erasure.jsonl"
    yield handle
    handle.stop()


def given_an_extract() -> None:
    """An auditor gives somebody the own extract of the log."""
    who, code = access(UserFactory.create(roles=["auditor"])), code_of(Person.objects.all()[0])
    told = {"requester": Requester.CLIENT, "reference": "1", "since": today(), "until": today()}
    made = extracts.begin(who, code, **told)
    extracts.decide_lines(who, made.pk, {1: ("GIVE", "")})
    extracts.release(who, made.pk)


def become(user: object) -> None:
    connection.close()
    connection.settings_dict["USER"] = user


def as_owner(role: str, sql: str) -> None:
    (owner,) = execute("SELECT tableowner FROM pg_tables WHERE tablename = 'registry_person'")[0]
    become(owner)
    execute(sql)
    become(role)


def execute(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_g46_everything_that_the_application_does_works(
    role: str, vtj: server.Handle, service_a: Service, aino: User, client: Client
) -> None:
    assert execute("SELECT current_user") == [(role,)]
    world.clients(vtj.codes(5))
    assert tasks.sync() == "COMPLETE"
    vtj.happen("moved_in_municipality", vtj.codes(5)[0])
    assert tasks.sync() == "COMPLETE"
    assert tasks.reconcile_nightly() in {"COMPLETE", "NOT_DUE"}
    ClientshipFactory.create(service=service_a)
    aino.set_password("neljä-tuulta-8")
    aino.save()
    client.post(reverse("sign-in"), {"username": "aino", "password": "neljä-tuulta-8"})
    assert client.get(reverse("clients")).status_code == 200
    given_an_extract()
    Clientship.objects.update(end=today() - timedelta(days=1))
    call_command("end_clientships")
    assert not Person.objects.exists()
    assert not check.run(clerk).findings
    tasks.keep_audit_log()
    call_command("verify_audit")
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"SIGN_IN", "LIST", "ASK_BASIC_DATA", "ERASE", "VERIFY_PROTECTION", "VERIFY_AUDIT"} <= actions


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE registry_auditevent SET action = 'x'",
        "DELETE FROM registry_auditevent",
        "TRUNCATE registry_auditevent",
        "ALTER TABLE registry_auditevent DISABLE TRIGGER audit_append_only",
        "ALTER TABLE registry_auditevent DISABLE TRIGGER ALL",
        "DROP TABLE registry_auditevent",
        "DROP TRIGGER audit_append_only ON registry_auditevent",
        "ALTER TABLE registry_auditevent DETACH PARTITION {month}",
        "UPDATE {month} SET action = 'x'",
        "DELETE FROM {month}",
        "TRUNCATE {month}",
        "DROP TABLE {month}",
        "INSERT INTO {month} SELECT * FROM {month}",
        "UPDATE registry_auditseal SET number = 5",
        "DELETE FROM registry_auditseal",
        "UPDATE registry_subjectcode SET key_id = 'x'",
        "DELETE FROM registry_subjectcode",
        "UPDATE registry_audithold SET reason = 'x'",
        "DELETE FROM registry_audithold",
        "UPDATE registry_logextract SET reference = 'x'",
        "SET session_replication_role = replica",
        "SELECT registry_audit_make_month('2019-01-01')",
        "SELECT registry_audit_go_on()",
        "CREATE OR REPLACE FUNCTION registry_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE TABLE anything ()",
        "DELETE FROM django_migrations",
    ],
)
def test_g46_what_it_cannot_do(role: str, sql: str) -> None:
    audit.record(clerk, audit.Action.VIEW)
    month = evidence.tables()[1]
    with pytest.raises(ProgrammingError) as error:
        execute(sql.format(month=month))
    assert isinstance(error.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_g46_a_setting_of_the_session_puts_nothing_off(role: str) -> None:
    audit.record(clerk, audit.Action.VIEW)
    execute("SET pgtrigger.ignore = '{audit_append_only,append_only}'")
    with pytest.raises(ProgrammingError):
        execute("DELETE FROM registry_auditevent")


@pytest.fixture
def january_2020() -> Iterator[None]:
    """A month whose time is over."""
    execute("SELECT registry_audit_make_month('2020-01-01')")
    evidence.allow_truncate()
    evidence.event(action="VIEW", at=datetime(2020, 1, 15, tzinfo=UTC))
    yield
    execute("DROP TABLE IF EXISTS registry_auditevent_2020_01")


def test_g46_it_makes_and_removes_months_lawfully(january_2020: None, role: str) -> None:
    last = audit_months.months()[-1].replace("-", "_")
    as_owner(role, f"DROP TABLE registry_auditevent_{last}")
    evidence.seal()
    assert audit_months.drop_due(clerk) == ["2020-01"]
    assert AuditSeal.objects.filter(dropped__month="2020-01").exists()
    assert audit_months.make_ahead() == 1
    # The proof of domain.md E40 looks at each table by itself.
    assert execute(f"TABLE registry_auditevent_{last}") == []
    as_owner(role, f"ALTER TABLE registry_auditevent_{last} DISABLE TRIGGER audit_no_truncate")


def test_it_can_be_granted_again_after_a_migration(role: str) -> None:
    with pytest.raises(CommandError, match="run this as the owner") as error:
        call_command("database_role", role)
    assert error.value.returncode == 2
    owner = execute("SELECT tableowner FROM pg_tables WHERE tablename = 'registry_person'")[0][0]
    become(owner)
    call_command("database_role", role, verbosity=0)
    with pytest.raises(CommandError, match="rights would not bind it") as error:
        call_command("database_role", str(owner))
    assert error.value.returncode == 2


def test_g49_what_fails_with_it_leaves_no_values_in_the_log_of_the_database(role: str) -> None:
    told = {name: execute(f"SHOW {name}")[0][0] for name in database_role.SETTINGS}
    assert told == {
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
