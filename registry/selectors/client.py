"""One client's page: what VTJ says as far as it may be shown, the clientships that may be seen, and what changed.

Each of these writes its audit event before it returns (domain.md G46). Nobody and somebody who may not be seen are the
same answer: None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from registry import policies, ports
from registry.clock import helsinki_day, today
from registry.hetu import Hetu, masked
from registry.history import FIELDS_OF
from registry.models import AppliedChange, Clientship, Person, PersonCode, Problem, ProblemKind
from registry.policies import (
    HANDLE_PROTECTED,
    KEEP_CONTACT_ADDRESS,
    MANAGE_CLIENTSHIPS,
    SEE_CLIENTS,
    SEE_FORMER,
    Access,
    clientships,
    locked,
    persons,
)
from registry.problem_kinds import KINDS
from registry.record import LOCATION_GROUPS, Group, PersonRecord
from registry.selectors import contacts, wording
from registry.selectors.contacts import Contact
from registry.selectors.place import Override, Place, granted_groups, granted_places, permit_on, place_of
from registry.selectors.signs import Sign, signs_of
from registry.services import audit, erasure, openings, vtj_data
from registry.services.audit import Action

CHANGES_SHOWN: Final = 50
NAME_FIELDS: Final = ("first_names", "last_name")


@dataclass(frozen=True, slots=True)
class Address:
    """One address in lines, and since when it holds."""

    lines: tuple[str, ...]
    since: str


@dataclass(frozen=True, slots=True)
class ClientshipRow:
    """A clientship that may be seen. ``open`` holds today; ``erased_on`` is when it goes, if it has an end."""

    row: Clientship
    open: bool
    coming: bool
    erased_on: date | None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change in words. Where a former name may not be seen, ``hidden`` stands for it (domain.md D31); ``kept``: the
    log has the values, which it has not of identity codes, and not for ever (G48)."""

    field: str
    old: str
    new: str
    hidden: bool
    kept: bool
    source: str
    changed_at: datetime
    run: int | None


@dataclass(frozen=True, slots=True)
class ProblemNotice:
    """An open problem of the client, by its number; ``aside``: somebody has handled or reported it."""

    number: int
    label: str
    meaning: str
    opened_at: datetime
    aside: bool


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Who took a protected client over, when, and for which unit."""

    who: str
    at: datetime
    unit: str


@dataclass(frozen=True, slots=True)
class Client:
    """What a client's page shows. ``code`` is masked unless it was asked for; ``granted`` names the groups of the
    permit; ``confirmed`` is as of when VTJ's data holds; ``known``: VTJ's data has come and is to be shown;
    ``on_paper``: a location that is shown is printed too."""

    subject: UUID
    first_names: str
    last_name: str
    code: str
    code_shown: bool
    known: bool
    language: str
    deceased: bool
    death_date: str
    protected: bool
    protection_end: str
    place: Place
    on_paper: bool
    reveal_awaited: bool
    granted: frozenset[Group]
    home: Address | None
    foreign: tuple[Address, ...]
    municipality: str
    moved_in: str
    confirmed: datetime | None
    checked_at: datetime | None
    status: str
    signs: tuple[Sign, ...]
    problems: tuple[ProblemNotice, ...]
    former_codes: tuple[str, ...]
    clientships: tuple[ClientshipRow, ...]
    changes: tuple[ChangeRow, ...]
    may_manage: bool
    may_keep_contact: bool
    contact: Contact | None
    taken_over: tuple[TakenOver, ...]

    @property
    def name(self) -> str:
        """``Aino Maria Virtanen``; empty where it may not be shown or has not come."""
        return " ".join(filter(None, (self.first_names, self.last_name)))


def viewed(access: Access, subject: UUID) -> Client | None:
    """The client's page. Raises PermissionDenied, and ReasonNeeded for a protected one (domain.md E38)."""
    return _client(access, subject, Action.VIEW)


def with_code(access: Access, subject: UUID) -> Client | None:
    """The same with the identity code in clear, and an event of its own for that (domain.md H54)."""
    return _client(access, subject, Action.SHOW_CODE)


def printed(access: Access, subject: UUID, why: Override) -> Client | None:
    """The page whose print holds a location that was not confirmed lately, for a reason that is logged (domain.md
    E41)."""
    return _client(access, subject, Action.PRINT_UNCONFIRMED, why=why)


def status(access: Access, subject: UUID) -> str | None:
    """Where the person stands with VTJ, and no more: what a waiting page asks again and again, without an event."""
    access.require(SEE_CLIENTS)
    found: str | None = persons(access).filter(subject=subject).values_list("status", flat=True).first()
    return found


