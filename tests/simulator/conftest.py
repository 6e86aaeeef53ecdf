from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from tests.simulator.calls import Caller
from vtjsync.simulator.server import Handle, start

START = date(2026, 3, 2)


@pytest.fixture
def run() -> Iterator[Callable[..., Handle]]:
    """Starts simulators that are stopped at the end of the test."""
    handles: list[Handle] = []

    def started(**options: Any) -> Handle:
        given: dict[str, Any] = {"population": 300, "seed": 4, "start_day": START} | options
        handles.append(start(**given))
        return handles[-1]

    yield started
    for handle in handles:
        handle.stop()


@pytest.fixture
def simulator(run: Callable[..., Handle]) -> Handle:
    return run()


@pytest.fixture
def call(simulator: Handle) -> Iterator[Caller]:
    with Caller(simulator) as caller:
        yield caller
