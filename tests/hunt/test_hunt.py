"""A few busy days, and not a word of anybody where it must not be (domain.md E34, E36, E38, F43, G47, G49)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hunt.hunt import hunted


@pytest.mark.django_db(transaction=True)
def test_e34_e38_f43_g49_a_few_busy_days_leave_no_word_of_anybody(tmp_path: Path) -> None:
    month, report = hunted(people=40, days=2, folder=tmp_path)
    assert not month.staff.wrong
    assert not report.hits, str(report)
