"""Opening files: every spelling of a table gives the same cells and a spreadsheet's row numbers, or else a sentence."""

import gzip
import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import polars as pl
import pytest

from pipelines.intake import read
from pipelines.intake.read import Table, UnreadableFileError, column_letter, read_table
from tests.intake_data import csv_of

CELL = "Zacharias"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def _seen(table: Table) -> list[tuple[Any, ...]]:
    """Rows with their numbers."""
    return [(number, *row) for number, row in zip(table.row_numbers, table.frame.iter_rows(), strict=True)]


def _workbook(rows: Sequence[Sequence[Any]], first_row: int = 1) -> bytes:
    workbook = openpyxl.Workbook()
    for number, row in enumerate(rows, start=first_row):
        for column, value in enumerate(row, start=1):
            workbook.active.cell(number, column, value)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_taken_from_the_header(delimiter: str) -> None:
    others = "".join({",", ";", "\t", "|"} - {delimiter})
    table = read_table("a.csv", csv_of(["one", "two", "three"], [["1", others, "3"]], delimiter))
    assert table.header == ["one", "two", "three"]
    assert _seen(table) == [(2, "1", others.strip(), "3")]


@pytest.mark.parametrize(
    ("encoding", "notes"),
    [
        ("utf-8", 0),
        ("utf-8-sig", 0),
        ("utf-16", 1),
        ("cp1252", 1),
    ],
)
def test_encodings_give_the_same_cells_and_say_so_where_it_is_not_utf_8(encoding: str, notes: int) -> None:
    table = read_table("a.csv", "naïve,b\né,€\n".encode(encoding))
    assert (table.header, _seen(table)) == (["naïve", "b"], [(2, "é", "€")])
    assert len(table.notes) == notes


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_of_every_system(ending: str) -> None:
    table = read_table("a.csv", ending.join(["a,b", "1,2", "", "3,4", ""]).encode())
    assert _seen(table) == [(2, "1", "2"), (4, "3", "4")]


def test_quoted_cells_keep_delimiters_quotes_and_line_breaks_and_count_as_one_row() -> None:
    rows = [["x,y", 'say "so"'], ["two\nlines", "z"], ["", " padded "], ["last", '5" pipe']]
    table = read_table("a.csv", csv_of(["a", "b"], rows))
    assert _seen(table) == [
        (2, "x,y", 'say "so"'),
        (3, "two\nlines", "z"),
        (4, None, "padded"),
        (5, "last", '5" pipe'),
    ]


def test_a_header_cell_may_hold_a_line_break() -> None:
    table = read_table("a.csv", b'"first\nname of it",b\n1,2\n')
    assert (table.header, _seen(table)) == (["first\nname of it", "b"], [(2, "1", "2")])


@pytest.mark.parametrize("long_row", ["", "9,9,9\n"], ids=["fast reader", "row by row"])
def test_blank_lines_keep_the_row_numbers_and_are_not_rows(long_row: str) -> None:
    table = read_table("a.csv", f"\n\na,b\n1,2\n\n,\n3,4\n{long_row}".encode())
    assert _seen(table) == [(4, "1", "2"), (7, "3", "4")]
    assert table.ragged == ((8,) if long_row else ())
    assert table.rows_read == 2 + bool(long_row)


@pytest.mark.parametrize(
    ("text", "ragged", "whole"),
    [
        ("a,b\n1,2\n3\n4,5\n", (3,), [2, 4]),
        ("a,b\n1,2\n3,4,5\n6,7\n", (3,), [2, 4]),
        ("a,b\n1\n\n2,3,4\n5,6\n7\n", (2, 4, 6), [5]),
        ("a,b\n1,2\n3,", (), [2, 3]),
        ("a,b,\n1,2,\n3,4\n5\n", (4,), [2, 3]),
    ],
)
def test_rows_with_more_or_fewer_cells_than_the_header_are_ragged(
    text: str, ragged: tuple[int, ...], whole: list[int]
) -> None:
    table = read_table("a.csv", text.encode())
    assert table.header == ["a", "b"]
    assert (table.ragged, table.row_numbers.to_list()) == (ragged, whole)
    assert table.rows_read == len(ragged) + len(whole)


