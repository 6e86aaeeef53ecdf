"""What goes into a reading besides the rows, and what comes out of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from registry.hetu import Hetu
from registry.record import LOCATION_GROUPS, LOST_TRACK, Group, PersonRecord
from vtjsync.reading.meaning import GROUP_OF
from vtjsync.wire.groups import Row

NO_GROUPS: frozenset[Group] = frozenset()
EVERY_GROUP: frozenset[Group] = frozenset(Group)


@dataclass(frozen=True, slots=True)
class PersonState:
    """What is held of one person, and how sure we are of it. All times are aware, on VTJ's clock.

    ``basic_data_at``: when the basic data now held was requested (domain.md C22).
    ``newest_entry_at``: muutospv of the newest entry that changed anything; None when none has (B13).
    ``ban_since``: the last time that VTJ was heard to start or repeat the ban; None when unprotected or not known.
    ``silence_at``: when the first basic data was requested that was silent about the ban (E33).
    ``reveal_awaited``: the ban has ended and basic data has not yet told the rest (E37).
    ``recheck_on``: the Helsinki day from which the person is to be asked again, because a value ends or begins (C21).
    """

    record: PersonRecord = field(default_factory=PersonRecord)
    basic_data_at: datetime | None = None
    newest_entry_at: datetime | None = None
    ban_since: datetime | None = None
    silence_at: datetime | None = None
    reveal_awaited: bool = False
    recheck_on: date | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The permit's groups, the Helsinki day of the answer, and the tolerance of clocks (domain.md C22).

    ``silence``: the groups whose absence from basic data counts (B18), TURVAKIELTO for the end of a ban by silence
    (E33); what is held of the others is kept, and the outcome names them.
    """

    granted: frozenset[Group]
    today: date
    tolerance: timedelta
    silence: frozenset[Group] = EVERY_GROUP

    def groups(self, *, protected: bool) -> frozenset[Group]:
        """The groups whose values may be stored: no location of a protected person (domain.md E36), nor any when the
        permit lacks TURVAKIELTO (C24)."""
        values = self.granted - {Group.BAN, Group.CODE}
        return values - LOCATION_GROUPS if protected or Group.BAN not in self.granted else values

    def ignored(self, rows: Collection[Row]) -> int:
        """The number of rows of groups outside the product or the permit, which are counted and left alone."""
        return sum(GROUP_OF.get(type(row)) not in self.granted for row in rows)


class Ask(StrEnum):
    """Why basic data is to be asked (domain.md B11), the most pressing first.

    LOST_TRACK: VTJ's log could not be followed (B17). PERMIT: the permit's groups have changed (C24). SILENT: basic
    data was silent about what is held, and the run decides whether that counts (B18).
    """

    UNREADABLE = "UNREADABLE"
    LOST_TRACK = LOST_TRACK
    BAN = "BAN"
    SILENCE = "SILENCE"
    REVEAL = "REVEAL"
    PLACE = "PLACE"
    CODE = "CODE"
    OLDER = "OLDER"
    VALUE = "VALUE"
    PERMIT = "PERMIT"
    SILENT = "SILENT"

    @property
    def urgent(self) -> bool:
        """Whether it is about a ban or a place, which go before other asks (domain.md B19)."""
        return self not in {Ask.CODE, Ask.OLDER, Ask.VALUE, Ask.PERMIT, Ask.SILENT}


def most_pressing(asks: Collection[Ask]) -> Ask | None:
    """The first of the reasons in the order of :class:`Ask`; None when there is none."""
    return next((ask for ask in Ask if ask in asks), None)


@dataclass(frozen=True, slots=True)
class CodeFinding:
    """What HENKILOTUNNUS_KORJAUS tells: the active code, None when there is no successor (domain.md D27, D29)."""

    active: Hetu | None
    former: frozenset[Hetu]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one entry or one basic data answer makes of a person.

    ``hide_location``: the location is hidden until basic data has come (domain.md B14). False from a change leaves a
    hidden location hidden; False from basic data shows it again.
    ``unconfirmed_ban``: basic data can neither confirm nor repair the ban, which is for the handlers (E33).
    ``cleared``: the groups that held a value and from which basic data was silent (B18). ``silent``: those of which
    that did not count, TURVAKIELTO for a ban that it would have ended.
    ``unreadable``: the groups of basic data that could not be read; what was held stays, and asking again at once
    would not help, so it is a problem and not an ask. ``contradicting``: those of them whose rows can all be read, and
    do not agree.
    ``ignored``: the number of rows of groups outside the product or the permit.
    """

    state: PersonState
    ask: Ask | None = None
    hide_location: bool = False
    codes: CodeFinding | None = None
    ban_started: bool = False
    ban_ended: bool = False
    ended_by_silence: bool = False
    unconfirmed_ban: bool = False
    cleared: frozenset[Group] = NO_GROUPS
    silent: frozenset[Group] = NO_GROUPS
    unreadable: frozenset[Group] = NO_GROUPS
    contradicting: frozenset[Group] = NO_GROUPS
    ignored: int = 0
