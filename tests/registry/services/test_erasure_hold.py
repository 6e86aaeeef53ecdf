"""An erasure of many waits for a second person, goes in batches, and survives a crash (domain.md F43)."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from registry.models import AuditEvent, Clientship, ErasureHold, ErasureReceipt, Person, Service, User
from registry.services import erasure
from registry.services.errors import Refused
from tests import processes
from tests.cast import access, clerk
from tests.factories import UserFactory, crowd
from tests.registry.services.test_erasure_receipts import in_ledger

pytestmark = pytest.mark.django_db
END = date(2026, 6, 10)
DUE = END + timedelta(days=1)


def hold() -> ErasureHold:
    return ErasureHold.objects.get()


@pytest.mark.parametrize(
    ("due", "stay", "held"),
    [(50, 0, 0), (51, 0, 51), (51, 5049, 0), (51, 5048, 51)],
    ids=["fifty", "fifty-one", "one percent", "over one percent"],
)
def test_f43_more_than_fifty_persons_and_one_percent_wait(service_a: Service, due: int, stay: int, held: int) -> None:
    crowd(service_a, due, end=END)
    crowd(service_a, stay)
    report = erasure.run(clerk, DUE)
    assert (report.held, report.persons) == (held, 0 if held else due)
    assert Person.objects.count() == stay + (due if held else 0)
    assert ErasureHold.objects.count() == (1 if held else 0)


def test_f43_while_many_wait_nothing_at_all_is_erased(service_a: Service, service_b: Service) -> None:
    crowd(service_a, 51, end=END)
    (stays,) = crowd(service_b, 1)
    Clientship.objects.create(person_id=stays, service=service_a, start=END, end=END)
    erasure.run(clerk, END + timedelta(days=60))
    assert Clientship.objects.count() == 53
    assert not ErasureReceipt.objects.exists()


def test_f43_who_may_confirms_and_the_next_run_erases(service_a: Service, aino: User, bertta: User) -> None:
    crowd(service_a, 60, end=END)
    erasure.run(clerk, DUE)
    with pytest.raises(PermissionDenied):
        erasure.confirm(access(aino), persons=60)
    assert erasure.held() == hold()
    for _click in range(2):
        erasure.confirm(access(bertta), persons=60)
    assert erasure.held() is None
    assert (hold().confirmed_by, hold().done_at) == (bertta, None)
    event = AuditEvent.objects.get()
    assert (event.action, event.username, event.count) == ("CONFIRM_ERASURE", "bertta", 60)
    assert erasure.run(clerk, DUE).persons == 60
    assert hold().done_at is not None
    assert not Person.objects.exists()


def test_f43_who_entered_an_end_is_not_the_second_person(service_a: Service, bertta: User) -> None:
    due = crowd(service_a, 60, end=END)
    Clientship.objects.filter(person=due[0]).update(ended_by=bertta)
    erasure.run(clerk, DUE)
    with pytest.raises(Refused):
        erasure.confirm(access(bertta), persons=60)
    assert erasure.held() == hold()
    erasure.confirm(access(UserFactory.create(roles=["administrator"])), persons=60)
    assert erasure.run(clerk, DUE).persons == 60


def test_f43_an_end_of_somebody_who_stays_hinders_no_confirmation(service_a: Service, bertta: User) -> None:
    crowd(service_a, 60, end=END)
    crowd(service_a, 1, end=date(2999, 1, 1), ended_by=bertta)
    erasure.run(clerk, DUE)
    erasure.confirm(access(bertta), persons=60)
    assert erasure.run(clerk, DUE).persons == 60


def test_f43_being_a_superuser_confirms_nothing(service_a: Service) -> None:
    crowd(service_a, 60, end=END)
    erasure.run(clerk, DUE)
    with pytest.raises(PermissionDenied):
        erasure.confirm(access(UserFactory.create(is_superuser=True)), persons=60)


def test_f43_more_persons_than_confirmed_ask_again(service_a: Service, bertta: User) -> None:
    crowd(service_a, 60, end=END)
    erasure.run(clerk, DUE)
    erasure.confirm(access(bertta), persons=60)
    crowd(service_a, 1, end=END)
    assert erasure.run(clerk, DUE).held == 61
    assert (hold().persons, hold().confirmed_at, hold().confirmed_by) == (61, None, None)
    assert Person.objects.count() == 61
    erasure.confirm(access(bertta), persons=61)
    assert erasure.run(clerk, DUE).persons == 61


def test_f43_fewer_than_confirmed_go(service_a: Service, bertta: User) -> None:
    due = crowd(service_a, 60, end=END)
    erasure.run(clerk, DUE)
    erasure.confirm(access(bertta), persons=60)
    Clientship.objects.filter(person=due[0]).update(end=None)
    assert erasure.run(clerk, DUE).persons == 59
    assert Person.objects.get().pk == due[0]


def test_f43_a_number_that_has_changed_since_it_was_shown_is_not_confirmed(service_a: Service, bertta: User) -> None:
    crowd(service_a, 60, end=END)
    erasure.run(clerk, DUE)
    crowd(service_a, 40, end=END)
    erasure.run(clerk, DUE)
    with pytest.raises(Refused):
        erasure.confirm(access(bertta), persons=60)
    assert erasure.held() is not None
    assert not AuditEvent.objects.exists()


def test_f43_nothing_that_waits_is_nothing_to_confirm(bertta: User) -> None:
    with pytest.raises(Refused):
        erasure.confirm(access(bertta), persons=0)
    assert not AuditEvent.objects.exists()


def test_f43_ends_that_were_taken_back_leave_nothing_to_wait_for(service_a: Service) -> None:
    due = crowd(service_a, 60, end=END)
    erasure.run(clerk, DUE)
    Clientship.objects.filter(person__in=due[:20]).update(end=None)
    assert erasure.run(clerk, DUE).persons == 40
    assert erasure.held() is None
    assert (hold().confirmed_at, hold().done_at is None) == (None, False)


def test_f43_a_confirmation_holds_for_one_run_only(service_a: Service, bertta: User) -> None:
    crowd(service_a, 60, end=END)
    erasure.run(clerk, DUE)
    erasure.confirm(access(bertta), persons=60)
    erasure.run(clerk, DUE)
    crowd(service_a, 60, end=END)
    assert erasure.run(clerk, DUE).held == 60
    assert ErasureHold.objects.filter(done_at=None).count() == 1


def test_f43_one_erasure_waits_at_a_time() -> None:
    ErasureHold.objects.create(day=DUE, persons=60)
    with pytest.raises(IntegrityError), transaction.atomic():
        ErasureHold.objects.create(day=DUE, persons=61)


def test_f43_thousands_go_in_batches_with_the_same_statements_for_each(
    service_a: Service, bertta: User, ledger: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    crowd(service_a, 2500, end=END)
    (stays,) = crowd(service_a, 1)
    erasure.run(clerk, DUE)
    erasure.confirm(access(bertta), persons=2500)
    with django_assert_max_num_queries(3 * 43):
        report = erasure.run(clerk, DUE)
    assert report.persons == 2500
    assert report.rows == {"registry_person": 2500, "registry_personcode": 2500, "registry_clientship": 2500}
    assert Person.objects.get().pk == stays
    assert ErasureReceipt.objects.filter(in_ledger=True).count() == 2500
    assert len(in_ledger(ledger)) == 2500
    events = AuditEvent.objects.filter(action="ERASE").order_by("pk")
    assert [event.count for event in events] == [1000, 1000, 500]


def test_f43_thousands_of_ended_clientships_of_those_who_stay_go_in_batches(
    service_a: Service, service_b: Service
) -> None:
    Clientship.objects.bulk_create(
        [Clientship(person_id=one, service=service_b, start=END, end=END) for one in crowd(service_a, 1500)]
    )
    assert erasure.run(clerk, END + timedelta(days=30)).clientships == 1500
    assert Clientship.objects.count() == ErasureReceipt.objects.count() == 1500


@pytest.mark.django_db(transaction=True)
def test_f43_what_a_kill_in_the_middle_leaves_the_next_run_does(
    service_a: Service, bertta: User, tmp_path: Path
) -> None:
    ledger = tmp_path / "killed.jsonl"
    crowd(service_a, 6000, end=END)
    erasure.run(clerk, DUE)
    erasure.confirm(access(bertta), persons=6000)
    process = processes.start("end_clientships", ERASURE_LEDGER=str(ledger))
    while process.poll() is None and not ErasureReceipt.objects.exists():
        time.sleep(0.01)
    process.kill()
    process.communicate()
    connection.close()
    left = Person.objects.count()
    assert 0 < left < 6000
    assert left % erasure.BATCH == 0
    assert ErasureReceipt.objects.count() == 6000 - left
    done = processes.run("end_clientships", ERASURE_LEDGER=str(ledger))
    assert (done.returncode, Person.objects.count()) == (0, 0), done.stderr
    assert ErasureReceipt.objects.filter(in_ledger=True).count() == 6000
    assert in_ledger(ledger) == {
        bytes(one[0]).hex() for one in ErasureReceipt.objects.values_list("code_hashes", flat=True)
    }
    assert ErasureHold.objects.filter(done_at=None).count() == 0
