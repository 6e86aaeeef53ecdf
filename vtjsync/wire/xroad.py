"""X-Road's REST protocol: how a question is addressed and what an answer to it is (wire.md 1)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import msgspec

from vtjsync.wire.line import Answer, Limit, Line, Question, ids


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
        return cls(*ids(text, 5, "A service is instance/class/member/subsystem/service (VTJ_SERVICE)"))

    @property
    def provider(self) -> str:
        """The path of the subsystem that offers the service, every id percent-encoded by itself."""
        return _path((self.instance, self.member_class, self.member, self.subsystem))

    @property
    def path(self) -> str:
        """The path of the service, every id percent-encoded by itself."""
        return f"{self.provider}/{_path((self.service,))}"


class XRoadClient:
    """Asks one service on behalf of one subsystem. Holds a pool of connections: make one per worker.

    ``client`` is ``instance/class/member/subsystem``. ``username`` empty sends no credentials. ``issue`` names what a
    request is made for: sent as X-Road-Issue, beside an X-Road-Id of each attempt's own. ``line`` are the arguments of
    :class:`~vtjsync.wire.line.Line`. Raises ValueError for arguments that cannot work.
    """

    def __init__(
        self,
        *,
        client: str,
        service: XRoadService,
        username: str = "",
        password: str = "",
        auth_header: str = "Authorization",
        extra_headers: Mapping[str, str] | None = None,
        issue: Callable[[], str] = lambda: "",
        **line: Any,
    ) -> None:
        client_ids = ids(client, 4, "A client is instance/class/member/subsystem (VTJ_CLIENT)")
        self.service = service
        self.client = client
        own = {"X-Road-Client": _path(client_ids), "Accept": "application/json"}
        if username:
            own[auth_header] = _basic(username, password)
        self._issue = issue
        self._line = Line(headers={**(extra_headers or {}), **own}, **line)

    @property
    def requests(self) -> int:
        """How many attempts were made."""
        return self._line.requests

    @property
    def retries(self) -> int:
        """How many of them repeated another."""
        return self._line.retries

    def get(self, path: str) -> Answer:
        """The answer to a GET of the service's ``path``. Raises :class:`~vtjsync.wire.errors.VtjError`."""
        return self._exchange("GET", f"/r1/{self.service.path}/{path}")

    def post(self, path: str, body: bytes, user_id: str | None = None) -> Answer:
        """The answer to a query in JSON; ``user_id`` names the person who asks, if one does. Raises
        :class:`~vtjsync.wire.errors.VtjError`.

        Sent again after a broken connection, so the query must change nothing at the other end.
        """
        return self._exchange("POST", f"/r1/{self.service.path}/{path}", body, user_id)

    def is_permitted(self) -> bool:
        """Whether X-Road lets us use the service: proves TLS, client and permit without personal data.

        Raises :class:`~vtjsync.wire.errors.VtjError`.
        """
        answer = self._exchange("GET", f"/r1/{self.service.provider}/allowedMethods")
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            allowed = msgspec.json.decode(answer.body, type=_AllowedMethods).service
            return any(method.service_code == self.service.service for method in allowed)
        raise answer.unreadable()

    def subsystems(self) -> set[str]:
        """Every subsystem that X-Road's instance knows, as ``instance/class/member/subsystem``.

        Raises :class:`~vtjsync.wire.errors.VtjError`.
        """
        answer = self._exchange("GET", "/listClients")
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            listed = [one.id for one in msgspec.json.decode(answer.body, type=_Clients).member]
            return {f"{one.xroad_instance}/{one.member_class}/{one.member_code}/{one.subsystem_code}" for one in listed}
        raise answer.unreadable()

    def close(self) -> None:
        """Closes the connections."""
        self._line.close()

    def _exchange(self, method: str, path: str, body: bytes | None = None, user_id: str | None = None) -> Answer:
        def attempt(limit: Limit) -> Answer:
            x_road_id = str(uuid4())
            headers = {"X-Road-Id": x_road_id}
            if issue := self._issue():
                headers["X-Road-Issue"] = issue
            if user_id is not None:
                headers["X-Road-UserId"] = quote(user_id, safe="@")
            if body is not None:
                headers["Content-Type"] = "application/json"
            question = Question(method, path, self.service.service, x_road_id, headers, _is_answer, body)
            return self._line.once(question, limit)

        return self._line.ask(attempt)


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


def _is_answer(status: int, headers: Mapping[str, str]) -> bool:
    return 200 <= status < 300 and "X-Road-Error" not in headers


def _path(parts: Iterable[str]) -> str:
    return "/".join(quote(part, safe="") for part in parts)


def _basic(username: str, password: str) -> str:
    if ":" in username:
        raise ValueError("A user name cannot hold a colon (VTJ_USERNAME)")
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode('ascii')}"
