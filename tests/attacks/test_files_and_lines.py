"""What harm can come by a file's name, by an answer of VTJ's side, or by a line of the log."""

from __future__ import annotations

import gzip
import io
import logging
import os
import re
import tracemalloc
import zlib
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from registry.services import export
from tests.factories import ClientshipFactory, PersonFactory, new_code
from tests.wire.conftest import CLIENT, SERVICE
from tests.wire.server import Reply, Server
from vtjsync.logs import Json, WithoutTexts
from vtjsync.wire.errors import VtjError
from vtjsync.wire.muutosrajapinta import Muutosrajapinta
from vtjsync.wire.xroad import XRoadClient

MEGABYTE = 2**20

# --- an answer that grows


def asked(reply: Reply, **more: object) -> tuple[BaseException | None, int]:
    """The error of a question that is answered so, and the most memory that it took."""
    server = Server()
    server.replies = [reply]
    options = {"server": server.url, "client": CLIENT, "service": SERVICE, "sleep": lambda _seconds: None}
    with server.running():
        client = XRoadClient(**{**options, "attempts": 1, **more})  # type: ignore[arg-type]
        tracemalloc.start()
        try:
            Muutosrajapinta(client).basic_data([new_code()])
            return None, tracemalloc.get_traced_memory()[1]
        except VtjError as error:
            return error, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            client.close()


