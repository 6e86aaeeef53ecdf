"""Corrected identity codes: domain.md D27, D28, D29."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.hetu import Hetu
from tests.reading.rows import OTHER, OWN, RECORD, THIRD, Case, code, name, valid
from vtjsync.reading.outcome import Ask, CodeFinding

REPLACED = CodeFinding(OWN, frozenset({OTHER}))


def found(active: Hetu | None, *former: Hetu) -> dict[str, object]:
    return {"codes": CodeFinding(active, frozenset(former))}


NOTHING = {"codes": None}

CHANGES = [
    Case(
        "D27 one code replaced",
        [code("LISATTY", "AKTIIVI", OWN, OWN, [OTHER]), code("MUUTETTU", "PASSIIVI", OTHER, OWN, [OTHER])],
        ask=Ask.CODE,
        more={"codes": REPLACED},
    ),
    Case(
        "D27 and the rest of the entry",
        [code("LISATTY", "AKTIIVI", OWN, OWN, [OTHER]), code("MUUTETTU", "PASSIIVI", OTHER, OWN), name("LISATTY")],
        replace(RECORD, last_name="Uusinen"),
        Ask.CODE,
        more={"codes": REPLACED},
    ),
    Case(
        "D27 two codes found to be one person",
        [code("LISATIETO", "AKTIIVI", OWN, OWN), code("MUUTETTU", "PASSIIVI", OTHER, OWN)],
        ask=Ask.CODE,
        more={"codes": REPLACED},
    ),
    Case(
        "D27 three codes found to be one person",
        [
            code("LISATIETO", "AKTIIVI", OWN, OWN),
            code("MUUTETTU", "PASSIIVI", OTHER, OWN),
            code("MUUTETTU", "PASSIIVI", THIRD, OWN),
        ],
        ask=Ask.CODE,
        more=found(OWN, OTHER, THIRD),
    ),
    Case(
        "D27 every earlier code is former",
        [code("LISATTY", "AKTIIVI", OWN, OWN, [OTHER, THIRD, OWN])],
        ask=Ask.CODE,
        more=found(OWN, OTHER, THIRD),
    ),
    Case(
        "D27 the surviving code's own row tells earlier codes",
        [code("LISATIETO", "AKTIIVI", OWN, OWN, [THIRD]), code("MUUTETTU", "PASSIIVI", OTHER, OWN)],
        ask=Ask.CODE,
        more=found(OWN, OTHER, THIRD),
    ),
    Case(
        "D27 one code replaced by two",
        [code("MUUTETTU", "PASSIIVI", OTHER, OWN), code("MUUTETTU", "PASSIIVI", OTHER, THIRD)],
        ask=Ask.CODE,
        more=NOTHING,
    ),
    Case(
        "D27 only the passive row", [code("MUUTETTU", "PASSIIVI", OTHER, OWN)], ask=Ask.CODE, more={"codes": REPLACED}
    ),
    Case(
        "D27 a correction of a correction",
        [code("KORJATTAVA", "AKTIIVI", THIRD, THIRD), code("KORJATTU", "AKTIIVI", OWN, OWN, [OTHER])],
        ask=Ask.CODE,
        more={"codes": REPLACED},
    ),
    Case("D27 KORJATTAVA alone", [code("KORJATTAVA", "AKTIIVI", OWN, OWN)], ask=Ask.CODE, more=NOTHING),
    Case(
        "D27 POISTETTU with what is valid",
        [code("POISTETTU", "PASSIIVI", OTHER, OWN) | valid(code(None, "AKTIIVI", OWN, OWN, [OTHER]))],
        ask=Ask.CODE,
        more={"codes": REPLACED},
    ),
    Case(
        "D27 POISTETTU with an empty list",
        [code("POISTETTU", "PASSIIVI", OTHER, OWN) | valid()],
        ask=Ask.CODE,
        more=NOTHING,
    ),
    Case("D27 told for context only", [code("LISATIETO", "AKTIIVI", OWN, OWN)], more=NOTHING),
    Case(
        "D27 two active codes",
        [code("LISATTY", "AKTIIVI", OWN, OWN), code("MUUTETTU", "PASSIIVI", OTHER, THIRD)],
        ask=Ask.CODE,
        more=NOTHING,
    ),
    Case("D27 an active row about another code", [code("LISATTY", "AKTIIVI", OTHER, OWN)], ask=Ask.CODE, more=NOTHING),
    Case(
        "D27 a passive row about the active code", [code("LISATTY", "PASSIIVI", OWN, OWN)], ask=Ask.CODE, more=NOTHING
    ),
    Case("D27 an unknown validity", [code("LISATTY", "EHKA", OWN, OWN)], ask=Ask.CODE, more=NOTHING),
    Case("D27 an unknown attribute", [code("VAIHDETTU", "AKTIIVI", OWN, OWN)], ask=Ask.CODE, more=NOTHING),
    Case(
        "D27 a code that is none", [code("LISATTY", "AKTIIVI", OWN, OWN, ["010101-XXXX"])], ask=Ask.CODE, more=NOTHING
    ),
    Case("D27 a row that tells nothing", [code("LISATTY", None, None, None)], ask=Ask.CODE, more=NOTHING),
    Case("D29 no active code", [code("MUUTETTU", "PASSIIVI", OTHER, None)], more=found(None, OTHER)),
    Case(
        "D29 an active row without a code is not believed",
        [code("MUUTETTU", "AKTIIVI", OTHER, None)],
        ask=Ask.CODE,
        more=NOTHING,
    ),
    Case(
        "D29 an active code in one row only",
        [code("LISATTY", "AKTIIVI", OWN, OWN), code("MUUTETTU", "PASSIIVI", OTHER, None)],
        ask=Ask.CODE,
        more=NOTHING,
    ),
]
CODE_OF_ALL = {"unreadable": frozenset({"HENKILOTUNNUS_KORJAUS"}), "codes": None, "contradicting": frozenset()}
DISAGREES = CODE_OF_ALL | {"contradicting": frozenset({"HENKILOTUNNUS_KORJAUS"})}
BASIC_DATA = [
    Case("D27 basic data under the same code", [code(None, "AKTIIVI", OWN, OWN, [])], more=found(OWN)),
    Case(
        "D27 basic data with an active code that differs",
        [code(None, "PASSIIVI", OTHER, OWN, [OTHER])],
        more={"codes": REPLACED},
    ),
    Case("D27 basic data with a bare row", [code(None, None, None, None)], more=NOTHING),
    Case("D27 basic data with a bare active row", [code(None, "AKTIIVI", None, None, [])], more=NOTHING),
    Case("D29 basic data without an active code", [code(None, "PASSIIVI", OTHER, None, [])], more=found(None, OTHER)),
    Case("D27 basic data that disagrees with itself", [code(None, "AKTIIVI", OTHER, OWN)], more=DISAGREES),
    Case(
        "D27 basic data with two active codes",
        [code(None, "AKTIIVI", OWN, OWN), code(None, "PASSIIVI", OTHER, THIRD)],
        more=DISAGREES,
    ),
    Case("D27 basic data with an attribute unknown", [code("VAIHDETTU", "AKTIIVI", OWN, OWN)], more=CODE_OF_ALL),
]


@pytest.mark.parametrize("case", CHANGES, ids=str)
def test_codes_of_a_change(case: Case) -> None:
    case.check(case.changed())


@pytest.mark.parametrize("case", BASIC_DATA, ids=str)
def test_codes_of_basic_data(case: Case) -> None:
    outcome = case.answered()
    assert {name: getattr(outcome, name) for name in case.more} == case.more
    assert outcome.ask is None
