"""A database that has forgotten what the ledger knows is locked, and replays it (domain.md F45, E38)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Event

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from registry import ledger, lock, policies
from registry.clock import today
from registry.lock import Locked
from registry.models import (
    AuditEvent,
    Clientship,
    EndReason,
    ErasureReceipt,
    LockReason,
    Person,
    PersonCode,
    Service,
    Standing,
    User,
)
from registry.selectors import client, clients
from registry.selectors.place import Place
from registry.services import clients as service
from registry.services import erasure, look_up, restore, vtj_data
from registry.services.errors import Refused
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, PersonFactory, code_of, crowd, new_code
from tests.registry.services import lists

pytestmark = pytest.mark.django_db
YESTERDAY = today() - timedelta(days=1)


class Lost(Exception):
    """The database is restored to what it was."""


def forgotten(work: Callable[[], object], *, marked: bool = True) -> None:
    """Does the work, which the ledger then knows and the database does not: as after a restore from a backup, or, not
    ``marked``, after a crash before the commit."""

    def done() -> None:
        with transaction.atomic():
            work()
            for _ in range(2 if marked else 0):
                lock.write(ledger.MARK, {})
            raise Lost

    with pytest.raises(Lost):
        done()


def marked() -> None:
    """The database and the ledger know of each other."""
    lock.write(ledger.MARK, {})


def due(**more: object) -> Person:
    return ClientshipFactory.create(end=YESTERDAY, **more).person


def erase(*persons: Person) -> Callable[[], object]:
    """Their clientships end, and they are erased: what the backup knows nothing of."""

    def work() -> None:
        Clientship.objects.filter(person__in=persons).update(end=YESTERDAY)
        assert erasure.run(clerk, today()).persons == len(persons)

    return work


def edited(path: Path, edit: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(edit(path.read_text().splitlines(keepends=True))))


def test_f45_a_new_installation_is_not_locked() -> None:
    assert lock.reason() is None
    marked()
    assert lock.reason() is None
    assert lock.may_ask()


def test_f45_a_database_that_is_older_than_the_ledger_is_locked() -> None:
    marked()
    forgotten(lambda: None)
    assert lock.reason() is LockReason.OLDER
    assert not lock.may_ask()


def test_f45_an_empty_database_beside_an_old_ledger_is_locked() -> None:
    forgotten(lambda: None)
    assert not Standing.objects.exists()
    assert lock.reason() is LockReason.OLDER


def test_f45_a_database_on_another_server_is_locked() -> None:
    marked()
    Standing.objects.update(identity="7123/5")
    assert lock.reason() is LockReason.OTHER_DATABASE
    with pytest.raises(Locked):
        marked()


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[:-1],
        lambda lines: [],
        lambda lines: [*lines[:-1], lines[-1].replace('"number":4', '"number":9')],
        lambda lines: [*lines[:-1], lines[-1].replace("mark", "work")],
    ],
    ids=["cut off", "emptied", "renumbered", "edited"],
)
def test_f45_a_ledger_that_is_not_as_it_was_left_locks(edit: Callable[[list[str]], list[str]], ledger: Path) -> None:
    for _ in range(4):
        marked()
    edited(ledger, edit)
    assert lock.reason() is LockReason.LEDGER
    assert not lock.may_ask()


def test_f45_a_ledger_that_is_missing_locks_until_it_is_back(ledger: Path) -> None:
    marked()
    ledger.rename(ledger.with_name("elsewhere"))
    assert lock.reason() is LockReason.LEDGER
    assert restore.notice() is LockReason.LEDGER
    ledger.with_name("elsewhere").rename(ledger)
    assert lock.reason() is None


def test_f45_a_crash_before_the_commit_locks_nothing() -> None:
    marked()
    forgotten(marked, marked=False)
    assert lock.reason() is None
    marked()
    assert lock.reason() is None
    assert [line.position.number for line in ledger.lines()] == [1, 2]


def test_f45_an_erasure_that_a_crash_undid_comes_again_and_counts_once(service_a: Service) -> None:
    gone = due(service=service_a)
    forgotten(lambda: erasure.run(clerk, today()), marked=False)
    assert Person.objects.get() == gone
    assert lock.reason() is None
    erasure.run(clerk, today())
    assert not Person.objects.exists()
    assert [line.what for line in ledger.lines()] == [ledger.ERASED]


def test_f45_an_erasure_that_the_database_forgot_and_that_is_not_due_locks(service_a: Service) -> None:
    """Nothing was written after it: it may have been committed, and a backup restored."""
    stays = ClientshipFactory.create(service=service_a).person
    forgotten(erase(stays), marked=False)
    assert lock.reason() is LockReason.OLDER


@pytest.mark.django_db(transaction=True)
def test_f45_a_look_at_the_moment_of_an_erasure_locks_nothing(service_a: Service) -> None:
    """The ledger has the line already, and the transaction is not committed."""
    person = ClientshipFactory.create(service=service_a).person
    written, looked = Event(), Event()

    def erases() -> None:
        try:
            with transaction.atomic():
                vtj_data.lock([person.pk])
                erasure.erase_now(clerk, person.pk)
                written.set()
                looked.wait(10)
                time.sleep(0.3)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        erased = pool.submit(erases)
        assert written.wait(10)
        newest = ledger.last()
        assert newest is not None
        assert newest.what == ledger.ERASED
        assert lock.state().position.number < newest.position.number
        looked.set()
        assert lock.reason() is None
        erased.result()
    assert lock.reason() is None
    assert not Person.objects.exists()


def test_f45_who_was_erased_since_is_erased_again_and_the_receipt_is_back(service_a: Service) -> None:
    gone, other = [ClientshipFactory.create(service=service_a).person for _ in range(2)]
    code, subject = code_of(gone), gone.subject
    marked()
    forgotten(erase(gone))
    told = restore.replay(clerk)
    assert (told.receipts, told.persons, told.clientships) == (1, 1, 0)
    assert Person.objects.get() == other
    receipt = ErasureReceipt.objects.get()
    assert (receipt.subject, receipt.services, receipt.in_ledger) == (subject, ["KOTI"], True)
    assert not PersonCode.objects.filter(hetu=code).exists()
    assert AuditEvent.objects.filter(action="ERASE", subjects=[subject]).exists()
    assert (lock.reason(), lock.may_ask()) == (LockReason.OLDER, True)
    again = restore.replay(clerk)
    assert (again.receipts, again.persons) == (0, 0)
    restore.finish(clerk)
    assert lock.reason() is None
    assert ErasureReceipt.objects.count() == 1


def test_f45_who_came_back_after_the_erasure_is_not_erased_by_an_old_line(service_a: Service) -> None:
    gone = due(service=service_a)
    code = code_of(gone)
    erasure.run(clerk, today())
    back = PersonFactory.create(hetu=code)
    ClientshipFactory.create(person=back, service=service_a)
    forgotten(lambda: None)
    restore.replay(clerk)
    assert Person.objects.get() == back


def test_f45_who_came_back_is_not_erased_though_the_whole_ledger_is_replayed(service_a: Service, ledger: Path) -> None:
    gone = due(service=service_a)
    code = code_of(gone)
    erasure.run(clerk, today())
    back = PersonFactory.create(hetu=code)
    stays = ClientshipFactory.create(service=service_a).person
    ClientshipFactory.create(person=back, service=service_a)
    marked()
    forgotten(erase(stays))
    edited(ledger, lambda lines: [*lines[:-1], lines[-1].replace("mark", "work")])
    Standing.objects.update(identity="7123/5")
    restore.replay(clerk, without_ledger=True)
    assert Person.objects.get() == back


def test_f45_two_entries_that_were_one_person_when_erased_both_go() -> None:
    survivor, other = [ClientshipFactory.create().person for _ in range(2)]

    def work() -> None:
        PersonCode.objects.filter(person=other).update(person=survivor, current=False)
        Clientship.objects.filter(person=other).delete()
        Person.objects.filter(pk=other.pk).delete()
        erase(survivor)()

    forgotten(work)
    restore.replay(clerk)
    assert not Person.objects.exists()


def test_f45_an_ended_clientship_of_somebody_who_stays_goes_again(service_a: Service, service_b: Service) -> None:
    person = ClientshipFactory.create(service=service_a, start=date(2020, 1, 1)).person
    kept = [ClientshipFactory.create(person=person, service=service_b)]
    kept.append(ClientshipFactory.create(person=person, service=service_a, start=date(2026, 1, 1), end=YESTERDAY))

    def work() -> None:
        Clientship.objects.filter(start=date(2020, 1, 1), service=service_a).update(end=date(2021, 1, 1))
        assert erasure.run(clerk, today()).clientships == 1

    forgotten(work)
    told = restore.replay(clerk)
    assert (told.persons, told.clientships) == (0, 1)
    assert set(Clientship.objects.all()) == set(kept)


def test_f45_a_replay_that_was_cut_off_goes_on(service_a: Service) -> None:
    first, second, stays = [ClientshipFactory.create(service=service_a).person for _ in range(3)]

    def work() -> None:
        erase(first)()
        erase(second)()

    def cut(done: int, _every: int) -> None:
        if done == 1:
            raise Lost

    marked()
    forgotten(work)
    with pytest.raises(Lost):
        restore.replay(clerk, watch=cut)
    assert set(Person.objects.all()) == {second, stays}
    assert not lock.may_ask()
    told = restore.replay(clerk)
    assert (told.receipts, told.persons) == (1, 1)
    assert Person.objects.get() == stays
    assert ErasureReceipt.objects.count() == 2


def test_f45_nothing_is_unlocked_before_the_replay() -> None:
    restore.begin(clerk)
    assert lock.reason() is LockReason.BY_HAND
    assert not lock.may_ask()
    with pytest.raises(Refused):
        restore.finish(clerk)
    restore.replay(clerk)
    assert lock.may_ask()
    restore.finish(clerk)
    assert lock.reason() is None
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "LOCK",
        "REPLAY_LEDGER",
        "UNLOCK",
    ]


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[1].replace('"mark"', '"work"'), *lines[2:]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: lines[1:],
    ],
    ids=["taken out", "edited", "turned round", "beheaded"],
)
def test_f45_a_ledger_with_a_line_taken_out_or_edited_is_not_replayed(
    edit: Callable[[list[str]], list[str]], ledger: Path
) -> None:
    for _ in range(4):
        marked()
    forgotten(lambda: None)
    edited(ledger, edit)
    with pytest.raises(Refused):
        restore.replay(clerk)
    assert not lock.may_ask()
    restore.replay(clerk, without_ledger=True)
    assert lock.may_ask()
    restore.finish(clerk)
    assert lock.reason() is None
    assert AuditEvent.objects.filter(action="REPLAY_LEDGER", outcome="without ledger").count() == 1
    assert len(list(ledger.parent.glob("*.set-aside"))) == 1


def test_f45_while_it_is_locked_nobody_is_erased(service_a: Service) -> None:
    """The end in the backup may have been taken back since."""
    person = due(service=service_a)
    restore.begin(clerk)
    report = erasure.run(clerk, today())
    assert (report.locked, report.persons) == (True, 0)
    assert "locked" in str(report)
    assert Person.objects.get() == person


def test_e38_while_it_is_locked_everybody_is_as_if_under_a_ban(service_a: Service, aino: User, daniel: User) -> None:
    person = ClientshipFactory.create(service=service_a, person=PersonFactory.create(home=True)).person
    restore.begin(clerk)
    assert not policies.clientships(access(aino)).exists()
    assert clients.listed(access(aino)).rows == ()
    assert client.viewed(access(aino), person.subject) is None
    with pytest.raises(PermissionDenied):
        service.end(access(aino), Clientship.objects.get(), end=today(), reason=EndReason.OTHER)
    (row,) = clients.listed(access(daniel)).rows
    assert (row.subject, row.municipality) == (person.subject, "")
    page = client.viewed(access(daniel), person.subject)
    assert page is not None
    assert (page.place, page.home, page.municipality) == (Place.LOCKED, None, "")


def test_f45_while_it_is_locked_nobody_is_added_or_looked_up(service_a: Service, aino: User, daniel: User) -> None:
    restore.begin(clerk)
    for user in (aino, daniel):
        with pytest.raises(Refused):
            service.add(access(user), hetu=new_code(), service=service_a, start=today())
        assert not look_up.offered(access(user))
    assert not Person.objects.exists()


def test_f45_a_list_is_imported_when_the_ledger_is_replayed(service_a: Service) -> None:
    row = (new_code(), service_a.code, lists.START)
    restore.begin(clerk)
    with pytest.raises(Refused):
        lists.run(row)
    restore.replay(clerk)
    assert lists.run(row).added == 1


def test_f45_thousands_are_erased_again_with_the_same_statements(
    service_a: Service, django_assert_max_num_queries: Callable[..., object]
) -> None:
    gone = crowd(service_a, 2000)
    crowd(service_a, 3)
    persons = list(Person.objects.filter(pk__in=gone))

    def work() -> None:
        Clientship.objects.filter(person__in=persons).update(end=YESTERDAY)
        erasure.run(clerk, today())
        hold = erasure.held()
        assert hold is not None
        erasure.confirm(clerk, persons=2000)
        assert erasure.run(clerk, today()).persons == 2000

    forgotten(work)
    with django_assert_max_num_queries(100):  # type: ignore[attr-defined]
        told = restore.replay(clerk)
    assert told.persons == 2000
    assert Person.objects.count() == 3


def test_f45_the_state_of_a_lock_has_a_reason() -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="locked_for_a_reason"), transaction.atomic():
        cursor.execute("INSERT INTO registry_standing VALUES (true, 0, '', '', %s, '', NULL)", [timezone.now()])
