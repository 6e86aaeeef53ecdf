"""The codes of persons: one is current, all others find the person still (domain.md D28)."""

from __future__ import annotations

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from registry.hetu import Hetu
from registry.models import Person, PersonCode, Service, SubjectCode
from registry.services import codes
from registry.services.audit import code_hash
from tests.factories import PersonFactory, code_of, crowd, new_code

pytestmark = pytest.mark.django_db


def held(person: Person) -> dict[str, bool]:
    return dict(PersonCode.objects.filter(person=person).values_list("hetu", "current"))


def subject_of(code: Hetu) -> list[object]:
    return list(SubjectCode.objects.filter(code_hash=code_hash(code)).values_list("subject", flat=True))


def test_a_new_code_becomes_the_current_one_and_the_old_one_a_former_one() -> None:
    person, other = PersonFactory.create(), PersonFactory.create()
    old, new, before = code_of(person), new_code(), held(other)
    codes.replace_codes({person.pk: new}, {})
    assert held(person) == {old: False, new: True}
    assert held(other) == before
    assert codes.current([person.pk]) == {person.pk: new}
    assert codes.owners([old, new, new_code()]) == {old: person.pk, new: person.pk}


def test_former_codes_are_added_and_the_current_one_stays() -> None:
    person = PersonFactory.create()
    own, former = code_of(person), new_code()
    codes.replace_codes({}, {former: person.pk})
    codes.replace_codes({}, {former: person.pk})
    assert held(person) == {own: True, former: False}


def test_a_code_comes_back() -> None:
    person = PersonFactory.create()
    old, new = code_of(person), new_code()
    codes.replace_codes({person.pk: new}, {})
    codes.replace_codes({person.pk: old}, {new: person.pk})
    assert held(person) == {old: True, new: False}


def test_g47_every_code_leads_to_the_subject() -> None:
    person, new, former = PersonFactory.create(), new_code(), new_code()
    codes.replace_codes({person.pk: new}, {former: person.pk})
    codes.replace_codes({person.pk: new}, {former: person.pk})
    assert subject_of(new) == subject_of(former) == [person.subject]


def test_d30_a_code_of_somebody_else_is_not_taken_and_nothing_is_kept() -> None:
    person, other = PersonFactory.create(), PersonFactory.create()
    own, theirs = code_of(person), code_of(other)
    taken: list[tuple[dict[int, Hetu], dict[Hetu, int]]] = [
        ({person.pk: theirs}, {}),
        ({}, {theirs: person.pk}),
        ({person.pk: new_code()}, {theirs: person.pk}),
    ]
    for active, former in taken:
        with pytest.raises(codes.Taken), transaction.atomic():
            codes.replace_codes(active, former)
    assert (held(person), held(other)) == ({own: True}, {theirs: True})
    assert subject_of(theirs) == [other.subject]


def test_codes_of_many_in_a_few_statements(
    service_a: Service, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    persons = crowd(service_a, 300)
    with django_assert_num_queries(4):
        codes.replace_codes({person: new_code() for person in persons}, {new_code(): persons[0]})
    with django_assert_num_queries(2):
        current = codes.current(persons)
        assert codes.owners(current.values()) == {code: person for person, code in current.items()}
    assert len(current) == 300


def test_nothing_to_replace_is_no_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        codes.replace_codes({}, {})
