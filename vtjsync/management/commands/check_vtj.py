"""``manage.py check_vtj``: connection, certificates, permit (outside.md, Commands)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from registry.policies import Access
from vtjsync.engine import check
from vtjsync.engine.check import Part, Tone


class Command(BaseCommand):
    """Looks at every part of the way to VTJ, and says what to do about those that are not in order."""

    help = "Checks the connection to VTJ, the certificates' end dates and the permit, without personal data."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Exit 0: in order, or a certificate ends soon; 1: something is not in order."""
        findings = check.run(check.begin(Access(None, "check_vtj command"), "command"))
        with translation.override("en"):
            for one in findings:
                self.stdout.write(f"{Tone(one.tone).label:13}{Part(one.part).label}: {check.words(one)}")
        if any(one.tone == Tone.BAD for one in findings):
            raise CommandError("The connection to VTJ is not in order.", returncode=1)
