"""Opening a delivered file: bytes to a table of text with the row numbers a spreadsheet shows.

The one way into `reading`, which knows the formats. Every way a file can be unreadable ends in one
`UnreadableFileError` whose message is a sentence for the sender, without a word of the file's contents.
"""

from __future__ import annotations

import polars as pl

from pipelines.intake.reading.columnar import read_columnar
from pipelines.intake.reading.delimited import read_delimited
from pipelines.intake.reading.table import (
    MOST_BYTES,
    MOST_COLUMNS,
    IsHeader,
    NoRowsError,
    Table,
    UnreadableFileError,
    column_letter,
)
from pipelines.intake.reading.text import unpacked, utf_8_lines
from pipelines.intake.reading.workbook import read_workbook

__all__ = [
    "MOST_BYTES",
    "MOST_COLUMNS",
    "SUFFIXES",
    "IsHeader",
    "NoRowsError",
    "Table",
    "UnreadableFileError",
    "column_letter",
    "read_table",
]

SUFFIXES = (".csv", ".csv.gz", ".xlsx", ".parquet")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_KINDS = {
    "an Excel workbook": (b"PK\x03\x04", ".xlsx"),
    "a gzip file": (b"\x1f\x8b", ".csv.gz"),
    "a Parquet file": (b"PAR1", ".parquet"),
}


def read_table(name: str, data: bytes, is_header: IsHeader | None = None) -> Table:
    """Read a file by its name and bytes.

    Args:
        name: file name, for its type only.
        data: the bytes.
        is_header: whether a row of cells is the header of a known layout. The header is looked for in the first 30
            rows that are not blank, of each sheet of a workbook. Where there is none, the first row that is no title is
            the header; without this argument the first row is.

    Raises:
        UnreadableFileError: with one sentence that says what is wrong and what to do.
    """
    lower = name.lower()
    _refuse_at_sight(lower, data)
    try:
        if lower.endswith(".xlsx"):
            return read_workbook(data, is_header)
        if lower.endswith(".parquet"):
            return read_columnar(data)
        text, notes = utf_8_lines(unpacked(data) if lower.endswith(".gz") else data)
        return read_delimited(text, notes, is_header)
    except UnreadableFileError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - see below
        # Whatever a library makes of a hostile file, without its own words, which may quote the contents.
        msg = f"The file cannot be read ({type(error).__name__}); save it again as CSV UTF-8 and send that."
        raise UnreadableFileError(msg) from None


def _refuse_at_sight(lower: str, data: bytes) -> None:
    """Refuse what the name, the size and the first bytes tell."""
    if not lower.endswith(SUFFIXES):
        msg = "The file is not named as a CSV, gzip CSV, XLSX or Parquet file; export it again as one of these."
        raise UnreadableFileError(msg)
    if not data:
        msg = "The file is empty (0 bytes); export it again."
        raise UnreadableFileError(msg)
    if len(data) > MOST_BYTES:
        msg = f"The file is larger than {MOST_BYTES >> 20} MiB; send it in parts, such as one file a year."
        raise UnreadableFileError(msg)
    if data.startswith(_OLE2):
        msg = (
            "The file is a password-protected or old-style Excel workbook, which cannot be opened; "
            "save it as .xlsx without a password or as CSV."
        )
        raise UnreadableFileError(msg)
    for what, (magic, suffix) in _KINDS.items():
        if data.startswith(magic) != lower.endswith(suffix):
            is_not = "" if data.startswith(magic) else "not "
            msg = f"The file's name and contents disagree: it is {is_not}{what}; rename it or export it again."
            raise UnreadableFileError(msg)
