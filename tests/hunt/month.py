"""A busy month: VTJ's days go by, runs hear of them, break down and begin again, and the staff are at their pages.

Everything is the program's own: the simulator over HTTP, the engine, the queue's table, the pages, the commands.
"""

from __future__ import annotations

import io
import queue
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from multiprocessing import Value
from pathlib import Path
from random import Random
from typing import Any, Final

from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django_q.models import OrmQ
from django_q.monitor import monitor
from django_q.pusher import pusher
from django_q.worker import worker

from registry.clock import today
from registry.models import Person, PersonCode
from registry.policies import Access
from registry.services import erasure
from registry.services.protection import check as protection
from tests.engine import crash
from tests.engine.history import SPOILS
from tests.engine.line import let_ask, line_to
from tests.hunt.acts import Acts
from tests.hunt.heard import Heard
from tests.hunt.staff import Staff, hired, moment
from tests.hunt.words import CODE, NOBODY, PLACE, REFERENCE, Words, telling
from tests.settings import VAR
from vtjsync import alarms, metrics, tasks
from vtjsync.engine.reconciliation import reconcile
from vtjsync.engine.sync import sync
from vtjsync.models import SyncRun
from vtjsync.simulator import kysely, server
from vtjsync.simulator.products import PRODUCTS
from vtjsync.simulator.server import Handle

STARTS: Final = ("ban_started_censored", "ban_started_alone", "ban_started_with_move")
ENDS: Final = ("ban_ended_with_places", "ban_ended_alone")
OTHERS: Final = ("moved_under_ban", "moved_to_municipality", "moved_in_municipality", "moved_abroad", "name_changed")
CODES: Final = ("code_changed", "codes_merged", "address_corrected", "move_to_come", "foreign_address_added", "died")
# From so many people on, so many clientships end at once.
MANY: Final = 150
# Of the tests' own server, where it is not another one.
POSTGRES: Final = VAR / "postgres.log"
DRILL: Final = 100
COLUMNS: Final = "henkilotunnus;palvelu;alkupaiva;loppupaiva;viite;sukunimi;etunimet"


