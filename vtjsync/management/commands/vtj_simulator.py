"""``manage.py vtj_simulator``: the simulator by itself (outside.md)."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vtjsync.simulator import server
from vtjsync.simulator.protocol import CLIENT


class Command(BaseCommand):
    """Serves until SIGTERM or SIGINT. Exit 2: called wrongly, the port is taken, or the state is of another one."""

    help = "Runs a simulated VTJ (muutosrajapinta behind X-Road) on this machine until it is stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The population, and where it is served."""
        parser.add_argument("--port", type=int, required=True, help="the port to serve on, on this machine only")
        parser.add_argument("--population", type=int, default=2000, help="how many people there are")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same people and events")
        parser.add_argument("--state", type=Path, help="a file from which the simulator comes back as it was")
        parser.add_argument("--start-date", type=date.fromisoformat, help="the first simulated day (default: today)")
        parser.add_argument("--unique-streets", action="store_true", help="no two addresses share a street: for drills")
        parser.add_argument("--activity", type=float, default=1.0, help="how many times as much happens as usual")
        parser.add_argument("--username", default=server.USERNAME, help="user name that the provider accepts")
        parser.add_argument("--password", default=server.PASSWORD, help="password that the provider accepts")
        parser.add_argument("--client", default=CLIENT, help="the X-Road client that is known")

    def handle(self, *_: Any, **options: Any) -> None:
        """Starts, says so in one line, and waits for a signal."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            handle = server.start(
                population=options["population"],
                seed=options["seed"],
                port=options["port"],
                username=options["username"],
                password=options["password"],
                start_day=options["start_date"],
                unique_streets=options["unique_streets"],
                activity=options["activity"],
                state=options["state"],
                client=options["client"],
                keep_requests=False,
            )
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error.strerror}.", returncode=2) from error
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"VTJ simulator at {handle.url}: {options['population']} people, now {handle.now:%Y-%m-%d}")
        self.stdout.flush()
        stop.wait()
        handle.stop()
