"""``manage.py sync``: what the scheduled task does, in the foreground (outside.md, Commands)."""

from __future__ import annotations

import logging
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from registry.policies import Access
from vtjsync.engine import sync as engine
from vtjsync.engine.run import REASONS, Busy, Run, resume
from vtjsync.models import SyncRun


class Command(BaseCommand):
    """Runs the sync once: the changes of all cohorts, then basic data for those who are due."""

    help = "Fetches changes and basic data from VTJ, as the scheduled task does."

    def add_arguments(self, parser: CommandParser) -> None:
        """Both halves by default; each can be run alone."""
        halves = parser.add_mutually_exclusive_group()
        halves.add_argument("--basic-data-only", action="store_true", help="do not ask for changes")
        halves.add_argument("--changes-only", action="store_true", help="do not ask for basic data")
        parser.add_argument("--resume", action="store_true", help="first lift a stop after a refusal by VTJ")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0 when the run is complete, 1 otherwise."""
        if sys.stderr.isatty():
            # The progress is enough there, and a line for each request would tear it.
            logging.getLogger("vtjsync.wire").setLevel(logging.WARNING)
        if options["resume"]:
            resume(Access(None, "sync command"))
        try:
            row = engine.sync(
                "command",
                with_changes=not options["basic_data_only"],
                with_basic_data=not options["changes_only"],
                watch=_progress if sys.stderr.isatty() else lambda _run: None,
            )
        except Busy:
            raise CommandError("Another run is under way. Try again when it has ended.", returncode=1) from None
        for line in _summary(row):
            self.stdout.write(line)
        if row.state != SyncRun.State.COMPLETE:
            with translation.override("en"):
                words = REASONS.get(row.reason, row.reason)
                raise CommandError(f"Run {row.pk} is {row.state.lower()}: {words}", returncode=1)


def _summary(row: SyncRun) -> list[str]:
    return [
        f"run {row.pk}: {row.state.lower()}, {row.requests} requests, {row.retries} of them repeated",
        f"changes: {row.cohorts_done} of {row.cohorts_total} cohorts, {row.entries} entries, {row.applied} values"
        f" applied, {row.entries_unknown} entries of nobody on the list",
        f"basic data: {row.received} received, {row.asked_again} of the questions asked again,"
        f" {row.not_found} persons not found",
        f"bans: {row.bans_started} started, {row.bans_ended} ended",
        f"problems: {row.problems_opened} opened",
    ]


def _progress(run: Run) -> None:
    done, total = run.counts["persons_done"], run.progress.get("persons_total", 0)
    cohorts = f"{run.progress.get('cohorts_done', 0)}/{run.progress.get('cohorts_total', 0)}"
    sys.stderr.write(f"\rcohorts {cohorts}, persons {done}/{total} ")
    sys.stderr.flush()
