"""The names of municipalities, countries and languages by VTJ's codes.

The lists are files in ``data``, each with its source and date; ``refresh.py`` makes them anew. A code that is not in a
list has no name and is shown as it is (domain.md C25).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Final

DEFAULT_LANGUAGE: Final = "fi"


def municipality_name(code: str, language: str) -> str | None:
    """The municipality's name in fi, sv or en; former ones too, and 198, 199 and 200, which are none at all."""
    return _name("municipalities", code, language)


def country_name(code: str, language: str) -> str | None:
    """The country's name in fi, sv or en by its three digits (ISO 3166 and VTJ's own 997, 998, 999)."""
    return _name("countries", code, language)


def language_name(code: str, language: str) -> str | None:
    """The language's name in fi, sv or en by its two letters (ISO 639-1), or 98 for any other language."""
    return _name("languages", code, language)


def _name(listed: str, code: str, language: str) -> str | None:
    names = _list(listed).get(code)
    return None if names is None else names.get(language.lower()[:2], names[DEFAULT_LANGUAGE])


@cache
def _list(name: str) -> dict[str, dict[str, str]]:
    """The list by code: names by language."""
    text = files(__package__).joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    names: dict[str, dict[str, str]] = json.loads(text)["names"]
    return names
