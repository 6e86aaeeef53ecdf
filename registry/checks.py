"""What Django's system check refuses: settings that would break a rule."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from registry.services.audit_months import LEAST_YEARS

KEY_LENGTH = 32


@register()
def audit_log(**_kwargs: Any) -> list[CheckMessage]:
    """The audit log is kept for five years at least (domain.md G46); its former keys are whole keys."""
    found: list[CheckMessage] = []
    if settings.AUDIT_LOG_YEARS < LEAST_YEARS:
        found.append(Error(f"AUDIT_LOG_YEARS has to be {LEAST_YEARS} or more.", id="registry.E001"))
    if any(len(key) < KEY_LENGTH for key in settings.AUDIT_KEY_FORMER):
        hint = "Several keys stand on lines of their own, or have a space between them."
        found.append(
            Error(f"A key in AUDIT_KEY_FORMER is shorter than {KEY_LENGTH} characters.", hint, id="registry.E002")
        )
    return found
