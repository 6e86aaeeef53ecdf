"""``manage.py restore_begin``: locks the register before or after a restore from a backup (domain.md F45)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from registry.policies import Access
from registry.services import restore


class Command(BaseCommand):
    """No location is shown, exported or sent until ``restore_finish``."""

    help = "Locks the register: no location is shown or exported, and VTJ is not asked, until restore_finish."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Exit 0: locked."""
        restore.begin(Access(None, "restore_begin command"))
        self.stdout.write("The register is locked. After the restore: python manage.py restore_finish")
