"""Writing a table in any of the ways that occur and reading it gives the same cells in the same rows."""

import csv
import io
from collections.abc import Sequence

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipelines.intake.read import Table, read_table
from tests.builders.workbooks import workbook_of

SLOW = [HealthCheck.too_slow]
# Every character that has a meaning in one of the spellings, and letters beyond ASCII.
CELL = st.text(st.sampled_from("ab1.é€\",;\t|\n '\\ =#"), max_size=6)
NAME = st.text(st.sampled_from("abcé;|, "), min_size=1, max_size=4).map(str.strip).filter(bool)
# A single column has no delimiter to tell.
NAMES = st.lists(NAME.map(lambda name: " ".join(name.split())), min_size=2, max_size=5, unique_by=str.casefold)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header and rows of as many cells, at least one of them filled; some rows are wholly blank."""
    names = draw(NAMES)
    rows = draw(st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), min_size=1, max_size=40))
    assume(any(cell.strip() for row in rows for cell in row))
    return names, rows


def _expected(rows: Sequence[Sequence[str]], first_row: int) -> list[tuple[object, ...]]:
    trimmed = [(number, *(cell.strip() or None for cell in row)) for number, row in enumerate(rows, start=first_row)]
    return [row for row in trimmed if any(row[1:])]


def _seen(table: Table) -> list[tuple[object, ...]]:
    return [(number, *row) for number, row in zip(table.row_numbers, table.frame.iter_rows(), strict=True)]


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    ENCODINGS,
    st.integers(0, 3),
)
def test_csv_in_any_spelling_gives_the_same_cells(  # noqa: PLR0917 - each of them drawn
    table: tuple[list[str], list[list[str]]], delimiter: str, quoting: int, ending: str, encoding: str, blank: int
) -> None:
    names, rows = table
    out = io.StringIO()
    out.write("\n" * blank)
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerows([names, *rows])
    data = out.getvalue().replace("\n", ending).encode(encoding)
    read = read_table("a.csv", data, lambda cells: list(cells) == names)
    assert (read.header, read.ragged) == (names, ())
    assert _seen(read) == _expected(rows, blank + 2)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(tables(), st.integers(1, 9), st.integers(1, 30), st.booleans())
def test_a_workbook_gives_the_same_cells_wherever_the_table_stands(
    table: tuple[list[str], list[list[str]]],
    first_row: int,
    first_column: int,
    with_title: bool,
) -> None:
    names, rows = table
    sheet = [["A title"], names, *rows] if with_title else [names, *rows]
    data = workbook_of([["Notes"]], sheet, first_row=first_row, first_column=first_column)
    read = read_table("a.xlsx", data, lambda cells: list(cells) == names)
    assert (read.header, read.first_column) == (names, first_column - 1)
    assert _seen(read) == _expected(rows, first_row + 1 + with_title)
    assert [other.rows() for other in read.others] == [[("Notes",)]]
