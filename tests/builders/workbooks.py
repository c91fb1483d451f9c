"""Workbooks for the tests of reading: ordinary ones by openpyxl, odd ones by replacing their parts."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]

SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
Rows = Sequence[Sequence[Any]]


def workbook_of(
    *sheets: Rows, first_row: int = 1, first_column: int = 1, edit: Callable[[Any], object] | None = None
) -> bytes:
    """Return a workbook of sheets of rows; `edit` is given openpyxl's workbook before it is saved."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for rows in sheets:
        sheet = workbook.create_sheet()
        for row_number, row in enumerate(rows, start=first_row):
            for column_number, value in enumerate(row, start=first_column):
                cell = sheet.cell(row_number, column_number)
                cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
                if isinstance(value, str):
                    cell.data_type = "s"  # openpyxl takes a text that starts with `=` for a formula
    if edit:
        edit(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def with_parts(data: bytes, parts: Mapping[str, str | bytes | None]) -> bytes:
    """Return a workbook with parts added, replaced or (None) taken out."""
    with zipfile.ZipFile(io.BytesIO(data)) as before:
        contents: dict[str, str | bytes | None] = {name: before.read(name) for name in before.namelist()} | dict(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name, content in contents.items():
            if content is not None:
                after.writestr(name, content)
    return out.getvalue()


def with_sheet(rows: str, before: str = "") -> bytes:
    """Return a workbook whose only sheet holds this XML as its rows."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return with_parts(
        workbook_of([["a"]]),
        {SHEET: f'{head}{before}<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>'},
    )
