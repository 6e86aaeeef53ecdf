"""A server, and a client for it that does not really wait between attempts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.wire.server import Server
from vtjsync.wire.xroad import XRoadClient, XRoadService

SERVICE = XRoadService.parse("FI-TEST/GOV/0245437-2/VTJmutpa/VTJmutpa")
CLIENT = "FI-TEST/MUN/0101263-6/vtjsync"

MakeClient = Callable[..., XRoadClient]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server().running() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """The waits that clients have asked for."""
    return []


@pytest.fixture
def make_client(waits: list[float]) -> Iterator[MakeClient]:
    made: list[XRoadClient] = []

    def make(server: Server, /, **arguments: Any) -> XRoadClient:
        settings = {"server": server.url, "client": CLIENT, "service": SERVICE, "sleep": waits.append}
        made.append(XRoadClient(**{**settings, **arguments}))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(server: Server, make_client: MakeClient) -> XRoadClient:
    return make_client(server)
