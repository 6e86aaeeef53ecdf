"""Variations of what VTJ tells, as a program that is broken might send them, and what can be said of one from outside.

The shapes are those of wire.md, stated anew: nothing here asks the program what it makes of a message.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

JSON = Any

# What a value may turn into. Identity codes are not among them: a code of somebody else is not malformed.
_LONG: Final = "".join(random.Random(5).choices("abcdefghijklmnopqrstuvwxyzåäö ", k=9000))
ODD: Final[tuple[JSON, ...]] = (
    *(None, True, False, 0, -1, 17, 2**70, 0.5, "", " ", "x", "\x00", "\ud800", _LONG, "true", "null"),
    *([], {}, [[]], [None], {"": None}, {"arvo": 5}, {"fi": []}),
    *("0000-00-00", "2026-02-30", "9999-12-31", "2026-03-10T10:00:00", "20260310", "PAIVA", "LISATTY", "POISTETTU"),
)

TEXT, FLAG, DATE, NAMES, TEXTS, ROWS, NUMBER_TOO = "text", "flag", "date", "names", "texts", "rows", "number"
SHAPES: Final[dict[str, dict[str, str]]] = {
    "HENKILOTUNNUS_KORJAUS": {
        "voimassaolo": TEXT,
        "muutettuHenkilotunnus": TEXT,
        "aktiivinenHenkilotunnus": TEXT,
        "edellisetHenkilotunnukset": TEXTS,
    },
    "HENKILON_NIMI": {
        **dict.fromkeys(("etunimi", "sukunimi", "etunimiUTF8", "sukunimiUTF8"), TEXT),
        **dict.fromkeys(("alkupv", "loppupv"), DATE),
    },
    "AIDINKIELI": {
        **dict.fromkeys(("kielikoodi", "kielikoodiISO6392", "nimi"), TEXT),
        **dict.fromkeys(("alkupv", "loppupv"), DATE),
    },
    "KUOLINPAIVA": {"kuollut": FLAG, "kuolinpv": DATE},
    "TURVAKIELTO": {"turvakieltoAktiivinen": FLAG, "turvaLoppuPv": DATE},
    "VAKINAINEN_KOTIMAINEN_OSOITE": {
        **dict.fromkeys(("katunimi", "postitoimipaikka"), NAMES),
        **dict.fromkeys(("katunumero", "huoneistonumero"), NUMBER_TOO),
        **dict.fromkeys(("huoneistokirjain", "jakokirjain", "postinumero", "kuntakoodi"), TEXT),
        **dict.fromkeys(("alkupv", "loppupv"), DATE),
    },
    "VAKINAINEN_ULKOMAINEN_OSOITE": {
        **dict.fromkeys(("lahiosoite", "paikkakunta", "valtiokoodi", "valtionimi"), TEXT),
        **dict.fromkeys(("alkupv", "loppupv"), DATE),
    },
    "KOTIKUNTA": {"kuntakoodi": TEXT, "kuntaanMuuttopv": DATE, "kuntaanMuuttoPv": DATE},
}
PLACES: Final = {"VAKINAINEN_KOTIMAINEN_OSOITE", "VAKINAINEN_ULKOMAINEN_OSOITE", "KOTIKUNTA"}


def varied(told: JSON, chance: random.Random, *, keep: frozenset[str] = frozenset()) -> str:
    """The text of the message, changed in one to three places; the members of ``keep`` at its top stay readable."""
    copy = json.loads(json.dumps(told))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        spots = [spot for spot in _spots(copy) if not (spot[0] is copy and spot[1] in keep)]
        if spots:
            holder, key = chance.choice(spots)
            chance.choice(WAYS)(holder, key, chance)
    return json.dumps(copy)


def _spots(value: JSON) -> Iterator[tuple[JSON, Any]]:
    """Every place in the message: what holds it, and the key or index there."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def _drop(holder: JSON, key: Any, _chance: random.Random) -> None:
    del holder[key]


def _double(holder: JSON, key: Any, chance: random.Random) -> None:
    if isinstance(holder, list):
        holder.insert(chance.randrange(len(holder) + 1), json.loads(json.dumps(holder[key])))
    else:
        holder[f"{key}2"] = holder[key]


def _retype(holder: JSON, key: Any, chance: random.Random) -> None:
    value = holder[key]
    others = [json.dumps(value), [value], {"arvo": value}, {str(value)[:20]: value}, str(value), len(str(value))]
    holder[key] = chance.choice(others)


def _replace(holder: JSON, key: Any, chance: random.Random) -> None:
    holder[key] = json.loads(json.dumps(chance.choice(ODD)))


def _cut(holder: JSON, key: Any, chance: random.Random) -> None:
    value = holder[key]
    if isinstance(value, str):
        holder[key] = value[: chance.randrange(len(value) + 1)]
    elif isinstance(value, list):
        del value[chance.randrange(len(value) + 1) :]
    elif isinstance(value, dict):
        for name in list(value)[chance.randrange(len(value) + 1) :]:
            del value[name]
    else:
        holder[key] = None


