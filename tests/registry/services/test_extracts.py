"""A client's own extract of the log: who makes it of whom, what is in it, and what leaves (G46, G47, E38)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction

from registry.clock import today
from registry.hetu import Hetu
from registry.models import (
    AuditEvent,
    Clientship,
    ExtractLine,
    Ground,
    LogExtract,
    Person,
    PersonCode,
    Requester,
    Service,
    SubjectCode,
    Unit,
    User,
)
from registry.selectors import extracts as selector
from registry.services import audit, extract_lines, extracts
from registry.services.audit import Action
from registry.services.errors import Refused
from registry.services.openings import ReasonNeeded
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, PersonFactory, UnitFactory, UserFactory, code_of, new_code, opened

pytestmark = pytest.mark.django_db

GIVE = (str(ExtractLine.Decision.GIVE), "")
WITH_PLACE = (str(ExtractLine.Decision.WITH_PLACE), "")
LEFT_OUT = (str(ExtractLine.Decision.LEAVE_OUT), str(Ground.DANGER))


def begin(user: User, code: Hetu, **more: Any) -> LogExtract:
    told = {"requester": Requester.CLIENT, "reference": "7/2026", "since": today() - timedelta(days=30)}
    return extracts.begin(access(user), code, **(told | {"until": today()} | more))


def lines(user: User, extract: LogExtract) -> tuple[selector.Line, ...]:
    page = selector.page(access(user), extract.pk)
    assert page is not None
    return page.lines


def file(user: User, extract: LogExtract) -> str:
    rows = selector.download(access(user), extract.pk, "csv")
    assert rows is not None
    return "\n".join(";".join(row) for row in rows)


@pytest.fixture
def client_a(service_a: Service) -> Person:
    return ClientshipFactory.create(service=service_a).person


@pytest.fixture
def protected(service_a: Service, daniel: User) -> Person:
    person = ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True)).person
    opened(daniel, person)
    return person


def test_g47_by_any_code_and_after_erasure(eeva: User, aino: User) -> None:
    person, former = PersonFactory.create(), new_code()
    code = code_of(person)
    SubjectCode.objects.create(code_hash=audit.code_hash(former), subject=person.subject)
    audit.record(access(aino), Action.VIEW, subjects=[person.subject])
    assert [line.who for line in lines(eeva, begin(eeva, former))] == ["Aino Esimerkki"]
    PersonCode.objects.filter(person=person).delete()
    person.delete()
    for asked in (code, former):
        made = begin(eeva, asked)
        assert made.subjects == [person.subject]
        assert str(Action.VIEW.label) in [line.what for line in lines(eeva, made)]


def test_g46_it_tells_who_when_what_why_and_nothing_of_others(eeva: User, aino: User, client_a: Person) -> None:
    other, service = PersonFactory.create(), client_a.clientships.get().service
    audit.record(access(aino), Action.LIST, subjects=[client_a.subject, other.subject], count=4711)
    audit.record(access(aino), Action.ADD_CLIENT, subjects=[client_a.subject], details={"service": service.code})
    audit.record(access(aino), Action.LOOK_UP, subjects=[client_a.subject], details={"reason": "CHECK", "lines": 4711})
    audit.record(access(aino), Action.VIEW, subjects=[other.subject])
    made = begin(eeva, code_of(client_a))
    extracts.release(access(eeva), made.pk)
    text = file(eeva, made)
    for told in ("Aino Esimerkki", "Kotihoito", service.name, str(Action.LOOK_UP.label), str(selector.VTJ)):
        assert told in text
    for hidden in ("127.0.0.1", str(other.subject), "4711", code_of(client_a), client_a.last_name):
        assert hidden not in text
    # The headings, what the program asks by itself, and three acts.
    assert len(text.splitlines()) == 5


def test_g46_what_is_alike_is_one_line_and_the_programs_own_from_first_to_last(
    eeva: User, aino: User, client_a: Person
) -> None:
    for _ in range(3):
        audit.record(access(aino), Action.VIEW, subjects=[client_a.subject])
        audit.record(clerk, Action.IMPORT, subjects=[client_a.subject], details={"lines": 4711, "added": 1})
    alike = {(one.action, one.times) for one in extract_lines.groups(begin(eeva, code_of(client_a)))}
    assert ("IMPORT", 3) in alike
    assert sum(times for action, times in alike if action == "VIEW") == 3
    page = selector.page(access(eeva), begin(eeva, code_of(client_a)).pk)
    assert page is not None
    assert page.automatic is not None
    assert page.automatic.when.endswith(f"{today():%-d.%-m.%Y}")


def test_g47_the_period_and_what_came_later_are_kept_out(eeva: User, aino: User, client_a: Person) -> None:
    audit.record(access(aino), Action.VIEW, subjects=[client_a.subject])
    yesterday = begin(eeva, code_of(client_a), until=today() - timedelta(days=1))
    assert lines(eeva, yesterday) == ()
    made = begin(eeva, code_of(client_a))
    before = len(lines(eeva, made))
    audit.record(access(aino), Action.SHOW_CODE, subjects=[client_a.subject])
    assert len(lines(eeva, made)) == before


def test_a_longer_period_needs_a_reason(eeva: User, client_a: Person) -> None:
    long_ago = today() - timedelta(days=3 * 366)
    with pytest.raises(Refused):
        begin(eeva, code_of(client_a), since=long_ago)
    made = begin(eeva, code_of(client_a), since=long_ago, reason="epäily väärinkäytöstä")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registry_logextract SELECT (json_populate_record(e, %s)).* FROM registry_logextract e"
            " WHERE id = %s",
            ['{"id": 999999, "reason": ""}', made.pk],
        )


def test_e38_who_makes_it_of_whom_and_one_refusal_for_all(
    eeva: User, daniel: User, client_a: Person, protected: Person
) -> None:
    elsewhere = PersonFactory.create(protected=True)
    assert begin(eeva, code_of(client_a)).pk
    assert begin(eeva, new_code()).subjects == []
    assert begin(daniel, code_of(protected)).pk
    handler_b = UserFactory.create(roles=["handler"], units=[UnitFactory.create()])
    refused = [(eeva, protected), (eeva, elsewhere), (daniel, elsewhere), (daniel, client_a), (handler_b, protected)]
    made, told = LogExtract.objects.count(), set()
    for user, person in refused:
        with pytest.raises(Refused) as error:
            begin(user, code_of(person))
        told.add(str(error.value))
    with pytest.raises(Refused) as error:
        begin(daniel, new_code())
    assert told == {str(error.value)}
    assert LogExtract.objects.count() == made
    assert AuditEvent.objects.filter(action="ASK_EXTRACT", outcome="refused").count() == 6
    for more in ({"roles": ["caseworker"]}, {"roles": ["administrator"]}, {"is_superuser": True}):
        user = UserFactory.create(**more)
        with pytest.raises(PermissionDenied):
            begin(user, code_of(client_a))


def test_e38_it_is_seen_only_by_those_who_may_make_it(eeva: User, daniel: User, client_a: Person) -> None:
    made = begin(eeva, code_of(client_a))
    assert selector.page(access(daniel), made.pk) is None
    with pytest.raises(PermissionDenied):
        extracts.release(access(daniel), made.pk)
    Person.objects.filter(pk=client_a.pk).update(protected=True)
    assert selector.page(access(eeva), made.pk) is None
    assert selector.listed(access(eeva)) == []
    with pytest.raises(ReasonNeeded):
        selector.page(access(daniel), made.pk)


def test_e38_of_a_protected_client_nothing_leaves_before_every_line_is_decided(
    daniel: User, aino: User, celia: User, protected: Person, service_a: Service
) -> None:
    who = access(daniel)
    audit.record(access(aino), Action.ADD_CLIENT, subjects=[protected.subject], details={"service": service_a.code})
    audit.record(access(celia), Action.VIEW, subjects=[protected.subject])
    audit.record(who, Action.SHOW_CODE, subjects=[protected.subject])
    made = begin(daniel, code_of(protected))
    first, second, third = lines(daniel, made)
    assert "Kotihoito" in first.place
    # Nobody is told that a unit of others has to do with the client.
    assert second.place == ""
    extracts.decide_lines(who, made.pk, {first.number: GIVE, second.number: LEFT_OUT})
    with pytest.raises(Refused):
        extracts.release(who, made.pk)
    assert selector.download(who, made.pk, "csv") is None
    extracts.decide_lines(who, made.pk, {third.number: WITH_PLACE})
    extracts.release(who, made.pk)
    text = file(daniel, made)
    assert "Aino Esimerkki" in text
    assert service_a.name not in text
    assert "Celia" not in text
    (own,) = (line for line in text.splitlines() if "Daniel" in line)
    assert "Kotihoito" in own


def test_e38_units_of_others_leave_with_no_decision(
    daniel: User, protected: Person, unit_a: Unit, unit_b: Unit
) -> None:
    """Who handles the client in two units sees more places than the one who decided about the line."""
    busy = UserFactory.create(units=[unit_a, unit_b])
    audit.record(access(busy), Action.VIEW, subjects=[protected.subject])
    made = begin(daniel, code_of(protected))
    (line,) = lines(daniel, made)
    extracts.decide_lines(access(daniel), made.pk, {line.number: WITH_PLACE})
    extracts.release(access(daniel), made.pk)
    both = UserFactory.create(roles=["handler"], units=[unit_a, unit_b])
    opened(both, protected)
    assert unit_a.name in file(both, made)
    assert unit_b.name not in file(both, made)


def test_e38_a_ban_that_begins_after_the_decision_holds_it_back(eeva: User, daniel: User, client_a: Person) -> None:
    audit.record(access(eeva), Action.VIEW_LOG, subjects=[client_a.subject])
    made = begin(eeva, code_of(client_a))
    extracts.release(access(eeva), made.pk)
    Person.objects.filter(pk=client_a.pk).update(protected=True)
    opened(daniel, client_a)
    page = selector.page(access(daniel), made.pk)
    assert page is not None
    assert (page.given, page.lines) == (False, ())
    assert selector.download(access(daniel), made.pk, "csv") is None


def test_e38_of_somebody_erased_each_line_is_decided_and_no_service_is_told(
    eeva: User, aino: User, client_a: Person, service_a: Service
) -> None:
    audit.record(access(aino), Action.ADD_CLIENT, subjects=[client_a.subject], details={"service": service_a.code})
    code = code_of(client_a)
    Clientship.objects.all().delete()
    PersonCode.objects.all().delete()
    client_a.delete()
    made = begin(eeva, code)
    (line,) = lines(eeva, made)
    assert line.place == ""
    with pytest.raises(Refused):
        extracts.release(access(eeva), made.pk)


def test_a_refusal_is_a_decision_that_stays(eeva: User, client_a: Person) -> None:
    made = begin(eeva, code_of(client_a))
    with pytest.raises(Refused):
        extracts.refuse(access(eeva), made.pk, Ground.OTHERS, " ")
    extracts.refuse(access(eeva), made.pk, Ground.OTHERS, "Toisen oikeudet.")
    page = selector.page(access(eeva), made.pk)
    assert page is not None
    assert (page.refused, page.lines, page.extract.decided_name) == (True, (), "Eeva Esimerkki")
    with pytest.raises(Refused):
        extracts.release(access(eeva), made.pk)
    row = LogExtract.objects.filter(pk=made.pk)
    for change in ({"outcome": "RELEASED", "ground": "", "note": ""}, {"note": "x"}, {"subjects": [uuid4()]}):
        with pytest.raises(DatabaseError), transaction.atomic():
            row.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


def test_g46_every_step_is_an_event(eeva: User, client_a: Person) -> None:
    made = begin(eeva, code_of(client_a))
    selector.page(access(eeva), made.pk)
    extracts.release(access(eeva), made.pk)
    file(eeva, made)
    events = AuditEvent.objects.filter(details__extract=made.pk, subjects=[client_a.subject]).order_by("pk")
    assert list(events.values_list("action", flat=True)) == [
        "ASK_EXTRACT", "VIEW_EXTRACT", "RELEASE_EXTRACT", "DOWNLOAD_EXTRACT",
    ]  # fmt: skip


def test_requests_go_with_the_log_of_their_time(eeva: User, client_a: Person, settings: Any) -> None:
    made = begin(eeva, code_of(client_a))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE registry_logextract SET made_at = made_at - interval '5 years 2 months'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    settings.AUDIT_LOG_YEARS = 6
    assert extracts.forget_old() == 0
    settings.AUDIT_LOG_YEARS = 5
    assert extracts.forget_old() == 1
    assert not LogExtract.objects.filter(pk=made.pk).exists()


def test_nothing_is_given_while_the_register_is_locked(eeva: User, client_a: Person) -> None:
    from registry.services import restore

    made = begin(eeva, code_of(client_a))
    restore.begin(clerk)
    again = User.objects.get(pk=eeva.pk)
    assert selector.page(access(again), made.pk) is None
    with pytest.raises(Refused):
        begin(again, code_of(client_a))
