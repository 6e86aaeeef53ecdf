"""The one way to move the simulator: deeds, done at once and written to the journal, and questions about the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec

from vtjsync.simulator import journal
from vtjsync.simulator.journal import Journal
from vtjsync.simulator.kysely import Kysely
from vtjsync.simulator.protocol import Answer, Protocol, Request
from vtjsync.simulator.truth import Record

LONGEST_ADVANCE = 3660


class Control:
    """The world, its two protocols and its journal behind one lock."""

    def __init__(self, protocol: Protocol, kysely: Kysely, kept: Journal, path: Path | None) -> None:
        """Does again what the journal says was done; ``path`` is where it is kept, None for nowhere."""
        self.protocol, self._kysely, self._journal, self._path = protocol, kysely, kept, path
        self.world = world = protocol.world
        self._lock = RLock()
        self.activity = 1.0
        for deed in kept.deeds:
            self._do(deed)
        world.days_ahead, world.top_key = kept.days_ahead, max(world.top_key, kept.top_key)
        self._save()

    def answer(self, request: Request) -> Answer:
        """The answer of the protocol that the path belongs to: SOAP is posted to the root."""
        with self._lock:
            key = self.world.top_key
            soap = (request.method, request.path) == ("POST", "/")
            answer = self._kysely.answer(request) if soap else self.protocol.answer(request)
            if self.world.top_key != key:
                self._save()
            return answer

    @property
    def now(self) -> datetime:
        """The simulated time."""
        with self._lock:
            return self.world.now

    def advance(self, days: int) -> None:
        """Lets so many days pass, with their events."""
        if not 0 < days <= LONGEST_ADVANCE:
            raise ValueError(f"the number of days must be from 1 to {LONGEST_ADVANCE}")
        with self._lock:
            self.world.days_ahead += days
            now = self.world.now.isoformat()
            self._deed({"deed": "advance", "days": days, "at": now, "activity": self.activity})

    def append(self, code: str, rows: Sequence[Any], at: datetime | None, raw: dict[str, Any] | None) -> int:
        """Writes an entry as it is, malformed perhaps, and returns its key."""
        with self._lock:
            when = (at or self.world.now).isoformat()
            self._deed({"deed": "append", "code": code, "rows": list(rows), "at": when, "raw": raw})
            return self.world.top_key

    def set_basic(self, code: str, rows: Sequence[Any] | None) -> None:
        """Answers these rows as the basic data of the code; None goes back to the right ones."""
        with self._lock:
            self._deed({"deed": "basic", "code": code, "rows": None if rows is None else list(rows)})

    def happen(self, kind: str, code: str | None) -> str:
        """Lets an event happen now; returns the code of its entry. Raises ValueError when it cannot."""
        with self._lock:
            deed = {"deed": "happen", "kind": kind, "code": code, "at": self.world.now.isoformat()}
            under: str = self._deed(deed)
            return under

    def faults(self, names: Iterable[str]) -> None:
        """Turns faults on and off. They are not kept over a restart. Raises ValueError."""
        with self._lock:
            self.protocol.faults.turn_on(names)

    def codes(self, count: int) -> list[str]:
        """Current codes of the first ``count`` people; fewer when two of them turned out to be one."""
        with self._lock:
            return list(self.world.codes(count))

    def truth(self, codes: Iterable[str]) -> Iterator[Record]:
        """What a correct register holds now of the people who have or have had the codes."""
        with self._lock:
            yield from self.world.truth(codes)

    def status(self) -> dict[str, Any]:
        """Time, keys and faults, for people and scripts."""
        with self._lock:
            return {
                "now": self.world.now.isoformat(),
                "population": self.world.population.size,
                "viimeisinKirjausavain": self.world.top_key,
                "entries": len(self.world.log),
                "faults": self.protocol.faults.on,
            }

    def _deed(self, deed: dict[str, Any]) -> Any:
        result = self._do(deed)
        self._journal.deeds.append(deed)
        self._save()
        return result

    def _do(self, deed: dict[str, Any]) -> Any:
        world = self.world
        match deed["deed"]:
            case "advance":
                world.advance(deed["days"], datetime.fromisoformat(deed["at"]).astimezone(world.zone), deed["activity"])
            case "append":
                world.append(deed["code"], deed["rows"], datetime.fromisoformat(deed["at"]), raw=deed["raw"])
            case "basic" if deed["rows"] is None:
                world.basic_rows.pop(deed["code"], None)
            case "basic":
                world.basic_rows[deed["code"]] = deed["rows"]
            case "happen":
                return world.happen(deed["kind"], deed["code"], datetime.fromisoformat(deed["at"]))
            case other:
                raise journal.Conflict(f"the state file has an unknown deed: {other}")
        return None

    def _save(self) -> None:
        self._journal.days_ahead, self._journal.top_key = self.world.days_ahead, self.world.top_key
        if self._path is not None:
            journal.save(self._path, self._journal)


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request to /control/: each path reads what it needs."""

    days: int = 0
    faults: list[str] = []
    codes: list[str] | None = None
    count: int | None = None
    code: str | None = None
    rows: list[Any] | None = None
    kind: str = ""
    raw: dict[str, Any] | None = None


def obey(control: Control, what: str, body: bytes) -> Iterator[bytes]:
    """Does what /control/``what`` asks. Yields the answer in pieces. Raises ValueError with words for the asker."""
    order = msgspec.json.decode(body or b"{}", type=Order)
    match what:
        case "advance":
            control.advance(order.days)
        case "faults":
            control.faults(order.faults)
        case "append":
            control.append(order.code or "", order.rows or [], None, order.raw)
        case "basic":
            control.set_basic(order.code or "", order.rows)
        case "happen":
            control.happen(order.kind, order.code)
        case "codes":
            yield "".join(f"{code}\n" for code in control.codes(_count(control, order))).encode()
            return
        case "truth":
            codes = control.codes(_count(control, order)) if order.codes is None else order.codes
            yield from (msgspec.json.encode(record) + b"\n" for record in control.truth(codes))
            return
        case "status":
            pass
        case _:
            raise ValueError("no such control")
    yield msgspec.json.encode(control.status())


def _count(control: Control, order: Order) -> int:
    return control.world.population.size if order.count is None else order.count
