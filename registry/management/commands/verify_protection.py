"""``manage.py verify_protection``: no place of a protected person is anywhere (domain.md E40; outside.md, Commands)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.policies import Access
from registry.services.protection import check


class Command(BaseCommand):
    """Looks at every table and column, at queue and session payloads, and at the files that the program keeps."""

    help = "Checks that no place of a protected person is kept anywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """Strings come on standard input: arguments show in the list of processes and in the shell's history."""
        parser.add_argument(
            "--values", choices=["-"], help="for drills: also look for the strings on standard input, one on a line"
        )
        parser.add_argument("--files", type=Path, nargs="*", default=[], help="further folders with logs and exports")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: nothing found; 1: something was, with the tables and columns; 2: called wrongly."""
        strings = sys.stdin.read().splitlines() if options["values"] else []
        try:
            report = check.run(Access(None, "verify_protection command"), strings, options["files"])
        except ValueError as error:
            raise CommandError(f"standard input: {error}", returncode=2) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}", returncode=2) from error
        for finding in report.findings:
            self.stdout.write(str(finding))
        self.stdout.write(f"{report}.")
        if report.findings:
            raise CommandError("Something was found. See docs/operations.md, “A leak is suspected”.", returncode=1)
