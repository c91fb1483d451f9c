"""Opening a delivered file: bytes to a table of text with the row numbers a spreadsheet shows.

Knows formats and encodings, not datasets. Every way a file can be unreadable ends in one `UnreadableFileError` whose
message is a sentence for the sender, without a word of the file's contents.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

MOST_COLUMNS = 500
MOST_BYTES = 1 << 30
SUFFIXES = (".csv", ".csv.gz", ".xlsx", ".parquet")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"


class UnreadableFileError(Exception):
    """The file cannot be read as a table; the message is the sentence for the sender."""


@dataclass(frozen=True)
class Table:
    """A delivered table, all text.

    `frame` has the header cells as column names and blank cells as null; `row_numbers` is what a spreadsheet shows
    (header = 1) for each of its rows; `ragged` are row numbers with more or fewer cells than the header, which are
    not in `frame`; `notes` are sentences about how it was read.
    """

    frame: pl.DataFrame
    row_numbers: pl.Series
    ragged: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def header(self) -> list[str]:
        """Header cells in order."""
        return self.frame.columns

    @property
    def rows_read(self) -> int:
        """Rows below the header that are not wholly blank, ragged ones included."""
        return self.frame.height + len(self.ragged)


def column_letter(index: int) -> str:
    """Return the spreadsheet letter of a 0-based column index (0 is A, 26 is AA)."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read_table(name: str, data: bytes) -> Table:
    """Read a file by its name and bytes.

    Raises:
        UnreadableFileError: with one sentence that says what is wrong and what to do.
    """
    lower = name.lower()
    if not lower.endswith(SUFFIXES):
        msg = "The file is not named as a CSV, gzip CSV, XLSX or Parquet file; export it again as one of these."
        raise UnreadableFileError(msg)
    if not data:
        msg = "The file is empty (0 bytes); export it again."
        raise UnreadableFileError(msg)
    _refuse_misnamed(lower, data)
    if lower.endswith(".xlsx"):
        return _read_xlsx(data)
    if lower.endswith(".parquet"):
        return _read_parquet(data)
    return _read_csv(_gunzip(data) if lower.endswith(".gz") else data)


def _refuse_misnamed(lower: str, data: bytes) -> None:
    if data.startswith(_OLE2):
        msg = (
            "The file is a password-protected or old-style Excel workbook, which cannot be opened; "
            "save it as .xlsx without a password or as CSV."
        )
        raise UnreadableFileError(msg)
    kinds = {
        "an Excel workbook": (_ZIP, ".xlsx"),
        "a gzip file": (_GZIP, ".csv.gz"),
        "a Parquet file": (_PARQUET, ".parquet"),
    }
    for what, (magic, suffix) in kinds.items():
        if data.startswith(magic) != lower.endswith(suffix):
            is_not = "" if data.startswith(magic) else "not "
            msg = f"The file's name and contents disagree: it is {is_not}{what}; rename it or export it again."
            raise UnreadableFileError(msg)


def _gunzip(data: bytes) -> bytes:
    """Unpack at most `MOST_BYTES`, so that a small file cannot fill the machine."""
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            unpacked = stream.read(MOST_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        msg = "The gzip file is cut off or damaged; send it again."
        raise UnreadableFileError(msg) from error
    if len(unpacked) > MOST_BYTES:
        msg = "The gzip file unpacks to more than 1 GiB; send it in parts."
        raise UnreadableFileError(msg)
    return unpacked


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), ("Read as UTF-16.",)
        except UnicodeDecodeError as error:
            msg = "The file starts as UTF-16 but is not; export it as CSV UTF-8."
            raise UnreadableFileError(msg) from error
    if b"\x00" in data:
        msg = "The file is not text in an encoding we can read (it holds zero bytes); export it as CSV UTF-8."
        raise UnreadableFileError(msg)
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), ("Read as Windows-1252 because it is not UTF-8; please export CSV UTF-8.",)
    except UnicodeDecodeError as error:
        msg = "The file is neither UTF-8 nor Windows-1252 text; export it as CSV UTF-8."
        raise UnreadableFileError(msg) from error


