"""The small parts of the synthetic package, against slow references."""

from datetime import date

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.synthetic.authorities import share_out, thin
from pipelines.synthetic.children import APART, apart
from pipelines.synthetic.deliveries import periods
from pipelines.synthetic.settings import Span, month_after
from pipelines.synthetic.workbook import column_letter, workbook_bytes

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


def test_column_letters_are_a_spreadsheets() -> None:
    assert [column_letter(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


def test_a_workbook_keeps_special_characters_and_empty_cells() -> None:
    frame = pl.DataFrame({"a": ["x < y & z", None], "n": ["1", "2"]})
    content = workbook_bytes(frame, numbers=frozenset({"n"}))
    assert content == workbook_bytes(frame, numbers=frozenset({"n"}))
    back = pl.read_excel(content)
    assert back["a"].to_list() == ["x < y & z", None]
    assert back["n"].to_list() == [1, 2]
