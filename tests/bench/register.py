"""What the measured registers hold: services, staff, and a list of people whom the simulated VTJ knows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from io import BytesIO, TextIOWrapper
from random import Random
from typing import IO

from django.conf import settings

from registry.clock import today
from registry.hetu import Hetu
from registry.models import DataPermit, Provider, Service, Unit
from registry.policies import Access
from registry.record import Group
from registry.services import imports
from vtjsync.simulator import server
from vtjsync.simulator.population import Population

SEED = 1
COLUMNS = ("henkilotunnus", "palvelu", "alkupaiva", "tuottaja", "viite", "sukunimi", "etunimet")
Row = tuple[str, ...]


def set_up() -> list[Service]:
    """Two units with two services each, a provider and a permit of all groups."""
    groups = [str(group) for group in Group]
    DataPermit.objects.create(number="1", purpose="p", legal_basis="l", groups=groups, valid_from=date(2020, 1, 1))
    provider = Provider.objects.create(business_id="0101263-6", name="Hoiva Oy")
    services = []
    for code in "AB":
        unit = Unit.objects.create(code=code, name_fi=f"Yksikkö {code}")
        for number in range(2):
            made = Service.objects.create(code=f"{code}{number}", name_fi=f"{code}{number}", kind="X", unit=unit)
            made.providers.add(provider)
            services.append(made)
    return services


def people(count: int) -> Population:
    """So many people of the simulated VTJ."""
    return Population(count, SEED, today())


def rows(codes: Iterable[Hetu], services: Sequence[Service]) -> Iterator[Row]:
    """A line of a list for each code; one person in ten has a second one. Names are left empty."""
    dice = Random(SEED)
    for number, code in enumerate(codes):
        for service in range(2 if number % 10 == 0 else 1):
            start = today() - timedelta(days=dice.randrange(20, 2500))
            told = services[(number + service) % len(services)].code
            yield code, told, start.isoformat(), "0101263-6", f"PS-{number}", "", ""


def write_list(file: IO[bytes], lines: Iterable[Row]) -> None:
    """The list as a file."""
    text = TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(COLUMNS)
    writer.writerows(lines)
    text.detach()


def clients(count: int, services: Sequence[Service]) -> list[Hetu]:
    """Brings so many people of the simulated VTJ into the register; returns their codes. They await basic data."""
    file, persons = BytesIO(), people(count)
    codes = [persons.code(number) for number in range(count)]
    write_list(file, rows(codes, services))
    file.seek(0)
    assert imports.run(Access(None, "bench"), file, day=today()).new_persons == count
    return codes


@contextmanager
def simulated(count: int, page: int = 1000) -> Iterator[server.Handle]:
    """The VTJ that knows these people, on a socket; the settings lead to it."""
    vtj = server.start(population=count, seed=SEED, page=page, keep_requests=False)
    settings.VTJ_SERVER, settings.VTJ_CLIENT = vtj.url, server.CLIENT
    settings.VTJ_USERNAME, settings.VTJ_PASSWORD = server.USERNAME, server.PASSWORD
    try:
        yield vtj
    finally:
        vtj.stop()
