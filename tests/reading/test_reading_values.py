"""From a row to a value: domain.md C24, C25."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.record import ForeignAddress, Group, HomeAddress, Municipality
from tests.reading.rows import (
    ALL,
    CONTEXT,
    PROTECTED,
    RECORD,
    STATE,
    Case,
    censored,
    code,
    day,
    death,
    foreign,
    home,
    language,
    moved,
    municipality,
    name,
    row,
)
from vtjsync.reading.outcome import Ask

BARE = {"etunimi": None, "sukunimi": None}
WITHOUT_BANS = replace(CONTEXT, granted=ALL - {Group.BAN})
NAMES_ONLY = replace(CONTEXT, granted=frozenset({Group.NAME, Group.BAN}))

C25 = [
    Case(
        "C25 the UTF8 spelling goes first",
        [name("LISATTY", "Oberg", "Ake", etunimiUTF8="Åke", sukunimiUTF8="Öberg")],
        replace(RECORD, first_names="Åke", last_name="Öberg"),
    ),
    Case(
        "C25 the plain spelling where there is no other",
        [name("LISATTY", "Öberg", "Åke", sukunimiUTF8=" ")],
        replace(RECORD, first_names="Åke", last_name="Öberg"),
    ),
    Case(
        "C25 outer spaces are trimmed, inner ones kept",
        [name("LISATTY", "  von Öberg ", " Åke  Emil ")],
        replace(RECORD, first_names="Åke  Emil", last_name="von Öberg"),
    ),
    Case(
        "C25 only the UTF8 spelling",
        [name("LISATTY", etunimiUTF8="Åke", sukunimiUTF8="Öberg", **BARE)],
        replace(RECORD, first_names="Åke", last_name="Öberg"),
    ),
    Case(
        "C25 an empty first name", [name("LISATTY", "Öberg", "")], replace(RECORD, first_names=None, last_name="Öberg")
    ),
    Case("C25 half a name", [name("LISATTY", etunimi=None)], ask=Ask.VALUE),
    Case("C25 no name at all", [name("LISATTY", "", "")], ask=Ask.VALUE),
    Case(
        "C25 a language by its code",
        [language("LISATTY", "sv", kielikoodiISO6392="swe", nimi="ruotsi")],
        replace(RECORD, language_code="sv", language_name=None),
    ),
    Case(
        "C25 code 98: the language in words",
        [language("LISATTY", "98", kielikoodiISO6392="fse", nimi="suomalainen viittomakieli")],
        replace(RECORD, language_code="98", language_name="suomalainen viittomakieli"),
    ),
    Case(
        "C25 ISO mis: the language in words",
        [language("LISATTY", "se", kielikoodiISO6392="mis", nimi="saame")],
        replace(RECORD, language_code="se", language_name="saame"),
    ),
    Case("C25 a language without a code", [language("LISATTY", None, nimi="saame")], ask=Ask.VALUE),
    Case(
        "C25 a foreign address with the country's code",
        [foreign("LISATTY", valtionimi="Ruotsi")],
        replace(
            RECORD,
            foreign=frozenset({ForeignAddress("Storgatan 1", "111 20 STOCKHOLM", "752", None, day("2026-03-01"))}),
        ),
    ),
    Case(
        "C25 country 998 in words",
        [foreign("LISATTY", valtiokoodi="998", valtionimi="Kaukomaa")],
        replace(
            RECORD,
            foreign=frozenset(
                {ForeignAddress("Storgatan 1", "111 20 STOCKHOLM", "998", "Kaukomaa", day("2026-03-01"))}
            ),
        ),
    ),
    Case(
        "C25 a foreign address of a country only",
        [row("VAKINAINEN_ULKOMAINEN_OSOITE", "LISATTY", valtiokoodi="752")],
        replace(RECORD, foreign=frozenset({ForeignAddress(country_code="752")})),
    ),
    Case(
        "C25 municipality 198 is kept as it is",
        [municipality("LISATTY", "198")],
        replace(RECORD, municipality=Municipality("198", day("2026-03-01"))),
    ),
    Case(
        "C25 an unknown municipality is kept as it is",
        [municipality("LISATTY", "777", None)],
        replace(RECORD, municipality=Municipality("777")),
    ),
    Case(
        "C25 the old spelling kuntaanMuuttoPv",
        [municipality("LISATTY", start=None, kuntaanMuuttoPv={"arvo": "2026-03-02", "tarkkuus": "PAIVA"})],
        replace(RECORD, municipality=Municipality("837", day("2026-03-02"))),
    ),
    Case("C25 a municipality without a code", [municipality("LISATTY", None)], ask=Ask.PLACE),
    Case(
        "C25 a whole home address, the apartment's zeros kept",
        [
            row(
                "VAKINAINEN_KOTIMAINEN_OSOITE",
                "LISATTY",
                katunimi={"fi": "Mikkolantie", "sv": "Mickelsvägen"},
                katunumero="6a-6b",
                huoneistokirjain="F",
                huoneistonumero="028",
                jakokirjain="a",
                postinumero="00640",
                postitoimipaikka={"fi": "HELSINKI", "sv": "HELSINGFORS"},
                kuntakoodi="091",
                osoitenumero=4,
                rakennustunnus="900000041C",
            )
        ],
        replace(
            RECORD,
            home=HomeAddress(
                "Mikkolantie", "Mickelsvägen", "6a-6b", "F", "028", "a", "00640", "HELSINKI", "HELSINGFORS", "091"
            ),
        ),
    ),
    Case(
        "C25 sv missing everywhere",
        [home("LISATTY", postitoimipaikka={"fi": "TURKU"}, katunumero=None)],
        replace(RECORD, home=replace(moved().home, post_office_fi="TURKU", house_number=None)),
    ),
    Case(
        "C25 a Swedish street only",
        [home("LISATTY", katunimi={"sv": "Nygatan"})],
        replace(RECORD, home=replace(moved().home, street_fi=None, street_sv="Nygatan")),
    ),
    Case("C25 a text that the database cannot hold", [home("LISATTY", "Uusi\x00tie")], ask=Ask.PLACE),
]

C24 = [
    Case("C24 a group that is absent says nothing", [name("LISATTY")], replace(RECORD, last_name="Uusinen")),
    Case(
        "C24 a group that is not granted is not read",
        [home("LISATTY"), death("LISATTY"), language("LISATTY")],
        context=NAMES_ONLY,
        more={"ignored": 3},
    ),
    Case(
        "C24 codes that are not granted are not read",
        [code("LISATTY", "AKTIIVI", None, None)],
        context=NAMES_ONLY,
        more={"codes": None},
    ),
    Case(
        "C24 without TURVAKIELTO no place is stored",
        [home("LISATTY"), name("LISATTY")],
        replace(RECORD.without_location(), last_name="Uusinen"),
        context=WITHOUT_BANS,
    ),
    Case(
        "C24 without TURVAKIELTO a censored place protects all the same",
        [censored()],
        replace(RECORD.without_location(), protected=True),
        Ask.BAN,
        context=WITHOUT_BANS,
    ),
    Case(
        "C24 without TURVAKIELTO no ban ends",
        [row("TURVAKIELTO", "LISATTY", turvakieltoAktiivinen=False)],
        ask=Ask.BAN,
        state=PROTECTED,
        context=WITHOUT_BANS,
    ),
]


@pytest.mark.parametrize("case", C25 + C24, ids=str)
def test_what_a_row_tells(case: Case) -> None:
    case.check(case.changed())


def test_c25_a_newborn_gets_a_name() -> None:
    unnamed = replace(STATE, record=replace(RECORD, first_names=None, last_name=None))
    case = Case("C25", [name("LISATTY")], replace(RECORD, last_name="Uusinen"), state=unnamed)
    case.check(case.changed())
