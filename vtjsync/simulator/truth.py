"""What a correct register holds of a person on a day, in the export's format (outside.md).

Made from the person as they are and never from a message, so that it can catch a reading that misunderstands one.
"""

from __future__ import annotations

from datetime import date
from typing import TypedDict

from vtjsync.simulator.people import COUNTRY_IN_WORDS, FAR_AHEAD, Foreign, Home, Person


class Names(TypedDict):
    """A name in both languages."""

    fi: str | None
    sv: str | None


class LanguageMember(TypedDict):
    """``aidinkieli``."""

    kielikoodi: str | None
    nimi: str | None


class HomeMember(TypedDict):
    """``vakinainen_kotimainen_osoite``."""

    katunimi: Names
    katunumero: str | None
    huoneistokirjain: str | None
    huoneistonumero: str | None
    jakokirjain: str | None
    postinumero: str | None
    postitoimipaikka: Names
    kuntakoodi: str | None
    alkupv: str | None


class ForeignMember(TypedDict):
    """One of ``vakinaiset_ulkomaiset_osoitteet``."""

    lahiosoite: str | None
    paikkakunta: str | None
    valtiokoodi: str | None
    valtionimi: str | None
    alkupv: str | None


class TownMember(TypedDict):
    """``kotikunta``."""

    kuntakoodi: str
    kuntaanmuuttopv: str | None


class Record(TypedDict):
    """One line of the export; what the register alone knows (clientships, its own state) is empty."""

    henkilotunnus: str
    edelliset_henkilotunnukset: list[str]
    etunimet: str | None
    sukunimi: str | None
    aidinkieli: LanguageMember | None
    kuollut: bool
    kuolinpv: str | None
    turvakielto: bool
    turvakielto_loppupv: str | None
    vakinainen_kotimainen_osoite: HomeMember | None
    vakinaiset_ulkomaiset_osoitteet: list[ForeignMember]
    kotikunta: TownMember | None
    asiakkuudet: list[object]
    vtj_tila: None
    vtj_tarkistettu: None


def record(person: Person, today: date) -> Record:
    """The person's line. A person under a ban has no place in it (domain.md E34)."""
    language, death, ban = person.language, person.death, person.ban
    told_end = ban.end if ban and ban.end and ban.end - today < FAR_AHEAD else None
    home, town = (None, None) if ban else (person.home(today), person.town(today))
    return {
        "henkilotunnus": person.code,
        "edelliset_henkilotunnukset": sorted(person.former),
        "etunimet": person.first_names,
        "sukunimi": person.last_name,
        "aidinkieli": {"kielikoodi": language.code, "nimi": language.name} if language else None,
        "kuollut": death is not None,
        "kuolinpv": death.on.text if death and death.on else None,
        "turvakielto": ban is not None,
        "turvakielto_loppupv": told_end.isoformat() if told_end else None,
        "vakinainen_kotimainen_osoite": _home(home) if home else None,
        "vakinaiset_ulkomaiset_osoitteet": [] if ban else sorted(map(_foreign, person.abroad(today)), key=_by_start),
        "kotikunta": {"kuntakoodi": town.code, "kuntaanmuuttopv": town.start.text} if town else None,
        "asiakkuudet": [],
        "vtj_tila": None,
        "vtj_tarkistettu": None,
    }


def _home(home: Home) -> HomeMember:
    return {
        "katunimi": {"fi": home.street_fi, "sv": home.street_sv},
        "katunumero": home.number,
        "huoneistokirjain": home.staircase,
        "huoneistonumero": home.apartment,
        "jakokirjain": home.division,
        "postinumero": home.postal_code,
        "postitoimipaikka": {"fi": home.office_fi, "sv": home.office_sv},
        "kuntakoodi": home.municipality,
        "alkupv": home.start.text,
    }


def _foreign(address: Foreign) -> ForeignMember:
    return {
        "lahiosoite": address.street,
        "paikkakunta": address.locality,
        "valtiokoodi": address.country,
        "valtionimi": address.country_name if address.country == COUNTRY_IN_WORDS else None,
        "alkupv": address.start.text,
    }


def _by_start(member: ForeignMember) -> tuple[str, str, str]:
    return member["alkupv"] or "", member["valtiokoodi"] or "", member["lahiosoite"] or ""
