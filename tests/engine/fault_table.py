"""Writes docs/faults.md: what every fault that the simulator can play does to a run, alone and in pairs.

    python -m tests.engine.fault_table

Takes some minutes. The tests read the table back and hold it to what happens.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vtjsync.simulator.faults import FAULTS, REST

if TYPE_CHECKING:
    from vtjsync.simulator.server import Handle

DOC: Final = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
# Those that can come to a run: a look-up is none.
NAMES: Final = tuple(name for name, calls in FAULTS.items() if calls & REST)
PAIRS: Final = tuple(combinations(NAMES, 2))
HEAD: Final = """# What faults do to a run

Made by `python -m tests.engine.fault_table` on {day}. `make test` holds the first table to what happens, `make
test-long` both.

The scene is always the same (`tests/engine/faults.py`). Two cohorts of clients are up to date; then there is news of
moves, bans, names, a death and a corrected code, and three people are new on the list. A run hears of it while a fault
of the simulator (docs/simulator.md) plays. Then the fault is over, an administrator lifts a stop if there is one, and
there is a second run. In every line below

- what the first run says is so: everybody whom it confirms holds what is true in VTJ, and COMPLETE means that all were
  asked;
- the second run is COMPLETE and the register equals the truth: no change is lost;
- no change stands in the log twice.

The tables tell how the first run ended. After INCOMPLETE the next run goes on by itself; FAILED needs somebody to look
(docs/operations.md).
"""
ALONE: Final = """
## Alone

Until it is cleared, or for one request only: the first for changes, for basic data, for the key of a new cohort. A
fault that a request cannot show waits for the next that can.

| fault | until cleared | once, changes | once, basic data | once, new cohort |
|---|---|---|---|---|
"""
TOGETHER: Final = """
## In pairs

| faults | until both are cleared | one request each |
|---|---|---|
"""


def alone(vtj: Handle, folder: Path, name: str, moments: dict[str, int]) -> str:
    """The line of one fault."""
    from tests.engine.faults import play

    once = [play(vtj, folder, [f"{name}=1"], at) for at in moments.values()]
    return _line(f"`{name}`", play(vtj, folder, [name]), *once)


def together(vtj: Handle, folder: Path, pair: tuple[str, str]) -> str:
    """The line of two faults."""
    from tests.engine.faults import play

    once = play(vtj, folder, [f"{name}=1" for name in pair])
    return _line(" ".join(f"`{name}`" for name in pair), play(vtj, folder, pair), once)


def told(text: str) -> set[str]:
    """The lines of the table as the document has them."""
    return {line for line in text.splitlines() if line.startswith("| `")}


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(vtj: Handle, folder: Path) -> Iterator[str]:
    from registry.clock import today
    from tests.engine.faults import moments

    yield HEAD.format(day=today().isoformat())
    yield ALONE
    of = moments(vtj)
    for name in NAMES:
        yield f"{alone(vtj, folder, name, of)}\n"
    yield TOGETHER
    for pair in PAIRS:
        yield f"{together(vtj, folder, pair)}\n"


def main() -> None:
    """Plays everything on a database of its own and writes the document."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    logging.disable()
    from django.conf import settings
    from django.db import connection

    from vtjsync.simulator import server

    connection.settings_dict["TEST"]["NAME"] = "test_vtjsync_faults"
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    vtj = server.start(population=1, seed=1, slow_seconds=0.01)
    try:
        with TemporaryDirectory() as folder:
            settings.ERASURE_LEDGER = Path(folder, "ledger.jsonl")
            text = "".join(_lines(vtj, Path(folder)))
    finally:
        vtj.stop()
        connection.creation.destroy_test_db(name, verbosity=0)
    DOC.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{DOC.name}: {len(told(text))} lines\n")


if __name__ == "__main__":
    main()
