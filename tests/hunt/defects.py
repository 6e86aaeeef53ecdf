"""Defects that were planted in the program: with each of them the days leave something that the hunt finds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Final
from unittest.mock import patch

Defect = Callable[[], AbstractContextManager[Any]]


def changed(module: str, name: str, change: Callable[[Any], Callable[..., Any]]) -> Defect:
    """The function, or method, of that name does something else; ``change`` is given what it did."""

    def plant() -> AbstractContextManager[Any]:
        where, _, inside = name.rpartition(".")
        holder = getattr(import_module(module), where) if where else import_module(module)
        return patch.object(holder, inside, change(getattr(holder, inside)))

    return plant


def body_in_the_log(once: Any) -> Callable[..., Any]:
    def broken(self: Any, question: Any, limit: Any) -> Any:
        import_module("vtjsync.wire.line").logger.debug("asks %s", question.body)
        return once(self, question, limit)

    return broken


def everybody_handles(may: Any) -> Callable[..., Any]:
    return lambda user, right: may(user, "registry.see_clients" if right.endswith("handle_protected") else right)


def unit_too_many(hired: Any) -> Callable[..., Any]:
    def broken() -> Any:
        users = hired()
        users["celia"].units.set(users["aino"].units.all())
        return users

    return broken


def code_of_a_task(start_fetch: Any) -> Callable[..., Any]:
    del start_fetch

    def broken(person_ids: Any) -> None:
        from django_q.tasks import async_task

        from registry.models import PersonCode

        code = PersonCode.objects.filter(person__in=person_ids).values_list("hetu", flat=True).first()
        async_task("vtjsync.tasks.fetch", list(person_ids), task_name="fetch", group=code)

    return broken


def text_of_a_bad_line(day: Any) -> Callable[..., Any]:
    def broken(column: str, text: str) -> Any:
        if text.startswith("qxz"):
            raise import_module("registry.services.import_file")._BadValue(column, f"not a date: {text}")
        return day(column, text)

    return broken


def reference_in_the_event(of_service: Any) -> Callable[..., Any]:
    return lambda clientship: {**of_service(clientship), "reference": clientship.reference or ""}


def everybody_is_exported(persons: Any) -> Callable[..., Any]:
    del persons

    def broken(options: Any) -> Any:
        from registry.models import PersonCode

        object.__setattr__(options, "protected", True)
        rows = PersonCode.objects.filter(current=True)
        return list(rows.order_by("hetu").values_list("hetu", "person", "person__subject"))

    return broken


DEFECTS: Final[dict[str, Defect]] = {
    "what is sent to VTJ stands in the log (G49)": changed("vtjsync.wire.line", "Line.once", body_in_the_log),
    "every caseworker handles the protected (E38)": changed("registry.policies", "may", everybody_handles),
    "a caseworker sees another unit's clients (H52)": changed("tests.hunt.month", "hired", unit_too_many),
    "a task is queued with a code (G49)": changed("vtjsync.tasks", "start_fetch", code_of_a_task),
    "a bad line is told with its text (G49)": changed("registry.services.import_file", "_day", text_of_a_bad_line),
    "the samples of the erased stay (F43)": changed(
        "registry.services.erasure", "_sample_anew", lambda _done: lambda *, erased: erased
    ),
    "the log has the reference (G47)": changed("registry.services.audit", "of_service", reference_in_the_event),
    "an export has the protected (E38)": changed("registry.services.export", "_persons", everybody_is_exported),
    "a receipt has the code in clear (F45)": changed(
        "registry.services.erasure", "code_hash", lambda _hash: lambda code: code.encode()
    ),
}
