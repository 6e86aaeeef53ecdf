"""Bans, places and corrected codes in every order: in an entry, in a page and in a run (domain.md D27-D30, E34-E37)."""

from __future__ import annotations

from dataclasses import replace

from registry.record import PersonRecord
from tests.engine.cases.attributes import HIDDEN, SHOWN, STOCKHOLM
from tests.engine.cases.case import NEW, OWN, THIRD, TWIN, Case, Told
from tests.engine.cases.values import LIVES_ABROAD, TURKU
from tests.reading.rows import (
    ENTRY,
    HOUR,
    JSON,
    PROTECTED,
    RECORD,
    STATE,
    ban,
    censored,
    code,
    foreign,
    home,
    moved,
    municipality,
    name,
    old_home,
    row,
    valid,
)
from vtjsync.reading.outcome import Ask

FIRST, SECOND, THEN = ENTRY - 2 * HOUR, ENTRY - HOUR, ENTRY
NEW_HOME = moved().home
AT_NEW = replace(SHOWN, home=NEW_HOME)
RENAMED = replace(RECORD, last_name="Uusinen")
MOVE = [home("LISATTY"), old_home("MUUTETTU")]
CENSORED = [censored("VAKINAINEN_KOTIMAINEN_OSOITE", "LISATIETO"), censored("KOTIKUNTA", "LISATIETO")]

IN_AN_ENTRY = [
    Case("E34", "a ban with a readable move", [*MOVE, ban("LISATTY")], HIDDEN),
    Case(
        "E34",
        "a ban with every place",
        [home("LISATTY"), foreign("LISATTY"), municipality("LISATTY"), ban("MUUTETTU")],
        HIDDEN,
    ),
    Case("E34", "a ban with censored places", [ban("LISATTY"), *CENSORED], HIDDEN),
    Case("E34", "a ban and a name", [ban("LISATTY"), name("LISATTY")], replace(HIDDEN, last_name="Uusinen")),
    Case("E34", "a ban of somebody abroad", [ban("LISATTY")], HIDDEN, before=LIVES_ABROAD),
    Case("E32", "true beside false", [ban("LISATTY"), ban("MUUTETTU", False)], HIDDEN, Ask.BAN),
    Case(
        "E32", "true beside false under a ban", [ban("LISATTY"), ban("MUUTETTU", False)], ask=Ask.BAN, before=PROTECTED
    ),
    Case("E32", "a true that is corrected away", [ban("KORJATTAVA"), ban("KORJATTU", False)]),
    Case(
        "E37",
        "a true that is corrected away under a ban",
        [ban("KORJATTAVA"), ban("KORJATTU", False)],
        SHOWN,
        Ask.REVEAL,
        before=PROTECTED,
        reveal=True,
    ),
    Case("E32", "a false that is corrected", [ban("KORJATTAVA", False), ban("KORJATTU")], HIDDEN),
    Case("E32", "a removed ban that leaves one", [ban("POISTETTU", False) | valid(ban(None))], HIDDEN),
    Case(
        "E32", "a removed ban that leaves nothing", [ban("POISTETTU", False) | valid()], ask=Ask.BAN, before=PROTECTED
    ),
    Case(
        "E37",
        "a removed ban that leaves a false",
        [ban("POISTETTU", False) | valid(ban(None, False))],
        SHOWN,
        Ask.REVEAL,
        before=PROTECTED,
        reveal=True,
    ),
    Case("E35", "a censored place beside a false", [ban("LISATTY", False), censored()], ask=Ask.BAN, before=PROTECTED),
    Case("E35", "a censored place beside a readable one", [home("LISATTY"), censored()], HIDDEN, Ask.BAN),
    Case("E35", "a censored place with nothing in its list", [censored(fields=[])], HIDDEN, Ask.BAN),
    Case("E35", "a censored place with null for its list", [censored(fields=None)], HIDDEN, Ask.BAN),
    Case("E35", "a censored place among what is valid", [old_home("POISTETTU") | valid(CENSORED[0])], HIDDEN, Ask.BAN),
    Case("E35", "a censored move under a ban, with the ban told", [censored(), ban("LISATIETO")], before=PROTECTED),
    Case(
        "E37",
        "the end with places",
        [ban("MUUTETTU", False), home("LISATIETO"), municipality("LISATIETO")],
        replace(AT_NEW, municipality=TURKU),
        Ask.REVEAL,
        before=PROTECTED,
        reveal=True,
    ),
    Case(
        "E37",
        "the end with an address abroad",
        [ban("MUUTETTU", False), foreign("LISATIETO")],
        replace(SHOWN, foreign=frozenset({STOCKHOLM})),
        Ask.REVEAL,
        before=PROTECTED,
        reveal=True,
    ),
    Case(
        "E37",
        "the end with an address that has ended",
        [ban("MUUTETTU", False), old_home("LISATIETO")],
        SHOWN,
        Ask.REVEAL,
        before=PROTECTED,
        reveal=True,
    ),
    Case(
        "E37",
        "the end of a ban of which nobody knows since when",
        [ban("MUUTETTU", False)],
        SHOWN,
        Ask.REVEAL,
        before=replace(PROTECTED, ban_since=None),
        reveal=True,
    ),
    Case("E36", "a move that can be read under a ban", MOVE, ask=Ask.BAN, before=PROTECTED),
    Case("E36", "a name under a ban", [name("LISATTY")], replace(HIDDEN, last_name="Uusinen"), before=PROTECTED),
]


