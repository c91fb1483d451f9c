"""XLSX: which sheet of a workbook is read, and where the table stands on it.

A workbook can carry far more than a table: macros, other workbooks' cells, pivot tables with the rows behind them,
comments. Each is refused, since it would be kept unseen. Sheets are told by number: a sheet's name may be a person's.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import polars as pl

from pipelines.intake.reading.header import ROWS_SEARCHED, HeaderRow, checked_names, find_header
from pipelines.intake.reading.parts import Package, Relationship, damaged, open_package
from pipelines.intake.reading.screen import outlines
from pipelines.intake.reading.sheet import Cells, Sheet, as_damaged
from pipelines.intake.reading.table import (
    IsHeader,
    Table,
    UnreadableFileError,
    column_letter,
    finished,
    refuse_size,
    unnamed_column,
)

_MOST_SHEETS = 100
_OTHER_ROWS = 10_000
_TEXT_BOX = re.compile(rb"<(?:\w+:)?t(?: [^>]*)?>[^<]*[^<\s]")
# A word in the name of a part, or the kind of a relationship, and what it means.
_UNWANTED = {
    "vbaproject": "holds macros; save it as .xlsx (a workbook without macros) or as CSV",
    "externallink": "links to other workbooks and holds copies of their cells; break the links or save as CSV",
    "pivotcache": "holds a pivot table, which keeps a hidden copy of its rows; save the sheet with the table as CSV",
    "comments": "has comments or notes, which are free text; delete them (Review, Delete) or save the sheet as CSV",
    "embeddings/": "has other documents inside it; delete them or save the sheet as CSV",
    "oleobject": "has other documents inside it; delete them or save the sheet as CSV",
}
_BINARY_BOOK = "xl/workbook.bin"
_STYLES = "xl/styles.xml"
_LONG_NUMBERS = "Numbers of more than 15 digits are rounded by Excel; send long identifiers as text."
_MERGED = "There are merged cells below the header; only the first cell of each has the value, the others are blank."


def read_workbook(data: bytes, is_header: IsHeader | None) -> Table:
    """Read the sheet whose header is known; without one, the first sheet that is not empty.

    Raises:
        UnreadableFileError: no or two such sheets, or a workbook with more in it than cells.
    """
    with closing(io.BytesIO(data)) as file:
        headers = [
            (sheet, header)
            for sheet in _sheets(open_package(data), file)
            if (header := find_header(sheet.first_rows(ROWS_SEARCHED), is_header))
        ]
        if not headers:
            msg = "The workbook has no filled cells; put the table on its first sheet."
            raise UnreadableFileError(msg)
        known = [(sheet, header) for sheet, header in headers if header.known]
        if len(known) > 1:
            numbers = " and ".join(str(sheet.number) for sheet, _ in known)
            msg = f"Sheets {numbers} each hold a table that could be the one to read; send one dataset a file."
            raise UnreadableFileError(msg)
        chosen, header = (known or headers)[0]
        table = _table(chosen, header)
        others = tuple(_others([sheet for sheet, _ in headers if sheet is not chosen]))
    return Table(table.frame, table.row_numbers, notes=table.notes, first_column=table.first_column, others=others)


def _sheets(package: Package, file: io.BytesIO) -> list[Sheet]:
    """Open a workbook, once nothing unwanted or too large is in it."""
    workbook = next((r.target for r in package.relationships() if r.kind == "officeDocument"), "")
    if workbook == _BINARY_BOOK:
        msg = "The file is a binary workbook (.xlsb) under another name; save it as .xlsx or CSV."
        raise UnreadableFileError(msg)
    related = package.relationships(workbook)
    parts = [relationship.target for relationship in related if relationship.kind == "worksheet"]
    if len(parts) > _MOST_SHEETS:
        msg = f"The workbook has more than {_MOST_SHEETS} sheets; send one sheet a file."
        raise UnreadableFileError(msg)
    _refuse_unwanted(package, [*related, *(r for part in parts for r in package.relationships(part))])
    texts, styles = (_part_of_kind(related, kind) for kind in ("sharedStrings", "styles"))
    found = outlines(package, parts, texts)
    book = _opened(file)
    sources = {source._worksheet_path: source for source in book.worksheets}
    # The library passes over sheets whose part it does not find, and looks for styles in one place only.
    if set(sources) != set(parts) or len(book.worksheets) != len(parts) or styles not in {"", _STYLES}:
        raise damaged()
    return [Sheet(number, source, found[part]) for number, (part, source) in enumerate(sources.items(), start=1)]


def _opened(file: io.BytesIO) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.datetime import MAC_EPOCH

    with as_damaged():
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    if book.epoch == MAC_EPOCH:
        msg = "The workbook counts dates from 1904, so they could be read four years wrong; save the sheet as CSV."
        raise UnreadableFileError(msg)
    return book


def _part_of_kind(related: Iterable[Relationship], kind: str) -> str:
    return next((relationship.target for relationship in related if relationship.kind == kind), "")


def _refuse_unwanted(package: Package, related: Sequence[Relationship]) -> None:
    words = {name.casefold() for name in package.names} | {f"{r.kind}/".casefold() for r in related}
    for unwanted, sentence in _UNWANTED.items():
        if any(unwanted in word for word in words):
            msg = f"The workbook {sentence}."
            raise UnreadableFileError(msg)
    if any(relationship.kind == "hyperlink" for relationship in related):
        msg = "The workbook has links behind its cells, which may name a person; remove the links or save it as CSV."
        raise UnreadableFileError(msg)
    for name in package.names:
        if name.startswith("xl/drawings/") and name.endswith(".xml") and _has_text(package.pieces(name)):
            msg = "The workbook has text boxes, which are free text; delete them or save the sheet as CSV."
            raise UnreadableFileError(msg)


def _has_text(pieces: Iterator[bytes]) -> bool:
    before = b""
    for piece in pieces:
        if _TEXT_BOX.search(before + piece):
            return True
        before = piece[-1000:]
    return False


def _table(sheet: Sheet, header: HeaderRow) -> Table:
    names = checked_names(header)
    if sheet.outline.formula:
        msg = (
            f"The sheet has formulas (the first is cell {sheet.outline.formula}); "
            "copy the sheet, paste it as values and send that."
        )
        raise UnreadableFileError(msg)
    cells = sheet.cells(first_row=header.row + 1)
    _refuse_beyond(cells, len(names))
    refuse_size(cells.frame.height, len(names))
    blank = [pl.lit(None, dtype=pl.String).alias(str(place)) for place in range(cells.frame.width, len(names))]
    frame = cells.frame.select(pl.nth(range(min(cells.frame.width, len(names)))), *blank)
    is_merged = sheet.outline.merged_to > header.row
    notes = [note for note, applies in ((_LONG_NUMBERS, cells.long_numbers), (_MERGED, is_merged)) if applies]
    return finished(frame, names, cells.rows, notes=notes)


def _refuse_beyond(cells: Cells, width: int) -> None:
    """Refuse filled cells beyond the last named column."""
    beyond = cells.frame.select(
        pl.nth(range(width, cells.frame.width)).str.strip_chars().replace("", None).is_not_null()
    )
    filled = beyond.select(pl.any_horizontal(pl.all())).to_series() if beyond.width else pl.Series([False])
    if filled.any():
        row = filled.arg_true()[0]
        raise unnamed_column(width + beyond.row(row).index(True), cells.rows[row])


def _others(sheets: Sequence[Sheet]) -> Iterator[pl.DataFrame]:
    size = 0
    for sheet in sheets:
        frame = sheet.cells(most=_OTHER_ROWS).frame
        size += frame.height * frame.width
        refuse_size(1, size)
        is_filled = pl.all().str.strip_chars() != ""
        frame = frame.with_columns(pl.when(is_filled).then(pl.all())).filter(pl.any_horizontal(is_filled))
        filled = [name for name in frame.columns if frame[name].null_count() < frame.height]
        yield frame.select(pl.col(name).alias(column_letter(int(name))) for name in filled)
