"""Erasure beside adding, importing, ending and syncing: all take the lock of the person's row (domain.md A3, A6)."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, TypeVar

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from registry.clock import today
from registry.models import Clientship, EndReason, ErasureReceipt, Person, PersonCode, Service
from registry.services import clients, erasure, imports, vtj_data
from registry.services.errors import Refused
from tests.cast import clerk
from tests.engine import world
from tests.factories import ClientshipFactory, code_of, crowd, new_code
from tests.reading.rows import name

pytestmark = pytest.mark.django_db(transaction=True)

END = date(2026, 6, 10)
DUE = END + timedelta(days=1)
T = TypeVar("T")


def elsewhere(pool: ThreadPoolExecutor, act: Callable[[], T]) -> Future[T]:
    """Does it on a connection of its own, and returns when it waits for a lock that this one holds."""

    def run() -> T:
        try:
            return act()
        finally:
            connection.close()

    future = pool.submit(run)
    deadline = time.monotonic() + 10
    while not waiting():
        assert not future.done(), "it did not wait"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return future


def waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        found: bool = cursor.fetchone()[0]
    return found


@contextmanager
def meanwhile(*acts: tuple[str, Callable[[], object]]) -> Iterator[None]:
    """Does one after the other on connections of their own, each right before this one's next statement that begins
    so."""
    left = list(acts)

    def wrap(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if left and sql.strip().startswith(left[0][0]):
            _, act = left.pop(0)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: (act(), connection.close())).result()
        return execute(sql, *rest)

    with connection.execute_wrapper(wrap):
        yield
    assert not left


def due(service: Service) -> Person:
    return ClientshipFactory.create(service=service, end=END).person


def import_line(code: str, service: Service) -> imports.Report:
    text = f"henkilotunnus;palvelu;alkupaiva\n{code};{service.code};{today():%Y-%m-%d}\n"
    return imports.run(clerk, io.BytesIO(text.encode()), day=today())


def test_f43_who_gets_a_clientship_while_the_erasure_waits_stays(service_a: Service, service_b: Service) -> None:
    person, other = due(service_a), due(service_a)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            clients.add(clerk, hetu=code_of(person), service=service_b, start=today())
            run = elsewhere(pool, lambda: erasure.run(clerk, DUE))
        assert run.result().persons == 1
    assert Person.objects.get() == person
    assert not Person.objects.filter(pk=other.pk).exists()


def test_f43_an_end_taken_back_while_the_erasure_waits_keeps_the_person(service_a: Service) -> None:
    person = due(service_a)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            clients.take_back_end(clerk, person.clientships.get())
            run = elsewhere(pool, lambda: erasure.run(clerk, DUE))
        assert run.result().persons == 0
    assert Person.objects.get() == person


def test_f43_a_list_that_is_imported_while_the_erasure_waits_keeps_the_person(
    service_a: Service, service_b: Service
) -> None:
    person = due(service_a)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            import_line(code_of(person), service_b)
            run = elsewhere(pool, lambda: erasure.run(clerk, DUE))
        assert run.result().persons == 0
    assert Clientship.objects.filter(person=person, end=None).exists()


def test_f43_a_clientship_of_somebody_who_stays_is_kept_when_it_is_taken_back_meanwhile(
    service_a: Service, service_b: Service
) -> None:
    person = due(service_a)
    ClientshipFactory.create(person=person, service=service_b)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            clients.take_back_end(clerk, person.clientships.get(service=service_a))
            run = elsewhere(pool, lambda: erasure.run(clerk, END + timedelta(days=40)))
        assert run.result().clientships == 0
    assert person.clientships.count() == 2
    assert not ErasureReceipt.objects.exists()


def test_a3_who_is_added_during_the_erasure_is_a_new_person(service_a: Service, service_b: Service) -> None:
    person = due(service_a)
    code = code_of(person)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            erasure.run(clerk, DUE)
            added = elsewhere(pool, lambda: clients.add(clerk, hetu=code, service=service_b, start=today()))
        made = added.result()
    assert Person.objects.get() == made.person
    assert made.person.subject != person.subject
    assert PersonCode.objects.get(hetu=code).person == made.person


def test_a3_a_list_imported_during_the_erasure_says_so_and_goes_in_at_the_second_try(
    service_a: Service, service_b: Service
) -> None:
    person = due(service_a)
    code = code_of(person)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            erasure.run(clerk, DUE)
            imported = elsewhere(pool, lambda: import_line(code, service_b))
        with pytest.raises(Refused, match="erased at this very moment"):
            imported.result()
    assert not Person.objects.exists()
    assert import_line(code, service_b).added == 1


def test_h55_a_list_that_takes_over_somebody_added_and_erased_meanwhile_says_so(
    service_a: Service, service_b: Service
) -> None:
    """The list was judged when the code was unknown, and finds the person of somebody else's click."""
    code = new_code()
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            made = clients.add(clerk, hetu=code, service=service_a, start=today())
            imported = elsewhere(pool, lambda: import_line(code, service_b))
            clients.mistaken(clerk, made)
        assert imported.result().added == 1
    assert Clientship.objects.get().service == service_b


