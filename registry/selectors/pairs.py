"""Two entries of one person, side by side, and what merging them will do (domain.md D30, D31, E38).

Of each side it is shown what tells whether they are the same; where somebody lives only as same or different. Both are
seen by whoever may merge them, and of the clientships those that may be seen anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from django.utils.translation import gettext as _

from registry import policies, ports
from registry.clock import today
from registry.hetu import masked
from registry.models import Clientship, DataPermit, Person, PersonStatus, Problem, ProblemKind
from registry.policies import HANDLE_PROTECTED, MERGE_PERSONS, Access
from registry.record import Group, PersonRecord
from registry.selectors import wording
from registry.selectors.place import Place, granted_groups, granted_places, permit_on, place_of
from registry.selectors.signs import Sign, signs_of
from registry.services import audit, merging, openings, vtj_data
from registry.services import codes as person_codes
from registry.services.audit import Action
from registry.services.joining import Joined
from registry.services.merging import Plan
from registry.sql import ids


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. ``known`` is false while its name is in doubt: then nothing that VTJ says is here. ``linked``:
    its page may be seen. ``hidden`` counts the clientships of other units."""

    subject: UUID
    name: str
    code: str
    known: bool
    linked: bool
    status: str
    confirmed: datetime | None
    place: Place
    signs: tuple[Sign, ...]
    clientships: tuple[Clientship, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of both, in words, and whether it differs; ``shared`` is said of both together."""

    label: str
    stays: str = ""
    goes: str = ""
    shared: str = ""
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """The two entries. ``certain``: VTJ said which code is the active one, and so which entry stays."""

    stays: Side
    goes: Side
    lines: tuple[Line, ...]
    certain: bool
    protected: bool
    opened_at: datetime
    reported_on: date | None
    reported_by: str

    @property
    def doubted(self) -> bool:
        """Whether the name of one of them has to be decided first."""
        return not (self.stays.known and self.goes.known)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge will do: clientships that move and that become one, as far as they may be seen, and how many of
    other units do. ``token`` stands for it."""

    token: str
    moved: tuple[Clientship, ...]
    joined: tuple[Joined, ...]
    moved_hidden: int
    joined_hidden: int
    changes: int


def side_by_side(access: Access, one: UUID, other: UUID) -> Pair | None:
    """Both entries. None for two that are no pair, or not one that may be seen. Audited. Raises PermissionDenied
    and ReasonNeeded."""
    access.require(MERGE_PERSONS)
    problem = merging.found(access, one, other)
    if problem is None:
        return None
    stays, goes = merging.sides(problem)
    held = vtj_data.read([stays.pk, goes.pk])
    # Merged or erased, or under a ban, since the first of the two statements.
    banned = any(person.record.protected for person in held.values())
    if len(held) < 2 or (banned and not access.may(HANDLE_PROTECTED)):
        return None
    if banned:
        # A reason for the one that stays opens the pair.
        openings.require(access, stays)
    audit.record(access, Action.VIEW_PAIR, subjects=[one, other])
    permit = permit_on(today())
    one_told, other_told = (held[person.pk].record.with_values_of(granted_groups(permit)) for person in (stays, goes))
    first, second = _sides(access, {stays: one_told, goes: other_told}, permit)
    visible = granted_places(permit) if first.place.visible and second.place.visible else frozenset()
    return Pair(
        stays=first,
        goes=second,
        lines=_lines(one_told, other_told, visible) if first.known and second.known else (),
        certain=problem.survives is not None,
        protected=banned,
        opened_at=problem.opened_at,
        reported_on=problem.reported_on,
        reported_by=str(problem.reported_by.get_full_name() or problem.reported_by) if problem.reported_by else "",
    )


def preview(access: Access, plan: Plan) -> Preview:
    """The plan as far as the user may see it."""
    touched = [*plan.moved, *(row for one in plan.joined for row in one.rows)]
    rows = policies.clientships(access).filter(pk__in=ids(one.pk for one in touched))
    seen = set(rows.values_list("pk", flat=True))
    moved = tuple(one for one in plan.moved if one.pk in seen)
    joined = tuple(one for one in plan.joined if seen.issuperset(row.pk for row in one.rows))
    return Preview(
        token=plan.token,
        moved=moved,
        joined=joined,
        moved_hidden=len(plan.moved) - len(moved),
        joined_hidden=len(plan.joined) - len(joined),
        changes=plan.changes,
    )


def _sides(access: Access, both: Mapping[Person, PersonRecord], permit: DataPermit | None) -> list[Side]:
    wanted = [person.pk for person in both]
    confirmed, codes = ports.source().confirmed_at(wanted), person_codes.current(wanted)
    kinds = list(Problem.objects.filter(person__in=ids(wanted), closed_at=None).values_list("person", "kind"))
    visible = set(policies.persons(access).filter(pk__in=ids(wanted)).values_list("pk", flat=True))
    mine = policies.clientships(access).filter(person__in=ids(wanted)).distinct().select_related("service", "provider")
    every = list(Clientship.objects.filter(person__in=ids(wanted)).values_list("person", flat=True))
    shown = list(mine.order_by("-start", "-pk"))
    now = datetime.now(UTC)

    def side(person: Person, record: PersonRecord) -> Side:
        own = {kind for owner, kind in kinds if owner == person.pk}
        doubted = ProblemKind.NAME_MISMATCH in own
        at = confirmed.get(person.pk)
        place = place_of(person, permit=permit, mismatch=doubted, confirmed=at, now=now)
        clientships = tuple(one for one in shown if one.person_id == person.pk)
        return Side(
            subject=person.subject,
            name="" if doubted else " ".join(filter(None, (record.first_names, record.last_name))),
            code=masked(codes[person.pk]) if person.pk in codes else "",
            known=not doubted,
            linked=person.pk in visible,
            status=str(PersonStatus(person.status).label),
            confirmed=at,
            place=place,
            signs=signs_of(person, place, own - {ProblemKind.TWO_ENTRIES}, granted_groups(permit)),
            clientships=clientships,
            hidden=every.count(person.pk) - len(clientships),
        )

    return [side(person, record) for person, record in both.items()]


def _lines(one: PersonRecord, other: PersonRecord, visible: Collection[Group]) -> tuple[Line, ...]:
    names = ("last_name", "first_names", "language", "deceased", "protected")
    told = zip(names, _told(one), _told(other), strict=True)
    lines = [Line(str(wording.FIELDS[name]), first, second, differs=first != second) for name, first, second in told]
    for name, group in (("home", Group.HOME), ("municipality", Group.MUNICIPALITY)):
        # Whether they live at the same place, and never where (domain.md E38).
        differs = group in visible and getattr(one, name) != getattr(other, name)
        shared = _("Not the same") if differs else _("The same") if group in visible else _("Not shown")
        lines.append(Line(str(wording.FIELDS[name]), shared=shared, differs=differs))
    return tuple(lines)


def _told(record: PersonRecord) -> tuple[str, ...]:
    return (
        record.last_name or "",
        record.first_names or "",
        wording.language_name(record.language_code, record.language_name),
        str(record.death_date or _("Yes")) if record.deceased else "",
        _("Yes") if record.protected else "",
    )
