"""The footer's version is the project's."""

from __future__ import annotations

import tomllib
from pathlib import Path

from registry.version import VERSION


def test_the_version_is_that_of_the_project() -> None:
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == VERSION
