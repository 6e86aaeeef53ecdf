"""A register that does what reading says, every day for a season, holds what is true (domain.md C, D, E).

The simulator's truth comes from its people and not from its messages, so a misreading shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from registry.record import ForeignAddress, Group, HomeAddress, PartialDate, PersonRecord
from tests.reading.rows import decoded
from tests.simulator.calls import Caller
from vtjsync.reading import changes, snapshot
from vtjsync.reading.outcome import Context, Outcome, PersonState
from vtjsync.simulator.server import Handle, start

JSON = dict[str, Any]
DAYS = 60


class Register:
    """The least that can keep people up to date: a state and the codes of each, and no database."""

    def __init__(self, simulator: Handle, call: Caller) -> None:
        self.simulator, self.call = simulator, call
        self.states: dict[str, PersonState] = {}
        self.former: dict[str, set[str]] = {}
        self.key = call.start_key()
        self.ask(simulator.codes())

    def follow(self) -> None:
        """A day: the changes, then basic data for those who are to be asked."""
        codes = list(self.states)
        entries, self.key = self.changes(codes)
        ask: set[str] = set()
        renamed: dict[str, str] = {}
        for entry in entries:
            code = renamed.get(str(entry["henkilotunnus"]), str(entry["henkilotunnus"]))
            changed_at = datetime.fromisoformat(entry["muutospv"])
            outcome = changes.read(decoded(entry["tietoryhmat"]), changed_at, self.states[code], self.context)
            current = self.keep(code, outcome)
            renamed[entry["henkilotunnus"]] = current
            if outcome.ask:
                ask.add(current)
        today = self.simulator.now.date()
        due = {code for code, state in self.states.items() if state.recheck_on and state.recheck_on <= today}
        self.ask(sorted((ask | due) & set(self.states)))

    def changes(self, codes: list[str]) -> tuple[list[JSON], int]:
        page = self.call.changes(self.key, codes).json()
        assert page["ajanTasalla"]
        return page["muutokset"], int(page["viimeisinKirjausavain"])

    def ask(self, codes: list[str]) -> None:
        sent = self.simulator.now
        for person in self.call.basic_data(codes).json()["perustiedot"]:
            state = self.states.get(person["henkilotunnus"], PersonState())
            outcome = snapshot.read(decoded(person["tietoryhmat"]), sent, state, self.context)
            assert not outcome.unreadable
            self.keep(person["henkilotunnus"], outcome)

    def keep(self, code: str, outcome: Outcome) -> str:
        self.states.pop(code, None)
        former = self.former.pop(code, set())
        current = code
        if outcome.codes and outcome.codes.active:
            current, former = outcome.codes.active, former | outcome.codes.former
        # Someone found to be another person of the register is that one from now on.
        for gone in former & set(self.states):
            del self.states[gone]
        self.states[current], self.former[current] = outcome.state, former - {current}
        return current

    @property
    def context(self) -> Context:
        return Context(frozenset(Group), self.simulator.now.date(), timedelta(minutes=5))

    def records(self) -> dict[str, JSON]:
        return {code: exported(code, self.states[code].record, self.former[code]) for code in sorted(self.states)}


def iso(day: PartialDate | None) -> str | None:
    return day.iso() if day else None


def home(one: HomeAddress) -> JSON:
    return {
        "katunimi": {"fi": one.street_fi, "sv": one.street_sv},
        "katunumero": one.house_number,
        "huoneistokirjain": one.staircase,
        "huoneistonumero": one.apartment,
        "jakokirjain": one.division,
        "postinumero": one.postal_code,
        "postitoimipaikka": {"fi": one.post_office_fi, "sv": one.post_office_sv},
        "kuntakoodi": one.municipality_code,
        "alkupv": iso(one.start),
    }


def foreign(one: ForeignAddress) -> JSON:
    return {
        "lahiosoite": one.street,
        "paikkakunta": one.locality,
        "valtiokoodi": one.country_code,
        "valtionimi": one.country_name,
        "alkupv": iso(one.start),
    }


def exported(code: str, record: PersonRecord, former: set[str]) -> JSON:
    town = record.municipality
    return {
        "henkilotunnus": code,
        "edelliset_henkilotunnukset": sorted(former),
        "etunimet": record.first_names,
        "sukunimi": record.last_name,
        "aidinkieli": {"kielikoodi": record.language_code, "nimi": record.language_name},
        "kuollut": record.deceased,
        "kuolinpv": iso(record.death_date),
        "turvakielto": record.protected,
        "turvakielto_loppupv": iso(record.protection_end),
        "vakinainen_kotimainen_osoite": record.home and home(record.home),
        "vakinaiset_ulkomaiset_osoitteet": sorted(map(foreign, record.foreign), key=str),
        "kotikunta": town and {"kuntakoodi": town.code, "kuntaanmuuttopv": iso(town.moved_in)},
    }


def true_records(simulator: Handle) -> dict[str, JSON]:
    records: dict[str, JSON] = {}
    for record in simulator.truth():
        known: JSON = {name: value for name, value in record.items() if name not in {"asiakkuudet", "vtj_tila"}}
        del known["vtj_tarkistettu"]
        known["vakinaiset_ulkomaiset_osoitteet"].sort(key=str)
        records[record["henkilotunnus"]] = known
    return records


@pytest.fixture
def season(seed: int) -> Iterator[tuple[Handle, Register]]:
    simulator = start(population=500, seed=seed, activity=3, start_day=date(2026, 3, 2), page=100_000)
    with Caller(simulator) as call:
        yield simulator, Register(simulator, call)
    simulator.stop()


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 40))])
def test_a_register_that_applies_what_is_certain_and_asks_the_rest_holds_the_truth(
    season: tuple[Handle, Register],
) -> None:
    simulator, register = season
    assert register.records() == true_records(simulator)
    for _ in range(DAYS):
        simulator.advance(1)
        register.follow()
        assert register.records() == true_records(simulator)
