"""``manage.py database_role NAME``: the application's own role in the database (domain.md G46, docs/operations.md)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.services import database_role


class Command(BaseCommand):
    """Run with the owner's ``DATABASE_URL``, after every ``migrate``."""

    help = "Makes the application's database role, or grants it what is new: nobody can change the audit log with it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The password is given by the database's own means."""
        parser.add_argument("name", help="the role; it is made where there is none")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: done; 1: done but for settings that only a superuser can make; 2: not as this user, or not to this
        role."""
        try:
            left = database_role.grant(options["name"])
        except database_role.NotPossible as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"{options['name']} may do what the application does, and no more.")
        if left:
            said = "\n".join(f"  {statement};" for statement in left)
            raise CommandError(f"A superuser of the database has to do the rest:\n{said}", returncode=1)
