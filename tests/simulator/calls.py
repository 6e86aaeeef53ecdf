"""What a client of muutosrajapinta says, in plain requests: the simulator is tested from the outside."""

from __future__ import annotations

from typing import Any, Self
from uuid import uuid4

import requests

from vtjsync.simulator.protocol import CLIENT, SERVICE, path
from vtjsync.simulator.server import PASSWORD, USERNAME, Handle


class Caller:
    """A client with the right headers; any of them can be given otherwise, None leaves one out."""

    def __init__(self, simulator: Handle) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = (USERNAME, PASSWORD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, url: str, **headers: str | None) -> requests.Response:
        return self.session.get(f"{self.simulator.url}{url}", headers=self._headers(headers), timeout=10)

    def first_key(self, day: str) -> requests.Response:
        return self.get(path(SERVICE, "kirjausavain", day))

    def post(self, name: str, body: Any, **headers: str | None) -> requests.Response:
        url = f"{self.simulator.url}{path(SERVICE, name)}"
        return self.session.post(url, json=body, headers=self._headers(headers), timeout=10)

    def changes(self, key: int, codes: list[str]) -> requests.Response:
        return self.post("muutokset", {"viimeisinKirjausavain": key, "hetulista": codes})

    def basic_data(self, codes: list[str], groups: list[str] | None = None) -> requests.Response:
        return self.post("perustiedot", {"hetulista": codes} | ({"tietoryhmat": groups} if groups else {}))

    def start_key(self) -> int:
        return int(self.first_key("2020-01-01").json()["viimeisinKirjausavain"])

    def all_changes(self, codes: list[str] | None = None) -> list[dict[str, Any]]:
        """Every entry of the log for the codes, asked for page by page."""
        key, entries, codes = self.start_key(), [], codes or self.simulator.codes()
        while True:
            page = self.changes(key, codes).json()
            entries += page["muutokset"]
            key = int(page["viimeisinKirjausavain"])
            if page.get("ajanTasalla", False):
                return entries

    def _headers(self, others: dict[str, str | None]) -> dict[str, str | None]:
        named = {name.replace("_", "-"): value for name, value in others.items()}
        return {"X-Road-Client": CLIENT, "X-Road-Id": str(uuid4())} | named
