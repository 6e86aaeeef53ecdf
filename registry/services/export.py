"""The register as JSON Lines, in the format that others hold on to (outside.md, Export)."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registry import ports
from registry.clock import HELSINKI, today
from registry.models import TASKS, Clientship, DataPermit, PersonCode, PersonStatus, Problem, ProblemKind
from registry.policies import EXPORT_REGISTER, HANDLE_PROTECTED, SEE_FORMER, Access
from registry.record import LOST_TRACK, ForeignAddress, HomeAddress, PartialDate, PersonRecord
from registry.selectors.place import Override, granted_groups, granted_places, permit_on
from registry.services import audit, vtj_data
from registry.services.audit import Action
from registry.sql import ids

CHUNK: Final = 2000

AWAITING: Final = "ODOTTAA"
CURRENT: Final = "AJAN_TASALLA"
NOT_FOUND: Final = "EI_LOYDY"
PROBLEM: Final = "SELVITETTAVA"
NO_PERMIT: Final = "EI_LUPAA"
# An export that lives writes all the time; on a shared folder it may be another machine's.
ABANDONED_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Options:
    """What the export holds only where asked for: protected persons (without places), former codes, and locations that
    were not confirmed lately, for a reason (domain.md E41)."""

    protected: bool = False
    former: bool = False
    unconfirmed: Override | None = None


def export(access: Access, path: Path, options: Options) -> int:
    """Writes the register to the file, sorted by current code, and returns the number of persons.

    The file appears whole or not at all, with mode 0600. Protected persons and former codes need the rights for them
    too (domain.md D31, E38). Raises PermissionDenied and OSError.
    """
    access.require(EXPORT_REGISTER)
    if options.protected:
        access.require(HANDLE_PROTECTED)
    if options.former:
        access.require(SEE_FORMER)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    _clear_away(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, transaction.atomic():
            # The event comes first (domain.md G46): no event, no data.
            subjects = [subject for _, _, subject in _persons(options)]
            details = {"protected": str(options.protected), "former": str(options.former)}
            if options.unconfirmed:
                details["unconfirmed"] = str(options.unconfirmed)
            audit.record(access, Action.EXPORT, subjects=subjects, details=details)
            encode = msgspec.json.Encoder().encode
            written = 0
            for line in lines(options):
                file.write(encode(line) + b"\n")
                written += 1
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return written


def _clear_away(path: Path) -> None:
    """What earlier exports to the same file left that were killed: nobody would look for it, and it holds persons."""
    for part in path.parent.glob(f".{escape(path.name)}.*.part"):
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                part.unlink()


def lines(options: Options) -> Iterator[dict[str, Any]]:
    """One object per person, read a chunk at a time with the same number of queries for each."""
    persons = _persons(options)
    permit = permit_on(today())
    for begin in range(0, len(persons), CHUNK):
        yield from _chunk(persons[begin : begin + CHUNK], options, permit)


def _persons(options: Options) -> list[tuple[str, int, Any]]:
    rows = PersonCode.objects.filter(current=True)
    if not options.protected:
        rows = rows.filter(person__protected=False)
    return list(rows.order_by("hetu").values_list("hetu", "person", "person__subject"))


def _chunk(
    persons: Sequence[tuple[str, int, Any]], options: Options, permit: DataPermit | None
) -> Iterator[dict[str, Any]]:
    wanted = [person for _, person, _ in persons]
    held = vtj_data.read(wanted)
    problems = _problems(wanted)
    clientships = _clientships(wanted)
    former = _former(wanted) if options.former else {}
    confirmed = ports.source().confirmed_at(wanted)
    limit = settings.LOCATION_HIDE if options.unconfirmed else settings.LOCATION_WARN
    oldest, granted = timezone.now() - limit, granted_places(permit)
    for code, person, _ in persons:
        one, kinds = held.get(person), problems.get(person, set())
        if one is None or (one.record.protected and not options.protected):
            continue  # erased, or under a ban, since the list was made
        at, record = confirmed.get(person), one.record
        mismatch = ProblemKind.NAME_MISMATCH in kinds
        if mismatch:
            # The code in the list may be somebody else's: nothing that VTJ says of them is told.
            record = PersonRecord(protected=record.protected)
        record = record.with_values_of(granted_groups(permit))
        hidden = one.location_hidden or at is None or at < oldest
        hidden = hidden or (one.ask == LOST_TRACK and not options.unconfirmed)
        yield {
            "henkilotunnus": code,
            "edelliset_henkilotunnukset": [] if mismatch else former.get(person, []),
            **members(record.with_places(() if hidden else granted)),
            "asiakkuudet": clientships.get(person, []),
            "vtj_tila": _state(one.status, kinds, permit=permit is not None),
            "vtj_tarkistettu": _moment(at),
        }


def members(record: PersonRecord) -> dict[str, Any]:
    """What VTJ says, in the export's members."""
    language = record.language_code or record.language_name
    municipality = record.municipality
    return {
        "etunimet": record.first_names,
        "sukunimi": record.last_name,
        "aidinkieli": {"kielikoodi": record.language_code, "nimi": record.language_name} if language else None,
        "kuollut": record.deceased,
        "kuolinpv": _day(record.death_date),
        "turvakielto": record.protected,
        "turvakielto_loppupv": _day(record.protection_end),
        "vakinainen_kotimainen_osoite": _home(record.home) if record.home else None,
        "vakinaiset_ulkomaiset_osoitteet": sorted(map(_foreign, record.foreign), key=_order),
        "kotikunta": {"kuntakoodi": municipality.code, "kuntaanmuuttopv": _day(municipality.moved_in)}
        if municipality
        else None,
    }


