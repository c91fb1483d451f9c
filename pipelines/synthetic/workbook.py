"""A minimal XLSX writer: one sheet of text and whole numbers, the same bytes for the same rows.

Belongs here: the Office Open XML parts that a spreadsheet needs. Does not: styles, formulas or several sheets.
openpyxl is a development tool only, and polars needs a package that is not installed, so this is the run-time way.
"""

import io
import zipfile

import polars as pl

from pipelines.intake.read import column_letter

EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed time of every part, so that a workbook has the same bytes each time
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Extract" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def workbook_bytes(frame: pl.DataFrame, *, numbers: frozenset[str] = frozenset()) -> bytes:
    """One sheet with a header row as an XLSX file.

    Args:
        frame: Text columns; nulls become empty cells.
        numbers: Columns whose texts are written as numbers.

    Returns:
        The bytes of the workbook.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in {**_PARTS, "xl/worksheets/sheet1.xml": _sheet(frame, numbers)}.items():
            part = zipfile.ZipInfo(name, date_time=EPOCH)
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, HEAD + content)
    return file.getvalue()


def _sheet(frame: pl.DataFrame, numbers: frozenset[str]) -> str:
    header = pl.DataFrame({name: [name] for name in frame.columns})
    lines = [_rows(header, frozenset(), first=1), *([_rows(frame, numbers, first=2)] if frame.height else [])]
    return f'<worksheet xmlns="{_SHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _rows(frame: pl.DataFrame, numbers: frozenset[str], *, first: int) -> str:
    """The rows of the sheet, the first of them in spreadsheet row `first`."""
    row = (pl.int_range(pl.len()) + first).cast(pl.String)
    cells = [_cell(name, column_letter(place), row, number=name in numbers) for place, name in enumerate(frame.columns)]
    line = pl.concat_str(pl.lit('<row r="'), row, pl.lit('">'), *cells, pl.lit("</row>"), ignore_nulls=True)
    return "".join(frame.select(line.alias("line"))["line"])


def _cell(name: str, letter: str, row: pl.Expr, *, number: bool) -> pl.Expr:
    text = pl.col(name).str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)
    opened, closed = ('"><v>', "</v></c>") if number else ('" t="inlineStr"><is><t>', "</t></is></c>")
    return pl.concat_str(pl.lit(f'<c r="{letter}'), row, pl.lit(opened), text, pl.lit(closed))
