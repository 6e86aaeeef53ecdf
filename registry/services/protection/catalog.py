"""Which tables and columns there are, and which rows are tied to a person: from the database's own catalog.

So a table that no model knows, or that is made tomorrow, is looked at too.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

# Ordinary tables and materialised views of every schema but the system's; the parts of a partitioned table, not itself.
_COLUMNS = """
    SELECT t.oid::regclass::text, a.attname, format_type(a.atttypid, NULL)
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\\_toast%%' AND t.relpersistence <> 't'
    ORDER BY 1, a.attnum
"""
# The columns that refer to a person's id, the first where a table has several; a table that is a person's own child.
_TIES = """
    SELECT c.conrelid::regclass::text, a.attname
    FROM pg_constraint c, unnest(c.conkey, c.confkey) AS pair (own, theirs)
    JOIN pg_attribute a ON true JOIN pg_attribute f ON true
    WHERE c.contype = 'f' AND c.confrelid = 'registry_person'::regclass
      AND a.attrelid = c.conrelid AND a.attnum = pair.own
      AND f.attrelid = c.confrelid AND f.attnum = pair.theirs AND f.attname = 'id'
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_TEXT = ("text", "character varying", "character", "name", "json", "jsonb", "xml", "tsvector", "citext")


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its quoted name. ``ties``: its columns that refer to a person. ``texts``: those of its ``columns``
    that can hold words, arrays of text too; ``binary``: those that hold bytes."""

    name: str
    columns: tuple[str, ...]
    texts: tuple[str, ...]
    binary: tuple[str, ...]
    ties: tuple[str, ...]


def tables() -> list[Table]:
    """Every table of the database."""
    columns: dict[str, list[tuple[str, str]]] = {}
    ties: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS.replace("%%", "%"))
        for table, column, kind in cursor.fetchall():
            columns.setdefault(table, []).append((column, kind))
        cursor.execute(_TIES)
        for table, column in cursor.fetchall():
            ties.setdefault(table, []).append(column)
    return [
        Table(
            name=table,
            columns=tuple(column for column, _ in found),
            texts=tuple(column for column, kind in found if kind.removesuffix("[]") in _TEXT),
            binary=tuple(column for column, kind in found if kind in {"bytea", "bytea[]"}),
            ties=("id",) if table == "registry_person" else tuple(ties.get(table, ())),
        )
        for table, found in columns.items()
    ]
