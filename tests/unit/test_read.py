"""Opening files: every spelling of a table gives the same cells and a spreadsheet's row numbers, or else a sentence."""

import gzip
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from pipelines.intake.read import MOST_COLUMNS, Table, UnreadableFileError, column_letter, read_table
from pipelines.intake.reading import delimited, pages, text
from tests.builders.workbooks import workbook_of
from tests.intake_data import csv_of

CELL = "Zacharias"
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def _seen(table: Table) -> list[tuple[Any, ...]]:
    """Rows with their numbers."""
    return [(number, *row) for number, row in zip(table.row_numbers, table.frame.iter_rows(), strict=True)]


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
        ("utf-16-le", 1),
        ("utf-16-be", 1),
        ("cp1252", 1),
    ],
)
def test_encodings_give_the_same_cells_and_say_so_where_it_is_not_utf_8(encoding: str, notes: int) -> None:
    table = read_table("a.csv", ("naïve,b\n" + "é,€\n" * 9).encode(encoding))
    assert (table.header, _seen(table)) == (["naïve", "b"], [(number, "é", "€") for number in range(2, 11)])
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


@pytest.mark.parametrize(
    "cell",
    [
        '"first\nname  of it"',
        "\xa0first name of it ",
        "\u200bfirst\u00ad name\u202e of\u2009it\u2069",
        "\ufefffirst name of\tit",
    ],
)
def test_a_header_cell_is_read_without_what_cannot_be_seen(cell: str) -> None:
    table = read_table("a.csv", f"{cell},b\n1,2\n".encode())
    assert (table.header, _seen(table)) == (["first name of it", "b"], [(2, "1", "2")])


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


@pytest.mark.parametrize("quote", ["", '"'], ids=["plain", "quoted"])
@pytest.mark.parametrize("stray", ["", 'x"y'], ids=["standard", "row by row"])
def test_blank_cells_beyond_the_header_are_no_cells(quote: str, stray: str) -> None:
    """Spreadsheets write them where a cell was once filled or coloured."""
    rows = ["a,b", f"{quote}1{quote},2,", f"3,{stray},{quote}{quote}, ,,,", "5,6", ",,,,", "7,8,,9"]
    table = read_table("a.csv", "\n".join(rows).encode())
    assert _seen(table) == [(2, "1", "2"), (3, "3", stray or None), (4, "5", "6")]
    assert table.ragged == (6,)


def test_a_short_row_of_nothing_is_blank_not_ragged() -> None:
    table = read_table("a.csv", b"a,b,c\n1,2,3\n,\n  \n4,5,6\n")
    assert (_seen(table), table.ragged) == ([(2, "1", "2", "3"), (5, "4", "5", "6")], ())


def _excel_csv(rows: int, short_from: int) -> bytes:
    lines = ["a,b,c", *("1,2," for _ in range(2, short_from)), *("1,2" for _ in range(short_from, rows + 1))]
    return "\n".join([*lines, ""]).encode()


@pytest.mark.parametrize(
    ("rows", "short_from", "ragged"),
    [
        (32, 17, 0),  # the second sixteen rows of the sheet, all of them
        (18, 17, 0),  # its first two
        (17, 17, 1),  # one row may as well be cut off
        (32, 18, 15),  # only some of the sixteen
        (16, 16, 1),  # a row of the first sixteen
        (48, 33, 0),
        (48, 34, 15),
    ],
)
def test_excel_leaves_out_blank_cells_at_the_end_of_sixteen_rows_at_a_time(
    rows: int, short_from: int, ragged: int
) -> None:
    table = read_table("a.csv", _excel_csv(rows, short_from))
    assert len(table.ragged) == ragged
    assert table.ragged == tuple(range(rows - ragged + 1, rows + 1))
    assert set(table.frame.iter_rows()) == {("1", "2", None)}


def test_excel_may_leave_out_the_same_cells_of_every_row_that_is_whole() -> None:
    table = read_table("a.csv", b"title\na,b,c,d\n" + b"\n" * 14 + b'1,"x\n"\n' * 16 + b"2,y,3\n" * 16, _knows_a)
    assert table.ragged == ()
    assert _seen(table)[::16] == [(17, "1", "x", None, None), (33, "2", "y", "3", None)]


def _knows_a(cells: Sequence[str]) -> bool:
    return "a" in cells


