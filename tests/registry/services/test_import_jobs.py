"""Lists that are imported by the pages: what is kept of them, and for how long (outside.md, Import file; F43, F45)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import F
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from registry import lock
from registry.clock import today
from registry.models import AuditEvent, Clientship, ImportBadLine, ImportFile, ImportJob, Person, Service, User
from registry.selectors import import_jobs as selector
from registry.services import erasure, import_file, import_jobs, imports
from registry.services.errors import Refused, Unreadable
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, code_of, new_code
from tests.registry.services.lists import ENDS, START, everything
from vtjsync import tasks

pytestmark = pytest.mark.django_db

COLUMNS = import_file.REQUIRED + import_file.OPTIONAL


def content(*rows: tuple[object, ...], header: str = ENDS) -> bytes:
    return "\n".join([header, *(";".join(map(str, row)) for row in rows), ""]).encode()


def uploaded(user: User, *rows: tuple[object, ...]) -> ImportJob:
    """A list that a worker has checked."""
    number = import_jobs.upload(access(user), content(*rows))
    assert tasks.import_step(number) == "CHECKED"
    return ImportJob.objects.get(pk=number)


def state(job: ImportJob) -> str:
    job.refresh_from_db()
    return job.state


@contextmanager
def holding(lock: str, *numbers: int) -> Iterator[None]:
    """Another process holds the lock."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"SELECT {lock}", numbers)
            assert cursor.fetchone()[0]
        yield
    finally:
        other.close()


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (f"{ENDS};katuosoite", "column 5 of the header is not known"),
        ("henkilotunnus;palvelu", "the column alkupaiva is missing"),
        (f"{ENDS};palvelu", "the column palvelu is there more than once"),
        ("", "The first line is empty. It has to name the columns."),
        ('"henkilotunnus;palvelu', "The header cannot be read: the quotation marks do not match."),
        ("henkilötunnus\x00", "Line 1 is not UTF-8 text. Save the file as CSV in UTF-8."),
    ],
)
def test_e36_of_a_list_with_another_header_nothing_is_kept(daniel: User, header: str, fault: str) -> None:
    before = everything()
    with pytest.raises(import_file.NotAList) as refused:
        import_jobs.upload(access(daniel), content((new_code(), "KOTI", START, "", "Salapolku 1"), header=header))
    assert [str(one) for one in refused.value.words] == [fault]
    assert isinstance(refused.value, Unreadable)
    assert everything() == before
    assert not OrmQ.objects.exists()


def test_a_list_is_checked_and_imported_and_its_content_goes(daniel: User, service_a: Service) -> None:
    code, held = new_code(), ClientshipFactory.create(service=service_a, start=START)
    tomorrow = today() + timedelta(days=1)
    job = uploaded(
        daniel, (code, "KOTI", START, ""), (code_of(held.person), "KOTI", START, tomorrow), ("x", "KOTI", START, "")
    )
    assert not Person.objects.filter(codes__hetu=code).exists()
    assert (job.counts["added"], job.counts["ended"], job.counts["erased"]) == (1, 1, 1)
    assert (job.erased_first, job.erased_last) == (tomorrow + timedelta(days=1), tomorrow + timedelta(days=1))
    # Double start is one start.
    import_jobs.start(access(daniel), job.pk, None)
    import_jobs.start(access(daniel), job.pk, None)
    queued = [SignedPackage.loads(one.payload) for one in OrmQ.objects.all()]
    assert [(one["func"], one["args"]) for one in queued] == [("vtjsync.tasks.import_step", (job.pk,))] * 2
    assert tasks.import_step(job.pk) == "DONE"
    assert tasks.import_step(job.pk) == "GONE"
    assert (state(job), job.counts["added"], job.counts["ended"], job.counts["bad_count"]) == ("DONE", 1, 1, 1)
    assert Clientship.objects.filter(person__codes__hetu=code).count() == 1
    assert not ImportFile.objects.exists()
    bad = ImportBadLine.objects.get()
    assert (bad.line, bad.column, bad.reason) == (4, "henkilotunnus", "not an identity code")
    events = AuditEvent.objects.filter(action="IMPORT").order_by("pk")
    assert [(one.username, one.basis, one.origin, one.outcome) for one in events] == [
        ("daniel", "importing a list", "127.0.0.1", outcome) for outcome in ("dry run", "done")
    ]
    kept = {table: rows for table, rows in everything().items() if table.startswith("registry_import")}
    assert not any(code in row or "x" in row.split(",") for rows in kept.values() for row in rows)
    # Once more: nothing new.
    again = uploaded(daniel, (code, "KOTI", START, ""))
    assert (again.counts["same"], selector.one(access(daniel), again.pk).changes) == (1, 0)


