"""A search that is not fooled by how a word is spelt: in any case, and inside the usual encodings."""

from __future__ import annotations

import binascii
import gzip
import html
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from tests.hunt.words import Said, Words

_HEX: Final = re.compile(r"[0-9a-fA-F]{18,}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{15,}")
_JSON: Final = re.compile(r"\\+u00([0-9a-fA-F]{2})")
_QUOTED: Final = re.compile(r"=([0-9A-F]{2})")
_URL_SAFE: Final = str.maketrans("-_", "+/")
DEEPEST: Final = 3


def found(words: Words, text: str) -> dict[tuple[str, Said], str]:
    """Every word in the text with whose it is, and the spelling by which it was found first."""
    hits: dict[tuple[str, Said], str] = {}
    for how, view in views(text):
        for one in words.heard(view):
            hits.setdefault(one, how)
    return hits


def views(text: str, deep: int = 0) -> Iterator[tuple[str, str]]:
    """The text as it is, and everything that it may spell: each with the name of the spelling."""
    yield "plain", text
    if "\0" in text:
        yield "UTF-16", text.replace("\0", "")
    if "%" in text:
        yield "URL", unquote(text)
    if "&" in text:
        yield "HTML", html.unescape(text)
    if "\\" in text:
        yield "JSON", _JSON.sub(lambda one: chr(int(one[1], 16)), text)
    if "=" in text:
        yield "quoted", _QUOTED.sub(lambda one: chr(int(one[1], 16)), text.replace("=\n", ""))
    yield "backwards", text[::-1]
    if deep == DEEPEST:
        return
    for how, packed in (("hex", _unhexed(text)), ("base64", _unbased(text))):
        if packed:
            for inner, view in views("\n".join(packed), deep + 1):
                yield how if inner == "plain" else f"{how}, {inner}", view


def _unhexed(text: str) -> list[str]:
    """What every run of hexadecimal digits may spell, from either digit on."""
    runs = _HEX.findall(text)
    parts = [run[start : start + (len(run) - start) // 2 * 2] for run in runs for start in (0, 1)]
    return [_text(binascii.unhexlify(part)) for part in parts]


def _unbased(text: str) -> list[str]:
    """What every run of base64's characters may spell, from each of four on; unpacked where it was packed."""
    told = []
    for run in _BASE64.findall(text):
        plain = run.translate(_URL_SAFE)
        for start in range(4):
            part = plain[start:]
            whole = b64decode(
                part[: len(part) // 4 * 4] + ("" if len(part) % 4 < 2 else part[-(len(part) % 4) :] + "==")
            )
            told.append(_text(whole))
            if whole[:2] in (b"x\x9c", b"\x1f\x8b"):
                told.append(_unpacked(whole))
    return told


def _unpacked(whole: bytes) -> str:
    try:
        return _text(gzip.decompress(whole) if whole[:1] == b"\x1f" else zlib.decompressobj().decompress(whole))
    except (OSError, EOFError, zlib.error):
        return ""


def _text(whole: bytes) -> str:
    """The bytes as letters of one byte each: a word is ASCII, and nothing is lost that would hide one."""
    return whole.decode("latin-1")
