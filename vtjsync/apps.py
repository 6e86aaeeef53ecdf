"""What keeps the register true from VTJ."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VtjsyncConfig(AppConfig):
    """Its place among the applications."""

    name = "vtjsync"
    verbose_name = _("VTJ synchronisation")
