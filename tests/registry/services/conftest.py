"""A ledger of its own for every test, and a VTJ on a socket for those that look codes up."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.engine.conftest import look_ups, start_vtj, vtj  # noqa: F401


@pytest.fixture(autouse=True)
def ledger(settings: Settings, tmp_path: Path) -> Path:
    """Where the receipts of the test go."""
    path = tmp_path / "ledger" / "erasure.jsonl"
    settings.ERASURE_LEDGER = path
    return path
