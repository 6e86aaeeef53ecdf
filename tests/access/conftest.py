"""What the access matrix is about: a client in each unit, two under a ban, and one of everything that has a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from registry.clock import today
from registry.models import Clientship, ImportJob, LogExtract, Person, Problem, Requester, Service, User
from tests.factories import ClientshipFactory, PersonFactory, UserFactory, emergency, opened, pair
from vtjsync.models import Cohort, SyncRun

# An id that nothing has.
NOBODY = "00000000-0000-4000-8000-000000000000"
NUMBER = 999_999_999


@dataclass(frozen=True)
class Things:
    """What the addresses can be about, by the letter of the table: A and B of the units, P protected in unit A,
    and O likewise, whom Daniel has opened for a reason. The list is Daniel's."""

    of: dict[str, Clientship]
    run: int
    cohort: int
    list: int

    def address(self, page: str, about: str) -> str:
        """The page's address; ``about`` is ``-`` where there is nothing to name, ``0`` names what there is not."""
        if about == "-":
            return reverse(page)
        return reverse(page, args=self._ids(page, about))

    def _ids(self, page: str, about: str) -> list[object]:
        nothing = about == "0"
        if page.startswith("sync-cursor"):
            return [NUMBER if nothing else self.cohort]
        if page.startswith("sync-"):
            return [NUMBER if nothing else self.run]
        if page.startswith("import"):
            return [NUMBER if nothing else self.list]
        for beginning, numbered in NUMBERED.items():
            if page.startswith(beginning):
                return [NUMBER if nothing else numbered(self.of[about]).pk]
        if page.startswith("pair"):
            return [NOBODY, NOBODY] if nothing else [one.person.subject for one in twins(self.of[about].person)]
        return [NOBODY if nothing else self.of[about].person.subject]


def problem(person: Person) -> Problem:
    """The person's problem, that is there from the first question on."""
    found, _ = Problem.objects.get_or_create(person=person, kind="NOT_FOUND")
    return found


def extract(person: Person) -> LogExtract:
    """An extract of the log that somebody has begun for the person."""
    found = LogExtract.objects.filter(subjects=[person.subject]).first()
    told = {"requester": Requester.CLIENT, "reference": "7/2026", "since": today(), "until": today(), "last_event": 0}
    return found or LogExtract.objects.create(subjects=[person.subject], **told)


def twins(person: Person) -> list[Problem]:
    """The two sides of the pair of the person and another entry that nobody has a clientship of."""
    sides = list(Problem.objects.filter(kind="TWO_ENTRIES", person=person)[:1])
    return [sides[0], sides[0]] if sides else list(pair(person, PersonFactory.create(protected=person.protected)))


# The pages whose address is a number, and what it is of.
NUMBERED: dict[str, Callable[[Clientship], Model]] = {
    "clientship-": lambda one: one,
    "problem": lambda one: problem(one.person),
    "emergency-end": lambda one: emergency(UserFactory.create(), one.person),
    "log-extract": lambda one: extract(one.person),
}


@pytest.fixture
def things(service_a: Service, service_b: Service, daniel: User) -> Things:
    seen = ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True))
    opened(daniel, seen.person)
    return Things(
        of={
            "A": ClientshipFactory.create(service=service_a, person=PersonFactory.create(home=True)),
            "P": ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True)),
            "O": seen,
            "B": ClientshipFactory.create(service=service_b, person=PersonFactory.create(home=True)),
        },
        run=SyncRun.objects.create(started_by="command", owner="h:1:1").pk,
        cohort=Cohort.objects.create(cursor=1, cursor_at=timezone.now()).pk,
        list=ImportJob.objects.create(user=daniel, state="CHECKED", file_lines=2).pk,
    )
