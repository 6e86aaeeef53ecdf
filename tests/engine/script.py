"""A VTJ that tells what a test has written down, on a real socket: pages of changes, and basic data by code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from django.test import override_settings

from tests.reading.rows import ENTRY, JSON
from tests.wire.conftest import CLIENT
from tests.wire.server import Asked, Reply, Server

# The cursor of a cohort that has heard nothing of the script, and how far each page moves it on.
FIRST_KEY = 100
STEP = 10


class Script(Server):
    """Answers a page for each key in turn, of the entries whose codes were asked for, and the basic data of ``basic``.

    ``now`` is what the Date header tells; it must be a whole second. ``spoil`` may make another body of a call's right
    one.
    """

    def __init__(self, pages: Sequence[Sequence[JSON]] = ()) -> None:
        super().__init__()
        self.pages = pages
        self.basic: Callable[[str], list[JSON] | None] = lambda _code: None
        # Answered a little after the newest entry.
        self.now: datetime = ENTRY + timedelta(hours=6)
        self.spoil: Callable[[str, bytes], bytes] = lambda _call, body: body

    def take(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        call = asked.path.split("/api/v1/")[1].split("/")[0]
        told = getattr(self, f"_{call}")(json.loads(asked.body or b"{}"))
        headers = {"Date": format_datetime(self.now.astimezone(UTC), usegmt=True), "Content-Type": "application/json"}
        return Reply(body=self.spoil(call, json.dumps(told).encode()), headers=headers)

    def codes_asked(self, call: str) -> list[list[str]]:
        """The codes of each request for ``muutokset`` or ``perustiedot`` so far."""
        bodies = [json.loads(one.body) for one in self.asked if one.path.endswith(f"/{call}")]
        return [body["hetulista"] for body in bodies]

    def _kirjausavain(self, _body: JSON) -> JSON:
        return {"viimeisinKirjausavain": FIRST_KEY}

    def _muutokset(self, body: JSON) -> JSON:
        page, asked = (body["viimeisinKirjausavain"] - FIRST_KEY) // STEP, set(body["hetulista"])
        entries = self.pages[page] if page < len(self.pages) else []
        reached = min(page + 1, len(self.pages))
        return {
            "viimeisinKirjausavain": key_of(reached),
            "muutokset": [entry for entry in entries if entry["henkilotunnus"] in asked],
            "ajanTasalla": reached == len(self.pages),
        }

    def _perustiedot(self, body: JSON) -> JSON:
        told = [(code, self.basic(code)) for code in body["hetulista"]]
        return {
            "perustiedot": [{"henkilotunnus": code, "tietoryhmat": rows} for code, rows in told if rows is not None]
        }


def key_of(pages: int) -> int:
    """The cursor of who has heard so many pages."""
    return FIRST_KEY + pages * STEP


def entry(code: str, rows: Sequence[Any], at: datetime | None = ENTRY) -> JSON:
    """An entry of ``muutokset``; without a time its muutospv is missing."""
    told = {} if at is None else {"muutospv": at.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    return {"henkilotunnus": code, "tietoryhmat": list(rows), **told}


@contextmanager
def playing(script: Script) -> Iterator[Script]:
    """The script on its socket, and the settings point to it."""
    with script.running(), override_settings(VTJ_SERVER=script.url, VTJ_CLIENT=CLIENT):
        yield script
