"""VTJkysely's products: what each tells of a person, in which order and form (wire.md 3).

The names are the simulator's own. No two of them agree on the order, the address, the ban or the dead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final
from xml.sax.saxutils import escape

from vtjsync.simulator.people import DAY, YEAR, Home, Person, When

SCHEMA: Final = "http://xml.vrk.fi/schema/vtjkysely"
CHILD_YEARS: Final = 15


@dataclass(frozen=True, slots=True)
class Product:
    """One product. ``parts`` in their order; ``prefix`` is that of the answer's namespace.

    ``ban`` is the word for a ban that is on; ``tells_dead`` and ``tells_banned``: whether such a person is told at all;
    ``marks``: whether a code says of itself that it is in force; ``bare``: failures come as a faultCode alone.
    """

    name: str
    parts: tuple[str, ...]
    prefix: str = ""
    ban: str = "1"
    tells_dead: bool = False
    tells_banned: bool = True
    marks: bool = True
    bare: bool = False


PRODUCTS: Final = {
    product.name: product
    for product in (
        Product(
            "PERUSSANOMA 3",
            ("Henkilotunnus", "Nimet", "EntinenNimi", "Rivi", "Kotikunta", "Kuolintiedot", "Aidinkieli", "Turvakielto"),
        ),
        Product(
            "OSOITESANOMA 7",
            ("Turvakielto", "Kuolintiedot", "Osat", "Henkilotunnus", "Sukupuoli", "Nimet"),
            prefix="ns2",
            ban="9",
            tells_dead=True,
        ),
        Product("NIMISANOMA 1", ("Nimet", "Henkilotunnus"), tells_banned=False, marks=False, bare=True),
    )
}


def return_code(product: Product, person: Person, today: date) -> str:
    """Paluukoodi for somebody whose code was asked about."""
    if person.death is not None and not product.tells_dead:
        return "0007"
    if person.ban is not None and not product.tells_banned:
        return "0019"
    birthday = (today.month, today.day) < (person.born.month, person.born.day)
    return "0018" if today.year - person.born.year - birthday < CHILD_YEARS else "0000"


def message(product: Product, code: str, asked: str, inside: str) -> str:
    """VTJHenkiloVastaussanoma with a Paluukoodi; ``inside`` is its Henkilo, empty for none."""
    found = {"0000": "1", "0018": "1", "0007": "1", "0019": "1", "0002": "2"}.get(code, "0")
    return _prefixed(
        product,
        f'<VTJHenkiloVastaussanoma versio="1.0" sanomatunnus="{product.name}">'
        "<Asiakasinfo><InfoS/></Asiakasinfo>"
        f'<Paluukoodi koodi="{code}">Selite</Paluukoodi>'
        f'<Hakuperusteet><Henkilotunnus hakuperustePaluukoodi="{found}">{escape(asked)}</Henkilotunnus></Hakuperusteet>'
        f"{inside}</VTJHenkiloVastaussanoma>",
    )


def person_element(product: Product, person: Person, today: date) -> str:
    """Henkilo as the product tells it."""
    return f"<Henkilo>{''.join(PARTS[part](product, person, today) for part in product.parts)}</Henkilo>"


def new_code_element(product: Product, code: str) -> str:
    """Henkilo of whom nothing but the code that is in force is told."""
    return f"<Henkilo>{_number(product, code)}</Henkilo>"


def _prefixed(product: Product, text: str) -> str:
    """The elements with the product's prefix on their names."""
    if not product.prefix:
        return text.replace(">", f' xmlns="{SCHEMA}">', 1)
    text = text.replace("</", "\0").replace("<", f"<{product.prefix}:").replace("\0", f"</{product.prefix}:")
    return text.replace(">", f' xmlns:{product.prefix}="{SCHEMA}">', 1)


def _element(name: str, text: str | None = None) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"


def _number(product: Product, code: str) -> str:
    mark = ' voimassaolokoodi="1"' if product.marks else ""
    return f"<Henkilotunnus{mark}>{code}</Henkilotunnus>"


