"""What keeps the register true from VTJ."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class VtjsyncConfig(AppConfig):
    """Its place among the applications; gives the register its source, and makes the schedules after a migration."""

    name = "vtjsync"
    verbose_name = _("VTJ synchronisation")

    def ready(self) -> None:
        """Joins the parts."""
        from registry import ports
        from vtjsync import checks, queue  # noqa: F401 - the checks and receivers that they register
        from vtjsync.source import Vtj

        ports.provide(Vtj())
        post_migrate.connect(_create_schedules, sender=self)


def _create_schedules(**kwargs: object) -> None:
    # Imported late: the task library's own models are not ready before.
    from vtjsync import tasks

    tasks.create_schedules(**kwargs)
