"""A few busy days, and not a word of anybody where it must not be (domain.md E34, E36, E38, F43, G47, G49)."""

from __future__ import annotations

import gzip
import html
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.hunt.defects import DEFECTS
from tests.hunt.hunt import hunted, searched, told
from tests.hunt.month import Month
from tests.hunt.plants import PLANTS, person_of, swept
from tests.hunt.search import found
from tests.hunt.staff import moment
from tests.hunt.words import IDENTITY, NAME, PLACE, Said, Words

# So much must have happened, or the days were too quiet to prove anything.
BUSY = {"persons erased", "runs cut off", "tasks", "exports", "lists", "added by hand", "ends"}


@pytest.mark.django_db(transaction=True)
def test_e34_e38_f43_g49_a_few_busy_days_leave_no_word_of_anybody(tmp_path: Path) -> None:
    with hunted(people=40, days=2, folder=tmp_path) as (month, report):
        assert not month.staff.wrong
        assert not report.hits, str(report)
        assert {what for what in BUSY if month.happened[what]} == BUSY
        assert report.lawful > 500
        assert len(moment(month.words).protected) > 2
        _planted_is_found(month)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [2, 3])
def test_e34_e38_f43_g49_a_busy_month_leaves_no_word_of_anybody(tmp_path: Path, seed: int) -> None:
    with hunted(people=200, days=30, folder=tmp_path, seed=seed) as (month, report):
        assert not month.staff.wrong, told(month, report)
        assert not report.hits, told(month, report)


@pytest.mark.long
@pytest.mark.plants_code
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("defect", DEFECTS)
def test_the_hunt_finds_a_defect_of_the_program(tmp_path: Path, defect: str) -> None:
    with DEFECTS[defect](), hunted(people=40, days=2, folder=tmp_path) as (month, report):
        assert month.staff.wrong or report.hits


def _planted_is_found(month: Month) -> None:
    """Every leak of the table, and words of somebody who was erased, in the same search."""
    person, owner = person_of(month)
    planted = [(where, month.words.word(owner, PLACE, "planted", number)) for number, (where, _) in enumerate(PLANTS)]
    for (_, plant), (_, word) in zip(PLANTS, planted, strict=True):
        plant(month, person, word)
    known = moment(month.words).known
    gone, erased = next((code, of) for code in month.codes if (of := month.words.whose(code)) not in known)
    assert erased is not None
    name = month.words.word(erased, NAME, "planted")
    month.kept["newest export"] += f"\n{gone}\n{name}"
    try:
        report = searched(month)
    finally:
        swept()
    for where, word in planted:
        if where.startswith("answer"):
            assert any(who == where.split()[-1] for who, *_ in month.staff.wrong), where
        elif not where.endswith("unpacked"):
            assert any(word in words for at, words in report.words.items() if at.startswith(where)), where
        else:
            assert report.words.get(where), where
    assert {gone, name} <= report.words["newest export"]


WORDS = Words()
WORD = WORDS.word(7, PLACE, "spelt")
CODE = "131052-908T"
WORDS.whose = {CODE: 8}.get
TEXT = f"so {WORD} and {CODE}"
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in changed case": str.swapcase,
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, in capitals, one digit late": lambda text: "A" + text.encode().hex().upper(),
    "a row of bytes": lambda text: f"\\\\x{text.encode().hex()}",
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64, one letter late": lambda text: b64encode(f"a{text}".encode()).decode(),
    "base64, two letters late": lambda text: b64encode(f"ab{text}".encode()).decode(),
    "base64 behind a word": lambda text: "Zm9v" + "a" + b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: urlsafe_b64encode(f"{text}???>>>".encode()).decode(),
    "UTF-16": lambda text: text.encode("utf-16-be").decode("latin-1"),
    "UTF-16, as bytes": lambda text: text.encode("utf-16-le").hex(),
    "an address": quote,
    "an address, every letter": lambda text: "".join(f"%{ord(one):02x}" for one in text),
    "JSON, every letter": lambda text: "".join(f"\\u{ord(one):04X}" for one in text),
    "JSON in JSON": lambda text: json.dumps("".join(f"\\u{ord(one):04x}" for one in text)),
    "HTML, every letter": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "HTML": lambda text: html.escape(f"<{text}>"),
    "a mail": lambda text: "".join(f"={ord(one):02X}" for one in text),
    "backwards": lambda text: text[::-1],
    "packed": lambda text: b64encode(zlib.compress(text.encode() * 3)).decode(),
    "packed by gzip": lambda text: b64encode(gzip.compress(text.encode() * 3)).decode(),
    "base64 of hexadecimal": lambda text: b64encode(text.encode().hex().encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_hunt_reads_every_spelling(spelling: str) -> None:
    heard = {said for (_, said) in found(WORDS, f"x: {SPELLINGS[spelling](TEXT)}\n")}
    assert heard == {Said(7, PLACE), Said(8, IDENTITY)}


def test_what_is_no_word_of_anybody_is_none() -> None:
    """A random token may look like one."""
    assert list(WORDS.heard("qxz" + "b" * 9)) == []