def awaited(access: Access, subject: UUID) -> tuple[Clientship, ...]:
    """What was added for the person in one's own units, while VTJ has not answered: of the person it tells nothing
    (domain.md E38). Audited."""
    rows = policies.awaited(access).filter(person__subject=subject).select_related("service").distinct()
    found = tuple(rows.order_by("-awaits_since", "-pk"))
    if found:
        audit.record(access, Action.VIEW, subjects=[subject], outcome="nothing told")
    return found


def just_added(access: Access, number: int) -> Clientship | None:
    """A clientship that the user has just added, in a unit that is still the user's own. For the service, which was
    chosen; of the person it may tell nothing (domain.md E38)."""
    access.require(MANAGE_CLIENTSHIPS)
    rows = Clientship.objects.select_related("person", "service").filter(service__unit__staff=access.user)
    found: Clientship | None = rows.filter(pk=number).first()
    return found


def moved_to_handlers(access: Access, subject: UUID) -> bool:
    """Whether this is a client of one's own units who has come under a ban, and so is seen by the handlers of
    protected clients only (domain.md E38). Telling so is logged as a refused view."""
    if access.user is None or not access.may(SEE_CLIENTS) or access.may(HANDLE_PROTECTED):
        return False
    own = Clientship.objects.filter(service__unit__staff=access.user, awaits_since=None)
    moved: bool = own.filter(person__subject=subject, person__protected=True).exists()
    if moved:
        audit.record(access, Action.VIEW, subjects=[subject], outcome="refused")
    return moved


def clientship(access: Access, number: int) -> Clientship | None:
    """A clientship that may be seen, with its person and service. Raises PermissionDenied and ReasonNeeded."""
    access.require(MANAGE_CLIENTSHIPS)
    rows = clientships(access).select_related("person", "service", "provider")
    found: Clientship | None = rows.filter(pk=number).first()
    if found is not None:
        if found.person.protected:
            openings.require(access, found.person)
        audit.record(access, Action.VIEW, subjects=[found.person.subject])
    return found


def name_of(access: Access, person: Person) -> str:
    """The name, of somebody whom the user may see, as far as it may be shown: not one that may be somebody else's
    (outside.md, Import file)."""
    access.require(SEE_CLIENTS)
    doubted = Problem.objects.filter(person=person, kind=ProblemKind.NAME_MISMATCH, closed_at=None).exists()
    return "" if doubted else " ".join(filter(None, (person.first_names, person.last_name)))


def _client(access: Access, subject: UUID, action: Action, *, why: Override | None = None) -> Client | None:
    access.require(SEE_CLIENTS)
    person = persons(access).filter(subject=subject).first()
    held = vtj_data.read([person.pk]).get(person.pk) if person else None
    # Erased, or under a ban, since the first of the two statements.
    if person is None or held is None or (held.record.protected and not access.may(HANDLE_PROTECTED)):
        return None
    if held.record.protected:
        openings.require(access, person)
    audit.record(access, action, subjects=[subject], details={"unconfirmed": str(why)} if why else {})
    return _page(access, person, held.record, action)


def _page(access: Access, person: Person, record: PersonRecord, action: Action) -> Client:
    code = action is Action.SHOW_CODE
    problems = Problem.objects.filter(person=person, closed_at=None)
    seen = policies.problems(access).filter(person=person, closed_at=None).distinct().order_by("pk")
    notices, kinds = _notices(seen), {problem.kind for problem in problems}
    mismatch = ProblemKind.NAME_MISMATCH in kinds
    permit, confirmed = permit_on(today()), ports.source().confirmed_at([person.pk]).get(person.pk)
    place = place_of(
        person,
        permit=permit,
        mismatch=mismatch,
        confirmed=confirmed,
        now=datetime.now(UTC),
        locked=locked(access),
    )
    record = PersonRecord(protected=record.protected) if mismatch else record
    granted = granted_groups(permit)
    visible = granted_places(permit) if place.visible else frozenset()
    record = record.with_places(visible).with_values_of(granted)
    codes = dict(PersonCode.objects.filter(person=person).order_by("pk").values_list("hetu", "current"))
    shown = [(hetu if code else masked(Hetu(hetu)), current) for hetu, current in codes.items()]
    former = tuple(hetu for hetu, current in shown if not current) if access.may(SEE_FORMER) and not mismatch else ()
    return Client(
        subject=person.subject,
        first_names=record.first_names or "",
        last_name=record.last_name or "",
        code=next((hetu for hetu, current in shown if current), ""),
        code_shown=code,
        known=person.basic_data_at is not None and not mismatch,
        language=wording.language_name(record.language_code, record.language_name),
        deceased=record.deceased,
        death_date=str(record.death_date or ""),
        protected=record.protected,
        protection_end=str(record.protection_end or ""),
        place=place,
        on_paper=place is not Place.OLD or action is Action.PRINT_UNCONFIRMED,
        reveal_awaited=person.reveal_awaited and place.visible,
        granted=granted,
        home=_home(record),
        foreign=_foreign(record),
        municipality=wording.municipality_name(record.municipality.code) if record.municipality else "",
        moved_in=wording.since(record.municipality.moved_in) if record.municipality else "",
        confirmed=confirmed,
        checked_at=person.checked_at,
        status=person.status,
        signs=signs_of(person, place, kinds, granted),
        problems=notices,
        former_codes=former,
        clientships=_clientships(access, person),
        changes=() if mismatch else _changes(access, person, record, granted - LOCATION_GROUPS | visible),
        may_manage=access.may(MANAGE_CLIENTSHIPS),
        may_keep_contact=access.may(KEEP_CONTACT_ADDRESS),
        contact=contacts.shown(access, person),
        taken_over=_taken_over(access, person) if record.protected else (),
    )


