"""VTJ's change interface (muutosrajapinta): its three calls, and their answers as typed rows (wire.md 2).

An answer is opened in three steps, each of which can fail by itself: the envelope, each person's entry, each row. So
one bad entry never costs another person's, and what can be read of a bad entry is kept: it may be a ban (B14).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Final, TypeVar

import msgspec

from registry.hetu import Hetu, check_character
from registry.record import Group
from vtjsync.wire.groups import ROW_TYPES, OtherRow, Row
from vtjsync.wire.line import Answer
from vtjsync.wire.xroad import XRoadClient

BASIC_DATA_MOST: Final = 1000

_CODE: Final = re.compile(r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]")
_UNDECODABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Plain numbers that VTJ has as text; codes with leading zeros are not among them.
_NUMBERS_AS_TEXT: Final = ("katunumero", "huoneistonumero")


class Entry(msgspec.Struct, frozen=True):
    """What an answer tells of one person.

    ``code`` is the identity code that it comes under, ``rows`` what could be read, in the answer's order.
    ``changed_at`` is ``muutospv`` as aware UTC, None when there is none that can be read, and always in basic data.
    ``readable`` is False when anything else could not be read: then ``rows`` may lack some.
    """

    code: Hetu
    rows: tuple[Row, ...]
    changed_at: datetime | None
    readable: bool


class ChangePage(msgspec.Struct, frozen=True):
    """A page of changes. ``key`` is the key to go on from; ask again until ``up_to_date``.

    ``at`` is the answer's own moment, aware UTC. ``broken`` counts the entries whose code cannot be read.
    """

    key: int
    entries: list[Entry]
    up_to_date: bool
    at: datetime | None
    broken: int


class BasicDataPage(msgspec.Struct, frozen=True):
    """Basic data of those that VTJ has; one it does not have is left out. ``at`` and ``broken`` as in a page of
    changes."""

    entries: list[Entry]
    up_to_date: bool
    at: datetime | None
    broken: int


class Muutosrajapinta:
    """The change interface behind a client of X-Road. Every call raises :class:`~vtjsync.wire.errors.VtjError`."""

    def __init__(self, client: XRoadClient) -> None:
        self.client = client

    def first_key(self, day: date) -> int:
        """The key with which the changes of that day begin (kirjausavain)."""
        answer = self.client.get(f"api/v1/kirjausavain/{day.isoformat()}")
        return _envelope(answer, _FirstKey).key

    def changes(self, key: int, codes: Sequence[Hetu]) -> ChangePage:
        """A page of what has changed of these persons after ``key``."""
        request = {"viimeisinKirjausavain": key, "hetulista": list(codes)}
        answer = self.client.post("api/v1/muutokset", msgspec.json.encode(request))
        page = _envelope(answer, _Changes)
        entries, broken = _entries(page.entries)
        return ChangePage(page.key, entries, page.up_to_date is True, answer.at, broken)

    def basic_data(
        self, codes: Sequence[Hetu], groups: Sequence[Group] | None = None, *, user_id: str | None = None
    ) -> BasicDataPage:
        """Basic data of at most 1000 persons, more is a ValueError; of all groups of the permit when none are named.

        ``user_id`` names the person who asks, if one does.
        """
        if len(codes) > BASIC_DATA_MOST:
            raise ValueError(f"basic data is asked for at most {BASIC_DATA_MOST} persons at a time")
        request: dict[str, list[str]] = {"hetulista": list(codes)}
        if groups is not None:
            request["tietoryhmat"] = [group.value for group in groups]
        answer = self.client.post("api/v1/perustiedot", msgspec.json.encode(request), user_id)
        page = _envelope(answer, _BasicData)
        entries, broken = _entries(page.entries)
        return BasicDataPage(entries, page.up_to_date is not False, answer.at, broken)


_Key = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _FirstKey(msgspec.Struct):
    key: _Key = msgspec.field(name="viimeisinKirjausavain")


class _Changes(msgspec.Struct):
    key: _Key = msgspec.field(name="viimeisinKirjausavain")
    entries: list[msgspec.Raw] = msgspec.field(name="muutokset")
    up_to_date: bool | None = msgspec.field(name="ajanTasalla", default=None)


class _BasicData(msgspec.Struct):
    entries: list[msgspec.Raw] = msgspec.field(name="perustiedot")
    up_to_date: bool | None = msgspec.field(name="ajanTasalla", default=None)


class _Entry(msgspec.Struct):
    henkilotunnus: str
    tietoryhmat: list[msgspec.Raw]
    muutospv: msgspec.Raw = msgspec.Raw()


class _Bare(msgspec.Struct):
    henkilotunnus: str
    muutospv: msgspec.Raw = msgspec.Raw()


class _Head(msgspec.Struct):
    tietoryhma: str


_Envelope = TypeVar("_Envelope")

_ENTRY: Final = msgspec.json.Decoder(_Entry)
_BARE: Final = msgspec.json.Decoder(_Bare)
_HEAD: Final = msgspec.json.Decoder(_Head)
_OTHER: Final = msgspec.json.Decoder(OtherRow)
_ROWS: Final = {name: msgspec.json.Decoder(row) for name, row in ROW_TYPES.items()}


def _envelope(answer: Answer, form: type[_Envelope]) -> _Envelope:
    """The outermost level of the answer. Not strict: the key comes as a number or a string."""
    for prepare in (bytes, _with_surrogates_as_bytes):
        with suppress(*_UNDECODABLE, ValueError):
            return msgspec.json.decode(prepare(answer.body), type=form, strict=False)
    raise answer.unreadable()


def _with_surrogates_as_bytes(body: bytes) -> bytes:
    """The same JSON with lone surrogates not escaped: bad bytes then, which make one row unreadable.

    msgspec refuses the whole text for such an escape, which the grammar of JSON allows. Raises ValueError.
    """
    told = json.loads(body.decode("utf-8-sig", "surrogateescape"), strict=False)
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _entries(raws: list[msgspec.Raw]) -> tuple[list[Entry], int]:
    entries = [entry for raw in raws if (entry := _entry(raw)) is not None]
    return entries, len(raws) - len(entries)


def _entry(raw: msgspec.Raw) -> Entry | None:
    """The entry; None when its code cannot be read."""
    try:
        wire = _ENTRY.decode(raw)
    except _UNDECODABLE:
        return _damaged(raw)
    code = identity_code(wire.henkilotunnus)
    if code is None:
        return None
    rows = tuple(row for part in wire.tietoryhmat if (row := _row(part)) is not None)
    return Entry(code, rows, _moment(wire.muutospv), len(rows) == len(wire.tietoryhmat))


def _damaged(raw: msgspec.Raw) -> Entry | None:
    """An entry of another form than agreed: its code and time, if those can be read."""
    try:
        wire = _BARE.decode(raw)
    except _UNDECODABLE:
        return None
    code = identity_code(wire.henkilotunnus)
    return None if code is None else Entry(code, (), _moment(wire.muutospv), readable=False)


def _row(raw: msgspec.Raw) -> Row | None:
    """The row of one data group; None when it cannot be read."""
    try:
        decoder = _ROWS.get(_HEAD.decode(raw).tietoryhma, _OTHER)
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError:
            return decoder.decode(msgspec.json.encode(_with_text(msgspec.json.decode(raw))))
    except _UNDECODABLE:
        return None


def _with_text(part: object) -> object:
    """The same JSON with house and apartment numbers as text, wherever they are plain numbers."""
    if isinstance(part, list):
        return [_with_text(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: str(value) if name in _NUMBERS_AS_TEXT and type(value) is int else _with_text(value)
        for name, value in part.items()
    }


def identity_code(text: str) -> Hetu | None:
    """The identity code that the text spells, None when it is none: test codes and others alike.

    A code that only looks like one would be nobody's, and what it tells would be lost: it is broken (B14).
    """
    code = text.strip().upper()
    if _CODE.fullmatch(code) is None or check_character(code[:6], code[7:10]) != code[10]:
        return None
    return Hetu(code)


def _moment(raw: msgspec.Raw) -> datetime | None:
    """``"2020-10-01T04:38:04.394Z"`` as aware UTC; None when it is missing, has no zone or is no time."""
    try:
        moment = datetime.fromisoformat(msgspec.json.decode(raw, type=str))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (*_UNDECODABLE, ValueError, OverflowError):
        return None
