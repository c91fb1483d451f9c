"""The primary test: who is few, when one child dominates, and which shares tell something of each member."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.disclosure.unsafe import DIFFERENCE, unsafe_targets
from tests.disclosure_data import POLICY, year_cells

NOBODY = pl.DataFrame(schema=DIFFERENCE)


def kinds(cells: pl.DataFrame, behind: pl.DataFrame = NOBODY) -> set[tuple[str, str]]:
    """Measure and kind of what is unsafe."""
    found = unsafe_targets(cells, behind, POLICY)
    return {(target.split("|")[0], kind) for target, kind in found.select("target_id", "kind").iter_rows()}


def incidents(count: int, children: int, largest: int, second: int) -> pl.DataFrame:
    """A region's incidents of a year."""
    return year_cells({("incidents", "R"): count}, children={("incidents", "R"): children}).with_columns(
        largest=pl.lit(largest, dtype=pl.Int64), second_largest=pl.lit(second, dtype=pl.Int64)
    )


@pytest.mark.parametrize(("children", "unsafe"), [(0, False), (1, True), (5, True), (6, False)])
def test_one_to_five_children_are_few_however_many_episodes_they_have(children: int, unsafe: bool) -> None:
    assert (
        ("incidents", "small") in kinds(incidents(30 * min(children, 1), children, 5 * min(children, 1), 5))
    ) is unsafe


@pytest.mark.parametrize(
    ("count", "largest", "unsafe"),
    [(30, 20, False), (29, 20, True)],  # half of 20 is 10: as many by others, and one less
)
def test_one_child_dominates_where_the_others_leave_less_than_half_of_it(
    count: int, largest: int, unsafe: bool
) -> None:
    assert (("incidents", "dominated") in kinds(incidents(count, 10, largest, 0))) is unsafe


def test_children_never_dominate_and_few_of_them_are_few_already() -> None:
    assert kinds(year_cells({("children", "R"): 9})) == set()
    assert ("incidents", "dominated") not in kinds(incidents(30, 5, 29, 1))


@pytest.mark.parametrize(("group", "unsafe"), [(20, True), (21, False)])
def test_shares_of_small_groups_are_looked_at(group: int, unsafe: bool) -> None:
    cells = year_cells({("children", "R"): group, ("children_repeat", "R"): 8})
    assert (("children_repeat", "share") in kinds(cells)) is unsafe
    # What could not be told of anybody says nothing of the group.
    assert ("children_repeat", "share") not in kinds(cells.with_columns(coverage=pl.lit("none")))


def test_a_difference_is_few_by_the_children_behind_it() -> None:
    cells = year_cells({("children", "R"): 40, ("children_repeat", "R"): 37})
    assert ("children_once", "small") in kinds(cells)
    plenty = year_cells({("incidents", "R"): 90, ("incidents_second_or_later", "R"): 60})
    assert kinds(plenty) == set()
    behind = pl.DataFrame({"cell_id": ["incidents_first|A|R|year_to_march|2023-04-01|total|Total"], "children": [2]})
    assert kinds(plenty, behind) == {("incidents_first", "small")}
