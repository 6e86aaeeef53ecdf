from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from registry.models import Person, PersonCode, PersonStatus, SubjectCode
from registry.services import persons
from registry.services.audit import code_hash
from tests.factories import PersonFactory, code_of, new_code


@pytest.mark.django_db
def test_a3_new_persons_await_basic_data(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    codes = [new_code() for _ in range(500)]
    with django_assert_max_num_queries(8):
        made = persons.find_or_create(codes)
    assert len(set(made.values())) == 500
    assert Person.objects.filter(status=PersonStatus.AWAITING).count() == 500
    assert dict(PersonCode.objects.filter(current=True).values_list("hetu", "person")) == made


@pytest.mark.django_db
def test_g47_a_keyed_hash_of_the_code_leads_to_the_subject() -> None:
    code = new_code()
    made = persons.find_or_create([code])
    subject = Person.objects.get(pk=made[code]).subject
    assert bytes(SubjectCode.objects.get(subject=subject).code_hash) == code_hash(code)


@pytest.mark.django_db
def test_d28_a_person_is_found_by_any_code() -> None:
    person, former, unknown = PersonFactory.create(), new_code(), new_code()
    PersonCode.objects.create(person=person, hetu=former, current=False)
    assert persons.find([former, unknown]) == {former: person.pk}
    assert persons.find_or_create([former, code_of(person)]) == {former: person.pk, code_of(person): person.pk}
    assert persons.find([]) == {}
    assert Person.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_add_the_same_codes_at_once_take_the_same_persons() -> None:
    codes = [new_code() for _ in range(20)]
    both = Barrier(2)

    def add() -> dict[str, int]:
        try:
            both.wait(10)
            with transaction.atomic():
                return dict(persons.find_or_create(codes))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        one, other = (future.result() for future in [pool.submit(add), pool.submit(add)])
    assert one == other
    assert Person.objects.count() == len(codes)
