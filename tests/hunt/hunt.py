"""The hunt itself: the month, then the search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from tests.hunt.month import Month
from tests.hunt.places import Report, kept, look
from tests.hunt.staff import moment


@contextmanager
def hunted(*, people: int, days: int, folder: Path, seed: int = 1) -> Iterator[tuple[Month, Report]]:
    """So many days have been lived, and everything was looked at: the database every evening, all of it at the end."""
    month, evenings = Month(people, folder, seed), Counter[tuple[str, str, str, str]]()
    with month.begun():
        for _ in range(days):
            month.day()
            evenings += look(month.words, kept(folder), moment(month.words)).hits
        month.end()
        report = searched(month)
        report.hits += evenings
        yield month, report


def searched(month: Month) -> Report:
    """What is found now."""
    return look(month.words, chain(kept(month.folder), month.given_out()), moment(month.words))


def told(month: Month, report: Report) -> str:
    """What happened, what was looked at, and what was found, as tables."""
    runs = Counter(month.runs)
    happened = {
        "people of VTJ": month.people,
        "words, of one person and field each": len(month.words.of),
        **dict(sorted(month.happened.items())),
        **{f"runs that ended {how}": number for how, number in sorted(runs.items())},
        **{f"answers of pages, status {status}": number for status, number in sorted(month.staff.answers.items())},
    }
    looked: Counter[str] = Counter({"answers of pages, each at its moment": month.staff.letters})
    for where, letters in report.letters.items():
        looked[_group(where)] += letters
    tables = sum(not where.startswith("samples") and "_" in where for where in report.letters)
    lines = ["| what happened | |", "|---|--:|", *(f"| {what} | {number} |" for what, number in happened.items())]
    lines += [
        "",
        "| looked at | letters |",
        "|---|--:|",
        *(f"| {where} | {n} |" for where, n in sorted(looked.items())),
    ]
    lines += ["", f"{tables} tables; {report.lawful} words where they may stand; found where they must not: "]
    lines[-1] += f"{sum(report.hits.values())} in what is kept, {sum(month.staff.wrong.values())} in answers of pages."
    return "\n".join([*lines, str(report), *map(str, month.staff.wrong.items())]).rstrip()


def _group(where: str) -> str:
    if where.startswith("samples of "):
        return "samples of the planner"
    return "rows of the database, by table" if "_" in where and " " not in where else where
