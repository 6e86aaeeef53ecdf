"""Who works in the demo, and who its clients are."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from django.contrib.auth.models import Group as Role
from django.db import transaction

from registry.models import Service, Unit, User

PASSWORD: Final = "kokeile-rauhassa"  # noqa: S105 - printed for everyone to see; the demo answers on this machine only


@dataclass(frozen=True, slots=True)
class Worker:
    """A member of staff of the demo; ``may`` is what `make run` prints of them."""

    username: str
    first_name: str
    last_name: str
    role: str
    units: tuple[str, ...]
    may: str


WORKERS: Final = (
    Worker("aino", "Aino", "Virtanen", "caseworker", ("KOTI", "ASUMINEN"), "caseworker of home care and housing"),
    Worker("bertta", "Bertta", "Nieminen", "administrator", (), "administrator: syncs, schedules, erasures"),
    Worker("celia", "Celia", "Öhman", "caseworker", ("KUNTOUTUS", "VAMMAIS"), "caseworker of other units"),
    Worker(
        "daniel",
        "Daniel",
        "Lindqvist",
        "handler",
        ("KOTI", "ASUMINEN", "KUNTOUTUS", "VAMMAIS"),
        "handler of protected clients, in every unit",
    ),
    Worker("eeva", "Eeva", "Äijälä", "auditor", (), "auditor: who saw and did what"),
    Worker(
        "fanni",
        "Fanni",
        "Ristola",
        "supervisor",
        ("KOTI", "ASUMINEN", "KUNTOUTUS", "VAMMAIS"),
        "supervisor: why protected clients were opened",
    ),
    Worker("gunnar", "Gunnar", "Sjöberg", "emergency", (), "crisis worker: emergency access to one client"),
)


def make_workers() -> None:
    """The demo's users; those who are there stay as they are."""
    with transaction.atomic():
        for worker in WORKERS:
            user, new = User.objects.get_or_create(
                username=worker.username, defaults={"first_name": worker.first_name, "last_name": worker.last_name}
            )
            if new:
                user.set_password(PASSWORD)
                user.save()
                user.groups.add(Role.objects.get(name=worker.role))
                user.units.set(Unit.objects.filter(code__in=worker.units))


def write_clients(codes: Sequence[str], file: Path, today: date) -> None:
    """The organisation's own list: everyone uses one service, some use two. The same codes give the same list."""
    dice = Random(2026)  # noqa: S311 - believable, not secret
    services = [
        (service.code, list(service.providers.order_by("business_id").values_list("business_id", flat=True)))
        for service in Service.objects.order_by("code")
    ]
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(("henkilotunnus", "palvelu", "alkupaiva", "tuottaja", "viite"))
        for number, code in enumerate(codes, start=1):
            for service, providers in dice.sample(services, 2 if dice.random() < 0.15 else 1):
                start = today - timedelta(days=dice.randrange(20, 2500))
                provider = dice.choice(providers) if dice.random() < 0.8 else ""
                reference = f"A-{number:05}" if dice.random() < 0.5 else ""
                writer.writerow((code, service, start.isoformat(), provider, reference))
