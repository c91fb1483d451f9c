"""The small parts of the synthetic package, against slow references."""

import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import openpyxl  # type: ignore[import-untyped]
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.synthetic.authorities import share_out, thin
from pipelines.synthetic.children import APART, apart
from pipelines.synthetic.deliveries import periods
from pipelines.synthetic.forms import spelled
from pipelines.synthetic.settings import Form, Span, month_after
from pipelines.synthetic.workbook import Sheet, workbook_bytes

EPISODES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200), st.integers(1, 60)), max_size=25)


@given(EPISODES)
def test_apart_keeps_what_starts_after_everything_before_it(rows: list[tuple[int, int, int]]) -> None:
    child, start, length = (np.array([row[place] for row in rows], dtype=np.int64) for place in range(3))
    returned = (start + length).astype(np.float64)
    kept = apart(child, start.astype(np.float64), returned)
    order = sorted(range(len(rows)), key=lambda place: (child[place], start[place]))
    for position, place in enumerate(order):
        earlier = [other for other in order[:position] if child[other] == child[place]]
        assert kept[place] == all(start[place] >= returned[other] + APART for other in earlier)


@given(st.lists(st.integers(0, 2), max_size=40), st.lists(st.integers(0, 12), min_size=3, max_size=3))
def test_thin_keeps_as_many_as_wanted_and_no_more(groups: list[int], wanted: list[int]) -> None:
    group = np.array(groups, dtype=np.int64)
    kept = thin(np.random.default_rng(1), group, np.array(wanted, dtype=np.float64))
    for number in range(3):
        assert kept[group == number].sum() == min((group == number).sum(), wanted[number])


def test_share_out_gives_each_authority_its_share_of_a_heavy_tail() -> None:
    rng = np.random.default_rng(5)
    child = np.repeat(np.arange(400), np.floor(rng.pareto(1.2, 400) + 1).astype(np.int64).clip(1, 80))
    year = rng.integers(0, 2, child.size)
    wanted = np.outer([5.0, 3.0, 2.0], [1.0, 1.0])
    owner = share_out(child, year, children=wanted, incidents=wanted)
    given_out = np.bincount(owner[child], minlength=3) / child.size
    assert np.abs(given_out - [0.5, 0.3, 0.2]).max() < 0.02


def test_periods_cover_the_span_without_gap_and_are_extracted_after_their_end() -> None:
    span = Span(date(2023, 11, 1), date(2024, 9, 1))
    calendar = periods(span, "quarterly", 10)
    assert [period.start for period in calendar[1:]] == [period.end for period in calendar[:-1]]
    assert (calendar[0].start, calendar[-1].end) == (span.first, span.end)
    assert all((period.extracted.date() - period.end).days == 10 for period in calendar)
    assert calendar[0].label == "2023-11-to-2024-01"


def test_month_after_crosses_years() -> None:
    assert month_after(date(2023, 11, 17), 3) == date(2024, 2, 1)
    assert month_after(date(2024, 1, 1), -1) == date(2023, 12, 1)


def read_sheet(content: bytes, place: int = 0) -> list[tuple[Any, ...]]:
    """Every row of a sheet, with what a spreadsheet program makes of its cells."""
    load: Callable[[io.BytesIO], Any] = openpyxl.load_workbook
    return list(load(io.BytesIO(content)).worksheets[place].iter_rows(values_only=True))


def test_a_workbook_keeps_special_characters_and_empty_cells() -> None:
    frame = pl.DataFrame({"a": ["x < y & z", None], "n": ["1", "2"]})
    sheets = {"Extract": Sheet(frame, numbers=frozenset({"n"}))}
    assert workbook_bytes(sheets) == workbook_bytes(sheets)
    assert read_sheet(workbook_bytes(sheets)) == [("a", "n"), ("x < y & z", 1), (None, 2)]