def test_one_column_is_a_table_too() -> None:
    assert _seen(read_table("a.csv", b"a\n1\n\n2\n")) == [(2, "1"), (4, "2")]


def test_as_many_columns_as_are_allowed_can_be_read() -> None:
    header = [f"c{i}" for i in range(read.MOST_COLUMNS)]
    assert read_table("a.csv", csv_of(header, [["1"] * len(header)])).header == header


def test_gzip_is_unpacked() -> None:
    assert _seen(read_table("A.CSV.GZ", gzip.compress(b"a,b\n1,2\n"))) == [(2, "1", "2")]


def test_workbook_dates_times_and_numbers_become_text_without_invented_midnights() -> None:
    rows = [
        ["d", "t", "n", "s"],
        [date(2024, 1, 5), datetime(2024, 1, 5, 13, 45), 14, "007"],  # noqa: DTZ001 - a workbook has no zones
        [datetime(2024, 1, 6), None, 12.5, None],  # noqa: DTZ001 - as above
        [None, None, None, None],
        ["2024-01-07", datetime(2024, 7, 1, 0, 1), 0, " x "],  # noqa: DTZ001 - as above
    ]
    assert _seen(read_table("a.xlsx", _workbook(rows))) == [
        (2, "2024-01-05", "2024-01-05 13:45:00", "14", "007"),
        (3, "2024-01-06", None, "12.5", None),
        (5, "2024-01-07", "2024-07-01 00:01:00", "0", "x"),
    ]


def test_workbook_rows_are_numbered_from_the_top_of_the_sheet() -> None:
    table = read_table("a.xlsx", _workbook([["a", "b"], [1, 2]], first_row=3))
    assert (table.header, _seen(table)) == (["a", "b"], [(4, "1", "2")])


def test_parquet_columns_of_any_plain_type_become_text() -> None:
    at = datetime(2024, 1, 5, 13, 45)  # noqa: DTZ001 - local clock time
    frame = pl.DataFrame({"d": [at.date(), None], "t": [at, None], "z": [at.replace(tzinfo=UTC), None], "n": [14, 15]})
    assert _seen(read_table("a.parquet", _parquet(frame))) == [
        (2, "2024-01-05", "2024-01-05 13:45:00.000000", "2024-01-05 13:45:00.000000+00:00", "14"),
        (3, None, None, None, "15"),
    ]


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_column_letters_are_a_spreadsheets(index: int, letters: str) -> None:
    assert column_letter(index) == letters


