"""``manage.py end_clientships``: the due run of domain.md F43, in the foreground."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.clock import today
from registry.lock import Locked
from registry.policies import Access
from registry.services import erasure


class Command(BaseCommand):
    """Erases persons whose last clientship has ended, and ended clientships of those who stay."""

    help = "Erases what is due after the end of clientships, as the scheduled task does."

    def add_arguments(self, parser: CommandParser) -> None:
        """Another day than today, to try things out."""
        parser.add_argument(
            "--on", type=_day, metavar="DATE", help="act as if this day (2026-01-31) had come; in demo mode only"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: erased; 1: so many are due that a second person has to confirm, the register is locked after a
        restore, or the ledger cannot be written; 2: ``--on`` outside demo mode."""
        if options["on"] is not None and not settings.DEMO:
            raise CommandError("--on is for demo mode only.", returncode=2)
        try:
            report = erasure.run(Access(None, "end_clientships command"), options["on"] or today())
        except OSError as error:
            raise CommandError(
                f"The receipts are not in the ledger yet ({error.filename}): {error.strerror}", returncode=1
            ) from error
        except Locked as error:
            raise CommandError(str(error), returncode=1) from None
        for table, count in sorted((+report.rows).items()):
            self.stdout.write(f"{table}: {count} rows")
        if report.held or report.locked:
            raise CommandError(f"{report}.", returncode=1)
        self.stdout.write(str(report))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("not a day like 2026-01-31") from None
