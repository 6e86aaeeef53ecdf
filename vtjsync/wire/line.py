"""The line to the organisation's own security server, whatever is said over it: one question, with its retries (wire.md
1, domain.md B16).

Only questions go through here: POST too changes nothing at the other end, so every one is safe to repeat.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter
from urllib3.exceptions import HTTPError

from vtjsync.wire import faults
from vtjsync.wire.adapter import BoundedAdapter
from vtjsync.wire.errors import Reason, Unavailable, Unreadable, VtjError
from vtjsync.wire.tls import PinnedAdapter

logger = logging.getLogger(__name__)
# Its warnings quote headers that it cannot read.
logging.getLogger("urllib3").setLevel(logging.ERROR)

MAX_BODY: Final = 512 * 1024 * 1024
MAX_ERROR_BODY: Final = 64 * 1024
CHUNK: Final = 256 * 1024

_UUID: Final = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_WORD: Final = re.compile("(?!.*[0-9]{6})[A-Za-z0-9-]{1,64}")

T = TypeVar("T")
Error = TypeVar("Error", bound=VtjError)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is worth reading.

    ``at`` is the answer's own Date, aware UTC, None when it has none; ``request_id`` is X-Road-Request-Id and
    ``x_road_id`` the id of the attempt that was answered; empty where there is none.
    """

    body: bytes = field(repr=False)
    status: int
    at: datetime | None
    request_id: str
    x_road_id: str
    content_type: str = ""

    def unreadable(self) -> Unreadable:
        """The error that the body cannot be used, with what it looks like instead."""
        kinds = {b"": Reason.EMPTY, b"<": Reason.HTML}
        return self.error(Unreadable(kinds.get(self.body.lstrip()[:1], Reason.NOT_AS_AGREED)))

    def error(self, error: Error) -> Error:
        """The error, with what is known of the answer that tells it."""
        error.status, error.x_road_id, error.request_id = self.status, self.x_road_id, self.request_id
        return error


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent: ``name`` is the service's, for the log, and ``x_road_id`` new for every attempt.

    ``accepts`` tells by status and headers whether the answer's body is to be read, or the answer is an error.
    """

    method: str
    path: str
    name: str
    x_road_id: str
    headers: Mapping[str, str] = field(repr=False)
    accepts: Callable[[int, Mapping[str, str]], bool]
    body: bytes | None = field(default=None, repr=False)


class Limit:
    """The deadline of a question over all its attempts."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until the deadline; none or fewer when it has passed."""
        return self._end - time.monotonic()

    def bounded(self, timeouts: tuple[float, float]) -> tuple[float, float]:
        """Connect and read timeouts that do not outlast the deadline."""
        connect, read = timeouts
        left = max(self.left, 0.001)
        return min(connect, left), min(read, left)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Moves the deadline by the time that the block takes."""
        started = time.monotonic()
        yield
        self._end += time.monotonic() - started


class Line:
    """A pool of connections to one security server: make one per worker.

    ``server`` is ``https://host:port``, with ``server_cert`` the PEM file of the certificate that it must show; plain
    http is only for an address of this machine. ``headers`` go with every question. Timeouts and ``deadline`` are
    seconds; the deadline covers all attempts of a question and the waits between them, but not the time spent in
    ``before_request``, which is called before every attempt, may sleep, and may raise to stop. ``on_error`` is called
    with the error of every attempt, and may raise to give up. ``retry_after_cap`` bounds every wait, also one that the
    other side asks for.

    ``requests`` counts attempts, ``retries`` those of them that repeated another. Raises ValueError for arguments that
    cannot work.
    """

    def __init__(
        self,
        *,
        server: str,
        headers: Mapping[str, str] | None = None,
        cert: str = "",
        key: str = "",
        server_cert: str = "",
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        deadline: float = 300.0,
        attempts: int = 8,
        retry_after_cap: float = 60.0,
        max_body: int = MAX_BODY,
        before_request: Callable[[], None] = lambda: None,
        on_error: Callable[[VtjError], None] = lambda _error: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.requests = 0
        self.retries = 0
        self._server = server.rstrip("/")
        self._timeouts = (connect_timeout, read_timeout)
        self._deadline = deadline
        self._attempts = attempts
        self._retry_after_cap = retry_after_cap
        self._max_body = max_body
        self._before_request = before_request
        self._on_error = on_error
        self._sleep = sleep
        self._answered = False
        self._session = _session(self._server, server_cert, cert, key)
        own = {"Accept-Encoding": "identity", "User-Agent": "vtjsync"}
        self._session.headers.update(_sendable({**(headers or {}), **own}))

    def ask(self, attempt: Callable[[Limit], T]) -> T:
        """What ``attempt`` returns, called again while it raises what may pass. Raises :class:`VtjError`."""
        limit = Limit(self._deadline)
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and error.again),
            wait=self._wait,
            stop=lambda state: state.attempt_number >= self._attempts or limit.left <= state.upcoming_sleep,
            before_sleep=self._count_retry,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(attempt, limit)

    def once(self, question: Question, limit: Limit) -> Answer:
        """The answer to one attempt. Raises :class:`VtjError`."""
        with limit.paused():
            self._before_request()
        self.requests += 1
        started = time.monotonic()
        outcome: Answer | VtjError
        try:
            with self._session.request(
                question.method,
                f"{self._server}{question.path}",
                data=question.body,
                headers=question.headers,
                timeout=limit.bounded(self._timeouts),
                stream=True,
            ) as response:
                outcome = self._outcome(response, question, limit)
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            outcome = faults.of_connection(error)
            outcome.x_road_id = question.x_road_id
        logger.info(
            "%s %s status %s X-Road-Id %s X-Road-Request-Id %s %.0f ms",
            question.method,
            question.name,
            outcome.status,
            question.x_road_id,
            outcome.request_id,
            (time.monotonic() - started) * 1000,
        )
        # Raised only here, so that the error has no context: texts of libraries can quote what was sent and received.
        if isinstance(outcome, VtjError):
            self._on_error(outcome)
            raise outcome
        self._answered = True
        return outcome

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def _outcome(self, response: requests.Response, question: Question, limit: Limit) -> Answer | VtjError:
        status, headers = response.status_code, response.headers
        accepted = question.accepts(status, headers)
        body = _read(response, self._max_body + 1, limit) if accepted else _error_body(response, limit)
        answer = Answer(
            body,
            status,
            _moment(headers.get("Date", "")),
            _loggable(headers.get("X-Road-Request-Id", "")),
            question.x_road_id,
            headers.get("Content-Type", ""),
        )
        if not accepted:
            return answer.error(faults.of_answer(status, headers, body))
        return answer if len(body) <= self._max_body else answer.error(Unreadable(Reason.TOO_LARGE))

    def _wait(self, state: RetryCallState) -> float:
        """Growing and jittered; at least what the other side asked for, up to the cap."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, Unavailable):
            return 0.0
        if error.reason is Reason.NETWORK and self._answered and state.attempt_number == 1:
            # The server may have closed a connection that was idle in the pool: wire.md's one silent retry.
            return 0.0
        grown = wait_exponential_jitter(initial=1, max=self._retry_after_cap)(state)
        return max(grown, min(error.retry_after or 0.0, self._retry_after_cap))

    def _count_retry(self, _: RetryCallState) -> None:
        self.retries += 1


