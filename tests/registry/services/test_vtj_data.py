"""The set-based write of what VTJ says of many persons (domain.md A6, E34, E36)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from registry.models import AppliedChange, ForeignAddress, Person, Service
from registry.record import ForeignAddress as Abroad
from registry.record import HomeAddress, Municipality, PartialDate, PersonRecord, Precision
from registry.services import vtj_data
from registry.services.vtj_data import Change, Held, StorageError
from tests.factories import AppliedChangeFactory, ForeignAddressFactory, PersonFactory, crowd

pytestmark = pytest.mark.django_db

AT = datetime(2026, 6, 10, 9, tzinfo=UTC)
SECRET = "Salapolku"
FULL = PersonRecord(
    first_names="Åsa \t\n\\ Eeva",
    last_name='Öhman "d\'Ö"',
    language_code="98",
    language_name="saame",
    deceased=True,
    death_date=PartialDate.of(date(2025, 5, 17), Precision.MONTH),
    protection_end=PartialDate(date(2024, 1, 2)),
    home=HomeAddress(
        street_fi="Mikkolantie",
        street_sv="Mickelsvägen",
        house_number="30",
        staircase="F",
        apartment="028",
        division="a",
        postal_code="00640",
        post_office_fi="HELSINKI",
        post_office_sv="HELSINGFORS",
        municipality_code="091",
        start=PartialDate.of(date(1992, 1, 1), Precision.YEAR),
    ),
    foreign=frozenset(
        {Abroad("Kungsgatan 1", "111 43 STOCKHOLM", "752", None, PartialDate(date(2020, 1, 24))), Abroad("Pikk 1")}
    ),
    municipality=Municipality("091", PartialDate.of(date(1992, 3, 4), Precision.MONTH)),
)


def held(person: Person) -> Held:
    return vtj_data.read(vtj_data.lock([person.pk]))[person.pk]


def write(one: Held, *changes: Change, banned: bool = False) -> None:
    with transaction.atomic():
        vtj_data.write([one], changes, [one.id] if banned else (), 7)


def change(person: Person, field: str, new: str | None = "Uusi") -> Change:
    return Change(person.pk, field, None, new, "CHANGE", AT)


def fields(person: Person) -> list[str]:
    return list(AppliedChange.objects.filter(person=person).order_by("pk").values_list("field", flat=True))


def test_what_is_written_is_read_again() -> None:
    person, other = PersonFactory.create(), PersonFactory.create(home=True)
    before, untouched = held(person), held(other)
    after = replace(
        before,
        record=FULL,
        status="NOT_FOUND",
        basic_data_at=AT,
        ban_since=AT,
        ban_silence_at=AT,
        reveal_awaited=True,
        location_hidden=True,
        recheck_on=date(2026, 7, 1),
        checked_at=AT,
        ask="PLACE",
        ask_urgent=True,
        ask_not_before=AT,
        ask_attempts=3,
    )
    write(after)
    assert held(person) == replace(after, version=before.version + 1, foreign_stored=FULL.foreign)
    assert held(other) == untouched
    row = Person.objects.get(pk=person.pk)
    assert (row.name_key, row.subject) == ("zz3hman dzz3 zz1sa eeva", person.subject)


def test_nothing_is_written_as_null_and_read_as_nothing() -> None:
    person = PersonFactory.create()
    write(replace(held(person), record=FULL))
    write(replace(held(person), record=PersonRecord()))
    assert held(person).record == PersonRecord()
    assert not ForeignAddress.objects.exists()
    assert Person.objects.get(pk=person.pk).name_key == ""


def test_b12_every_write_counts() -> None:
    person = PersonFactory.create()
    for version in range(1, 4):
        write(held(person))
        assert held(person).version == version


def test_a6_nobody_is_inserted() -> None:
    person = PersonFactory.create()
    one = held(person)
    person.codes.all().delete()
    person.delete()
    write(one)
    assert not Person.objects.exists()
    assert vtj_data.lock([one.id]) == []
    assert vtj_data.read([one.id]) == {}


def test_addresses_abroad_are_written_only_when_they_differ() -> None:
    person = PersonFactory.create()
    write(replace(held(person), record=FULL))
    before = set(ForeignAddress.objects.values_list("pk", flat=True))
    write(held(person))
    assert set(ForeignAddress.objects.values_list("pk", flat=True)) == before
    (one, *_) = FULL.foreign
    write(replace(held(person), record=replace(FULL, foreign=frozenset({one}))))
    assert held(person).record.foreign == {one}


def test_g48_the_log_of_changes_holds_field_old_new_time_source_and_run() -> None:
    person = PersonFactory.create()
    write(held(person), Change(person.pk, "last_name", "Vanha\\", "Uusi\t", "BASIC_DATA", AT), change(person, "home"))
    row = AppliedChange.objects.earliest("pk")
    assert (row.field, row.old_value, row.new_value, row.source) == ("last_name", "Vanha\\", "Uusi\t", "BASIC_DATA")
    assert (row.changed_at, row.run) == (AT, 7)


def test_e34_a_ban_takes_every_place_and_the_log_of_places_and_nothing_else() -> None:
    person, other = PersonFactory.create(), PersonFactory.create()
    for one in (person, other):
        write(replace(held(one), record=FULL), *(change(one, field) for field in ("home", "foreign", "municipality")))
        AppliedChangeFactory.create(person=one)
    one = held(person)
    one.record = vtj_data.stay_protected(one.record)
    write(one, change(person, "protected", "yes"), banned=True)
    assert held(person).record == replace(FULL.without_location(), protected=True)
    assert fields(person) == ["last_name", "protected"]
    assert not ForeignAddress.objects.filter(person=person).exists()
    assert held(other).record == FULL
    assert fields(other) == ["home", "foreign", "municipality", "last_name"]


@pytest.mark.parametrize(
    "place",
    [
        {"home": HomeAddress(street_fi=SECRET)},
        {"home": HomeAddress(start=PartialDate(date(2020, 1, 1)))},
        {"municipality": Municipality(SECRET)},
        {"foreign": frozenset({Abroad(street=SECRET)})},
    ],
)
def test_e36_a_place_of_somebody_protected_is_refused_without_its_value(place: dict[str, Any]) -> None:
    person = PersonFactory.create(protected=True)
    one = held(person)
    one.record = replace(one.record, **place)
    with pytest.raises(StorageError, match="23514") as error:
        write(one, banned=True)
    assert SECRET not in repr(error.value)
    assert error.value.__cause__ is None
    assert held(person).record.has_location is False
    assert held(person).version == 0


@pytest.mark.parametrize("field", ["home", "foreign", "municipality"])
def test_e36_a_change_of_place_of_somebody_protected_is_refused(field: str) -> None:
    person = PersonFactory.create(protected=True)
    with pytest.raises(StorageError, match="23514"):
        write(held(person), change(person, field, SECRET))
    assert fields(person) == []


def test_e36_of_a_page_with_one_that_is_refused_nothing_is_written() -> None:
    person, other = PersonFactory.create(protected=True), PersonFactory.create()
    one, two = held(person), held(other)
    one.record, two.record = replace(one.record, home=HomeAddress(street_fi=SECRET)), FULL
    with pytest.raises(StorageError), transaction.atomic():
        vtj_data.write([two, one], [change(other, "last_name")], (), None)
    assert held(other).record != FULL
    assert fields(other) == []


def page(persons: list[int]) -> tuple[list[Held], list[Change]]:
    found = vtj_data.read(vtj_data.lock(persons))
    for number, one in enumerate(found.values()):
        foreign = frozenset({Abroad(street=f"Gatan {number}")})
        one.record = replace(FULL, last_name=f"Nimi {number}", foreign=foreign)
    return list(found.values()), [Change(one, "last_name", None, "x", "CHANGE", AT) for one in found]


def test_one_update_for_a_page_of_any_size(
    service_a: Service, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for size in (1, 3, 1500):
        persons = crowd(service_a, size)
        with django_assert_num_queries(3):
            one, changes = page(persons)
        told: list[str] = []

        def note(execute: Callable[..., Any], sql: str, *rest: Any, told: list[str] = told) -> Any:
            told.append(sql.split(maxsplit=1)[0])
            return execute(sql, *rest)

        with connection.execute_wrapper(note), transaction.atomic():
            vtj_data.write(one, changes, persons[:1], 1)
        # For the ban a deletion, and the notes; one for addresses; a staging table comes and goes, and tells for
        # whom a ban begins or ends; what was added by hand has its answer. COPY is not seen.
        assert [word for word in told if word not in {"SAVEPOINT", "RELEASE"}] == [
            "DELETE",
            "UPDATE",
            "DELETE",
            "CREATE",
            "SELECT",
            "UPDATE",
            "DROP",
            "UPDATE",
        ]
        assert Person.objects.filter(pk__in=persons, last_name__startswith="Nimi").count() == size
        assert ForeignAddress.objects.filter(person__in=persons).count() == size


def test_two_pages_in_one_transaction_and_an_empty_one() -> None:
    person = PersonFactory.create()
    with transaction.atomic():
        for name in ("Ensin", "Sitten"):
            one = held(person)
            one.record = replace(one.record, last_name=name)
            vtj_data.write([one], [], (), None)
        vtj_data.write([], [], (), None)
    assert held(person).record.last_name == "Sitten"


def test_locks_are_taken_in_one_order_whatever_the_callers() -> None:
    persons = [person.pk for person in PersonFactory.create_batch(5)]
    assert vtj_data.lock([*reversed(persons), 0]) == persons
    assert vtj_data.lock([]) == []


def test_e36_who_comes_under_a_ban_between_two_statements_of_a_reader_has_no_place() -> None:
    person = PersonFactory.create(home=True)
    ForeignAddressFactory.create(person=person)
    begun = []

    def ban_begins(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        """Another worker writes when the addresses abroad have been read and the person has not."""
        if "FROM registry_person " in sql and not begun:
            begun.append(sql)
            ForeignAddress.objects.all().delete()
            empty = dict.fromkeys(name for name in vtj_data.COLUMNS if name.startswith(("home_", "municipality_")))
            Person.objects.update(protected=True, **empty)
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(ban_begins):
        record = vtj_data.read([person.pk])[person.pk].record
    assert record.protected
    assert not record.has_location
