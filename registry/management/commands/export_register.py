"""``manage.py export_register FILE``: the register as JSON Lines (outside.md, Export)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from registry.policies import Access
from registry.selectors.place import Override
from registry.services.errors import Refused
from registry.services.export import Options, export


class Command(BaseCommand):
    """Writes the register to a file that only its owner can read; leaves an event in the audit log."""

    help = "Writes the register to FILE, one JSON object per person and line."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and what is left out unless asked for."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--include-protected", action="store_true", help="also persons under a ban, without places")
        parser.add_argument("--include-former", action="store_true", help="also former identity codes")
        parser.add_argument(
            "--include-unconfirmed",
            choices=[one.lower() for one in Override.values],
            metavar="REASON",
            help="also locations not confirmed lately; the reason, urgent, checked or other, is logged",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: written; 1: the register is locked after a restore; 2: the file cannot be written."""
        why = options["include_unconfirmed"]
        chosen = Options(
            protected=options["include_protected"],
            former=options["include_former"],
            unconfirmed=Override(why.upper()) if why else None,
        )
        try:
            count = export(Access(None, "export_register command"), options["file"], chosen)
        except Refused as error:
            with translation.override("en"):
                raise CommandError(str(error), returncode=1) from None
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from error
        self.stdout.write(f"{count} persons written to {options['file']}")
