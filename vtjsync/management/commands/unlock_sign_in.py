"""``manage.py unlock_sign_in``: lets somebody try again who tried to sign in too often."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from vtjsync import limits


class Command(BaseCommand):
    """Exit 0: done, also where nothing was counted; 2: called wrongly."""

    help = "Forgets the attempts to sign in with a name, or all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        """One name, or everybody: an address is only forgotten with all."""
        parser.add_argument("name", nargs="?", help="what is typed as the user name")
        parser.add_argument("--all", action="store_true", help="every name and every address")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Forgets, and says what it means."""
        if bool(options["name"]) == options["all"]:
            raise CommandError("Give a user name, or --all.", returncode=2)
        forgotten = limits.unlock(options["name"])
        self.stdout.write("They can try again." if forgotten else "Nothing was counted.")
