"""The client register."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    """Its place among the applications; makes the roles after a migration."""

    name = "registry"
    verbose_name = _("Client register")

    def ready(self) -> None:
        """Makes the roles whenever the database was migrated."""
        from registry.policies import create_roles

        post_migrate.connect(create_roles, sender=self)
