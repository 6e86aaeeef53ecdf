"""What stays of somebody erased: a receipt, in the database and in a ledger outside of it (domain.md F45)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from registry import lock
from registry.clock import today
from registry.models import AuditEvent, Clientship, ErasureReceipt, Person, PersonCode, Service, User
from registry.models.clientship import RECEIPTS_STAY
from registry.services import clients, erasure, receipts
from registry.services.audit import code_hash
from tests.cast import access, clerk
from tests.factories import LONG_AGO, ClientshipFactory, PersonFactory, ServiceFactory, code_of, crowd, new_code

pytestmark = pytest.mark.django_db
END = date(2026, 6, 10)
DUE = END + timedelta(days=1)


def ended(service: Service | None = None, **more: object) -> Person:
    """Somebody who is due on DUE."""
    given = {"service": service} if service else {}
    return ClientshipFactory.create(end=END, **given, **more).person


def lines(ledger: Path) -> list[dict[str, Any]]:
    """The receipts that the ledger tells of."""
    every = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return [receipt for line in every for receipt in line.get("receipts", ())]


def waiting(code_hash: bytes, **more: Any) -> dict[str, Any]:
    """A receipt that the ledger does not have yet."""
    return {"subject": uuid4(), "code_hashes": [code_hash], "services": [], "whole_person": True, "rows": {}} | more


def hashes(persons: Sequence[Person]) -> set[str]:
    codes = PersonCode.objects.filter(person__in=persons).values_list("hetu", flat=True)
    return {code_hash(code).hex() for code in codes}


def in_ledger(ledger: Path) -> set[str]:
    return {one for line in lines(ledger) for one in line["code_hashes"]}


def test_f45_a_receipt_tells_when_which_services_how_much_and_a_keyed_hash_of_every_code(
    service_a: Service, service_b: Service, ledger: Path
) -> None:
    person = ended(service_b)
    subject = person.subject
    ended(service_a, person=person)
    PersonCode.objects.create(person=person, hetu=new_code(), current=False)
    expected = hashes([person])
    before = timezone.now()
    erasure.run(clerk, DUE)
    receipt = ErasureReceipt.objects.get()
    assert before <= receipt.erased_at <= timezone.now()
    assert receipt.services == ["KOTI", "KUNTO"]
    assert (receipt.whole_person, receipt.subject) == (True, subject)
    assert receipt.rows == {"registry_person": 1, "registry_personcode": 2, "registry_clientship": 2}
    assert {bytes(one).hex() for one in receipt.code_hashes} == expected
    assert len(expected) == 2
    (line,) = lines(ledger)
    assert datetime.fromisoformat(line.pop("erased_at")) == receipt.erased_at
    assert set(line.pop("code_hashes")) == expected
    assert line == {
        "subject": str(receipt.subject),
        "services": receipt.services,
        "whole_person": True,
        "clientship_start": None,
        "rows": receipt.rows,
    }


def test_f45_of_a_clientship_of_somebody_who_stays_there_is_a_receipt_too(service_a: Service, ledger: Path) -> None:
    person = ended(service_a)
    ClientshipFactory.create(person=person)
    erasure.run(clerk, END + timedelta(days=30))
    (line,) = lines(ledger)
    assert set(line["code_hashes"]) == hashes([person])
    assert (line["services"], line["whole_person"]) == (["KOTI"], False)
    assert (line["subject"], line["clientship_start"]) == (str(person.subject), LONG_AGO.isoformat())


def test_f45_the_ledger_is_its_owners_and_grows(ledger: Path) -> None:
    first = hashes([ended()])
    erasure.run(clerk, DUE)
    assert ledger.stat().st_mode & 0o777 == 0o600
    second = hashes([ended()])
    erasure.run(clerk, DUE)
    assert [set(line["code_hashes"]) for line in lines(ledger)] == [first, second]
    assert not ErasureReceipt.objects.filter(in_ledger=False).exists()


def test_f45_nobody_is_erased_whom_the_ledger_does_not_have(ledger: Path) -> None:
    """What is committed is in the ledger already: no backup can be older than it and the ledger silent."""
    person = ended()
    expected = hashes([person])
    ledger.mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        erasure.run(clerk, DUE)
    assert Person.objects.get() == person
    assert not ErasureReceipt.objects.exists()
    ledger.rmdir()
    erasure.run(clerk, DUE)
    assert in_ledger(ledger) == expected
    assert not Person.objects.exists()


def test_f45_a_clientship_stays_whose_receipt_the_ledger_does_not_have(service_a: Service, ledger: Path) -> None:
    person = ended(service_a)
    ClientshipFactory.create(person=person)
    ledger.mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        erasure.run(clerk, END + timedelta(days=30))
    assert Clientship.objects.count() == 2


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE registry_erasurereceipt SET services = '{}'",
        "UPDATE registry_erasurereceipt SET erased_at = erased_at - interval '1 day'",
        "DELETE FROM registry_erasurereceipt",
    ],
)
def test_f45_receipts_stay_as_they_are(sql: str, service_a: Service) -> None:
    ended(service_a)
    erasure.run(clerk, DUE)
    with pytest.raises(Error, match=RECEIPTS_STAY), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_f45_a_receipt_written_while_many_wait_for_a_confirmation(ledger: Path, service_a: Service) -> None:
    receipt = ErasureReceipt.objects.create(**waiting(b"x"))
    crowd(service_a, 51, end=END)
    assert erasure.run(clerk, DUE).held == 51
    assert in_ledger(ledger) == {b"x".hex()}
    receipt.refresh_from_db()
    assert receipt.in_ledger


def test_f45_a_line_that_was_cut_off_spoils_no_other(ledger: Path) -> None:
    first = ended()
    expected = hashes([first])
    ledger.parent.mkdir(parents=True)
    ledger.write_text('{"erased_at": "2026-0', encoding="utf-8")
    erasure.run(clerk, DUE)
    cut, *_whole = ledger.read_text(encoding="utf-8").splitlines()
    assert cut == '{"erased_at": "2026-0'
    assert in_ledger(ledger) == expected
    assert not lock.is_locked()


@pytest.mark.django_db(transaction=True)
def test_f45_two_writers_at_once_write_whole_lines_and_none_twice(ledger: Path) -> None:
    every = [ErasureReceipt(**waiting(n.to_bytes(32), services=["KOTI"] * 20)) for n in range(3000)]
    ErasureReceipt.objects.bulk_create(every)
    both = Barrier(2)

    def write() -> None:
        try:
            both.wait(10)
            receipts.write_waiting()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(write), pool.submit(write)]:
            future.result()
    assert sorted(line["code_hashes"][0] for line in lines(ledger)) == [n.to_bytes(32).hex() for n in range(3000)]


@pytest.mark.django_db(transaction=True)
def test_h55_a_mistake_is_in_the_ledger_when_it_is_committed(aino: User, service_a: Service, ledger: Path) -> None:
    made = clients.add(access(aino), hetu=new_code(), service=service_a, start=today())
    expected = hashes([made.person])
    clients.mistaken(access(aino), made)
    assert in_ledger(ledger) == expected
    assert not Person.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_h55_a_mistake_is_erased_though_the_ledger_cannot_be_written(
    aino: User, service_a: Service, ledger: Path
) -> None:
    made = clients.add(access(aino), hetu=new_code(), service=service_a, start=today())
    expected = hashes([made.person])
    ledger.mkdir(parents=True)
    clients.mistaken(access(aino), made)
    assert not Person.objects.exists()
    ledger.rmdir()
    erasure.run(clerk, today())
    assert in_ledger(ledger) == expected


@pytest.mark.django_db(transaction=True)
def test_h55_a_mistaken_clientship_of_somebody_who_stays_leaves_a_receipt(
    aino: User, service_a: Service, ledger: Path
) -> None:
    before = ClientshipFactory.create(service=ServiceFactory.create())
    made = clients.add(access(aino), hetu=code_of(before.person), service=service_a, start=today())
    clients.mistaken(access(aino), made)
    assert Clientship.objects.get() == before
    (line,) = lines(ledger)
    assert (line["services"], line["whole_person"]) == (["KOTI"], False)
    assert line["rows"] == {"registry_clientship": 1}
    assert set(line["code_hashes"]) == hashes([before.person])
    assert AuditEvent.objects.filter(action="ERASE", subjects=[before.person.subject]).exists()


def test_f45_a_person_without_any_code_leaves_a_receipt_all_the_same() -> None:
    person = ended()
    PersonCode.objects.filter(person=person).delete()
    stays = ended()
    ClientshipFactory.create(person=stays)
    PersonCode.objects.filter(person=stays).delete()
    erasure.run(clerk, END + timedelta(days=30))
    assert [receipt.code_hashes for receipt in ErasureReceipt.objects.all()] == [[], []]
    assert not Person.objects.filter(pk=person.pk).exists()
    assert PersonFactory._meta.model.objects.get() == stays
