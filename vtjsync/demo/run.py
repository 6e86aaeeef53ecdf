"""``make run``: a working register to try, on a machine with nothing prepared (outside.md, Make targets).

Starts PostgreSQL, a simulated VTJ, web server and workers; the first time it sets up a register of 2,000 clients with
the commands that an organisation would use, and loads it by the real sync. The database is that of DATABASE_URL where
that is set.

    PORT=8000 FRESH=1 python -m vtjsync.demo.run
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from vtjsync.demo import postgres
from vtjsync.demo.children import Child, stop_all

BASE: Final = Path(__file__).resolve().parents[2]
VAR: Final = Path(os.environ.get("VTJSYNC_VAR") or BASE / "var")
CLIENTS: Final = 2000
# A few people more than clients, so that there is somebody to add by hand.
POPULATION: Final = 2040
SEED: Final = 2026
# About thirty events on a simulated day.
ACTIVITY: Final = 8
STATE: Final = VAR / "simulator.json"
SETTINGS: Final = VAR / "demo.env"
LOGS: Final = VAR / "log"
ROLE: Final = "vtjsync_app"


class Trouble(Exception):
    """The demo cannot go on. The text says what to do."""


def main() -> int:
    """Runs until it is told to stop. Returns 0 then, 1 when a part of it failed, 2 when it could not begin."""
    # A shell starts what runs in the background with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    children: list[Child] = []
    own = "DATABASE_URL" not in os.environ
    try:
        port = _number(os.environ.get("PORT") or "8000")
        with _alone():
            try:
                _check_ports(port)
                _fresh()
                _serve(port, children, own)
            finally:
                stop_all(children)
                if own:
                    postgres.stop(VAR)
    except (Trouble, postgres.NoPostgres) as trouble:
        print(trouble, file=sys.stderr)
        return 1 if children else 2
    except KeyboardInterrupt:
        print("\nStopped. `make run` goes on with the same register.")
    return 0


def _serve(port: int, children: list[Child], own: bool) -> None:
    began = time.monotonic()
    vtj_port = _write_settings(port)
    # It needs no database, so it starts while that does.
    options = ("--population", POPULATION, "--seed", SEED, "--activity", ACTIVITY, "--state", STATE)
    _start(children, "simulator", "manage.py", "vtj_simulator", "--port", vtj_port, *options)
    if own:
        with _step("PostgreSQL"):
            postgres.ensure_running(VAR)
    with _step("Database tables"):
        manage = _django()
        manage("migrate", verbosity=0)
        if own:
            # As in production: web server and workers own nothing, and cannot change the audit log.
            manage("database_role", ROLE)
    if not _is_loaded():
        with _step("Simulated VTJ"):
            _wait(children, f"http://127.0.0.1:{vtj_port}/listClients")
        _load(manage, vtj_port)
    if own:
        os.environ["DATABASE_URL"] = postgres.url(VAR, ROLE)
    with _step("Web server and workers"):
        bind = ("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4")
        _start(children, "web", "-m", "gunicorn", "vtjsync.wsgi", *bind)
        _start(children, "workers", "manage.py", "qcluster")
        _wait(children, f"http://127.0.0.1:{vtj_port}/listClients")
        _wait(children, f"http://127.0.0.1:{port}/")
    _tell(port, vtj_port, time.monotonic() - began)
    while not (ended := [child for child in children if child.ended]):
        time.sleep(0.5)
    raise Trouble(f"The {ended[0].name} has ended unexpectedly. Its log: {ended[0].log}")


def _load(manage: Callable[..., Any], vtj_port: int) -> None:
    """The demo register, by the commands that an organisation would use. All of it can be done twice."""
    from registry.clock import today
    from vtjsync.demo import people

    codes, clients = VAR / "codes.txt", VAR / "clients.csv"
    with _step("Units, services and staff"):
        manage("load_setup", str(Path(__file__).with_name("setup.json")))
        people.make_workers()
    with _step(f"{CLIENTS} clients of the organisation's own list"):
        manage("vtj_simulator_control", "--port", str(vtj_port), "codes", str(codes), "--count", str(CLIENTS))
        people.write_clients(codes.read_text().split(), clients, today())
        manage("import_clients", str(clients))
    with _step("Their data from VTJ"):
        manage("sync")
    codes.unlink()
    clients.unlink()


def _is_loaded() -> bool:
    from vtjsync.models import SyncRun

    return SyncRun.objects.filter(state=SyncRun.State.COMPLETE).exists()


def _django() -> Callable[..., Any]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "vtjsync.settings"
    import django

    django.setup()
    # The steps are what the terminal shows; every request of the first load would stand between them.
    logging.getLogger("vtjsync").setLevel(logging.WARNING)
    from django.core.management import CommandError, call_command

    def manage(*arguments: str, **options: Any) -> Any:
        try:
            with (LOGS / "setup.log").open("a") as out:
                return call_command(*arguments, stdout=out, **options)
        except CommandError as error:
            raise Trouble(f"{arguments[0]}: {error}") from error

    return manage


def _write_settings(port: int) -> int:
    """The settings of this demo, with keys of its own, for every process of it and for commands in another terminal.

    Returns the simulator's port: the one from the last time if it is free.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    old = dict(line.split("=", 1) for line in _lines(SETTINGS) if "=" in line)
    known = old.get("VTJ_SERVER", "").rpartition(":")[2]
    vtj_port: int = next(one for one in (int(known or port + 100), *range(port + 100, port + 200)) if _is_free(one))
    values = {
        "SECRET_KEY": old.get("SECRET_KEY") or secrets.token_urlsafe(48),
        "AUDIT_KEY": old.get("AUDIT_KEY") or secrets.token_urlsafe(48),
        "HETU_ALLOW_TEST_CODES": "true",
        "VTJ_SERVER": f"http://127.0.0.1:{vtj_port}",
        "VTJ_CLIENT": "FI-TEST/MUN/0101263-6/vtjsync",
        "VTJ_USERNAME": "simulator",
        "VTJ_PASSWORD": "simulator",
        "VTJKYSELY_CLIENT": "FI-TEST/MUN/0101263-6/vtjsync",
        "VTJKYSELY_SERVICE": "FI-TEST/GOV/0245437-2/VTJkysely/HenkilonTunnusKysely/v1",
        "VTJKYSELY_PRODUCT": "PERUSSANOMA 3",
        "VTJKYSELY_USERNAME": "simulator",
        "VTJKYSELY_PASSWORD": "simulator",
    }
    with os.fdopen(os.open(SETTINGS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    os.environ.update(values, VTJSYNC_MODE="demo", VTJSYNC_VAR=str(VAR))
    return vtj_port


def _fresh() -> None:
    """FRESH=1: forgets the register and the simulated VTJ."""
    if os.environ.get("FRESH") not in {"1", "true", "yes"}:
        return
    if "DATABASE_URL" in os.environ:
        raise Trouble("FRESH=1 empties only the demo's own database. Empty the one in DATABASE_URL by hand.")
    postgres.remove(VAR)
    for path in (STATE, SETTINGS, VAR / "erasure-ledger.jsonl"):
        path.unlink(missing_ok=True)
    shutil.rmtree(LOGS, ignore_errors=True)


@contextmanager
def _alone() -> Iterator[None]:
    """One demo at a time in one ``var``."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "demo.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Trouble("The demo runs already, in another terminal. Stop that one with Ctrl-C first.") from None
        yield


def _check_ports(port: int) -> None:
    if not _is_free(port):
        raise Trouble(f"Port {port} is taken by another program. Choose another one: make run PORT={port + 80}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _number(text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65_000:
        raise Trouble("PORT is a number from 1024 to 65000: make run PORT=8080")
    return int(text)


def _start(children: list[Child], name: str, *arguments: object) -> None:
    children.append(Child(name, [str(one) for one in arguments], LOGS / f"{name}.log", BASE))


def _wait(children: list[Child], url: str, seconds: float = 60) -> None:
    """Until the newest children answer. Whatever they answer will do: they are there."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for child in children:
            if child.ended:
                raise Trouble(f"The {child.name} did not start. Its log: {child.log}")
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own child on this machine
                return
        except URLError as error:
            if hasattr(error, "code"):
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise Trouble(f"No answer from {url} within {seconds:.0f} seconds. The logs: {LOGS}")


@contextmanager
def _step(name: str) -> Iterator[None]:
    print(f"  {name} …", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print()
        raise
    print(f" {time.monotonic() - began:.1f} s")


def _tell(port: int, vtj_port: int, seconds: float) -> None:
    from vtjsync.demo import people

    print(f"\nReady in {seconds:.0f} seconds: http://127.0.0.1:{port}/\n")
    print(f"Sign in with the password {people.PASSWORD} as")
    for worker in people.WORKERS:
        print(f"  {worker.username:8}{worker.may}")
    print("\nLet a day pass in the simulated VTJ, in another terminal, and press “Run now” as bertta:")
    print(f"  VTJSYNC_MODE=demo .venv/bin/python manage.py vtj_simulator_control --port {vtj_port} advance --days 1")
    print("\nCtrl-C stops all of it.", flush=True)


def _lines(path: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return path.read_text().splitlines()
    return []


if __name__ == "__main__":
    sys.exit(main())
