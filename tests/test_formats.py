"""docs/formats.md tells every column and member of the files, and its examples are such files."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

from msgspec import Struct

from registry.services import export, import_file, setup
from registry.services.import_file import Known, Line

ROOT = Path(__file__).resolve().parent.parent
SET_UP, LIST, REGISTER = (
    re.search(r"```(?:json|csv)\n(.*?)```", part, re.DOTALL)[1]  # type: ignore[index]
    for part in (ROOT / "docs" / "formats.md").read_text().split("\n## ")[1:]
)


def members(told: Any) -> set[str]:
    """The names of all members of the JSON, however deep."""
    if isinstance(told, dict):
        return set(told).union(*map(members, told.values()))
    return set().union(*map(members, told)) if isinstance(told, list) else set()


def test_the_set_up() -> None:
    setup.parse(SET_UP.encode())
    kinds = [one for one in vars(setup).values() if isinstance(one, type) and issubclass(one, Struct)]
    assert members(json.loads(SET_UP)) == {name for kind in kinds for name in kind.__struct_fields__}


def test_the_list() -> None:
    known = Known({"KOTIHOITO": 1}, {"0101263-6": 2}, {(1, 2)}, test_codes=True)
    (line,) = import_file.read(BytesIO(LIST.encode()), known)
    assert isinstance(line, Line)
    assert LIST.splitlines()[0].split(";") == [*import_file.REQUIRED, *import_file.OPTIONAL]


def test_the_register() -> None:
    source = Path(str(export.__file__)).read_text()
    made = set(re.findall(r'"([a-z_]+)": ', source)) - {"protected", "former"}
    assert members(json.loads(REGISTER)) == made
    states = {export.AWAITING, export.CURRENT, export.NOT_FOUND, export.PROBLEM, export.NO_PERMIT}
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "formats.md").read_text(), re.MULTILINE)) == states