def test_h55_somebody_added_and_erased_by_another_click_is_added_all_the_same(
    service_a: Service, service_b: Service
) -> None:
    code, made = new_code(), []

    def click() -> None:
        made.append(clients.add(clerk, hetu=code, service=service_a, start=today()))

    with meanwhile(
        ("INSERT INTO registry_personcode", click),
        ('DELETE FROM "registry_person"', lambda: clients.mistaken(clerk, made[0])),
    ):
        assert import_line(code, service_b).added == 1
    assert Clientship.objects.get().service == service_b
    assert PersonCode.objects.get().hetu == code


def test_h55_a_list_of_somebody_added_and_erased_by_another_click_says_so(
    service_a: Service, service_b: Service
) -> None:
    code, made = new_code(), []

    def click() -> None:
        made.append(clients.add(clerk, hetu=code, service=service_a, start=today()))

    with (
        meanwhile(
            ("INSERT INTO registry_personcode", click),
            ('SELECT "registry_person"."id"', lambda: clients.mistaken(clerk, made[0])),
        ),
        pytest.raises(Refused, match="erased at this very moment"),
    ):
        import_line(code, service_b)
    assert not Person.objects.exists()


def test_f42_an_end_during_the_erasure_finds_nothing_to_end(service_a: Service, service_b: Service) -> None:
    person = due(service_a)
    one = person.clientships.get()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            erasure.run(clerk, DUE)
            acts: list[Callable[[], Any]] = [
                lambda: clients.take_back_end(clerk, one),
                lambda: clients.end(clerk, one, end=today(), reason=EndReason.MOVED),
            ]
            futures = [elsewhere(pool, acts[0])]
        for future in futures:
            with pytest.raises(PermissionDenied):
                future.result()
    assert not Clientship.objects.exists()


def test_a6_basic_data_that_comes_during_the_erasure_is_dropped() -> None:
    cohort = world.cohort()
    person, other = world.client(into=cohort), world.client(into=cohort)
    Clientship.objects.filter(person=person).update(end=END)
    told = [world.entry(one, name(None, "Uusinen"), at=None) for one in (person, other)]
    asked = [world.ask_of(one) for one in (person, other)]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            erasure.run(clerk, DUE)
            stored = elsewhere(pool, lambda: world.answer(*told, asked=asked))
        assert stored.result()["received"] == 1
    assert Person.objects.get() == other
    assert world.fresh(other).last_name == "Uusinen"


def test_a6_the_erasure_waits_for_basic_data_that_is_being_stored() -> None:
    cohort = world.cohort()
    person = world.client(into=cohort)
    Clientship.objects.filter(person=person).update(end=END)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held = vtj_data.read(vtj_data.lock([person.pk]))[person.pk]
            run = elsewhere(pool, lambda: erasure.run(clerk, DUE))
            vtj_data.write([held], [], (), None)
        assert run.result().persons == 1
    assert not Person.objects.exists()


def test_f43_two_runs_at_once_erase_everybody_once(service_a: Service) -> None:
    everybody = crowd(service_a, 40, end=END)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert erasure.run(clerk, DUE).persons == 40
            second = elsewhere(pool, lambda: erasure.run(clerk, DUE))
        assert second.result().persons == 0
    assert ErasureReceipt.objects.count() == len(everybody)
