"""What all processes count together, in the database: pages, workers and commands are many processes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import DatabaseError, connection

from vtjsync.logs import removals
from vtjsync.models import Tally

CODES_REMOVED: Final = "codes_removed_from_logs"
HELD_SEARCHES: Final = "searches_held_back"
HELD_SIGN_INS: Final = "sign_ins_held_back"
# Counted by the queue itself, so that it tells that schedules and workers live.
WATCH: Final = "watch"

_ADD: Final = """
    INSERT INTO vtjsync_tally AS t (name, count, at) VALUES (%s, %s, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET count = t.count + excluded.count, at = excluded.at
"""


def add(name: str, number: int = 1) -> None:
    """So many more of it, now."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [name, number])


def last(name: str) -> datetime | None:
    """When it was last counted."""
    return Tally.objects.filter(pk=name).values_list("at", flat=True).first()


def counts() -> dict[str, int]:
    """All of them; what was never counted is not among them."""
    return dict(Tally.objects.values_list("name", "count"))


def tell_removals() -> None:
    """Adds what this process had to remove from its log. Called between requests and tasks: costs nothing when there is
    nothing to tell."""
    number = removals.take()
    if number:
        try:
            add(CODES_REMOVED, number)
        except DatabaseError:
            removals.untake(number)
