"""Clientships of two entries of one person: no day is lost, and none overlap (domain.md D30)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from registry.models import Clientship, Provider, Service
from registry.services.joining import sorted_out

SURVIVOR, OTHER = 1, 2
HOME_CARE, TRANSPORT = Service(pk=7), Service(pk=8)
FIRST, SECOND = Provider(pk=1), Provider(pk=2)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def row(number: int, person: int, start: str, end: str | None = None, **more: object) -> Clientship:
    days = {"start": date.fromisoformat(start), "end": date.fromisoformat(end) if end else None}
    made = Clientship(pk=number, person_id=person, **({"service": HOME_CARE} | days | more))
    made.created_at = NOW + timedelta(days=number)
    return made


@dataclass(frozen=True)
class Case:
    name: str
    rows: list[Clientship]
    moved: list[int]
    joined: list[tuple[int, str, str | None]]

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("only the survivor's", [row(1, SURVIVOR, "2020-01-01")], [], []),
    Case("only the other's", [row(1, OTHER, "2020-01-01")], [1], []),
    Case(
        "one after the other",
        [row(1, SURVIVOR, "2020-01-01", "2020-12-31"), row(2, OTHER, "2021-01-01")],
        [2],
        [],
    ),
    Case(
        "another service",
        [row(1, SURVIVOR, "2020-01-01"), row(2, OTHER, "2020-01-01", service=TRANSPORT)],
        [2],
        [],
    ),
    Case(
        "both open",
        [row(1, SURVIVOR, "2021-01-01"), row(2, OTHER, "2020-01-01")],
        [],
        [(1, "2020-01-01", None)],
    ),
    Case(
        "the same start, one ended",
        [row(1, SURVIVOR, "2020-01-01", "2020-06-30"), row(2, OTHER, "2020-01-01")],
        [],
        [(1, "2020-01-01", None)],
    ),
    Case(
        "both ended, a day in common",
        [row(1, SURVIVOR, "2020-01-01", "2020-06-30"), row(2, OTHER, "2020-06-30", "2020-12-31")],
        [],
        [(1, "2020-01-01", "2020-12-31")],
    ),
    Case(
        "one that bridges two of the survivor's",
        [
            row(1, SURVIVOR, "2020-01-01", "2020-03-31"),
            row(2, SURVIVOR, "2020-06-01", "2020-09-30"),
            row(3, OTHER, "2020-03-01", "2020-07-31"),
            row(4, OTHER, "2021-01-01", "2021-02-28"),
        ],
        [4],
        [(1, "2020-01-01", "2020-09-30")],
    ),
    Case(
        "one inside another",
        [row(1, OTHER, "2020-01-01", "2020-12-31"), row(2, SURVIVOR, "2020-02-01", "2020-03-31")],
        [],
        [(2, "2020-01-01", "2020-12-31")],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_d30_which_move_and_which_become_one(case: Case) -> None:
    moved, joined = sorted_out(SURVIVOR, case.rows)
    assert [one.pk for one in moved] == case.moved
    told = [(one.kept.pk, str(one.kept.start), str(one.kept.end) if one.kept.end else None) for one in joined]
    assert told == case.joined
    assert all(one.kept.person_id == SURVIVOR for one in joined)


def test_d30_the_provider_of_the_later_one_and_all_references_are_kept() -> None:
    rows = [
        row(1, SURVIVOR, "2020-01-01", reference="A-1", provider=FIRST),
        row(2, OTHER, "2021-01-01", "2021-12-31", reference="B-2", provider=SECOND, end_reason="MOVED", ended_at=NOW),
        row(3, OTHER, "2022-01-01", reference="A-1"),
    ]
    _moved, (joined,) = sorted_out(SURVIVOR, rows)
    kept = joined.kept
    assert (kept.provider_id, kept.reference, kept.end, kept.end_reason, kept.ended_at) == (
        2,
        "A-1, B-2",
        None,
        None,
        None,
    )
    assert joined.gone == (2, 3)
    assert kept.created_at == rows[0].created_at
    assert rows[0].end is None


def test_d30_no_day_is_lost_and_none_overlap_whatever_the_rows() -> None:
    dice = random.Random(30)
    for _ in range(300):
        rows = []
        for number in range(dice.randint(1, 8)):
            start = date(2020, 1, 1) + timedelta(days=dice.randint(0, 60))
            end = start + timedelta(days=dice.randint(0, 20)) if dice.random() < 0.9 else None
            rows.append(
                row(number, dice.choice((SURVIVOR, OTHER)), start.isoformat(), end.isoformat() if end else None)
            )
        moved, joined = sorted_out(SURVIVOR, rows)
        replaced = {one.pk for each in joined for one in each.rows}
        after = [one for one in rows if one.pk not in replaced] + [each.kept for each in joined]
        assert days(rows) == days(after)
        assert {one.pk for one in rows if one.person_id == OTHER} - replaced == {one.pk for one in moved}
        # Of one entry they may have overlapped before; of the two they do not any more.
        own = [one for one in after if one not in moved]
        assert not any(days([one]) & days([each]) for one in own for each in moved)


def days(rows: list[Clientship]) -> set[date]:
    last = date(2020, 6, 1)
    return {
        one.start + timedelta(days=number) for one in rows for number in range(((one.end or last) - one.start).days + 1)
    }
