from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import registry.codes
from registry.codes import country_name, language_name, municipality_name, refresh

DATA = Path(registry.codes.__file__).parent / "data"
Reader = Callable[[str, str], str | None]


@pytest.mark.parametrize(
    ("reader", "code", "fi", "sv", "en"),
    [
        (municipality_name, "091", "Helsinki", "Helsingfors", "Helsinki"),
        (municipality_name, "478", "Maarianhamina", "Mariehamn", "Mariehamn"),
        (municipality_name, "200", "Ulkomaat", "Utlandet", "Abroad"),
        (country_name, "752", "Ruotsi", "Sverige", "Sweden"),
        (country_name, "997", "Kosovo", "Kosovo", "Kosovo"),
        (country_name, "230", "Etiopia", "Etiopien", "Ethiopia"),
        (country_name, "736", "Sudan", "Sudan", "Sudan"),
        (country_name, "999", "Ei tiedossa", "Inte känt", "Not known"),
        (language_name, "se", "pohjoissaame", "nordsamiska", "Northern Sami"),
        (language_name, "98", "muu kieli", "annat språk", "other language"),
    ],
)
def test_names_in_three_languages(reader: Reader, code: str, fi: str, sv: str, en: str) -> None:
    assert (reader(code, "fi"), reader(code, "sv"), reader(code, "en")) == (fi, sv, en)


@pytest.mark.parametrize("reader", [municipality_name, country_name, language_name])
@pytest.mark.parametrize("code", ["", "000", "xx", "source"])
def test_c25_an_unknown_code_has_no_name(reader: Reader, code: str) -> None:
    assert reader(code, "fi") is None


@pytest.mark.parametrize(("language", "name"), [("sv-fi", "Åbo"), ("SV", "Åbo"), ("de", "Turku")])
def test_other_spellings_of_a_language_and_other_languages(language: str, name: str) -> None:
    assert municipality_name("853", language) == name


def test_a_municipality_that_has_ended_says_so() -> None:
    assert municipality_name("911", "fi") == "Valtimo (–2019)"


@pytest.mark.parametrize(("name", "least"), [("municipalities", 308 + 12 + 3), ("countries", 250), ("languages", 180)])
def test_each_list_is_whole_and_tells_its_source_and_date(name: str, least: int) -> None:
    content = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    assert len(content["names"]) >= least
    assert len(content["source"]) > 20
    assert date.fromisoformat(content["date"])
    assert all(set(names) == {"fi", "sv", "en"} and all(names.values()) for names in content["names"].values())


def test_lists_are_fresh() -> None:
    for name, made in (("countries", refresh.countries()), ("languages", refresh.languages())):
        assert json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))["names"] == made


def test_municipalities_are_read_from_the_classification(tmp_path: Path) -> None:
    now, former = tmp_path / "now.csv", tmp_path / "former.csv"
    now.write_text("kuntakoodi,fi,sv,en,muu\n001,Uusi,Nya,New,x\n", encoding="utf-8")
    former.write_text("kuntakoodi,fi,sv,viimeinen_vuosi\n002,Vanha,Gamla,2025\n", encoding="utf-8")
    names = refresh.municipalities(now, former)
    assert names["001"] == {"fi": "Uusi", "sv": "Nya", "en": "New"}
    assert names["002"] == {"fi": "Vanha (–2025)", "sv": "Gamla (–2025)", "en": "Vanha (–2025)"}
    assert set(names) == {"001", "002", "198", "199", "200"}
