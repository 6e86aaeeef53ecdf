"""Every setting, command and right is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands

from registry import policies
from vtjsync import settings

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
# What runs before the settings are read decides which settings are read.
NAMES = {*settings.env.scheme, "VTJSYNC_MODE", "VTJSYNC_VAR"}
COMMANDS = {name for name, app in get_commands().items() if app in {"registry", "vtjsync"}}
RIGHTS = {right for name, right in vars(policies).items() if name.isupper() and isinstance(right, str)}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_setting_is_in_the_example_and_described(name: str) -> None:
    assert re.search(rf"^#?{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert f"`{name}`" in OPERATIONS


def test_the_example_names_no_setting_that_there_is_not() -> None:
    told = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert told == NAMES


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_described(command: str) -> None:
    assert re.search(rf"`{command}[` ]", OPERATIONS)


@pytest.mark.parametrize("right", sorted(RIGHTS))
def test_every_right_is_described(right: str) -> None:
    assert f"`{right}`" in OPERATIONS


def test_every_command_that_is_described_exists() -> None:
    table = OPERATIONS.split("## Commands")[1].split("## Roles")[0]
    assert set(re.findall(r"^\| `([a-z_]+)", table, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize(
    "table", sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
)
def test_every_table_has_its_time_and_its_readers(table: str) -> None:
    assert f"`{table}`" in (ROOT / "docs" / "data-protection.md").read_text()
