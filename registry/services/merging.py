"""Two entries of one person become one, or are reported to DVV (domain.md D30, E34, G47; docs/adr/0012).

The entry whose code VTJ calls active stays, with what the register knows of it; the other one's clientships and codes
come to it, and its row goes. Nobody is erased: there is no receipt, and the log of both is found by every code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from registry import policies, ports
from registry.clock import helsinki_day, today
from registry.models import (
    TASKS,
    AppliedChange,
    Clientship,
    ContactAddress,
    EmergencyAccess,
    NameCheck,
    Opening,
    Person,
    PersonCode,
    PersonStatus,
    Problem,
    ProblemKind,
)
from registry.policies import MERGE_PERSONS, Access
from registry.services import audit, erasure, name_check, problems, vtj_data
from registry.services.audit import Action
from registry.services.errors import Refused
from registry.services.joining import Joined, sorted_out
from registry.sql import ids

# Every code that either has had leads to the log of both, and of whoever was merged into them before (domain.md G47).
_TRAIL: Final = """
    WITH hashes AS (SELECT DISTINCT code_hash, key_id FROM registry_subjectcode WHERE subject = ANY(%s))
    INSERT INTO registry_subjectcode (code_hash, subject, key_id)
    SELECT h.code_hash, s.subject, h.key_id FROM hashes h CROSS JOIN (
        SELECT DISTINCT subject FROM registry_subjectcode WHERE code_hash IN (SELECT code_hash FROM hashes)) s
    ON CONFLICT DO NOTHING
"""
_JOINED: Final = ("start", "end", "end_reason", "ended_at", "ended_by", "provider", "reference", "created_at")
AT_ONCE: Final = _("Somebody else changed this at the very same moment. Look at it again.")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a merge will do. ``moved`` come to the survivor as they are; ``changes``, so many rows of the other entry's
    history, go."""

    survivor: Person
    other: Person
    moved: tuple[Clientship, ...]
    joined: tuple[Joined, ...]
    changes: int

    @property
    def token(self) -> str:
        """Stands for exactly this plan: what is confirmed is what was shown. Holds nothing of a person."""
        rows = [*self.moved, *(row for one in self.joined for row in (*one.rows, one.kept))]
        seen = [(row.pk, row.service_id, row.provider_id, row.start, row.end, row.reference) for row in rows]
        told = (self.survivor.subject, self.other.subject, self.survivor.protected, len(self.moved), seen)
        return salted_hmac("merge plan", repr(told)).hexdigest()


def plan(access: Access, one: UUID, other: UUID) -> Plan:
    """What :func:`merge` would do now. Raises PermissionDenied."""
    return _plan(_pair(access, one, other))


def merge(access: Access, one: UUID, other: UUID, token: str) -> UUID:
    """Makes the two one, if the plan is still the one with this token. Returns the subject of the entry that stays.

    All of it is one transaction under the locks of both, and of whoever else hangs together with them. Raises
    PermissionDenied, and Refused when it cannot be, or is not what was shown.
    """
    with transaction.atomic():
        pair = _locked(access, one, other)
        made = _plan(pair)
        survivor, gone = made.survivor, made.other
        if made.token != token:
            raise Refused(_("Something changed since you looked. Look at it again before you merge."))
        _refuse_doubted(made)
        _move_clientships(made)
        _move_codes(made)
        _move_problems(access, pair, made)
        _move_what_is_kept_by_hand(made)
        _move_name_checks(made)
        _let_bans_count(made)
        erasure.remove([gone.pk])
        ports.source().ask_again([survivor.pk])
        ports.source().fetch_soon([survivor.pk])
        details = {"moved": len(made.moved), "joined": len(made.joined)}
        audit.record(access, Action.MERGE, subjects=[survivor.subject, gone.subject], details=details)
    return survivor.subject


def report(access: Access, one: UUID, other: UUID, day: date) -> None:
    """Notes that the case was reported to DVV on the day; the problem stays open.

    Raises PermissionDenied and Refused.
    """
    with transaction.atomic():
        pair = _locked(access, one, other)
        if not helsinki_day(pair.opened_at) <= day <= today():
            raise Refused(_("The day of the report is between the day the problem was found and today."))
        _both(pair).update(reported_on=day, reported_by=access.user)
        details = {"day": day.isoformat()}
        audit.record(access, Action.REPORT_PAIR, subjects=[one, other], details=details)


def sides(pair: Problem) -> tuple[Person, Person]:
    """The entry that stays, and the one that goes: VTJ's active code decides; where it did not say, the entry that VTJ
    knows and confirmed last stays."""
    assert pair.other is not None  # noqa: S101 - a constraint of the database
    if pair.survives is not None:
        return (pair.person, pair.other) if pair.survives else (pair.other, pair.person)
    first, second = sorted((pair.person, pair.other), key=_weight, reverse=True)
    return first, second


def _weight(person: Person) -> tuple[bool, datetime, int]:
    never = datetime.min.replace(tzinfo=UTC)
    return person.status == PersonStatus.CURRENT, person.checked_at or never, -person.pk


def found(access: Access, one: UUID, other: UUID) -> Problem | None:
    """The open pair of the two, in either order; None for two that are none, or not one that may be looked at."""
    asked = Q(person__subject=one, other__subject=other) | Q(person__subject=other, other__subject=one)
    rows = policies.pairs(access).select_related("person", "other", "reported_by")
    return rows.filter(asked).order_by("pk").first()


