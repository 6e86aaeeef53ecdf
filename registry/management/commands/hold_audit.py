"""``manage.py hold_audit``: an inquiry keeps the whole audit log, until it has ended (domain.md G46)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import localtime

from registry.policies import Access
from registry.services import audit_months
from registry.services.errors import Refused


class Command(BaseCommand):
    """Without options: the inquiries that hold the log."""

    help = "Keeps the whole audit log for an inquiry: no month is removed until it is released."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who decided, and why or which."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--reason", help="begin: why, without naming a client; a reference number is enough")
        what.add_argument("--release", type=int, metavar="NUMBER", help="end the inquiry with this number")
        parser.add_argument("--by", help="who decided it")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: done; 1: no such inquiry; 2: called wrongly."""
        access, by = Access(None, "hold_audit command"), (options["by"] or "").strip()
        begins = options["reason"] is not None
        if (begins or options["release"] is not None) and not by:
            raise CommandError("--by NAME: who decided it?", returncode=2)
        if begins and not options["reason"].strip():
            raise CommandError("--reason TEXT: why?", returncode=2)
        if begins:
            audit_months.hold(access, options["reason"].strip(), by)
        elif options["release"] is not None:
            try:
                audit_months.release(access, options["release"], by)
            except Refused as error:
                raise CommandError(str(error), returncode=1) from error
        for one in (open_ones := audit_months.held()):
            self.stdout.write(f"{one.pk}: {one.reason} ({one.placed_by}, {localtime(one.placed_at):%d.%m.%Y %H.%M})")
        if not open_ones:
            self.stdout.write("No inquiry holds the audit log: months are removed when their time is over.")
