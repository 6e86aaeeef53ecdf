"""An import's names, rights, evidence and size (outside.md, Import file; domain.md E36, E38, G46, H52)."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from registry.models import AuditEvent, Clientship, NameCheck, Person, Problem, Service, User
from registry.selectors import client as selector
from registry.services.vtj_data import StorageError
from tests.cast import access
from tests.engine import world
from tests.factories import ClientshipFactory, PersonFactory, code_of, new_code
from tests.reading.rows import name
from tests.registry.services.lists import DAY, ENDS, REQUIRED, START, Row, counts, everything, run, said

pytestmark = pytest.mark.django_db

NAMES = f"{REQUIRED};sukunimi;etunimet"

# --- names


def test_names_are_compared_with_vtjs_answer_and_never_stored(aino: User, permit: None, service_a: Service) -> None:
    right, wrong = new_code(), new_code()
    run((right, "KOTI", START, "MÄLLINEN", "maria"), (wrong, "KOTI", START, "Salanimi", "Aino"), header=NAMES)
    texts = str(everything()).lower()
    assert not re.search("mällinen|m.llinen|salanimi|maria", texts)
    assert (NameCheck.objects.count(), Problem.objects.count()) == (2, 0)
    for code in (right, wrong):
        person = Person.objects.get(codes__hetu=code)
        world.answer(world.entry(code, name(None, "Mällinen", "Aino Maria")), asked=[world.ask_of(person)])
        mismatch = code == wrong
        assert world.open_problems(person) == ({"NAME_MISMATCH"} if mismatch else set())
        page = selector.viewed(access(aino), person.subject)
        assert page is not None
        assert (page.last_name, page.known) == (("", False) if mismatch else ("Mällinen", True))
    assert not NameCheck.objects.exists()


def test_names_of_somebody_known_are_compared_at_once(service_a: Service, service_b: Service) -> None:
    people = [PersonFactory.create(last_name="Mallinen", first_names="Aino Maria") for _ in range(4)]
    ending = ClientshipFactory.create(service=service_a, person=people[3], start=START)
    rows: list[Row] = [
        (code_of(people[0]), "KOTI", START, "", "mallinen", "Aino"),
        (code_of(people[1]), "KOTI", START, "", "Mallinen", "Anna"),
        (code_of(people[2]), "KOTI", START, "", "Mallila", ""),
        # An end of somebody else's clientship would erase the wrong person.
        (code_of(ending.person), "KOTI", START, DAY, "Mallila", ""),
    ]
    report = run(*rows, header=f"{ENDS};sukunimi;etunimet")
    assert report.mismatches == 3
    assert [bool(world.open_problems(person)) for person in people] == [False, True, True, True]
    assert not NameCheck.objects.exists()


def test_every_line_of_a_person_is_compared(service_a: Service, service_b: Service) -> None:
    """A slip of one code for another shows on one of the lines only, in whatever order and import they come."""
    once, twice, same = new_code(), new_code(), new_code()
    run(
        (once, "KOTI", START, "Mallinen"),
        (once, "KUNTO", START, "Toinen"),
        (twice, "KOTI", START, "Toinen"),
        (same, "KOTI", START, "Mallinen"),
        (same, "KUNTO", START, "Mallinen"),
        header=f"{REQUIRED};sukunimi",
    )
    run((twice, "KUNTO", START, "Mallinen"), header=f"{REQUIRED};sukunimi")
    for code in (once, twice, same):
        person = Person.objects.get(codes__hetu=code)
        world.answer(world.entry(code, name(None, "Mallinen", "Aino")), asked=[world.ask_of(person)])
        assert world.open_problems(person) == (set() if code == same else {"NAME_MISMATCH"})
    assert not NameCheck.objects.exists()


# --- who may, and what is told of it


def test_h52_staff_bring_in_the_lists_of_their_own_units(
    daniel: User, celia: User, eeva: User, service_a: Service, service_b: Service
) -> None:
    rows = [(new_code(), "KOTI", START), (new_code(), "KUNTO", START)]
    with pytest.raises(PermissionDenied):
        run(*rows, user=access(eeva))
    assert not Person.objects.exists()
    report = run(*rows, user=access(daniel))
    assert said(report) == ["line 3, palvelu: no service has this code"]
    run((*rows[0], DAY), user=access(daniel))
    assert Clientship.objects.get().ended_by == daniel


def test_e38_a_list_of_anybody_is_for_those_who_may_handle_the_protected(aino: User, service_a: Service) -> None:
    """What a list says of a line (a second one, the same as before) would tell that somebody is a client who may not be
    seen."""
    with pytest.raises(PermissionDenied):
        run((new_code(), "KOTI", START), user=access(aino))
    assert not Person.objects.exists()


def test_e38_messages_and_log_say_the_same_of_the_protected_as_of_others(
    service_a: Service, service_b: Service
) -> None:
    told: list[tuple[object, ...]] = []
    for protected in (False, True):
        held = ClientshipFactory.create(service=service_a, start=START, person__protected=protected)
        code = code_of(held.person)
        report = run((code, "KOTI", DAY), (code, "KUNTO", START), ("x", "KUNTO", START))
        event = AuditEvent.objects.latest("id")
        assert event.subjects == [held.person.subject]
        told.append((report, said(report), event.action, event.count, event.outcome, event.details))
        held.person.refresh_from_db()
        assert held.person.protected is protected
    assert told[0] == told[1]


def test_g46_one_event_tells_of_the_import_and_holds_no_code(daniel: User, service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    codes = [new_code(), code_of(held.person), code_of(ClientshipFactory.create(service=service_a).person)]
    run((codes[0], "KOTI", START), (codes[1], "KOTI", START, DAY), ("x", "KOTI", START), user=access(daniel))
    event = AuditEvent.objects.get()
    touched = Person.objects.filter(codes__hetu__in=codes[:2]).values_list("subject", flat=True)
    assert (event.action, event.username, event.basis, event.origin) == ("IMPORT", "daniel", "test", "127.0.0.1")
    assert (set(event.subjects), event.count) == (set(touched), 2)
    assert event.details == {"lines": 3, "added": 1, "ended": 1, "same": 0, "bad_count": 1, "new_persons": 1}
    assert not any(code in str(event.__dict__) for code in codes)


@pytest.mark.parametrize(("table", "column"), [("registry_personcode", "hetu"), ("registry_clientship", "reference")])
def test_e36_an_error_of_the_database_carries_no_value(service_a: Service, table: str, column: str) -> None:
    code, reference = new_code(), "Salapolku"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT none_today CHECK ({column} = '')")
    with pytest.raises(StorageError, match="23514") as error:
        run((code, "KOTI", START, reference), header=f"{REQUIRED};viite")
    told = f"{error.value!r} {error.value.__cause__!r}"
    assert (code in told, reference in told, error.value.__suppress_context__) == (False, False, True)
    assert not Person.objects.exists()


def test_a_list_is_written_as_sets(
    service_a: Service, service_b: Service, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    held = [ClientshipFactory.create(service=service_a, start=START) for _ in range(30)]
    rows: list[Row] = [(code_of(one.person), "KOTI", START, DAY, "Toinen") for one in held]
    rows += [(new_code(), "KOTI", START, "", "Mallinen") for _ in range(300)]
    rows += [(row[0], "KUNTO", START, "", "Mallinen") for row in rows]
    with django_assert_max_num_queries(49):
        report = run(*rows, header=f"{ENDS};sukunimi")
    assert counts(report) == (630, 30, 0, 0)


def test_many_lines_of_one_person_take_no_longer_than_of_many(service_a: Service) -> None:
    """A slip in a spreadsheet that repeats one code must not hold the register up."""
    code = new_code()
    first = date(2027, 1, 1)
    rows: list[Row] = [(code, "KOTI", first + timedelta(days=n)) for n in range(20_000)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10s'")
    assert counts(run(*rows)) == (1, 0, 0, 19_999)
