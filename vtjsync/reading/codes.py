"""What HENKILOTUNNUS_KORJAUS tells of a person's identity codes (domain.md D27, D29)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from registry.hetu import Hetu, InvalidHetu, parse
from vtjsync.reading.bans import Table
from vtjsync.reading.meaning import STORED, VALID_NOW, Contradicts, Meaning, Unclear
from vtjsync.reading.outcome import CodeFinding
from vtjsync.wire.groups import CodeRow, Row

ACTIVE: Final = "AKTIIVI"
PASSIVE: Final = "PASSIIVI"


def finding(rows: Sequence[Row], table: Table) -> CodeFinding | None:
    """The active code and the former ones; None when no row tells anything.

    All rows must name one and the same active code. No active code at all is believed only when every row is passive
    (D29). Rows that only tell for context (LISATIETO) change nothing; beside others they count, since the surviving
    code of a merge comes in one. Whether the active code differs from the one held, and whether the setting allows
    it (A7), is for the caller to compare. Raises :class:`Unclear`, for rows that disagree :class:`Contradicts`.
    """
    told, context = _told(rows, table)
    if not told:
        return None
    told = [*told, *context]
    if table is VALID_NOW and all(_bare(row) for row in told):
        return None
    actives = {code(row.aktiivinenHenkilotunnus) for row in told}
    if len(actives) != 1:
        raise Contradicts("active code")
    active = actives.pop()
    former: set[Hetu] = set()
    for row in told:
        changed = code(row.muutettuHenkilotunnus)
        if not _agrees(row.voimassaolo, active, changed):
            raise Contradicts("validity")
        former.update(one for one in map(code, row.edellisetHenkilotunnukset or ()) if one)
        former.update({changed} if changed else ())
    return CodeFinding(active, frozenset(former - {active}))


def _told(rows: Sequence[Row], table: Table) -> tuple[list[CodeRow], list[CodeRow]]:
    """The rows that change something and those told for context. A removed one gives way to what is valid now."""
    told: list[CodeRow] = []
    context: list[CodeRow] = []
    met: list[Meaning] = []
    for row in (row for row in rows if isinstance(row, CodeRow)):
        meaning = table.get(row.muutosattribuutti)
        if meaning is None:
            raise Unclear("attribute")
        met.append(meaning)
        if meaning in STORED:
            told.append(row)
        elif meaning is Meaning.CONTEXT:
            context.append(row)
        elif meaning is Meaning.REMOVED:
            if not row.voimassaolevatTiedot:
                raise Unclear("nothing valid")
            told.extend(row.voimassaolevatTiedot)
    if met.count(Meaning.WRONG) != met.count(Meaning.CORRECTED):
        raise Unclear("correction")
    return told, context


def _agrees(validity: str | None, active: Hetu | None, changed: Hetu | None) -> bool:
    """Whether the row's own validity fits the active code."""
    if validity is None:
        return active is not None
    if validity == ACTIVE:
        return active is not None and changed in {None, active}
    return validity == PASSIVE and (active is None or changed != active)


def _bare(row: CodeRow) -> bool:
    return row.voimassaolo in {None, ACTIVE} and not (
        row.aktiivinenHenkilotunnus or row.muutettuHenkilotunnus or row.edellisetHenkilotunnukset
    )


def code(text: str | None) -> Hetu | None:
    """The well-formed code, permanent or test; None when there is none. Raises :class:`Unclear` for any other text."""
    if text is None:
        return None
    for test_codes in (False, True):
        with suppress(InvalidHetu):
            return parse(text, test_codes=test_codes)
    raise Unclear("code")