def ids(text: str, count: int, form: str) -> list[str]:
    """X-Road's ids of which there must be so many, with slashes between. Raises ValueError that says the form."""
    parts = text.split("/")
    if len(parts) != count or not all(parts):
        raise ValueError(form)
    return parts


class _Session(requests.Session):
    def get_redirect_target(self, resp: object) -> None:
        """Follows no redirect, and does not even read where one leads."""


def _session(server: str, server_cert: str, cert: str, key: str) -> requests.Session:
    """A session to this server only: no proxies or passwords from the environment, and no cookies."""
    session = _Session()
    session.mount("http://", BoundedAdapter())
    session.trust_env = False
    session.headers.clear()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    parts = urlsplit(server)
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("The server is https://host:port (VTJ_SERVER)")
    if parts.scheme == "https":
        if not server_cert:
            raise ValueError("https needs the server's certificate to trust (VTJ_SERVER_CERT)")
        session.mount("https://", PinnedAdapter(server_cert, cert, key))
    elif parts.scheme != "http" or not _is_this_machine(parts.hostname):
        raise ValueError("Plain http is only for an address of this machine; use https (VTJ_SERVER)")
    return session


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
            raise ValueError("A header's name is letters, digits and hyphens, and its value plain ASCII")
    return headers


def _read(response: requests.Response, most: int, limit: Limit) -> bytes:
    """The body, or its first ``most`` bytes. Raises TimeoutError at the deadline, however slowly it drips."""
    body, size = [], 0
    while size < most and (chunk := response.raw.read1(min(CHUNK, most - size), decode_content=True)):
        body.append(chunk)
        size += len(chunk)
        if limit.left <= 0:
            raise TimeoutError
    return b"".join(body)


def _error_body(response: requests.Response, limit: Limit) -> bytes:
    """The beginning of an error's body; status and headers tell enough when it is cut."""
    try:
        return _read(response, MAX_ERROR_BODY, limit)
    except (HTTPError, OSError):
        return b""


def _moment(date: str) -> datetime | None:
    """The HTTP date as aware UTC; None when there is none."""
    try:
        moment = parsedate_to_datetime(date)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


def _loggable(text: str) -> str:
    """The id as it may be logged: a UUID as X-Road makes them, or a word without six digits in a row, so that no
    identity code gets through."""
    return text if _UUID.fullmatch(text) or _WORD.fullmatch(text) else ""
