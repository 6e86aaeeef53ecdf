"""Muutosrajapinta behind an X-Road security server: a request in, an answer out (wire.md 1 and 2).

Strict where VTJ is: headers, credentials and every member of a body are checked before anything is answered.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import quote, unquote
from uuid import uuid4

import msgspec

from vtjsync.simulator import rows
from vtjsync.simulator.dice import Dice
from vtjsync.simulator.faults import Faults
from vtjsync.simulator.world import World, of_groups

CLIENT: Final = "FI-TEST/MUN/0101263-6/vtjsync"
SERVICE: Final = "FI-TEST/GOV/0245437-2/VTJmutpa/VTJmutpa"
MOST_BASIC_DATA: Final = 1000
PAGE: Final = 1000
RETRY_AFTER: Final = "1"
JSON: Final = "application/json"
HTML: Final = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
LOGIN: Final = b"<html><body><form action='/login'>Please sign in</form></body></html>"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """An answer, and what the line does to it: ``reset`` before any of it, ``cut`` in the middle, ``slow`` before."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    cut: bool = False
    slow: bool = False


class ChangesBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``muutokset`` is asked with."""

    last_key: int = msgspec.field(name="viimeisinKirjausavain")
    hetulista: list[str]


class BasicDataBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``perustiedot`` is asked with; without groups all that the permit grants are answered."""

    hetulista: list[str]
    tietoryhmat: list[str] | msgspec.UnsetType = msgspec.UNSET


