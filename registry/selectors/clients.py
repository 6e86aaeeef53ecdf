"""The list of clients and its search: only who may be seen, in Finnish order, fifty at a time (domain.md H52, E38).

Pages go on from a person, never from a name: the random id of the last row may stand in an address (domain.md G49).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import get_language

from registry import codes, ports
from registry.clock import today
from registry.hetu import Hetu, masked
from registry.models import Person, PersonCode, Problem, ProblemKind
from registry.names import name_key
from registry.policies import SEE_CLIENTS, Access, awaited, clientships, persons
from registry.record import Group
from registry.selectors.place import granted_groups, granted_places, permit_on, place_of
from registry.selectors.signs import Sign, signs_of
from registry.services import audit
from registry.services import codes as person_codes
from registry.services.audit import Action
from registry.sql import ids

PAGE: Final = 50
_WORD: Final = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One client in a list. ``name`` and ``municipality`` are empty where they may not be shown or have not come;
    ``code`` is the masked identity code (domain.md H54)."""

    subject: UUID
    name: str
    code: str
    services: tuple[str, ...]
    municipality: str
    signs: tuple[Sign, ...]

    @property
    def unconfirmed(self) -> bool:
        """Whether the municipality is left out of prints (domain.md E41)."""
        return Sign.UNCONFIRMED in self.signs


@dataclass(frozen=True, slots=True)
class AwaitedRow:
    """Somebody who was added and of whom VTJ has not told: nothing but what was typed (domain.md E38)."""

    subject: UUID
    service: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A page of clients. ``awaited`` are those that were added and of whom VTJ has not told yet, on the first page of
    all. ``before`` and ``after`` are where the pages around it begin, None at the ends."""

    rows: tuple[ClientRow, ...] = ()
    awaited: tuple[AwaitedRow, ...] = ()
    before: UUID | None = None
    after: UUID | None = None


def listed(access: Access, *, after: UUID | None = None, before: UUID | None = None) -> Page:
    """A page of the clients that may be seen. Audited as one event. Raises PermissionDenied."""
    access.require(SEE_CLIENTS)
    waiting = () if after or before else _awaited(access)
    return _page(access, persons(access), after, before, Action.LIST, waiting=waiting)


def deceased(access: Access, *, after: UUID | None = None, before: UUID | None = None) -> Page:
    """A page of the clients who have died and whose clientship nobody has ended: a death ends none, it is for staff
    (domain.md A5). Audited as one event. Raises PermissionDenied."""
    access.require(SEE_CLIENTS)
    unended = Exists(clientships(access).filter(person=OuterRef("pk"), end=None).order_by())
    found = _certain(Person.objects.filter(unended, deceased=True))
    told = Group.DEATH in granted_groups(permit_on(today()))
    return _page(access, found if told else found.none(), after, before, Action.LIST)


def named(access: Access, words: str, *, after: UUID | None = None, before: UUID | None = None) -> Page:
    """Clients of whose name every one of the words begins some part. Audited. Raises PermissionDenied."""
    access.require(SEE_CLIENTS)
    parts = _WORD.findall(name_key(words)) if Group.NAME in granted_groups(permit_on(today())) else []
    found = _named(persons(access), parts) if parts else Person.objects.none()
    return _page(access, found, after, before, Action.SEARCH)


def coded(access: Access, code: Hetu) -> Page:
    """The client with this identity code, current or former, and it is not told which (domain.md D31). Audited."""
    access.require(SEE_CLIENTS)
    of_code = Exists(PersonCode.objects.filter(hetu=code, person=OuterRef("pk")))
    return _page(access, persons(access).filter(of_code), None, None, Action.SEARCH)


def _named(rows: QuerySet[Person], parts: Sequence[str]) -> QuerySet[Person]:
    rows = _certain(rows)
    if all(len(part) == 1 for part in parts):
        # So many match a letter that walking the list in its order finds a page sooner than the index of words does.
        for part in parts:
            rows = rows.filter(name_key__regex=r"\mz(?!z[123])" if part == "z" else rf"\m{part}")
        return rows
    # The expression of the index person_by_name_part, word for word.
    query = SearchQuery(" & ".join(map(_beginning, parts)), config="simple", search_type="raw")
    return rows.annotate(parts=SearchVector("name_key", config="simple")).filter(parts=query)


def _certain(rows: QuerySet[Person]) -> QuerySet[Person]:
    """Nobody is found by what may be somebody else's (outside.md, Import file)."""
    doubted = Problem.objects.filter(person=OuterRef("pk"), kind=ProblemKind.NAME_MISMATCH, closed_at=None)
    return rows.filter(~Exists(doubted))