def each(told: list[list[JSON]]) -> list[Told]:
    """Entries that follow each other by an hour."""
    return [Told(rows, FIRST + number * HOUR) for number, rows in enumerate(told)]


def in_a_page_and_in_a_run(
    name_: str,
    told: list[list[JSON]],
    after: PersonRecord | None,
    applied: tuple[str, ...],
    **more: object,
) -> list[Case]:
    """The entries in one page, and each in a page of its own."""
    rule = str(more.pop("rule", "E34"))
    entries = each(told)
    one = Case(rule, f"{name_}, in a page", after=after, applied=applied, pages=[entries], **more)  # type: ignore[arg-type]
    return [one, replace(one, name=f"{name_}, in a run", pages=[[entry] for entry in entries])]


IN_A_RUN = [
    *in_a_page_and_in_a_run("a move, then a ban", [MOVE, [ban("LISATTY")]], HIDDEN, ("protected",)),
    *in_a_page_and_in_a_run("a ban, then a move", [[ban("LISATTY")], MOVE], HIDDEN, ("protected",), ask=Ask.BAN),
    *in_a_page_and_in_a_run(
        "a ban, then a censored move", [[ban("LISATTY")], CENSORED], HIDDEN, ("protected",), ask=Ask.BAN
    ),
    *in_a_page_and_in_a_run(
        "a move, a ban, a move", [MOVE, [ban("LISATTY")], MOVE], HIDDEN, ("protected",), ask=Ask.BAN
    ),
    *in_a_page_and_in_a_run("a move, then a censored place", [MOVE, [censored()]], HIDDEN, ("protected",), ask=Ask.BAN),
    *in_a_page_and_in_a_run(
        "a move, a name, a ban",
        [MOVE, [name("LISATTY")], [ban("LISATTY")]],
        replace(HIDDEN, last_name="Uusinen"),
        ("last_name", "protected"),
    ),
    *in_a_page_and_in_a_run(
        "a move, a ban, its end with the place",
        [
            [home("LISATTY", "Välitie", "2026-02-01"), old_home("MUUTETTU", "2026-01-31")],
            [ban("LISATTY")],
            [ban("MUUTETTU", False), home("LISATIETO")],
        ],
        AT_NEW,
        ("protected", "protected", "home"),
        rule="E37",
        ask=Ask.REVEAL,
        reveal=True,
    ),
    *in_a_page_and_in_a_run(
        "the end of a ban, and a new one",
        [[ban("MUUTETTU", False), home("LISATIETO")], [ban("LISATTY")]],
        HIDDEN,
        ("protected", "protected"),
        before=PROTECTED,
        ask=Ask.REVEAL,
    ),
    *in_a_page_and_in_a_run(
        "the end of a ban, then a move",
        [[ban("MUUTETTU", False), home("LISATIETO", "Vanhatie", "2010-05-01")], MOVE],
        AT_NEW,
        ("protected", "home", "home"),
        rule="E37",
        before=PROTECTED,
        ask=Ask.REVEAL,
        reveal=True,
    ),
    *in_a_page_and_in_a_run(
        "two moves",
        [
            [home("LISATTY", "Välitie", "2026-02-01"), old_home("MUUTETTU", "2026-01-31")],
            [home("LISATTY"), home("MUUTETTU", "Välitie", "2026-02-01", "2026-02-28")],
        ],
        moved(),
        ("home", "home"),
        rule="C20",
    ),
    *in_a_page_and_in_a_run(
        "two names", [[name("LISATTY", "Ensin")], [name("LISATTY")]], RENAMED, ("last_name", "last_name"), rule="C"
    ),
]