def _pair(access: Access, one: UUID, other: UUID) -> Problem:
    access.require(MERGE_PERSONS)
    pair = found(access, one, other)
    if pair is None:
        raise PermissionDenied
    return pair


def _locked(access: Access, one: UUID, other: UUID) -> Problem:
    """The pair as it stands under the locks."""
    pair = _pair(access, one, other)
    if problems.lock_together([pair.person_id, pair.other_id or 0]) is None:
        raise Refused(AT_ONCE)
    pair_now = found(access, one, other)
    if pair_now is None:
        raise Refused(AT_ONCE)
    return pair_now


def _both(pair: Problem) -> QuerySet[Problem]:
    sides_ = Q(person=pair.person_id, other=pair.other_id) | Q(person=pair.other_id, other=pair.person_id)
    return Problem.objects.filter(sides_, kind=ProblemKind.TWO_ENTRIES, closed_at=None)


def _plan(pair: Problem) -> Plan:
    survivor, other = sides(pair)
    rows = Clientship.objects.filter(person__in=[survivor, other]).select_related("service", "provider")
    moved, joined = sorted_out(survivor.pk, rows)
    return Plan(survivor, other, moved, joined, AppliedChange.objects.filter(person=other).count())


def _refuse_doubted(made: Plan) -> None:
    """A code of the list that may be somebody else's: its clientship may not belong to the person at all."""
    those = Q(person=made.survivor) | Q(person=made.other)
    if Problem.objects.filter(those, kind=ProblemKind.NAME_MISMATCH, closed_at=None).exists():
        raise Refused(_("The name of one of the two is in doubt. Decide first whether it is the person of the list."))


def _move_clientships(made: Plan) -> None:
    Clientship.objects.filter(pk__in=ids(number for one in made.joined for number in one.gone)).delete()
    for one in made.joined:
        one.kept.save(update_fields=_JOINED)
    Clientship.objects.filter(pk__in=ids(one.pk for one in made.moved)).update(person=made.survivor)


def _move_codes(made: Plan) -> None:
    PersonCode.objects.filter(person=made.other).update(person=made.survivor, current=False)
    with connection.cursor() as cursor:
        cursor.execute(_TRAIL, [[made.survivor.subject, made.other.subject]])


def _move_problems(access: Access, pair: Problem, made: Plan) -> None:
    """The pair is settled. A third entry that is the same person as the other one is the same as the survivor."""
    _both(pair).update(closed_at=Now(), closed_by=access.user, other=None, pair_protected=None)
    known = problems.pairs([made.survivor.pk]).get(made.survivor.pk, set())
    thirds = Problem.objects.filter(kind=ProblemKind.TWO_ENTRIES, closed_at=None)
    thirds.filter(person=made.other).exclude(other__in=ids(known)).update(person=made.survivor)
    thirds.filter(other=made.other).exclude(person__in=ids(known)).update(other=made.survivor)
    # What a ban left to be done for the other entry is to be done still (domain.md E38, E39).
    tasks = Problem.objects.filter(kind__in=TASKS)
    held = tasks.filter(person=made.survivor, closed_at=None, kind=OuterRef("kind"))
    same_unit = Exists(held.filter(Q(unit=OuterRef("unit")) | Q(unit=None)))
    tasks.filter(~same_unit | Q(closed_at__isnull=False), person=made.other).update(person=made.survivor)


def _move_what_is_kept_by_hand(made: Plan) -> None:
    """Why the other entry was opened, and its contact address: of two the one that was written last stays."""
    Opening.objects.filter(person=made.other).update(person=made.survivor)
    EmergencyAccess.objects.filter(person=made.other).update(person=made.survivor)
    both = ContactAddress.objects.filter(person__in=[made.survivor, made.other])
    newest = both.order_by("-entered_at", "-pk").first()
    if newest is not None:
        both.exclude(pk=newest.pk).delete()
        both.update(person=made.survivor)


def _move_name_checks(made: Plan) -> None:
    """What lists said of the other entry's name, and VTJ has not answered, is compared with the survivor's name."""
    own = NameCheck.objects.filter(person=made.survivor)
    known = set(own.values_list("last_name_hash", "first_names_hash"))
    for check in NameCheck.objects.filter(person=made.other):
        if (check.last_name_hash, check.first_names_hash) not in known:
            NameCheck.objects.filter(pk=check.pk).update(person=made.survivor)
    name_check.compare([made.survivor.pk])


def _let_bans_count(made: Plan) -> None:
    """The survivor is protected if either is (domain.md D30, E34); else the location is hidden until basic data has
    come: what was asked under the code that goes may have been a ban (B14)."""
    held = vtj_data.read([made.survivor.pk, made.other.pk])
    survivor, other = held[made.survivor.pk], held[made.other.pk]
    begins = other.record.protected and not survivor.record.protected
    if survivor.record.protected or begins:
        survivor.record = vtj_data.stay_protected(survivor.record)
        survivor.ban_since = max(filter(None, (survivor.ban_since, other.ban_since)), default=None)
        survivor.ban_silence_at, survivor.reveal_awaited = None, False
        survivor.recheck_on = None if begins else survivor.recheck_on
    else:
        survivor.location_hidden = True
    vtj_data.write([survivor], [], [survivor.id] if begins else [], None)