def _beginning(part: str) -> str:
    """The words that begin with this, for ``to_tsquery``. The key of å, ä and ö begins with z (``registry.names``), and
    a z that was typed is not their beginning."""
    if not part.endswith("z"):
        return f"{part}:*"
    words = [f"{part}{more}{letter}:*" for more in ("", "z") for letter in "abcdefghijklmnopqrstuvwxy"]
    return f"({' | '.join([part, *words])})"


def _awaited(access: Access) -> tuple[AwaitedRow, ...]:
    rows = awaited(access).select_related("person", "service").distinct().order_by("-awaits_since", "-pk")
    return tuple(
        AwaitedRow(one.person.subject, one.service.name, one.awaits_since) for one in rows[:PAGE] if one.awaits_since
    )


def _page(
    access: Access,
    rows: QuerySet[Person],
    after: UUID | None,
    before: UUID | None,
    action: Action,
    *,
    waiting: tuple[AwaitedRow, ...] = (),
) -> Page:
    found, forward = _slice(access, rows, after, before)
    more = len(found) > PAGE
    found = found[:PAGE] if forward else found[-PAGE:]
    shown = _rows(access, found)
    audit.record(
        access, action, subjects=dict.fromkeys([*(row.subject for row in shown), *(row.subject for row in waiting)])
    )
    if not found:
        return Page(awaited=waiting)
    at_start, at_end = (after is None, not more) if forward else (not more, False)
    return Page(shown, waiting, None if at_start else found[0].subject, None if at_end else found[-1].subject)


def _slice(
    access: Access, rows: QuerySet[Person], after: UUID | None, before: UUID | None
) -> tuple[list[Person], bool]:
    """A page and one more, in order, and whether the one more is at its end."""
    wanted = before or after
    # Only from somebody who may be seen: else the page that follows would tell where the name of a person stands.
    turn = persons(access).filter(subject=wanted).only("name_key").first() if wanted else None
    # The first condition alone bounds the range of the index; the second one settles namesakes.
    if turn and before:
        rows = rows.filter(Q(name_key__lt=turn.name_key) | Q(pk__lt=turn.pk), name_key__lte=turn.name_key)
        return list(rows.order_by("-name_key", "-pk")[: PAGE + 1])[::-1], False
    if turn:
        rows = rows.filter(Q(name_key__gt=turn.name_key) | Q(pk__gt=turn.pk), name_key__gte=turn.name_key)
    return list(rows.order_by("name_key", "pk")[: PAGE + 1]), True


def _rows(access: Access, found: Sequence[Person]) -> tuple[ClientRow, ...]:
    wanted = [person.pk for person in found]
    services, problems = _services(access, wanted), _problems(wanted)
    confirmed, permit, now = ports.source().confirmed_at(wanted), permit_on(today()), datetime.now(UTC)
    current = person_codes.current(wanted)
    language, granted, places = get_language() or "fi", granted_groups(permit), granted_places(permit)
    rows = []
    for person in found:
        kinds = problems[person.pk]
        mismatch = ProblemKind.NAME_MISMATCH in kinds
        place = place_of(person, permit=permit, mismatch=mismatch, confirmed=confirmed.get(person.pk), now=now)
        code = person.municipality_code if place.visible and Group.MUNICIPALITY in places else None
        rows.append(
            ClientRow(
                subject=person.subject,
                name="" if mismatch or Group.NAME not in granted else list_name(person),
                code=masked(current[person.pk]) if person.pk in current else "",
                services=tuple(services[person.pk]),
                municipality=(codes.municipality_name(code, language) or code) if code else "",
                signs=signs_of(person, place, kinds, granted),
            )
        )
    return tuple(rows)


def list_name(person: Person) -> str:
    """``Virtanen, Aino Maria``: the family name first, as the list is sorted."""
    return ", ".join(filter(None, (person.last_name, person.first_names)))


def _services(access: Access, wanted: Sequence[int]) -> dict[int, list[str]]:
    """The services of the clientships that may be seen and have not ended, by person."""
    rows = clientships(access).filter(Q(end=None) | Q(end__gte=today()), person__in=ids(wanted))
    found: dict[int, list[str]] = defaultdict(list)
    for one in rows.select_related("service").distinct().order_by("service__name_fi", "pk"):
        if one.service.name not in found[one.person_id]:
            found[one.person_id].append(one.service.name)
    return found


def _problems(wanted: Sequence[int]) -> dict[int, set[str]]:
    """The kinds of the open problems, by person."""
    found: dict[int, set[str]] = defaultdict(set)
    for person, kind in Problem.objects.filter(person__in=ids(wanted), closed_at=None).values_list("person", "kind"):
        found[person].add(kind)
    return found
