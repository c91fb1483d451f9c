"""Where the header of a sheet stands, and whether it names every column once.

Header cells are compared and shown without what cannot be seen: line breaks, no-break spaces, zero-width and
direction marks. Which header is a known layout is the caller's `is_header`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.intake.reading.table import (
    MOST_COLUMNS,
    MOST_NAME_CHARACTERS,
    IsHeader,
    UnreadableFileError,
    column_letter,
)

# How many rows that are not blank may stand above the header, itself included.
ROWS_SEARCHED = 30
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


@dataclass(frozen=True)
class HeaderRow:
    """A header: its (last) row as a spreadsheet numbers it, its cells from column A on, and whether it is known."""

    row: int
    cells: list[str]
    known: bool = False


def plain(cell: str) -> str:
    """Return a header cell without white space around it, with single spaces in it and nothing unseen."""
    spaced = " ".join(cell.split())
    if spaced.isascii() and spaced.isprintable():
        return spaced
    seen = "".join(char for char in spaced if unicodedata.category(char) not in _UNSEEN)
    return unicodedata.normalize("NFC", seen).strip()


def find_header(rows: Sequence[tuple[int, Sequence[str]]], is_header: IsHeader | None) -> HeaderRow | None:
    """Find the header among the first rows of a sheet.

    Args:
        rows: row number and cells from column A on, of the first rows that are not blank.
        is_header: whether cells are the header of a known layout.

    Returns:
        The first row that is a known header, else the first two adjoining rows that are one when merged (the lower
        cell, else the upper), else the first row that is no title, so that the caller can say what it lacks; without
        `is_header` the first row; None where there are no rows.
    """
    plain_rows = [(number, [plain(cell) for cell in cells]) for number, cells in rows]
    if is_header:
        for place, (number, cells) in enumerate(plain_rows):
            if is_header(_trimmed(cells)):
                return HeaderRow(number, _with_cells_above(plain_rows, place), known=True)
        for (upper_number, upper), (number, lower) in pairwise(plain_rows):
            merged = _merged(upper, lower)
            if number == upper_number + 1 and is_header(_trimmed(merged)):
                return HeaderRow(number, merged, known=True)
        plain_rows = _without_titles(plain_rows)
    return HeaderRow(*plain_rows[0]) if plain_rows else None


def _without_titles(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Leave out the first rows with less than half the cells of the fullest: titles, when no header is known."""
    filled = [sum(map(bool, cells)) for _, cells in rows]
    return rows[next((place for place, count in enumerate(filled) if 2 * count >= max(filled)), 0) :]


def _trimmed(cells: Sequence[str]) -> list[str]:
    filled = [place for place, cell in enumerate(cells) if cell]
    return list(cells[filled[0] : filled[-1] + 1]) if filled else []


def _merged(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    width = max(len(upper), len(lower))
    padded = ([*cells, *[""] * (width - len(cells))] for cells in (upper, lower))
    return [low or up for up, low in zip(*padded, strict=True)]


def _with_cells_above(rows: Sequence[tuple[int, list[str]]], place: int) -> list[str]:
    """Name a column from the row above where the header leaves it blank and there are cells below: merged cells."""
    number, cells = rows[place]
    if not place or rows[place - 1][0] != number - 1:
        return cells
    merged = _merged(rows[place - 1][1], cells)
    used = {column for _, below in rows[place + 1 :] for column, cell in enumerate(below) if cell}
    own = [*cells, *[""] * (len(merged) - len(cells))]
    return [name if mine or column in used else "" for column, (mine, name) in enumerate(zip(own, merged, strict=True))]


def no_header() -> UnreadableFileError:
    """Return the error of a file without a header."""
    msg = "The file has no header row; export it again with the names of the columns in its first row."
    return UnreadableFileError(msg)


def checked_names(header: HeaderRow) -> list[str]:
    """Return the names from column A to the last named one; blank only before the first.

    Raises:
        UnreadableFileError: no name, a gap, a name twice, too many or too long.
    """
    names = list(header.cells)
    while names and not names[-1]:
        names.pop()
    first = next((place for place, name in enumerate(names) if name), 0)
    if len(names) > MOST_COLUMNS:
        msg = f"The header (row {header.row}) has more than {MOST_COLUMNS} columns; send only the agreed ones."
        raise UnreadableFileError(msg)
    if not names:
        raise no_header()
    _refuse_where(
        [place for place, name in enumerate(names) if place > first and not name],
        f"The header (row {header.row}) has blank cells (column %s); name each column or take the empty ones out.",
    )
    _refuse_where(
        [place for place, name in enumerate(names) if len(name) > MOST_NAME_CHARACTERS],
        f"The header (row {header.row}) has a name of more than {MOST_NAME_CHARACTERS} characters (column %s), "
        "so it is not a header we know; put the names of the columns in one row above the data.",
    )
    folded = [name.casefold() for name in names]
    seen: dict[str, int] = {}
    _refuse_where(
        [place for place, name in enumerate(folded) if name and seen.setdefault(name, place) != place],
        f"The header (row {header.row}) names a column twice (column %s); name each column once.",
    )
    return names


def _refuse_where(places: Sequence[int], message: str) -> None:
    if places:
        raise UnreadableFileError(message % ", ".join(map(column_letter, places)))
