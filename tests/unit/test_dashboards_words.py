"""How numbers, gaps, periods and times are written."""

from datetime import date, datetime

import pytest

from dashboards import words
from dashboards.figures import Column, DataFile, figure_table
from dashboards.points import keyed, part
from dashboards.words import Measure
from tests.unit.test_dashboards_sentences import point

SHARE = Measure("share", 2)


@pytest.mark.parametrize(
    ("value", "symbol", "measure", "expected"),
    [
        (0.478, "", SHARE, "48%"),
        (0.0, "", SHARE, "0%"),
        (1234.0, "u", Measure("count"), "1,234 [u]"),
        (3.66, "", Measure("ratio", 1), "3.7"),
        (None, "x", SHARE, "[x]"),
        (None, "z", SHARE, "[z]"),
        (None, "c", SHARE, "[c]"),
        (None, "", SHARE, "[x]"),
    ],
)
def test_a_gap_is_a_mark_and_never_a_zero(value: float | None, symbol: str, measure: Measure, expected: str) -> None:
    assert words.shown(value, symbol, measure) == expected


def test_periods_in_words() -> None:
    assert words.period("month", date(2025, 4, 1), date(2025, 4, 30)) == "April 2025"
    assert words.period("quarter", date(2025, 4, 1), date(2025, 6, 30)) == "April to June 2025"
    assert words.period("year_to_march", date(2025, 4, 1), date(2026, 3, 31)) == "the year to March 2026"


def test_times_are_local_and_dates_stay_dates() -> None:
    instant = datetime(2026, 6, 30, 23, 30)  # noqa: DTZ001 - UTC without zone, as in the warehouse
    assert words.clock(instant).replace("\u00a0", " ") == "1 Jul 2026, 00:30"
    assert words.clock(instant, "date").replace("\u00a0", " ") == "1 Jul 2026"
    assert words.clock(None) == "not recorded"


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0.5, "30 min"),
        (5, "5 h"),
        (71 + 59 / 60, "71 h 59 min"),
        (72, "72 h"),
        (72 + 1 / 60, "72 h 1 min"),
        (120, "5.0 days"),
    ],
)
def test_a_duration_never_contradicts_a_verdict_about_72_hours(hours: float, expected: str) -> None:
    assert words.duration(hours) == expected


def test_a_table_marks_gaps_and_rows_without_a_figure() -> None:
    points = [point("A", 0.5), point("B", None, symbol="c"), point("C", 0.25, symbol="u")]
    column = Column("Share", keyed(points, "area_code"), SHARE)
    table = figure_table("Caption", "Area", [column], [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")])
    assert table.rows == (("A", "50%"), ("B", "[c]"), ("C", "25% [u]"), ("D", "[x]"))


def test_the_counts_of_a_percentage_not_shown_are_shown() -> None:
    from dataclasses import replace

    hidden = replace(point("A", None, symbol="c"), numerator=5, denominator=10)
    assert (part(hidden, "numerator").value, part(hidden, "numerator").symbol) == (5, "")
    assert part(replace(hidden, symbol="u", value=0.5), "numerator").symbol == "u"
    assert part(replace(hidden, numerator=None, symbol="x"), "numerator").symbol == "x"


def test_a_file_name_that_begins_like_a_formula_is_not_run_by_a_spreadsheet() -> None:
    assert DataFile("a.csv", ("name",), (("=1+1",),)).text() == "name\n'=1+1\n"


def test_months_are_written_as_ranges_over_the_turn_of_a_year() -> None:
    days = [date(2025, 11, 1), date(2026, 1, 1), date(2025, 12, 1), date(2026, 3, 1)]
    assert words.months(days) == "Nov 2025 to Jan 2026, Mar 2026"
    assert words.months([]) == ""


@pytest.mark.parametrize(
    ("day", "expected"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (13, "13th"), (20, "20th"), (22, "22nd")]
)
def test_days_are_written_as_they_are_said(day: int, expected: str) -> None:
    assert words.ordinal(day) == expected


def test_a_name_chosen_by_others_cannot_hide_anything() -> None:
    assert words.visible("a\u202egpj.csv") == "a[U+202E]gpj.csv"
    assert words.visible("a\x00b\u2028c\udcff") == "a[U+0000]b[U+2028]c[U+DCFF]"
    assert words.visible("Größe 1.csv") == "Größe 1.csv"
    assert words.visible("x" * 30, 30) == "x" * 30
    assert words.visible("x" * 29 + "end.csv", 30) == "x" * 20 + " … xxxend.csv"
