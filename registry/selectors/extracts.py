"""A client's own extract of the log, as it is decided about and as it is given (docs/adr/0018).

Each of these writes its audit event before it returns (domain.md G46). What there is not and what is not the reader's
are the same answer: None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry import policies
from registry.clock import HELSINKI
from registry.models import ExtractLine, Ground, LogExtract, Service, Unit, User
from registry.models.extract import Requester
from registry.policies import MAKE_LOG_EXTRACT, Access
from registry.selectors import audit_words
from registry.services import audit, extract_lines, extracts
from registry.services.audit import Action
from registry.services.extract_lines import Counts, Group

PAGE: Final = 50
# On paper, and in one piece; a longer one is given as a file.
WHOLE: Final = 5000
# So many lines are read at a time for a file.
CHUNK: Final = 2000
LISTED: Final = 50

VTJ: Final = gettext_lazy("Digital and Population Data Services Agency (VTJ)")
# Whom the identity code, or data of the person, went to.
RECIPIENTS: Final = {Action.LOOK_UP: VTJ, Action.ASK_AGAIN: VTJ, Action.REPORT_PAIR: VTJ}
HEADINGS: Final = (
    gettext_lazy("When"),
    gettext_lazy("Who"),
    gettext_lazy("Unit and service"),
    gettext_lazy("What was done"),
    gettext_lazy("On what basis"),
    gettext_lazy("Given to"),
    gettext_lazy("Outcome"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line in words. ``place``: unit and service as far as they may be told to this reader, and in what leaves as
    far as they may leave. ``decision`` and ``ground`` are empty until the line is decided."""

    number: int
    when: str
    who: str
    place: str
    what: str
    basis: str
    recipient: str
    outcome: str
    decision: str = ""
    ground: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands under the headings."""
        return (self.when, self.who, self.place, self.what, self.basis, self.recipient, self.outcome)


@dataclass(frozen=True, slots=True)
class Page:
    """An extract with a page of its lines, the oldest first. ``automatic``: what the program asks VTJ by itself, from
    and to; ``next`` is where the next page begins; ``grounds`` are those of the lines that are left out."""

    extract: LogExtract
    requester: str
    outcome: str
    ground: str
    careful: bool
    entries: int
    lines: tuple[Line, ...]
    automatic: Line | None
    counts: Counts
    grounds: tuple[str, ...]
    next: int | None

    @property
    def open(self) -> bool:
        """Whether it waits for a decision."""
        return self.extract.outcome == LogExtract.Outcome.OPEN

    @property
    def given(self) -> bool:
        """Whether it was decided that it is given, and nothing has come since that would have to be decided first."""
        return self.extract.outcome == LogExtract.Outcome.RELEASED and not (self.careful and self.counts.undecided)

    @property
    def refused(self) -> bool:
        """Whether it was decided that it is not given."""
        return self.extract.outcome == LogExtract.Outcome.REFUSED


def listed(access: Access) -> list[tuple[LogExtract, str, str]]:
    """The last extracts that are the reader's to handle, each with its requester and outcome in words. Raises
    PermissionDenied."""
    access.require(MAKE_LOG_EXTRACT)
    found = list(policies.extracts(access).order_by("-pk")[:LISTED])
    if found:
        subjects = dict.fromkeys(subject for one in found for subject in one.subjects)
        audit.record(access, Action.VIEW_EXTRACT, subjects=subjects)
    return [(one, _requester(one), str(LogExtract.Outcome(one.outcome).label)) for one in found]


def page(access: Access, number: int, after: int = 0, *, whole: bool = False) -> Page | None:
    """The extract with its lines: as long as it is open those to be decided about, then those that are given; ``whole``
    for paper. Raises PermissionDenied and ReasonNeeded."""
    access.require(MAKE_LOG_EXTRACT)
    held = policies.extracts(access).filter(pk=number).first()
    if held is None:
        return None
    extracts.require_reason(access, held)
    audit.record(access, Action.VIEW_EXTRACT, subjects=held.subjects, details={"extract": held.pk})
    careful, counts = extracts.line_by_line(held), extract_lines.counts(held)
    made = _page(held, careful, counts)
    if made.refused or not (made.open or made.given):
        return made
    most = WHOLE if whole and made.given else PAGE
    groups = extract_lines.groups(held, after, most + 1)
    lines = _in_words(access, held, groups[:most], careful=careful, leaving=made.given)
    rest = groups[most - 1].number if len(groups) > most else None
    return _page(held, careful, counts, lines=tuple(lines), next_=rest)


def download(access: Access, number: int, form: str) -> Iterator[Sequence[str]] | None:
    """The rows of a file in this form, headings first, if the extract is given. Audited before the first row. Raises
    PermissionDenied and ReasonNeeded."""
    access.require(MAKE_LOG_EXTRACT)
    held = policies.extracts(access).filter(pk=number).first()
    if held is None:
        return None
    extracts.require_reason(access, held)
    made = _page(held, extracts.line_by_line(held), extract_lines.counts(held))
    if not made.given:
        return None
    details: dict[str, str | int] = {"extract": held.pk, "form": form}
    audit.record(access, Action.DOWNLOAD_EXTRACT, subjects=held.subjects, details=details)
    return _rows(access, made)


def _rows(access: Access, made: Page) -> Iterator[Sequence[str]]:
    yield [str(one) for one in HEADINGS]
    if made.automatic:
        yield made.automatic.cells
    after = 0
    while groups := extract_lines.groups(made.extract, after, CHUNK):
        for line in _in_words(access, made.extract, groups, careful=made.careful, leaving=True):
            yield line.cells
        after = groups[-1].number


def _page(
    held: LogExtract, careful: bool, counts: Counts, lines: tuple[Line, ...] = (), next_: int | None = None
) -> Page:
    left_out = ExtractLine.objects.filter(extract=held).exclude(ground="")
    return Page(
        extract=held,
        requester=_requester(held),
        outcome=str(LogExtract.Outcome(held.outcome).label),
        ground=str(Ground(held.ground).label) if held.ground else "",
        careful=careful,
        entries=len(held.subjects),
        lines=lines,
        automatic=_automatic(held),
        counts=counts,
        grounds=tuple(str(Ground(one).label) for one in sorted(set(left_out.values_list("ground", flat=True)))),
        next=next_,
    )


def _requester(held: LogExtract) -> str:
    return str(Requester(held.requester).label)


def _automatic(held: LogExtract) -> Line | None:
    """What the program asks VTJ by itself names nobody in the log: from when to when it was so (domain.md G46)."""
    listed = extract_lines.listed(held)
    if listed is None:
        return None
    first, last = (f"{one.astimezone(HELSINKI):%-d.%-m.%Y}" for one in listed)
    return Line(
        number=0,
        when=first if first == last else f"{first}–{last}",
        who=_("The program itself"),
        place="",
        what=_("Kept the data true: asked VTJ for basic data and changes by the identity code, as long as it was due"),
        basis=audit_words.basis("VTJ synchronisation"),
        recipient=str(VTJ),
        outcome="",
    )


def _in_words(
    access: Access, held: LogExtract, groups: Sequence[Group], *, careful: bool, leaving: bool
) -> Iterator[Line]:
    """``leaving``: as whoever asked gets it; line by line only what was decided to be given."""
    rows = ExtractLine.objects.filter(extract=held, line__in=[one.number for one in groups])
    decided = {row.line: row for row in rows}
    users = {one.pk: one for one in User.objects.filter(pk__in={one.user_id for one in groups if one.user_id})}
    places = _Places(access, groups, decided, careful=careful, leaving=leaving)
    for one in groups:
        row = decided.get(one.number)
        given = row is not None and row.decision != ExtractLine.Decision.LEAVE_OUT
        if leaving and careful and not given:
            continue
        yield Line(
            number=one.number,
            when=_when(one),
            who=_who(one, users),
            place=places.of(one),
            what=audit_words.action(one.action),
            basis=_basis(one),
            recipient=str(RECIPIENTS.get(Action(one.action), "")) if one.action in Action.values else "",
            outcome=audit_words.outcome(one.outcome),
            decision=row.decision if row else "",
            ground=row.ground if row else "",
        )


class _Places:
    """Units of those who looked, as they are now, and services, by language. Of a person whose lines are decided one
    by one only what is the reader's own; and what leaves only if whoever decided it saw it too."""

    def __init__(
        self,
        access: Access,
        groups: Sequence[Group],
        decided: dict[int, ExtractLine],
        *,
        careful: bool,
        leaving: bool,
    ) -> None:
        self._careful, self._leaving, self._decided = careful, leaving, decided
        own = Q(staff=access.user) if careful else Q()
        users = {one.user_id for one in groups if one.user_id}
        deciders = {row.decided_by for row in decided.values() if row.decided_by}
        units = {one.pk: one for one in Unit.objects.filter(own).distinct()}
        self._units: dict[int, set[int]] = {}
        rows = User.units.through.objects.filter(user__in=users | deciders, unit__in=units)
        for user, unit in rows.values_list("user", "unit"):
            self._units.setdefault(user, set()).add(unit)
        self._names = {pk: unit.name for pk, unit in units.items()}
        codes = {one.service for one in groups if one.service}
        services = Service.objects.filter(code__in=codes, unit__in=units)
        self._services = {one.code: (one.unit_id, one.name) for one in services}

    def of(self, group: Group) -> str:
        """The names, or nothing."""
        row = self._decided.get(group.number)
        units = set(self._units.get(group.user_id or 0, set()))
        unit, name = self._services.get(group.service or "", (None, ""))
        if self._careful and self._leaving:
            if row is None or row.decision != ExtractLine.Decision.WITH_PLACE:
                return ""
            seen = self._units.get(row.decided_by or 0, set())
            units &= seen
            name = name if unit in seen else ""
        return ", ".join([*sorted(self._names[one] for one in units), *([name] if name else [])])


def _who(one: Group, users: dict[int, User]) -> str:
    if one.user_id is None:
        return one.username or _("The program itself")
    user = users.get(one.user_id)
    return str((user and user.get_full_name()) or one.username)


def _when(one: Group) -> str:
    first, last = (_moment(moment) for moment in (one.first, one.last))
    if one.user_id is not None or one.times == 1:
        return first
    return _("%(first)s – %(last)s, %(times)s times") % {"first": first, "last": last, "times": one.times}


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(HELSINKI):%-d.%-m.%Y %-H.%M}"


def _basis(one: Group) -> str:
    told = {"reason": one.reason, "why": one.why, "unconfirmed": one.unconfirmed}
    details = audit_words.details({key: value for key, value in told.items() if value})
    # The names of commands tell a client nothing.
    why = _("keeping the register") if one.basis.endswith(audit_words.COMMAND) else audit_words.basis(one.basis)
    return ", ".join(filter(None, (why, details)))
