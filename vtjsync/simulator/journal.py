"""What is kept so that a simulator comes back as it was: its parameters and everything done to it, to be done again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

VERSION: Final = 1


class Parameters(msgspec.Struct, frozen=True):
    """What the population follows from; ``start`` is its first simulated day."""

    population: int
    seed: int
    start: str
    unique_streets: bool


class Journal(msgspec.Struct):
    """The state file.

    ``days_ahead``: how far simulated days are from real ones. ``deeds``: what was done, in order.
    """

    parameters: Parameters
    days_ahead: int
    top_key: int
    deeds: list[dict[str, Any]] = msgspec.field(default_factory=list)
    version: int = VERSION


class Conflict(ValueError):
    """Raised for a state file that is of another population, or that cannot be read."""


def load(path: Path) -> Journal | None:
    """The journal in the file; None when there is no file. Raises :class:`Conflict`."""
    try:
        journal = msgspec.json.decode(path.read_bytes(), type=Journal)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise Conflict(f"{path} is not a state file that can be read") from error
    if journal.version != VERSION:
        raise Conflict(f"{path} is of another version of the simulator")
    return journal


def save(path: Path, journal: Journal) -> None:
    """Writes the file so that a crash leaves the old one or the new one."""
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(journal))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
