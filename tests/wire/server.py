"""A server that says what a test tells it to, over a real socket, with or without TLS."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """What the server does with one request.

    ``raw``, if given, is sent as it is instead of status, headers and body, and the connection is closed; with
    ``reset`` it is reset. ``before`` seconds pass first, and ``drip`` seconds before each byte of the body, or
    of ``raw``.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    reset: bool = False
    before: float = 0.0
    drip: float = 0.0
    close: bool = False


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Message
    body: bytes


class Server:
    """Answers with ``replies`` in turn, the last one for ever after; keeps what was ``asked``."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.replies: list[Reply] = [Reply()]
        self.asked: list[Asked] = []
        self.connections = 0
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._http.tls = context
        self.port: int = self._http.server_port
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Server]:
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def take(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class _Http(ThreadingHTTPServer):
    owner: Server
    tls: ssl.SSLContext | None
    daemon_threads = True
    block_on_close = False

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self.owner.connections += 1
        request.settimeout(10)
        try:
            connection = self.tls.wrap_socket(request, True, False) if self.tls else request
            if isinstance(connection, ssl.SSLSocket):
                _shake_hands(connection)
            _Handler(connection, client_address, self)
            if self.tls:
                connection.close()
        except OSError:
            pass


def _shake_hands(connection: ssl.SSLSocket) -> None:
    """Lets the other side read why it is refused: a socket that is closed over unread bytes takes the alert back."""
    try:
        connection.do_handshake()
    except OSError:
        with socket.socket(fileno=connection.detach()) as plain:
            plain.settimeout(5)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65_536):
                pass
        raise


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.server.owner.take(Asked(self.command, self.path, self.headers, body))
        time.sleep(reply.before)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reply.raw is not None or reply.reset:
            self.drip(reply.raw or b"", reply.drip)
            self.close_connection = True
            if reply.reset:
                self.connection.close()
            return
        self.send_response_only(reply.status)
        headers = {"Content-Length": str(len(reply.body)), **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        if reply.close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.drip(reply.body, reply.drip)

    def drip(self, told: bytes, seconds: float) -> None:
        if not seconds:
            self.wfile.write(told)
            return
        for byte in told:
            time.sleep(seconds)
            self.wfile.write(bytes((byte,)))

    do_GET = do_POST = answer  # noqa: N815

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Keeps the test's output clean."""
