"""Whatever the program writes into the audit log has its word for the reader (domain.md G46, H53)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext

from registry.selectors import audit_words
from registry.services.audit import Action
from registry.services.sign_in import Fault
from vtjsync.models import SyncRun

ROOT = Path(__file__).resolve().parents[3]
TREES = [ast.parse(file.read_text()) for name in ("registry", "vtjsync") for file in (ROOT / name).rglob("*.py")]


def texts(node: ast.AST | None) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def bases() -> set[str]:
    """The purposes that the program's own source names."""
    found: set[str] = set()
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Access", "access"} and len(node.args) > 1:
            found.update(texts(node.args[1]))
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(getattr(one, "id", "") == "BASIS" for one in targets):
                found.update(texts(node.value))
    return found


def keys() -> set[str]:
    """The names of the details that the program's own source writes."""
    found: set[str] = set()
    for node in (node for tree in TREES for node in ast.walk(tree)):
        held = None
        if isinstance(node, ast.keyword) and node.arg == "details":
            held = node.value
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(getattr(one, "id", "") == "details" for one in targets):
                held = node.value
        if isinstance(held, ast.Dict):
            found.update(*map(texts, held.keys))
    return found


def test_h53_every_purpose_in_the_source_has_a_word() -> None:
    assert {"client list", "nightly check", "sync command", "VTJ synchronisation"} <= bases()
    assert {one for one in bases() if not one.endswith(" command")} <= set(audit_words.BASES)


def test_h53_every_detail_in_the_source_has_a_word() -> None:
    assert {"run", "cohort", "problem"} <= keys()
    assert keys() <= audit_words.DETAILS.keys()
    assert {one.value for one in Fault} == audit_words.VALUES["fault"].keys()
    counts = {"lines", "added", "ended", "same", "bad_count", "new_persons"}
    assert counts <= audit_words.DETAILS.keys()


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_h53_no_english_is_left(language: str) -> None:
    """The words that are the same in both languages are named here."""
    same = {"minutes"} if language == "sv" else set()
    words = {
        *audit_words.BASES,
        *audit_words.OUTCOMES.values(),
        *audit_words.DETAILS.values(),
        *(word for of_key in audit_words.VALUES.values() for word in of_key.values()),
    }
    with translation.override(language):
        assert {word for word in words if gettext(word) == word} <= same
        assert audit_words.basis("sync command") != "sync command"
        for kind in SyncRun.Kind:
            assert str(kind) not in audit_words.details({"kind": str(kind)})
        assert {action for action in Action if audit_words.action(action) == action} == set()
