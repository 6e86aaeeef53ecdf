"""Names of an imported list, compared once with VTJ's answer and never stored (outside.md, Import file).

What waits for the answer is a keyed hash of the name's search key. A mismatch opens a problem, and while that is open
nothing that VTJ says of the person is shown: the code in the list may be somebody else's. It is closed by staff
(``registry.services.mismatches``), or by a list in which the name is VTJ's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

from registry.models import NameCheck, Person, PersonStatus, Problem, ProblemKind
from registry.names import name_key
from registry.services import audit_keys
from registry.services.problems import Found, close_problems, open_problems
from registry.sql import ids


def name_hash(name: str | None) -> bytes | None:
    """The keyed hash of a name as it is searched for; None for no name."""
    key = name_key(name)
    return audit_keys.current().digest(f"name:{key}") if key else None


def is_name(hashed: bytes, name: str | None) -> bool:
    """Whether it is the hash of the name, with the key in use or a former one."""
    key = name_key(name)
    return bool(key) and any(bytes(hashed) == one.digest(f"name:{key}") for one in audit_keys.every())


def compare(person_ids: Sequence[int]) -> int:
    """Compares those of the persons whose basic data has come, and forgets what was compared; the problem is opened
    where a name differs and closed where none does.

    For use inside the transaction that wrote the basic data. Returns of how many persons a name did not match.
    """
    waiting = NameCheck.objects.filter(person__in=ids(person_ids), person__status=PersonStatus.CURRENT)
    # A newborn may have no name yet, and the permit may not grant it: then there is nothing to compare with.
    waiting = waiting.exclude(person__last_name=None, person__first_names=None)
    rows = waiting.values_list("person", "last_name_hash", "first_names_hash")
    checks = cast("list[tuple[int, bytes | None, bytes | None]]", list(rows))
    if not checks:
        return 0
    held = Person.objects.filter(id__in=ids(person for person, *_ in checks))
    names = {one: (last, first) for one, last, first in held.values_list("id", "last_name", "first_names")}
    differing = {person for person, last, first in checks if _differ(last, first, names[person])}
    open_problems(Found(person, ProblemKind.NAME_MISMATCH) for person in differing - _doubted(differing))
    close_problems([(person, ProblemKind.NAME_MISMATCH) for person, *_ in checks if person not in differing])
    NameCheck.objects.filter(person__in=ids(person for person, *_ in checks)).delete()
    return len(differing)


def _doubted(person_ids: Collection[int]) -> set[int]:
    """Those whose name is in doubt already: another list that says the same is no other doubt."""
    rows = Problem.objects.filter(person__in=ids(person_ids), kind=ProblemKind.NAME_MISMATCH, closed_at=None)
    return set(rows.values_list("person", flat=True))


def _differ(last: bytes | None, first: bytes | None, held: tuple[str | None, str | None]) -> bool:
    """Whether a name that the list tells is not the one that VTJ gives. The list may know only some first names."""
    if last is not None and not is_name(last, held[0]):
        return True
    return first is not None and not any(is_name(first, part) for part in _parts(held[1]))


def _parts(first_names: str | None) -> list[str]:
    """``Aino``, ``Aino Maria``, ``Maria``: all that stand together, since people are called by one of them."""
    words = (first_names or "").split()
    return [" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)]
