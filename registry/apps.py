"""The client register."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    """Its place among the applications; makes the roles after a migration, and logs who signs in and out."""

    name = "registry"
    verbose_name = _("Client register")

    def ready(self) -> None:
        """Joins the receivers of signals."""
        from registry import checks  # noqa: F401 - registers itself
        from registry.policies import create_roles
        from registry.services import audit_months
        from registry.views import signing  # noqa: F401 - its receivers write the events of signing in and out

        post_migrate.connect(create_roles, sender=self)
        post_migrate.connect(audit_months.after_migration, sender=self)
