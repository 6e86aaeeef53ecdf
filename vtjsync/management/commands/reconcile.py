"""``manage.py reconcile``: compares with fresh basic data, corrects, reports drift (outside.md, Commands)."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from vtjsync.engine.reconciliation import reconcile
from vtjsync.engine.run import REASONS, Busy
from vtjsync.models import SyncRun


class Command(BaseCommand):
    """Compares the night's share of the register, another share, or all of it."""

    help = "Compares a share of the register with fresh basic data from VTJ, as the nightly task does."

    def add_arguments(self, parser: CommandParser) -> None:
        """By default the share of one night."""
        how_much = parser.add_mutually_exclusive_group()
        how_much.add_argument("--share", type=_share, metavar="SHARE", help="such a part of the register, as 0.05")
        how_much.add_argument("--all", action="store_const", const=1.0, dest="share", help="the whole register")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0 when all of the share was compared, also when there was drift; 1 otherwise."""
        try:
            row = reconcile("command", options["share"])
        except Busy:
            raise CommandError("Another reconciliation is under way.", returncode=1) from None
        self.stdout.write(f"run {row.pk}: {row.state.lower()}, {row.requests} requests")
        answered = min(row.received, row.persons_total)
        self.stdout.write(f"compared: {answered} of {row.persons_total} persons, {row.not_found} not found")
        self.stdout.write(f"drift: {sum(row.drift.values())} values")
        for field, number in sorted(row.drift.items()):
            self.stdout.write(f"  {field}: {number}")
        if row.state != SyncRun.State.COMPLETE:
            with translation.override("en"):
                words = REASONS.get(row.reason, row.reason)
                raise CommandError(f"Run {row.pk} is {row.state.lower()}: {words}", returncode=1)


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError("a share is more than 0 and at most 1")
    return share
