"""What needs attention: the list, its numbers, and one problem (domain.md A4, H52).

Administrators see kind, age and attempts of every problem and no person; the others those of the clients they may see.
Each of these that shows a person writes its audit event before it returns (domain.md G46).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet

from registry import policies, ports
from registry.clock import helsinki_day, today
from registry.hetu import masked
from registry.models import Clientship, Person, Problem, ProblemKind
from registry.policies import MANAGE_CLIENTSHIPS, SEE_CLIENTS, SEE_PROBLEMS, Access
from registry.problem_kinds import KINDS, About
from registry.record import Group
from registry.selectors.clients import list_name
from registry.selectors.place import granted_groups, permit_on
from registry.services import audit, openings
from registry.services import codes as person_codes
from registry.services.audit import Action
from registry.sql import ids

PAGE: Final = 50
# More than this in the navigation helps nobody.
COUNTED: Final = 99
_ASIDE: Final = Q(handled_at__isnull=False) | Q(reported_on__isnull=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """The person of a problem, for those who may know: ``name`` is empty where it may not be shown or has not come."""

    subject: UUID
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One problem. ``person`` is None for those who may not know it, and so is ``next_at``, when VTJ is asked next.
    ``unit`` is whose handlers are to take the person over, for those who may know the person.
    ``unattended``: nobody sees the hand-over who could take the person over; told to administrators (domain.md E38)."""

    number: int
    kind: str
    label: str
    opened_at: datetime
    attempts: int
    person: Shown | None
    next_at: datetime | None
    unit: str = ""
    unattended: bool = False

    @property
    def asks(self) -> bool:
        """Whether VTJ's answer may settle it."""
        return KINDS[ProblemKind(self.kind)].asks

    @property
    def days(self) -> int:
        """How many Helsinki days ago it was found."""
        return (today() - helsinki_day(self.opened_at)).days

    @property
    def due(self) -> bool:
        """Whether the next run will ask."""
        return self.next_at is not None and self.next_at <= datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class KindCount:
    """A kind of which there are problems, and how many."""

    kind: str
    label: str
    count: int
    about: About


@dataclass(frozen=True, slots=True)
class Page:
    """A page, the oldest first. ``about`` is of the chosen kind; ``after`` is where the next page begins; ``total`` and
    ``aside`` count those that wait and those that are set aside, of every kind. ``unattended``: there is a hand-over
    that nobody sees who could take the person over."""

    rows: tuple[ProblemRow, ...]
    counts: tuple[KindCount, ...]
    about: About | None
    after: int | None
    total: int
    aside: int
    persons: bool
    unattended: bool = False


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """One open problem with what to do about it. ``clientships`` are those that may be seen, the newest first;
    ``newest`` are the numbers of those that were entered last."""

    row: ProblemRow
    about: About
    client: Shown
    other: UUID | None
    reported_on: date | None
    handled_at: datetime | None
    handled_by: str
    note: str
    clientships: tuple[Clientship, ...]
    newest: frozenset[int]
    may_act: bool


def listed(access: Access, *, kind: str = "", aside: bool = False, after: int = 0) -> Page:
    """A page of the open problems that wait, or of those ``aside`` that were handled or reported. A ``kind`` that there
    is not is none. Audited. Raises PermissionDenied."""
    rows = _open(access)
    chosen = ProblemKind(kind) if kind in ProblemKind.values else None
    state = rows.filter(_ASIDE if aside else ~_ASIDE)
    numbers = dict(state.order_by().values_list("kind").annotate(Count("pk")))
    wanted = (state.filter(kind=chosen) if chosen else state).filter(pk__gt=after).select_related("unit")
    found = list(wanted.order_by("pk")[: PAGE + 1])
    shown = _rows(access, found[:PAGE])
    audit.record(access, Action.VIEW_PROBLEMS, subjects={row.person.subject for row in shown if row.person})
    other = rows.filter(~_ASIDE if aside else _ASIDE).count()
    total = sum(numbers.values())
    return Page(
        rows=shown,
        counts=tuple(KindCount(one, str(one.label), numbers[one], KINDS[one]) for one in ProblemKind if one in numbers),
        about=KINDS[chosen] if chosen else None,
        after=found[PAGE - 1].pk if len(found) > PAGE else None,
        total=other if aside else total,
        aside=total if aside else other,
        persons=access.may(SEE_CLIENTS),
        unattended=bool(count_unattended(access)),
    )


