"""What will be erased, in words and numbers (domain.md F42, F43)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from registry.models import ErasureHold, ErasureReceipt, Service
from registry.policies import CONFIRM_ERASURE, Access
from registry.services import erasure
from registry.services.clients import Preview

RECEIPTS_SHOWN: Final = 50
# What a caseworker knows of; the program's own rows go too, without a word.
TABLES: Final = {
    "registry_person": _("VTJ's data of the person"),
    "registry_personcode": _("Identity codes"),
    "registry_clientship": _("Clientships"),
    "registry_appliedchange": _("Applied changes"),
    "registry_problem": _("Problems"),
    "registry_foreignaddress": _("Addresses abroad"),
    "registry_contactaddress": _("Contact address"),
}


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """What a receipt tells: when, whether a whole person, and of which services."""

    erased_at: datetime
    whole_person: bool
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasures:
    """What is due today, what waits for a second person, whether one has been confirmed and waits for its run, and the
    latest receipts, which name nobody."""

    due: erasure.Due
    held: ErasureHold | None
    confirmed: bool
    receipts: tuple[ReceiptRow, ...]


def preview_rows(preview: Preview | None) -> Iterator[tuple[str, int]]:
    """What a clientship's end erases: a name in words and how many."""
    counts = preview.rows if preview else {}
    return ((str(name), counts[table]) for table, name in TABLES.items() if table in counts)


def erasures(access: Access, day: date) -> Erasures:
    """The page of the erasures. It names no person, and so leaves no event. Raises PermissionDenied."""
    access.require(CONFIRM_ERASURE)
    names = {service.code: service.name for service in Service.objects.all()}
    receipts = tuple(
        ReceiptRow(one.erased_at, one.whole_person, tuple(names.get(code, code) for code in one.services))
        for one in ErasureReceipt.objects.order_by("-pk")[:RECEIPTS_SHOWN]
    )
    confirmed = ErasureHold.objects.filter(done_at=None, confirmed_at__isnull=False).exists()
    return Erasures(erasure.due(day), erasure.held(), confirmed, receipts)
