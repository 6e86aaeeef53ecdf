"""The log on standard error: enough for a night on call, and nothing of a person (domain.md G49)."""

from __future__ import annotations

import io
import json
import logging
import signal
import time
from collections.abc import Iterator
from contextvars import Context
from datetime import date
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ
from django_q.signals import pre_execute
from pytest_django import Settings

from registry.hetu import SEPARATORS, compose
from registry.models import User
from tests import processes
from tests.engine import world
from tests.wire.server import Server
from vtjsync import logs, tallies, tasks
from vtjsync.engine.connection import x_road_client
from vtjsync.logs import places
from vtjsync.models import SyncRun
from vtjsync.simulator import server

SECRET = "Salapolku 7"
BROKEN_PAGE = f"""
from django.db import ProgrammingError, connection
from django.test import Client
from registry.models import User

def broken(execute, sql, *more):
    if "registry_clientship" in sql:
        raise ProgrammingError("{SECRET}"[:])
    return execute(sql, *more)

client = Client(raise_request_exception=False, SERVER_NAME="localhost")
client.force_login(User.objects.get(username="aino"))
with connection.execute_wrapper(broken):
    print(client.get("/clients/").status_code)
"""


def failing() -> None:
    try:
        int({}[SECRET])
    except KeyError as error:
        raise ValueError(SECRET) from error


def test_g49_of_an_error_its_kind_and_where_it_was() -> None:
    with pytest.raises(ValueError, match=SECRET) as error:
        failing()
    told = places(error.value)
    assert SECRET not in told
    assert told.startswith("ValueError")
    assert "caused by KeyError" in told
    assert "in failing" in told


@pytest.mark.django_db(transaction=True)
def test_g49_a_page_that_fails_is_in_the_log_without_the_text_of_the_error(aino: User) -> None:
    done = processes.run("shell", "-c", BROKEN_PAGE)
    assert done.stdout.endswith("500\n"), done.stderr
    assert "Internal Server Error: /clients/" in done.stderr
    assert "ProgrammingError" in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.django_db(transaction=True)
def test_every_request_to_vtj_is_in_the_log_with_its_ids() -> None:
    vtj = server.start(population=5, seed=7)
    world.clients(vtj.codes(2))
    try:
        done = processes.run("sync", VTJ_SERVER=vtj.url, VTJ_USERNAME=server.USERNAME, VTJ_PASSWORD=server.PASSWORD)
    finally:
        vtj.stop()
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("X-Road-Request-Id") == len(vtj.requests) == 3


# The parts of codes, so that the filter is not tried on itself alone.
CODES = [compose(date(century, 10, 13), 907, separator) for century, all_ in SEPARATORS.items() for separator in all_]
CODE = CODES[1]


