"""Where a request came from, as the audit log has it (domain.md G46)."""

from __future__ import annotations

import pytest
from django.test import RequestFactory, override_settings

from registry.views.access import origin

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "told", "seen"),
    [
        (0, "192.0.2.7", PROXY),
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "198.51.100.66, 192.0.2.7", "192.0.2.7"),
        (2, "198.51.100.66, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        (2, "192.0.2.7", PROXY),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "unknown", PROXY),
        (1, None, PROXY),
    ],
)
def test_g46_only_our_own_proxies_are_believed(proxies: int, told: str | None, seen: str) -> None:
    headers = {"X-Forwarded-For": told} if told else {}
    with override_settings(TRUSTED_PROXIES=proxies):
        assert origin(RequestFactory().get("/", headers=headers, REMOTE_ADDR=PROXY)) == seen