class Month(Acts):
    """``people`` of VTJ, of whom most are on the list; all that comes of it is random, and much the same each time.

    ``kept`` is what terminals have shown, and the newest export.
    """

    def __init__(self, people: int, folder: Path, seed: int = 1) -> None:
        self.people, self.folder, self.seed = people, folder, seed
        self.dice, self.words, self.heard = Random(seed), Words(), Heard()
        self.kept: dict[str, str] = {}
        self.happened: Counter[str] = Counter()
        self.runs: list[str] = []
        self._logged = POSTGRES.stat().st_size if POSTGRES.exists() else 0
        self.vtj: Handle
        self.staff: Staff

    @contextmanager
    def begun(self) -> Iterator[Month]:
        """The VTJ runs, the register has its first list and its data."""
        with ExitStack() as stack:
            stack.enter_context(telling(self.words, today()))
            self.vtj = server.start(
                population=self.people, seed=self.seed, unique_streets=True, slow_seconds=0.01, page=20
            )
            stack.callback(self.vtj.stop)
            self.words.whose, self.words.heirs = self._whose, self.vtj._control.world._heirs
            stack.enter_context(line_to(self.vtj, VTJ_COHORT_SIZE=self.people // 3, VTJ_BASIC_DATA_BATCH=40))
            stack.enter_context(override_settings(**self._settings()))
            stack.enter_context(self.heard.listening())
            self.staff = Staff(self.words, hired())
            self.codes = self.vtj.codes()
            self.waiting = self.codes[self.people * 3 // 4 :]
            self._list(self.codes[: self.people * 3 // 4])
            self.run()
            yield self

    def day(self) -> None:
        """One day of VTJ's, and what is done on it here."""
        self.happened["days"] += 1
        self._news()
        self.run(self.dice.choice(["", *crash.ENDS]), fault=self.dice.choice([*SPOILS, "", "", ""]))
        for work in self.dice.sample([self._aino, self._celia, self._daniel, self._bertta, self._others], 5):
            work()
            self.drain()
        self._nightly()

    def end(self) -> None:
        """Everything is in order at last; what is due is erased, and what is given out is given out once more."""
        self.vtj.faults("none")
        for _ in range(3):
            Person.objects.update(ask_not_before=None)
            row = sync("test", wait=0)
        assert (row.state, row.reason) == (SyncRun.State.COMPLETE, ""), row.reason
        self.runs = [f"{state} {reason}".strip() for state, reason in SyncRun.objects.values_list("state", "reason")]
        self._nightly()
        self._ends("celia", "B", 3)
        if self.people >= MANY:
            self._many_end()
        self._erase()
        now, every = moment(self.words), {word: self.words.now(said) for word, said in self.words.of.items()}
        gone = {word for word, said in every.items() if said.owner not in now.known}
        hidden = {word for word, said in every.items() if said.kind == PLACE and said.owner in now.protected}
        self._proof(self.dice.sample(sorted(hidden | gone), DRILL))
        self.export("--include-protected", "--include-former", "--include-unconfirmed", "other")
        for who in ("aino", "celia", "daniel", "bertta", "eeva", "fanni", "nobody"):
            self._walk(who)

    def given_out(self) -> Iterator[tuple[str, str]]:
        """What is outside of the database, by what it is."""
        yield from self.kept.items()
        yield "log, as production writes it", "\n".join(self.heard.lines)
        yield "log, before anything is taken out", "\n".join(self.heard.messages)
        yield "mails", "\n".join(one.message().as_string() + one.body for one in mail.outbox)
        yield "metrics", metrics.text().decode()
        yield "ledger", (self.folder / "ledger.jsonl").read_text()
        if POSTGRES.exists():
            # What PostgreSQL logs of other tests beside has codes in it, and no words.
            told = POSTGRES.read_bytes()[self._logged :].decode("latin-1")
            yield "log of PostgreSQL", CODE.sub("", told)
        for path in self.folder.glob("var/**/*.*"):
            # A byte is a letter: whatever is in it is looked at.
            yield f"kept file {path.name}", path.read_bytes().decode("latin-1")

    def run(self, ends: str = "", fault: str = "") -> None:
        """A run of the sync, by the page and the queue or as a command; perhaps spoilt, perhaps cut off."""
        if fault:
            self.vtj.faults(f"{fault}={self.dice.randint(1, 2)}")
            self.happened["faults"] += 1
        if ends:
            with crash.after(self.dice.randint(1, 1500), crash.ENDS[ends]):
                sync("test", wait=0)
            self.happened["runs cut off"] += 1
        elif self.dice.random() < 0.5:
            self.staff.post("bertta", "sync-now")
            self.drain()
        else:
            self.command("sync")
        self.vtj.faults("none")
        self.staff.post("bertta", "sync-resume")
        let_ask()
        Person.objects.update(ask_not_before=None)

    def command(self, name: str, *arguments: str) -> str:
        """A command at the server's prompt; what the terminal shows is kept."""
        out = io.StringIO()
        with suppress(CommandError, SystemExit):
            try:
                call_command(name, *arguments, stdout=out, stderr=out)
            except CommandError as error:
                out.write(str(error))
                raise
        self.kept[f"terminal of {name}"] = self.kept.get(f"terminal of {name}", "") + out.getvalue()
        return out.getvalue()

    def drain(self) -> None:
        """The workers of the queue, in this process: the same functions, the same table."""
        waiting, done, last = queue.Queue[Any](), queue.Queue[Any](), threading.Event()
        last.set()
        for _ in range(OrmQ.objects.count()):
            pusher(waiting, last)  # type: ignore[arg-type]
            self.happened["tasks"] += 1
        waiting.put("STOP")
        worker(waiting, done, Value("d", -1), timeout=-1)  # type: ignore[arg-type]
        done.put("STOP")
        monitor(done)  # type: ignore[arg-type]

    def export(self, *options: str) -> None:
        """An export, in which nobody stands who must not at this moment."""
        file = self.folder / "register.jsonl"
        now, told = moment(self.words), self.command("export_register", str(file), *options)
        assert told, "not exported"
        text = file.read_text()
        for _, said in self.words.heard(text):
            hidden = said.owner in now.protected and (said.kind == PLACE or "--include-protected" not in options)
            if hidden or said.owner not in now.known:
                self.staff.wrong["command", "export", "somebody who must not be in it", said.kind] += 1
        self.happened["exports"] += 1
        self.kept["newest export"] = text

    # --- what happens

    def _news(self) -> None:
        """VTJ's day: what happens by itself, and more bans and codes than in life."""
        self.vtj.advance(1)
        for kind in (*self.dice.choices(STARTS, k=3), self.dice.choice(ENDS), *self.dice.choices(OTHERS, k=4)):
            self._happen(kind, self._somebody())
        for kind in self.dice.choices(CODES, k=2):
            self._happen(kind, self._somebody())
        self.codes = self.vtj.codes()

    def _happen(self, kind: str, code: str | None) -> None:
        for whose in (code, None):
            with suppress(ValueError):
                self.vtj.happen(kind, whose)
                self.happened[f"{kind.partition('_')[0]}: {kind}"] += 1
                return

    def _many_end(self) -> None:
        """So many at once that the list needs a number, and the erasure a second person."""
        codes = sorted(set(PersonCode.objects.filter(current=True).values_list("hetu", flat=True)))[:MANY]
        told = self._list(codes, ends=True)
        number = re.search(r"(\d+) persons will be erased", told)
        assert number is not None, told
        self._list(codes, "--confirm-ends", number[1], ends=True)
        self._erase()
        self.staff.post("bertta", "erasure-confirm", persons=erasure.due(today() + timedelta(days=1)).persons)

    def _list(self, codes: Sequence[str], *options: str, ends: bool = False) -> str:
        """The organisation's list, with bad lines in it, by the command."""
        lines = [COLUMNS]
        for number, code in enumerate(codes):
            owner = self.words.whose(code)
            assert owner is not None
            for service, unit in (("KOTI", "A"), ("KUNTO", "B")):
                if number % 5 == 4 or (number % 2 == 0) == (unit == "A"):
                    reference = self.words.word(owner, REFERENCE, unit, len(lines), unit=unit)
                    end = (today() - timedelta(days=1)).isoformat() if ends else ""
                    name = self.words.word(NOBODY, "typed", owner) if number % 20 == 7 else ""
                    lines.append(f"{code};{service};2024-01-31;{end};{reference};{name};")
        bad = self.words.word(NOBODY, "typed", "bad line", len(self.kept))
        lines += [f"{codes[0]};{bad};2024-01-31;;;;", f"{bad};KOTI;2024-01-31;;{bad};;", f"{codes[-1]};KOTI;{bad};;;;"]
        lines += [f'{codes[0]};KOTI;"{bad};;;;', f"{codes[0][:-1]}*;KOTI;2024-01-31;;{bad};{bad};{bad}"]
        file = self.folder / "list.csv"
        file.write_text("\n".join(lines))
        told = self.command("import_clients", str(file), *options)
        file.unlink()
        self.happened["lists"] += 1
        return told

    def _whose(self, code: str) -> int | None:
        return self.vtj._control.world._holder(code)

    def _settings(self) -> dict[str, object]:
        return {
            "VTJKYSELY_CLIENT": server.CLIENT,
            "VTJKYSELY_SERVICE": kysely.SERVICE,
            "VTJKYSELY_PRODUCT": next(iter(PRODUCTS)),
            "VTJKYSELY_USERNAME": server.USERNAME,
            "VTJKYSELY_PASSWORD": server.PASSWORD,
            "VTJKYSELY_DEADLINE": 2.0,
            "VTJKYSELY_DAILY_LIMIT": 10_000,
            "VTJ_DEADLINE": 3.0,
            "SEARCHES_A_MINUTE": 100_000,
            "SIGN_IN_ATTEMPTS": 3,
            "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
            "ALARM_EMAILS": ["a@example.fi"],
            "ERASURE_LEDGER": self.folder / "ledger.jsonl",
            "VAR_DIR": self.folder / "var",
        }

    # --- what comes by itself

    def _nightly(self) -> None:
        """What comes by itself: erasures, the comparison, seals, checks, alarms; and lists and exports."""
        self._erase()
        reconcile("schedule", 0.2, wait=0)
        tasks.keep_audit_log()
        self._proof()
        for kind in alarms.Kind:
            alarms.note(kind, is_on=self.dice.random() < 0.3)
        tasks.watch()
        self.export(*self.dice.choice([(), ("--include-protected",), ("--include-former",)]))
        if self.happened["days"] % 3 == 1 and len(self.waiting) > 4:
            self._list([self.waiting.pop(), self.waiting.pop()])
            self._list([code for code in {self._somebody("A"), self._somebody("B")} if code], ends=True)
        self.command("check_vtj")

    def _proof(self, strings: Sequence[str] = ()) -> None:
        """What the program's own proof finds (domain.md E40) is found too."""
        for one in protection.run(Access(None, "nightly check"), strings).findings:
            self.staff.wrong["the proof", one.where, one.what, ""] += one.count

    def _erase(self) -> None:
        """The due run of tomorrow: what ended today is erased. ANALYZE was at work before, as it may at any time."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        gone = erasure.run(Access(None, "VTJ synchronisation"), today() + timedelta(days=1))
        self.happened["persons erased"] += gone.persons
        self.happened["erasures held"] += bool(gone.held)
