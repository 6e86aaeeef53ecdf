"""``manage.py qcluster``: the workers, which do not start on a database that writes values into its log."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django_q.management.commands import qcluster

from vtjsync import logs
from vtjsync.checks import refuse_unsafe


class Command(qcluster.Command):  # type: ignore[misc]
    """The task library's own command, after the checks. Exit 2: something is not safe."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Checks, and starts the workers."""
        try:
            refuse_unsafe()
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=2) from None
        # The request that started the workers is none of their tasks'.
        logs.end_request()
        super().handle(*args, **options)
