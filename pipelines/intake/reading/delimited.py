"""CSV: text with line feeds to a table.

Where each record and cell begins is worked out on the whole file at once, as positions of line feeds, delimiters and
quotation marks; only a file whose quotation marks are not the standard's is read record by record.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.intake.reading.header import ROWS_SEARCHED, HeaderRow, checked_names, find_header, no_header
from pipelines.intake.reading.table import (
    MOST_CELLS,
    MOST_LINE_BYTES,
    IsHeader,
    Table,
    UnreadableFileError,
    finished,
    refuse_size,
    unnamed_column,
)

DELIMITERS = ",;\t|"
_HEAD_BYTES = MOST_LINE_BYTES
# Excel's own first line, which says the delimiter and is no row of the sheet.
_SEPARATOR_LINE = re.compile(rb'"?sep=([^\n])"?[ ,;\t|]*(\n|\Z)', re.IGNORECASE)
_LINE_FEED, _QUOTE = ord("\n"), ord('"')
_EXCEL_BLOCK = 16
_ROWS_AT_ONCE = 20_000

Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _Layout:
    """How a file is cut into cells: its delimiter, its header, and the names from column A to the last named."""

    delimiter: str
    header: HeaderRow
    names: list[str]

    @property
    def width(self) -> int:
        """Cells a row must have."""
        return len(self.names)

    @property
    def header_width(self) -> int:
        """Cells of the header itself, unnamed ones at its end included."""
        return len(self.header.cells)


def read_delimited(data: bytes, notes: Sequence[str], is_header: IsHeader | None) -> Table:
    """Read CSV.

    Args:
        data: UTF-8 with line feeds.
        notes: sentences about how it was decoded.
        is_header: whether cells are the header of a known layout.
    """
    separator = _SEPARATOR_LINE.match(data)
    delimiters = DELIMITERS
    if separator:
        delimiters = separator[1].decode(errors="replace")
        data = data[separator.end() :]
        if delimiters not in DELIMITERS:
            msg = "The first line names a separator that we do not read; export it with commas."
            raise UnreadableFileError(msg)
    delimiter, header = _find_layout(data[:_HEAD_BYTES], delimiters, is_header)
    layout = _Layout(delimiter, header, checked_names(header))
    refuse_size(data.count(b"\n"), layout.width)
    if data.count(delimiter.encode()) > 2 * MOST_CELLS:
        refuse_size(1, MOST_CELLS + 1)
    return _read_at_once(data, layout, notes) or _read_record_by_record(data, layout, notes)


def _find_layout(head: bytes, delimiters: str, is_header: IsHeader | None) -> tuple[str, HeaderRow]:
    """Take the delimiter under which a known header appears, else the one most frequent in the first row."""
    first_row = head.lstrip().split(b"\n", 1)[0]
    candidates: dict[str, HeaderRow] = {}
    for delimiter in sorted(delimiters, key=lambda d: -first_row.count(d.encode())):
        header = find_header(_first_rows(head, delimiter), is_header)
        if header and header.known:
            return delimiter, header
        candidates |= {delimiter: header} if header else {}
    if not candidates:
        raise _malformed() if head.strip(b" \n" + DELIMITERS.encode()) else no_header()
    delimiter = max(candidates, key=lambda d: len(candidates[d].cells))
    return delimiter, candidates[delimiter]


def _first_rows(head: bytes, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the first rows that are not blank, as far as they are well-formed with this delimiter."""
    records = enumerate(_records(head, delimiter), start=1)
    filled = ((number, cells) for number, cells in records if any(map(str.strip, cells)))
    rows: list[tuple[int, list[str]]] = []
    with suppress(UnreadableFileError):
        rows.extend(islice(filled, ROWS_SEARCHED))
    return rows


