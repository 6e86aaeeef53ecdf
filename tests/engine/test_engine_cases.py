"""All of domain.md C, D and E on the real engine: a VTJ on a socket, the wire, the reading, the database.

Everyone lives one case, in one cohort and one run; the rows of each entry come in several orders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

import pytest
from django.core.management import call_command
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from registry.record import HomeAddress, PersonRecord
from tests.engine.cases import attributes, old, order, values
from tests.engine.cases.case import OWN, Case
from tests.engine.cases.play import Stage, Stood, Variation, asked_codes, at_noon
from tests.engine.script import Script, playing
from tests.reading.rows import ENTRY, JSON, RECORD, ban, home, language, municipality, name

pytestmark = pytest.mark.django_db

CASES = [*attributes.CASES, *values.CASES, *old.CASES, *order.CASES]
LATER = timedelta(days=40)
# What is to come today is not to come for ever.
LASTING = [case for case in CASES if case.name != "a time to come"]
All: TypeAlias = list[tuple[Variation, Stood, Stood | None]]

# What basic data says of everyone who is asked.
TRUE = replace(RECORD, last_name="Oikeanen", home=HomeAddress("Oikeatie", house_number="1", postal_code="00200"))


@dataclass
class Outcome:
    """How everyone stood after the changes, after the same changes once more, and after basic data."""

    changed: All
    run: int
    again: All
    answered: All
    asked: list[str]
    late: All


@pytest.fixture(scope="module")
def outcome(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """Everything that is asked below, played once; the database is empty after it."""
    ledger = tmp_path_factory.mktemp("ledger") / "erasure.jsonl"
    with django_db_blocker.unblock(), override_settings(ERASURE_LEDGER=ledger):
        try:
            return played()
        finally:
            call_command("flush", verbosity=0, interactive=False)


def played() -> Outcome:
    with playing(Script()) as script:
        stage = Stage(script, CASES)
        run = stage.run(basic_data=False)
        changed = stage.stand()
        answer(stage, changed)
        stage.run()
        asked, answered = list(asked_codes(script, 0)), stage.stand()
    with playing(Script()) as script:
        stage = Stage(script, CASES)
        stage.run(basic_data=False)
        stage.again()
        script.now = ENTRY + LATER
        stage.run(basic_data=False)
        again = stage.stand()
    with playing(Script()) as script:
        stage = Stage(script, CASES)
        script.now = ENTRY + LATER
        stage.run(basic_data=False)
        late = stage.stand()
    return Outcome(changed, run.pk, again, answered, asked, late)


def answer(stage: Stage, stood: All) -> None:
    """Lets VTJ's basic data say TRUE of everybody, and keep the bans that there are."""
    banned = {}
    for variation, one, other in stood:
        banned.update(dict.fromkeys(variation.names.values(), one.record))
        if other is not None:
            banned[variation.names[OWN]] = one.record
    stage.script.basic = lambda code: told(banned[code])


def told(record: PersonRecord) -> list[JSON]:
    named = [name(None, "Oikeanen"), language(None, "fi")]
    if record.protected:
        return [*named, ban(None, end=record.protection_end.iso() if record.protection_end else None)]
    place = home(None, "Oikeatie", None)
    return [*named, ban(None, False), place, municipality(None, "091", "2010-05-01")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_register_holds_after_the_changes(outcome: Outcome, case: Case) -> None:
    found = [(one, stood, twin) for one, stood, twin in outcome.changed if one.case is case]
    assert found
    for variation, stood, twin in found:
        assert stood.record == case.record, variation
        assert stood.ask == case.ask, variation
        assert (stood.hidden, stood.reveal, stood.recheck) == (case.hidden, case.reveal, case.recheck), variation
        assert stood.problems == ({case.problem} if case.problem else set()), variation
        assert stood.codes == case.codes, variation
        assert list(stood.fields) == case.fields, variation
        times = {entry.at for page in case.told for entry in page}
        assert all((source, run) == ("CHANGE", outcome.run) for *_, source, _, run in stood.log)
        assert all(at in times for *_, at, _ in stood.log)
        if case.twin is not None:
            assert twin is not None
            assert twin.record == (case.twin_after or case.twin.record), variation
            assert twin.problems == {"TWO_ENTRIES"}


def test_there_is_a_case_for_every_attribute_and_group() -> None:
    assert len(CASES) > 300
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", LASTING, ids=str)
def test_a_replay_on_another_day_gives_the_same(outcome: Outcome, case: Case) -> None:
    """The same pages once more, forty days later: C21, B10."""
    for (variation, once, twin), (_, again, other) in zip(outcome.changed, outcome.again, strict=True):
        if variation.case is case:
            assert again.record == once.record, variation
            assert again.codes == once.codes
            assert again.problems == once.problems
            assert again.fields == once.fields, variation
            assert (other and other.record) == (twin and twin.record), variation


@pytest.mark.parametrize("case", LASTING, ids=str)
def test_what_is_heard_late_is_the_same_or_asked(outcome: Outcome, case: Case) -> None:
    """The same pages heard forty days late: an end or a start in between is not certain, all else is (C21)."""
    for variation, late, _ in outcome.late:
        if variation.case is case and late.record != case.record:
            assert late.ask is not None
            assert late.record in {case.before.record, case.record}, variation


@pytest.mark.parametrize("case", CASES, ids=str)
def test_who_is_asked_holds_what_basic_data_says_and_nobody_else_is_asked(outcome: Outcome, case: Case) -> None:
    """Basic data in the same run, under the current code (B11, B14, D28)."""
    for (variation, changed, _), (_, stood, _) in zip(outcome.changed, outcome.answered, strict=True):
        if variation.case is not case:
            continue
        assert (variation.names[case.codes[0]] in outcome.asked) == (case.ask is not None)
        assert (stood.ask, stood.hidden, stood.reveal) == (None, False, False)
        assert stood.problems == changed.problems
        if case.ask is None:
            assert stood == replace(changed)
        elif case.record.protected:
            hidden = replace(TRUE.without_location(), protected=True)
            assert stood.record == replace(hidden, protection_end=case.record.protection_end)
        else:
            assert stood.record == TRUE, variation
        assert stood.recheck == case.recheck, variation


@pytest.mark.django_db(transaction=True)
def test_c21_who_has_a_day_to_come_is_asked_on_that_day_and_not_before() -> None:
    with playing(Script()) as script:
        stage = Stage(script, [case for case in CASES if case.recheck is not None])
        stage.run(basic_data=False)
        answer(stage, stage.stand())
        stage.run()
        due: dict[date, set[str]] = {}
        for variation, *_ in stage.stand():
            assert variation.case.recheck is not None
            due.setdefault(variation.case.recheck, set()).add(variation.names[OWN])
        assert len(due) > 8
        for day in sorted(due):
            assert asked_on(stage, day - timedelta(days=1)) == set()
            assert asked_on(stage, day) == due[day]


def asked_on(stage: Stage, day: date) -> set[str]:
    """The codes that a run on the day asks basic data for."""
    stage.script.now = at_noon(day)
    before = len(stage.script.codes_asked("perustiedot"))
    assert stage.run().state == "COMPLETE"
    return set(asked_codes(stage.script, before))