def _home(home: HomeAddress) -> dict[str, Any]:
    return {
        "katunimi": {"fi": home.street_fi, "sv": home.street_sv},
        "katunumero": home.house_number,
        "huoneistokirjain": home.staircase,
        "huoneistonumero": home.apartment,
        "jakokirjain": home.division,
        "postinumero": home.postal_code,
        "postitoimipaikka": {"fi": home.post_office_fi, "sv": home.post_office_sv},
        "kuntakoodi": home.municipality_code,
        "alkupv": _day(home.start),
    }


def _foreign(address: ForeignAddress) -> dict[str, str | None]:
    return {
        "lahiosoite": address.street,
        "paikkakunta": address.locality,
        "valtiokoodi": address.country_code,
        "valtionimi": address.country_name,
        "alkupv": _day(address.start),
    }


def _order(address: dict[str, str | None]) -> tuple[str, ...]:
    return tuple(address[name] or "" for name in ("alkupv", "valtiokoodi", "lahiosoite", "paikkakunta"))


def _state(status: str, problems: set[str], *, permit: bool) -> str:
    """``vtj_tila``. A missing permit goes before everything, and an open problem before what it is about; not being
    found is a state of its own."""
    if not permit:
        return NO_PERMIT
    if problems - {ProblemKind.NOT_FOUND} - TASKS:
        return PROBLEM
    return {PersonStatus.AWAITING: AWAITING, PersonStatus.NOT_FOUND: NOT_FOUND}.get(PersonStatus(status), CURRENT)


def _problems(persons: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    rows = Problem.objects.filter(Q(closed_at=None), person__in=ids(persons))
    for person, kind in rows.values_list("person", "kind"):
        found.setdefault(person, set()).add(kind)
    return found


def _clientships(persons: Sequence[int]) -> dict[int, list[dict[str, str | None]]]:
    found: dict[int, list[dict[str, str | None]]] = {}
    rows = Clientship.objects.filter(person__in=ids(persons)).order_by("service__code", "start")
    columns = ("person", "service__code", "provider__business_id", "start", "end", "reference")
    for person, service, provider, start, end, reference in rows.values_list(*columns):
        told = {
            "palvelu": service,
            "tuottaja": provider,
            "alkupv": start.isoformat(),
            "loppupv": end.isoformat() if end else None,
            "viite": reference,
        }
        found.setdefault(person, []).append(told)
    return found


def _former(persons: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = PersonCode.objects.filter(person__in=ids(persons), current=False).order_by("hetu")
    for person, hetu in rows.values_list("person", "hetu"):
        found.setdefault(person, []).append(hetu)
    return found


def _day(day: PartialDate | None) -> str | None:
    return day.iso() if day else None


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(HELSINKI).isoformat(timespec="seconds") if at else None