def _read_csv(data: bytes) -> Table:
    text, notes = _decode(data)
    if "\n" not in text:
        text = text.replace("\r", "\n")  # "CSV (Macintosh)" ends its lines with a carriage return
    table = text.lstrip("\r\n")
    first_line = table.split("\n", 1)[0]
    if not first_line.strip():
        msg = "The file has no header row; export it again."
        raise UnreadableFileError(msg)
    delimiter = max(",;\t|", key=first_line.count)
    names = _checked_header(next(_records(table, delimiter)))
    first_row = 2 + text[: len(text) - len(table)].count("\n")
    try:
        frame = pl.read_csv(io.BytesIO(table.encode()), separator=delimiter, infer_schema=False)
        frame.columns = names
    except pl.exceptions.PolarsError:
        # Ragged rows or stray quotes: the standard reader is slower but keeps every row it can.
        return _read_csv_row_by_row(table, delimiter, names, first_row, notes)
    if frame.to_series(-1).null_count() and _has_short_rows(table, delimiter, _named(names)):
        return _read_csv_row_by_row(table, delimiter, names, first_row, notes)
    return _table(frame, _numbers(first_row, frame), notes=notes)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Read CSV records strictly: a quotation mark that is never closed would swallow the rows below it."""
    csv.field_size_limit(1 << 24)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        msg = "The file is not a well-formed CSV file (a quotation mark is never closed or stray); export it again."
        raise UnreadableFileError(msg) from error


def _has_short_rows(text: str, delimiter: str, width: int) -> bool:
    """The fast reader fills a short row with blanks, so a blank last cell may be a cell that is not there."""
    return any(0 < len(record) < width for record in _records(text, delimiter))


def _named(names: list[str]) -> int:
    return sum(not name.startswith("\x00") for name in names)


def _numbers(first_row: int, frame: pl.DataFrame) -> pl.Series:
    return pl.Series("row_number", range(first_row, first_row + frame.height), dtype=pl.Int64)


def _read_csv_row_by_row(text: str, delimiter: str, names: list[str], first_row: int, notes: tuple[str, ...]) -> Table:
    records = list(_records(text, delimiter))[1:]
    numbered = list(enumerate(records, start=first_row))
    fits = range(_named(names), len(names) + 1)
    whole = [(number, record) for number, record in numbered if len(record) in fits]
    ragged = tuple(number for number, record in numbered if record and len(record) not in fits)
    padded = [record + [""] * (len(names) - len(record)) for _, record in whole]
    frame = pl.DataFrame(padded, schema=dict.fromkeys(names, pl.String), orient="row")
    return _table(frame, pl.Series("row_number", [n for n, _ in whole], dtype=pl.Int64), ragged, notes)


def _read_xlsx(data: bytes) -> Table:
    import fastexcel

    try:
        workbook = fastexcel.read_excel(data)
        sheet = workbook.load_sheet(0, header_row=None, skip_rows=0, dtypes="string", skip_whitespace_tail_rows=True)
        cells = sheet.to_polars()
    except Exception as error:
        # The reader has no common error class; all mean "cannot open".
        msg = "The Excel workbook is damaged or protected and cannot be opened; save it again as .xlsx or CSV."
        raise UnreadableFileError(msg) from error
    blank_rows = cells.select(pl.all_horizontal(pl.all().is_null())).to_series() if cells.width else pl.Series([])
    header_row = blank_rows.arg_min()
    if header_row is None or blank_rows.all():
        msg = "The first sheet of the workbook is empty; put the table on the first sheet."
        raise UnreadableFileError(msg)
    names = _checked_header([cell or "" for cell in cells.row(header_row)])
    frame = cells.slice(header_row + 1)
    frame.columns = names
    # Excel keeps a bare date as midnight; a time of exactly midnight is therefore read as "date only".
    frame = frame.with_columns(pl.all().str.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "$1"))
    return _table(frame, _numbers(header_row + 2, frame))


def _read_parquet(data: bytes) -> Table:
    try:
        frame = pl.read_parquet(io.BytesIO(data)).cast(pl.String)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        msg = "The Parquet file is damaged or holds nested columns; export it again."
        raise UnreadableFileError(msg) from error
    frame.columns = _checked_header(frame.columns)
    return _table(frame, _numbers(2, frame))


def _checked_header(cells: list[str]) -> list[str]:
    names = [cell.strip().lstrip("\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MOST_COLUMNS:
        msg = f"The header has more than {MOST_COLUMNS} columns; send only the agreed ones."
        raise UnreadableFileError(msg)
    blank = [column_letter(i) for i, name in enumerate(names) if not name]
    if blank or not names:
        msg = f"The header row has blank cells (column {', '.join(blank) or 'A'}); the first row must name each column."
        raise UnreadableFileError(msg)
    folded = [name.casefold() for name in names]
    twice = [column_letter(i) for i, name in enumerate(folded) if folded.index(name) < i]
    if twice:
        msg = f"The header names a column twice (column {', '.join(twice)}); name each column once."
        raise UnreadableFileError(msg)
    return names + [f"\x00{i}" for i in range(len(names), len(cells))]


def _table(
    frame: pl.DataFrame, row_numbers: pl.Series, ragged: tuple[int, ...] = (), notes: tuple[str, ...] = ()
) -> Table:
    """Trim cells, turn blanks into null and leave out wholly blank rows and unnamed trailing columns."""
    frame = frame.with_columns(pl.all().str.strip_chars().replace("", None))
    unnamed = [i for i, name in enumerate(frame.columns) if name.startswith("\x00") and frame[name].count()]
    if unnamed:
        msg = f"Column {column_letter(unnamed[0])} has cells but no name in the header; name it or take it out."
        raise UnreadableFileError(msg)
    frame = frame.select(pl.exclude(r"^\x00.*$"))
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    if not filled.any() and not ragged:
        msg = "The file has a header but no rows; if there was nothing to report, tell the region so."
        raise UnreadableFileError(msg)
    return Table(frame.filter(filled), row_numbers.filter(filled), ragged, notes)