def bomb(megabytes: int) -> bytes:
    """So much of nothing, in a thousandth of it."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(megabytes)) + packer.flush()


BOMB = bomb(300)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_that_unpacks_to_gigabytes_stops_at_the_bound(status: int, times: int) -> None:
    """Nothing that is packed was asked for; whoever sends it is read up to the bound and no further."""
    body = BOMB if times == 1 else gzip.compress(BOMB)
    headers = {"Content-Encoding": ", ".join(["gzip"] * times), "Content-Type": "application/json"}
    error, most = asked(Reply(status=status, body=body, headers=headers), max_body=8 * MEGABYTE)
    assert isinstance(error, VtjError)
    assert most < 40 * MEGABYTE


DEEP = 200_000
BODIES = {
    "lists in lists": b"[" * DEEP,
    "objects in objects": b'{"perustiedot":' * DEEP,
    "deep inside a person": b'{"perustiedot":[{"henkilotunnus":"131052-908T","tietoryhmat":[' + b"[" * DEEP,
    "deep inside, and whole": b'{"perustiedot":[{"henkilotunnus":"131052-908T","tietoryhmat":[{"tietoryhma":"X","a":'
    + b"[" * DEEP
    + b"]" * DEEP
    + b"}]}]}",
    "a number of a million digits": b'{"perustiedot":' + b"9" * 10**6 + b"}",
    "an exponent": b'{"perustiedot":1e999999999}',
    "a key a million times": b'{"a":1' + b',"a":1' * 10**5 + b"}",
}


@pytest.mark.parametrize("what", BODIES)
def test_an_answer_of_a_strange_shape_is_an_answer_that_cannot_be_read(what: str) -> None:
    error, _ = asked(Reply(body=BODIES[what], headers={"Content-Type": "application/json"}))
    assert isinstance(error, VtjError)


# --- files


@pytest.mark.django_db
def test_an_export_follows_no_link_and_takes_nobodys_file_over(service_a: object, tmp_path: Path) -> None:
    ClientshipFactory.create(service=service_a, person=PersonFactory.create(home=True))
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    theirs.chmod(0o666)
    link = tmp_path / "register.jsonl"
    link.symlink_to(theirs)
    # Somebody waits with a link of the name under which the file is written first.
    part = tmp_path / f".register.jsonl.{os.getpid()}.part"
    part.symlink_to(theirs)
    with pytest.raises(CommandError):
        call_command("export_register", str(link), stdout=io.StringIO())
    assert theirs.read_text() == "precious"
    part.unlink(missing_ok=True)
    call_command("export_register", str(link), stdout=io.StringIO())
    assert (theirs.read_text(), link.is_symlink()) == ("precious", False)
    assert link.stat().st_mode & 0o777 == 0o600
    open_file = tmp_path / "open.jsonl"
    open_file.touch(0o666)
    open_file.chmod(0o666)
    call_command("export_register", str(open_file), stdout=io.StringIO())
    assert open_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_the_file_is_never_open_to_others_while_it_is_written(
    service_a: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ClientshipFactory.create(service=service_a)
    seen: list[int] = []
    lines = export.lines

    def watched(options: export.Options) -> object:
        seen.extend(one.stat().st_mode & 0o777 for one in tmp_path.iterdir())
        return lines(options)

    monkeypatch.setattr(export, "lines", watched)
    before = os.umask(0)
    try:
        call_command("export_register", str(tmp_path / "register.jsonl"), stdout=io.StringIO())
    finally:
        os.umask(before)
    assert seen == [0o600]


OUTSIDE = [
    "../vtjsync/settings.py",
    "..%2fvtjsync/settings.py",
    "%2e%2e/vtjsync/settings.py",
    "..%5cvtjsync%5csettings.py",
    "....//vtjsync/settings.py",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "../.env",
    "../var/demo.env",
    "register.css/../../vtjsync/settings.py",
    "register.css%00.py",
    "file:///etc/passwd",
    "",
    ".",
    "..",
]


@pytest.mark.django_db
@pytest.mark.parametrize("path", OUTSIDE)
def test_no_file_but_those_of_the_pages_is_served(path: str) -> None:
    client = Client(raise_request_exception=False)
    answer = client.generic("GET", f"/static/{path}")
    told = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code in {301, 302, 400, 404}, path
    assert b"SECRET_KEY" not in told
    assert b"root:" not in told


@pytest.mark.parametrize("command", ["import_clients", "load_setup", "verify_audit --seals"])
@pytest.mark.parametrize("kind", ["a folder", "a loop", "a name with control characters", "nothing"])
@pytest.mark.django_db
def test_a_file_that_is_none_is_refused_in_words(command: str, kind: str, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    path = {"a folder": tmp_path, "a loop": loop, "a name with control characters": tmp_path / "a\nb\x1b[2J"}
    name, *options = command.split()
    with pytest.raises(CommandError) as error:
        call_command(name, *options, str(path.get(kind, tmp_path / "nothing")), stdout=io.StringIO())
    assert error.value.returncode == 2


# --- the log

FORGED = "x\n2026-11-25 12:00:00,000 ERROR vtjsync.alarms [-]: alarm is over\r\n\x1b[2J\x1b]0;x\x07\u2028\x85y"


@pytest.mark.parametrize("form", [WithoutTexts("%(asctime)s %(levelname)s %(message)s"), Json()], ids=["plain", "JSON"])
@pytest.mark.parametrize("how", ["argument", "message", "request"])
def test_nothing_that_is_logged_makes_a_line_of_its_own(form: logging.Formatter, how: str) -> None:
    told = ("%s", (FORGED,)) if how == "argument" else (FORGED.replace("%", "%%"), ())
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, *told, None)
    line = form.format(record)
    first, *more = line.splitlines()
    assert not [one for one in more if one and not one.startswith(" ")]
    assert "\x1b" not in line
    assert "\x07" not in line
    assert first


@pytest.mark.django_db
def test_an_address_with_an_end_of_line_in_it_is_one_line_of_the_log(client: Client) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(WithoutTexts("%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"))
    django = logging.getLogger("django")
    django.addHandler(handler)
    try:
        client.get("/no%0A2026-11-25 12:00:00,000 ERROR vtjsync [-]: forged%1b[2J")
        client.get("/", SERVER_NAME="x\nERROR forged")
        Client(enforce_csrf_checks=True).post(reverse("sign-in") + "?a=%0AERROR forged", headers={"Referer": "a\nb"})
        Client(enforce_csrf_checks=True).post("/\n2026 ERROR forged", {"username": "a\n2026 ERROR forged"})
    finally:
        django.removeHandler(handler)
    told = [line.partition("forged")[0] for line in stream.getvalue().splitlines() if "forged" in line]
    assert len(told) >= 3
    assert all(re.match(r"\d{4}-.* django\.", one) for one in told), told
    assert "\x1b" not in stream.getvalue()
