"""The eight data groups as typed rows, by VTJ's own names (wire.md 2).

Every field may be missing: which ones a row holds depends on its attribute, on the ban and on VTJ's mood. Unknown
fields are ignored; an unknown group becomes :class:`OtherRow` and is counted, not read (domain.md, the eight groups).
A row of a changes answer has ``muutosattribuutti``; a row of basic data has none.
"""

from __future__ import annotations

import msgspec


class WireDate(msgspec.Struct, frozen=True):
    """``{"arvo": "1965-11-01", "tarkkuus": "PAIVA"}``; with KUUKAUSI or VUOSI the rest of arvo is padding (C23)."""

    arvo: str
    tarkkuus: str = "PAIVA"


class WireNames(msgspec.Struct, frozen=True):
    """A name in Finnish and Swedish; either may be missing."""

    fi: str | None = None
    sv: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What every row of every group has."""

    tietoryhma: str
    muutosattribuutti: str | None = None


class OtherRow(Row, frozen=True, kw_only=True):
    """A row of a group that the product does not have."""


class CodeRow(Row, frozen=True, kw_only=True):
    """HENKILOTUNNUS_KORJAUS."""

    voimassaolo: str | None = None
    muutettuHenkilotunnus: str | None = None
    aktiivinenHenkilotunnus: str | None = None
    edellisetHenkilotunnukset: tuple[str, ...] | None = None
    voimassaolevatTiedot: tuple[CodeRow, ...] | None = None


class NameRow(Row, frozen=True, kw_only=True):
    """HENKILON_NIMI."""

    etunimi: str | None = None
    sukunimi: str | None = None
    etunimiUTF8: str | None = None
    sukunimiUTF8: str | None = None
    alkupv: WireDate | None = None
    loppupv: WireDate | None = None
    voimassaolevatTiedot: tuple[NameRow, ...] | None = None


class LanguageRow(Row, frozen=True, kw_only=True):
    """AIDINKIELI."""

    kielikoodi: str | None = None
    kielikoodiISO6392: str | None = None
    nimi: str | None = None
    alkupv: WireDate | None = None
    loppupv: WireDate | None = None
    voimassaolevatTiedot: tuple[LanguageRow, ...] | None = None


class DeathRow(Row, frozen=True, kw_only=True):
    """KUOLINPAIVA."""

    kuollut: bool | None = None
    kuolinpv: WireDate | None = None
    voimassaolevatTiedot: tuple[DeathRow, ...] | None = None


class BanRow(Row, frozen=True, kw_only=True):
    """TURVAKIELTO."""

    turvakieltoAktiivinen: bool | None = None
    turvaLoppuPv: WireDate | None = None
    voimassaolevatTiedot: tuple[BanRow, ...] | None = None


class LocationRow(Row, frozen=True, kw_only=True):
    """What the three location groups share: under a ban the values give way to a list of their names."""

    turvakiellonAlaisetKentat: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def censored(self) -> bool:
        """Whether the row says that its values are withheld: the key is there, whatever it holds (domain.md E35)."""
        return self.turvakiellonAlaisetKentat is not msgspec.UNSET


class HomeRow(LocationRow, frozen=True, kw_only=True):
    """VAKINAINEN_KOTIMAINEN_OSOITE; osoitenumero and rakennustunnus are not kept, so not read."""

    katunimi: WireNames | None = None
    katunumero: str | None = None
    huoneistokirjain: str | None = None
    huoneistonumero: str | None = None
    jakokirjain: str | None = None
    postinumero: str | None = None
    postitoimipaikka: WireNames | None = None
    kuntakoodi: str | None = None
    alkupv: WireDate | None = None
    loppupv: WireDate | None = None
    voimassaolevatTiedot: tuple[HomeRow, ...] | None = None


class ForeignRow(LocationRow, frozen=True, kw_only=True):
    """VAKINAINEN_ULKOMAINEN_OSOITE."""

    lahiosoite: str | None = None
    paikkakunta: str | None = None
    valtiokoodi: str | None = None
    valtionimi: str | None = None
    alkupv: WireDate | None = None
    loppupv: WireDate | None = None
    voimassaolevatTiedot: tuple[ForeignRow, ...] | None = None


class MunicipalityRow(LocationRow, frozen=True, kw_only=True):
    """KOTIKUNTA; kuntaanMuuttoPv is an old spelling (domain.md C25)."""

    kuntakoodi: str | None = None
    kuntaanMuuttopv: WireDate | None = None
    kuntaanMuuttoPv: WireDate | None = None
    voimassaolevatTiedot: tuple[MunicipalityRow, ...] | None = None


ROW_TYPES: dict[str, type[Row]] = {
    "HENKILOTUNNUS_KORJAUS": CodeRow,
    "HENKILON_NIMI": NameRow,
    "AIDINKIELI": LanguageRow,
    "KUOLINPAIVA": DeathRow,
    "TURVAKIELTO": BanRow,
    "VAKINAINEN_KOTIMAINEN_OSOITE": HomeRow,
    "VAKINAINEN_ULKOMAINEN_OSOITE": ForeignRow,
    "KOTIKUNTA": MunicipalityRow,
}