def count_own(access: Access) -> int:
    """How many problems of one's own clients wait, up to one more than :data:`COUNTED`. Shows nobody: no event."""
    return policies.problems(access).filter(~_ASIDE, closed_at=None)[: COUNTED + 1].count()


def count_unattended(access: Access) -> int:
    """How many hand-overs nobody sees who could take the person over: for an administrator. Shows nobody: no event."""
    return policies.unattended()[: COUNTED + 1].count() if access.may(SEE_PROBLEMS) else 0


def problem(access: Access, number: int) -> ProblemPage | None:
    """One open problem of a client that may be seen. Audited. Raises PermissionDenied and ReasonNeeded."""
    access.require(SEE_CLIENTS)
    rows = policies.problems(access).select_related("person", "other", "unit", "handled_by")
    one = rows.filter(pk=number, closed_at=None).first()
    if one is None:
        return None
    if one.person.protected:
        openings.require(access, one.person)
    audit.record(access, Action.VIEW, subjects=[one.person.subject], details={"problem": one.kind})
    (row,) = _rows(access, [one])
    clientships = _clientships(access, one.person)
    last = max((each.created_at for each in clientships if each.created_at <= one.opened_at), default=None)
    assert row.person is not None  # noqa: S101 - the policy has just said so
    return ProblemPage(
        row=row,
        about=KINDS[ProblemKind(one.kind)],
        client=row.person,
        other=one.other.subject if one.other and policies.pairs(access).filter(pk=one.pk).exists() else None,
        reported_on=one.reported_on,
        handled_at=one.handled_at,
        handled_by=str(one.handled_by.get_full_name() or one.handled_by) if one.handled_by else "",
        note=one.note,
        clientships=clientships,
        newest=frozenset(each.pk for each in clientships if each.created_at == last),
        may_act=access.may(MANAGE_CLIENTSHIPS),
    )


def row(access: Access, number: int) -> Problem | None:
    """The row itself, for a service; None for one that may not be seen. Raises PermissionDenied."""
    access.require(SEE_CLIENTS)
    return policies.problems(access).filter(pk=number).first()


def _open(access: Access) -> QuerySet[Problem]:
    if access.may(SEE_PROBLEMS):
        return Problem.objects.filter(closed_at=None)
    if access.may(SEE_CLIENTS):
        return policies.problems(access).filter(closed_at=None)
    raise PermissionDenied


def _rows(access: Access, found: Sequence[Problem]) -> tuple[ProblemRow, ...]:
    seen = policies.persons(access).filter(pk__in=ids(one.person_id for one in found))
    persons = {person.pk: person for person in seen}
    told = Group.NAME in granted_groups(permit_on(today()))
    hidden, current = _doubted(persons) if told else set(persons), person_codes.current(persons)
    next_at = ports.source().next_ask_at(list(persons)) if persons else {}
    unattended: set[int] = set()
    if access.may(SEE_PROBLEMS):
        of_page = policies.unattended().filter(pk__in=ids(one.pk for one in found))
        unattended = set(of_page.values_list("pk", flat=True))
    rows = []
    for one in found:
        person, kind = persons.get(one.person_id), ProblemKind(one.kind)
        shown = None
        if person is not None:
            name = "" if person.pk in hidden else list_name(person)
            shown = Shown(person.subject, name, masked(current[person.pk]) if person.pk in current else "")
        rows.append(
            ProblemRow(
                number=one.pk,
                kind=kind,
                label=str(kind.label),
                opened_at=one.opened_at,
                attempts=one.attempts,
                person=shown,
                next_at=next_at.get(one.person_id) if KINDS[kind].asks else None,
                unit=one.unit.name if one.unit and person is not None else "",
                unattended=one.pk in unattended,
            )
        )
    return tuple(rows)


def _doubted(persons: Collection[int]) -> set[int]:
    rows = Problem.objects.filter(person__in=ids(persons), kind=ProblemKind.NAME_MISMATCH, closed_at=None)
    return set(rows.values_list("person", flat=True))


def _clientships(access: Access, person: Person) -> tuple[Clientship, ...]:
    rows = policies.clientships(access).filter(person=person).select_related("service", "provider").distinct()
    return tuple(rows.order_by("-start", "-pk"))