def _taken_over(access: Access, person: Person) -> tuple[TakenOver, ...]:
    """Who has taken the client over, by the last hand-over of each of one's own units: a new ban makes a new one."""
    rows = policies.problems(access).filter(person=person, kind=ProblemKind.HANDOVER)
    last = rows.select_related("unit", "closed_by").order_by("unit", "-pk").distinct("unit")
    return tuple(
        TakenOver(str(one.closed_by.get_full_name() or one.closed_by), one.closed_at, one.unit.name)
        for one in last
        if one.closed_by and one.closed_at and one.unit
    )


def _notices(problems: Iterable[Problem]) -> tuple[ProblemNotice, ...]:
    return tuple(
        ProblemNotice(
            number=one.pk,
            label=str(ProblemKind(one.kind).label),
            meaning=str(KINDS[ProblemKind(one.kind)].meaning),
            opened_at=one.opened_at,
            aside=one.handled_at is not None or one.reported_on is not None,
        )
        for one in problems
    )


def _home(record: PersonRecord) -> Address | None:
    home = record.home
    return Address(tuple(wording.home_lines(home)), wording.since(home.start)) if home else None


def _foreign(record: PersonRecord) -> tuple[Address, ...]:
    every = sorted(record.foreign, key=lambda one: (one.start.iso() if one.start else "", one.street or ""))
    return tuple(Address(tuple(wording.foreign_lines(one)), wording.since(one.start)) for one in every)


def _clientships(access: Access, person: Person) -> tuple[ClientshipRow, ...]:
    rows = clientships(access).filter(person=person).select_related("service__unit", "provider").distinct()
    day = today()
    found = list(rows.order_by("-start", "-pk"))
    kept = _erasure_day(found, day)
    return tuple(
        ClientshipRow(
            row=one,
            open=one.start <= day and (one.end is None or one.end >= day),
            coming=one.start > day,
            erased_on=kept(one) if one.end else None,
        )
        for one in found
    )


def _erasure_day(every: Sequence[Clientship], day: date) -> Callable[[Clientship], date]:
    """When at the earliest an ended one of these clientships goes: with the person, or some time later (domain.md F43).
    Those of other units are not counted: whether there are any is not told (H52, E38)."""

    def entered(at: datetime | None) -> date:
        return helsinki_day(at) if at else day

    ends = [(one.end, entered(one.ended_at)) for one in every if one.end is not None]
    if len(ends) < len(every):
        return lambda one: erasure.clientship_erased_on(one.end or day, entered(one.ended_at))
    last = max(erasure.erased_on(*end) for end in ends)
    return lambda _one: last


def _changes(access: Access, person: Person, record: PersonRecord, visible: frozenset[Group]) -> tuple[ChangeRow, ...]:
    hidden = [field for group, fields in FIELDS_OF.items() if group not in visible for field in fields]
    rows = policies.changes(access, person).exclude(field__in=hidden)
    former = access.may(SEE_FORMER)
    held = {"first_names": record.first_names, "last_name": record.last_name}
    shown = []
    for one in rows.order_by("-pk")[:CHANGES_SHOWN]:
        # Without the right, of names only the one that holds now (domain.md D31).
        hides = one.field in NAME_FIELDS and not former
        old = None if hides else one.old_value
        new = one.new_value if not hides or one.new_value == held.get(one.field) else None
        shown.append(
            ChangeRow(
                field=str(wording.FIELDS.get(one.field, one.field)),
                old=wording.change_value(one.field, old),
                new=wording.change_value(one.field, new),
                hidden=hides,
                kept=one.old_value is not None or one.new_value is not None,
                source=str(AppliedChange.Source(one.source).label),
                changed_at=one.changed_at,
                run=one.run,
            )
        )
    return tuple(shown)
