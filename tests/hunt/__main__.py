"""Lives a busy month and looks everywhere; prints for docs/testing.md what happened and what was looked at.

    python -m tests.hunt [PEOPLE] [DAYS] [SEED]

On a database of its own. Some minutes for 300 people and 30 days.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

PEOPLE: Final = 300
DAYS: Final = 30


def main(people: int = PEOPLE, days: int = DAYS, seed: int = 1) -> int:
    """Prints the table. Returns 1 when something was found."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment, teardown_test_environment

    from tests.hunt.hunt import hunted, told

    connection.settings_dict["TEST"]["NAME"] = "test_vtjsync_hunt"
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    setup_test_environment()
    began = time.monotonic()
    try:
        with (
            TemporaryDirectory() as folder,
            hunted(people=people, days=days, folder=Path(folder), seed=seed) as (month, report),
        ):
            sys.stdout.write(f"{told(month, report)}\n\n{time.monotonic() - began:.0f} seconds\n")
    finally:
        teardown_test_environment()
        connection.creation.destroy_test_db(name, verbosity=0)
    return 1 if month.staff.wrong or report.hits else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
