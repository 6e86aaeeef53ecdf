"""X-Road's REST protocol: one request to the organisation's own security server, with its retries (wire.md 1).

Only queries go through here: POST too changes nothing at the other end, so every request is safe to repeat.
"""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import quote, urlsplit
from uuid import uuid4

import msgspec
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


@dataclass(frozen=True, slots=True)
class XRoadService:
    """A REST service by X-Road's five ids."""

    instance: str
    member_class: str
    member: str
    subsystem: str
    service: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The service that ``FI-TEST/GOV/0245437-2/VTJmutpa/VTJmutpa`` names. Raises ValueError."""
        return cls(*_ids(text, 5, "A service is instance/class/member/subsystem/service (VTJ_SERVICE)"))

    @property
    def provider(self) -> str:
        """The path of the subsystem that offers the service, every id percent-encoded by itself."""
        return _path((self.instance, self.member_class, self.member, self.subsystem))

    @property
    def path(self) -> str:
        """The path of the service, every id percent-encoded by itself."""
        return f"{self.provider}/{_path((self.service,))}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with status 2xx.

    ``at`` is the answer's own Date, aware UTC, None when it has none; ``request_id`` is X-Road-Request-Id and
    ``x_road_id`` the X-Road-Id of the attempt that was answered; empty where there is none.
    """

    body: bytes = field(repr=False)
    status: int
    at: datetime | None
    request_id: str
    x_road_id: str

    def unreadable(self) -> Unreadable:
        """The error that the body cannot be used, with what it looks like instead."""
        kinds = {b"": Reason.EMPTY, b"<": Reason.HTML}
        error = Unreadable(kinds.get(self.body.lstrip()[:1], Reason.NOT_AS_AGREED), status=self.status)
        error.x_road_id, error.request_id = self.x_road_id, self.request_id
        return error


