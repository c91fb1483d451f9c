"""A figure carries the notes that concern its measures and areas; none can be made without them."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import charts
from dashboards.comparability import Break, Comparability, Note, Period
from dashboards.figures import DataFile, Figure, FigureMaker, Table, break_places
from dashboards.rulebook import load_rulebook
from dashboards.words import Measure
from pipelines.home import CONTRACTS
from pipelines.intake.sources import load_sources
from pipelines.region import Area, Region
from tests.unit.test_dashboards_sentences import point

REGION = Region(
    Area("R", "region", "The region"), (Area("A", "a", "Aston"), Area("B", "b", "Barton"), Area("C", "c", "Caston"))
)
SHARE = Measure("share")
LETTER = "Offered is read from the date of a letter."


def note(area: str, text: str = LETTER, *measures: str, name: str = "layout.letter") -> Note:
    return Note(area, name, text, measures or ("rhi_offered",))


def sentences(notes: list[Note], measures: set[str], areas: set[str]) -> tuple[str, ...]:
    return Comparability(notes, REGION).concerning(measures, areas).sentences


def test_boroughs_with_the_same_note_share_one_sentence() -> None:
    notes = [note("C"), note("A")]
    assert sentences(notes, {"rhi_offered"}, {"A", "B", "C"}) == (f"Aston and Caston: {LETTER}",)


def test_the_same_note_of_two_layouts_is_said_once() -> None:
    notes = [note("A"), note("B", name="other.letter")]
    assert sentences(notes, {"rhi_offered"}, {"A", "B"}) == (f"Aston and Barton: {LETTER}",)
    (shared,) = Comparability(notes, REGION).all_notes()
    assert shared.note_ids == ("layout.letter", "other.letter")


def test_a_note_of_every_borough_names_the_region() -> None:
    assert sentences([note("A"), note("B"), note("C")], {"rhi_offered"}, {"R"}) == (
        f"All boroughs of The region: {LETTER}",
    )


@pytest.mark.parametrize(
    ("measures", "areas", "concerned"),
    [
        ({"rhi_offered", "rhi_eligible"}, {"A"}, True),
        ({"rhi_completed"}, {"A"}, False),
        ({"rhi_offered"}, {"B"}, False),
        ({"rhi_offered"}, {"R"}, True),
        (set(), {"R"}, False),
        ({"rhi_offered"}, set(), False),
    ],
)
def test_a_note_concerns_its_measures_in_its_area_and_in_the_region(
    measures: set[str], areas: set[str], concerned: bool
) -> None:
    assert bool(sentences([note("A")], measures, areas)) is concerned


def test_a_note_on_everything_concerns_every_measure_and_one_on_nothing_none() -> None:
    everything, nothing = note("A", "Dates only.", "*"), Note("A", "layout.other", "Worth knowing.", ())
    assert sentences([everything, nothing], {"incidents"}, {"A"}) == ("Aston: Dates only.",)
    assert len(Comparability([everything, nothing], REGION).all_notes()) == 2


def test_notes_stand_in_the_order_of_boroughs_which_are_named_once() -> None:
    notes = [note("C", "First."), note("A", "Second."), note("C", "Third.")]
    found = Comparability(notes, REGION).concerning({"rhi_offered"}, {"R"})
    assert found.sentences == ("Aston: Second.", "Caston: First.", "Caston: Third.")
    assert found.boroughs == ("Aston", "Caston")


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (date(2022, 3, 1), date(2022, 3, 31), False),
        (date(2022, 4, 1), date(2022, 4, 30), True),
        (date(2023, 1, 1), date(2023, 1, 31), True),  # returns of an incident that started in December
        (date(2023, 2, 1), date(2023, 2, 28), False),
        (date(2021, 4, 1), date(2026, 3, 31), True),
    ],
)
def test_a_note_of_some_months_goes_with_figures_that_look_at_them(first: date, last: date, *, shown: bool) -> None:
    some = Note("A", "layout.note", "Dates only.", ("rhi_offered",), date(2022, 4, 1), date(2022, 12, 1))
    found = Comparability([some], REGION).concerning({"rhi_offered"}, {"A"}, (first, last))
    assert bool(found.sentences) is shown
    assert Comparability([some], REGION).concerning({"rhi_offered"}, {"A"}).sentences


def test_a_note_of_another_region_is_left_aside() -> None:
    assert sentences([note("elsewhere")], {"rhi_offered"}, {"elsewhere", "R"}) == ()


def test_numerator_and_denominator_count_as_measures() -> None:
    rulebook = load_rulebook(CONTRACTS)
    assert rulebook.indicator("I27").measures == {"rhi_offered", "rhi_eligible"}
    assert rulebook.indicator("I05").measures == {"children"}


def test_a_note_is_traced_to_every_mapping_that_brings_it_and_to_no_other() -> None:
    rulebook = load_rulebook(CONTRACTS)
    for source in load_sources(CONTRACTS).values():
        for one in source.notes:
            named = rulebook.mappings([one.note_id])
            assert f"{source.title}, mapping {source.version}" in named
    assert rulebook.mappings(["nowhere.nothing"]) == ()


def test_a_figure_carries_the_notes_of_the_points_in_its_file() -> None:
    rulebook = load_rulebook(CONTRACTS)
    maker = FigureMaker(Comparability([note("A"), note("B", "Something else.", "incidents")], REGION), "test")
    figure = maker.of_points(
        "f", "Heading", finding="Finding.", chart={}, table=Table("Caption", ("Area",), ()),
        series=[(rulebook.indicator("I27"), [point("A", 0.5), point("B", 0.5)])],
        period="a year", source="Deliveries.", notes=(),
    )  # fmt: skip
    assert figure.comparability.sentences == (f"Aston: {LETTER}",)


def broken(label: str = "new system", area: str = "A", day: date = date(2019, 7, 1), **more: Any) -> Note:
    beside = {"first_day": date(2018, 7, 1), "last_day": date(2020, 7, 1)}
    return Note(area, label, "Not one series.", ("*",), kind="break", label=label, break_days=(day,), **beside, **more)


def year(first: int) -> Period:
    return date(first, 4, 1), date(first + 1, 3, 31)


@pytest.mark.parametrize(
    ("day", "place"),
    [
        (date(2016, 4, 1), None),  # the axis begins there: nothing before it to part from
        (date(2017, 3, 31), None),
        (date(2017, 4, 1), 1),
        (date(2018, 3, 31), 1),
        (date(2019, 3, 31), 2),
        (date(2019, 4, 1), None),  # the axis ends before
        (date(2013, 4, 1), None),
        (date(2027, 4, 1), None),
    ],
)
def test_a_break_stands_before_the_first_period_that_reaches_its_day(day: date, place: int | None) -> None:
    found = break_places([Break(day, "b")], [year(first) for first in (2016, 2017, 2018)])
    assert found == (((place, "b"),) if place else ())


def test_two_breaks_at_one_place_share_a_line() -> None:
    days = [Break(date(2019, 4, 1), "one"), Break(date(2019, 7, 1), "two"), Break(date(2019, 8, 1), "two")]
    assert break_places(days, [year(2018), year(2019)]) == ((1, "one; two"),)


@given(st.dates(date(2010, 1, 1), date(2030, 1, 1)), st.integers(2010, 2025), st.integers(1, 8))
def test_a_drawn_break_lies_between_what_ends_before_it_and_what_reaches_it(day: date, first: int, years: int) -> None:
    timeline = [year(first + more) for more in range(years)]
    crossed = timeline[0][1] < day <= timeline[-1][1]
    found = break_places([Break(day, "b")], timeline)
    assert bool(found) is crossed
    for place, _ in found:
        assert timeline[place - 1][1] < day <= timeline[place][1]


def test_a_break_of_all_boroughs_is_one_sentence_and_of_some_names_them() -> None:
    everywhere = [broken(area=code) for code in "ABC"]
    found = Comparability(everywhere, REGION).concerning({"incidents"}, {"R"}, year(2019))
    assert found.sentences == ("Break in the series: Not one series.",)
    assert found.breaks == (Break(date(2019, 7, 1), "new system"),)
    some = Comparability(everywhere[:2], REGION).concerning({"incidents"}, {"R"}, year(2019))
    assert some.sentences == ("Break in the series (Aston and Barton): Not one series.",)


def test_what_held_for_some_years_is_drawn_where_it_begins_and_where_it_ends() -> None:
    both = Note(
        "A", "n", "Text.", ("*",), kind="break", label="absent", break_days=(date(2013, 4, 1), date(2017, 2, 1))
    )
    found = Comparability([both], REGION).concerning({"incidents"}, {"A"})
    assert found.breaks == (Break(date(2013, 4, 1), "absent begins"), Break(date(2017, 2, 1), "absent ends"))


@pytest.mark.parametrize(
    ("first", "last", "concerned"),
    [
        (date(2018, 6, 1), date(2018, 6, 30), False),
        (date(2018, 7, 1), date(2018, 7, 31), True),
        (date(2020, 7, 1), date(2020, 7, 31), True),
        (date(2020, 7, 2), date(2020, 7, 31), False),
        (date(2012, 4, 1), date(2026, 3, 31), True),
    ],
)
def test_the_days_of_a_break_are_exact(first: date, last: date, *, concerned: bool) -> None:
    found = Comparability([broken()], REGION).concerning({"incidents"}, {"A"}, (first, last))
    assert bool(found.sentences) is concerned


def test_bases_and_indicators_narrow_a_note_and_counts_go_by_measures() -> None:
    one = Note("A", "n", "Text.", ("rhi_offered",), bases=("B",), indicators=("I27",))
    asked = Comparability([one], REGION)

    def shown(measure: str, **more: Any) -> bool:
        return bool(asked.concerning({measure}, {"A"}, **more).sentences)

    assert shown("incidents", indicators={"I27"}, bases={"B"})
    assert not shown("rhi_offered", indicators={"I28"}, bases={"B"})
    assert not shown("rhi_offered", indicators={"I27"}, bases={"A"})
    assert shown("rhi_offered")
    assert not shown("incidents")


def test_a_figure_without_a_period_looks_at_all_that_is_known() -> None:
    for span, concerned in ((year(2015), False), (year(2019), True), (None, True)):
        found = Comparability([broken()], REGION, span).concerning({"incidents"}, {"A"})
        assert bool(found.sentences) is concerned


def constructed(first: int, years: int) -> Figure:
    """A chart of one indicator over some years to March, in a region with a break in July 2019."""
    rulebook = load_rulebook(CONTRACTS)
    maker = FigureMaker(Comparability([broken()], REGION), "test")
    points = [
        replace(point("A", 0.5), indicator_id="I28", period_start=start, period_end=end, basis="B")
        for start, end in (year(first + more) for more in range(years))
    ]
    marks = tuple(charts.Mark(str(one.period_start), one.value) for one in points)
    return maker.of_points(
        "f", "Heading", finding="Finding.", chart=charts.trend([charts.Series("Held", marks)], SHARE, "Share"),
        table=Table("Caption", ("Period",), ()), series=[(rulebook.indicator("I28"), points)], period="years",
        source="Deliveries.", notes=(), timeline=[(one.period_start, one.period_end) for one in points],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "years", "drawn", "noted"),
    [
        (2012, 14, True, True),
        (2018, 2, True, True),
        (2019, 2, False, True),
        (2012, 7, False, True),
        (2021, 5, False, False),
    ],
)
def test_a_figure_over_time_draws_the_breaks_it_crosses_and_says_those_beside_it(
    first: int, years: int, *, drawn: bool, noted: bool
) -> None:
    figure = constructed(first, years)
    (trace,) = figure.chart["data"]
    assert (len(trace["y"]) == years + 1) is drawn
    assert any("new system" in label["text"] for label in figure.chart["layout"].get("annotations", ())) is drawn
    assert bool(figure.comparability.sentences) is noted
    said = [row[figure.data.columns.index("notes")] for row in figure.data.rows]
    assert len(said) == years
    assert any(said) is noted
    assert not all(said) or years <= 2  # years far from the break do not carry its note


def test_a_chart_that_joins_periods_cannot_be_made_without_its_timeline() -> None:
    chart = charts.trend([charts.Series("a", (charts.Mark("2019", 1.0),))], SHARE, "Share")
    with pytest.raises(ValueError, match="needs its timeline"):
        FigureMaker(Comparability([], REGION), "test").of_points(
            "f", "Heading", finding="Finding.", chart=chart, table=Table("Caption", ("Period",), ()), series=[],
            period="years", source="Deliveries.", notes=(),
        )  # fmt: skip


def test_the_file_of_counts_says_the_notes_too() -> None:
    figure = FigureMaker(Comparability([note("A")], REGION), "test").of_counts(
        "f", "Heading", finding="Finding.", chart={}, table=Table("Caption", ("Area",), ()),
        data=DataFile("f.csv", ("area", "count"), (("A", 1), ("B", ""))), period="a year", source="Deliveries.",
        measures={"rhi_offered"}, areas=["A"], notes=(),
    )  # fmt: skip
    assert figure.data.text() == f"area,count,notes\nA,1,Aston: {LETTER}\nB,,Aston: {LETTER}\n"


def test_figures_and_their_notes_are_made_in_one_place_only() -> None:
    """No page can draw a figure without its notes, since no page can make a figure."""
    makers = {"Figure": "figures.py", "Concerning": "comparability.py"}
    folder = Path(__file__).parents[2] / "dashboards"
    called = {
        (node.func.id, path.name)
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
    }
    assert called == set(makers.items())


def test_a_blank_cell_of_a_file_is_blank_and_a_formula_is_text() -> None:
    data = DataFile("f.csv", ("a", "b", "c", "d"), (("", None, "=1+1", "plain"),))
    assert data.text() == "a,b,c,d\n,,'=1+1,plain\n"
