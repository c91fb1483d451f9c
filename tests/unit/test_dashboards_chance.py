"""What is said and drawn of funnels, control charts and intervals over children."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dashboards import chance, charts
from dashboards.rulebook import load_rulebook
from dashboards.variation import ControlPoint, FunnelPoint, OverChildren
from dashboards.words import Measure
from pipelines.home import CONTRACTS

RULEBOOK = load_rulebook(CONTRACTS)
HELD = RULEBOOK.indicator("I28")
RATE = RULEBOOK.indicator("I04")
SHARE, COUNT = Measure("share"), Measure("count")
YEAR = {"period_type": "year_to_march", "period_start": date(2025, 4, 1), "period_end": date(2026, 3, 31)}


def borough(name: str = "Bolton", standing: int | None = 0, **given: object) -> FunnelPoint:
    """A borough in a funnel of five whose limits are 30% to 70% and 20% to 80%."""
    point = FunnelPoint(
        figure_id=f"I28.{name}",
        area_code=name,
        area_name=name,
        numerator=100,
        denominator=200,
        value=0.5,
        symbol="",
        population_year=None,
        is_judged=True,
        areas=5,
        is_widened=True,
        target=0.5,
        phi=4.2,
        lower_95=0.43,
        upper_95=0.57,
        lower_998=0.39,
        upper_998=0.61,
        widened_lower_95=0.3,
        widened_upper_95=0.7,
        widened_lower_998=0.2,
        widened_upper_998=0.8,
        standing=standing,
        **YEAR,  # type: ignore[arg-type]
    )
    return replace(point, **given)  # type: ignore[arg-type]


def left_out(name: str, symbol: str) -> FunnelPoint:
    return borough(name, None, symbol=symbol, value=None, is_judged=False)


# Funnels


def test_boroughs_inside_are_not_told_apart() -> None:
    said = chance.funnel_finding([borough(name) for name in "ABCDE"], HELD, RULEBOOK.funnel)
    assert said == (
        "In the year to March 2026, the boroughs compared had, taken together, 50% (share of eligible episodes). None "
        "of the 5 differs from the others by more than is usual."
    )


def test_boroughs_outside_are_named_with_their_side_and_those_left_out_with_their_mark() -> None:
    points = [
        borough("Bolton", 2),
        borough("Bury", -2),
        borough("Wigan", -1),
        borough("Salford"),
        borough("Oldham"),
        left_out("Stockport", "x"),
    ]
    said = chance.funnel_finding(points, HELD, RULEBOOK.funnel)
    assert "Bolton (above) and Bury (below) lie outside the 99.8% limits, which is hardly chance" in said
    assert "Wigan (below) lies between the 95% and the 99.8% limits" in said
    assert "The other 2 differ by no more than is usual." in said
    assert said.endswith("Not compared, for want of a complete figure: Stockport [x].")


@pytest.mark.parametrize("areas", [RULEBOOK.funnel.fewest_areas - 1, RULEBOOK.funnel.fewest_areas])
def test_with_too_few_boroughs_nothing_is_called_unusual(areas: int) -> None:
    points = [borough(str(place), 2, areas=areas) for place in range(areas)]
    said = chance.funnel_finding(points, RATE, RULEBOOK.funnel)
    few = areas < RULEBOOK.funnel.fewest_areas
    assert ("too few to tell unusual differences from usual ones" in said) is few
    assert ("hardly chance" in said) is not few


def test_without_a_complete_figure_nothing_is_compared() -> None:
    said = chance.funnel_finding([left_out("Bolton", "x"), left_out("Bury", "u")], HELD, RULEBOOK.funnel)
    assert said == "For the year to March 2026, no borough has a complete figure, so none can be compared."


@pytest.mark.parametrize(
    ("standing", "value", "words"),
    [
        (0, 0.7, "inside the limits"),
        (1, 0.7049, "just above the 95% limits"),  # written 70%, like the limit
        (1, 0.71, "above the 95% limits"),
        (-1, 0.2951, "just below the 95% limits"),
        (2, 0.8049, "just above the 99.8% limits"),
        (-2, 0.19, "below the 99.8% limits"),
    ],
)
def test_where_a_borough_stands_never_contradicts_the_numbers_as_written(
    standing: int, value: float, words: str
) -> None:
    assert chance.standing_words(borough(standing=standing, value=value), SHARE) == words


def test_limits_that_could_not_be_widened_are_called_those_of_chance_alone() -> None:
    point = borough(standing=2, value=0.9, phi=None)
    assert chance.standing_words(point, SHARE) == "above the 99.8% limits of chance alone"


def test_the_width_of_the_limits_is_explained() -> None:
    widened = chance.width_note(borough(), RULEBOOK.funnel)
    assert "4.2 times" in widened
    assert "widened" in widened
    assert "by no more than chance" in chance.width_note(borough(is_widened=False), RULEBOOK.funnel)
    assert "With fewer than 5 boroughs" in chance.width_note(borough(phi=None), RULEBOOK.funnel)


def sized(name: str, size: int, value: float, outside: int = 0) -> charts.Sized:
    return charts.Sized(
        size, charts.Mark(name, value), "inside the limits", outside, (0.3, 0.7), (0.2, 0.8), (0.4, 0.6)
    )


def test_a_funnel_names_every_borough_and_holds_only_numbers_of_the_table() -> None:
    areas = [sized("Wigan", 900, 0.5), sized("Bury", 300, 0.9, 2), sized("Bolton", 600, 0.45)]
    chart = charts.funnel(areas, 0.5, SHARE, "Share", along="Episodes", is_widened=True)
    named = {text: (x, y) for t in chart["data"] for text, x, y in zip(t.get("text", ()), t["x"], t["y"], strict=False)}
    assert named == {"Wigan": (900, 0.5), "Bury": (300, 0.9), "Bolton": (600, 0.45)}
    lines = [trace for trace in chart["data"] if trace["mode"] == "lines" and trace["name"] != "All boroughs together"]
    assert {trace["name"] for trace in lines} == {"95% limits", "99.8% limits", "99.8% limits of chance alone"}
    assert all(trace["x"] == [300, 600, 900] for trace in lines)
    assert {y for trace in lines for y in trace["y"]} == {0.3, 0.7, 0.2, 0.8, 0.4, 0.6}
    outside = next(trace for trace in chart["data"] if trace["name"] == "Outside the 99.8% limits")
    assert outside["marker"]["symbol"] != "circle"  # told apart by more than colour


def test_limits_that_were_not_widened_are_drawn_once() -> None:
    chart = charts.funnel([sized("Wigan", 900, 0.5)], 0.5, SHARE, "Share", along="Episodes", is_widened=False)
    assert "99.8% limits of chance alone" not in {trace["name"] for trace in chart["data"]}


@pytest.mark.parametrize(("lowest", "begins_at_zero"), [(0.1, True), (0.6, False)])
def test_the_axis_lies_close_around_the_values_unless_zero_is_near(lowest: float, begins_at_zero: bool) -> None:
    area = replace(sized("Wigan", 900, 0.75), inner=(0.7, 0.8), outer=(lowest, 0.85), chance=(0.7, 0.8))
    chart = charts.funnel([area], 0.75, SHARE, "Share", along="Episodes", is_widened=False)
    low, top = chart["layout"]["yaxis"]["range"]
    assert (low == 0) is begins_at_zero
    assert low < lowest < 0.85 < top <= 1


def test_a_funnel_without_boroughs_is_still_a_chart() -> None:
    charts.funnel([], 0.0, SHARE, "Share", along="Episodes", is_widened=False)


def test_names_of_boroughs_close_together_stand_on_different_sides() -> None:
    areas = [sized("Rochdale", 500, 0.5), sized("Stockport", 504, 0.5), sized("Manchester", 900, 0.5)]
    chart = charts.funnel(areas, 0.5, SHARE, "Share", along="Episodes", is_widened=False)
    inside = next(trace for trace in chart["data"] if trace["name"] == "Inside the limits")
    sides = dict(zip(inside["text"], inside["textposition"], strict=True))
    assert sides["Rochdale"] != sides["Stockport"]


# Control charts


def months(*values: float | None, charted: bool = True, **signs: dict[int, int]) -> list[ControlPoint]:
    """Months from January 2024 with mean 100 and range 80 to 120; signs by name and place."""
    run = 1
    points = []
    for place, value in enumerate(values):
        start = date(2024 + place // 12, place % 12 + 1, 1)
        run += value is None
        in_chart = charted and value is not None
        told = {name: (signs.get(name, {}).get(place, 0) if in_chart else None) for name in chart_signs()}
        points.append(
            ControlPoint(
                figure_id=f"I01.{start}",
                indicator_id="I01",
                basis="A",
                area_code="E08000002",
                area_name="Bury",
                period_start=start,
                period_end=start + timedelta(days=27),
                value=value,
                symbol="" if value is not None else "x",
                run=run if value is not None else None,
                run_months=len(values),
                centre=100 if in_chart else None,
                lower_limit=80 if in_chart else None,
                upper_limit=120 if in_chart else None,
                **told,
            )
        )
    return points


def chart_signs() -> tuple[str, ...]:
    return ("beyond", "shift", "trend", "near")


def test_quiet_months_have_a_range_and_nothing_else() -> None:
    said = chance.control_finding(months(*[100] * 12), RULEBOOK.control)
    assert said == (
        "From January 2024 to December 2024, Bury had 100 missing incidents a month on average, and usually between 80 "
        "and 120. None of the last 12 months stands out."
    )


def test_signs_are_sentences_for_a_lead() -> None:
    points = months(
        *[100] * 20,
        131,
        100,
        118,
        119,
        beyond={20: 1},
        shift=dict.fromkeys(range(13, 21), 1),
        trend=dict.fromkeys(range(2, 9), -1),
        near={20: 1, 22: 1, 23: 1},
    )
    said = chance.control_finding(points, RULEBOOK.control)
    assert "September 2025 had 131, more than the usual range." in said
    assert "Every month from February 2025 to September 2025 was above the average." in said
    assert "November 2025 to December 2025 came close to the top of the range." in said
    assert "Of the months before, 7 stood out" in said
    assert "sigma" not in said
    assert chance.control_signs(points[20], RULEBOOK.control).startswith("more than the usual range; one of 7 or more")
    assert "near" not in chance.control_signs(points[20], RULEBOOK.control)  # beyond the range says it


def test_a_stretch_that_began_long_ago_is_told_from_its_beginning() -> None:
    points = months(*[100] * 24, shift=dict.fromkeys(range(5, 14), -1) | dict.fromkeys(range(3), 1))
    said = chance.control_finding(points, RULEBOOK.control)
    assert "Every month from June 2024 to February 2025 was below the average." in said
    assert said.endswith("Of the months before, 3 stood out; the table says how.")


@pytest.mark.parametrize(("newest", "is_told"), [(11, False), (12, True)])
def test_signs_of_the_last_twelve_months_are_told(newest: int, is_told: bool) -> None:
    said = chance.control_finding(
        months(*[100] * newest, 140, *[100] * (23 - newest), beyond={newest: 1}), RULEBOOK.control
    )
    assert ("had 140" in said) is is_told
    assert ("Of the months before, 1 stood out" in said) is not is_told


def test_two_months_beyond_the_range_are_told_apart() -> None:
    said = chance.control_finding(months(*[100] * 10, 140, 70, beyond={10: 1, 11: -1}), RULEBOOK.control)
    assert "November 2024 had 140, more than the usual range." in said
    assert "December 2024 had 70, fewer than the usual range." in said


def test_many_signs_are_counted_not_listed() -> None:
    said = chance.control_finding(months(*[100, 140] * 6, beyond=dict.fromkeys(range(1, 12, 2), 1)), RULEBOOK.control)
    assert said.count("more than the usual range") == 4
    assert said.endswith("2 more signs are in the table.")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([100] * 11, "Up to November 2024 there are only 11 complete months in a row; a usual range needs 12"),
        ([None, 100], "Up to February 2024 there is only 1 complete month; a usual range needs 12"),
        ([None, None], "No month of Bury was received in full"),
    ],
)
def test_a_sentence_says_why_there_is_no_range(values: list[float | None], words: str) -> None:
    assert chance.control_finding(months(*values, charted=False), RULEBOOK.control).startswith(words)


def test_a_month_not_received_is_drawn_as_nothing() -> None:
    marks = [
        charts.Expected(charts.Mark("Jan 2024", 100), 100, 80, 120, ""),
        charts.Expected(charts.Mark("Feb 2024", None, "x"), None, None, None, ""),
        charts.Expected(charts.Mark("Mar 2024", 130), 100, 80, 120, "more than the usual range"),
    ]
    chart = charts.control(marks, COUNT, "Incidents")
    by_name = {trace["name"]: trace for trace in chart["data"]}
    assert by_name["Month"]["y"] == [100, None, 130]
    assert by_name["Average"]["y"] == [100, None, 100]
    assert all(trace.get("connectgaps", False) is False for trace in chart["data"])
    assert by_name["Unlike the others"]["y"] == [None, None, 130]
    assert "Unlike the others" not in {trace["name"] for trace in charts.control(marks[:2], COUNT, "Incidents")["data"]}


# Intervals over children


def ratio(**given: object) -> OverChildren:
    found = OverChildren(
        figure_id="I28",
        indicator_id="I28",
        variant="",
        basis="B",
        area_code="E08000002",
        area_name="Bury",
        period_start=date(2025, 4, 1),
        period_end=date(2026, 3, 31),
        numerator=45,
        denominator=100,
        symbol="",
        children=30,
        estimate=0.45,
        lower_95=0.38,
        upper_95=0.53,
        independent_lower_95=0.41,
        independent_upper_95=0.49,
    )
    return replace(found, **given)  # type: ignore[arg-type]


def test_both_intervals_are_told() -> None:
    said = chance.over_children_finding([(ratio(), HELD)], "the year to March 2026")
    assert "return interview held: 45% in Bury, between 38% and 53% if children are counted whole" in said
    assert said.endswith("it would seem surer: 41% to 49%.")


def test_episodes_counted_for_themselves_are_called_surer_only_where_they_seem_so() -> None:
    said = chance.over_children_finding([(ratio(lower_95=0.42, upper_95=0.48), HELD)], "the year to March 2026")
    assert said.endswith("it would seem no surer: 41% to 49%.")


def test_few_children_have_no_interval() -> None:
    said = chance.over_children_finding([(ratio(lower_95=None, upper_95=None), HELD)], "the year to March 2026")
    assert said.endswith("there are too few children to say how sure that is.")
