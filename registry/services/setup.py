"""Who keeps the register, on what permit, for which services: from a file (outside.md, Set-up file)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

import msgspec
from django.conf import settings
from django.db import connection, models, transaction
from msgspec import Meta, Struct
from stdnum.exceptions import ValidationError
from stdnum.fi import ytunnus

from registry.models import Authority, DataPermit, Provider, Service, Unit
from registry.policies import Access
from registry.record import Group
from registry.services import audit
from registry.services.audit import Action
from registry.services.errors import Refused, Unreadable

MAX_BYTES: Final = 10_000_000

# Printable, and not only spaces.
Text = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*\Z")]
Code = Annotated[str, Meta(max_length=50, pattern=r"^[^\x00-\x20;,]+\Z")]


class Names(Struct, forbid_unknown_fields=True):
    """A name in the three languages; only Finnish is needed."""

    fi: Text
    sv: Text | None = None
    en: Text | None = None


class AuthorityEntry(Struct, forbid_unknown_fields=True):
    """``luvansaaja``."""

    ytunnus: Code
    nimi: Names


class PermitEntry(Struct, forbid_unknown_fields=True):
    """One of ``luvat``, known by its number."""

    numero: Text
    kayttotarkoitus: Text
    lakiperuste: Text
    alkaa: date
    tietoryhmat: Annotated[list[Group], Meta(min_length=1)]
    paattyy: date | None = None


class UnitEntry(Struct, forbid_unknown_fields=True):
    """One of ``yksikot``."""

    koodi: Code
    nimi: Names


class ProviderEntry(Struct, forbid_unknown_fields=True):
    """One of ``tuottajat``."""

    ytunnus: Code
    nimi: Text


class ServiceEntry(Struct, forbid_unknown_fields=True):
    """One of ``palvelut``; unit and providers are in the file or in the register already."""

    koodi: Code
    nimi: Names
    laji: Literal["PALVELUSETELI", "OSTOPALVELU"]
    yksikko: Code
    tuottajat: list[Code] = []


class SetupFile(Struct, forbid_unknown_fields=True):
    """The whole file."""

    luvansaaja: AuthorityEntry | None = None
    luvat: list[PermitEntry] = []
    yksikot: list[UnitEntry] = []
    tuottajat: list[ProviderEntry] = []
    palvelut: list[ServiceEntry] = []


@dataclass(slots=True)
class Counts:
    """What became of the entries of one kind."""

    added: int = 0
    changed: int = 0
    same: int = 0

    def __str__(self) -> str:
        return f"{self.added} added, {self.changed} changed, {self.same} the same"


def load(access: Access, content: bytes) -> dict[str, Counts]:
    """Adds what is missing and changes what differs, in one transaction; removes nothing.

    Returns the counts by the file's own member names. Raises Unreadable when the content is not in the format, and
    Refused when it contradicts itself or the register; the text names the place in the file.
    """
    told = parse(content)
    with transaction.atomic():
        counts = {"luvansaaja": _authority(told.luvansaaja)}
        counts["luvat"] = _permits(told.luvat)
        counts["yksikot"] = _put(Unit, "code", {one.koodi: _names(one.nimi) for one in told.yksikot})
        counts["tuottajat"] = _put(Provider, "business_id", {one.ytunnus: {"name": one.nimi} for one in told.tuottajat})
        counts["palvelut"] = _services(told.palvelut)
        if any(one.added or one.changed for one in counts.values()):
            details = {
                f"{kind} {what}": getattr(one, what) for kind, one in counts.items() for what in ("added", "changed")
            }
            audit.record(access, Action.LOAD_SETUP, details=details)
    return counts


def parse(content: bytes) -> SetupFile:
    """The file's content, with business ids in their usual form. Raises Unreadable and Refused."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The file is larger than {MAX_BYTES} bytes: it is not a set-up file.")
    try:
        told = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=SetupFile)
    except UnicodeDecodeError as error:
        raise Unreadable("The file is not UTF-8.") from error
    except msgspec.DecodeError as error:
        raise Unreadable(f"The file is not a set-up file: {error}") from error
    if told.luvansaaja is not None:
        told.luvansaaja.ytunnus = business_id(told.luvansaaja.ytunnus, "luvansaaja")
    for number, provider in enumerate(told.tuottajat, 1):
        provider.ytunnus = business_id(provider.ytunnus, f"tuottajat, entry {number}")
    for number, service in enumerate(told.palvelut, 1):
        service.tuottajat = [business_id(one, f"palvelut, entry {number}") for one in service.tuottajat]
    _once("luvat", "numero", (one.numero for one in told.luvat))
    _once("yksikot", "koodi", (one.koodi for one in told.yksikot))
    _once("tuottajat", "ytunnus", (one.ytunnus for one in told.tuottajat))
    _once("palvelut", "koodi", (one.koodi for one in told.palvelut))
    return told


