"""What gives a place away: names of columns, keys of JSON, and given strings (domain.md E40). Knows no database."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterable
from typing import Any, Final

# Columns that hold a place wherever they stand in a row that is tied to a person.
COLUMN: Final = re.compile(
    r"home_.*|municipality_.*|.*(street|address|postal|post_office|locality|katu|osoite|kunta|postinumero).*"
    r"|country_(code|name)|house_number|staircase|apartment|latitude|longitude|coordinates"
)
# Columns of which ANALYZE must keep no samples: a code of a municipality or country alone tells nothing of anybody. The
# content of a list that waits to be imported is gone after a day.
SAMPLED: Final = re.compile(rf"(?!.*_(code|precision)$)({COLUMN.pattern})|old_value|new_value|content")
# Keys of VTJ's messages, of the export, and of our own records.
KEYS: Final = (
    *(
        "katunimi",
        "katunumero",
        "huoneistokirjain",
        "huoneistonumero",
        "jakokirjain",
        "postinumero",
        "postitoimipaikka",
    ),
    *("rakennustunnus", "osoitenumero", "kuntakoodi", "kuntaanMuuttopv", "kuntaanMuuttoPv", "kuntaanmuuttopv"),
    *("lahiosoite", "paikkakunta", "valtiokoodi", "valtionimi", "kotikunta"),
    *("vakinainen_kotimainen_osoite", "vakinaiset_ulkomaiset_osoitteet"),
    *("street", "street_fi", "street_sv", "house_number", "postal_code", "post_office_fi", "post_office_sv"),
    *("locality", "country_code", "country_name", "municipality_code", "municipality_moved_in", "moved_in"),
    *("home_street_fi", "home_street_sv", "home_house_number", "home_postal_code", "home_post_office_fi"),
    *("home_post_office_sv", "home_municipality_code", "home_apartment", "home_staircase", "home_start"),
)
# Elements of VTJkysely's answers, which differ by product, and some of which have no namespace.
ELEMENTS: Final = (
    *("Katu[SR]", "Katunumero", "Porraskirjain", "Huoneistonumero", "Jakokirjain", "Lahiosoite[SR]"),
    *("Postinumero", "Postitoimipaikka[SR]", "Postiosoite[SR]", "Kuntanumero", "Kunta[SR]", "Asuinpaikantunnus"),
    *("UlkomainenLahiosoite", "UlkomainenPaikkakunta\\w*", "Valtio[SR]", "ValtioSelvakielinen", "Valtiokoodi"),
)
# A key with a value: in JSON as PostgreSQL and as Python write it, in a dict that was printed, and in XML. A key whose
# value is null or empty tells nothing. The same expression is understood by Python and by PostgreSQL.
KEY_WITH_VALUE: Final = (
    r"['\"](" + "|".join(KEYS) + r")\\?['\"]\s*:(?!\s*(?:null|None|\[\s*\]|\{\s*\}|\\?\"\\?\"|''|frozenset\(\)))"
    r"|<(\w+:)?(" + "|".join(ELEMENTS) + r")(\s[^<>]*)?>\s*[^<\s]"
)
_KEY_WITH_VALUE: Final = re.compile(KEY_WITH_VALUE)
_SPECIAL: Final = re.compile(r"[%_\\]")
SHORTEST: Final = 4


def has_key(text: str) -> bool:
    """Whether the text holds a key of a place that has a value."""
    return _KEY_WITH_VALUE.search(text) is not None


def variants(strings: Iterable[str]) -> list[str]:
    """The given strings as they may be spelled: in other cases, and escaped inside JSON.

    Raises ValueError for one shorter than :data:`SHORTEST` characters, which would be found everywhere.
    """
    found: set[str] = set()
    for one in filter(None, (text.strip() for text in strings)):
        if len(one) < SHORTEST:
            raise ValueError(f"a string has fewer than {SHORTEST} characters: it would be found everywhere")
        spelled = {one, one.lower(), one.upper(), one.title()}
        found |= spelled | {json.dumps(text)[1:-1] for text in spelled}
    return sorted(found)


def like(strings: Collection[str]) -> list[str]:
    """Patterns of SQL's LIKE that find each of the strings anywhere."""
    return ["%" + _SPECIAL.sub(r"\\\g<0>", text) + "%" for text in strings]


def as_text(payload: object) -> str:
    """A decoded payload of the queue or of a session, whatever it holds, as JSON text."""
    return json.dumps(_plain(payload), ensure_ascii=False)


def _plain(part: object) -> Any:
    if isinstance(part, dict):
        return {str(name): _plain(value) for name, value in part.items()}
    if isinstance(part, list | tuple | set | frozenset):
        return [_plain(one) for one in part]
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return {one.name: _plain(getattr(part, one.name)) for one in dataclasses.fields(part)}
    if isinstance(part, bytes):
        return part.decode("utf-8", "replace")
    if part is None or isinstance(part, bool | int | float | str):
        return part
    return _plain(vars(part)) if hasattr(part, "__dict__") else str(part)
