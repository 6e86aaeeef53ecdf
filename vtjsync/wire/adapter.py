"""A bound on the head of an answer, which the libraries do not give.

A read timeout starts again with every byte, and the head is read out of our reach: status and headers that drip in
would hold a worker for hours. Here they must all have come within the read timeout.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Event, Timer
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse


class BoundedAdapter(HTTPAdapter):
    """Sends as requests does, and breaks the connection when the answer's head takes longer than the read timeout."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Makes the pool of connections that watch their answers."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _HttpConnection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with _broken_after(self.timeout, self.sock):
            return super().getresponse()


class _HttpsConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with _broken_after(self.timeout, self.sock):
            return super().getresponse()


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


@contextmanager
def _broken_after(seconds: float | None, connection: socket.socket) -> Iterator[None]:
    """Ends what the block reads from the connection if it takes longer; raises TimeoutError then."""
    late = Event()

    def end() -> None:
        late.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    watch = Timer(seconds or 0.0, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    except (OSError, HTTPException):
        if not late.is_set():
            raise
    finally:
        watch.cancel()
    if late.is_set():
        # Also when nothing failed: a head that is cut off looks like a short one.
        raise TimeoutError
