"""Lists that wait to be imported, and somebody whom they name is erased (domain.md F43)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from registry.models import ImportFile

# An identity code in any case, wherever it stands in a line.
_CODE: Final = re.compile(rb"[0-9]{6}[-+A-Ya-y][0-9]{3}[0-9A-Ya-y]")


def take_out(codes: Iterable[str]) -> None:
    """Empties the lines that hold one of the codes; an empty line is passed over, and the others keep their numbers.

    For use in the transaction that erases whose codes they are, after their rows are locked: an import, too, comes to
    its file last.
    """
    files = list(ImportFile.objects.select_for_update().order_by("pk"))
    gone = {code.encode() for code in codes} if files else set()
    for file in files if gone else ():
        lines = bytes(file.content).split(b"\n")
        kept = [b"" if any(one.upper() in gone for one in _CODE.findall(line)) else line for line in lines]
        if kept != lines:
            file.content = b"\n".join(kept)
            file.save(update_fields=["content"])
