"""The log on standard error: enough for a night on call, and nothing of a person (domain.md G49)."""

from __future__ import annotations

import pytest

from registry.models import User
from tests import processes
from tests.engine import world
from vtjsync.logs import places
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
