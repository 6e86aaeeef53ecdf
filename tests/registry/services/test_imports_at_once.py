"""An import beside another one, an erasure and a caseworker (domain.md A3, A6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from registry.models import Clientship, Person, PersonCode, Service
from registry.services import clients, erasure, imports, vtj_data
from registry.services.errors import Refused
from registry.services.imports import Report
from tests.cast import clerk
from tests.factories import ClientshipFactory, code_of, new_code
from tests.registry.services.lists import DAY, REQUIRED, START, TOMORROW, counts, of, run

pytestmark = pytest.mark.django_db(transaction=True)


class Held(BytesIO):
    """A list of which the last byte comes when it is let go."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.begun, self.go_on = Event(), Event()

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line:
            self.begun.set()
            assert self.go_on.wait(20)
        return line


def beside(pool: ThreadPoolExecutor, work: Callable[[], Any]) -> Future[Any]:
    """The work in a thread with a connection of its own."""

    def run_and_close() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return pool.submit(run_and_close)


def until_somebody_waits() -> None:
    """Until another connection waits for a lock that this one holds."""
    for _ in range(1000):
        with connection.cursor() as cursor:
            # What it shows stays the same for a transaction unless told otherwise.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("nobody waits")


def test_of_two_imports_at_once_the_second_is_refused(service_a: Service) -> None:
    first, second = new_code(), new_code()
    file = Held(f"{REQUIRED}\n{first};KOTI;{START}\n".encode())
    with ThreadPoolExecutor(1) as pool:
        under_way = beside(pool, lambda: imports.run(clerk, file, day=DAY))
        try:
            assert file.begun.wait(20)
            with pytest.raises(Refused, match="Another import is under way"):
                run((second, "KOTI", START))
        finally:
            file.go_on.set()
        assert counts(under_way.result()) == (1, 0, 0, 0)
    assert counts(run((second, "KOTI", START))) == (1, 0, 0, 0)
    assert PersonCode.objects.count() == 2


def test_a3_nothing_is_written_beside_an_erasure_of_the_same_persons(service_a: Service, service_b: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START, end=START)
    code, new = code_of(held.person), new_code()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            vtj_data.lock([held.person_id])
            under_way: Future[Report] = beside(pool, lambda: run((code, "KUNTO", START), (new, "KUNTO", START)))
            until_somebody_waits()
            erasure.erase_now(clerk, held.person_id)
        with pytest.raises(Refused, match="import it again"):
            under_way.result()
    assert not Person.objects.exists()
    assert run((code, "KUNTO", START), (new, "KUNTO", START)).new_persons == 2


@pytest.mark.parametrize("start", [START, TOMORROW], ids=["the same clientship", "another start"])
def test_who_is_added_by_hand_at_this_very_moment_is_one_person_with_one_clientship(
    service_a: Service, start: Any
) -> None:
    code, other = new_code(), new_code()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            added = clients.add(clerk, hetu=code, service=service_a, start=START)
            under_way: Future[Report] = beside(pool, lambda: run((code, "KOTI", start), (other, "KOTI", START)))
            until_somebody_waits()
        # What was there first stays as it is.
        assert counts(under_way.result())[0] == 1
    assert of(code) == [("KOTI", START, None)]
    assert Clientship.objects.filter(pk=added.pk).exists()
    assert of(other) == [("KOTI", START, None)]
    assert Person.objects.count() == 2