CSV_TEXT = f"a,b\n{CELL},2\n".encode()
PARQUET = _parquet(pl.DataFrame({"a": [CELL] * 50, "b": range(50)}))
WORKBOOK = _workbook([["a", "b"], [CELL, 2]])
UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "no known ending": ("a.txt", CSV_TEXT, "not named as a CSV"),
    "old Excel ending": ("a.xls", WORKBOOK, "not named as a CSV"),
    "empty": ("a.csv", b"", "0 bytes"),
    "only blank lines": ("a.csv", b"\n\r\n  \n", "no header row"),
    "header only": ("a.csv", f"{CELL},b\n".encode(), "header but no rows"),
    "header and blank rows": ("a.csv", f"{CELL},b\n,\n\n , \n".encode(), "header but no rows"),
    "header twice": ("a.csv", f"{CELL},b,{CELL.lower()}\n1,2,3\n".encode(), r"twice \(column C\)"),
    "header with a gap": ("a.csv", f"{CELL},,c\n1,2,3\n".encode(), r"blank cells \(column B\)"),
    "cells without a name": ("a.csv", f"a,b,\n1,2,{CELL}\n".encode(), "Column C has cells but no name"),
    "too many columns": ("a.csv", csv_of([f"{CELL}{i}" for i in range(501)], [["1"] * 501]), "more than 500"),
    "zero bytes": ("a.csv", f"a,b\n{CELL}\x00,2\n".encode(), "zero bytes"),
    "UTF-16 without mark": ("a.csv", f"a,b\n{CELL},2\n".encode("utf-16-le"), "zero bytes"),
    "not UTF-16": ("a.csv", b"\xff\xfe" + CSV_TEXT[:8] + b"\x00\xd8\x00", "starts as UTF-16"),
    "no encoding": ("a.csv", CSV_TEXT + b"\x81,\x8d\n", "neither UTF-8"),
    "quote never closed": ("a.csv", f'a,b\n1,"{CELL}\n2,3\n'.encode(), "not a well-formed CSV"),
    "quotes that swallow a row": ("a.csv", f'a,b\n1,"{CELL}\n2,"3\n'.encode(), "not a well-formed CSV"),
    "endless header cell": ("a.csv", b"a" * (1 << 24) + b"b,c\n1,2", "not a well-formed CSV"),
    "cut gzip": ("a.csv.gz", gzip.compress(CSV_TEXT * 99)[:-9], "cut off or damaged"),
    "damaged gzip": ("a.csv.gz", gzip.compress(CSV_TEXT * 99)[:20] + b"\xff" * 40, "cut off or damaged"),
    "empty gzip": ("a.csv.gz", gzip.compress(b""), "no header row"),
    "password": ("a.xlsx", OLE2, "password-protected"),
    "old workbook as CSV": ("a.csv", OLE2, "password-protected"),
    "cut workbook": ("a.xlsx", WORKBOOK[: len(WORKBOOK) // 2], "damaged or protected"),
    "zip, not a workbook": ("a.xlsx", b"PK\x03\x04" + CSV_TEXT, "damaged or protected"),
    "empty sheet": ("a.xlsx", _workbook([]), "first sheet of the workbook is empty"),
    "workbook header only": ("a.xlsx", _workbook([[CELL, "b"]]), "header but no rows"),
    "workbook cells without a name": ("a.xlsx", _workbook([["a"], [1, CELL]]), "Column B has cells but no name"),
    "cut Parquet": ("a.parquet", PARQUET[:-20], "damaged or holds nested"),
    "nested Parquet": ("a.parquet", _parquet(pl.DataFrame({"a": [[CELL]]})), "damaged or holds nested"),
    "Parquet without rows": ("a.parquet", _parquet(pl.DataFrame({"a": []}, schema={"a": pl.String})), "no rows"),
    "workbook as CSV": ("a.csv", WORKBOOK, "is an Excel workbook"),
    "gzip as CSV": ("a.csv", gzip.compress(CSV_TEXT), "is a gzip file"),
    "Parquet as CSV": ("a.csv", PARQUET, "is a Parquet file"),
    "CSV as workbook": ("a.xlsx", CSV_TEXT, "is not an Excel workbook"),
    "CSV as gzip": ("a.csv.gz", CSV_TEXT, "is not a gzip file"),
    "CSV as Parquet": ("a.parquet", CSV_TEXT, "is not a Parquet file"),
}


def _refusal(name: str, data: bytes) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read_table(name, data)
    return str(caught.value)


@pytest.mark.parametrize(("name", "data", "says"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_ends_in_one_sentence_without_a_cell(name: str, data: bytes, says: str) -> None:
    message = _refusal(name, data)
    assert re.search(says, message)
    assert message.endswith(".")
    assert message.count(". ") == 0
    assert "\n" not in message
    assert CELL.lower() not in message.lower()


def test_a_small_gzip_file_cannot_unpack_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_BYTES", 1000)
    assert "more than 1 GiB" in _refusal("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 1000))
    assert read_table("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 200)).rows_read == 200


def test_a_parquet_file_that_makes_the_reader_panic_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(_: object) -> pl.DataFrame:
        raise pl.exceptions.PanicException(CELL)

    monkeypatch.setattr(pl, "read_parquet", panic)
    assert "damaged" in _refusal("a.parquet", PARQUET)
