"""Moments and lengths of time as the pages write them, in each language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils.translation import override

from registry.templatetags.duration import duration

WINTER = datetime(2026, 1, 31, 7, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "words"),
    [("fi", "31.1.2026 klo\u00a09.05"), ("sv", "31.1.2026 kl.\u00a09.05"), ("en", "31.1.2026 at 9:05")],
)
def test_g51_a_moment_in_a_sentence_is_helsinkis(language: str, words: str) -> None:
    with override(language):
        page = Template("{% load duration %}{{ time|moment }}").render(Context({"time": WINTER}))
    assert page == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "alle 1 s"), (12, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (None, "–")]
)
def test_a_length_of_time(seconds: float | None, words: str) -> None:
    assert duration(None if seconds is None else timedelta(seconds=seconds)) == words
