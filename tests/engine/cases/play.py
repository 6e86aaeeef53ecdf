"""Plays all cases at once through the real engine: one person each, and one more for each other order of its rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice, permutations
from typing import Any

from registry.models import TASKS, AppliedChange, Person, PersonCode, Problem
from registry.record import PersonRecord
from registry.services import vtj_data
from registry.sql import ids
from tests.engine import world
from tests.engine.cases.case import NEW, OWN, THIRD, TWIN, Case, Told
from tests.engine.script import Script, entry
from tests.reading.rows import ENTRY, JSON
from vtjsync.engine.sync import sync
from vtjsync.models import SyncRun

MOST_ORDERS = 6


@dataclass
class Variation:
    """A case with its rows in one order, and the persons who live it; ``names`` are the codes behind the words."""

    case: Case
    told: list[list[Told]]
    names: dict[str, str] = field(default_factory=dict)
    person: int = 0
    twin: int | None = None

    def __str__(self) -> str:
        return f"{self.case}: {[[told.rows for told in page] for page in self.told]}"


@dataclass(frozen=True)
class Stood:
    """How one person stands in the register's rows."""

    record: PersonRecord
    ask: str | None
    hidden: bool
    reveal: bool
    recheck: date | None
    ban_since: datetime | None
    silence_at: datetime | None
    problems: frozenset[str]
    codes: tuple[str, ...]
    fields: tuple[str, ...]
    log: tuple[tuple[Any, ...], ...]


def variations(cases: Iterable[Case]) -> list[Variation]:
    """Every case, and every case again with the rows of its entries in other orders."""
    return [Variation(case, told) for case in cases for told in _orders(case)]


def _orders(case: Case) -> list[list[list[Told]]]:
    if case.pages:
        turned = [[told._replace(rows=list(reversed(told.rows))) for told in page] for page in case.pages]
        return [[list(page) for page in case.pages], turned]
    return [[[Told(list(rows))]] for rows in islice(permutations(case.rows), MOST_ORDERS)]


class Stage:
    """A register with everyone of the cases in it, in one cohort, and a VTJ that tells of them."""

    def __init__(self, script: Script, cases: Iterable[Case]) -> None:
        self.script = script
        self.all = variations(cases)
        self.runs: list[SyncRun] = []
        cohort = world.cohort()
        mine = world.held([one.case.before for one in self.all], cohort)
        paired = [one for one in self.all if one.case.twin is not None]
        twins = world.held([one.case.twin for one in paired if one.case.twin is not None], cohort)
        for one, (person, code) in zip(self.all, mine, strict=True):
            one.person = person
            one.names = {OWN: code, NEW: world.new_code(), THIRD: world.new_code()}
        for one, (person, code) in zip(paired, twins, strict=True):
            one.twin, one.names[TWIN] = person, code
        pages = max(len(one.told) for one in self.all)
        script.pages = [[told for one in self.all for told in _entries(one, page)] for page in range(pages)]

    def run(self, *, changes: bool = True, basic_data: bool = True) -> SyncRun:
        """One run of the engine, or of one of its halves."""
        self.runs.append(sync("test", wait=0, with_changes=changes, with_basic_data=basic_data))
        return self.runs[-1]

    def again(self) -> None:
        """Lets the same pages come once more, after those that have come."""
        self.script.pages = [*self.script.pages, *self.script.pages]

    def stand(self) -> list[tuple[Variation, Stood, Stood | None]]:
        """How everyone stands now: the person of each variation, and the other entry if there is one."""
        twins = [one.twin for one in self.all if one.twin is not None]
        stood = standing([one.person for one in self.all] + twins)
        told = {code: word for one in self.all for word, code in one.names.items()}
        stood = {
            person: replace(one, codes=tuple(told.get(code, code) for code in one.codes))
            for person, one in stood.items()
        }
        return [(one, stood[one.person], stood[one.twin] if one.twin else None) for one in self.all]


def _entries(one: Variation, page: int) -> list[JSON]:
    told = one.told[page] if page < len(one.told) else []
    return [entry(one.names[under], _named(rows, one.names), at) for rows, at, under in told]


def _named(rows: Sequence[object], names: dict[str, str]) -> list[Any]:
    """The same rows with codes in place of the words for them, however deep."""
    text = json.dumps(list(rows))
    for word, code in names.items():
        text = text.replace(f'"{word}"', f'"{code}"')
    named: list[Any] = json.loads(text)
    return named


def standing(persons: Sequence[int]) -> dict[int, Stood]:
    """How these persons stand in the register's rows, a few statements for all."""
    held = vtj_data.read(persons)
    hidden = dict(Person.objects.filter(id__in=ids(persons)).values_list("id", "location_hidden"))
    codes: dict[int, list[str]] = {}
    for person, code in (
        PersonCode.objects.filter(person__in=ids(persons)).order_by("-current", "pk").values_list("person", "hetu")
    ):
        codes.setdefault(person, []).append(code)
    problems: dict[int, set[str]] = {}
    for person, kind in Problem.objects.filter(closed_at=None).exclude(kind__in=TASKS).values_list("person", "kind"):
        problems.setdefault(person, set()).add(kind)
    log: dict[int, list[tuple[Any, ...]]] = {}
    columns = ("person", "field", "old_value", "new_value", "source", "changed_at", "run")
    for person, *change in AppliedChange.objects.order_by("id").values_list(*columns):
        log.setdefault(person, []).append(tuple(change))
    return {
        person: Stood(
            record=one.record,
            ask=one.ask,
            hidden=hidden[person],
            reveal=one.reveal_awaited,
            recheck=one.recheck_on,
            ban_since=one.ban_since,
            silence_at=one.ban_silence_at,
            problems=frozenset(problems.get(person, ())),
            codes=tuple(codes[person]),
            fields=tuple(sorted(change[0] for change in log.get(person, ()))),
            log=tuple(log.get(person, ())),
        )
        for person, one in held.items()
    }


def at_noon(day: date) -> datetime:
    """Noon of the day in Helsinki, give or take an hour."""
    return ENTRY + timedelta(days=(day - ENTRY.date()).days)


def asked_codes(script: Script, since: int) -> Collection[str]:
    """The codes of all requests for basic data after the first ``since``."""
    return [code for codes in script.codes_asked("perustiedot")[since:] for code in codes]
