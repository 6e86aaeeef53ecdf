"""A VTJ on a socket for the pages, and an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests import provider as providers
from tests.engine.conftest import look_ups, start_vtj, vtj  # noqa: F401
from tests.provider import Provider


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Provider]:
    with providers.running() as one:
        yield one


@pytest.fixture
def provider(provider_process: Provider, settings: Settings) -> Provider:
    """The settings lead to it, and it knows ``s-1``, a caseworker of unit A."""
    for name, value in provider_process.settings.items():
        setattr(settings, name, value)
    groups = ["vtj-tekijat"]
    provider_process.knows("s-1", groups=groups, preferred_username="aino@example.fi", given_name="Aino")
    return provider_process
