"""Whether what VTJ says of a person may be shown, and what the page says instead (domain.md A2, C24, E34-E41)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.models import DataPermit, Person, PersonStatus
from registry.record import LOCATION_GROUPS, LOST_TRACK, Group

# Administrators are warned from so many days before the permit ends, and more and more gravely (A2).
WARN_DAYS: Final = 90
NEAR_DAYS: Final = 30
GRAVE_DAYS: Final = 7


class Place(models.TextChoices):
    """Why the location is shown, or is not. The label is for the page."""

    SHOWN = "SHOWN", _("Shown")
    OLD = "OLD", _("Shown, but not confirmed lately")
    AWAITING = "AWAITING", _("VTJ's data has not come yet.")
    PROTECTED = "PROTECTED", _("A non-disclosure order is in force: addresses and home municipality are not kept.")
    CHECKED = "CHECKED", _("Shown when VTJ has answered.")
    MISMATCH = "MISMATCH", _("Hidden until it is certain that this is the right person.")
    UNCONFIRMED = "UNCONFIRMED", _("Hidden: VTJ has not confirmed it for so long that it may be wrong.")
    LOCKED = "LOCKED", _("Hidden: the register was restored from a backup and is not up to date yet.")
    NO_PERMIT = "NO_PERMIT", _("Hidden: no data permit is in force.")

    @property
    def visible(self) -> bool:
        """Whether the location values themselves may be shown."""
        return self in (Place.SHOWN, Place.OLD)


class Override(models.TextChoices):
    """Why a location that was not confirmed lately is printed or exported all the same (domain.md E41)."""

    URGENT = "URGENT", _("It is urgent, and VTJ cannot be waited for")
    CHECKED = "CHECKED", _("It has been checked otherwise, for example by phone")
    OTHER = "OTHER", _("Another reason, told in our own records")


def permit_on(day: date) -> DataPermit | None:
    """The permit in force on the Helsinki day."""
    return DataPermit.objects.filter(valid_from__lte=day).exclude(valid_to__lt=day).first()


def permit_ends_in(day: date) -> int | None:
    """In how many days the permit ends without a successor, when that is near; 0 when none is in force (A2)."""
    permit = permit_on(day)
    if permit is None:
        return 0
    if permit.valid_to is None or permit_on(permit.valid_to + timedelta(days=1)):
        return None
    left = (permit.valid_to - day).days + 1
    return left if left <= WARN_DAYS else None


def granted_places(permit: DataPermit | None) -> frozenset[Group]:
    """The location groups that the permit in force lets be shown (domain.md C24)."""
    return permit.places if permit else frozenset()


def granted_groups(permit: DataPermit | None) -> frozenset[Group]:
    """The groups that the permit in force lets be shown. Without one, all but places until they are erased (A2)."""
    return permit.covers if permit else frozenset(Group) - LOCATION_GROUPS


def place_of(
    person: Person,
    *,
    permit: DataPermit | None,
    mismatch: bool,
    confirmed: datetime | None,
    now: datetime,
    locked: bool,
) -> Place:
    """What holds of this person's location. ``mismatch``: a problem says that this may be somebody else (outside.md);
    ``confirmed``: when the source last knew the data to be up to date; ``locked``: the register is, after a restore
    (F45). The first rule that holds decides."""
    age = now - confirmed if confirmed else timedelta.max
    rules = (
        (person.protected, Place.PROTECTED),
        (mismatch, Place.MISMATCH),
        (locked, Place.LOCKED),
        (permit is None, Place.NO_PERMIT),
        (person.status == PersonStatus.AWAITING, Place.AWAITING),
        (person.location_hidden, Place.CHECKED),
        (age > settings.LOCATION_HIDE, Place.UNCONFIRMED),
        (age > settings.LOCATION_WARN or person.ask == LOST_TRACK, Place.OLD),
    )
    return next((place for holds, place in rules if holds), Place.SHOWN)
