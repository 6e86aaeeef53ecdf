"""Every word that people see is in Finnish and Swedish, and the compiled files are those of the sources."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from tools import translations

TEMPLATES = sorted((translations.ROOT / "templates").rglob("*.html"))
# The languages call themselves by their own names, and the program has one name.
SAME_IN_ALL = {"Suomi", "Svenska", "English", "vtjsync"}
AGAIN = "is not that of the sources: run `make translations`"

every_language = pytest.mark.parametrize("language", translations.LANGUAGES)


@every_language
def test_the_catalogue_holds_the_texts_of_the_sources(language: str) -> None:
    path = translations.po_path(language)
    assert path.read_bytes() == translations.po(translations.catalogue(language)), f"{path} {AGAIN}"


@every_language
def test_the_compiled_catalogue_is_that_of_the_edited_one(language: str) -> None:
    path = translations.po_path(language).with_suffix(".mo")
    assert path.read_bytes() == translations.mo(translations.catalogue(language)), f"{path} {AGAIN}"


@every_language
def test_every_text_is_translated(language: str) -> None:
    catalog = translations.read(language)
    assert translations.missing(catalog) == []
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


@every_language
def test_a_translation_keeps_what_is_filled_in(language: str) -> None:
    for message in translations.read(language):
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            for text, original in zip(forms(message), ids, strict=True):
                assert filled_in(text) == filled_in(original), message.id
                assert (text[:1].isspace(), text[-1:].isspace()) == (original[0].isspace(), original[-1].isspace())


def forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def filled_in(text: str) -> set[str]:
    """Placeholders and markup."""
    return set(re.findall(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}|</?\w+[^>]*>", text))


def test_a_text_is_found_wherever_it_can_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "{% load i18n %}<p title=\"it's\">{% translate 'one' %}\n"
        "      {% blocktranslate trimmed count number=rows|length %}\n        {{ number }} row\n"
        "      {% plural %}\n        {{ number }} rows\n      {% endblocktranslate %}\n"
        "  {{ value|default:_('none') }}</p>{% translate 'May' context 'month' %}"
    )
    code = tmp_path / "code.py"
    code.write_text('a = _("plain")\nb = ngettext_lazy("%d day", "%d days")\nc = pgettext_lazy("verb", "end")\n')
    found = {(text, context) for path in (page, code) for _line, text, _comments, context in translations.texts(path)}
    assert found == {
        ("one", None),
        (("%(number)s row", "%(number)s rows"), None),
        ("none", None),
        ("May", "month"),
        ("plain", None),
        (("%d day", "%d days"), None),
        ("end", "verb"),
    }


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(translations.ROOT).as_posix())
def test_a_template_has_no_words_of_its_own(path: Path) -> None:
    assert words_of(path.read_text(encoding="utf-8")) == set()


def test_words_outside_the_translations_are_noticed() -> None:
    assert words_of("<p title='Hint'>{% if a %}Word{% endif %} {% translate 'fine' %} {{ name }}</p>") == {
        "Hint",
        "Word",
    }


class Words(HTMLParser):
    """The words of a page: its text, and the attributes that are read out or shown."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_data(self, data: str) -> None:
        self.found.update(re.findall(r"[^\W\d_]{2,}", data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name in {"title", "alt", "placeholder"} or name.startswith("aria-label")):
                self.handle_data(value if name != "aria-labelledby" else "")


def words_of(source: str) -> set[str]:
    """The words of a template that stand outside its tags of translation."""
    source = re.sub(r"{% (blocktranslate|comment).*?{% end\1 %}", "", source, flags=re.DOTALL)
    words = Words()
    words.feed(re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", source, flags=re.DOTALL))
    return words.found - SAME_IN_ALL
