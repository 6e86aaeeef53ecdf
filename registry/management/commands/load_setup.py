"""``manage.py load_setup FILE``: authority, permit, units, providers and services (outside.md, Set-up file)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.policies import Access
from registry.services import setup
from registry.services.errors import Refused, Unreadable


class Command(BaseCommand):
    """Changes what differs and removes nothing; all of the file or nothing of it."""

    help = "Sets up authority, permit, units, providers and services from a JSON file."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file."""
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: done; 1: the content contradicts itself or the register; 2: it cannot be read."""
        try:
            with options["file"].open("rb") as file:
                content = file.read(setup.MAX_BYTES + 1)
            counts = setup.load(Access(None, "load_setup command"), content)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from error
        except Unreadable as error:
            raise CommandError(str(error), returncode=2) from error
        except Refused as error:
            raise CommandError(str(error), returncode=1) from error
        for kind, one in counts.items():
            self.stdout.write(f"{kind}: {one}")
