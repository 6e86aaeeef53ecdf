"""The months of the audit log: made ahead, kept for years, removed lawfully, held by an inquiry (domain.md G46)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from registry.models import AuditEvent, AuditHold, AuditSeal, SubjectCode
from registry.services import audit, audit_check, audit_months, audit_seals
from registry.services.audit import Action
from registry.services.audit_months import Torn
from registry.services.errors import Refused
from tests import evidence
from tests.cast import clerk
from tests.evidence import seal, sealed
from tests.factories import PersonFactory
from vtjsync import tasks

pytestmark = pytest.mark.django_db(transaction=True)

OLD, YOUNGER = datetime(2020, 1, 31, 23, 59, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)


def execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.fixture
def old_months() -> Iterator[None]:
    """January and February of 2020, with three and two events, sealed."""
    for month in ("2020-01-01", "2020-02-01"):
        execute("SELECT registry_audit_make_month(%s::timestamp)", datetime.fromisoformat(month))
    evidence.allow_truncate()
    for at in (OLD, OLD, OLD, YOUNGER, YOUNGER):
        evidence.event(action="VIEW", at=at, subjects=[uuid4()])
    seal()
    yield
    for month in ("2020_01", "2020_02"):
        execute(f"DROP TABLE IF EXISTS registry_auditevent_{month}")


def wrong() -> list[str]:
    return [str(one) for one in audit_check.run(clerk).findings]


def test_there_is_room_for_two_years_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' database has room for less.
    before = audit_months.months()
    monkeypatch.setattr(audit_months, "AHEAD", 24)
    assert audit_months.make_ahead() == 24 - 2
    assert audit_months.make_ahead() == 0
    now, added = timezone.now(), [month for month in audit_months.months() if month not in before]
    assert added[-1] == f"{now.year + 2}-{now.month:02}"
    for month in added:
        execute(f"DROP TABLE registry_auditevent_{month.replace('-', '_')}")


def test_a_month_that_is_missing_is_made_by_the_task() -> None:
    last = audit_months.months()[-1]
    execute(f"DROP TABLE registry_auditevent_{last.replace('-', '_')}")
    tasks.keep_audit_log()
    assert audit_months.months()[-1] == last
    evidence.allow_truncate()


def test_without_a_month_to_go_to_an_event_is_refused_and_not_lost() -> None:
    with pytest.raises(DatabaseError, match="no partition"):
        evidence.event(action="VIEW", at=timezone.now() + timedelta(days=365 * 4))


def test_an_event_is_in_the_month_of_its_time(old_months: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM registry_auditevent GROUP BY 1 ORDER BY 1")
        assert cursor.fetchall() == [("registry_auditevent_2020_01", 3), ("registry_auditevent_2020_02", 2)]


@pytest.mark.parametrize("sql", ["UPDATE {} SET action = 'x'", "DELETE FROM {}"])
def test_g46_a_month_by_itself_is_append_only_too(old_months: None, sql: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        execute(sql.format("registry_auditevent_2020_01"))


def test_g46_what_is_older_than_the_years_that_are_set_is_due(old_months: None, settings: Settings) -> None:
    assert audit_months.due() == ["2020-01", "2020-02"]
    now = timezone.now()
    settings.AUDIT_LOG_YEARS = now.year - 2020
    assert audit_months.due() == (["2020-01", "2020-02"] if now.month > 2 else ["2020-01"] if now.month > 1 else [])
    settings.AUDIT_LOG_YEARS = now.year - 2020 + 1
    assert audit_months.due() == []


def test_g46_less_than_five_years_is_refused(settings: Settings) -> None:
    for years, refused in ((5, False), (4, True), (0, True)):
        settings.AUDIT_LOG_YEARS = years
        assert any(one.id == "registry.E001" for one in run_checks()) is refused
    settings.AUDIT_KEY_FORMER = ["short"]
    assert any(one.id == "registry.E002" for one in run_checks())


def test_g46_a_removed_month_is_told_by_an_event_and_a_seal(old_months: None) -> None:
    assert audit_months.drop_due(clerk) == ["2020-01", "2020-02"]
    assert not AuditEvent.objects.filter(action="VIEW").exists()
    january, february = AuditEvent.objects.filter(action="DROP_MONTH").order_by("pk")
    assert january.details == {"month": "2020-01", "events": 3, "last_seal": 1}
    assert february.details == {"month": "2020-02", "events": 2, "last_seal": 1}
    told = list(AuditSeal.objects.filter(dropped__isnull=False).order_by("number"))
    assert [one.dropped for one in told] == [
        {"month": "2020-01", "events": 3, "event": january.pk},
        {"month": "2020-02", "events": 2, "event": february.pk},
    ]
    assert AuditSeal.objects.filter(number=1).exists()
    sealed()
    report = audit_check.run(clerk)
    assert (report.findings, report.dropped) == ([], {"2020-01": 2, "2020-02": 3})


def test_g46_the_task_removes_what_is_due(old_months: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "QUIET_HOUR", datetime.now(tasks.HELSINKI).hour)
    assert tasks.keep_audit_log().endswith("0 months removed")
    monkeypatch.setattr(tasks, "QUIET_HOUR", -1)
    assert tasks.keep_audit_log().endswith("2 months removed")


def test_g46_a_month_of_which_no_seal_tells_is_missing(old_months: None) -> None:
    execute("DROP TABLE registry_auditevent_2020_01")
    assert wrong() == ["seal 1: 3 of its 3 events of 2020-01 are missing"]


def test_g46_a_forged_seal_does_not_make_a_removal_lawful(old_months: None) -> None:
    """Somebody with the application's role, and without the key."""
    one = audit_seals.last()
    assert one is not None
    one.number, one.months, one.dropped = 2, {}, {"month": "2020-01", "events": 3, "event": 1}
    one.from_tx = one.to_tx
    one.save(force_insert=True)
    execute("DROP TABLE registry_auditevent_2020_01")
    assert wrong()[:2] == [
        "seal 1: 3 of its 3 events of 2020-01 are missing",
        "seal 2: the seal was changed, or does not follow from the one before",
    ]


