"""A list that VTJ refuses is halved down to the codes that it refuses; the rest goes on (domain.md B16).

A code is blamed only when VTJ accepts another one in the same request: then key, groups and credentials are good. Where
it has accepted no part of the list, somebody else is asked for as a check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from registry.hetu import Hetu
from vtjsync.wire.errors import Refused

Part = TypeVar("Part")

# After so many single codes refused, and no part accepted, it is time for the check.
SINGLES: Final = 3
# However many codes are refused, one list costs no more requests than this. The next run goes on from there.
MOST_REQUESTS: Final = 500


@dataclass(slots=True)
class Halved(Generic[Part]):
    """What became of a list: the answers of its parts, and the codes that are refused. ``error`` is set when a part of
    the list was neither, because too much of it is refused."""

    answers: list[Part] = field(default_factory=list)
    refused: list[Hetu] = field(default_factory=list)
    error: Refused | None = None


def ask(
    codes: Sequence[Hetu], send: Callable[[Sequence[Hetu]], Part], known: Callable[[], Hetu | None], *, alone: bool
) -> Halved[Part]:
    """The answers for all codes of the list that VTJ accepts.

    ``known`` names somebody outside of the list for the check, if there is anybody; ``alone`` says what a list of one
    means when there is nobody: whether the code is to blame. Raises Refused when the request itself is what VTJ does
    not accept, whatever the codes.
    """
    found: Halved[Part] = Halved()
    waiting, good = [codes], alone and len(codes) == 1
    for _ in range(MOST_REQUESTS):
        part = waiting.pop()
        try:
            found.answers.append(send(part))
            good = True
        except Refused as error:
            found.error = error
            if len(part) > 1:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                found.refused += part
            if not good and (len(found.refused) == SINGLES or not waiting):
                if not _accepts_one(send, known(), waiting):
                    raise
                good = True
        if not waiting:
            found.error = None
            break
    return found


def _accepts_one(send: Callable[[Sequence[Hetu]], Part], known: Hetu | None, waiting: Sequence[Sequence[Hetu]]) -> bool:
    """Whether VTJ accepts the code that is known; where nobody is, one of a few from the parts that still wait."""
    for code in [known] if known is not None else [part[-1] for part in waiting[:SINGLES]]:
        try:
            send([code])
        except Refused:
            continue
        return True
    return False
