"""Lists of an organisation as rows, their import, and the register as it stands."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import Any

from django.db import connection

from registry.hetu import Hetu
from registry.models import AuditEvent, Clientship, PersonCode
from registry.policies import Access
from registry.services import imports
from registry.services.imports import Report
from tests.cast import clerk

DAY = date(2026, 6, 15)
YESTERDAY, TOMORROW = DAY - timedelta(days=1), DAY + timedelta(days=1)
START = date(2026, 1, 1)
REQUIRED = "henkilotunnus;palvelu;alkupaiva"
ENDS = f"{REQUIRED};loppupaiva"
Row = tuple[object, ...]


def run(*rows: Row, header: str = ENDS, user: Access = clerk, **more: object) -> Report:
    """The import of these rows; what a row leaves out at its end is empty."""
    width = header.count(";") + 1
    lines = [";".join(str(field) for field in (*row, *[""] * (width - len(row)))) for row in rows]
    file = BytesIO("\n".join([header, *lines]).encode())
    return imports.run(user, file, day=DAY, **more)  # type: ignore[arg-type]


def said(report: Report) -> list[str]:
    """The bad lines in words, which never hold a code."""
    words = [str(bad) for bad in report.bad]
    for code in PersonCode.objects.values_list("hetu", flat=True):
        assert code not in "".join(words)
    return words


def everything() -> dict[str, list[str]]:
    """Every row of the register as text."""
    tables = [name for name in connection.introspection.table_names() if name.startswith("registry_")]
    with connection.cursor() as cursor:
        return {table: sorted(_texts(cursor, table)) for table in tables}


def register() -> dict[str, list[str]]:
    """Everything but the audit log."""
    return {table: rows for table, rows in everything().items() if table != AuditEvent._meta.db_table}


def _texts(cursor: Any, table: str) -> list[str]:
    cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
    return [text for (text,) in cursor.fetchall()]


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.ended, report.same, report.bad_count


def of(code: Hetu) -> list[tuple[str, date, date | None]]:
    """The clientships of whoever has the code."""
    rows = Clientship.objects.filter(person__codes__hetu=code).order_by("start", "service__code")
    return list(rows.values_list("service__code", "start", "end"))