def test_g46_an_inquiry_stops_the_removal(old_months: None) -> None:
    first, second = (audit_months.hold(clerk, "tutkinta", "tietosuojavastaava") for _ in range(2))
    assert audit_months.drop_due(clerk) == []
    audit_months.release(clerk, first.pk, "tietosuojavastaava")
    assert audit_months.drop_due(clerk) == []
    audit_months.release(clerk, second.pk, "tietosuojavastaava")
    with pytest.raises(Refused):
        audit_months.release(clerk, second.pk, "x")
    assert audit_months.drop_due(clerk) == ["2020-01", "2020-02"]
    actions = list(AuditEvent.objects.filter(details__has_key="hold").order_by("pk").values_list("action", flat=True))
    assert actions == ["HOLD_AUDIT", "HOLD_AUDIT", "RELEASE_AUDIT", "RELEASE_AUDIT"]


@pytest.mark.parametrize("act", ["changed", "removed", "inserted"])
def test_g46_a_month_that_was_tampered_with_stays_as_evidence(old_months: None, act: str) -> None:
    if act == "inserted":
        evidence.event(action="VIEW", at=OLD)
    else:
        sql = "DELETE FROM registry_auditevent" if act == "removed" else "UPDATE registry_auditevent SET origin = 'x'"
        first = AuditEvent.objects.earliest("pk").pk
        evidence.tamper(sql + " WHERE id = %s", first)
    with pytest.raises(Torn, match="2020-01"):
        audit_months.drop_due(clerk)
    assert "2020-01" in audit_months.months()
    assert not AuditEvent.objects.filter(action="DROP_MONTH").exists()


def _young() -> None:
    execute("SELECT registry_audit_drop_month(date_trunc('month', now() AT TIME ZONE 'UTC'))")


def _almost_five() -> None:
    execute("SELECT registry_audit_drop_month(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '5 years')")


def _untold() -> None:
    execute("SELECT registry_audit_drop_month('2020-01-01')")


def _told_before() -> None:
    """By an event and a seal, but of another transaction."""
    event = evidence.event(action="DROP_MONTH")
    with transaction.atomic():
        former, now = audit_seals.last(), audit_seals.moment()
        assert former is not None
        dropped = {"month": "2020-01", "events": 3, "event": event.pk}
        audit_seals.add(former, now, to_tx=former.to_tx, months={}, dropped=dropped)
    _untold()


def _held() -> None:
    AuditHold.objects.create(reason="x", placed_by="x")
    _untold()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (_young, "five years"),
        (_almost_five, "five years"),
        (_untold, "tell first"),
        (_told_before, "tell first"),
        (_held, "inquiry"),
    ],
)
def test_g46_the_database_itself_removes_no_month_unlawfully(
    old_months: None, act: Callable[[], None], words: str
) -> None:
    with pytest.raises(DatabaseError, match=words):
        act()
    assert "2020-01" in audit_months.months()


def test_g46_who_reads_the_log_makes_the_removal_wait_for_the_next_tick(old_months: None) -> None:
    execute("ALTER FUNCTION registry_audit_drop_month(timestamp) SET lock_timeout = '100ms'")
    try:
        with evidence.other_session() as reader:
            reader.execute("SELECT count(*) FROM registry_auditevent")
            assert audit_months.drop_due(clerk) == []
        assert AuditEvent.objects.filter(action="VIEW").count() == 5
        assert audit_months.drop_due(clerk) == ["2020-01", "2020-02"]
    finally:
        execute("ALTER FUNCTION registry_audit_drop_month(timestamp) SET lock_timeout = '5s'")
    assert wrong() == []


def test_g46_while_somebody_seals_no_month_is_removed_and_the_other_way_round(old_months: None) -> None:
    """They would wait for each other."""
    with evidence.other_session() as sealer:
        sealer.execute("SELECT pg_advisory_xact_lock_shared(hashtext('registry_auditseal'))")
        assert audit_months.drop_due(clerk) == []
    with evidence.other_session() as remover:
        remover.execute("SELECT pg_advisory_xact_lock(hashtext('registry_auditseal'))")
        evidence.record()
        assert audit_seals.seal() == 0
    seal()
    assert audit_months.drop_due(clerk) == ["2020-01", "2020-02"]


def test_g47_the_hashes_of_who_is_nowhere_any_more_go_with_the_month(old_months: None) -> None:
    """Not those of a person of the register, of one whom a younger event names, of one who was added since."""
    gone, named = AuditEvent.objects.filter(at=OLD).first(), AuditEvent.objects.filter(at=YOUNGER).first()
    assert gone is not None
    assert named is not None
    stays = PersonFactory.create().subject
    SubjectCode.objects.all().delete()
    long_ago = datetime(2019, 1, 1, tzinfo=UTC)
    since = {gone.subjects[0]: long_ago, named.subjects[0]: long_ago, stays: long_ago, uuid4(): timezone.now()}
    for subject, at in since.items():
        SubjectCode.objects.create(code_hash=subject.bytes, subject=subject, since=at, key_id="x")
    audit.record(clerk, Action.VIEW, subjects=[named.subjects[0]])
    assert audit_months.drop_due(clerk) == ["2020-01", "2020-02"]
    assert set(SubjectCode.objects.values_list("subject", flat=True)) == set(since) - {gone.subjects[0]}
