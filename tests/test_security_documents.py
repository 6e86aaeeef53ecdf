"""What the documents of safety point to is there, and no requirement of the standard is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS: Final = ("SECURITY.md", "THREAT_MODEL.md", "docs/asvs.md")
# The sections of ASVS 5.0.0 that have requirements of levels 1 and 2, and how many: they are the first of each.
REQUIREMENTS: Final = """
    V1.1 2, V1.2 9, V1.3 11, V1.4 3, V1.5 2, V2.1 3, V2.2 3, V2.3 4, V2.4 1, V3.2 2, V3.3 4, V3.4 6, V3.5 5, V3.7 2,
    V4.1 3, V4.2 1, V4.3 2, V4.4 4, V5.1 1, V5.2 3, V5.3 2, V5.4 3, V6.1 3, V6.2 12, V6.3 4, V6.4 4, V6.5 5, V6.6 3,
    V6.8 4, V7.1 3, V7.2 4, V7.3 2, V7.4 5, V7.5 2, V7.6 2, V8.1 2, V8.2 3, V8.3 1, V8.4 1, V9.1 3, V9.2 4, V10.1 2,
    V10.2 2, V10.3 4, V10.4 11, V10.5 5, V10.6 2, V10.7 3, V11.1 2, V11.2 3, V11.3 3, V11.4 4, V11.5 1, V11.6 1,
    V12.1 3, V12.2 2, V12.3 4, V13.1 1, V13.2 5, V13.3 2, V13.4 5, V14.1 2, V14.2 4, V14.3 3, V15.1 3, V15.2 3,
    V15.3 7, V16.1 1, V16.2 5, V16.3 4, V16.4 3, V16.5 3, V17.1 1, V17.2 4, V17.3 2
"""


def wanted() -> list[str]:
    sections = (one.split() for one in REQUIREMENTS.split(","))
    return [f"{section}.{number}" for section, most in sections for number in range(1, int(most) + 1)]


def text(document: str) -> str:
    return (ROOT / document).read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_pointed_to_is_there(document: str) -> None:
    told = re.findall(r"`([\w.*-]+/[\w./*-]*)(?:::(\w+))?`", text(document))
    assert len(told) > 20 or document == "SECURITY.md"
    for path, name in told:
        assert list(ROOT.glob(path.rstrip("/"))), path
        if name:
            assert re.search(rf"^( *|.* = )((def|class) )?{name}\b", (ROOT / path).read_text(), re.MULTILINE), (
                f"{path}::{name}"
            )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_linked_to_is_there(document: str) -> None:
    for page in re.findall(r"docs/adr/\d{4}\b", text(document)):
        assert list(ROOT.glob(f"{page}-*.md")), page
    for link in re.findall(r"\]\(([^)#:]+)\)", text(document)):
        assert ((ROOT / document).parent / link).exists(), link


def test_every_requirement_is_answered_once() -> None:
    rows = re.findall(r"^\| (V[V\d., ]+) \| (.*)$", text("docs/asvs.md"), re.MULTILINE)
    assert sorted(number for told, _ in rows for number in told.split(", ")) == sorted(wanted())
    words = ("met", "partly", "not met", "operator", "n/a", "(in progress: ")
    assert [numbers for numbers, told in rows if not told.split(" | ", 1)[1].startswith(words)] == []


def test_findings_of_the_start_that_are_named_exist() -> None:
    known = (ROOT / "vtjsync" / "checks.py").read_text()
    for document in DOCUMENTS:
        for word in re.findall(r"vtjsync\.[EW]\d{3}", text(document)):
            assert f'"{word}"' in known, word