def repeated(
    rule: str, name_: str, told: list[list[JSON]], after: PersonRecord, applied: tuple[str, ...], **more: object
) -> list[Case]:
    """The same entries come twice: in one page, and in a page that is repeated."""
    entries = each(told)
    one = Case(rule, f"{name_}, twice in a page", after=after, applied=applied, pages=[[*entries, *entries]], **more)  # type: ignore[arg-type]
    return [one, replace(one, name=f"{name_}, a page twice", pages=[entries, entries])]


# An entry that is older than the newest one applied is old news: asked, not applied (B13, C22).
OLD_NEWS = [
    *repeated("B13", "a name", [[name("LISATTY")]], RENAMED, ("last_name",)),
    *repeated(
        "B13",
        "two names",
        [[name("LISATTY", "Ensin")], [name("LISATTY")]],
        RENAMED,
        ("last_name", "last_name"),
        ask=Ask.OLDER,
    ),
    *repeated("B13", "a move", [MOVE], moved(), ("home",)),
    *repeated("B13", "a ban", [[ban("LISATTY")]], HIDDEN, ("protected",)),
    *repeated(
        "B13",
        "a ban and its end",
        [[ban("LISATTY")], [ban("MUUTETTU", False)]],
        SHOWN,
        ("protected", "protected"),
        ask=Ask.BAN,
        reveal=True,
        hidden=True,
    ),
    *repeated(
        "B13",
        "the end of a ban and a new one",
        [[ban("MUUTETTU", False)], [ban("LISATTY")]],
        HIDDEN,
        ("protected", "protected"),
        before=PROTECTED,
        ask=Ask.BAN,
    ),
    Case(
        "E32",
        "an end of a ban from before its start",
        after=HIDDEN,
        ask=Ask.BAN,
        pages=[[Told([ban("LISATTY")], THEN), Told([ban("MUUTETTU", False)], FIRST)]],
    ),
    Case(
        "C22",
        "a move from before another that was applied",
        after=moved(),
        ask=Ask.PLACE,
        pages=[[Told(MOVE, THEN)], [Told([home("LISATTY", "Välitie", "2026-02-01")], FIRST)]],
    ),
]

REPLACED = [code("LISATTY", "AKTIIVI", NEW, NEW, [OWN]), code("MUUTETTU", "PASSIIVI", OWN, NEW, [OWN])]
AGAIN = [code("LISATTY", "AKTIIVI", THIRD, THIRD, [OWN, NEW]), code("MUUTETTU", "PASSIIVI", NEW, THIRD, [OWN, NEW])]
MERGED = [code("LISATIETO", "AKTIIVI", OWN, OWN, [NEW]), code("MUUTETTU", "PASSIIVI", NEW, OWN, [NEW])]
TWINS = [code("LISATIETO", "AKTIIVI", OWN, OWN, [TWIN]), code("MUUTETTU", "PASSIIVI", TWIN, OWN, [TWIN])]
INTO_TWIN = [code("LISATTY", "AKTIIVI", TWIN, TWIN, [OWN]), code("MUUTETTU", "PASSIIVI", OWN, TWIN, [OWN])]
DEEP: JSON = code(None, "AKTIIVI", NEW, NEW, [OWN])
for _ in range(300):
    DEEP = code("POISTETTU", "AKTIIVI", NEW, NEW, [OWN]) | valid(DEEP)
ABROAD_TOO = replace(STATE, record=replace(RECORD, foreign=frozenset({STOCKHOLM})))