class Protocol:
    """Answers requests from the world. Not safe for threads: the server locks."""

    def __init__(
        self, world: World, faults: Faults, *, username: str, password: str, client: str, service: str, page: int
    ) -> None:
        """``client`` is the only one that is known; ``service`` the service's id in full; ``page`` entries a page."""
        self.world, self.faults, self.page_size = world, faults, page
        self.granted = frozenset(rows.GROUPS)
        # What a list of codes is refused for, as a whole (wire.md 2 does not tell what VTJ refuses).
        self.refused: frozenset[str] = frozenset()
        self.longest: int | None = None
        self.client = client
        self._service = service.split("/")
        self._credentials = f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"
        # Every call: the path, and the body where it had one. A test must know what was asked; a process that serves
        # for weeks need not, and sets None.
        self.requests: list[tuple[str, Any]] | None = []

    def answer(self, request: Request) -> Answer:
        """The answer to a request that is not for the simulator's own control."""
        given = _segments(request.path)
        if given == ["listClients"]:
            known = (self.client.split("/"), self._service[:-1])
            answer = _json({"member": [{"id": _identifier("SUBSYSTEM", one), "name": "Test"} for one in known]})
        elif given[:1] == ["r1"]:
            answer = self._refused_by_road(request) or self._routed(request, given[1:])
        else:
            answer = road_error("client.bad_request", "No such path", status=400)
        if "X-Road-Request-Id" not in answer.headers:
            answer.headers["X-Road-Request-Id"] = str(uuid4())
        if "x-road-id" in request.headers:
            answer.headers["X-Road-Id"] = request.headers["x-road-id"]
        return answer

    def _routed(self, request: Request, given: list[str]) -> Answer:
        if given == [*self._service[:-1], "allowedMethods"]:
            return _json({"service": [_identifier("SERVICE", self._service)]})
        if given[:5] != self._service:
            return road_error("server.clientproxy.unknown_service", "Unknown service")
        if given[5:7] != ["api", "v1"]:
            return _refusal(404, "Not found")
        return self._called(request, given[7:])

    def _refused_by_road(self, request: Request) -> Answer | None:
        client = request.headers.get("x-road-client", "")
        if len(client.split("/")) != len(self.client.split("/")):
            return road_error("client.bad_request", "X-Road-Client is missing or malformed", status=400)
        if not request.headers.get("x-road-id"):
            return road_error("client.bad_request", "X-Road-Id is missing", status=400)
        if unquote(client) != self.client:
            return road_error("server.clientproxy.unknown_member", "Client is not registered")
        return None

    def _called(self, request: Request, given: list[str]) -> Answer:
        call = given[0] if given else ""
        if self.requests is not None:
            self.requests.append(("/".join(given), _decoded(request.body)))
        if spoiled := self._spoiled(call):
            return spoiled
        if self._credentials not in (request.headers.get("authorization"), request.headers.get("x-authorization")):
            return _refused_credentials()
        match request.method, given:
            case "GET", ["kirjausavain", day]:
                answer = self._first_key(day)
            case "POST", ["muutokset"]:
                answer = self._changes(request.body)
            case "POST", ["perustiedot"]:
                answer = self._basic_data(request.body)
            case _, ["kirjausavain", _] | ["muutokset"] | ["perustiedot"]:
                return _refusal(405, "Method not allowed")
            case _:
                return _refusal(404, "Not found")
        return self._mangled(call, answer)

    def _spoiled(self, call: str) -> Answer | None:
        """The answer of a fault that replaces the right one."""
        return next((spoil() for name, spoil in SPOILED.items() if self.faults.take(name, call)), None)

    def _mangled(self, call: str, answer: Answer) -> Answer:
        """The answer after the faults that leave some of it."""
        if self.faults.take("empty", call):
            answer.body = b""
        if self.faults.take("half", call):
            answer.body = answer.body[: len(answer.body) // 2]
        answer.cut = self.faults.take("cut", call)
        answer.slow = self.faults.take("slow", call)
        return answer

    def _first_key(self, text: str) -> Answer:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return _refusal(400, "Bad date")
        if day > self.world.today:
            return _refusal(400, "Date is in the future")
        return _json({"viimeisinKirjausavain": self._key(self.world.key_before(day))})

    def _changes(self, body: bytes) -> Answer:
        try:
            asked = msgspec.json.decode(body, type=ChangesBody)
        except msgspec.MsgspecError:
            return _refusal(400, "Bad request")
        if refusal := self._refused(asked.hetulista):
            return refusal
        key = asked.last_key
        first_key = self.world.key_before(date.min)
        if not first_key <= key <= self.world.top_key:
            return _refusal(400, "Unknown viimeisinKirjausavain")
        start = self.world.before(key, self.page_size) if self.faults.take("twice", "muutokset") else key
        _, reached, at_end = self.world.page(key, self.page_size)
        codes = set(asked.hetulista)
        told = [entry.body for entry in self.world.between(start, reached) if entry.code in codes]
        if self.granted != frozenset(rows.GROUPS):
            told = [entry for entry in (of_groups(entry, self.granted) for entry in told) if entry is not None]
        if self.faults.take("shuffled", "muutokset"):
            told = [msgspec.json.encode(_shuffled(msgspec.json.decode(entry))) for entry in told]
        entries = [msgspec.Raw(entry) for entry in told]
        if asked.hetulista and self.faults.take("badentry", "muutokset"):
            bad = {"henkilotunnus": asked.hetulista[0], "tietoryhmat": [{"tietoryhma": 5}, "?"], "muutospv": 17}
            entries.insert(len(entries) // 2, msgspec.Raw(msgspec.json.encode(bad)))
        if self.faults.take("nocode", "muutokset"):
            entries.insert(len(entries) // 2, msgspec.Raw(b'{"henkilotunnus":null,"tietoryhmat":[],"muutospv":null}'))
        if at_end and self.faults.take("endless", "muutokset"):
            self.world.top_key = reached = self.world.top_key + 1
            at_end = False
        if self.faults.take("stuck", "muutokset"):
            reached, at_end = key, False
        message: dict[str, Any] = {"viimeisinKirjausavain": self._key(reached), "muutokset": entries}
        # Where there is more, ajanTasalla may be missing (wire.md 2).
        return _json(message if not at_end and reached % 3 == 0 else message | {"ajanTasalla": at_end})

    def _basic_data(self, body: bytes) -> Answer:
        try:
            asked = msgspec.json.decode(body, type=BasicDataBody)
        except msgspec.MsgspecError:
            return _refusal(400, "Bad request")
        if len(asked.hetulista) > MOST_BASIC_DATA:
            return _refusal(400, "Too many codes")
        if refusal := self._refused(asked.hetulista):
            return refusal
        unasked = asked.tietoryhmat is msgspec.UNSET
        groups = self.granted if asked.tietoryhmat is msgspec.UNSET else self.granted & set(asked.tietoryhmat)
        people: list[dict[str, Any]] = []
        for code in dict.fromkeys(asked.hetulista):
            found = self.world.basic_data(code)
            if found is not None:
                told = [row for row in found if unasked or row["tietoryhma"] in groups]
                people.append({"henkilotunnus": code, "tietoryhmat": told})
        if people and self.faults.take("leftout", "perustiedot"):
            people.pop(len(people) // 2)
        if self.faults.take("shuffled", "perustiedot"):
            people = Dice(len(people), "people").shuffled([_shuffled(one) for one in people])
        message: dict[str, Any] = {"perustiedot": people}
        # A missing ajanTasalla means true here (wire.md 2).
        return _json(message if len(asked.hetulista) % 4 == 3 else message | {"ajanTasalla": True})

    def _refused(self, codes: list[str]) -> Answer | None:
        if self.refused.intersection(codes) or (self.longest is not None and len(codes) > self.longest):
            return _refusal(400, "Bad hetulista")
        return None

    def _key(self, key: int) -> int | str:
        """The key, at times as a string (wire.md 2)."""
        return str(key) if key % 5 == 0 else key


def road_error(code: str, text: str, *, status: int = 500) -> Answer:
    """An error of X-Road itself."""
    body = {"type": code, "message": text, "detail": str(uuid4())}
    return Answer(status, msgspec.json.encode(body), headers={"X-Road-Error": code})


def path(service: str, *rest: str) -> str:
    """The path of a call of the service, each part of an id percent-encoded by itself."""
    return "/".join(["/r1", *(quote(part, safe="") for part in service.split("/")), "api/v1", *rest])


def _decoded(body: bytes) -> Any:
    """The body's JSON; None when it is none."""
    try:
        return msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return None


def _shuffled(told: dict[str, Any]) -> dict[str, Any]:
    """The same of one person, the rows in another order."""
    told_rows = told["tietoryhmat"]
    if not isinstance(told_rows, list):
        return told
    return told | {"tietoryhmat": Dice(told["henkilotunnus"], len(told_rows)).shuffled(told_rows)}


def _identifier(object_type: str, parts: list[str]) -> dict[str, str]:
    """X-Road's id in JSON."""
    names = ("xroad_instance", "member_class", "member_code", "subsystem_code", "service_code")
    return {"object_type": object_type, **dict(zip(names, parts, strict=False))}


def _refused_credentials() -> Answer:
    return _refusal(401, "Unauthorized", {"WWW-Authenticate": "Basic"})


def _json(message: Any) -> Answer:
    return Answer(200, msgspec.json.encode(message))


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
    """A refusal of the provider's own."""
    return Answer(status, msgspec.json.encode({"status": status, "error": text}), headers=dict(headers or {}))


SPOILED: Final[dict[str, Callable[[], Answer]]] = {
    "429": lambda: _refusal(429, "Too many requests", {"Retry-After": RETRY_AFTER}),
    "500": lambda: _refusal(500, "Internal error"),
    "502html": lambda: Answer(502, HTML, "text/html"),
    "denied": lambda: road_error("server.serverproxy.access_denied", "Request is not allowed"),
    "denied-old": lambda: road_error("Server.ServerProxy.AccessDenied", "Request is not allowed"),
    "unauthorized": _refused_credentials,
    "html200": lambda: Answer(200, LOGIN, "text/html"),
    "reset": lambda: Answer(200, b"", reset=True),
}


def _segments(path_and_query: str) -> list[str]:
    return [unquote(part) for part in path_and_query.split("?", maxsplit=1)[0].strip("/").split("/")]
