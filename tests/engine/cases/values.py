"""Moves, corrections, removals, deaths, names and days: domain.md C20-C26."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from registry.record import ForeignAddress, HomeAddress, Municipality, PartialDate, Precision
from tests.engine.cases.attributes import STOCKHOLM
from tests.engine.cases.case import Case, Told
from tests.reading.rows import (
    ABROAD,
    ENTRY,
    HOUR,
    RECORD,
    STATE,
    abroad,
    ban,
    day,
    death,
    foreign,
    home,
    language,
    moved,
    municipality,
    name,
    old_home,
    row,
    valid,
)
from vtjsync.reading.outcome import Ask

TURKU = Municipality("837", day("2026-03-01"))
LIVES_ABROAD = replace(STATE, record=replace(RECORD, foreign=frozenset({ABROAD})))
AT_TWO = replace(STATE, record=replace(RECORD, foreign=frozenset({ABROAD, STOCKHOLM})))
DEAD = replace(STATE, record=replace(RECORD, deceased=True, death_date=day("2026-03-02")))
NAMELESS = replace(STATE, record=replace(RECORD, first_names=None, last_name=None))
HIDDEN = replace(RECORD.without_location(), protected=True)

MOVES = [
    Case("C20", "a move: the new address, then the old one", [home("LISATTY"), old_home("MUUTETTU")], moved()),
    Case(
        "C20",
        "a move to another municipality, with groups that nobody was told of",
        [
            home("LISATTY"),
            old_home("MUUTETTU"),
            municipality("LISATTY"),
            row("EDELLINEN_KOTIKUNTA", "MUUTETTU", kuntakoodi="091"),
        ],
        replace(moved(), municipality=TURKU),
    ),
    Case(
        "C20",
        "a move abroad",
        [old_home("MUUTETTU"), foreign("LISATTY"), municipality("LISATTY", "200")],
        replace(RECORD, home=None, foreign=frozenset({STOCKHOLM}), municipality=Municipality("200", day("2026-03-01"))),
    ),
    Case(
        "C20",
        "a move home from abroad",
        [abroad("MUUTETTU", "2026-02-28"), home("LISATTY"), municipality("LISATTY")],
        replace(moved(), municipality=TURKU),
        before=LIVES_ABROAD,
    ),
    Case("C20", "the held address ended and nothing is current", [old_home("MUUTETTU")], moved(None)),
    Case("C20", "another address has ended", [home("MUUTETTU", "Muutie", "2000-01-01", "2010-04-30")]),
    Case("C20", "an ended one: same place, other start", [old_home("MUUTETTU", start="2011-05-01")], ask=Ask.PLACE),
    Case("C20", "an ended one: same place, no start", [old_home("MUUTETTU", start=None)], ask=Ask.PLACE),
    Case(
        "C20",
        "an ended one, and the start of the one held is not known",
        [old_home("MUUTETTU")],
        ask=Ask.PLACE,
        before=replace(STATE, record=replace(RECORD, home=replace(RECORD.home or HomeAddress(), start=None))),
    ),
    Case("C20", "two current addresses", [home("LISATTY"), home("LISATTY", "Toinentie")], ask=Ask.PLACE),
    Case("C20", "the same address twice", [home("LISATTY"), home("LISATTY"), old_home("MUUTETTU")], moved()),
    Case("C20", "the old one without its end", [home("LISATTY"), old_home("MUUTETTU", None)], ask=Ask.PLACE),
    Case("C20", "old and new municipality", [municipality("LISATTY"), municipality("MUUTETTU", "091")], ask=Ask.PLACE),
    Case("C20", "a second address abroad", [foreign("LISATTY")], ask=Ask.PLACE, before=LIVES_ABROAD),
    Case(
        "C20",
        "a second address abroad and the first told again",
        [foreign("LISATTY"), abroad("MUUTETTU")],
        AT_TWO.record,
        before=LIVES_ABROAD,
    ),
    Case(
        "C20",
        "from one address abroad to another",
        [foreign("LISATTY"), abroad("MUUTETTU", "2026-02-28")],
        replace(RECORD, foreign=frozenset({STOCKHOLM})),
        before=LIVES_ABROAD,
    ),
    Case("C20", "one of two abroad ended", [abroad("MUUTETTU", "2026-02-28")], ask=Ask.PLACE, before=AT_TWO),
    Case(
        "C",
        "the newest address was never right: an older one is valid",
        [home("POISTETTU") | valid(old_home(None, None))],
        before=replace(STATE, record=moved()),
        after=RECORD,
    ),
    Case("C", "removed and added agree", [home("LISATTY"), old_home("POISTETTU") | valid(home(None))], moved()),
    Case("C", "removed and added disagree", [home("LISATTY"), old_home("POISTETTU") | valid()], ask=Ask.PLACE),
    Case(
        "C",
        "one of two addresses abroad is removed",
        [foreign("POISTETTU") | valid(abroad(None))],
        LIVES_ABROAD.record,
        before=AT_TWO,
    ),
    Case(
        "C",
        "nobody knows where: address and municipality removed",
        [old_home("POISTETTU") | valid(), municipality("POISTETTU", "091") | valid()],
        replace(RECORD, home=None, municipality=None),
    ),
    Case(
        "C",
        "a correction of the address held",
        [old_home("KORJATTAVA", None), old_home("KORJATTU", None, katunumero="2")],
        replace(RECORD, home=replace(RECORD.home or HomeAddress(), house_number="2")),
    ),
    Case(
        "C",
        "two corrections in one entry of two groups",
        [
            home("KORJATTAVA", "Väärä"),
            home("KORJATTU"),
            name("KORJATTAVA", "Väärä"),
            name("KORJATTU"),
        ],
        replace(moved(), last_name="Uusinen"),
    ),
    Case(
        "C",
        "one correction too many",
        [home("KORJATTAVA", "Väärä"), home("KORJATTAVA"), home("KORJATTU")],
        ask=Ask.PLACE,
    ),
    Case(
        "C",
        "context beside a new value",
        [home("LISATIETO", "Muutie"), name("LISATTY")],
        replace(RECORD, last_name="Uusinen"),
    ),
    Case(
        "C",
        "a doubt in one group beside another",
        [home("OUTO"), name("LISATTY")],
        replace(RECORD, last_name="Uusinen"),
        Ask.PLACE,
    ),
    Case("C", "an entry without rows"),
    Case(
        "C",
        "only groups that nobody was told of",
        [row("AMMATTI", "LISATTY", ammatti="lehtori"), row("UUSI", None, x=[1])],
    ),
]

DEATHS = [
    Case("C26", "death", [death("LISATTY")], DEAD.record),
    Case("C26", "death without a day", [death("LISATTY", on=None)], replace(RECORD, deceased=True)),
    Case(
        "C26",
        "death in a month",
        [death("LISATTY", on="2026-02-28|KUUKAUSI")],
        replace(RECORD, deceased=True, death_date=PartialDate(date(2026, 2, 1), Precision.MONTH)),
    ),
    Case(
        "C26",
        "death with the address that ended with it",
        [death("LISATTY"), old_home("MUUTETTU", "2026-03-02"), municipality("POISTETTU", "091") | valid()],
        replace(DEAD.record, home=None, municipality=None),
    ),
    Case(
        "C26", "cancelled by a correction", [death("KORJATTAVA"), death("KORJATTU", False, None)], RECORD, before=DEAD
    ),
    Case("C26", "cancelled by a removal", [death("POISTETTU") | valid()], RECORD, before=DEAD),
    Case(
        "C26", "cancelled by what is valid", [death("POISTETTU") | valid(death(None, False, None))], RECORD, before=DEAD
    ),
    Case(
        "C26",
        "another day",
        [death("KORJATTAVA"), death("KORJATTU", on="2026-03-03")],
        replace(DEAD.record, death_date=day("2026-03-03")),
        before=DEAD,
    ),
    Case("C26", "dead and alive", [death("LISATTY"), death("LISATTY", False, None)], ask=Ask.VALUE),
    Case("C26", "neither dead nor alive", [death("LISATTY", None, None)], ask=Ask.VALUE),
    Case(
        "C26",
        "died, and lives after all",
        pages=[[Told([death("LISATTY")]), Told([death("POISTETTU") | valid()], ENTRY + HOUR)]],
        applied=("deceased", "deceased"),
    ),
]

NAMES = [
    Case(
        "C25",
        "the UTF8 spelling goes first",
        [name("LISATTY", "Oberg", "Ake", etunimiUTF8="Åke", sukunimiUTF8="Öberg")],
        replace(RECORD, first_names="Åke", last_name="Öberg"),
    ),
    Case(
        "C25",
        "outer spaces",
        [name("LISATTY", " von Öberg ", "Åke ")],
        replace(RECORD, first_names="Åke", last_name="von Öberg"),
    ),
    Case("C25", "a newborn gets a name", [name("LISATTY")], replace(RECORD, last_name="Uusinen"), before=NAMELESS),
    Case("C25", "half a name", [row("HENKILON_NIMI", "LISATTY", sukunimi="Uusinen")], ask=Ask.VALUE),
    Case("C25", "the other half", [row("HENKILON_NIMI", "LISATTY", etunimi="Aino Maria")], ask=Ask.VALUE),
    Case(
        "C25",
        "a new name and the old one with its end",
        [name("LISATTY"), name("MUUTETTU", "Mallinen", loppupv={"arvo": "2026-03-09", "tarkkuus": "PAIVA"})],
        replace(RECORD, last_name="Uusinen"),
    ),
    Case(
        "C25",
        "a language in words",
        [language("LISATTY", "98", kielikoodiISO6392="fse", nimi="suomalainen viittomakieli")],
        replace(RECORD, language_code="98", language_name="suomalainen viittomakieli"),
    ),
    Case(
        "C25",
        "a language that is removed in favour of another",
        [language("LISATTY"), language("POISTETTU", "fi") | valid(language(None))],
        replace(RECORD, language_code="sv"),
    ),
    Case(
        "C25",
        "country 998 in words",
        [foreign("LISATTY", valtiokoodi="998", valtionimi="Kaukomaa")],
        replace(
            RECORD,
            foreign=frozenset(
                {ForeignAddress("Storgatan 1", "111 20 STOCKHOLM", "998", "Kaukomaa", day("2026-03-01"))}
            ),
        ),
    ),
    Case(
        "C25",
        "municipality 198",
        [municipality("LISATTY", "198")],
        replace(RECORD, municipality=Municipality("198", TURKU.moved_in)),
    ),
    Case(
        "C25",
        "the old spelling of the day of moving in",
        [row("KOTIKUNTA", "LISATTY", kuntakoodi="837", kuntaanMuuttoPv={"arvo": "2026-03-01", "tarkkuus": "PAIVA"})],
        replace(RECORD, municipality=TURKU),
    ),
    Case("C25", "a house number as a number", [home("LISATTY", katunumero=1), old_home("MUUTETTU")], moved()),
    Case("C25", "a name that is too long for any index", [name("LISATTY", "x" * 301)], ask=Ask.VALUE),
    Case("C25", "a text that cannot be stored", [home("LISATTY", "Uusi\x00tie")], ask=Ask.PLACE),
]

DAYS = [
    Case(
        "C21",
        "a move to come: asked now, and again on its day",
        [home("LISATTY", start="2026-03-20"), old_home("MUUTETTU", "2026-03-19")],
        ask=Ask.PLACE,
        recheck=date(2026, 3, 20),
    ),
    Case(
        "C21",
        "a municipality to come",
        [municipality("LISATTY", start="2026-05-01")],
        ask=Ask.PLACE,
        recheck=date(2026, 5, 1),
    ),
    Case(
        "C21",
        "an address that ends soon: asked the day after",
        [home("LISATTY", end="2026-04-01"), old_home("MUUTETTU")],
        moved(),
        recheck=date(2026, 4, 2),
    ),
    Case("C21", "an end tomorrow", [home("LISATTY", end="2026-03-11")], moved(), recheck=date(2026, 3, 12)),
    Case("C21", "an end today has ended", [old_home("MUUTETTU", "2026-03-10")], moved(None), recheck=date(2026, 3, 11)),
    Case(
        "C21",
        "an end in this month",
        [home("LISATTY", end="2026-03-31|KUUKAUSI")],
        ask=Ask.PLACE,
        recheck=date(2026, 4, 1),
    ),
    Case(
        "C21", "an end in some month", [home("LISATTY", end="2026-05-31|KUUKAUSI")], moved(), recheck=date(2026, 6, 1)
    ),
    Case("C21", "an end in some year", [home("LISATTY", end="2028-01-01|VUOSI")], moved(), recheck=date(2029, 1, 1)),
    Case("C21", "for now: 2999", [home("LISATTY", end="2999-02-28")], moved()),
    Case("C21", "for now: 2120", [home("LISATTY", end="2120-02-28")], moved()),
    Case("C21", "twenty years less a day", [home("LISATTY", end="2046-03-09")], moved(), recheck=date(2046, 3, 10)),
    Case(
        "C21",
        "a ban with an end: asked the day after it",
        [ban("LISATTY", end="2026-06-30")],
        replace(HIDDEN, protection_end=day("2026-06-30")),
        recheck=date(2026, 7, 1),
    ),
    Case("C21", "a ban for now", [ban("LISATTY", end="2120-02-28")], HIDDEN),
    Case(
        "C21",
        "an earlier day to ask stays",
        [home("LISATTY", end="2026-05-01")],
        moved(),
        before=replace(STATE, recheck_on=date(2026, 4, 10)),
        recheck=date(2026, 4, 10),
    ),
    Case(
        "C23",
        "a start in some month",
        [home("LISATTY", start="2026-02-15|KUUKAUSI"), old_home("MUUTETTU", "2026-01-31|KUUKAUSI")],
        replace(RECORD, home=replace(moved().home, start=PartialDate(date(2026, 2, 1), Precision.MONTH))),
    ),
    Case(
        "C23",
        "moved in in some year",
        [municipality("LISATTY", start="2025-01-01|VUOSI")],
        replace(RECORD, municipality=Municipality("837", PartialDate(date(2025, 1, 1), Precision.YEAR))),
    ),
    Case("C23", "a day that is in no calendar", [home("LISATTY", start="2026-02-30")], ask=Ask.PLACE),
    Case("C23", "a precision that nobody knows", [death("LISATTY", on="2026-03-01|VIIKKO")], ask=Ask.VALUE),
    Case(
        "C23",
        "the entry's day is Helsinki's",
        after=moved(None),
        recheck=date(2026, 3, 11),
        pages=[[Told([old_home("MUUTETTU", "2026-03-10")], ENTRY.replace(hour=0) - HOUR)]],
    ),
]

CASES = [*MOVES, *DEATHS, *NAMES, *DAYS]
