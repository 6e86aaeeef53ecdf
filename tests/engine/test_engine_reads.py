"""What the pure reading makes of its own cases is what stands in the register's rows after the wire and the engine."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from registry.models import Person
from tests.engine.cases.case import OWN, Case, Told
from tests.engine.cases.play import Stage
from tests.engine.script import Script, playing
from tests.reading import test_reading_attributes as attributes
from tests.reading import test_reading_bans as bans
from tests.reading import test_reading_dates as dates
from tests.reading import test_reading_snapshot as snapshots
from tests.reading import test_reading_values as values
from tests.reading.rows import CONTEXT, ENTRY
from tests.reading.rows import Case as Reading

READINGS: list[Reading] = [
    one
    for one in [
        *(attributes.TABLE + attributes.SINGLE + attributes.SEVERAL + attributes.DEATHS),
        *(bans.START + bans.KEEP + bans.END),
        *(dates.C21 + dates.C22 + dates.B14),
        *(values.C25 + values.C24),
    ]
    if one.context == CONTEXT
]
# The same second cannot be met from outside: basic data is requested a moment after ENTRY.
SNAPSHOTS: list[Reading] = [
    one
    for one in snapshots.PLAIN + snapshots.FAULTY + snapshots.BANS + snapshots.REPAIR
    if one.context == CONTEXT and one.state.silence_at != ENTRY
]
SECOND = timedelta(seconds=1)


def played(one: Reading) -> Case:
    """The same case for the engine; a row that is none makes an entry unreadable."""
    rows = one.rows if one.readable else [*one.rows, "?"]
    rule, _, name = one.name.partition(" ")
    return Case(rule, name, before=one.state, pages=[[Told(rows, one.at)]])


@pytest.mark.django_db(transaction=True)
def test_every_case_of_the_reading_stands_in_the_rows_as_it_was_read() -> None:
    assert len(READINGS) > 150
    cases = [played(one) for one in READINGS]
    reading_of = dict(zip(map(id, cases), READINGS, strict=True))
    with playing(Script()) as script:
        stage = Stage(script, cases)
        assert stage.run(basic_data=False).state == "COMPLETE"
        for variation, stood, _ in stage.stand():
            outcome = reading_of[id(variation.case)].changed()
            state = outcome.state
            assert stood.record == state.record, variation
            assert stood.ask == outcome.ask, variation
            assert (stood.hidden, stood.reveal) == (outcome.hide_location, state.reveal_awaited), variation
            assert stood.recheck == state.recheck_on, variation
            assert (stood.ban_since, stood.silence_at) == (state.ban_since, state.silence_at), variation


@pytest.mark.django_db(transaction=True)
def test_every_basic_data_of_the_reading_stands_in_the_rows_as_it_was_read() -> None:
    assert len(SNAPSHOTS) > 40
    with playing(Script()) as script:
        stage = Stage(script, [Case("", one.name, before=one.state) for one in SNAPSHOTS])
        pairs = list(zip(stage.all, SNAPSHOTS, strict=True))
        answers = {variation.names[OWN]: [*one.rows, *([] if one.readable else ["?"])] for variation, one in pairs}
        script.basic, script.now = answers.__getitem__, ENTRY + SECOND
        Person.objects.update(ask="VALUE")
        assert stage.run().state == "COMPLETE"
        for (variation, stood, _), one in zip(stage.stand(), SNAPSHOTS, strict=True):
            outcome = one.answered()
            state = outcome.state
            problems = {
                "BAN_UNCLEAR": outcome.unconfirmed_ban,
                "UNREADABLE": bool(outcome.unreadable - outcome.contradicting),
                "CONTRADICTING": bool(outcome.contradicting),
            }
            assert stood.record == state.record, variation
            assert stood.ask == ("UNREADABLE" if outcome.unreadable else outcome.ask), variation
            assert (stood.hidden, stood.reveal) == (outcome.hide_location, state.reveal_awaited), variation
            assert stood.recheck == state.recheck_on, variation
            assert stood.problems == {kind for kind, found in problems.items() if found}, variation
            assert near(stood.ban_since, state.ban_since), variation
            assert near(stood.silence_at, state.silence_at), variation


def near(one: datetime | None, other: datetime | None) -> bool:
    """Both none, or the same but for the moment that the request took."""
    return one is other if one is None or other is None else abs(one - other) <= SECOND