CODES = [
    Case("D27", "one code replaced", REPLACED, ask=Ask.CODE, codes=(NEW, OWN)),
    Case("D27", "one code replaced, the passive row alone", REPLACED[1:], ask=Ask.CODE, codes=(NEW, OWN)),
    Case(
        "D27",
        "one code replaced, with what comes along",
        [*REPLACED, name("LISATIETO", "Mallinen"), row("SYNTYMAPAIVA", "MUUTETTU")],
        ask=Ask.CODE,
        codes=(NEW, OWN),
    ),
    Case("D27", "a code replaced and a name", [*REPLACED, name("LISATTY")], RENAMED, Ask.CODE, codes=(NEW, OWN)),
    Case("D27", "a code replaced and a ban", [*REPLACED, ban("LISATTY")], HIDDEN, Ask.CODE, codes=(NEW, OWN)),
    Case("D27", "a code of VTJ's that nobody had here is removed", MERGED, ask=Ask.CODE, codes=(OWN, NEW)),
    Case(
        "D27",
        "a correction of the correction",
        [code("KORJATTAVA", "AKTIIVI", THIRD, THIRD, [OWN]), code("KORJATTU", "AKTIIVI", NEW, NEW, [OWN])],
        ask=Ask.CODE,
        codes=(NEW, OWN),
    ),
    Case(
        "D27",
        "a removed code with what is valid",
        [code("POISTETTU", "PASSIIVI", OWN, NEW) | valid(REPLACED[0])],
        ask=Ask.CODE,
        codes=(NEW, OWN),
    ),
    Case("D27", "rows that disagree", [REPLACED[0], code("MUUTETTU", "PASSIIVI", OWN, THIRD)], ask=Ask.CODE),
    Case("D27", "a code that is none", [code("LISATTY", "AKTIIVI", NEW, NEW, ["010101-XXXX"])], ask=Ask.CODE),
    Case("D27", "a code that cannot be stored", [code("LISATTY", "AKTIIVI", NEW, NEW, ["\x00"])], ask=Ask.CODE),
    Case("D27", "rows that lie deep", [DEEP], ask=Ask.CODE, codes=(NEW, OWN)),
    Case("D27", "told for context only", MERGED[:1]),
    Case(
        "D27",
        "a chain in a page, the second under the new code",
        ask=Ask.CODE,
        codes=(THIRD, OWN, NEW),
        applied=("code", "code"),
        pages=[[Told(REPLACED, FIRST), Told(AGAIN, SECOND, NEW)]],
    ),
    Case(
        "D27",
        "a chain in a run",
        ask=Ask.CODE,
        codes=(THIRD, OWN, NEW),
        applied=("code", "code"),
        pages=[[Told(REPLACED, FIRST)], [Told(AGAIN, SECOND, NEW)]],
    ),
    Case(
        "B13",
        "a chain that comes twice",
        ask=Ask.CODE,
        codes=(THIRD, OWN, NEW),
        applied=("code", "code"),
        pages=[[Told(REPLACED, FIRST), Told(AGAIN, SECOND, NEW), Told(REPLACED, FIRST), Told(AGAIN, SECOND, NEW)]],
    ),
    Case(
        "D28",
        "entries under the new code and under the old one",
        after=RENAMED,
        ask=Ask.CODE,
        codes=(NEW, OWN),
        applied=("code", "last_name", "last_name"),
        pages=[[Told(REPLACED, FIRST), Told([name("LISATTY", "Ensin")], SECOND, NEW), Told([name("LISATTY")], THEN)]],
    ),
    Case("D29", "no active code", [code("MUUTETTU", "PASSIIVI", OWN, None)], problem="NO_SUCCESSOR"),
    Case(
        "D29",
        "no active code, and a successor after all",
        ask=Ask.CODE,
        codes=(NEW, OWN),
        pages=[[Told([code("MUUTETTU", "PASSIIVI", OWN, None)], FIRST)], [Told(REPLACED, SECOND)]],
    ),
    Case("D30", "two entries are one person", TWINS, ask=Ask.CODE, problem="TWO_ENTRIES", twin=STATE),
    Case("D30", "the new code is another entry's", INTO_TWIN, ask=Ask.CODE, problem="TWO_ENTRIES", twin=STATE),
    Case(
        "D30",
        "the other entry is protected",
        TWINS,
        HIDDEN,
        Ask.CODE,
        before=ABROAD_TOO,
        problem="TWO_ENTRIES",
        twin=PROTECTED,
    ),
    Case(
        "D30",
        "this entry is protected",
        TWINS,
        ask=Ask.CODE,
        before=PROTECTED,
        problem="TWO_ENTRIES",
        twin=ABROAD_TOO,
        twin_after=HIDDEN,
    ),
    Case(
        "D30",
        "a ban in the same entry",
        [*TWINS, ban("LISATTY")],
        HIDDEN,
        Ask.CODE,
        problem="TWO_ENTRIES",
        twin=STATE,
        twin_after=HIDDEN,
    ),
    Case(
        "D30",
        "a ban later, and no end of it",
        after=HIDDEN,
        ask=Ask.REVEAL,
        problem="TWO_ENTRIES",
        twin=STATE,
        twin_after=HIDDEN,
        applied=("protected",),
        pages=[
            [Told(TWINS, FIRST), Told([ban("LISATTY")], SECOND)],
            [Told([ban("MUUTETTU", False), home("LISATIETO")], THEN)],
        ],
    ),
]

CASES = [*IN_AN_ENTRY, *IN_A_RUN, *OLD_NEWS, *CODES]
