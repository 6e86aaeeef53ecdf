"""Makes the lists of names anew: ``python -m registry.codes.refresh [--municipalities FILE --former FILE]``.

For developers: needs pycountry and Babel. The municipalities are read from CSV files with the columns kuntakoodi, fi,
sv and en (Statistics Finland's classification, a new one every January); without them that list stays as it is.
"""

from __future__ import annotations

import argparse
import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import babel
import pycountry
from babel import Locale

DATA: Final = Path(__file__).parent / "data"
LOCALES: Final = {language: Locale(language) for language in ("fi", "sv", "en")}
CLDR: Final = f"Unicode CLDR as in Babel {babel.__version__} (Unicode licence); codes from pycountry"

Names = dict[str, dict[str, str]]

# Codes of the population information system that are not municipalities.
NO_MUNICIPALITY: Final[Names] = {
    "198": {"fi": "Ei kotikuntaa Suomessa", "sv": "Ingen hemkommun i Finland", "en": "No home municipality in Finland"},
    "199": {"fi": "Kotikunta tuntematon", "sv": "Okänd hemkommun", "en": "Unknown home municipality"},
    "200": {"fi": "Ulkomaat", "sv": "Utlandet", "en": "Abroad"},
}
# VTJ's own, and codes that ISO 3166 has given up and VTJ still sends.
KOSOVO: Final = "997"
OTHER_COUNTRIES: Final[Names] = {
    "998": {"fi": "Tuntematon valtio", "sv": "Okänd stat", "en": "Unknown country"},
    "999": {"fi": "Ei tiedossa", "sv": "Inte känt", "en": "Not known"},
}
SUCCESSORS: Final = {"230": "231", "736": "729"}
OTHER_LANGUAGES: Final[Names] = {"98": {"fi": "muu kieli", "sv": "annat språk", "en": "other language"}}


def countries() -> Names:
    """Names by numeric code."""
    found = {country.numeric: _territory(country.alpha_2) for country in pycountry.countries}
    found[KOSOVO] = _territory("XK")
    found.update((former, found[successor]) for former, successor in SUCCESSORS.items())
    return found | OTHER_COUNTRIES


def languages() -> Names:
    """Names by two-letter code."""
    codes = [language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2")]
    named = [code for code in codes if all(code in locale.languages for locale in LOCALES.values())]
    return {
        code: {name: locale.languages[code] for name, locale in LOCALES.items()} for code in named
    } | OTHER_LANGUAGES


def municipalities(now: Path, former: Path) -> Names:
    """Names by code; one that has ended keeps its name, with its last year."""
    found: Names = {}
    for row in _rows(former):
        year = row["viimeinen_vuosi"]
        found[row["kuntakoodi"]] = {
            "fi": f"{row['fi']} (–{year})",
            "sv": f"{row['sv']} (–{year})",
            "en": f"{row['fi']} (–{year})",
        }
    found.update((row["kuntakoodi"], {name: row[name] for name in LOCALES}) for row in _rows(now))
    return found | NO_MUNICIPALITY


def write(name: str, source: str, names: Names, day: date) -> None:
    """Writes the list, with its source and the date."""
    content = {"source": source, "date": day.isoformat(), "names": dict(sorted(names.items()))}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (DATA / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def _territory(alpha_2: str) -> dict[str, str]:
    return {language: locale.territories[alpha_2] for language, locale in LOCALES.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Writes what can be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--municipalities", type=Path)
    parser.add_argument("--former", type=Path)
    parser.add_argument(
        "--source", default="Statistics Finland, classification of municipalities (CC BY 4.0), as in rOpenGov/geofi"
    )
    options = parser.parse_args()
    today = datetime.now(UTC).date()
    write("countries", CLDR, countries(), today)
    write("languages", CLDR, languages(), today)
    if options.municipalities and options.former:
        write("municipalities", options.source, municipalities(options.municipalities, options.former), today)


if __name__ == "__main__":
    main()
