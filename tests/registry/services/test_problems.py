"""Problems are opened once and closed when their cause is gone (domain.md D30)."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registry.models import Person, Problem, ProblemKind, Service
from registry.services.problems import Found, close_problems, open_problems, pairs
from tests.factories import PersonFactory, crowd, pair

pytestmark = pytest.mark.django_db

NOT_FOUND, UNREADABLE, TWO = ProblemKind.NOT_FOUND, ProblemKind.UNREADABLE, ProblemKind.TWO_ENTRIES


@pytest.fixture
def four() -> list[Person]:
    return PersonFactory.create_batch(4)


def test_a_problem_is_opened_once_and_counts_the_attempts(four: list[Person]) -> None:
    one, other, *_ = (person.pk for person in four)
    assert open_problems([Found(one, NOT_FOUND), Found(one, UNREADABLE), Found(other, NOT_FOUND)]) == 3
    assert open_problems([Found(one, NOT_FOUND)]) == 0
    opened = dict(Problem.objects.filter(person=one).values_list("kind", "attempts"))
    assert opened == {NOT_FOUND: 2, UNREADABLE: 1}
    assert open_problems([]) == 0


def test_a_problem_that_comes_back_after_it_was_closed_is_a_new_one(four: list[Person]) -> None:
    one = four[0].pk
    open_problems([Found(one, NOT_FOUND)])
    assert close_problems([(one, NOT_FOUND)]) == 1
    assert open_problems([Found(one, NOT_FOUND)]) == 1
    assert list(Problem.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 1]
    assert Problem.objects.filter(closed_at=None).count() == 1


def test_only_the_problem_whose_cause_is_gone_is_closed(four: list[Person]) -> None:
    one, other, *_ = (person.pk for person in four)
    open_problems([Found(one, NOT_FOUND), Found(one, UNREADABLE), Found(other, NOT_FOUND)])
    assert close_problems([(one, NOT_FOUND), (other, UNREADABLE)]) == 1
    left = set(Problem.objects.filter(closed_at=None).values_list("person", "kind"))
    assert left == {(one, UNREADABLE), (other, NOT_FOUND)}
    assert close_problems([(one, NOT_FOUND)]) == 0
    assert close_problems([]) == 0


def test_many_are_opened_and_closed_in_one_statement(
    service_a: Service, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    persons = crowd(service_a, 300)
    with django_assert_num_queries(1):
        assert open_problems([Found(one, NOT_FOUND) for one in persons]) == 300
    with django_assert_num_queries(1):
        assert close_problems([(one, NOT_FOUND) for one in persons]) == 300


def test_d30_the_other_entry_of_the_same_person(four: list[Person]) -> None:
    one, other, third, _ = (person.pk for person in four)
    pair(*four[:2])
    open_problems([Found(third, NOT_FOUND)])
    assert pairs([one]) == pairs([other]) == {one: {other}, other: {one}}
    assert pairs([third]) == {}
    assert pairs([]) == {}


def test_d30_whoever_hangs_together_is_found_from_any_end(four: list[Person]) -> None:
    one, other, third, last = (person.pk for person in four)
    open_problems([Found(one, TWO, other), Found(third, TWO, one), Found(last, TWO, third)])
    chain = {one: {other, third}, other: {one}, third: {one, last}, last: {third}}
    for start in (one, other, third, last):
        assert pairs([start]) == chain


def test_d30_one_may_be_the_same_person_as_several(four: list[Person]) -> None:
    one, other, third, _ = (person.pk for person in four)
    assert open_problems([Found(one, TWO, other), Found(one, TWO, third)]) == 2
    assert open_problems([Found(one, TWO, third, survives=True)]) == 0
    assert set(Problem.objects.values_list("other", "attempts", "survives")) == {(other, 1, None), (third, 2, True)}


def test_d30_what_was_solved_binds_nobody(four: list[Person]) -> None:
    one, other, *_ = four
    pair(one, other)
    Problem.objects.update(closed_at=timezone.now(), other=None, pair_protected=None)
    assert pairs([one.pk, other.pk]) == {}


def test_d30_a_pair_is_not_closed_like_another_problem(four: list[Person]) -> None:
    pair(*four[:2])
    assert close_problems([(four[0].pk, TWO), (four[1].pk, TWO)]) == 0
