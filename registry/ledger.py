"""The ledger of erasures: a file outside the database, which a restored backup does not take back (domain.md F45).

A JSON object a line, only ever added to and written through to the disk. Each line carries its number, the digest of
the line before it and its own, keyed with the AUDIT_KEY of its time: what is cut off, taken out or edited is noticed.
Why so: docs/adr/0016. Whose turn it is to write, and what, is the register's to know: :mod:`registry.lock`.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.conf import settings

from registry.services import audit_keys

# What a line is: an erasure; a sign that the database was there; the first line after a ledger that was lost.
ERASED: Final = "erased"
MARK: Final = "mark"
BEGUN: Final = "begun"

BLOCK: Final = 1 << 16
_SUFFIX: Final = b',"digest":"%s"}'
_SUFFIX_LENGTH: Final = len(_SUFFIX % (b"0" * 64))


class Broken(Exception):
    """A line does not follow from the one before it: something was taken out or edited. ``number`` is the last line
    that is right."""

    def __init__(self, number: int) -> None:
        super().__init__(f"after line {number} the ledger does not go on as it was written")
        self.number = number


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the ledger: so many lines, and the digest of the last of them."""

    number: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was written."""

    position: Position
    after: str
    at: datetime
    what: str
    told: dict[str, Any]


def last() -> Line | None:
    """The newest whole line; None when there is none yet. Raises OSError, FileNotFoundError among them."""
    path = _path()
    with path.open("rb") as file:
        return _last(file)


def lines() -> Iterator[Line]:
    """Every line from the first on. Raises :class:`Broken` where they do not follow from each other, and OSError.

    A line that bears the number of the one before it, and follows from the same one, takes its place: what that one
    told was undone by a crash. A line that was cut off is no line, and is passed over.
    """
    before: Line | None = None
    with _path().open("rb") as file:
        for raw in file:
            line = _read(raw)
            if line is None:
                continue
            if before is None:
                follows = line.position.number == 1 or line.what == BEGUN
            elif line.position.number == before.position.number:
                follows = line.after == before.after
            else:
                follows = line.position.number == before.position.number + 1 and line.after == before.position.digest
                yield before
            if not follows:
                raise Broken(before.position.number if before else 0)
            before = line
    if before is not None:
        yield before


@contextmanager
def opened() -> Iterator[BinaryIO]:
    """The ledger to be added to, by one writer at a time; its owner's alone. Raises OSError."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "rb+", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if new:
            _sync_folder(path.parent)
        yield file


def newest(file: BinaryIO) -> Line | None:
    """The newest whole line of the opened ledger."""
    return _last(file)


def compose(after: Position, what: str, told: Mapping[str, Any]) -> tuple[Position, bytes]:
    """The line that comes after the position, for :func:`add`, and its own position."""
    number = after.number + 1
    whole = {"number": number, "at": datetime.now(UTC).isoformat(), "what": what, **told, "after": after.digest}
    body = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    digest = _digest(body, audit_keys.current())
    return Position(number, digest), body[:-1] + _SUFFIX % digest.encode() + b"\n"


def add(file: BinaryIO, line: bytes) -> None:
    """Adds the line and sees it to the disk. Raises OSError, and then the file is as it was before, if that can be."""
    size = file.seek(0, os.SEEK_END)
    # A crash has cut the last line off: it is no line, and this one is not to be joined to it.
    gap = b"\n" if size and os.pread(file.fileno(), 1, size - 1) != b"\n" else b""
    try:
        _write(file, gap + line)
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.ftruncate(file.fileno(), size)
        raise


def set_aside() -> None:
    """Puts a ledger that is not to be gone on with under another name; nothing happens when there is none."""
    path = _path()
    with suppress(FileNotFoundError):
        path.rename(path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%d%H%M%S}.set-aside"))


def _path() -> Path:
    return Path(settings.ERASURE_LEDGER)


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on the disk only with its folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(file: BinaryIO, content: bytes) -> None:
    while content:
        content = content[file.write(content) :]


def _last(file: BinaryIO) -> Line | None:
    size, block = file.seek(0, os.SEEK_END), BLOCK
    while True:
        begin = max(size - block, 0)
        file.seek(begin)
        found = file.read(size - begin).split(b"\n")
        # The first one is whole only where it begins the file.
        for raw in reversed(found[1:] if begin else found):
            if (line := _read(raw)) is not None:
                return line
        if not begin:
            return None
        block *= 4


def _read(raw: bytes) -> Line | None:
    """The line; None for what is no line of ours, with the key in use or a former one."""
    raw = raw.rstrip(b"\n")
    body, suffix = raw[:-_SUFFIX_LENGTH] + b"}", raw[-_SUFFIX_LENGTH:]
    digests = (_digest(body, key) for key in audit_keys.every())
    digest = next((one for one in digests if hmac.compare_digest(suffix, _SUFFIX % one.encode())), None)
    if digest is None:
        return None
    told = json.loads(body)
    number, after = told.pop("number"), told.pop("after")
    at, what = datetime.fromisoformat(told.pop("at")), told.pop("what")
    return Line(Position(number, digest), after, at, what, told)


def _digest(body: bytes, key: audit_keys.Key) -> str:
    return hmac.digest(key.secret, b"ledger " + body, hashlib.sha256).hex()
