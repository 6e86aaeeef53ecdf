"""A ledger of its own for every test, for the command in this process and in one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def ledger(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the receipts of the test go."""
    path = tmp_path / "ledger" / "erasure.jsonl"
    settings.ERASURE_LEDGER = path
    monkeypatch.setenv("ERASURE_LEDGER", str(path))
    return path
