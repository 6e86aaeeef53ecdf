"""``end_clientships`` as an operator calls it: what it says where, and how it exits (outside.md, Commands)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from registry.clock import today
from registry.models import AuditEvent, ErasureHold, Person, Service
from registry.services import restore
from tests import processes
from tests.cast import clerk
from tests.factories import ClientshipFactory, code_of, crowd

pytestmark = pytest.mark.django_db

YESTERDAY, TOMORROW = (today() + timedelta(days=days) for days in (-1, 1))


def test_it_erases_what_is_due_and_tells_the_rows_of_each_table(
    service_a: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd(service_a, 2, end=YESTERDAY)
    stays = ClientshipFactory.create(service=service_a, end=today()).person
    call_command("end_clientships")
    assert capsys.readouterr().out.splitlines() == [
        "registry_clientship: 2 rows",
        "registry_person: 2 rows",
        "registry_personcode: 2 rows",
        "2 persons and 0 ended clientships of persons who stay were erased",
    ]
    assert Person.objects.get() == stays
    event = AuditEvent.objects.get()
    assert (event.action, event.basis, event.username) == ("ERASE", "end_clientships command", "")


def test_with_nothing_due_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("end_clientships")
    assert capsys.readouterr().out == "0 persons and 0 ended clientships of persons who stay were erased\n"


def test_on_acts_as_if_the_day_had_come(service_a: Service) -> None:
    person = ClientshipFactory.create(service=service_a, end=today()).person
    call_command("end_clientships")
    assert Person.objects.get() == person
    call_command("end_clientships", "--on", TOMORROW.isoformat())
    assert not Person.objects.exists()


def test_on_is_refused_outside_demo_mode(settings: Settings, service_a: Service) -> None:
    settings.DEMO = False
    ClientshipFactory.create(service=service_a, end=today())
    with pytest.raises(CommandError, match="demo mode only") as error:
        call_command("end_clientships", "--on", TOMORROW.isoformat())
    assert error.value.returncode == 2
    assert Person.objects.exists()


def test_a_ledger_that_cannot_be_written_is_named(service_a: Service, ledger: Path) -> None:
    crowd(service_a, 1, end=YESTERDAY)
    ledger.mkdir(parents=True)
    with pytest.raises(CommandError, match="not in the ledger yet") as error:
        call_command("end_clientships")
    assert error.value.returncode == 1
    assert str(ledger) in str(error.value)
    assert Person.objects.count() == 1
    ledger.rmdir()
    call_command("end_clientships")
    assert ledger.read_text().count("code_hashes") == 1


def test_f45_exit_1_while_the_register_is_locked(service_a: Service) -> None:
    crowd(service_a, 1, end=YESTERDAY)
    restore.begin(clerk)
    with pytest.raises(CommandError, match="locked after a restore") as error:
        call_command("end_clientships")
    assert error.value.returncode == 1
    assert Person.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_exit_0_and_what_it_did_on_standard_output(service_a: Service, ledger: Path) -> None:
    code = code_of(ClientshipFactory.create(service=service_a, end=today()).person)
    done = processes.run("end_clientships", "--on", TOMORROW.isoformat())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("1 persons and 0 ended clientships of persons who stay were erased\n")
    assert not Person.objects.exists()
    assert ledger.read_text().count("code_hashes") == 1
    assert code not in done.stdout + ledger.read_text()


@pytest.mark.django_db(transaction=True)
def test_exit_1_when_so_many_are_due_that_they_wait(service_a: Service) -> None:
    crowd(service_a, 51, end=YESTERDAY)
    held = processes.run("end_clientships")
    assert (held.returncode, held.stdout) == (1, "")
    assert "51 persons are due for erasure: so many wait for a second person's confirmation" in held.stderr
    assert "Traceback" not in held.stderr
    assert ErasureHold.objects.get().persons == 51
    assert Person.objects.count() == 51


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("mode", "day", "words"),
    [("production", TOMORROW.isoformat(), "for demo mode only"), ("demo", "1.2.2026", "2026-01-31")],
)
def test_exit_2_when_it_is_called_wrongly(service_a: Service, mode: str, day: str, words: str) -> None:
    ClientshipFactory.create(service=service_a, end=today())
    wrong = processes.run("end_clientships", "--on", day, VTJSYNC_MODE=mode)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert words in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert Person.objects.exists()
