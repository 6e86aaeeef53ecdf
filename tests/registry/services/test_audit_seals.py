"""Seals over the audit log: whoever changes it is found out, whoever is late is not (domain.md G46, docs/adr/0013)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from registry.models import AuditEvent, AuditSeal
from registry.services import audit, audit_check, audit_keys, audit_seals
from registry.services.audit import Action
from registry.services.audit_check import Report
from tests import evidence
from tests.cast import clerk
from tests.evidence import other_session, record, seal, sealed

pytestmark = pytest.mark.django_db(transaction=True)


def numbers() -> list[int]:
    return list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))


def check() -> Report:
    return audit_check.run(clerk)


def wrong() -> list[str]:
    return [str(one) for one in check().findings]


INSERT = (
    "INSERT INTO registry_auditevent (action, username, subjects, count, basis, origin, outcome, details)"
    " VALUES ('LIST', 'late', '{}', 0, '', '', 'done', '{}')"
)
COPY = "SELECT %s::bigint, %s::bigint, %s::timestamptz, 'VIEW', NULL, 'x', '{}'::uuid[], 0, '', '', 'done', '{}'::jsonb"


def test_g46_a_whole_log_is_whole() -> None:
    assert check().seals == 0
    seal()
    first, second = sealed(3), sealed(2)
    assert (first.number, second.number) == (2, 3)
    assert [audit_seals.events(one) for one in (first, second)] == [3, 2]
    assert second.from_tx == first.to_tx
    report = check()
    assert (report.findings, report.seals, report.events, report.unsealed) == ([], 3, 6, 0)
    event = AuditEvent.objects.filter(action="VERIFY_AUDIT").latest("pk")
    assert (event.outcome, event.details) == ("done", {"seals": 3, "events": 6})


def test_nothing_new_needs_no_seal() -> None:
    sealed()
    assert audit_seals.seal() == 0


@pytest.mark.parametrize(
    "change",
    [
        "action = 'LIST'",
        "user_id = 7",
        "user_id = NULL",
        "username = 'somebody'",
        "subjects = ARRAY[gen_random_uuid()]",
        "count = 5",
        "basis = 'x'",
        "origin = '10.0.0.1'",
        "outcome = 'refused'",
        "details = '{\"run\": 1}'",
        "at = at + interval '1 microsecond'",
        "tx = tx + 1",
    ],
)
def test_g46_a_changed_row_is_found(change: str) -> None:
    sealed(2)
    events = list(AuditEvent.objects.order_by("pk"))
    sealed(2)
    evidence.tamper(f"UPDATE registry_auditevent SET {change} WHERE id = %s", events[0].pk)  # noqa: S608
    if change == "user_id = NULL":
        # It was nobody's: nothing has changed.
        assert wrong() == []
        return
    report = check()
    assert report.findings[0].seal == 1
    assert "was changed" in report.findings[0].what


def test_g46_a_removed_row_is_found() -> None:
    sealed(3)
    sealed()
    evidence.tamper("DELETE FROM registry_auditevent WHERE id = (SELECT max(id) - 1 FROM registry_auditevent)")
    (found,) = wrong()
    assert found.startswith("seal 1: 1 of its 3 events of ")
    assert AuditEvent.objects.latest("pk").details["seal"] == 1


def test_g46_a_removed_month_of_which_no_seal_tells_is_found() -> None:
    sealed(3)
    evidence.tamper("DELETE FROM registry_auditevent")
    assert "3 of its 3 events" in wrong()[0]


def test_g46_a_row_inserted_into_a_sealed_range_is_found() -> None:
    sealed(2)
    sealed(2)
    old = AuditEvent.objects.earliest("pk")
    evidence.tamper(f"INSERT INTO registry_auditevent {COPY}", old.tx, 10_000, old.at)
    assert "1 events of" in wrong()[0]
    assert "seal 1: " in wrong()[0]


def test_g46_a_row_inserted_before_all_others_is_found() -> None:
    sealed()
    old = AuditEvent.objects.get()
    evidence.tamper(f"INSERT INTO registry_auditevent {COPY}", -5, 10_000, old.at)
    assert "were inserted" in wrong()[0]


@pytest.mark.parametrize("then", [lambda: None, sealed], ids=["not sealed yet", "sealed since"])
def test_g46_a_row_inserted_now_with_an_old_number_is_found(then: Callable[[], object]) -> None:
    sealed(3)
    second = numbers()[1]
    evidence.tamper("DELETE FROM registry_auditevent WHERE id = %s", second)
    evidence.tamper(INSERT.replace("(action", "(id, action").replace("('LIST'", f"({second}, 'LIST'"))
    then()
    assert any("inserted among older ones" in what for what in wrong())


@pytest.mark.parametrize("then", [lambda: None, sealed], ids=["not sealed yet", "sealed since"])
def test_g46_a_row_inserted_now_with_an_old_time_is_found(then: Callable[[], object]) -> None:
    sealed()
    evidence.tamper(INSERT.replace("(action", "(at, action").replace("('LIST'", "(now() - interval '2 hours', 'LIST'"))
    then()
    assert any("later than its time tells" in what for what in wrong())


def test_g46_a_removed_seal_is_found() -> None:
    for _ in range(4):
        sealed()
    evidence.tamper("DELETE FROM registry_auditseal WHERE number IN (2, 3)")
    assert wrong() == ["seal 2: the seals 2 to 3 are missing"]
    evidence.tamper("DELETE FROM registry_auditseal WHERE number = 1")
    assert wrong() == ["seal 1: the seals 1 to 3 are missing"]


@pytest.mark.parametrize(
    "change",
    ["months = '{}'", "to_tx = to_tx + 1", "top_id = 0", "made_at = now()", "digest = sha256('x')", "key_id = 'x'"],
)
def test_g46_a_changed_seal_is_found(change: str) -> None:
    sealed()
    sealed()
    evidence.tamper(f"UPDATE registry_auditseal SET {change} WHERE number = 1")  # noqa: S608
    assert check().findings[0].seal == 1


def test_g46_the_first_broken_one_is_named_and_the_others_are_looked_at_still() -> None:
    for _ in range(5):
        sealed()
    for place in (3, 1):
        evidence.tamper("UPDATE registry_auditevent SET username = 'x' WHERE id = %s", numbers()[place])
    assert [one.seal for one in check().findings] == [2, 4]
    assert AuditEvent.objects.filter(action="VERIFY_AUDIT").get().details == {
        "seals": 5,
        "events": 5,
        "wrong": 2,
        "seal": 2,
    }


def recompute() -> None:
    """What somebody with the database and the key would do: the whole chain anew, over what the log holds now."""
    seals, former, start = list(AuditSeal.objects.order_by("number")), None, audit_seals.FIRST
    for one in seals:
        found = audit_seals.covered(start, [one.to_tx], [former])
        one.months = {month: [what.count, what.digest] for (_, month), what in sorted(found.items())}
        one.digest = audit_keys.current().digest(audit_seals.message(one, former))
        with evidence.no_triggers():
            one.save()
        former, start = one, one.to_tx


def test_g46_a_recomputed_chain_is_found_by_the_outside_copy(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vtjsync.audit")
    for _ in range(3):
        sealed(2)
    copy = audit_check.outside([f"2026-11-25 12:00:00 INFO vtjsync.audit: {text}" for text in caplog.messages])
    assert list(copy[0]) == [1, 2, 3]
    assert audit_check.run(clerk, copy).findings == []
    evidence.tamper("UPDATE registry_auditevent SET username = 'x' WHERE id = %s", numbers()[2])
    recompute()
    assert wrong() == []
    found = [one.seal for one in audit_check.run(clerk, copy).findings]
    assert found == [2, 3]


def test_g46_a_chain_cut_short_is_found_by_the_outside_copy(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vtjsync.audit")
    for _ in range(4):
        sealed()
    copy = audit_check.outside(caplog.messages)
    evidence.tamper("DELETE FROM registry_auditevent WHERE id > %s", numbers()[1])
    evidence.tamper("DELETE FROM registry_auditseal WHERE number > 2")
    report = audit_check.run(clerk, copy)
    assert [one.seal for one in report.findings] == [3]
    assert "3 to 4 are missing" in report.findings[0].what


def test_an_outside_copy_that_contradicts_itself_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vtjsync.audit")
    one = sealed()
    lines = [audit_seals.line(one), audit_seals.line(one), f"seal 1 events 1 digest {'0' * 64}", "seal two"]
    report = audit_check.run(clerk, audit_check.outside(lines))
    assert "two different seals" in report.findings[0].what


def test_g46_who_commits_late_is_no_forger() -> None:
    sealed()
    with other_session() as late:
        late.execute(INSERT)
        record(2)
        assert audit_seals.seal() == 0
        assert (wrong(), AuditSeal.objects.count()) == ([], 1)
        late.commit()
    newest = seal()
    assert (newest.number, audit_seals.events(newest)) == (2, 4)
    assert wrong() == []


def test_g46_who_got_a_transaction_early_and_writes_late_is_no_forger() -> None:
    """The number of the event is higher than those that are sealed, its transaction is older than theirs."""
    with other_session() as late:
        late.execute("SELECT pg_current_xact_id()")
        record(2)
        assert audit_seals.seal() == 0
        late.execute(INSERT)
        late.commit()
    seal()
    assert wrong() == []


def test_g46_who_is_at_work_while_a_seal_is_made_is_no_forger() -> None:
    """A lower number, committed after events with higher ones were sealed."""
    with other_session() as early:
        early.execute(INSERT)
        with other_session() as late:
            record()
            late.execute(INSERT)
            early.commit()
            first = evidence.seal(leaving=1)
            late.commit()
    assert audit_seals.events(first) == 2
    assert audit_seals.events(seal()) == 1
    assert wrong() == []


def test_no_seal_is_made_in_a_transaction_that_has_written() -> None:
    """Others have got numbers since that are younger than its own: they would look like forgers."""
    sealed()
    with transaction.atomic():
        record()
        with pytest.raises(audit_seals.Written):
            audit_seals.moment()
        with other_session() as other:
            other.execute(INSERT)
        assert audit_seals.seal() == 0
    assert audit_seals.events(seal()) == 2
    assert wrong() == []


def test_a_rolled_back_event_leaves_nothing_behind() -> None:
    with other_session() as other:
        other.execute(INSERT)
        other.rollback()
    sealed(2)
    assert wrong() == []


def test_g46_a_seal_waits_for_nobody_and_nobody_waits_for_it() -> None:
    """With an event of a transaction at work, and with a seal that is being made."""
    record()
    with other_session() as writer, other_session() as sealer:
        writer.execute(INSERT)
        audit_seals.seal()
        sealer.execute("SELECT * FROM registry_auditseal FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        record()
        assert AuditEvent.objects.count() == 2
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = DEFAULT")


def test_g46_two_sealers_at_once() -> None:
    record(50)
    errors: list[BaseException] = []
    ready = threading.Barrier(4)

    def work() -> None:
        try:
            ready.wait()
            for _ in range(10):
                audit_seals.seal()
                audit.record(clerk, Action.VIEW)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    seal()
    report = check()
    assert (report.findings, report.events) == ([], 90)
    assert list(AuditSeal.objects.order_by("number").values_list("number", flat=True)) == [
        *range(1, AuditSeal.objects.count() + 1)
    ]


def test_a_long_backlog_is_sealed_in_parts_and_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_seals, "BATCH", 4)
    monkeypatch.setattr(audit_check, "EVENTS", 9)
    monkeypatch.setattr(audit_check, "SEALS", 3)
    sealed(30)
    assert AuditSeal.objects.count() >= 7
    assert (wrong(), check().count) == ([], 0)
    evidence.tamper("DELETE FROM registry_auditevent WHERE id = %s", numbers()[16])
    assert len(wrong()) == 1


def test_the_same_digest_whatever_the_session_is_set_to() -> None:
    one = sealed()

    def digests() -> list[str]:
        return [found.digest for found in audit_seals.covered(one.from_tx, [one.to_tx], [None]).values()]

    before = digests()
    with connection.cursor() as cursor:
        for setting in ("TimeZone = 'Asia/Tokyo'", "DateStyle = 'ISO, YMD'", "extra_float_digits = 0"):
            cursor.execute(f"SET {setting}")
    try:
        assert digests() == before == [one.months[month][1] for month in one.months]
    finally:
        connection.close()


def test_the_seal_is_in_the_log_stream_when_it_is_committed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vtjsync.audit")
    one = sealed(2)
    (text,) = caplog.messages
    assert text == f"seal 1 events 2 digest {bytes(one.digest).hex()}"


def test_g46_events_that_nobody_seals_are_told_after_a_day() -> None:
    evidence.event(action="VIEW")
    evidence.tamper("UPDATE registry_auditevent SET at = at - interval '25 hours'")
    assert "not sealed" in wrong()[0]


def test_a_database_that_moved_to_a_server_with_lower_numbers_is_told_and_goes_on() -> None:
    """As after a restore from a dump: the numbers of the new server's transactions are lower."""
    sealed(2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT registry_audit_go_on()")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "CREATE OR REPLACE FUNCTION registry_audit_tx(xid8) RETURNS bigint LANGUAGE sql STABLE"
            " AS 'SELECT $1::text::bigint - 500'"
        )
        try:
            with pytest.raises(audit_seals.Rewound):
                audit_seals.seal()
            assert "restored into another server" in wrong()[0]
            cursor.execute("SELECT registry_audit_go_on()")
            assert cursor.fetchone()[0] > 400
            sealed(2)
            # What was written in between cannot be told from what a forger wrote.
            assert wrong() == ["seal 1: 1 events of " + timezone.now().strftime("%Y-%m") + " were inserted"]
        finally:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION registry_audit_tx(xid8) RETURNS bigint LANGUAGE sql STABLE"
                " AS 'SELECT $1::text::bigint + 0'"
            )


def test_the_number_of_the_transaction_is_given_out_before_that_of_the_event() -> None:
    """Else an honest event could look misplaced: columns are filled in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tx'"
            " JOIN pg_attribute i ON i.attrelid = c.oid AND i.attname = 'id'"
            " WHERE relname LIKE 'registry_auditevent%' AND relkind IN ('r', 'p') AND t.attnum > i.attnum"
        )
        assert cursor.fetchall() == []
