"""Which browser somebody uses, in a word or two: enough to know one's own again."""

from __future__ import annotations

from typing import Final

# The first that is found counts: most browsers also name those that they want to be taken for.
BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def named(agent: str) -> str:
    """Such as “Firefox, Windows”; empty for one that is not known. Nothing else of what the browser says is kept."""
    names = (next((name for mark, name in known if mark in agent), "") for known in (BROWSERS, SYSTEMS))
    return ", ".join(filter(None, names))
