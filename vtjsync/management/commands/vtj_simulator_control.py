"""``manage.py vtj_simulator_control``: moves a running simulator and asks it for the truth (outside.md)."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandError

# Letting a year pass for millions of people takes a while.
TIMEOUT = (5, 3600)


class Command(BaseCommand):
    """Exit 1: the simulator does not answer; 2: called wrongly, or it refuses."""

    help = "Moves the time of a running simulator, turns faults on, or writes down what is true now."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb each for time, truth, faults and single events."""
        parser.add_argument("--port", type=int, required=True, help="the simulator's port")
        verbs = parser.add_subparsers(dest="verb", required=True)
        advance = verbs.add_parser("advance", help="lets days pass, with their events")
        advance.add_argument("--days", type=int, default=1)
        truth = verbs.add_parser("truth", help="writes each person's true record as JSON Lines")
        truth.add_argument("file", type=Path)
        who = truth.add_mutually_exclusive_group()
        who.add_argument("--count", type=int, help="of the first so many people (default: everybody)")
        who.add_argument("--codes", type=Path, help="of those whose codes are in the file, one on a line")
        codes = verbs.add_parser("codes", help="writes current identity codes, one on a line")
        codes.add_argument("file", type=Path)
        codes.add_argument("--count", type=int, help="of the first so many people (default: everybody)")
        faults = verbs.add_parser("faults", help="turns faults on: NAME until cleared, NAME=K for K requests, or none")
        faults.add_argument("names", help="separated by commas")
        happen = verbs.add_parser("happen", help="lets one event happen now")
        happen.add_argument("kind")
        verbs.add_parser("status", help="shows time, key and faults")

    def handle(self, *_: Any, **options: Any) -> None:
        """Sends the order and writes the answer."""
        verb, url = options["verb"], f"http://127.0.0.1:{options['port']}/control/{options['verb']}"
        try:
            # Nothing of the environment, such as a proxy, stands between this machine and itself.
            session = requests.Session()
            session.trust_env = False
            with session.post(url, json=self._order(options), timeout=TIMEOUT, stream=True) as answer:
                if answer.status_code != requests.codes.ok:
                    raise CommandError(answer.json().get("error", "refused"), returncode=2)
                if verb in {"truth", "codes"}:
                    _write(options["file"], answer)
                else:
                    self.stdout.write(answer.text)
        except requests.RequestException as error:
            raise CommandError(f"No simulator answers on port {options['port']}.", returncode=1) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}", returncode=2) from error

    def _order(self, options: dict[str, Any]) -> dict[str, Any]:
        match options["verb"]:
            case "advance":
                return {"days": options["days"]}
            case "faults":
                return {"faults": options["names"].split(",")}
            case "happen":
                return {"kind": options["kind"]}
            case "truth" if options["codes"] is not None:
                return {"codes": options["codes"].read_text().split()}
            case "truth" | "codes":
                return {"count": options["count"]}
            case _:
                return {}


def _write(path: Path, answer: requests.Response) -> None:
    """Writes the answer to the file, mode 0600, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for piece in answer.iter_content(1 << 16):
            file.write(piece)
    new.replace(path)
