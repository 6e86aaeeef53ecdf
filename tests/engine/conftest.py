"""A VTJ on a socket, and a register whose people it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from vtjsync.simulator import kysely, server
from vtjsync.simulator.products import PRODUCTS
from vtjsync.simulator.server import Handle

Start = Callable[..., Handle]


@pytest.fixture
def start_vtj(settings: Settings) -> Iterator[Start]:
    """``start_vtj(population=…, …)``: a simulator of its own for the test; the settings point to it."""
    running: list[Handle] = []

    def begin(population: int = 60, seed: int = 7, **more: object) -> Handle:
        vtj = server.start(population=population, seed=seed, **more)  # type: ignore[arg-type]
        running.append(vtj)
        settings.VTJ_SERVER = vtj.url
        settings.VTJ_CLIENT = server.CLIENT
        settings.VTJ_USERNAME, settings.VTJ_PASSWORD = server.USERNAME, server.PASSWORD
        settings.VTJ_DEADLINE = 3.0
        return vtj

    yield begin
    for vtj in running:
        vtj.stop()


@pytest.fixture
def look_ups(vtj: Handle, settings: Settings) -> Handle:
    """The same simulator, of which single look-ups are made too."""
    settings.VTJKYSELY_CLIENT = server.CLIENT
    settings.VTJKYSELY_SERVICE = kysely.SERVICE
    settings.VTJKYSELY_PRODUCT = next(iter(PRODUCTS))
    settings.VTJKYSELY_USERNAME, settings.VTJKYSELY_PASSWORD = server.USERNAME, server.PASSWORD
    settings.VTJKYSELY_DEADLINE = 2.0
    return vtj


@pytest.fixture
def vtj(start_vtj: Start) -> Handle:
    """A small simulator."""
    return start_vtj()
