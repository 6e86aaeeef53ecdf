"""What the register asks of the source of its data; ``vtjsync`` fills it in at start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from registry.hetu import Hetu


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """Whose an identity code is, before anybody is added: nothing of a place, a ban or a death.

    ``name`` as the source gives it, None when it gives none. ``in_force``: whether the code is the person's code now;
    None when nothing is told of the code, which says nothing of why.
    """

    name: str | None = None
    in_force: bool | None = None


class Unanswered(Exception):
    """The source gives no answer to a look-up. ``closed``: it does not until an administrator has looked at it."""

    def __init__(self, *, closed: bool) -> None:
        super().__init__("no answer to a look-up")
        self.closed = closed


class Source(Protocol):
    """Where the register's data comes from."""

    def fetch_soon(self, person_ids: Sequence[int]) -> None:
        """Queue the question for these persons' basic data; it is stored when it comes, and the person's status tells.

        Whoever does not get an answer waits for the next run.
        """

    def import_soon(self, number: int) -> None:
        """Queue the next step of the list with this number (``registry.services.import_jobs``); inside a transaction it
        is queued when that is committed."""

    def ask_again(self, person_ids: Sequence[int]) -> None:
        """Mark these persons to be asked about in the next run, whatever was asked of them before: what was heard of
        them may not be all, and an answer to an earlier question is dropped when it comes. For use inside a transaction
        that has locked them."""

    def next_ask_at(self, person_ids: Sequence[int]) -> dict[int, datetime]:
        """When each person is asked next by itself; a moment that has passed means the next run. Absent for those whom
        nobody will ask (domain.md A4)."""

    def forget(self, person_ids: Sequence[int]) -> None:
        """Follow these persons no more: the register holds nothing of the source's of them. For use inside a
        transaction that has locked them."""

    def confirmed_at(self, person_ids: Sequence[int]) -> dict[int, datetime]:
        """When each person's data was last known to be up to date (domain.md B15, E41); absent if never."""

    def offers_look_ups(self) -> bool:
        """Whether this installation may ask about a single person whom it does not have."""

    def look_up(self, code: Hetu, *, asked_by: str, reason: str) -> Identity:
        """Ask about one person, now; nothing of the answer is kept. Not inside a transaction.

        ``asked_by`` is the user's name, ``reason`` a word. Raises :class:`Unanswered`.
        """


_source: Source | None = None


def provide(source: Source) -> None:
    """Called once, when the application starts."""
    global _source  # noqa: PLW0603
    _source = source


def source() -> Source:
    """The source that was provided."""
    if _source is None:
        raise RuntimeError("no source of person data was provided")
    return _source