class Heard:
    """A logger of its own, and what it wrote."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.stream = io.StringIO()
        self.log = logging.Logger("heard")
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(formatter)
        self.log.addHandler(handler)

    def __str__(self) -> str:
        return self.stream.getvalue()


@pytest.fixture(params=["plain", "json"])
def heard(request: pytest.FixtureRequest) -> Heard:
    plain = logs.WithoutTexts("%(levelname)s [%(request_id)s] %(message)s")
    return Heard(plain if request.param == "plain" else logs.Json())


@pytest.fixture
def removed() -> Iterator[list[int]]:
    """How many were removed so far, asked by ``removed.pop()``."""
    before = logs.removals.total

    class Since(list[int]):
        def pop(self, *_: object) -> int:  # type: ignore[override]
            return logs.removals.total - before

    yield Since()
    logs.removals.take()


@pytest.mark.plants_code
@pytest.mark.parametrize("number", range(len(CODES)), ids=[f"separator {ord(code[6])}" for code in CODES])
def test_g49_a_code_with_any_separator_is_removed_and_counted(heard: Heard, removed: list[int], number: int) -> None:
    code = CODES[number]
    heard.log.warning("asked for %s, then %s and x%sx", code, code.lower(), code)
    assert code.lower() not in str(heard).lower()
    assert str(heard).count(logs.REMOVED) == removed.pop() == 3


@pytest.mark.plants_code
def test_g49_a_code_spelt_otherwise_is_removed(heard: Heard, removed: list[int]) -> None:
    for separator in ("%2B", "%2d", "–", "−", "‐"):
        heard.log.warning("at /clients/%s/", CODE[:6] + separator + CODE[7:])
    assert CODE[:6] not in str(heard)
    assert removed.pop() == 5


@pytest.mark.plants_code
def test_g49_a_code_in_arguments_stack_and_name_of_a_place_is_removed(heard: Heard, removed: list[int]) -> None:
    # A function made by a text has that text in the lines of its traceback.
    namespace: dict[str, object] = {}
    exec(compile(f"def fail():\n    raise ValueError('{CODE}')", f"<{CODE}>", "exec"), namespace)  # noqa: S102
    try:
        namespace["fail"]()  # type: ignore[operator]
    except ValueError as error:
        heard.log.exception("failed for %(who)s", {"who": {"code": CODE}}, stack_info=True)
        heard.log.error(error)  # noqa: TRY400
    assert CODE not in str(heard)
    assert "ValueError" in str(heard)
    assert removed.pop() >= 3


def test_ids_times_and_amounts_stay(heard: Heard) -> None:
    ids = [str(uuid4()) for _ in range(2000)]
    # Hexadecimal digits can spell a code.
    ids += ["00131052-308a-4308-8308-131052a308ab", "131052a3081310520000000000000000"]
    heard.log.warning("%s", " ".join(ids))
    heard.log.warning("2026-11-25T09:47:25 took 131052 ms, 308 of 131052-30811, 20131052-3081, 991052-308T")
    assert logs.REMOVED not in str(heard)


def test_a_line_that_cannot_be_put_together_tells_no_argument(heard: Heard) -> None:
    heard.log.warning("%d persons", SECRET)
    assert SECRET not in str(heard)
    assert "test_logs" in str(heard)


def test_a_line_in_production_is_one_json_object() -> None:
    heard = Heard(logs.Json())
    with logs.request() as name:
        try:
            failing()
        except ValueError:
            heard.log.exception("a page\nfailed")
    told = json.loads(str(heard))
    assert (told["level"], told["logger"], told["message"]) == ("ERROR", "heard", "a page\nfailed")
    assert told["request"] == name
    assert "in failing" in told["error"]
    assert SECRET not in str(heard)


def test_the_filter_costs_no_more_than_the_line() -> None:
    line = f"GET VTJmutpa status 200 X-Road-Id {uuid4()} X-Road-Request-Id {uuid4()} 132 ms"
    began = time.process_time()
    for _ in range(2000):
        logs.without_codes(line)
    # Measured: 6 microseconds.
    assert time.process_time() - began < 0.4


@pytest.mark.plants_code
@pytest.mark.django_db
def test_what_was_removed_is_counted_for_all_processes(client: Client) -> None:
    client.get(reverse("sign-in"))
    before = tallies.counts().get(tallies.CODES_REMOVED, 0)
    assert client.get(f"/clients/{CODE}/").status_code == 404
    assert tallies.counts()[tallies.CODES_REMOVED] == before + 1
    client.get(reverse("sign-in"))
    assert tallies.counts()[tallies.CODES_REMOVED] == before + 1


@pytest.mark.django_db
@pytest.mark.parametrize(("proxies", "kept"), [(0, False), (1, True)], ids=["nobody is trusted", "a proxy of ours"])
def test_a_request_has_an_id_that_only_a_proxy_of_ours_can_give(
    client: Client, settings: Settings, proxies: int, kept: bool
) -> None:
    settings.TRUSTED_PROXIES = proxies
    given = "edge-7f3a"
    answer = client.get(reverse("sign-in"), headers={"X-Request-ID": given})
    assert (answer["X-Request-ID"] == given) is kept
    assert client.get(reverse("sign-in"))["X-Request-ID"] != client.get(reverse("sign-in"))["X-Request-ID"]
    assert logs.request_id() == ""


@pytest.mark.django_db
def test_the_line_of_a_page_that_is_not_there_has_its_id(client: Client) -> None:
    heard = Heard(logs.Json())
    django = logging.getLogger("django")
    django.addHandler(heard.log.handlers[0])
    name = client.get("/no-such-page/")["X-Request-ID"]
    django.removeHandler(heard.log.handlers[0])
    told = json.loads(str(heard))
    assert (told["message"], told["request"]) == ("Not Found: /no-such-page/", name)


@pytest.mark.django_db
@pytest.mark.parametrize("bad", [CODE, "a b", "x" * 65, "line\tother"], ids=["code", "space", "long", "control"])
def test_an_id_that_could_be_something_else_is_replaced(client: Client, settings: Settings, bad: str) -> None:
    settings.TRUSTED_PROXIES = 1
    assert bad not in client.get(reverse("sign-in"), headers={"X-Request-ID": bad})["X-Request-ID"]


@pytest.mark.django_db
def test_a_task_has_the_id_of_the_request_that_queued_it(client: Client, bertta: User) -> None:
    client.force_login(bertta)
    name = client.post(reverse("sync-now"))["X-Request-ID"]
    queued = OrmQ.objects.get().task
    assert queued["request_id"] == name
    assert queued["args"] == (str(bertta.pk),)
    with logs.request():
        pre_execute.send(sender="django_q", func=tasks.sync, task=queued)
        assert logs.request_id() == name
        pre_execute.send(sender="django_q", func=tasks.sync, task={})
        assert logs.request_id() not in {"", name}


def test_a_question_to_vtj_names_the_request_and_has_an_id_of_its_own(settings: Settings) -> None:
    with Server().running() as server:
        settings.VTJ_SERVER = server.url
        client = x_road_client()
        with logs.request() as name:
            client.get("a")
            client.get("b")
        # Not the test's own context: an earlier test may have been served a page in it.
        Context().run(client.get, "c")
        client.close()
    first, second, outside = (one.headers for one in server.asked)
    assert first["X-Road-Issue"] == second["X-Road-Issue"] == name
    assert first["X-Road-Id"] != second["X-Road-Id"]
    assert "X-Road-Issue" not in outside


@pytest.mark.django_db(transaction=True)
def test_one_id_leads_from_the_page_through_the_queue_to_vtj(bertta: User, settings: Settings) -> None:
    vtj = server.start(population=5, seed=7)
    world.clients(vtj.codes(2))
    client = Client()
    client.force_login(bertta)
    settings.TRUSTED_PROXIES = 1
    client.post(reverse("sync-now"), headers={"X-Request-ID": "edge-7f3a"})
    account = {"VTJ_USERNAME": server.USERNAME, "VTJ_PASSWORD": server.PASSWORD}
    workers = processes.start("qcluster", VTJ_SERVER=vtj.url, **account)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not SyncRun.objects.filter(state=SyncRun.State.COMPLETE).exists():
            time.sleep(0.2)
    finally:
        workers.send_signal(signal.SIGTERM)
        told = workers.communicate(timeout=30)[1]
        vtj.stop()
    assert SyncRun.objects.filter(state=SyncRun.State.COMPLETE).exists(), told
    asked = [line for line in told.splitlines() if "X-Road-Id" in line]
    assert len(asked) == len(vtj.requests) > 1
    assert all("[edge-7f3a]" in line for line in asked)


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "status"), [("audit-log", 403), ("problem", 404)])
def test_who_was_refused_stands_in_the_log(
    client: Client, aino: User, caplog: pytest.LogCaptureFixture, page: str, status: int
) -> None:
    client.force_login(aino)
    assert client.get(reverse(page, args=[1] if page == "problem" else [])).status_code == status
    assert f"{status} for user {aino.pk} at {page}" in caplog.messages
