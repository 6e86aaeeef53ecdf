"""What stays of an erasure: a receipt in the database and a line in the ledger outside of it (domain.md F45).

Both are written in the transaction that erases, the line last: what is committed is in the ledger already.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from registry import ledger, lock
from registry.lock import Locked
from registry.models import ErasureReceipt
from registry.sql import ids

log = logging.getLogger(__name__)

BATCH: Final = 1000


def keep(receipts: Sequence[ErasureReceipt]) -> None:
    """Keeps the receipts, as the last act of the transaction that erased. Raises OSError and Locked: then nothing may
    be committed."""
    if not receipts:
        return
    erased_at = _now()
    for receipt in receipts:
        receipt.erased_at, receipt.in_ledger = erased_at, True
    ErasureReceipt.objects.bulk_create(receipts, batch_size=BATCH)
    lock.write(ledger.ERASED, {"receipts": [told(receipt) for receipt in receipts]})


def keep_or_wait(receipts: Sequence[ErasureReceipt]) -> None:
    """The same of a mistake that goes at once (domain.md H55), whether or not the ledger can be written: then the
    receipts wait in the database for :func:`write_waiting`."""
    try:
        with transaction.atomic():
            keep(receipts)
    except (OSError, Locked) as error:
        log.warning("receipts wait for the erasure ledger: %s", type(error).__name__)
        for receipt in receipts:
            receipt.pk, receipt.in_ledger = None, False
        ErasureReceipt.objects.bulk_create(receipts, batch_size=BATCH)


def write_waiting() -> None:
    """Copies the receipts that wait to the ledger. Raises OSError and Locked."""
    waiting = ErasureReceipt.objects.filter(in_ledger=False).order_by("id")
    while waiting.exists():
        with transaction.atomic():
            receipts = list(waiting.select_for_update(skip_locked=True)[:BATCH])
            if not receipts:
                return
            ErasureReceipt.objects.filter(id__in=ids(one.pk for one in receipts)).update(in_ledger=True)
            lock.write(ledger.ERASED, {"receipts": [told(receipt) for receipt in receipts]})


def told(receipt: ErasureReceipt) -> dict[str, Any]:
    """The receipt as the ledger has it: what a replay needs, and no code."""
    start = receipt.clientship_start
    return {
        "erased_at": receipt.erased_at.isoformat(),
        "subject": str(receipt.subject),
        "code_hashes": [bytes(one).hex() for one in receipt.code_hashes],
        "services": receipt.services,
        "whole_person": receipt.whole_person,
        "clientship_start": start.isoformat() if start else None,
        "rows": receipt.rows,
    }


def of(line: dict[str, Any]) -> ErasureReceipt:
    """The receipt that the ledger tells of, not saved."""
    start = line["clientship_start"]
    return ErasureReceipt(
        erased_at=datetime.fromisoformat(line["erased_at"]),
        subject=UUID(line["subject"]),
        code_hashes=[bytes.fromhex(one) for one in line["code_hashes"]],
        services=line["services"],
        whole_person=line["whole_person"],
        clientship_start=date.fromisoformat(start) if start else None,
        rows=line["rows"],
        in_ledger=True,
    )


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
