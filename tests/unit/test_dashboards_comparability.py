"""A figure carries the notes that concern its measures and areas; none can be made without them."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest

from dashboards.comparability import Comparability, Note
from dashboards.figures import FigureMaker, Table
from dashboards.rulebook import load_rulebook
from pipelines.home import CONTRACTS
from pipelines.intake.sources import load_sources
from pipelines.region import Area, Region
from tests.unit.test_dashboards_sentences import point

REGION = Region(
    Area("R", "region", "The region"), (Area("A", "a", "Aston"), Area("B", "b", "Barton"), Area("C", "c", "Caston"))
)
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