def test_excels_own_first_line_names_the_delimiter_and_is_no_row() -> None:
    table = read_table("a.csv", b"sep=;\r\na,1;b\r\n1;2,5\r\n")
    assert (table.header, _seen(table)) == (["a,1", "b"], [(2, "1", "2,5")])


def _is_known(cells: Sequence[str]) -> bool:
    return {"child", "start"} <= {cell.casefold() for cell in cells}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_above_a_known_header_are_titles(delimiter: str) -> None:
    above = "Missing episodes; all | of them, by team\n\nRun,on;a|day\n"
    table = read_table("a.csv", above.encode() + csv_of(["Child", "Start"], [["1", "2"]], delimiter), _is_known)
    assert (table.header, _seen(table)) == (["Child", "Start"], [(5, "1", "2")])


@pytest.mark.parametrize(("above", "found"), [(29, True), (30, False)])
def test_a_header_is_looked_for_in_the_first_thirty_filled_rows(above: int, found: bool) -> None:
    table = read_table("a.csv", b"some,title\n\n" * above + b"child,start\n1,2\n", _is_known)
    assert (table.header == ["child", "start"]) == found


def test_a_header_in_two_rows_takes_the_lower_cell_else_the_upper() -> None:
    lines = [b"A report", b",,When,", b"Child,Sex,Start,End", b"1,F,2,3"]
    table = read_table("a.csv", b"\n".join(lines), _is_known)
    assert (table.header, _seen(table)) == (["Child", "Sex", "Start", "End"], [(4, "1", "F", "2", "3")])
    lines = [b"A report", b"Child,,When,", b",Sex,Start,End", b"1,F,2,3"]
    table = read_table("a.csv", b"\n".join(lines), _is_known)
    assert (table.header, _seen(table)) == (["Child", "Sex", "Start", "End"], [(4, "1", "F", "2", "3")])


def test_a_column_named_only_in_the_row_above_a_known_header_is_named_by_it() -> None:
    lines = [b"Team,,When,,", b",Child,Start,,", b"x,1,2,,", b"y,3,4,,"]
    table = read_table("a.csv", b"\n".join(lines), _is_known)
    assert (table.header, _seen(table)) == (["Team", "Child", "Start"], [(3, "x", "1", "2"), (4, "y", "3", "4")])


def test_a_title_over_a_column_without_cells_is_not_its_name() -> None:
    table = read_table("a.csv", b"Report,,,\n,Child,Start,\n,1,2,\n", _is_known)
    assert (table.header, table.first_column, _seen(table)) == (["Child", "Start"], 1, [(3, "1", "2")])
    assert [table.letter(name) for name in ("Child", "Start", "Report")] == ["B", "C", ""]


def test_a_file_without_a_known_header_has_its_first_row_that_is_no_title_as_header() -> None:
    assert read_table("a.csv", b"\nx,y,z\n1,2,3\n", _is_known).header == ["x", "y", "z"]
    assert read_table("a.csv", b"Report,,\nx,y,z\n1,2,3\n", _is_known).header == ["x", "y", "z"]
    assert "Column B has cells but no name" in _refusal("a.csv", b"Report,,\nx,y,z\n1,2,3\n")


def test_cells_before_the_first_named_column_are_told_by_letter_and_row() -> None:
    assert "Column A has cells but no name in the header (first in row 3)" in _refusal("a.csv", b",a\n,1\n0,2\n")


@pytest.mark.parametrize("last", ['"6"\n', "6\n", '6"\n'], ids=["quoted", "plain", "stray quotation mark"])
def test_row_numbers_count_a_quoted_line_break_as_one_row(last: str) -> None:
    table = read_table("a.csv", f'a,b\r\n1,"x\r\ny"\r\n\r\n"3\n\n3",4\r\n5,{last}'.encode())
    assert [row[0] for row in _seen(table)] == [2, 4, 5]
    assert _seen(table)[1] == (4, "3\n\n3", "4")


def test_both_ways_of_reading_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b'a,b,c\n1,"x,\n""y""",3\n4,5\n\n6,7,8,,\n9,,\n10,11,12,13\n"","",""\n'
    at_once = read_table("a.csv", data)
    monkeypatch.setattr(delimited, "_records_at_once", lambda *_: None)
    one_by_one = read_table("a.csv", data)
    assert _seen(at_once) == _seen(one_by_one) == [(2, "1", 'x,\n"y"', "3"), (5, "6", "7", "8"), (6, "9", None, None)]
    assert at_once.ragged == one_by_one.ragged == (3, 7)


