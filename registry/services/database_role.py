"""The rights of the application's own role in the database (domain.md G46): it owns nothing, and of the evidence it can
neither change nor remove anything."""

from __future__ import annotations

from typing import Final

from django.db import ProgrammingError, connection, transaction
from psycopg import sql

# What may be done to the evidence; everything else may be read and written.
EVIDENCE: Final = {
    "registry_auditevent": "SELECT, INSERT",
    "registry_auditseal": "SELECT, INSERT",
    "registry_subjectcode": "SELECT, INSERT",
    "registry_audithold": "SELECT, INSERT, UPDATE (released_at, released_by)",
    "registry_erasurereceipt": "SELECT, INSERT, UPDATE (in_ledger)",
    "registry_logextract": (
        "SELECT, INSERT, UPDATE (outcome, ground, note, decided_at, decided_by, decided_name), DELETE"
    ),
    "django_migrations": "SELECT",
}
FUNCTIONS: Final = (
    "registry_audit_make_months(integer)",
    "registry_audit_drop_month(timestamp)",
    "registry_sample_anew(text[])",
)
# So that the database's log holds no values (domain.md E36, G49).
SETTINGS: Final = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_TABLES: Final = """
    SELECT c.relname, coalesce(i.inhparent::regclass = 'registry_auditevent'::regclass, false)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1
"""
# A superuser, the owner of a table, or a member of the owner's role would be stopped by no rights.
_TOO_MUCH: Final = """
    SELECT rolsuper OR EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
    FROM pg_roles r WHERE rolname = %s
"""
# Rights that are given by somebody else are not given, with no more than a warning.
_OWNER: Final = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'registry_auditevent'::regclass"
_AS_OWNER: Final = "run this as the owner of the tables, who may make roles."


class NotPossible(Exception):
    """Not as this user, or not to this role. The text says why."""


def grant(name: str) -> list[str]:
    """Makes the role where there is none, and gives it exactly the rights of the application. Can be done again, and
    has to be after a migration. Returns the statements that only a superuser can make. Raises :class:`NotPossible`."""
    role = sql.Identifier(name)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_OWNER)
            if not cursor.fetchone()[0]:
                raise NotPossible(f"Not the owner: {_AS_OWNER}")
            cursor.execute(_TOO_MUCH, [name])
            found = cursor.fetchone()
            if found is None:
                cursor.execute(_said(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(role)))
            elif found[0]:
                raise NotPossible(f"{name} owns the tables or is a superuser: rights would not bind it.")
            for statement in _grants(role):
                cursor.execute(_said(statement))
    except ProgrammingError as error:
        kind = type(error.__cause__).__name__
        raise NotPossible(f"{kind}: {_AS_OWNER}") from error
    return [statement for statement in _settings(role) if not _done(statement)]


def _grants(role: sql.Identifier) -> list[sql.Composed]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
        cursor.execute("SELECT current_database()")
        database = sql.Identifier(cursor.fetchone()[0])
    made = [
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, role),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(role),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(role),
    ]
    for table, is_month in tables:
        rights = "SELECT" if is_month else EVIDENCE.get(table, "SELECT, INSERT, UPDATE, DELETE")
        name = sql.Identifier("public", table)
        made.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(name, role))
        made.append(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), name, role))
    for function in FUNCTIONS:
        made.append(sql.SQL("GRANT EXECUTE ON FUNCTION public.{} TO {}").format(sql.SQL(function), role))
    return made


def _settings(role: sql.Identifier) -> list[str]:
    return [
        _said(sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(setting), sql.Literal(value)))
        for setting, value in SETTINGS.items()
    ]


def _said(statement: sql.Composed) -> str:
    return statement.as_string(None)


def _done(statement: str) -> bool:
    """Whether the statement could be made by this user."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError:
        return False
    return True
