"""What the cast do in the month: what their work is, and what they only try."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Final

from django.db.models import Count

from registry.clock import today
from registry.models import Clientship, Person, PersonCode, Problem, Service
from registry.services import erasure
from tests.hunt.staff import Staff
from tests.hunt.words import CONTACT, NOBODY, NOTE, REFERENCE, Words
from vtjsync.models import SyncRun
from vtjsync.simulator.faults import FAULTS, LOOK_UPS
from vtjsync.simulator.server import Handle

LOOK_UP_FAULTS: Final = sorted(name for name, calls in FAULTS.items() if calls & LOOK_UPS and name != "slow")
PAGES: Final = (
    *("start", "clients", "client-deceased", "client-add", "problems", "openings"),
    *("sync-history", "sync-connection", "erasures", "audit-log"),
)


class Acts:
    """One day of each; whose turn it is says the month."""

    people: int
    dice: Random
    words: Words
    staff: Staff
    vtj: Handle
    waiting: list[str]
    happened: Counter[str]

    def drain(self) -> None:
        """The workers of the queue."""
        raise NotImplementedError

    def _somebody(self, unit: str = "", **more: object) -> str | None:
        """The code of somebody of the register, of the unit's."""
        rows = PersonCode.objects.filter(current=True, **more)
        if unit:
            rows = rows.filter(person__clientships__service__unit__code=unit, person__clientships__end=None)
        codes = sorted(set(rows.values_list("hetu", flat=True)))
        return self.dice.choice(codes) if codes else None

    def _subject(self, code: str | None) -> object:
        return PersonCode.objects.filter(hetu=code).values_list("person__subject", flat=True).first()

    def _typed(self, *key: object) -> str:
        return self.words.word(NOBODY, "typed", self.happened["days"], *key)

    def _walk(self, who: str) -> None:
        """What everybody tries: every list, and the pages of some persons, of any unit."""
        for page in self.dice.sample(PAGES, 4):
            self.staff.get(who, page)
        for code in {self._somebody(), self._somebody(person__protected=True)}:
            if subject := self._subject(code):
                self.staff.get(who, "client", subject)
                self.staff.post(who, self.dice.choice(["client-code", "client-print"]), subject, why="OTHER")
                self.staff.post(who, "client-search", q=code)
        if numbers := Problem.objects.order_by("pk").values_list("pk", flat=True):
            self.staff.get(who, "problem", self.dice.choice(numbers))
        names = Person.objects.exclude(last_name=None).order_by("pk").values_list("last_name", flat=True)
        if names:
            self.staff.post(who, "client-search", q=self.dice.choice(names)[:8])

    def _aino(self) -> None:
        self._walk("aino")
        service = Service.objects.get(code="KOTI")
        for code in (self.waiting.pop() if self.waiting else None, self._somebody("B"), self._new_code()):
            if code is None or (owner := self.words.whose(code)) is None:
                continue
            reference = self.words.word(owner, REFERENCE, "by hand", self.happened["days"], unit="A")
            self.vtj.faults(f"{self.dice.choice(LOOK_UP_FAULTS)}=1")
            self.staff.post("aino", "client-look-up", hetu=code, reason="DECISION")
            self.staff.post("aino", "client-look-up", hetu=code, reason="DECISION")
            self.staff.post("bertta", "sync-resume-look-ups")
            self.vtj.faults("none")
            told = {"hetu": code, "service": service.pk, "start": "1.2.2026", "reference": reference}
            self.staff.post("aino", "client-add", **told)
            subject = self._subject(code)
            self.drain()
            self.staff.get("aino", "client-check", subject)
            if self.dice.random() < 0.4:
                self.staff.post("aino", "client-mistaken", subject)
            self.happened["added by hand"] += 1
        self._ends("aino", "A", 2)
        for number in self._problems("A"):
            acts = ("problem-ask", "problem-name", "problem-right", "problem-wrong")
            self.staff.post("aino", self.dice.choice(acts), number)
            person = Problem.objects.filter(pk=number).values_list("person__codes__hetu", flat=True).first()
            owner = self.words.whose(person) if person else None
            if owner is not None:
                self.staff.post("aino", "problem-aside", number, note=self.words.word(owner, NOTE, "aside", number))

    def _celia(self) -> None:
        self._walk("celia")
        self._ends("celia", "B", 2)
        self.staff.post("celia", "client-look-up", hetu=self._somebody("A") or "", reason="UNCLEAR")

    def _daniel(self) -> None:
        self._walk("daniel")
        for _ in range(2):
            code = self._somebody("A", person__protected=True)
            if (subject := self._subject(code)) is None:
                continue
            owner = self.words.whose(str(code))
            assert owner is not None
            note = self.words.word(owner, NOTE, "opened", self.happened["days"])
            self.staff.post("daniel", "client-open", subject, reason="OTHER", note=note)
            self.staff.get("daniel", "client", subject)
            fields = {name: self.words.word(owner, CONTACT, name) for name in ("care_of", "lines", "town")}
            self.staff.post("daniel", "contact-address", subject, **fields, confirmed="on")
            for number in self._problems("A", person__protected=True):
                self.staff.post("daniel", "problem-take-over", number)
        for row in Problem.objects.filter(kind="TWO_ENTRIES", closed_at=None).select_related("person", "other")[:2]:
            both = (row.person.subject, row.other.subject) if row.other else ()
            self.staff.get("daniel", "pair", *both)
            page = self.staff.get("daniel", "pair-merge", *both).content.decode()
            token = page.partition('name="confirm" value="')[2].partition('"')[0]
            led = self.staff.post("daniel", "pair-merge", *both, confirm=token)
            self.happened["merged"] += led.request["PATH_INFO"].startswith("/clients/")  # type: ignore[attr-defined]

    def _bertta(self) -> None:
        self._walk("bertta")
        newest = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first()
        self.staff.get("bertta", "sync-run", newest)
        self.staff.post("bertta", "sync-connection-now")
        self.staff.post("bertta", "erasure-confirm", persons=erasure.due(today() + timedelta(days=1)).persons)
        self.staff.post("bertta", self.dice.choice(["sync-brake-ask", "sync-brake-release", "sync-pause-end"]))

    def _others(self) -> None:
        for who in ("eeva", "fanni", "nobody"):
            self._walk(who)
        self.staff.post("eeva", "audit-log-inquiry", hetu=self._somebody() or "")
        self.staff.post("nobody", "sign-in", username=self._typed("user"), password=self._typed("password"))
        self.staff.post("nobody", "sign-in", username=self._somebody() or "", password="x")

    def _ends(self, who: str, unit: str, several: int) -> None:
        """Clientships that end, most of them yesterday; one of the ends is taken back."""
        rows = Clientship.objects.filter(service__unit__code=unit, end=None).annotate(
            others=Count("person__clientships")
        )
        for number in rows.order_by("others", "-pk").values_list("pk", flat=True)[:several]:
            day = (today() - timedelta(days=1)).isoformat()
            told = {"end": day, "reason": "OWN_REQUEST"}
            self.staff.post(who, "clientship-end", number, **told)
            self.staff.post(who, "clientship-end", number, **told, confirm=day)
            if self.dice.random() < 0.2:
                self.staff.post(who, "clientship-take-back", number)
            self.happened["ends"] += 1

    def _problems(self, unit: str, **more: object) -> list[int]:
        rows = Problem.objects.filter(closed_at=None, person__clientships__service__unit__code=unit, **more)
        return list(rows.order_by("pk").values_list("pk", flat=True).distinct()[:2])

    def _new_code(self) -> str:
        """A code that VTJ does not know yet, or any more."""
        return self.vtj._control.world.population.code(self.people + self.dice.randint(1, 10**6))
