"""Collects the texts of the program and compiles their translations: ``python -m tools.translations``.

The texts are written in English in the code and the templates. ``locale/<language>/LC_MESSAGES/django.po`` holds what
they are in Finnish and Swedish, ``django.mo`` beside it the same compiled; both are kept in git, so that nothing needs
to be compiled to run. Tests hold them fresh and whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ("registry", "templates", "vtjsync")
LANGUAGES: Final = ("fi", "sv")
# What the program reads of a catalogue's head; dates and names of people are git's to tell.
HEADERS: Final = ("Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
COMMENT: Final = "# `make translations` collects the texts; what they are in this language is written here."
KEYWORDS: Final = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


class Steady(Catalog):
    """A catalogue whose head changes only when the language does."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """What stands in the head."""
        return [header for header in super().mime_headers if header[0] in HEADERS]


def template() -> Catalog:
    """Every text of the sources, each with the files it stands in."""
    catalog = Catalog(charset="utf-8")
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for _line, text, _comments, context in texts(path):
            catalog.add(text, locations=[(name, 0)], context=context)
    return catalog


def sources() -> Iterator[Path]:
    """The files that may hold texts, in a steady order."""
    for path in sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*")):
        if path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts:
            yield path


def texts(path: Path) -> Iterable[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    """The texts of one file: line, text (one and many where it counts), comments, context."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Django turns a template into something like Python; its indentation means nothing.
        source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
    return extract("python", io.BytesIO(source.encode()), KEYWORDS)


def catalogue(language: str) -> Catalog:
    """The texts of the sources with the translations that are known; what is no longer used is left out."""
    path = po_path(language)
    known = read(language) if path.exists() else Catalog(locale=language)
    fresh = Steady(locale=language, header_comment=COMMENT, charset="utf-8", fuzzy=False)
    for message in template():
        if message.id:
            old = known.get(message.id, message.context)
            # A known text whose plural came or went is translated anew.
            keeps = old is not None and isinstance(old.string, type(_empty(message)))
            text = old.string if old is not None and keeps else _empty(message)
            flags = old.flags - {"fuzzy"} | message.flags if old is not None else message.flags
            fresh.add(message.id, text, message.locations, flags, context=message.context)
    return fresh


def missing(catalog: Catalog) -> list[str]:
    """The texts without a translation."""
    return [str(message.id) for message in catalog if message.id and not all(_forms(message))]


def po(catalog: Catalog) -> bytes:
    """The catalogue as people edit it."""
    out = io.BytesIO()
    write_po(out, catalog, width=120, sort_output=True, include_lineno=False)
    return out.getvalue()


def mo(catalog: Catalog) -> bytes:
    """The catalogue as the program reads it."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def po_path(language: str) -> Path:
    """Where a language's translations are."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """The language's translations as they stand in the file."""
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language)


def _forms(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple | list) else (message.string,)


def _empty(message: Message) -> str | tuple[str, str]:
    return ("", "") if message.pluralizable else ""


def main() -> None:
    """Writes both files of each language, and says what waits for a translator."""
    for language in LANGUAGES:
        catalog = catalogue(language)
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(po(catalog))
        path.with_suffix(".mo").write_bytes(mo(catalog))
        waiting = missing(catalog)
        print(f"{language}: {len(catalog)} texts, {len(waiting)} without a translation")
        for text in waiting:
            print(f"    {text}")


if __name__ == "__main__":
    main()
