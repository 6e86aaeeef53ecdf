"""``manage.py create_administrator``: the first user of a new installation."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from registry.policies import Access
from registry.services import users
from registry.services.errors import Refused


class Command(BaseCommand):
    """Asks for a name and a password on a terminal; elsewhere takes them as arguments and from standard input."""

    help = "Creates the first administrator of a new installation."

    def add_arguments(self, parser: CommandParser) -> None:
        """The password never is an argument: those show in the list of processes."""
        parser.add_argument("--username", default="")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: created; 1: refused, such as when there is an administrator; 2: no name or no password."""
        if users.administrator_exists():
            raise CommandError("There is an administrator already.", returncode=1)
        username = options["username"] or (input("Username: ") if sys.stdin.isatty() else "")
        password = _password(from_stdin=options["password_stdin"])
        if not username or not password:
            raise CommandError(
                "Give --username and the password: --password-stdin, or ADMINISTRATOR_PASSWORD in the environment.",
                returncode=2,
            )
        try:
            with translation.override("en"):
                user = users.create_administrator(Access(None, "create_administrator command"), username, password)
        except Refused as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(f"The administrator {user.username} was created.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        return os.environ.get("ADMINISTRATOR_PASSWORD", "")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password again: "):
        raise CommandError("The passwords differ.", returncode=1)
    return password
