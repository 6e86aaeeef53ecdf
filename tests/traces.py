"""What of a person is anywhere in the database (domain.md E40, F43): every column of every table, read as text."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from registry.models import Session

_TABLES = """
    SELECT table_schema || '.' || table_name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
# What ANALYZE keeps of the columns, and of the words of an index.
_SAMPLES = """
    SELECT DISTINCT tablename::text FROM pg_stats
    WHERE concat(most_common_vals::text, histogram_bounds::text, most_common_elems::text) ILIKE ANY (%s)
"""


def tables_holding(texts: Collection[str]) -> set[str]:
    """The tables in which one of the texts stands in any column of any row: as it is or as bytes. What the task queue
    and the sessions keep packed is unpacked, and the planner's samples are looked at too."""
    sought = [f"%{form}%" for text in texts for form in (text, text.encode().hex())]
    found = {"packed"} if any(text in whole for whole in _packed() for text in texts) else set()
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text ILIKE ANY (%s))", [sought])  # noqa: S608
            if cursor.fetchone()[0]:
                found.add(table.removeprefix("public."))
        cursor.execute(_SAMPLES, [sought])
        return found | {f"samples of {table}" for (table,) in cursor.fetchall()}


def _packed() -> list[str]:
    queued = [SignedPackage.loads(one.payload) for one in OrmQ.objects.all()]
    done = [(one.name, one.args, one.kwargs, one.result) for one in Task.objects.all()]
    return [str(one) for one in (*queued, *done, *(session.get_decoded() for session in Session.objects.all()))]