def business_id(text: str, place: str) -> str:
    """The Y-tunnus as ``0101263-6``, its check digit verified. Raises Refused, naming the place."""
    try:
        return str(ytunnus.format(ytunnus.validate(text)))
    except ValidationError as error:
        raise Refused(f"{place}: {text} is not a valid Y-tunnus.") from error


def _once(kind: str, member: str, keys: Iterable[str]) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise Refused(f"{kind}: {member} {twice[0]} is there more than once.")


def _authority(told: AuthorityEntry | None) -> Counts:
    if told is not None:
        values = {"business_id": told.ytunnus, **_names(told.nimi)}
    elif Authority.objects.exists():
        return Counts(same=1)
    else:
        values = {"business_id": _own_business_id()}
        values |= {"name_fi": values["business_id"]}
    # There is one, whatever it was called before.
    return _put(Authority, "only", {True: values})


def _own_business_id() -> str:
    """The member of our own subsystem in X-Road: ``FI/MUN/0101263-6/subsystem``."""
    parts = settings.VTJ_CLIENT.split("/")
    if len(parts) != 4:
        raise Refused("luvansaaja is not in the file, and the setting VTJ_CLIENT does not tell it either.")
    return business_id(parts[2], "VTJ_CLIENT")


def _permits(told: list[PermitEntry]) -> Counts:
    for one in told:
        if one.paattyy is not None and one.paattyy < one.alkaa:
            raise Refused(f"luvat: {one.numero} ends before it begins.")
    wanted = {
        one.numero: {
            "purpose": one.kayttotarkoitus,
            "legal_basis": one.lakiperuste,
            "groups": [str(group) for group in dict.fromkeys(one.tietoryhmat)],
            "valid_from": one.alkaa,
            "valid_to": one.paattyy,
        }
        for one in told
    }
    times = {one.number: (one.valid_from, one.valid_to) for one in DataPermit.objects.select_for_update()}
    times |= {one.numero: (one.alkaa, one.paattyy) for one in told}
    for (number, (_, end)), (later, (start, _)) in pairwise(sorted(times.items(), key=lambda item: item[1][0])):
        if end is None or end >= start:
            raise Refused(f"luvat: {number} and {later} overlap. One permit is in force at a time.")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS permits_do_not_overlap DEFERRED")
        counts = _put(DataPermit, "number", wanted)
        cursor.execute("SET CONSTRAINTS permits_do_not_overlap IMMEDIATE")
    return counts


def _services(told: list[ServiceEntry]) -> Counts:
    units = {unit.code: unit.pk for unit in Unit.objects.all()}
    producers = {provider.business_id: provider.pk for provider in Provider.objects.all()}
    for one in told:
        if one.yksikko not in units:
            raise Refused(f"palvelut: {one.koodi} refers to the unit {one.yksikko}, which is not there.")
        for producer in one.tuottajat:
            if producer not in producers:
                raise Refused(f"palvelut: {one.koodi} refers to the provider {producer}, which is not there.")
    wanted = {one.koodi: {**_names(one.nimi), "kind": one.laji, "unit_id": units[one.yksikko]} for one in told}
    counts = _put(Service, "code", wanted)
    by_code = {service.code: service.pk for service in Service.objects.all()}
    links = {(by_code[one.koodi], producers[producer]) for one in told for producer in one.tuottajat}
    through = Service.providers.through
    missing = links - set(through.objects.values_list("service_id", "provider_id"))
    through.objects.bulk_create(through(service_id=service, provider_id=provider) for service, provider in missing)
    return counts


def _put(model: type[models.Model], key: str, wanted: Mapping[Any, Mapping[str, Any]]) -> Counts:
    """Makes the rows with these keys have these values."""
    rows = model._default_manager.filter(**{f"{key}__in": list(wanted)})
    held = {getattr(row, key): row for row in rows.select_for_update()}
    counts, fields = Counts(), [name for values in wanted.values() for name in values]
    changed = []
    for name, values in wanted.items():
        row = held.get(name)
        if row is None:
            continue
        if all(getattr(row, field) == value for field, value in values.items()):
            counts.same += 1
            continue
        for field, value in values.items():
            setattr(row, field, value)
        changed.append(row)
    if changed:
        model._default_manager.bulk_update(changed, list(dict.fromkeys(fields)), batch_size=1000)
    added = [model(**{key: name, **values}) for name, values in wanted.items() if name not in held]
    model._default_manager.bulk_create(added, batch_size=1000)
    counts.changed, counts.added = len(changed), len(added)
    return counts


def _names(told: Names) -> dict[str, str]:
    return {"name_fi": told.fi, "name_sv": told.sv or "", "name_en": told.en or ""}
