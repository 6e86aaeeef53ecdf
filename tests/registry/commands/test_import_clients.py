"""``import_clients``: what it says and where, its exit codes, and files that are none (outside.md, Import file)."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from registry.clock import today
from registry.models import AuditEvent, Clientship, Person, PersonCode, Service
from registry.services.imports import ENDS_TO_CONFIRM
from tests import processes
from tests.factories import ClientshipFactory, PersonFactory, code_of, new_code

HEADER = "henkilotunnus;palvelu;alkupaiva;loppupaiva;sukunimi"
START = "2026-01-31"
TOMORROW = today() + timedelta(days=1)
KILLS = 6
NOBODY = 65534


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "clients.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    return path


def refused(*arguments: object) -> tuple[int, str]:
    """The exit code and the words of an import that does not end well."""
    with pytest.raises(CommandError) as error:
        call_command("import_clients", *map(str, arguments))
    return error.value.returncode, str(error.value)


# --- what it says


@pytest.mark.django_db
def test_the_report_tells_the_bad_lines_and_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], service_a: Service
) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    known = PersonFactory.create(last_name="Mallinen")
    codes = [code_of(held.person), new_code(), code_of(known), new_code()]
    path = write(
        tmp_path,
        f"{codes[0]};KOTI;{START};{TOMORROW};",
        f"{codes[1]};KOTI;{START};;Esimerkki",
        f"{codes[1]};KOTI;{START};;",
        f"{codes[2]};KOTI;{START};;Toinen",
        f"{codes[3]};MUU;{START};;",
        f"{codes[3][:-1]}?;KOTI;{START};;",
    )
    assert refused(path) == (1, "2 bad lines changed nothing.")
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "line 6, palvelu: no service has this code",
        "line 7, henkilotunnus: not an identity code: its check character is wrong",
        "6 lines: 2 clientships added (1 new persons), 1 ended, 1 the same as before, 2 bad lines",
        "1 persons will be erased by the ends in the file",
        "1 names differ from VTJ's: a problem was opened for each",
    ]


@pytest.mark.django_db
def test_of_very_many_bad_lines_some_are_told_and_the_rest_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], service_a: Service
) -> None:
    path = write(tmp_path, *["x;KOTI;1.1.2026;;"] * 250)
    assert refused(path) == (1, "250 bad lines changed nothing.")
    out = capsys.readouterr().out.splitlines()
    assert (len(out), out[100]) == (103, "… and 150 more bad lines")


@pytest.mark.django_db
def test_many_ends_are_told_before_they_are_confirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], service_a: Service
) -> None:
    number = ENDS_TO_CONFIRM + 1
    held = [ClientshipFactory.create(service=service_a, start=START) for _ in range(number)]
    path = write(tmp_path, *[f"{code_of(one.person)};KOTI;{START};{TOMORROW};" for one in held])
    call_command("import_clients", path, "--dry-run")
    assert f"--confirm-ends {number}" in capsys.readouterr().out
    code, words = refused(path)
    assert (code, f"--confirm-ends {number}" in words) == (1, True)
    assert refused(path, "--confirm-ends", number - 1)[0] == 1
    assert not Clientship.objects.exclude(end=None).exists()
    call_command("import_clients", path, "--confirm-ends", str(number))
    assert Clientship.objects.filter(end=TOMORROW).count() == number


@pytest.mark.django_db
def test_e36_what_the_database_refuses_is_told_without_a_value(tmp_path: Path, service_a: Service) -> None:
    code = new_code()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE registry_personcode ADD CONSTRAINT none_today CHECK (hetu = '')")
    assert refused(write(tmp_path, f"{code};KOTI;{START};;")) == (
        1,
        "the database refused the write (23514). Nothing was written.",
    )


# --- files that are none


@pytest.mark.django_db
def test_what_is_no_such_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.csv") == (2, f"{tmp_path / 'nothing.csv'}: No such file or directory")
    assert refused(tmp_path) == (2, f"{tmp_path}: Is a directory")
    assert refused(write(tmp_path, header="")) == (2, "The first line is empty. It has to name the columns.")
    assert refused("/dev/zero")[0] == 2


@pytest.mark.django_db
def test_a_file_of_two_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path)
    with path.open("r+b") as file:
        file.truncate(2_000_000_000)
    began = time.monotonic()
    assert refused(path) == (2, "The file is larger than 200 megabytes.")
    assert time.monotonic() - began < 1


@pytest.mark.django_db
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.chmod(0)
    with as_nobody():
        assert refused(path) == (2, f"{path}: Permission denied")


@contextmanager
def as_nobody() -> Iterator[None]:
    """For whom file modes hold: they do not for root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# --- as a process


