"""What is installed for the program is named with its version, down to what the packages bring along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent


def named(file: str) -> Iterator[Requirement]:
    for line in (ROOT / file).read_text().splitlines():
        if line and not line.startswith(("#", "-")):
            yield Requirement(line)


def key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def brought(wanted: Requirement, seen: set[tuple[str, str]]) -> Iterator[str]:
    """The names of the package and of all that it needs here."""
    yield key(wanted.name)
    for extra in wanted.extras or {""}:
        if (key(wanted.name), extra) in seen:
            continue
        seen.add((key(wanted.name), extra))
        for one in map(Requirement, requires(wanted.name) or ()):
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                yield from brought(one, seen)


def needed() -> set[str]:
    seen: set[tuple[str, str]] = set()
    return {name for one in named("requirements.txt") for name in brought(one, seen)}


def test_everything_that_comes_along_has_its_version() -> None:
    files = ("requirements.txt", "constraints.txt")
    pinned = {key(one.name): str(one.specifier) for file in files for one in named(file)}
    assert {name: pinned.get(name) for name in needed()} == {name: f"=={version(name)}" for name in needed()}


def test_nothing_is_named_that_nobody_needs() -> None:
    assert {key(one.name) for one in named("constraints.txt")} <= needed()
