"""What counts as a trace of a place (domain.md E40)."""

from __future__ import annotations

import json

import pytest

from registry.models.person import LOCATION_COLUMNS
from registry.record import HomeAddress
from registry.services.protection import traces
from vtjsync.wire import groups


@pytest.mark.parametrize("column", [*LOCATION_COLUMNS, "street", "locality", "country_name", "katuosoite", "address"])
def test_e40_a_column_of_a_place_is_known_by_its_name(column: str) -> None:
    assert traces.COLUMN.fullmatch(column)


@pytest.mark.parametrize("column", ["first_names", "reference", "status", "basis", "service_id", "language_name"])
def test_e40_another_column_is_none(column: str) -> None:
    assert not traces.COLUMN.fullmatch(column)


def test_e40_every_key_of_vtjs_messages_is_known() -> None:
    """A field of the location groups that is added to the wire is a key here too."""
    plain = {
        "tietoryhma",
        "muutosattribuutti",
        "alkupv",
        "loppupv",
        "voimassaolevatTiedot",
        "turvakiellonAlaisetKentat",
    }
    for row in (groups.HomeRow, groups.ForeignRow, groups.MunicipalityRow):
        assert set(row.__struct_fields__) - plain <= set(traces.KEYS)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"kotikunta": {"kuntakoodi": "091"}}),
        json.dumps({"a": json.dumps({"postinumero": "00100"})}),
        str({"home_street_fi": "Katu 1"}),
        '{"katunumero":"3"}',
        traces.as_text([HomeAddress(street_fi="Katu")]),
        traces.as_text({"told": ({"lahiosoite": b"Gatan"},)}),
        "<LahiosoiteR>Gatan</LahiosoiteR>",
        '<ns2:UlkomainenPaikkakuntaJaValtioS a="1">\nRuotsi',
    ],
)
def test_e40_a_key_with_a_value_is_found(text: str) -> None:
    assert traces.has_key(text)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"kotikunta": None, "vakinainen_kotimainen_osoite": None, "vakinaiset_ulkomaiset_osoitteet": []}),
        str({"home_street_fi": None}),
        "kotikunta muuttui",
        "<KatuS/><Postinumero> </Postinumero><Kuntanumero></Kuntanumero>",
        traces.as_text([HomeAddress()]),
    ],
)
def test_e40_a_key_without_a_value_tells_nothing(text: str) -> None:
    assert not traces.has_key(text)


def test_e40_a_string_is_found_in_other_cases_and_escaped() -> None:
    assert {"Äyrätie", "ÄYRÄTIE", "äyrätie", "\\u00c4yr\\u00e4tie"} <= set(traces.variants(["  Äyrätie\n", ""]))


def test_e40_a_string_that_is_everywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 4"):
        traces.variants(["Tie"])


def test_patterns_find_the_string_itself() -> None:
    assert traces.like(["5 %_\\"]) == ["%5 \\%\\_\\\\%"]
