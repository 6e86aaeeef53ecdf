"""The permit in force, and who is on the list (domain.md A1, A2)."""

from __future__ import annotations

from datetime import date
from typing import Final

from registry.models import DataPermit
from registry.record import Group


class NoPermit(Exception):
    """No permit is in force: nobody is asked (domain.md A2)."""


# A person p is on the list: an open clientship on the Helsinki day (domain.md A1). Takes the day twice.
ON_THE_LIST: Final = (
    "EXISTS (SELECT FROM registry_clientship c WHERE c.person_id = p.id AND c.start <= %s"
    ' AND (c."end" IS NULL OR c."end" >= %s))'
)


def granted(day: date) -> frozenset[Group]:
    """The product's groups that the permit of the Helsinki day grants. Raises :class:`NoPermit`."""
    for permit in DataPermit.objects.all():
        if permit.in_force(day):
            return frozenset(Group(name) for name in permit.groups if name in set(Group))
    raise NoPermit
