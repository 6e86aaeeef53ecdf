"""What the register asks of the source of its data; ``vtjsync`` fills it in at start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Source(Protocol):
    """Where the register's data comes from."""

    def fetch_soon(self, person_ids: Sequence[int]) -> None:
        """Queue the question for these persons' basic data; it is stored when it comes, and the person's status tells.

        Whoever does not get an answer waits for the next run.
        """

    def ask_again(self, person_ids: Sequence[int]) -> None:
        """Mark these persons to be asked about in the next run: what was heard of them may not be all. For use inside
        a transaction that has locked them."""

    def confirmed_at(self, person_ids: Sequence[int]) -> dict[int, datetime]:
        """When each person's data was last known to be up to date (domain.md B15, E41); absent if never."""


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
