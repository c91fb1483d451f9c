"""Findings: what they say, and what they say when values are missing, single or alike."""

from dataclasses import replace
from datetime import date

import pytest

from dashboards import sentences
from dashboards.points import Point
from dashboards.words import Measure

SHARE = Measure("share", 2)
COUNT = Measure("count")
PHRASE = "in {period}, an interview was held after {value} of missing episodes in {area}"


def point(name: str, value: float | None, *, symbol: str = "", year: int = 2025, group: str = "Total") -> Point:
    return Point(
        figure_id=f"I28.B.{name}.{year}", indicator_id="I28", variant="", basis="B", area_code=name,
        period_type="year_to_march", period_start=date(year, 4, 1), period_end=date(year + 1, 3, 31), breakdown="total",
        breakdown_value=group, numerator=None, denominator=None, value=value, lower_95=None, upper_95=None,
        symbol=symbol, population_year=None, area_name=name,
    )  # fmt: skip


REGION = point("Greater Manchester", 0.478)


def test_by_area_says_the_region_and_the_range() -> None:
    boroughs = [point("Bolton", 0.5), point("Bury", 0.312), point("Wigan", 0.66)]
    assert sentences.by_area(PHRASE, REGION, boroughs, SHARE) == (
        "In the year to March 2026, an interview was held after 48% of missing episodes in Greater Manchester; "
        "boroughs ranged from 31% (Bury) to 66% (Wigan)."
    )


def test_by_area_names_every_borough_of_a_tie() -> None:
    boroughs = [point("Bolton", 0.301), point("Bury", 0.299), point("Wigan", 0.66)]
    assert "from 30% (Bolton and Bury) to 66% (Wigan)" in sentences.by_area(PHRASE, REGION, boroughs, SHARE)


def test_by_area_counts_boroughs_where_a_tie_is_wide() -> None:
    boroughs = [point(name, 0.3) for name in "ABCD"] + [point("Wigan", 0.66)]
    assert "from 30% (4 boroughs) to 66% (Wigan)" in sentences.by_area(PHRASE, REGION, boroughs, SHARE)


def test_by_area_names_what_is_missing() -> None:
    boroughs = [point("Bolton", 0.5), point("Bury", None, symbol="x"), point("Wigan", None, symbol="c")]
    sentence = sentences.by_area(PHRASE, REGION, boroughs, SHARE)
    assert "the only borough with a figure, Bolton, had 50%." in sentence
    assert sentence.endswith("No figure is available for Bury [x] and Wigan [c].")


def test_by_area_without_a_region_or_without_any_value() -> None:
    without_region = sentences.by_area(PHRASE, replace(REGION, value=None, symbol="x"), [point("Bury", 0.5)], SHARE)
    assert without_region.startswith("For the year to March 2026, there is no figure for Greater Manchester;")
    assert "no borough has a figure" in sentences.by_area(PHRASE, REGION, [point("Bury", None, symbol="c")], SHARE)
    assert sentences.by_area(PHRASE, None, [], SHARE) == "No figure is published for this period."


def test_by_area_where_all_are_alike() -> None:
    boroughs = [point("Bolton", 0.5), point("Bury", 0.5)]
    assert "all 2 boroughs with a figure had 50%" in sentences.by_area(PHRASE, REGION, boroughs, SHARE)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((10, 12), "In the year to March 2026, there were 12 in X, up from 10 in the year to March 2025."),
        ((12, 10), "In the year to March 2026, there were 10 in X, down from 12 in the year to March 2025."),
        ((12, 12), "In the year to March 2026, there were 12 in X, the same as 12 in the year to March 2025."),
        ((None, 12), "In the year to March 2026, there were 12 in X. 1 period has no figure."),
        ((12, None), "In the year to March 2025, there were 12 in X. 1 period has no figure."),
        ((None, None), "No figure is available for any of these periods."),
    ],
)
def test_trend(values: tuple[float | None, float | None], expected: str) -> None:
    points = [point("X", values[0], year=2024), point("X", values[1], year=2025)]
    assert sentences.trend("there were {value} in {area}", points, COUNT) == expected


def test_trend_compares_values_as_they_are_written() -> None:
    points = [point("X", 0.481, year=2024), point("X", 0.484, year=2025)]
    assert "the same as 48%" in sentences.trend("{value} in {area}", points, SHARE)


def test_change_counts_boroughs_and_names_those_without_two_values() -> None:
    first = [point("A", 0.2, year=2021), point("B", 0.5, year=2021), point("C", 0.3, year=2021)]
    last = [point("A", 0.4), point("B", 0.4), point("C", None, symbol="x")]
    assert sentences.change("the share", first, last, SHARE) == (
        "Between the year to March 2022 and the year to March 2026, the share rose in 1 borough and fell in 1 borough. "
        "It cannot be said for C."
    )


def test_change_without_pairs() -> None:
    sentence = sentences.change("the share", [point("A", None, year=2021)], [point("A", 0.4)], SHARE)
    assert sentence == "No borough has figures for both periods, so it cannot be said how the share changed."


def test_groups_names_ties_and_missing_totals() -> None:
    points = [point("X", 20, group="a"), point("X", 20, group="b"), point("X", None, group="c", symbol="x")]
    assert sentences.groups(points, point("X", 40), "children", {"a": "young", "b": "old"}) == (
        "In the year to March 2026, 40 children were counted in X. "
        "The largest groups were young and old, with 20 of them each (50%)."
    )
    assert sentences.groups(points, point("X", None), "children", {}) == "No figure is available for this period."


def test_pair_needs_both_values() -> None:
    phrase = "in {period}, {one} children and {other} incidents in {area}"
    one, other = point("X", 1200), point("X", 3400)
    assert sentences.pair(phrase, one, other, (COUNT, COUNT)) == (
        "In the year to March 2026, 1,200 children and 3,400 incidents in X."
    )
    missing = sentences.pair(phrase, one, point("X", None, symbol="x"), (COUNT, COUNT))
    assert missing == "At least one of the two figures is not available in the year to March 2026."


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([("a", 0)], "There are no flags."),
        ([("a", 1)], "There is 1 flag; most often a (1)."),
        ([("a", 3), ("b", 3)], "There are 6 flags; most often a and b (3)."),
        ([(name, 1) for name in "abcd"], "There are 4 flags, spread evenly."),
    ],
)
def test_tally(counts: list[tuple[str, int]], expected: str) -> None:
    assert sentences.tally(counts, "flag", "flags") == expected