def _nest(holder: JSON, key: Any, chance: random.Random) -> None:
    value = holder[key]
    for _ in range(chance.choice((1, 1, 2, 200))):
        value = chance.choice(([value], {"arvo": value}, {"voimassaolevatTiedot": [value]}))
    holder[key] = value


def _rename(holder: JSON, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        name = chance.choice((key.upper(), key.lower(), key[:-1], f"{key}_", "", "tietoryhma", "voimassaolevatTiedot"))
        holder[name] = holder.pop(key)
    else:
        holder.reverse()


WAYS: Final[tuple[Callable[[JSON, Any, random.Random], None], ...]] = (
    *(_drop, _double, _retype, _replace, _replace, _cut, _nest, _rename),
)


WHOLE: Final = (
    *(b"", b"null", b"[]", b"{}", b"0", b'""', b"<html><body>Please sign in</body></html>", b"\xff\xfe\x00", b"NaN"),
    *(b"[" * 100_000, b'{"viimeisinKirjausavain": 1e999, "muutokset": []}', b'{"perustiedot": null}'),
)


def spoilt_body(body: bytes, chance: random.Random) -> bytes:
    """The body of an answer, spoilt as a whole: cut in most cases, else one of its outermost members, or nothing like
    an answer."""
    right = json.loads(body)
    name = chance.choice(list(right))
    without = {other: value for other, value in right.items() if other != name}
    return chance.choice(
        (
            *[body[: chance.randrange(len(body))] for _ in range(6)],
            json.dumps(without).encode(),
            json.dumps(without | {name: chance.choice(ODD)}).encode(),
            json.dumps(without | {name: [right[name]]}).encode(),
            json.dumps(without | {name.lower(): right[name]}).encode(),
            json.dumps([right]).encode(),
            body + body,
            body + b"}",
            body.decode().encode("utf-16"),
            chance.choice(WHOLE),
        )
    )


def is_as_agreed(told: JSON, *, with_time: bool) -> bool:
    """Whether the entry has the agreed form all through. What is not, only ever protects, and is asked (B14)."""
    if not isinstance(told, dict) or not isinstance(told.get("tietoryhmat"), list):
        return False
    return all(map(_is_row, told["tietoryhmat"])) and (not with_time or isinstance(told.get("muutospv"), str))


def _is_row(row: JSON) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("tietoryhma"), str):
        return False
    if not isinstance(row.get("muutosattribuutti"), str | None):
        return False
    shape = SHAPES.get(row["tietoryhma"], {})
    valid = row.get("voimassaolevatTiedot") if shape else None
    if not all(FORMS[form](row[name]) for name, form in shape.items() if row.get(name) is not None):
        return False
    return valid is None or (isinstance(valid, list) and all(_is_row(_as_of(row, part)) for part in valid))


def _as_of(row: JSON, part: JSON) -> JSON:
    """A row of what is valid, which is read as one of the same group."""
    return part | {"tietoryhma": row["tietoryhma"]} if isinstance(part, dict) and "tietoryhma" in part else part


def _is_text(value: JSON) -> bool:
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


FORMS: Final[dict[str, Callable[[JSON], bool]]] = {
    TEXT: _is_text,
    NUMBER_TOO: lambda value: _is_text(value) or type(value) is int,
    FLAG: lambda value: isinstance(value, bool),
    DATE: lambda value: (
        isinstance(value, dict) and _is_text(value.get("arvo")) and _is_text(value.get("tarkkuus", "PAIVA"))
    ),
    NAMES: lambda value: isinstance(value, dict) and all(_is_text(value.get(one) or "") for one in ("fi", "sv")),
    TEXTS: lambda value: isinstance(value, list) and all(map(_is_text, value)),
}


def may_start_a_ban(told: JSON) -> bool:
    """Whether a row that is there to be read says true, or is a place whose values are withheld (E32, E35)."""
    return any(
        (row["tietoryhma"] == "TURVAKIELTO" and row.get("turvakieltoAktiivinen") is True and not _is_wrong(row))
        or (row["tietoryhma"] in PLACES and "turvakiellonAlaisetKentat" in row)
        for row in _rows(told)
    )


def may_end_a_ban(told: JSON) -> bool:
    """Whether a false stands anywhere, without which nothing but silence ends a ban (E32)."""
    return '"turvakieltoAktiivinen": false' in json.dumps(told)


def _is_wrong(row: JSON) -> bool:
    return row.get("muutosattribuutti") == "KORJATTAVA"


def _rows(told: JSON) -> Iterator[dict[str, JSON]]:
    rows = told.get("tietoryhmat") if isinstance(told, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("tietoryhma"), str):
            yield row


def is_time(text: JSON) -> bool:
    """Whether the text is a moment with its zone."""
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
