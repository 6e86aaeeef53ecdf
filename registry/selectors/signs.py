"""The states of a person that a caseworker has to see at a glance, in words."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.models import TASKS, Person, PersonStatus, ProblemKind
from registry.record import Group
from registry.selectors.place import Place


class Sign(models.TextChoices):
    """One state; at most a few hold at once, the weightiest first."""

    PROTECTED = "PROTECTED", _("Non-disclosure order")
    DECEASED = "DECEASED", _("Deceased")
    NOT_FOUND = "NOT_FOUND", _("Not found in VTJ")
    PROBLEM = "PROBLEM", _("Needs looking into")
    AWAITING = "AWAITING", _("Awaiting VTJ's data")
    CHECKED = "CHECKED", _("Being checked with VTJ")
    UNCONFIRMED = "UNCONFIRMED", _("Not confirmed lately")

    @property
    def tone(self) -> str:
        """How the page colours it; the words alone say it all."""
        return _TONES[self]


_TONES = {
    Sign.PROTECTED: "shield",
    Sign.DECEASED: "",
    Sign.NOT_FOUND: "warn",
    Sign.PROBLEM: "warn",
    Sign.AWAITING: "busy",
    Sign.CHECKED: "busy",
    Sign.UNCONFIRMED: "warn",
}


def signs_of(person: Person, place: Place, problems: Collection[str], granted: Collection[Group]) -> tuple[Sign, ...]:
    """The signs of a person whose open problems are of these kinds, as far as the permit has ``granted`` the groups
    that they come from (domain.md C24)."""
    holds = {
        Sign.PROTECTED: person.protected,
        Sign.DECEASED: person.deceased and place is not Place.MISMATCH and Group.DEATH in granted,
        Sign.NOT_FOUND: person.status == PersonStatus.NOT_FOUND or ProblemKind.NOT_FOUND in problems,
        Sign.PROBLEM: bool(set(problems) - {ProblemKind.NOT_FOUND} - TASKS),
        Sign.AWAITING: person.status == PersonStatus.AWAITING,
        Sign.CHECKED: place is Place.CHECKED or (person.reveal_awaited and place.visible),
        Sign.UNCONFIRMED: place is Place.OLD or (person.status == PersonStatus.CURRENT and place is Place.UNCONFIRMED),
    }
    return tuple(sign for sign in Sign if holds[sign])
