"""``manage.py verify_audit``: nobody has changed the audit log (domain.md G46; outside.md, Commands)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.policies import Access
from registry.services import audit_check
from registry.services.audit_check import Finding, Report, Told

SHOWN = 20


class Command(BaseCommand):
    """Looks at every seal and every event that it covers, and seals what is not sealed yet."""

    help = "Checks the seals of the audit log, and names the first broken one."

    def add_arguments(self, parser: CommandParser) -> None:
        """The outside copy: a log of the workers, or the lines of it that tell of seals."""
        parser.add_argument("--seals", type=Path, metavar="FILE", help="compare with the seals that this log tells")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: whole; 1: broken, with the first broken seal and what is wrong; 2: a file that cannot be read."""
        copy = _copy(options["seals"]) if options["seals"] else ({}, [])
        watch = self._tell_progress if sys.stderr.isatty() else int
        report = audit_check.run(Access(None, "verify_audit command"), copy, watch)
        for finding in report.findings[:SHOWN]:
            self.stdout.write(str(finding))
        if report.count > SHOWN:
            self.stdout.write(f"and {report.count - SHOWN} more")
        for month, seal in sorted(report.dropped.items()):
            self.stdout.write(f"{month} was removed when its time was over, as seal {seal} tells.")
        self.stdout.write(_summary(report))
        if report.findings:
            first = report.findings[0]
            what = f"The first broken seal is {first.seal}" if first.seal else "What is not sealed yet is broken"
            raise CommandError(f"{what}. See docs/operations.md, “A broken seal”.", returncode=1)

    def _tell_progress(self, seals: int) -> None:
        self.stderr.write(f"\r{seals} seals", ending="")


def _copy(path: Path) -> tuple[dict[int, Told], list[Finding]]:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            told, twice = audit_check.outside(lines)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
    if not told:
        raise CommandError(f"{path}: no line tells of a seal.", returncode=2)
    return told, twice


def _summary(report: Report) -> str:
    said = f"{report.seals} seals with {report.events} events looked at; {report.unsealed} events were not sealed yet"
    if report.outside:
        said += f"; {report.outside} seals of the outside copy compared"
    return f"{said}; {report.count or 'nothing'} wrong."