def _records(data: bytes, delimiter: str) -> Iterator[list[str]]:
    """Read CSV records strictly: a quotation mark that is never closed would swallow the rows below it."""
    csv.field_size_limit(MOST_LINE_BYTES)
    lines = (line.decode(errors="replace") for line in _lines(data))
    try:
        yield from csv.reader(lines, delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise _malformed() from error


def _malformed() -> UnreadableFileError:
    msg = "The file is not a well-formed CSV file (a quotation mark is never closed or stray); export it again."
    return UnreadableFileError(msg)


def _lines(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end


@dataclass(frozen=True)
class _Records:
    """Every record of a file by position: where it starts and ends (its line feed), and how many cells it has."""

    buffer: NDArray[np.uint8]
    starts: Positions
    ends: Positions
    delimiters: Positions
    cells: Positions

    def text(self, place: int) -> bytes:
        """One record."""
        return self.buffer[self.starts[place] : self.ends[place]].tobytes()

    def end_of_cell(self, records: Positions, number: int) -> Positions:
        """Position of the delimiter after the `number`-th cell of records that have more cells."""
        return self.delimiters[np.searchsorted(self.delimiters, self.starts[records]) + number - 1]


def _records_at_once(data: bytes, delimiter: str) -> _Records | None:
    """Find all records of a file, or nothing where a quotation mark stands where the standard has none."""
    buffer = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(buffer == _LINE_FEED)
    delimiters = np.flatnonzero(buffer == ord(delimiter))
    if b'"' in data:
        quotes = np.flatnonzero(buffer == _QUOTE)
        if not _well_quoted(buffer, quotes, delimiter):
            return None
        # An even number of quotation marks before a position: it is outside of quoted cells.
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
    starts = np.concatenate([[0], ends[:-1] + 1])
    cells = np.diff(np.searchsorted(delimiters, ends), prepend=0) + 1
    return _Records(buffer, starts, ends, delimiters, cells)


def _well_quoted(buffer: NDArray[np.uint8], quotes: Positions, delimiter: str) -> bool:
    """Whether each quoted cell begins after and ends before a delimiter, a line feed or a doubled quotation mark."""
    if len(quotes) % 2:
        return False
    around = (ord(delimiter), _LINE_FEED, _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    before = buffer[opening[opening > 0] - 1]
    after = buffer[closing + 1]
    return bool(np.isin(before, around).all() and np.isin(after, around).all())


def _read_at_once(data: bytes, layout: _Layout, notes: Sequence[str]) -> Table | None:
    data = data if data.endswith(b"\n") else data + b"\n"
    records = _records_at_once(data, layout.delimiter)
    if records is None:
        return None
    below = np.arange(len(records.cells)) >= layout.header.row
    blank, filled_beyond = _blank_records(records, layout), _filled_beyond(records, layout)
    unnamed = np.flatnonzero(below & filled_beyond & (records.cells <= layout.header_width))
    if len(unnamed):
        place = int(unnamed[0])
        cells = next(_records(records.text(place), layout.delimiter))
        raise unnamed_column(_first_filled(cells, layout.width), place + 1)
    short = (records.cells < layout.width) & ~_left_short_by_excel(records.cells, layout.width)
    ragged = below & ~blank & (short | filled_beyond)
    kept = below & ~blank & ~ragged
    frame = _parsed(_text_of(records, kept, layout), layout)
    if frame is None or frame.height != kept.sum():
        return None
    numbers = pl.Series("row_number", np.flatnonzero(kept) + 1, dtype=pl.Int64)
    return finished(frame, layout.names, numbers, ragged=(np.flatnonzero(ragged) + 1).tolist(), notes=notes)


def _first_filled(cells: Sequence[str], start: int) -> int:
    return next((place for place in range(start, len(cells)) if cells[place].strip()), start)


def _is_filling(records: _Records, layout: _Layout) -> NDArray[np.uint8]:
    """Mark the bytes that fill a cell. A quotation mark does not: a cell of nothing else says nothing."""
    filling = np.ones(256, np.uint8)
    filling[[ord(layout.delimiter), _LINE_FEED, _QUOTE, ord(" "), ord("\t")]] = 0
    return filling[records.buffer]


def _blank_records(records: _Records, layout: _Layout) -> Flags:
    """Mark records without a filled cell; only those of the wrong width need it, the others are looked at as cells."""
    blank: Flags = records.starts == records.ends
    asked = np.flatnonzero((records.cells != layout.width) & ~blank)
    if len(asked):
        blank[asked] = ~_any_filled(records, layout, records.starts[asked], records.ends[asked])
    return blank


def _filled_beyond(records: _Records, layout: _Layout) -> Flags:
    """Mark records with a filled cell beyond the last named column."""
    filled = np.zeros(len(records.cells), np.bool_)
    asked = np.flatnonzero(records.cells > layout.width)
    if len(asked):
        filled[asked] = _any_filled(records, layout, records.end_of_cell(asked, layout.width), records.ends[asked])
    return filled


def _any_filled(records: _Records, layout: _Layout, starts: Positions, ends: Positions) -> Flags:
    """Whether any byte from a start up to its end fills a cell; each start is before its end."""
    borders = np.column_stack([starts, ends]).ravel()
    counts = np.add.reduceat(_is_filling(records, layout), borders, dtype=np.int64)[::2]
    filled: Flags = counts > 0
    return filled


def _left_short_by_excel(cells: Positions, width: int) -> Flags:
    """Mark short rows that lack only blank cells at their end, by Excel's habit.

    Excel saves a sheet sixteen rows at a time and leaves out the delimiters behind the last cell that is filled in any
    of the sixteen. So sixteen short rows of one width, from row 17, 33 ... on, lack nothing. Fewer at the end of the
    file count if there are two or more; a single short row may as well be one that was cut off.
    """
    first = np.arange(0, len(cells), _EXCEL_BLOCK)
    least, most = np.minimum.reduceat(cells, first), np.maximum.reduceat(cells, first)
    rows = np.diff(first, append=len(cells))
    habit: Flags = (least == most) & (most < width) & (rows > 1)
    return np.repeat(habit, rows)


def _text_of(records: _Records, kept: Flags, layout: _Layout) -> bytes:
    """The text of the kept records, each with as many cells as there are names; all that differ are blank."""
    places = np.flatnonzero(kept)
    if not len(places):
        return b""
    long = np.flatnonzero(kept & (records.cells > layout.width))
    short = np.flatnonzero(kept & (records.cells < layout.width))
    if kept[places[0] :].all() and not len(long) and not len(short):
        return records.buffer[records.starts[places[0]] :].tobytes()
    taken = np.repeat(kept, records.ends - records.starts + 1)
    if len(long):
        change = np.zeros(len(taken), np.int8)
        change[records.end_of_cell(long, layout.width)] = 1
        change[records.ends[long]] = -1
        taken &= np.cumsum(change, dtype=np.int8) == 0
    missing = np.repeat(records.ends[short], layout.width - records.cells[short])
    buffer = np.insert(records.buffer, missing, ord(layout.delimiter))
    return buffer[np.insert(taken, missing, values=True)].tobytes()


def _parsed(text: bytes, layout: _Layout) -> pl.DataFrame | None:
    schema = {str(place): pl.String for place in range(layout.width)}
    if not text:
        return pl.DataFrame(schema=schema)
    try:
        return pl.read_csv(
            text,
            has_header=False,
            schema=schema,
            separator=layout.delimiter,
            quote_char='"' if b'"' in text else None,
        )
    except pl.exceptions.PolarsError:
        return None


def _read_record_by_record(data: bytes, layout: _Layout, notes: Sequence[str]) -> Table:
    """Read what has stray quotation marks: slower, but every row whose cells can be told apart is kept."""
    frames: list[pl.DataFrame] = []
    numbers: list[int] = []
    ragged: list[int] = []
    rows: list[list[str]] = []
    schema = {str(place): pl.String for place in range(layout.width)}
    for number, cells in islice(enumerate(_records(data, layout.delimiter), start=1), layout.header.row, None):
        if not any(map(str.strip, cells)):
            continue
        beyond = _first_filled(cells, layout.width)
        filled_beyond = beyond < len(cells) and bool(cells[beyond].strip())
        if filled_beyond and len(cells) <= layout.header_width:
            raise unnamed_column(beyond, number)
        if filled_beyond or len(cells) < layout.width:
            ragged.append(number)
            continue
        numbers.append(number)
        rows.append(cells[: layout.width])
        if len(rows) == _ROWS_AT_ONCE:
            frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
            rows = []
    frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
    row_numbers = pl.Series("row_number", numbers, dtype=pl.Int64)
    return finished(pl.concat(frames), layout.names, row_numbers, ragged=ragged, notes=notes)
