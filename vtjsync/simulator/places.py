"""Places to live in: municipalities with post offices of theirs, street names in two languages, and some abroad.

Postal codes and the names of post offices are facts, from Posti's public list of postal codes; municipality codes are
those of registry.codes. A street of these names need not exist where it is said to be.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Locality(NamedTuple):
    """A municipality's code, whether its streets have Swedish names, how many live there, and its post offices."""

    municipality: str
    bilingual: bool
    weight: int
    offices: tuple[tuple[str, str, str], ...]


def _locality(municipality: str, bilingual: bool, weight: int, *offices: str) -> Locality:
    """``offices``: ``FI/SV code code``."""
    found: list[tuple[str, str, str]] = []
    for office in offices:
        names, codes = office.rsplit("|", 1)
        fi, _, sv = names.partition("/")
        found += [(code, fi, sv or fi) for code in codes.split()]
    return Locality(municipality, bilingual, weight, tuple(found))


LOCALITIES: Final = (
    _locality(
        "091",
        True,
        66,
        "HELSINKI/HELSINGFORS|00100 00120 00180 00200 00250 00300 00400 00500 00530 00640 00700 00800 00900 00980",
    ),
    _locality("049", True, 31, "ESPOO/ESBO|02100 02130 02150 02200 02230 02300 02320 02600 02710 02770"),
    _locality("837", False, 25, "TAMPERE/TAMMERFORS|33100 33200 33230 33500 33540 33580 33700 33720 33820"),
    _locality("092", True, 24, "VANTAA/VANDA|01200 01300 01350 01360 01400 01450 01600 01620 01700 01710"),
    _locality("564", False, 21, "OULU/ULEÅBORG|90100 90120 90140 90250 90500 90530 90570 90650"),
    _locality("853", True, 20, "TURKU/ÅBO|20100 20200 20300 20320 20500 20540 20610 20720 20810"),
    _locality("179", False, 14, "JYVÄSKYLÄ|40100 40200 40340 40500 40520 40600 40700"),
    _locality("297", False, 12, "KUOPIO|70100 70110 70150 70200 70300 70420 70600 70780"),
    _locality("398", False, 12, "LAHTI/LAHTIS|15100 15140 15200 15240 15500 15610 15700 15800"),
    _locality("609", False, 8, "PORI/BJÖRNEBORG|28100 28130 28200 28300 28500 28600"),
    _locality("286", False, 8, "KOUVOLA|45100 45130 45160 45200"),
    _locality("167", False, 8, "JOENSUU|80100 80110 80130 80160 80200 80220"),
    _locality("405", False, 7, "LAPPEENRANTA/VILLMANSTRAND|53100 53200 53300 53500 53550 53600 53850"),
    _locality("905", True, 7, "VAASA/VASA|65100 65200 65230 65280 65320 65350"),
    _locality("109", False, 7, "HÄMEENLINNA/TAVASTEHUS|13100 13130 13200 13210 13500 13600"),
    _locality("743", False, 6, "SEINÄJOKI|60100 60120 60150 60200 60320"),
    _locality("698", False, 6, "ROVANIEMI|96100 96200 96300 96400 96500"),
    _locality("491", False, 5, "MIKKELI/S:T MICHEL|50100 50120 50170 50190 50500"),
    _locality("638", True, 5, "PORVOO/BORGÅ|06100 06150 06400 06450 06500"),
    _locality("285", False, 5, "KOTKA|48100 48200 48400 48600 48700"),
    _locality("734", False, 5, "SALO|24100 24130 24240 24260 24280"),
    _locality("272", True, 5, "KOKKOLA/KARLEBY|67100 67200 67300 67600"),
    _locality("106", False, 5, "HYVINKÄÄ/HYVINGE|05800 05810 05820 05830 05900"),
    _locality("444", True, 5, "LOHJA/LOJO|08100 08150 08200 08350"),
    _locality("186", False, 5, "JÄRVENPÄÄ/TRÄSKÄNDA|04400 04410 04430 04440"),
    _locality("543", False, 4, "NURMIJÄRVI|01900", "KLAUKKALA|01800", "RAJAMÄKI|05200"),
    _locality("684", False, 4, "RAUMA/RAUMO|26100 26200 26510 26660"),
    _locality("257", True, 4, "KIRKKONUMMI/KYRKSLÄTT|02400", "MASALA/MASABY|02430", "KANTVIK|02460"),
    _locality("858", False, 4, "TUUSULA/TUSBY|04300 04310", "JOKELA|05400"),
    _locality("205", False, 4, "KAJAANI/KAJANA|87100 87200 87250 87400"),
    _locality("245", False, 4, "KERAVA/KERVO|04200 04220 04230 04250 04260"),
    _locality("740", False, 3, "SAVONLINNA/NYSLOTT|57100 57200 57220 57510"),
    _locality("536", False, 3, "NOKIA|37100"),
    _locality("202", False, 3, "KAARINA/S:T KARINS|20780", "PIISPANRISTI/BISKOPSKORS|20760"),
    _locality("710", True, 3, "TAMMISAARI/EKENÄS|10600", "KARJAA/KARIS|10300"),
    _locality("753", True, 2, "SIPOO/SIBBO|04130", "SÖDERKULLA|01150"),
    _locality("680", False, 2, "RAISIO/RESO|21200 21280"),
    _locality("598", True, 2, "PIETARSAARI/JAKOBSTAD|68600 68620"),
    _locality("499", True, 2, "MUSTASAARI/KORSHOLM|65610", "RAIPPALUOTO/REPLOT|65800"),
    _locality("445", True, 2, "PARAINEN/PARGAS|21600"),
    _locality("305", False, 2, "KUUSAMO|93600"),
    _locality("478", True, 1, "MAARIANHAMINA/MARIEHAMN|22100"),
    _locality("235", True, 1, "KAUNIAINEN/GRANKULLA|02700"),
    _locality("078", True, 1, "HANKO/HANGÖ|10900"),
    _locality("149", True, 1, "INKOO/INGÅ|10210"),
    _locality("148", False, 1, "IVALO|99800", "INARI|99870"),
    _locality("261", False, 1, "KITTILÄ|99100", "SIRKKA|99130"),
    _locality("890", False, 1, "UTSJOKI|99980"),
)

