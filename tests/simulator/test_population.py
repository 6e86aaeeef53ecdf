from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import date

import pytest

from registry import hetu
from registry.codes import country_name, municipality_name
from vtjsync.simulator.places import FOREIGN, LOCALITIES
from vtjsync.simulator.population import BANNED, Population

START = date(2026, 3, 2)


def test_codes_are_valid_test_codes_and_nobody_shares_one() -> None:
    population = Population(5_000_000, 3, START)
    codes = [population.code(index) for index in range(100_000)]
    assert len(set(codes)) == len(codes)
    assert all(hetu.parse(code, test_codes=True) == code for code in codes)
    assert {code[6] for code in codes} == set("+-YXWVUABCDEF")


@pytest.mark.parametrize("seed", range(5))
def test_a_code_leads_back_to_its_person_and_to_nobody_else(seed: int) -> None:
    population = Population(50_000, seed, START)
    for index in range(0, 50_000, 7):
        assert population.index(population.code(index)) == index
    assert population.index(population.code(50_000)) is None


@pytest.mark.parametrize("code", ["", "010190-999", "310290-999P", "010190-123X", "010190?9991", "ÄÄÄÄÄÄ-9999"])
def test_what_is_no_code_of_the_population_is_nobody(code: str) -> None:
    assert Population(1000, 1, START).index(code) is None


def test_separators_have_believable_shares_whatever_the_size() -> None:
    population = Population(1000, 8, START)
    shares = Counter(population.code(index)[6] for index in range(1000))
    assert shares["-"] == 500
    assert shares["A"] > shares["B"] > shares["F"] > 0
    assert shares["+"] == 1


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    one, same, other = (Population(500, seed, START) for seed in (1, 1, 2))
    assert [one.person(index) for index in range(500)] == [same.person(index) for index in range(500)]
    assert one.person(7) != other.person(7)


def test_two_in_a_thousand_are_under_a_ban() -> None:
    population = Population(20_000, 5, START)
    people = [population.person(index) for index in range(20_000)]
    assert sum(person.ban is not None for person in people) == 20_000 // 1000 * len(BANNED)
    assert 150 < sum(person.death is not None for person in people) < 300
    assert any(len(person.foreign) > 1 for person in people)
    assert any(person.last_name is None for person in people)
    assert any(person.last_ascii for person in people)
    assert {home.start.precision for person in people for home in person.homes} == {"PAIVA", "KUUKAUSI", "VUOSI"}
    assert any(home.street_sv is None for person in people for home in person.homes)
    assert {person.language.code for person in people if person.language} >= {"fi", "sv", "ru", "98", "se"}
    assert all(person.born <= START for person in people)


def test_a_drill_has_no_street_twice() -> None:
    population = Population(3000, 5, START, unique_streets=True)
    people = [population.person(index) for index in range(3000)]
    streets = [home.street_fi for person in people for home in person.homes]
    streets += [one.street for person in people for one in person.foreign]
    assert len(streets) > 2500
    assert len(set(streets)) == len(streets)


def test_millions_cost_nothing_until_asked_for() -> None:
    tracemalloc.start()
    try:
        population = Population(5_600_000, 1, START)
        assert population.index(population.code(5_599_999)) == 5_599_999
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_more_people_than_codes_is_refused() -> None:
    with pytest.raises(ValueError, match="no test codes for more"):
        Population(6_000_000, 1, START)


def test_places_have_the_codes_of_the_register() -> None:
    assert all(municipality_name(locality.municipality, "fi") for locality in LOCALITIES)
    assert all(country_name(country, "fi") for _, _, country, _ in FOREIGN)
    assert all(len(code) == 5 and code.isdigit() for locality in LOCALITIES for code, _, _ in locality.offices)
