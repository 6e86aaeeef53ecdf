"""The key by which names are sorted and searched, the same in every database whatever its locale."""

from __future__ import annotations

import re
import unicodedata

# Finnish alphabetical order ends … z å ä ö; other accented letters sort and are found as their plain letter.
_ORDERED = {"å": "zz1", "ä": "zz2", "æ": "zz2", "ö": "zz3", "ø": "zz3", "ß": "ss", "þ": "th", "œ": "oe"}
# Letters that Unicode does not take apart into a plain one and a mark: of Sámi, Polish, Turkish and others.
_STROKED = dict(zip("đðłŋŧħıəǥʒ", "ddlnthiegz", strict=True))
_LETTERS = str.maketrans(_ORDERED | _STROKED)
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")


def name_key(*parts: str | None) -> str:
    """Plain ASCII words of the names in order: ``("Äyräs", "Eeva-Liisa")`` gives ``zz2yrzz2s eeva liisa``.

    Sorted bytewise it gives Finnish order; any prefix of any word of it finds the person. An apostrophe joins, any
    other mark separates.
    """
    text = unicodedata.normalize("NFC", " ".join(part for part in parts if part)).casefold()
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS)).replace("'", "").replace("’", "")
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return _NOT_A_LETTER.sub(" ", text).strip()