def test_e38_h52_the_right_alone_is_not_enough_and_a_list_is_its_owners(
    daniel: User, aino: User, bertta: User, celia: User, service_a: Service
) -> None:
    bertta.user_permissions.add(Permission.objects.get(codename="import_clients"))
    job = uploaded(daniel, (new_code(), "KOTI", START, ""))
    for user in (aino, bertta, celia):
        with pytest.raises(PermissionDenied):
            import_jobs.upload(access(user), content())
        with pytest.raises(PermissionDenied):
            selector.one(access(user), job.pk)
    daniel.groups.clear()
    other = User.objects.get(pk=daniel.pk)
    job.state = "WRITE"
    job.save()
    # Who has lost the right since is not obeyed.
    assert tasks.import_step(job.pk) == "REFUSED"
    assert ImportJob.objects.get().reason == import_jobs.NO_RIGHT
    assert not ImportFile.objects.exists()
    with pytest.raises(PermissionDenied):
        selector.own(access(other))


def test_f43_many_ends_need_their_number(daniel: User, service_a: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "ENDS_TO_CONFIRM", 1)
    held = [ClientshipFactory.create(service=service_a, start=START) for _ in range(3)]
    job = uploaded(daniel, *((code_of(one.person), "KOTI", START, today()) for one in held))
    assert selector.one(access(daniel), job.pk).to_type == 3
    for number in (None, 2):
        with pytest.raises(Refused):
            import_jobs.start(access(daniel), job.pk, number)
    assert state(job) == "CHECKED"
    import_jobs.start(access(daniel), job.pk, 3)
    # One of them has gone on since: another number, so that it is looked at again.
    ClientshipFactory.create(person=held[0].person, service__unit=service_a.unit, start=START)
    assert tasks.import_step(job.pk) == "CHECKED"
    assert (state(job), job.reason, job.counts["erased"]) == ("CHECKED", import_jobs.NUMBER_CHANGED, 2)
    import_jobs.start(access(daniel), job.pk, 2)
    assert tasks.import_step(job.pk) == "DONE"


def test_while_another_import_is_under_way_a_list_waits_and_is_woken(daniel: User, service_a: Service) -> None:
    first, second = (import_jobs.upload(access(daniel), content((new_code(), "KOTI", START, ""))) for _ in range(2))
    with holding("pg_try_advisory_lock(%s)", imports.LOCK):
        assert tasks.import_step(second) == "WAITS"
    assert selector.one(access(daniel), second).state == "Odottaa vuoroaan"
    OrmQ.objects.all().delete()
    tasks.import_step(first)
    assert SignedPackage.loads(OrmQ.objects.get().payload)["args"] == (second,)


def test_a_worker_that_died_is_told_and_the_list_goes_on(daniel: User, service_a: Service) -> None:
    job = uploaded(daniel, (new_code(), "KOTI", START, ""))
    import_jobs.start(access(daniel), job.pk, None)
    ImportJob.objects.update(begun_at=F("queued_at"), phase="WRITING")
    with holding("pg_try_advisory_lock(%s, %s)", import_jobs.LOCKS, job.pk):
        seen = selector.one(access(daniel), job.pk)
        assert (seen.active, seen.cut_off, seen.phase) == (True, False, "Kirjataan rekisteriin")
        assert tasks.import_step(job.pk) == "BUSY"
        with pytest.raises(Refused):
            import_jobs.cancel(access(daniel), job.pk)
        import_jobs.resume(access(daniel), job.pk)
        assert ImportJob.objects.get().begun_at is not None
    seen = selector.one(access(daniel), job.pk)
    assert (seen.active, seen.cut_off, seen.state) == (False, True, "Keskeytyi")
    import_jobs.resume(access(daniel), job.pk)
    assert tasks.import_step(job.pk) == "DONE"