def _names(_product: Product, person: Person, _today: date) -> str:
    last, first = _element("Sukunimi", person.last_name), _element("Etunimet", person.first_names)
    return f"<NykyinenSukunimi>{last}</NykyinenSukunimi><NykyisetEtunimet>{first}</NykyisetEtunimet>"


def _line(_product: Product, person: Person, today: date) -> str:
    home = _home(person, today)
    inside = _element("LahiosoiteS") + _element("LahiosoiteR") + _element("Postinumero")
    if home is not None:
        rest = (home.number, home.staircase, (home.apartment or "").lstrip("0"), home.division)
        told = " ".join(filter(None, rest))
        inside = _element("LahiosoiteS", f"{home.street_fi} {told}")
        inside += _element("LahiosoiteR", f"{home.street_sv} {told}" if home.street_sv else None)
        inside += _element("Postinumero", home.postal_code)
    return f"<VakinainenKotimainenLahiosoite>{inside}{_office(home)}</VakinainenKotimainenLahiosoite>"


def _parts(_product: Product, person: Person, today: date) -> str:
    home = _home(person, today)
    if home is None:
        return ""
    named = {
        "Postinumero": home.postal_code,
        "Jakokirjain": home.division,
        "Huoneistonumero": home.apartment,
        "Porraskirjain": home.staircase,
        "Katunumero": home.number,
        "KatuR": home.street_sv,
        "KatuS": home.street_fi,
    }
    inside = "".join(_element(name, text) for name, text in named.items())
    return f"<VakinainenKotimainenOsoite>{inside}{_office(home)}</VakinainenKotimainenOsoite>"


def _home(person: Person, today: date) -> Home | None:
    """Where the person lives; nowhere that is told while there is a ban."""
    return None if person.ban else person.home(today)


def _office(home: Home | None) -> str:
    fi, sv, start = (home.office_fi, home.office_sv, _date(home.start)) if home else (None, None, None)
    return (
        f"{_element('PostitoimipaikkaS', fi)}{_element('PostitoimipaikkaR', sv)}"
        f"{_element('AsuminenAlkupvm', start)}<AsuminenLoppupvm/>"
    )


def _date(when: When) -> str:
    """yyyymmdd, with 00 for what is not known."""
    text = f"{when.day:%Y%m%d}"
    return text if when.precision == DAY else text[:4] + "0000" if when.precision == YEAR else text[:6] + "00"


def _town(_product: Product, person: Person, today: date) -> str:
    town = None if person.ban else person.town(today)
    return f"<Kotikunta>{_element('Kuntanumero', town.code if town else None)}<KuntaS/></Kotikunta>"


def _death(_product: Product, person: Person, _today: date) -> str:
    death = person.death
    on = _date(death.on) if death and death.on else None
    return f"<Kuolintiedot>{_element('Kuollut', '1' if death else None)}{_element('Kuolinpvm', on)}</Kuolintiedot>"


def _language(_product: Product, person: Person, _today: date) -> str:
    return f"<Aidinkieli>{_element('Kielikoodi', person.language.code if person.language else None)}</Aidinkieli>"


def _ban(product: Product, person: Person, _today: date) -> str:
    told = _element("TurvakieltoTieto", product.ban if person.ban else None)
    return f"<Turvakielto>{told}<TurvakieltoPaattymispvm/></Turvakielto>"


PARTS: Final[dict[str, Callable[[Product, Person, date], str]]] = {
    "Henkilotunnus": lambda product, person, _: _number(product, person.code),
    "Nimet": _names,
    "EntinenNimi": lambda *_: "<EntinenNimi><Nimi/><Nimilajikoodi/></EntinenNimi>",
    "Rivi": _line,
    "Osat": _parts,
    "Kotikunta": _town,
    "Kuolintiedot": _death,
    "Aidinkieli": _language,
    "Turvakielto": _ban,
    "Sukupuoli": lambda *_: "<Sukupuoli><Sukupuolikoodi/></Sukupuoli>",
}
