"""The intervals that an administrator chooses from."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from vtjsync.pages.forms import ScheduleForm


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", ["15 minuutin välein", "tunnin välein", "4 tunnin välein"]),
        ("sv", ["med 15 minuters mellanrum", "en gång i timmen", "med 4 timmars mellanrum"]),
        ("en", ["every 15 minutes", "every hour", "every 4 hours"]),
    ],
)
def test_the_intervals_are_in_the_language_of_the_page(language: str, words: list[str]) -> None:
    with override(language):
        choices = dict(ScheduleForm().fields["minutes"].choices)
    assert [choices[minutes] for minutes in (15, 60, 240)] == words
