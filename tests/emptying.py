"""Empties the database after a test that commits.

Django truncates every table, most of them empty already, and then makes content types, rights and roles again, by some
hundred and eighty statements: a large part of the time of the whole suite. Here what a test has filled is emptied, and
what the migrations alone fill stays, unless the test has changed the roles.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import TransactionTestCase

# A table without pages has no rows. No trigger and no foreign key counts, since all of it goes; a large table is
# truncated, so that the next tests do not read what is left of it.
_EMPTY = """
    DO $$
    DECLARE filled record;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR filled IN
            SELECT oid::regclass AS name, pg_relation_size(oid) AS size FROM pg_class
            WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 0
                AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission', 'auth_group',
                                    'auth_group_permissions')
        LOOP
            IF filled.size > 500000 THEN
                EXECUTE format('TRUNCATE %s CASCADE', filled.name);
            ELSE
                EXECUTE format('DELETE FROM %s', filled.name);
            END IF;
        END LOOP;
    END $$
"""
_ROLES = """
    SELECT md5(string_agg(concat_ws(' ', g.name, p.content_type_id, p.codename), ',' ORDER BY g.name, p.id))
    FROM auth_permission p
    LEFT JOIN auth_group_permissions gp ON gp.permission_id = p.id
    LEFT JOIN auth_group g ON g.id = gp.group_id
"""


def install() -> None:
    """From now on. The roles as they are now are those that the migrations made."""
    as_migrated, by_django = _roles(), TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def teardown(case: Any) -> None:
        if _roles() != as_migrated:
            by_django(case)
            return
        with connection.cursor() as cursor:
            cursor.execute(_EMPTY)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]


def _roles() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(_ROLES)
        found: str | None = cursor.fetchone()[0]
        return found