class XRoadClient:
    """Asks one service on behalf of one subsystem. Holds a pool of connections: make one per worker.

    ``server`` is ``https://host:port``, with ``server_cert`` the PEM file of the certificate that it must show; plain
    http is only for an address of this machine. ``client`` is ``instance/class/member/subsystem``. ``username`` empty
    sends no credentials. Timeouts and ``deadline`` are seconds; the deadline covers all attempts of a request and the
    waits between them, but not the time spent in ``before_request``, which is called before every attempt, may sleep,
    and may raise to stop. ``retry_after_cap`` bounds every wait, also one that the other side asks for.

    ``requests`` counts attempts, ``retries`` those of them that repeated another. Raises ValueError for arguments that
    cannot work.
    """

    def __init__(
        self,
        *,
        server: str,
        client: str,
        service: XRoadService,
        username: str = "",
        password: str = "",
        auth_header: str = "Authorization",
        extra_headers: Mapping[str, str] | None = None,
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
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        client_ids = _ids(client, 4, "A client is instance/class/member/subsystem (VTJ_CLIENT)")
        self.service = service
        self.client = client
        self.requests = 0
        self.retries = 0
        self._server = server.rstrip("/")
        self._timeouts = (connect_timeout, read_timeout)
        self._deadline = deadline
        self._attempts = attempts
        self._retry_after_cap = retry_after_cap
        self._max_body = max_body
        self._before_request = before_request
        self._sleep = sleep
        self._answered = False
        self._session = _session(self._server, server_cert, cert, key)
        own = {
            "X-Road-Client": _path(client_ids),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "vtjsync",
        }
        if username:
            own[auth_header] = _basic(username, password)
        self._session.headers.update(_sendable({**(extra_headers or {}), **own}))

    def get(self, path: str) -> Answer:
        """The answer to a GET of the service's ``path``. Raises :class:`VtjError`."""
        return self._exchange("GET", f"r1/{self.service.path}/{path}")

    def post(self, path: str, body: bytes, user_id: str | None = None) -> Answer:
        """The answer to a query in JSON; ``user_id`` names the person who asks, if one does. Raises :class:`VtjError`.

        Sent again after a broken connection, so the query must change nothing at the other end.
        """
        return self._exchange("POST", f"r1/{self.service.path}/{path}", body, user_id)

    def is_permitted(self) -> bool:
        """Whether X-Road lets us use the service: proves TLS, client and permit without personal data.

        Raises :class:`VtjError`.
        """
        answer = self._exchange("GET", f"r1/{self.service.provider}/allowedMethods")
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            allowed = msgspec.json.decode(answer.body, type=_AllowedMethods).service
            return any(method.service_code == self.service.service for method in allowed)
        raise answer.unreadable()

    def subsystems(self) -> set[str]:
        """Every subsystem that X-Road's instance knows, as ``instance/class/member/subsystem``.

        Raises :class:`VtjError`.
        """
        answer = self._exchange("GET", "listClients")
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            listed = [one.id for one in msgspec.json.decode(answer.body, type=_Clients).member]
            return {f"{one.xroad_instance}/{one.member_class}/{one.member_code}/{one.subsystem_code}" for one in listed}
        raise answer.unreadable()

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def _exchange(self, method: str, path: str, body: bytes | None = None, user_id: str | None = None) -> Answer:
        limit = _Limit(self._deadline)
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and error.again),
            wait=self._wait,
            stop=lambda state: state.attempt_number >= self._attempts or limit.left <= state.upcoming_sleep,
            before_sleep=self._count_retry,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._attempt, method, path, body, user_id, limit)

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

    def _attempt(self, method: str, path: str, body: bytes | None, user_id: str | None, limit: _Limit) -> Answer:
        with limit.paused():
            self._before_request()
        x_road_id = str(uuid4())
        headers = {"X-Road-Id": x_road_id}
        if user_id is not None:
            headers["X-Road-UserId"] = quote(user_id, safe="@")
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.requests += 1
        started = time.monotonic()
        outcome: Answer | VtjError
        try:
            with self._session.request(
                method,
                f"{self._server}/{path}",
                data=body,
                headers=headers,
                timeout=limit.bounded(self._timeouts),
                stream=True,
            ) as response:
                outcome = self._outcome(response, x_road_id, limit)
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            outcome = faults.of_connection(error)
            outcome.x_road_id = x_road_id
        logger.info(
            "%s %s status %s X-Road-Id %s X-Road-Request-Id %s %.0f ms",
            method,
            self.service.service,
            outcome.status,
            x_road_id,
            outcome.request_id,
            (time.monotonic() - started) * 1000,
        )
        # Raised only here, so that the error has no context: texts of libraries can quote what was sent and received.
        if isinstance(outcome, VtjError):
            raise outcome
        self._answered = True
        return outcome

    def _outcome(self, response: requests.Response, x_road_id: str, limit: _Limit) -> Answer | VtjError:
        status, headers = response.status_code, response.headers
        request_id = _loggable(headers.get("X-Road-Request-Id", ""))
        outcome: Answer | VtjError
        if not 200 <= status < 300 or "X-Road-Error" in headers:
            outcome = faults.of_answer(status, headers, _error_body(response, limit))
        else:
            body = _read(response, self._max_body + 1, limit)
            if len(body) <= self._max_body:
                return Answer(body, status, _moment(headers.get("Date", "")), request_id, x_road_id)
            outcome = Unreadable(Reason.TOO_LARGE)
        outcome.status, outcome.x_road_id, outcome.request_id = status, x_road_id, request_id
        return outcome


class _Session(requests.Session):
    def get_redirect_target(self, resp: object) -> None:
        """Follows no redirect, and does not even read where one leads."""


class _Limit:
    """The deadline of a request over all its attempts."""

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


class _Method(msgspec.Struct):
    service_code: str = ""


class _AllowedMethods(msgspec.Struct):
    service: list[_Method]


class _Id(msgspec.Struct):
    xroad_instance: str = ""
    member_class: str = ""
    member_code: str = ""
    subsystem_code: str = ""


class _Client(msgspec.Struct):
    id: _Id


class _Clients(msgspec.Struct):
    member: list[_Client]


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


def _ids(text: str, count: int, form: str) -> list[str]:
    ids = text.split("/")
    if len(ids) != count or not all(ids):
        raise ValueError(form)
    return ids


def _path(ids: Iterable[str]) -> str:
    return "/".join(quote(part, safe="") for part in ids)


def _basic(username: str, password: str) -> str:
    if ":" in username:
        raise ValueError("A user name cannot hold a colon (VTJ_USERNAME)")
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode('ascii')}"


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
            raise ValueError("A header's name is letters, digits and hyphens, and its value plain ASCII")
    return headers


def _read(response: requests.Response, most: int, limit: _Limit) -> bytes:
    """The body, or its first ``most`` bytes. Raises TimeoutError at the deadline, however slowly it drips."""
    body, size = [], 0
    while size < most and (chunk := response.raw.read1(min(CHUNK, most - size), decode_content=True)):
        body.append(chunk)
        size += len(chunk)
        if limit.left <= 0:
            raise TimeoutError
    return b"".join(body)


def _error_body(response: requests.Response, limit: _Limit) -> bytes:
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
    return text if re.fullmatch(r"[A-Za-z0-9-]{1,64}", text) else ""
