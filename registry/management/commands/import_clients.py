"""``manage.py import_clients FILE``: the organisation's own list into the register (outside.md, Import file)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.clock import today
from registry.policies import Access
from registry.services import import_file, imports
from registry.services.errors import Refused, Unreadable
from registry.services.imports import Report
from registry.services.vtj_data import StorageError


class Command(BaseCommand):
    """Adds and ends clientships by a CSV file. Good lines go in; bad ones are reported and change nothing."""

    help = "Brings the organisation's own list of clients (CSV) into the register."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and how careful to be."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="report the same and change nothing")
        parser.add_argument(
            "--confirm-ends",
            type=int,
            metavar="N",
            help=f"how many persons the ends will erase, where that is more than {imports.ENDS_TO_CONFIRM}",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: every line is in; 1: some are not, or nothing was written; 2: not such a file."""
        path: Path = options["file"]
        try:
            import_file.check_size(path.stat().st_size)
            with path.open("rb") as file:
                report = imports.run(
                    Access(None, "import_clients command"),
                    file,
                    day=today(),
                    dry_run=options["dry_run"],
                    confirm_ends=options["confirm_ends"],
                )
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except Unreadable as error:
            raise CommandError(str(error), returncode=2) from error
        except Refused as error:
            raise CommandError(str(error), returncode=1) from error
        except StorageError as error:
            raise CommandError(f"{error}. Nothing was written.", returncode=1) from error
        self._tell(report, dry_run=options["dry_run"])

    def _tell(self, report: Report, *, dry_run: bool) -> None:
        for bad in report.bad:
            self.stdout.write(str(bad))
        if report.bad_count > len(report.bad):
            self.stdout.write(f"… and {report.bad_count - len(report.bad)} more bad lines")
        self.stdout.write(
            f"{report.lines} lines: {report.added} clientships added ({report.new_persons} new persons),"
            f" {report.ended} ended, {report.same} the same as before, {report.bad_count} bad lines"
        )
        self.stdout.write(f"{report.erased} persons will be erased by the ends in the file")
        if report.otherwise:
            self.stdout.write(
                f"{report.otherwise} lines name another provider or reference than the register, which stays as it is"
            )
        if report.mismatches:
            self.stdout.write(f"{report.mismatches} names differ from VTJ's: a problem was opened for each")
        if dry_run:
            self.stdout.write("dry run: nothing was changed")
            if report.unconfirmed:
                self.stdout.write(f"the import itself will need --confirm-ends {report.erased}")
        elif report.unconfirmed:
            raise CommandError(
                f"Nothing was written: the ends in the file will erase {report.erased} persons. If that is right,"
                f" repeat with --confirm-ends {report.erased}.",
                returncode=1,
            )
        if report.bad_count:
            raise CommandError(f"{report.bad_count} bad lines changed nothing.", returncode=1)