# A place for each thousand or so inhabitants: one throw of the dice chooses by size.
BY_SIZE: Final = tuple(locality for locality in LOCALITIES for _ in range(locality.weight))

STREETS: Final = tuple(
    tuple(pair.split("/"))
    for pair in [
        "Koulukatu/Skolgatan",
        "Asemakatu/Stationsgatan",
        "Kirkkokatu/Kyrkogatan",
        "Rantatie/Strandvägen",
        "Puistokatu/Parkgatan",
        "Satamakatu/Hamngatan",
        "Kauppakatu/Köpmansgatan",
        "Torikatu/Torggatan",
        "Mäkitie/Backvägen",
        "Metsätie/Skogsvägen",
        "Niittytie/Ängsvägen",
        "Peltotie/Åkervägen",
        "Koivutie/Björkvägen",
        "Kuusitie/Granvägen",
        "Mäntytie/Tallvägen",
        "Pihlajatie/Rönnvägen",
        "Leppätie/Alvägen",
        "Vaahterakatu/Lönngatan",
        "Tammitie/Ekvägen",
        "Lehtotie/Lundvägen",
        "Kalliotie/Klippvägen",
        "Järvitie/Sjövägen",
        "Saarentie/Holmvägen",
        "Myllytie/Kvarnvägen",
        "Sepäntie/Smedsvägen",
        "Kalastajankatu/Fiskargatan",
        "Linnankatu/Slottsgatan",
        "Tehtaankatu/Fabriksgatan",
        "Vanhatie/Gamla vägen",
        "Pohjoinen Rantakatu/Norra Strandgatan",
        "Itäinen Puistotie/Östra Parkvägen",
        "Aleksanterinkatu/Alexandersgatan",
        "Urheilutie/Idrottsvägen",
        "Kukkakatu/Blomstergatan",
        "Orvokkitie/Violvägen",
        "Marjatie/Bärvägen",
        "Pääskykuja/Svalgränden",
        "Kurkitie/Tranvägen",
        "Joutsentie/Svanvägen",
        "Karhuntie/Björnvägen",
        "Ketunkuja/Rävgränden",
        "Jäniksenpolku/Harstigen",
        "Lähdetie/Källvägen",
        "Siltakatu/Brogatan",
        "Pappilantie/Prästgårdsvägen",
        "Kartanontie/Herrgårdsvägen",
        "Hiihtäjäntie/Skidlöparvägen",
        "Ruusukuja/Rosengränden",
        "Sairaalakatu/Sjukhusgatan",
        "Meritie/Havsvägen",
    ]
)

# Street, locality with its postal code, country, and the country's name where the code has none (domain.md C25).
# 230 and 736 are codes that ISO 3166 has given up and VTJ still sends.
FOREIGN: Final[tuple[tuple[str, str, str, str | None], ...]] = (
    ("Drottninggatan", "111 51 STOCKHOLM", "752", None),
    ("Kungsgatan", "411 19 GÖTEBORG", "752", None),
    ("Sadama", "10111 TALLINN", "233", None),
    ("Narva maantee", "51009 TARTU", "233", None),
    ("Hauptstrasse", "10827 BERLIN", "276", None),
    ("Karl Johans gate", "0154 OSLO", "578", None),
    ("Calle Mayor", "29640 FUENGIROLA", "724", None),
    ("High Street", "EDINBURGH EH1 1TB", "826", None),
    ("Main Street", "LAKE WORTH FL 33460", "840", None),
    ("Rue de la Gare", "1003 LAUSANNE", "756", None),
    ("Rruga Nëna Terezë", "10000 PRISTINA", "997", None),
    ("Bole Road", "ADDIS ABABA", "230", None),
    ("Nile Street", "KHARTOUM", "736", None),
    ("Vuosaari Street", "PORT HARBOUR", "998", "Itä-Meren saarivaltio"),
)
