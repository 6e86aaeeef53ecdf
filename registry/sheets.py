"""Rows as a file for a spreadsheet program: CSV and XLSX, in which no cell is ever a formula or a link.

What people typed goes into such files, and a spreadsheet program runs what begins like a formula. Nothing of a file
stays on the disk of this machine.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Final

from django.http import HttpResponse, StreamingHttpResponse
from xlsxwriter import Workbook

CSV: Final = "csv"
XLSX: Final = "xlsx"
FORMS: Final = (CSV, XLSX)
# What a spreadsheet program may take for a formula, after spaces and invisible characters too, and in full width.
_FORMULA: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\x00-\x1f]*[=+\-@＝＋－＠﹢﹣﹦﹫−]|[\t\r\n]")
_CELL: Final = 32_767
_TYPES: Final = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Rows = Iterable[Sequence[str]]


def response(rows: Rows, form: str, name: str) -> HttpResponse | StreamingHttpResponse:
    """The rows as a download called ``name`` (plain ASCII, and nothing of a person) in one of the :data:`FORMS`."""
    made = StreamingHttpResponse(as_csv(rows)) if form == CSV else HttpResponse(as_xlsx(rows))
    made["Content-Type"] = _TYPES[form]
    made["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return made


def as_csv(rows: Rows) -> Iterator[bytes]:
    """Lines with semicolons, every cell in quotes, beginning with the mark by which Excel knows UTF-8."""
    yield "\ufeff".encode()
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=";", quoting=csv.QUOTE_ALL).writerow([harmless(cell) for cell in row])
        yield line.getvalue().encode()


def as_xlsx(rows: Rows) -> bytes:
    """A sheet of texts, with the first row as headings. Row by row through a folder that goes with it."""
    whole = io.BytesIO()
    with TemporaryDirectory() as folder:
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with Workbook(whole, options) as book:
            sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
            sheet.set_column(0, 20, 24)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    sheet.write_string(number, column, cell[:_CELL], None if number else bold)
    return whole.getvalue()


def harmless(cell: str) -> str:
    """The text with an apostrophe before it, if it could be taken for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