def test_the_content_goes_when_it_is_cancelled_and_after_a_day(daniel: User, service_a: Service) -> None:
    cancelled, late, fresh = (uploaded(daniel, (new_code(), "KOTI", START, "")) for _ in range(3))
    import_jobs.cancel(access(daniel), cancelled.pk)
    assert AuditEvent.objects.latest("pk").outcome == "cancelled"
    ImportJob.objects.filter(pk=late.pk).update(uploaded_at=F("uploaded_at") - timedelta(hours=25))
    import_jobs.expire()
    assert (state(cancelled), state(late), state(fresh)) == ("CANCELLED", "EXPIRED", "CHECKED")
    assert list(ImportFile.objects.values_list("job", flat=True)) == [fresh.pk]
    for one in (cancelled, late):
        import_jobs.start(access(daniel), one.pk, None)
        assert tasks.import_step(one.pk) == "GONE"
    ImportJob.objects.update(uploaded_at=F("uploaded_at") - import_jobs.KEPT)
    import_jobs.expire()
    import_jobs.expire()
    assert not ImportJob.objects.exists()


def test_f43_whoever_is_erased_is_in_no_list_that_waits(daniel: User, service_a: Service) -> None:
    gone = ClientshipFactory.create(service=service_a, start=START, end=today() - timedelta(days=5))
    code, other = code_of(gone.person), new_code()
    job = uploaded(daniel, (f" {code.lower()} ", "KOTI", START, ""), (other, "KOTI", START, ""))
    erasure.run(clerk, today())
    assert not Person.objects.exists()
    kept = bytes(ImportFile.objects.get().content)
    assert kept == content(("",), (other, "KOTI", START, ""))
    import_jobs.start(access(daniel), job.pk, None)
    assert tasks.import_step(job.pk) == "DONE"
    assert [str(one.codes.get().hetu) for one in Person.objects.all()] == [other]


def test_f45_while_the_register_is_locked_nothing_is_imported(
    daniel: User, service_a: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = uploaded(daniel, (new_code(), "KOTI", START, ""))
    import_jobs.start(access(daniel), job.pk, None)
    with monkeypatch.context() as patch:
        patch.setattr(lock, "may_ask", lambda: False)
        assert tasks.import_step(job.pk) == "CHECKED"
        assert state(job) == "CHECKED"
        assert "lukittu" in selector.one(access(daniel), job.pk).reason
        with pytest.raises(Refused, match="lukittu"):
            import_jobs.start(access(daniel), job.pk, None)
        with pytest.raises(Refused, match="lukittu"):
            import_jobs.upload(access(daniel), content())
    assert not Person.objects.exists()


def test_the_bad_lines_as_a_file_leave_an_event(daniel: User, service_a: Service) -> None:
    job = uploaded(daniel, ("x", "KOTI", START, ""), (new_code(), "KUNTO", START, ""))
    assert selector.bad_lines_file(access(daniel), job.pk) == [
        ("Rivi", "Sarake", "Mikä on vialla"),
        ("2", "henkilotunnus", "ei henkilötunnus"),
        ("3", "palvelu", "millään palvelulla ei ole tätä koodia"),
    ]
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.username, event.details) == ("FETCH_BAD_LINES", "daniel", {"bad_count": 2})
    assert selector.empty_list() == [COLUMNS]


def test_bad_lines_come_in_pages(daniel: User, service_a: Service) -> None:
    job = uploaded(daniel, *(("x", "KOTI", START, "") for _ in range(selector.PAGE + 1)))
    first, pages = selector.bad_lines(access(daniel), job.pk, 1)
    last, _ = selector.bad_lines(access(daniel), job.pk, 99)
    assert (len(first), pages, [row.line for row in last]) == (selector.PAGE, 2, [selector.PAGE + 2])
