"""What reading yields: a table of text in a spreadsheet's coordinates, or one sentence; and the limits of both.

Knows no format. A sentence never holds a cell, a header cell or a sheet's name, since each may hold a person's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

IsHeader = Callable[[Sequence[str]], bool]

MOST_COLUMNS = 500
# A spreadsheet shows no more rows, so no row number above this means anything to the sender.
MOST_ROWS = 1_048_576
# 16 bytes a cell and two copies while reading: 640 MB. 200,000 rows of the widest contract are 6 million cells.
MOST_CELLS = 20_000_000
# 200,000 rows of the widest contract are some 100 MiB of CSV.
MOST_BYTES = 256 << 20
# Twice what Excel allows in a cell, for every cell of a row that a person could have made.
MOST_LINE_BYTES = 1 << 20
MOST_CELL_CHARACTERS = 32_767
MOST_NAME_CHARACTERS = 200


class UnreadableFileError(Exception):
    """The file cannot be read as a table; the message is the sentence for the sender."""


class NoRowsError(UnreadableFileError):
    """The file has a header and nothing below it, which some readers take as nothing to report."""

    def __init__(self, header: Sequence[str]) -> None:
        """Keep the header cells."""
        super().__init__("The file has a header but no rows; if there was nothing to report, tell the region so.")
        self.header = tuple(header)


@dataclass(frozen=True)
class Table:
    """A delivered table, all text.

    `frame` has the header cells as column names and blank cells as null; `row_numbers` is what a spreadsheet shows for
    each of its rows; `ragged` are row numbers whose cells cannot be told apart by column, which are not in `frame`;
    `notes` are sentences about how it was read. `first_column` is the spreadsheet's column (0 is A) of the first column
    of `frame`. `others` are the cells of a workbook's other sheets, so that nothing on them goes unseen.
    """

    frame: pl.DataFrame
    row_numbers: pl.Series
    ragged: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())
    first_column: int = 0
    others: tuple[pl.DataFrame, ...] = ()

    @property
    def header(self) -> list[str]:
        """Header cells in order."""
        return self.frame.columns

    @property
    def rows_read(self) -> int:
        """Rows below the header that are not wholly blank, ragged ones included."""
        return self.frame.height + len(self.ragged)

    def letter(self, name: str) -> str:
        """Return the spreadsheet letter of a header cell, blank where the table has no such column."""
        return column_letter(self.first_column + self.header.index(name)) if name in self.header else ""


def column_letter(index: int) -> str:
    """Return the spreadsheet letter of a 0-based column index (0 is A, 26 is AA)."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def refuse_size(rows: int, columns: int) -> None:
    """Raise where a table is larger than can be read in bounded memory."""
    if rows > MOST_ROWS:
        msg = f"The file has more than {MOST_ROWS:,} rows, which is more than a spreadsheet holds; send it in parts."
        raise UnreadableFileError(msg)
    if rows * columns > MOST_CELLS:
        msg = f"The file has more than {MOST_CELLS:,} cells; send it in parts, such as one file a year."
        raise UnreadableFileError(msg)


def refuse_text(size: int) -> None:
    """Raise where the cells hold more text than can be read; one stored text can stand for millions of cells."""
    if size > MOST_BYTES:
        msg = f"The cells of the file hold more than {MOST_BYTES >> 20} MiB of text; send it in parts."
        raise UnreadableFileError(msg)


def unnamed_column(index: int, row: int) -> UnreadableFileError:
    """Return the error of a column that has cells but no header cell."""
    msg = (
        f"Column {column_letter(index)} has cells but no name in the header (first in row {row}); "
        "name it or take it out."
    )
    return UnreadableFileError(msg)


def finished(
    cells: pl.DataFrame,
    names: Sequence[str],
    row_numbers: pl.Series,
    *,
    ragged: Sequence[int] = (),
    notes: Sequence[str] = (),
) -> Table:
    """Trim cells, turn blanks into null, leave out wholly blank rows and the unnamed columns before the table.

    Args:
        cells: text, one column for each of `names`, in order.
        names: header cells from column A on; blank ones only before the first named.
        row_numbers: spreadsheet row of each row.
        ragged: rows that are not in `cells`.
        notes: sentences about how the file was read.
    """
    first = next(place for place, name in enumerate(names) if name)
    # Columns are numbered until the unnamed ones are gone, because a name must be unique.
    cells.columns = [str(place) for place in range(cells.width)]
    refuse_text(sum(int(cells[name].str.len_bytes().sum()) for name in cells.columns))
    cells = cells.with_columns(pl.all().str.strip_chars().replace("", None))
    for place in range(first):
        filled = cells[str(place)].is_not_null()
        if filled.any():
            raise unnamed_column(place, row_numbers.filter(filled)[0])
    cells = cells.select(pl.nth(range(first, cells.width)))
    _refuse_long_cells(cells, row_numbers)
    cells.columns = list(names[first:])
    filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    if not filled.any() and not ragged:
        raise NoRowsError(names[first:])
    if not filled.all():
        cells, row_numbers = cells.filter(filled), row_numbers.filter(filled)
    return Table(cells, row_numbers, tuple(ragged), tuple(notes), first)


def _refuse_long_cells(cells: pl.DataFrame, row_numbers: pl.Series) -> None:
    # Bytes are at least as many as characters and need no counting.
    for name in cells.columns:
        long = cells[name].str.len_bytes() > MOST_CELL_CHARACTERS
        if long.any():
            row = row_numbers.filter(long.fill_null(value=False))[0]
            msg = (
                f"The cell in column {column_letter(int(name))} of row {row} "
                f"holds more than {MOST_CELL_CHARACTERS:,} characters; take the text out."
            )
            raise UnreadableFileError(msg)