def test_one_column_is_a_table_too() -> None:
    assert _seen(read_table("a.csv", b"a\n1\n\n2\n")) == [(2, "1"), (4, "2")]


def test_as_many_columns_as_are_allowed_can_be_read() -> None:
    header = [f"c{i}" for i in range(MOST_COLUMNS)]
    assert read_table("a.csv", csv_of(header, [["1"] * len(header)])).header == header


@pytest.mark.parametrize(
    ("after", "rows"),
    [(b"", 1), (bytes(512), 1), (gzip.compress(b"", mtime=0), 1), (gzip.compress(b"3,4\n", mtime=0), 2)],
)
def test_gzip_is_unpacked_in_as_many_pieces_as_it_has(after: bytes, rows: int) -> None:
    table = read_table("A.CSV.GZ", gzip.compress(b"a,b\n1,2\n", mtime=0) + after)
    assert _seen(table) == [(2, "1", "2"), (3, "3", "4")][:rows]


def test_parquet_columns_of_any_plain_type_become_text() -> None:
    at = datetime(2024, 1, 5, 13, 45)  # noqa: DTZ001 - local clock time
    frame = pl.DataFrame({"d": [at.date(), None], "t": [at, None], "z": [at.replace(tzinfo=UTC), None], "n": [14, 15]})
    assert _seen(read_table("a.parquet", _parquet(frame))) == [
        (2, "2024-01-05", "2024-01-05 13:45:00.000000", "2024-01-05 13:45:00.000000+00:00", "14"),
        (3, None, None, None, "15"),
    ]


def test_parquet_numbers_are_as_a_spreadsheet_shows_them() -> None:
    cells = [14.0, 12.5, 1e10, 1e-7, 12345678901234567890.0, float("nan"), None, -0.5]
    table = read_table("a.parquet", _parquet(pl.DataFrame({"n": cells, "b": [True] * 8})))
    numbers = ["14", "12.5", "10000000000", "0.0000001", "12345678901234567000", None, None, "-0.5"]
    assert [row[1:] for row in _seen(table)] == [(number, "true") for number in numbers]


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_column_letters_are_a_spreadsheets(index: int, letters: str) -> None:
    assert column_letter(index) == letters


def _parquet_of(cells: Sequence[object], **options: Any) -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"a": cells}).write_parquet(out, **options)
    return out.getvalue()


