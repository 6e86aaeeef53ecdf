"""The clientships of two entries of one person, side by side: which stay as they are, and which become one (D30).

Two of the same service whose days overlap cannot both be: they become one from the first day of either to the last,
open if either is open, with the provider of the one that began last, as far as it has one, and the own references of
all, one after the other. No day is lost. Plain rows in, plain rows out: nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from registry.models import Clientship


@dataclass(frozen=True, slots=True)
class Joined:
    """Clientships that become one: ``rows`` as they are; ``kept`` is the survivor's own of them, as it will be."""

    rows: tuple[Clientship, ...]
    kept: Clientship

    @property
    def gone(self) -> tuple[int, ...]:
        """The numbers of the rows that are not kept."""
        return tuple(one.pk for one in self.rows if one.pk != self.kept.pk)


def sorted_out(survivor: int, rows: Iterable[Clientship]) -> tuple[tuple[Clientship, ...], tuple[Joined, ...]]:
    """Of the rows of both: those of the other entry that move as they are, and those that become one."""
    moved: list[Clientship] = []
    joined: list[Joined] = []
    ordered = sorted(rows, key=lambda one: (one.service_id, one.start, one.pk))
    for _service, of_service in groupby(ordered, key=lambda one: one.service_id):
        for together in _overlapping(of_service):
            owners = {one.person_id for one in together}
            if len(owners) > 1:
                joined.append(Joined(tuple(together), _one(survivor, together)))
            elif owners != {survivor}:
                moved += together
    return tuple(moved), tuple(joined)


def _overlapping(rows: Iterable[Clientship]) -> list[list[Clientship]]:
    """The rows, in the order of their starts, in groups that share days."""
    groups: list[list[Clientship]] = []
    last = date.min
    for one in rows:
        if groups and one.start <= last:
            groups[-1].append(one)
        else:
            groups.append([one])
        last = max(last, one.end or date.max)
    return groups


def _one(survivor: int, rows: Sequence[Clientship]) -> Clientship:
    """What the rows, in the order of their starts, become: the survivor's first of them with the days of all."""
    own = next(one for one in rows if one.person_id == survivor)
    longest = max(rows, key=lambda one: one.end or date.max)
    newest = next((one for one in reversed(rows) if one.provider_id is not None), own)
    return Clientship(
        pk=own.pk,
        person_id=survivor,
        service=own.service,
        provider=newest.provider,
        start=rows[0].start,
        end=longest.end,
        end_reason=longest.end_reason,
        ended_at=longest.ended_at,
        ended_by_id=longest.ended_by_id,
        reference=", ".join(dict.fromkeys(one.reference for one in rows if one.reference)) or None,
        created_at=min(one.created_at for one in rows),
    )
