"""``manage.py restore_finish``: from a restored backup to an open register (domain.md F45)."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from registry import lock
from registry.policies import Access
from registry.services import restore
from registry.services.errors import Refused
from registry.services.restore import Replayed
from vtjsync.engine import restored
from vtjsync.engine import sync as engine
from vtjsync.engine.run import REASONS, Busy, Run


class Command(BaseCommand):
    """Replays the ledger of erasures, brings every cohort up to date, and unlocks. After whatever cut it off it can be
    given again."""

    help = "Replays the ledger of erasures, brings everybody up to date from VTJ, and unlocks the register."

    def add_arguments(self, parser: CommandParser) -> None:
        """All of it by default."""
        parser.add_argument(
            "--replay-only",
            action="store_true",
            help="replay the ledger and stop: to import the list before VTJ is asked",
        )
        parser.add_argument(
            "--without-ledger",
            action="store_true",
            help="the ledger is lost or spoilt, and the controller has decided to go on; logged",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit 0: unlocked, with ``--replay-only`` replayed; 1: not yet, and why."""
        access = Access(None, "restore_finish command")
        with translation.override("en"):
            try:
                self._replay(access, without_ledger=options["without_ledger"])
                if options["replay_only"]:
                    self.stdout.write("Now import the organisation's list, then: python manage.py restore_finish")
                    return
                self._bring_up_to_date()
                restore.finish(access)
            except Refused as error:
                raise CommandError(str(error), returncode=1) from None
            except OSError as error:
                raise CommandError(f"The ledger ({error.filename}): {error.strerror}", returncode=1) from error
        self.stdout.write("The register is unlocked.")

    def _replay(self, access: Access, *, without_ledger: bool) -> None:
        told = restore.replay(access, without_ledger=without_ledger, watch=_lines if _shown() else _silent)
        for line in _summary(told):
            self.stdout.write(line)

    def _bring_up_to_date(self) -> None:
        if not restored.missing():
            return
        try:
            row = engine.sync("command", watch=_persons if _shown() else lambda _run: None)
        except Busy:
            raise Refused("Another run is under way. Give the command again when it has ended.") from None
        if missing := restored.missing():
            why = REASONS.get(row.reason, "")
            raise Refused(f"Still locked: {missing}. {why} Give the command again when that is put right.")
        lock.require_asking()


def _summary(told: Replayed) -> list[str]:
    known = f"{told.known:%Y-%m-%d %H:%M} UTC" if told.known else "none"
    newest = f"{told.newest:%Y-%m-%d %H:%M} UTC" if told.newest else "none"
    return [
        f"ledger: the backup knows it up to {known}; its newest line: {newest}",
        f"replayed: {told.receipts} receipts; erased again: {told.persons} persons, {told.clientships} clientships",
    ]


def _shown() -> bool:
    return sys.stderr.isatty()


def _silent(_done: int, _all: int) -> None:
    pass


def _lines(done: int, every: int) -> None:
    sys.stderr.write(f"\rledger: {done}/{every} lines " + ("\n" if done == every else ""))
    sys.stderr.flush()


def _persons(run: Run) -> None:
    done, total = run.counts["persons_done"], run.progress.get("persons_total", 0)
    cohorts = f"{run.progress.get('cohorts_done', 0)}/{run.progress.get('cohorts_total', 0)}"
    sys.stderr.write(f"\rcohorts {cohorts}, persons {done}/{total} ")
    sys.stderr.flush()