def test_a_date_cell_is_a_date_and_a_serial_number_is_a_number() -> None:
    frame = pl.DataFrame({"shown": ["44291.5625", "31/02/2021"], "plain": ["44291.5625", "44291"]})
    sheet = Sheet(frame, numbers=frozenset({"shown", "plain"}), dates=frozenset({"shown"}))
    _, first, second = read_sheet(workbook_bytes({"Extract": sheet}))
    assert first == (datetime(2021, 4, 5, 13, 30), 44291.5625)  # noqa: DTZ001 - a spreadsheet knows no time zone
    assert second == ("31/02/2021", 44291)


def test_a_table_may_have_titles_above_it_and_columns_and_sheets_beside_it() -> None:
    table = Sheet(pl.DataFrame({"a": ["x"], "b": ["y"]}), above=[["A title"], []], first_column=1)
    content = workbook_bytes({"Extract": table, "Notes": Sheet(pl.DataFrame({"Word": ["x"]}))})
    assert read_sheet(content) == [(None, "A title", None), (None, None, None), (None, "a", "b"), (None, "x", "y")]
    assert read_sheet(content, 1) == [("Word",), ("x",)]


def test_a_header_of_two_rows_has_groups_above_and_single_columns_across_both() -> None:
    table = Sheet(pl.DataFrame({"a": ["1"], "b": ["2"], "c": ["3"]}), groups=[("a", 1), ("Both", 2)])
    content = workbook_bytes({"Extract": table})
    assert read_sheet(content) == [("a", "Both", None), (None, "b", "c"), ("1", "2", "3")]
    load: Callable[[io.BytesIO], Any] = openpyxl.load_workbook
    merged = load(io.BytesIO(content)).active.merged_cells.ranges
    assert {str(cells) for cells in merged} == {"A1:A2", "B1:C1"}


@pytest.mark.parametrize(
    ("written", "form", "expected"),
    [
        ("2021-04-05T13:45", Form(dates="day_first"), "05/04/2021 13:45"),
        ("2021-04-05", Form(dates="day_first"), "05/04/2021"),
        ("2021-04-05 00:00:00", Form(dates="day_first"), "05/04/2021 00:00"),
        ("2021-04-05T13:45", Form(dates="month_name"), "05-Apr-21 13:45"),
        ("2021-04-05T12:00", Form(times="serials"), "44291.5"),
        ("2021-04-05", Form(times="cells"), "44291"),
        ("31/02/2021", Form(times="serials"), "31/02/2021"),
        ("31/02/2021 10:15", Form(dates="month_name"), "31/02/2021 10:15"),
        ("2021-04-05T13:45", Form(), "2021-04-05T13:45"),
    ],
)
def test_dates_are_spelled_as_the_form_says(written: str, form: Form, expected: str) -> None:
    frame = pl.DataFrame({"started_at": [written, None], "police_reference": [written, None]})
    spelt = spelled(frame, form)
    assert spelt["started_at"].to_list() == [expected, None]
    assert spelt["police_reference"].to_list() == [written, None]


def test_a_form_renames_and_adds_columns() -> None:
    form = Form(renamed={"GENDER": "SEX", "NOT_HERE": "X"}, added={"Checked": "Yes"})
    assert spelled(pl.DataFrame({"GENDER": ["F"]}), form).to_dicts() == [{"SEX": "F", "Checked": "Yes"}]


def test_a_form_knows_its_cases_and_its_first_row() -> None:
    assert (Form().cases, Form().first_row) == ((), 2)
    assert Form(delimiter=";", separator_line=True).cases == ("semicolons", "separator_line")
    assert Form(separator_line=True).first_row == 2  # a spreadsheet program does not show that line
    assert Form(title_rows=3).first_row == 5
    assert Form(merged_header=True).first_row == 3
    assert Form(renamed={"MISSING_FROM_LA": "DISTRICT"}).cases == ("police_district",)
    assert Form(renamed={"GENDER": "SEX"}).cases == ("renamed_column",)