CSV_TEXT = f"a,b\n{CELL},2\n".encode()
PARQUET = _parquet(pl.DataFrame({"a": [CELL] * 50, "b": range(50)}))
WORKBOOK = workbook_of([["a", "b"], [CELL, 2]])
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
    "zero bytes in UTF-16": ("a.csv", f"a,b\n{CELL}\x00,2\n".encode("utf-16"), "zero bytes"),
    "UTF-32": ("a.csv", f"a,b\n{CELL},2\n".encode("utf-32"), "zero bytes"),
    "not UTF-16": ("a.csv", b"\xff\xfe" + CSV_TEXT[:8] + b"\x00\xd8\x00", "starts as UTF-16"),
    "no encoding": ("a.csv", CSV_TEXT + b"\x81,\x8d\n", "neither UTF-8"),
    "quote never closed": ("a.csv", f'a,b\n1,"{CELL}\n2,3\n'.encode(), "not a well-formed CSV"),
    "quotes that swallow a row": ("a.csv", f'a,b\n1,"{CELL}\n2,"3\n'.encode(), "not a well-formed CSV"),
    "endless header cell": ("a.csv", b"a" * (1 << 21) + b"b,c\n1,2", "line of the file is longer"),
    "endless row": ("a.csv", CSV_TEXT + CELL.encode() * (1 << 17) + b"\n", "line of the file is longer"),
    "long cell": ("a.csv", f"a,b\n1,2\n1,{'x' * 32_768}\n".encode(), "column B of row 3 holds more than 32,767"),
    "long name": ("a.csv", f"a,{'x' * 201}\n1,2\n".encode(), r"more than 200 characters \(column B\)"),
    "header twice but for the unseen": ("a.csv", "a,b,\u200ba\n1,2,3\n".encode(), r"twice \(column C\)"),
    "unknown separator": ("a.csv", b"sep=^\na^b\n1^2\n", "separator that we do not read"),
    "more rows than a spreadsheet has": ("a.csv", b"a\n" * ((1 << 20) + 1), "more than 1,048,576 rows"),
    "too many cells": ("a.csv", csv_of([f"c{i}" for i in range(500)], [[]] * 40_001), "more than 20,000,000 cells"),
    "too many delimiters": ("a.csv", b"a,b\n" + (b"," * 1_000_000 + b"\n") * 41, "more than 20,000,000 cells"),
    "cut gzip": ("a.csv.gz", gzip.compress(CSV_TEXT * 99)[:-9], "cut off or damaged"),
    "damaged gzip": ("a.csv.gz", gzip.compress(CSV_TEXT * 99)[:20] + b"\xff" * 40, "cut off or damaged"),
    "empty gzip": ("a.csv.gz", gzip.compress(b"", mtime=0), "no header row"),
    "gzip and more": ("a.csv.gz", gzip.compress(CSV_TEXT) + b"more", "followed by bytes"),
    "gzip of one endless line": ("a.csv.gz", gzip.compress(b"a" * (64 << 20)), "line of the file is longer"),
    "gzip of very many pieces": (
        "a.csv.gz",
        gzip.compress(CSV_TEXT) + gzip.compress(b"", mtime=0) * 10_000,
        "followed by",
    ),
    "password": ("a.xlsx", OLE2, "password-protected"),
    "old workbook as CSV": ("a.csv", OLE2, "password-protected"),
    "cut workbook": ("a.xlsx", WORKBOOK[: len(WORKBOOK) // 2], "damaged or protected"),
    "zip, not a workbook": ("a.xlsx", b"PK\x03\x04" + CSV_TEXT, "damaged or protected"),
    "empty sheet": ("a.xlsx", workbook_of([]), "no filled cells"),
    "workbook header only": ("a.xlsx", workbook_of([[CELL, "b"]]), "header but no rows"),
    "workbook cells without a name": ("a.xlsx", workbook_of([["a"], [1, CELL]]), "Column B has cells but no name"),
    "cut Parquet": ("a.parquet", PARQUET[:-20], "damaged or holds nested"),
    "nested Parquet": ("a.parquet", _parquet(pl.DataFrame({"a": [[CELL]]})), "damaged or holds nested"),
    "Parquet of more rows than bytes": ("a.parquet", _parquet_of([1] * 2_000_000), "more than 1,048,576 rows"),
    "Parquet of one text very often": ("a.parquet", _parquet_of(["x" * 30_000] * 10_000), "MiB of text"),
    "Parquet column without a name": ("a.parquet", _parquet(pl.DataFrame({"a": [1], " ": [1]})), "without a name"),
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
    monkeypatch.setattr(text, "MOST_BYTES", 1000)
    assert "unpacks to more than" in _refusal("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 250))
    assert read_table("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 249)).rows_read == 249


def test_a_file_of_unbearable_size_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.intake.read.MOST_BYTES", len(CSV_TEXT))
    assert read_table("a.csv", CSV_TEXT).rows_read == 1
    assert "larger than" in _refusal("a.csv", CSV_TEXT + b"3,4\n")


def test_a_parquet_file_of_very_many_pages_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _parquet_of(range(100), row_group_size=1)
    assert read_table("a.parquet", data).rows_read == 100
    monkeypatch.setattr(pages, "_MOST_VALUES", 1000)
    assert "too many row groups" in _refusal("a.parquet", data)


def test_the_pages_of_a_parquet_file_are_counted_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _parquet_of(["x" * 30_000] * 2 + ["y" * 30_000])
    assert read_table("a.parquet", data).rows_read == 3
    monkeypatch.setattr(pages, "MOST_BYTES", 50_000)
    assert "unpacks to more than" in _refusal("a.parquet", data)


def test_a_parquet_file_that_makes_the_reader_panic_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(_: object) -> pl.DataFrame:
        raise pl.exceptions.PanicException(CELL)

    monkeypatch.setattr(pl, "read_parquet", panic)
    assert "damaged" in _refusal("a.parquet", PARQUET)


@pytest.mark.parametrize(
    "failure", [KeyError(CELL), MemoryError(CELL), RecursionError(CELL), pl.exceptions.PanicException(CELL)]
)
def test_whatever_a_library_raises_becomes_a_sentence_without_its_words(
    failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> pl.DataFrame:
        raise failure

    monkeypatch.setattr(pl, "read_csv", fail)
    message = _refusal("a.csv", CSV_TEXT)
    assert message.startswith(f"The file cannot be read ({type(failure).__name__})")
    assert CELL not in message
