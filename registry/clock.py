"""Days are Helsinki's (domain.md G51)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

HELSINKI: Final = ZoneInfo("Europe/Helsinki")


def helsinki_day(moment: datetime) -> date:
    """The Helsinki date of an aware moment."""
    return moment.astimezone(HELSINKI).date()


def today() -> date:
    """Helsinki's date now."""
    return datetime.now(HELSINKI).date()
