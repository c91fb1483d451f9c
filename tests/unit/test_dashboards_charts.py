"""Charts hold what the table shows and nothing else."""

import json
from itertools import pairwise
from typing import Any

from dashboards import charts
from dashboards.charts import Mark, Series
from dashboards.words import Measure

SHARE = Measure("share", 2)
COUNT = Measure("count")


def marks(*values: float | None) -> tuple[Mark, ...]:
    names = "Bolton", "Bury", "Wigan"
    return tuple(
        Mark(name, value, "" if value is not None else "x") for name, value in zip(names, values, strict=False)
    )


def test_areas_stand_in_the_order_given_whatever_their_values() -> None:
    low, high = (
        charts.area_bars(marks(*values), None, SHARE, "Share") for values in ((0.1, 0.5, 0.9), (0.9, 0.5, 0.1))
    )
    assert low["data"][0]["y"] == high["data"][0]["y"] == ["Bolton", "Bury", "Wigan"]
    assert low["layout"]["yaxis"]["autorange"] == "reversed"


def test_a_gap_is_drawn_as_nothing_and_named_on_the_axis() -> None:
    chart = charts.area_bars(marks(0.5, None, 0.2), None, SHARE, "Share")
    assert chart["data"][0]["x"] == [0.5, None, 0.2]
    assert "[x]" in chart["layout"]["yaxis"]["ticktext"][1]


def test_lines_have_gaps() -> None:
    chart = charts.trend([Series("Held", marks(0.5, None, 0.2))], SHARE, "Share")
    assert chart["data"][0]["y"] == [0.5, None, 0.2]
    assert chart["data"][0]["connectgaps"] is False


def test_the_value_axis_of_bars_begins_at_zero() -> None:
    bars = charts.area_bars(marks(0.8, 0.9, 0.85), Mark("Region", 0.85), SHARE, "Share")
    assert bars["layout"]["xaxis"]["range"][0] == 0
    grouped = charts.area_groups([Series("Children", marks(80, 90, 85))], COUNT, "Number")
    assert grouped["layout"]["xaxis"]["rangemode"] == "tozero"


def test_nothing_to_draw_is_still_a_chart() -> None:
    empty = marks(None, None, None)
    charts.area_bars(empty, Mark("Region", None, "x"), SHARE, "Share")
    charts.area_bars((), None, SHARE, "Share")
    charts.area_groups([Series("a", empty)], COUNT, "Number")
    charts.area_dots([Series("a", empty), Series("b", empty)], SHARE, "Share", joined=True)
    charts.area_dots([], SHARE, "Share")
    charts.trend([Series("a", empty), Series("b", empty)], COUNT, "Number")
    charts.columns(empty, SHARE, "Share")


def test_json_is_safe_in_a_script_and_cannot_share_the_chart() -> None:
    chart = charts.area_bars((Mark("</script><b>", 1),), None, COUNT, "Number")
    text = charts.serialise(chart)
    assert "<" not in text
    assert json.loads(text)["config"]["showSendToCloud"] is False
    assert json.loads(text)["data"][0]["y"] == ["</script><b>"]


def test_no_values_are_packed_where_a_text_search_would_miss_them() -> None:
    text = charts.serialise(charts.trend([Series("a", marks(1, 2, 3))], COUNT, "Number"))
    assert "bdata" not in text
    assert "customdata" not in text


def test_names_at_line_ends_do_not_overlap() -> None:
    series = [Series(name, marks(0.5, 0.5, value)) for name, value in (("a", 0.5), ("b", 0.501), ("c", 0.502))]
    heights = sorted(note["y"] for note in charts.trend(series, SHARE, "Share")["layout"]["annotations"])
    assert all(higher - lower > 0.03 for lower, higher in pairwise(heights))


def test_a_curve_has_its_interval_as_a_band_and_a_gap_where_there_is_no_value() -> None:
    marks = (Mark("day 0", 0.0, "", 0.0, 0.0), Mark("day 28", 0.33, "", 0.31, 0.35), Mark("day 364", None))
    other = charts.Curve("Others", (0.0, 28.0), (Mark("day 0", 0.0), Mark("day 28", 0.2)))
    drawn = charts.curves(
        [charts.Curve("All", (0.0, 28.0, 364.0), marks), other], SHARE, "Share", along="Days", ticks=(0, 28, 364)
    )
    lower, upper, line, second = drawn["data"]
    assert (lower["x"], lower["y"]) == ([0.0, 28.0], [0.0, 0.31])
    assert (upper["y"], upper["fill"]) == ([0.0, 0.35], "tonexty")
    assert (line["x"], line["y"]) == ([0.0, 28.0, 364.0], [0.0, 0.33, None])
    assert "95% interval 31% to 35%" in line["hovertext"][1]
    assert second["name"] == "Others"
    assert second["line"]["dash"] != line["line"]["dash"]
    assert tuple(drawn["layout"]["xaxis"]["tickvals"]) == (0, 28, 364)


def drawn(breaks: list[tuple[int, str]]) -> dict[str, Any]:
    return charts.with_breaks(charts.trend([Series("Held", marks(0.5, 0.4, 0.2))], SHARE, "Share"), breaks)


def test_a_break_is_a_dashed_line_with_its_label_before_the_first_period_after_it() -> None:
    chart = drawn([(2, "new system")])
    (line,) = [shape for shape in chart["layout"]["shapes"] if shape["line"].get("dash") == "dash"]
    assert (line["x0"], line["x1"], line["yref"]) == (1.5, 1.5, "paper")
    assert [note["text"] for note in chart["layout"]["annotations"]] == ["Break: new system"]


def test_no_line_joins_the_periods_before_a_break_to_those_after_it() -> None:
    (trace,) = drawn([(1, "one"), (2, "two")])["data"]
    assert list(trace["x"]) == ["Bolton", "Bury", "Bury", "Wigan", "Wigan"]
    assert list(trace["y"]) == [0.5, None, 0.4, None, 0.2]
    assert trace["connectgaps"] is False


def test_a_chart_without_breaks_stays_as_it_is() -> None:
    plain = charts.trend([Series("Held", marks(0.5, 0.4, 0.2))], SHARE, "Share")
    assert charts.with_breaks(plain, []) is plain


def test_breaks_lie_between_lying_bars_and_stand_between_upright_ones() -> None:
    lying = charts.with_breaks(charts.area_groups([Series("a", marks(1, 2, 3))], COUNT, "Number"), [(1, "b")])
    upright = charts.with_breaks(charts.columns(marks(0.1, 0.2, 0.3), SHARE, "Share"), [(1, "b")])
    assert (lying["layout"]["shapes"][0]["y0"], upright["layout"]["shapes"][0]["x0"]) == (0.5, 0.5)
    assert list(lying["data"][0]["x"]) == [1, 2, 3]
    assert list(upright["data"][0]["y"]) == [0.1, 0.2, 0.3]


def test_marks_of_two_years_apart_are_joined_by_nothing() -> None:
    years = [Series("first", marks(0.1, 0.2, 0.3)), Series("last", marks(0.3, 0.2, 0.1))]
    joined, apart = (charts.area_dots(years, SHARE, "Share", joined=not it, apart=it) for it in (False, True))
    assert len(joined["layout"]["shapes"]) == 3
    assert not apart["layout"].get("shapes")
    assert "→" in joined["layout"]["yaxis"]["ticktext"][0]
    assert "→" not in apart["layout"]["yaxis"]["ticktext"][0]
