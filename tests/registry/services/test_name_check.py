"""Names of an imported list are compared once with VTJ's answer and never stored (outside.md, Import file)."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from registry.models import NameCheck, Person, Problem, ProblemKind
from registry.services.name_check import compare, name_hash
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db


def waiting(person: Person, last: str | None = None, first: str | None = None) -> Person:
    NameCheck.objects.create(person=person, last_name_hash=name_hash(last), first_names_hash=name_hash(first))
    return person


def held(last: str | None = "Mäki-Perttula", first: str | None = "Aino Eeva-Liisa Maria", **more: object) -> Person:
    return PersonFactory.create(last_name=last, first_names=first, **more)


@pytest.mark.parametrize(
    ("last", "first"),
    [
        ("Mäki-Perttula", "Aino Eeva-Liisa Maria"),
        ("MÄKI-PERTTULA", "aino"),
        ("  mäki perttula ", None),
        (None, "Eeva-Liisa"),
        (None, "Eeva-Liisa Maria"),
        (None, "Maria"),
        ("Ma\u0308ki-Perttula", "AINO EEVA-LIISA"),
    ],
)
def test_the_same_name_however_it_is_written_and_however_much_the_list_knows(last: str | None, first: str) -> None:
    person = waiting(held(), last, first)
    assert compare([person.pk]) == 0
    assert not Problem.objects.exists()
    assert not NameCheck.objects.exists()


@pytest.mark.parametrize(
    ("last", "first"),
    [
        ("Maki-Perttula", None),
        ("Mäki", None),
        ("Mäki-Perttula", "Anna"),
        ("Perttula-Mäki", "Aino"),
        (None, "Aino Maria"),
        (None, "Maria Aino"),
        (None, "Ai"),
    ],
)
def test_another_name_opens_a_problem_and_is_forgotten(last: str | None, first: str | None) -> None:
    person, other = waiting(held(), last, first), waiting(held(), "Mäki-Perttula")
    assert compare([person.pk, other.pk]) == 1
    problem = Problem.objects.get()
    assert (problem.person, problem.kind, problem.closed_at, problem.note) == (
        person,
        ProblemKind.NAME_MISMATCH,
        None,
        "",
    )
    assert not NameCheck.objects.exists()
    assert compare([person.pk, other.pk]) == 0


def test_a_name_that_vtj_does_not_give_differs_from_one_that_the_list_gives() -> None:
    assert compare([waiting(held(last=None), "Mäki").pk, waiting(held(first=None), None, "Aino").pk]) == 2


def test_the_comparison_waits_for_basic_data_and_for_a_name() -> None:
    awaiting = waiting(PersonFactory.create(awaiting=True), "Muu")
    lost = waiting(held(status="NOT_FOUND"), "Muu")
    newborn = waiting(held(last=None, first=None), "Muu")
    assert compare([awaiting.pk, lost.pk, newborn.pk]) == 0
    assert NameCheck.objects.count() == 3
    Person.objects.update(status="CURRENT", last_name="Muu")
    assert compare([awaiting.pk, lost.pk, newborn.pk]) == 0
    assert not NameCheck.objects.exists()
    assert not Problem.objects.exists()


def test_only_those_who_are_named_are_compared() -> None:
    waiting(held(), "Muu")
    assert compare([held().pk]) == compare([]) == 0
    assert NameCheck.objects.exists()


def test_what_waits_is_a_keyed_hash(settings: Settings) -> None:
    one = name_hash("Mäki")
    assert one is not None
    assert len(one) == 32
    assert one == name_hash(" MÄKI ")
    assert name_hash(None) is name_hash("") is name_hash(" - ") is None
    settings.AUDIT_KEY = "another-key-of-the-audit-log-for-tests"
    assert name_hash("Mäki") != one


def test_many_are_compared_with_the_same_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    persons = [waiting(held(), "Muu").pk for _ in range(30)]
    with django_assert_num_queries(5):
        assert compare(persons) == 30
