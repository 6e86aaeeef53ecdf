"""Pages reach personal data through selectors and services only, and those through an Access (domain.md G46)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    file
    for folder in ("registry/views", "registry/templatetags", "vtjsync/pages", "vtjsync/templatetags")
    for file in sorted((ROOT / folder).glob("*.py"))
]
# Of the organisation, not of a person.
NOBODYS = {"Authority"}
# Selectors that read rows without an Access, and none of a person: the permit in force.
WITHOUT = {"place.permit_on", "place.permit_ends_in"}
READERS = {
    "clientships",
    "awaited",
    "persons",
    "pairs",
    "changes",
    "own_problems",
    "extracts",
    "emergencies",
    "reachable",
}


def reads(node: ast.AST) -> set[str]:
    """The models whose rows are read below the node, and the policies that give some."""
    return {
        one.value.id
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and one.attr == "objects" and isinstance(one.value, ast.Name)
    } | {
        one.func.id
        for one in ast.walk(node)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in READERS
    }


@pytest.mark.parametrize("file", PAGES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_g46_no_page_reads_rows_by_itself(file: Path) -> None:
    assert {one for one in reads(ast.parse(file.read_text())) if one[0].isupper()} <= NOBODYS


def test_g46_every_selector_that_reads_rows_is_asked_with_an_access() -> None:
    asked, bare = 0, set()
    for file in sorted((ROOT / "registry" / "selectors").glob("*.py")):
        for function in ast.parse(file.read_text()).body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("_") or not reads(function):
                continue
            kinds = {ast.unparse(one.annotation) for one in function.args.args if one.annotation}
            asked += "Access" in kinds
            if "Access" not in kinds:
                bare.add(f"{file.stem}.{function.name}")
    assert bare <= WITHOUT
    assert asked > 10
