"""Lists of any length as one parameter: PostgreSQL takes 65,535 of them, and a page may name more persons."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models.expressions import RawSQL


def ids(values: Iterable[int]) -> RawSQL:
    """For ``filter(pk__in=ids(…))``: any number of ids as one parameter."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(values)])


def texts(values: Iterable[str]) -> RawSQL:
    """For ``filter(hetu__in=texts(…))``: any number of texts as one parameter."""
    return RawSQL("SELECT unnest(%s::text[])", [list(values)])
