"""Measures what has to be fast, on a PostgreSQL of its own with durable settings, which is removed afterwards.

    python -m tests.bench                       everything, in the sizes of WORKS
    python -m tests.bench first_load 100000     one of them, in another size

Each work is a module beside this one with a function ``measure(size)``, which prints its rows of the table. It runs in
a process and a database of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import psycopg

from tests.bench import harness

WORKS: Final = {"import_list": 100_000, "first_load": 20_000, "changes": 10_000, "client_list": 100_000}


def main(arguments: list[str]) -> int:
    """Returns 0, 1 when a measurement failed, 2 when called wrongly."""
    chosen, size = [*arguments, "", ""][:2]
    if len(arguments) > 2 or (chosen and chosen not in WORKS) or (size and not size.isdecimal()):
        print(f"python -m tests.bench [{' | '.join(WORKS)} [SIZE]]", file=sys.stderr)
        return 2
    works = {chosen: int(size or WORKS[chosen])} if chosen else WORKS
    with harness.server() as server:
        with psycopg.connect(**server) as database:
            print(harness.head(database.info), flush=True)
        return max(_measured(server, work, size) for work, size in works.items())


def _measured(server: harness.Server, work: str, size: int) -> int:
    with psycopg.connect(**server, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS bench")
        admin.execute("CREATE DATABASE bench")
    url = f"postgres://{server['user']}:@/{server['host']}/bench"
    command = [sys.executable, "-c", f"from tests.bench import harness; harness.measure({work!r}, {size})"]
    # With the ledger of another database this one would be taken for a backup.
    own = {"DATABASE_URL": url, "ERASURE_LEDGER": str(harness.VAR / f"ledger-{work}.jsonl")}
    environment = os.environ | harness.SETTINGS | own
    return int(subprocess.run(command, env=environment, check=False).returncode != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
