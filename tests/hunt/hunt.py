"""The hunt itself: the month, then the search."""

from __future__ import annotations

from pathlib import Path

from tests.hunt.month import Month
from tests.hunt.places import Report, everywhere, look
from tests.hunt.staff import moment


def hunted(*, people: int, days: int, folder: Path, seed: int = 1) -> tuple[Month, Report]:
    """Lives so many days and looks everywhere."""
    month = Month(people, folder, seed)
    with month.begun():
        for _ in range(days):
            month.day()
        month.end()
    month.kept["log, as production writes it"] = "\n".join(month.heard.lines)
    month.kept["log, before anything is taken out"] = "\n".join(month.heard.messages)
    return month, look(month.words, everywhere(month.kept, folder), moment(month.words))
