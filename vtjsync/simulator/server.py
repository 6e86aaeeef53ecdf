"""The simulator as a server on a real socket, in a process of its own or in a test's."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import msgspec

from vtjsync.simulator import journal, kysely
from vtjsync.simulator.control import Control, obey
from vtjsync.simulator.faults import Faults
from vtjsync.simulator.journal import Conflict, Journal, Parameters
from vtjsync.simulator.population import Population
from vtjsync.simulator.protocol import CLIENT, PAGE, SERVICE, Answer, Protocol, Request
from vtjsync.simulator.truth import Record
from vtjsync.simulator.world import HELSINKI, World

HOST: Final = "127.0.0.1"
USERNAME: Final = "simulator"
PASSWORD: Final = "simulator"  # noqa: S105 - the simulator's own, which guards nothing
LONGEST_BODY: Final = 64 * 1024 * 1024
SLOW_SECONDS: Final = 3.0


class Handle:
    """A running simulator, for tests and for the command."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.port: int = server.server_address[1]
        self.url = f"http://{HOST}:{self.port}"

    @property
    def _control(self) -> Control:
        return self._server.control

    @property
    def now(self) -> datetime:
        """The simulated time, aware."""
        return self._control.now

    @property
    def requests(self) -> list[tuple[str, Any]]:
        """Every call so far that reached the provider: the path after ``api/v1/``, and the decoded body or None; for a
        look-up ``vtjkysely`` and the fields of its question. Empty when started with ``keep_requests=False``."""
        return self._control.protocol.requests or []

    def advance(self, days: int = 1) -> None:
        """Lets days pass, with their events."""
        self._control.advance(days)

    def truth(self, codes: Iterable[str] | None = None) -> list[Record]:
        """What a correct register holds now of those who have or have had the codes (None: of everybody)."""
        return list(self._control.truth(self.codes() if codes is None else codes))

    def codes(self, count: int | None = None) -> list[str]:
        """Current codes of the first ``count`` people (None: of everybody)."""
        return self._control.codes(self._control.world.population.size if count is None else count)

    def faults(self, *names: str) -> None:
        """Turns faults on: ``NAME``, ``NAME=K`` for the next K requests that it can spoil, ``none`` clears."""
        self._control.faults(names)

    def append(
        self, code: str, rows: Sequence[Any], *, at: datetime | None = None, raw: dict[str, Any] | None = None
    ) -> int:
        """Writes an entry to the log as it is and returns its key; ``raw`` overrides members of the entry. The truth
        does not follow."""
        return self._control.append(code, rows, at, raw)

    def set_basic(self, code: str, rows: Sequence[Any] | None) -> None:
        """Answers these rows as the basic data of the code; None goes back to the right ones. The truth does not
        follow."""
        self._control.set_basic(code, rows)

    def happen(self, kind: str, code: str | None = None) -> str:
        """Lets an event (a name in ``events.KINDS``) happen now to the person, or to somebody; the truth follows.

        Returns the code under which its entry is. Raises ValueError when it cannot happen to the person.
        """
        return self._control.happen(kind, code)

    def grant(self, groups: Iterable[str]) -> None:
        """The permit now grants these groups and no others."""
        self._control.protocol.granted = frozenset(groups)

    def refuse(self, codes: Iterable[str] = (), *, longer_than: int | None = None) -> None:
        """Answers 400 to every list that holds one of the codes, or more codes; without any, to none."""
        self._control.protocol.refused, self._control.protocol.longest = frozenset(codes), longer_than

    def events(self) -> list[tuple[str, str]]:
        """The kind and the code of every entry in the log; the kind is empty for entries that were appended."""
        return [(entry.kind, entry.code) for entry in self._control.world.log]

    def renew(
        self,
        *,
        population: int,
        seed: int,
        start_day: date | None = None,
        activity: float = 1.0,
        page: int = PAGE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Another VTJ behind the same socket, as :func:`start` would make it; nothing of the first one is left."""
        self._server.control = _control(
            population, seed, start_day=start_day, activity=activity, page=page, clock=clock
        )

    def stop(self) -> None:
        """Stops serving and closes the socket."""
        self._server.shutdown()
        self._server.server_close()


def start(
    *,
    population: int,
    seed: int,
    port: int = 0,
    username: str = USERNAME,
    password: str = PASSWORD,
    start_day: date | None = None,
    unique_streets: bool = False,
    activity: float = 1.0,
    state: Path | None = None,
    client: str = CLIENT,
    service: str = SERVICE,
    look_up_service: str = kysely.SERVICE,
    page: int = PAGE,
    slow_seconds: float = SLOW_SECONDS,
    keep_requests: bool = True,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Handle:
    """Starts a simulator in a thread; port 0 takes a free one. Returns when it answers.

    Raises ValueError for parameters that cannot be, Conflict (a ValueError) for a state file of another population,
    and OSError when the port is taken.
    """
    server = Server((HOST, port), slow_seconds)
    try:
        server.control = _control(
            population,
            seed,
            username=username,
            password=password,
            start_day=start_day,
            unique_streets=unique_streets,
            activity=activity,
            state=state,
            client=client,
            service=service,
            look_up_service=look_up_service,
            page=page,
            keep_requests=keep_requests,
            clock=clock,
        )
    except BaseException:
        server.server_close()
        raise
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="vtj-simulator", daemon=True).start()
    return Handle(server)


def _control(
    population: int,
    seed: int,
    *,
    username: str = USERNAME,
    password: str = PASSWORD,
    start_day: date | None,
    unique_streets: bool = False,
    activity: float,
    state: Path | None = None,
    client: str = CLIENT,
    service: str = SERVICE,
    look_up_service: str = kysely.SERVICE,
    page: int,
    keep_requests: bool = True,
    clock: Callable[[], datetime],
) -> Control:
    """The world of these parameters, or the one that the state file keeps, with its protocol. Raises ValueError."""
    today = clock().astimezone(HELSINKI).date()
    kept = _kept(state, population, seed, start_day=start_day, today=today, unique_streets=unique_streets)
    given = kept.parameters
    people = Population(given.population, given.seed, date.fromisoformat(given.start), unique_streets=unique_streets)
    protocol = Protocol(
        World(people, clock),
        Faults(),
        username=username,
        password=password,
        client=client,
        service=service,
        page=page,
    )
    protocol.requests = [] if keep_requests else None
    look_ups = kysely.Kysely(protocol, username=username, password=password, service=look_up_service)
    control = Control(protocol, look_ups, kept, state)
    control.activity = activity
    return control


def _kept(
    state: Path | None, population: int, seed: int, *, start_day: date | None, today: date, unique_streets: bool
) -> Journal:
    """The journal to go on with, or a new one that begins on ``start_day``, by default ``today``."""
    kept = journal.load(state) if state is not None else None
    wanted = Parameters(population, seed, (start_day or today).isoformat(), unique_streets)
    if kept is None:
        return Journal(wanted, ((start_day or today) - today).days, 0)
    same_start = start_day is None or kept.parameters.start == wanted.start
    if not same_start or msgspec.structs.replace(kept.parameters, start=wanted.start) != wanted:
        raise Conflict(f"{state} is of another population: remove it, or give the parameters it was made with")
    return kept


class Server(ThreadingHTTPServer):
    """One thread for each connection."""

    daemon_threads = True
    request_queue_size = 128
    control: Control

    def __init__(self, address: tuple[str, int], slow_seconds: float) -> None:
        self.slow_seconds = slow_seconds
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a connection that the other side dropped; anything else is a defect of the simulator's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections kept alive. Logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """A question."""
        self._serve()

    def do_POST(self) -> None:
        """A question with a body."""
        self._serve()

    def log_message(self, *_: Any) -> None:
        """Nothing: a path could hold anything."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self._send(Answer(413, b""))
            return
        body = self.rfile.read(int(length))
        if self.path.startswith("/control/"):
            self._obey(self.path.removeprefix("/control/"), body)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.control.answer(Request(self.command, self.path, headers, body)))

    def _send(self, answer: Answer) -> None:
        if answer.slow:
            time.sleep(self.server.slow_seconds)
        if answer.reset:
            self._reset()
            return
        headers = {
            "Date": format_datetime(self.server.control.now.astimezone(UTC), usegmt=True),
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        head = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = answer.body[: len(answer.body) // 2] if answer.cut else answer.body
        # Together, so that a small answer is one packet.
        self.wfile.write(head.encode("latin-1") + b"\r\n" + body)
        if answer.cut:
            self.close_connection = True

    def _reset(self) -> None:
        """Drops the connection with a reset, not a good-bye."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _obey(self, what: str, body: bytes) -> None:
        """Control is for this machine only, and not for a web page that happens to be open on it."""
        if self.client_address[0] != HOST or "Origin" in self.headers:
            self._send(Answer(403, b""))
            return
        try:
            pieces = obey(self.server.control, what, body)
            first = next(pieces, b"")
        except ValueError as error:
            self._send(Answer(400, msgspec.json.encode({"error": str(error)})))
            return
        self.send_response_only(200)
        self.send_header("Content-Type", "application/jsonl")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(first)
        for piece in pieces:
            self._chunk(piece)
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, piece: bytes) -> None:
        if piece:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
