"""A minimal XLSX writer: sheets of text, numbers and dates, the same bytes for the same rows.

Belongs here: the Office Open XML parts that a spreadsheet needs. Does not: formulas, or what is in a row.
openpyxl is a development tool only, and polars needs a package that is not installed, so this is the run-time way.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.intake.read import column_letter

EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed time of every part, so that a workbook has the same bytes each time
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
NUMBER = r"^\d+(?:\.\d+)?$"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Cell styles by number: 0 as it comes, 1 a date with a time.
_STYLES = (
    f'<styleSheet xmlns="{_SHEET}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    # Spreadsheet programs count on these two fills being the first.
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


@dataclass(frozen=True)
class Sheet:
    """One sheet: a table with its header, and what stands around it.

    Attributes:
        frame: Text columns; nulls become empty cells.
        numbers: Columns whose texts are written as numbers where they are numbers.
        dates: Columns whose texts are serial numbers, shown as dates.
        above: Rows above the header, each a list of cells from the first column on.
        groups: Names above the header with the number of columns of each; a group of one spans both rows.
        first_column: Empty columns on the left.
    """

    frame: pl.DataFrame
    numbers: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    above: Sequence[Sequence[str]] = ()
    groups: Sequence[tuple[str, int]] = ()
    first_column: int = 0


def workbook_bytes(sheets: dict[str, Sheet]) -> bytes:
    """Sheets by name as an XLSX file.

    Args:
        sheets: At least one; the first is shown when the file is opened.

    Returns:
        The bytes of the workbook.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in {**_package(list(sheets)), **_contents(sheets)}.items():
            part = zipfile.ZipInfo(name, date_time=EPOCH)
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, HEAD + content)
    return file.getvalue()


def _contents(sheets: dict[str, Sheet]) -> dict[str, str]:
    return {f"xl/worksheets/sheet{n}.xml": _sheet(sheet) for n, sheet in enumerate(sheets.values(), start=1)}


def _package(names: list[str]) -> dict[str, str]:
    """The parts that say which other parts there are."""
    numbers = range(1, len(names) + 1)
    part = '<Override PartName="/xl/{}" ContentType="' + _TYPES + '.{}+xml"/>'
    parts = [part.format(f"worksheets/sheet{n}.xml", "worksheet") for n in numbers]
    parts += [part.format("workbook.xml", "sheet.main"), part.format("styles.xml", "styles")]
    sheets = [f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, names, strict=True)]
    link = '<Relationship Id="rId{}" Type="' + _OFFICE + '/{}" Target="{}"/>'
    links = [link.format(n, "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    links.append(link.format(len(names) + 1, "styles", "styles.xml"))
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{"".join(parts)}</Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f"{link.format(1, 'officeDocument', 'xl/workbook.xml')}</Relationships>"
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{"".join(sheets)}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(links)}</Relationships>'
        ),
        "xl/styles.xml": _STYLES,
    }


def _sheet(sheet: Sheet) -> str:
    lines = [_text_row(row, sheet, number) for number, row in enumerate(sheet.above, start=1)]
    names, merged = list(sheet.frame.columns), ""
    if sheet.groups:
        upper, merged = _grouped(sheet, len(lines) + 1)
        lines.append(_text_row(upper, sheet, len(lines) + 1))
        names = ["" if name == above else name for name, above in zip(names, upper, strict=True)]
    lines.append(_text_row(names, sheet, len(lines) + 1))
    last_row = len(lines) + sheet.frame.height
    if sheet.frame.height:
        lines.append(_rows(sheet, first=len(lines) + 1))
    last_cell = f"{column_letter(sheet.first_column + sheet.frame.width - 1)}{last_row}"
    extent = f'<dimension ref="A1:{last_cell}"/>'
    return f'<worksheet xmlns="{_SHEET}">{extent}<sheetData>{"".join(lines)}</sheetData>{merged}</worksheet>'


def _grouped(sheet: Sheet, row: int) -> tuple[list[str], str]:
    """The cells above the header and what is merged: a group across, a single column down."""
    cells: list[str] = []
    merged = []
    for name, width in sheet.groups:
        place = sheet.first_column + len(cells)
        last, below = (place + width - 1, row) if width > 1 else (place, row + 1)
        merged.append(f'<mergeCell ref="{column_letter(place)}{row}:{column_letter(last)}{below}"/>')
        cells += [name if width > 1 else sheet.frame.columns[len(cells)], *[""] * (width - 1)]
    return cells, f'<mergeCells count="{len(merged)}">{"".join(merged)}</mergeCells>'


def _text_row(cells: Sequence[str], sheet: Sheet, number: int) -> str:
    """A row of text cells; empty ones are not written."""
    if not any(cells):
        return ""
    row = pl.DataFrame({str(place): [cell or None] for place, cell in enumerate(cells)})
    return _rows(Sheet(row.cast(pl.String), first_column=sheet.first_column), first=number)


def _rows(sheet: Sheet, *, first: int) -> str:
    """The rows of the sheet, the first of them in spreadsheet row `first`."""
    row = (pl.int_range(pl.len()) + first).cast(pl.String)
    cells = [
        _cell(name, column_letter(place), row, sheet)
        for place, name in enumerate(sheet.frame.columns, start=sheet.first_column)
    ]
    line = pl.concat_str(pl.lit('<row r="'), row, pl.lit('">'), *cells, pl.lit("</row>"), ignore_nulls=True)
    return "".join(sheet.frame.select(line.alias("line"))["line"])


def _cell(name: str, letter: str, row: pl.Expr, sheet: Sheet) -> pl.Expr:
    text = pl.col(name).str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)
    place = pl.concat_str(pl.lit(f'<c r="{letter}'), row)
    as_text = pl.concat_str(place, pl.lit('" t="inlineStr"><is><t>'), text, pl.lit("</t></is></c>"))
    if name not in sheet.numbers | sheet.dates:
        return as_text
    style = '" s="1"><v>' if name in sheet.dates else '"><v>'
    as_number = pl.concat_str(place, pl.lit(style), text, pl.lit("</v></c>"))
    # What is no number, such as a date that does not exist, stays text, as in a spreadsheet.
    return pl.when(pl.col(name).str.contains(NUMBER)).then(as_number).otherwise(as_text)
