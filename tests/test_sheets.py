"""Files for spreadsheet programs hold texts and nothing that runs."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from registry import sheets

BAD = (
    "=1+1",
    "+358",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\rx",
    "\nx",
    "  =1",
    "\u00a0=1",
    "\u200b=1",
    "＝1",
    "＋1",
    "－1",
    "＠a",
    "\x01=1",
)
GOOD = ("", "Aino", "1.1.2026 8.05", "a=b", "väliviiva - tässä", "http://example.invalid/x", "12")
ROWS = [("Mitä", "Kuka"), *((one, 'ääkköset; "ja" €') for one in (*BAD, *GOOD))]


@pytest.mark.parametrize("cell", BAD)
def test_what_could_be_a_formula_is_marked(cell: str) -> None:
    assert sheets.harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", GOOD)
def test_other_texts_stay_as_they_are(cell: str) -> None:
    assert sheets.harmless(cell) == cell


def test_csv_is_read_back_with_its_letters_and_no_formula() -> None:
    made = b"".join(sheets.as_csv(ROWS))
    assert made.startswith("\ufeff".encode())
    read = list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert read == [[sheets.harmless(cell) for cell in row] for row in ROWS]


def test_xlsx_holds_texts_only() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(sheets.as_xlsx(ROWS))).active
    assert [sheet.cell(number + 1, 2).value for number in range(len(ROWS))] == [row[1] for row in ROWS]
    for number, (cell, _) in enumerate(ROWS, 1):
        held = sheet.cell(number, 1)
        assert (held.data_type, held.hyperlink) in {("s", None), ("n", None), ("inlineStr", None)}, cell
        assert isinstance(held.value, str) or cell == ""
