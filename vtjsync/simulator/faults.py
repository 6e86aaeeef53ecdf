"""Ways to misbehave on request (wire.md 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

REST: Final = frozenset({"kirjausavain", "muutokset", "perustiedot"})
LOOK_UPS: Final = frozenset({"vtjkysely"})
EVERYWHERE: Final = REST | LOOK_UPS
CHANGES: Final = frozenset({"muutokset"})

# Which calls each fault can spoil.
FAULTS: Final[dict[str, frozenset[str]]] = {
    "429": REST,
    "500": EVERYWHERE,
    "502html": EVERYWHERE,
    "reset": EVERYWHERE,
    "slow": EVERYWHERE,
    "cut": EVERYWHERE,
    "html200": EVERYWHERE,
    "empty": EVERYWHERE,
    "half": EVERYWHERE,
    "denied": EVERYWHERE,
    "denied-old": EVERYWHERE,
    "unauthorized": EVERYWHERE,
    "busy": LOOK_UPS,
    "dtd": LOOK_UPS,
    "twice": CHANGES,
    "stuck": CHANGES,
    "endless": CHANGES,
    "badentry": CHANGES,
    "nocode": CHANGES,
    "leftout": frozenset({"perustiedot"}),
    "shuffled": frozenset({"muutokset", "perustiedot"}),
}
CLEAR: Final = "none"


class Faults:
    """The faults that are on, and for how many more requests (None: until cleared)."""

    def __init__(self) -> None:
        self._left: dict[str, int | None] = {}

    def turn_on(self, names: Iterable[str]) -> None:
        """``NAME`` until cleared, ``NAME=K`` for the next K requests that it can spoil, ``none`` clears all.

        Raises ValueError, and changes nothing, when a name is not known.
        """
        wanted: dict[str, int | None] = {}
        clear = False
        for text in names:
            name, _, count = text.strip().partition("=")
            if name == CLEAR:
                clear = True
            elif name not in FAULTS:
                raise ValueError(f"no such fault: {name}. There are: {', '.join(FAULTS)}, and {CLEAR} to clear")
            elif count and not (count.isdecimal() and int(count) > 0):
                raise ValueError(f"{name}: the number of requests must be 1 or more")
            else:
                wanted[name] = int(count) if count else None
        self._left = wanted if clear else self._left | wanted

    def take(self, name: str, call: str) -> bool:
        """Whether the fault spoils this request of the call; counts it."""
        if name not in self._left or call not in FAULTS[name]:
            return False
        left = self._left[name]
        if left == 1:
            del self._left[name]
        elif left is not None:
            self._left[name] = left - 1
        return True

    @property
    def on(self) -> dict[str, int | None]:
        """The faults that are on."""
        return dict(self._left)