@pytest.mark.django_db(transaction=True)
def test_the_exit_codes_of_the_process(tmp_path: Path, service_a: Service) -> None:
    good, other = new_code(), new_code()
    path = write(tmp_path, f"{good};KOTI;{START};;", f"{other};KOTI;{START};{START};")
    for options in (("--dry-run",), ()):
        done = processes.run("import_clients", str(path), *options)
        assert done.returncode == 1
        assert "line 3, loppupaiva: a new clientship that has ended already" in done.stdout
        assert done.stderr.strip() == "CommandError: 1 bad lines changed nothing."
        assert not any(code in done.stdout + done.stderr for code in (good, other))
        assert Person.objects.count() == (0 if options else 1)
    path = write(tmp_path, f"{good};KOTI;{START};;")
    for options in (("--dry-run",), ()):
        done = processes.run("import_clients", str(path), *options)
        assert (done.returncode, done.stderr) == (0, "")
    for arguments in ((), (str(path), "--confirm-ends", "some"), (str(path), "--no-such"), (str(tmp_path),)):
        done = processes.run("import_clients", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
    path.write_bytes(path.read_bytes().replace(b";KOTI", b"\xff"))
    done = processes.run("import_clients", str(path))
    assert (done.returncode, good in done.stderr) == (2, False)
    assert PersonCode.objects.get().hetu == good


@pytest.mark.django_db(transaction=True)
def test_while_one_import_is_under_way_another_ends_at_once(tmp_path: Path, service_a: Service) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = write(tmp_path, f"{new_code()};KOTI;{START};;")
    first = processes.start("import_clients", str(pipe))
    try:
        with pipe.open("w") as file:
            file.write(f"{HEADER}\n{new_code()};KOTI;{START};;\n")
            file.flush()
            wait_for_lock()
            second = processes.run("import_clients", str(path))
            assert second.returncode == 1
            assert second.stderr.strip() == "CommandError: Another import is under way. Try again when it has ended."
        assert first.wait(30) == 0
    finally:
        first.kill()
        first.communicate()
    assert Person.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_has_written_all_or_nothing(tmp_path: Path, service_a: Service) -> None:
    dice = random.Random(6)
    held = [ClientshipFactory.create(service=service_a, start=START) for _ in range(ENDS_TO_CONFIRM)]
    lines = [f"{code_of(one.person)};KOTI;{START};{TOMORROW};" for one in held]
    lines += [f"{new_code()};KOTI;{START};;Mallinen" for _ in range(5_000)]
    path = write(tmp_path, *lines)
    for _ in range(KILLS):
        process = processes.start("import_clients", str(path))
        wait_for_lock()
        time.sleep(dice.uniform(0, 1))
        process.kill()
        process.communicate()
        done = process.returncode == 0
        wait_for_lock(free=True)
        state = {
            Person.objects.count() - len(held),
            Clientship.objects.filter(end=None).count(),
            len(lines) - len(held) if AuditEvent.objects.exists() else 0,
        }
        assert state in ({0, len(held)}, {len(lines) - len(held)}), "half of it was written"
        assert done is False or state == {len(lines) - len(held)}
    assert processes.run("import_clients", str(path)).returncode == 0
    assert Clientship.objects.filter(end=None).count() == len(lines) - len(held)
    assert Clientship.objects.exclude(end=None).count() == len(held)


def wait_for_lock(*, free: bool = False) -> None:
    """Until an import has begun, or, when it was killed, until the database has noticed."""
    for _ in range(2000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            if bool(cursor.fetchone()[0]) is not free:
                return
        time.sleep(0.01)
    pytest.fail("the import's lock is not there, or does not go")
