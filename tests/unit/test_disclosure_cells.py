"""True count cells are taken as they should be or not at all, and no refusal quotes a count."""

import polars as pl
import pytest

from pipelines.disclosure.cells import PUBLISHED_CELL, TRUE_CELL, planned_cells
from pipelines.disclosure.errors import CellsError
from tests.disclosure_data import POLICY, TOWNS, VALUES, count_cells, simulate


@pytest.fixture(scope="module")
def cells() -> pl.DataFrame:
    """All cells of a small region, many of them outside the plan."""
    return count_cells(simulate(1, 40, 1, TOWNS), TOWNS)


def test_the_plan_is_taken_once_and_in_order(cells: pl.DataFrame) -> None:
    planned = planned_cells(cells.sample(fraction=1, shuffle=True, seed=1), POLICY, TOWNS)
    assert dict(planned.schema) == {**TRUE_CELL, "method": pl.String}
    assert planned.get_column("cell_id").is_sorted()
    assert not planned.get_column("cell_id").is_duplicated().any()
    values = sum(len(VALUES[breakdown]) for breakdown in ("total", "age_band", "sex", "looked_after"))
    on_a = 2 * values + len(VALUES["place"]) + len(VALUES["age_dfe"]) + 6 + len(VALUES["incident_band"])
    on_b = 2 * (1 + len(VALUES["looked_after"])) + len(VALUES["place"]) + 5 + 2
    quarters, months = 4 * (2 + 5) * 4, 12 + 1
    assert planned.height == (on_a + on_b) * 4 + quarters + months


def test_a_published_cell_cannot_carry_what_is_secret() -> None:
    assert set(TRUE_CELL) - set(PUBLISHED_CELL) == {"children", "largest", "second_largest", "coverage"}


def test_areas_outside_the_region_are_left_out(cells: pl.DataFrame) -> None:
    elsewhere = cells.filter(area_code="T1").with_columns(
        area_code=pl.lit("T9"), cell_id=pl.col("cell_id").str.replace("T1", "T9")
    )
    assert planned_cells(pl.concat([cells, elsewhere]), POLICY, TOWNS).equals(planned_cells(cells, POLICY, TOWNS))


FIRST = pl.col("cell_id") == "incidents|A|T1|year_to_march|2021-04-01|total|Total"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("count", pl.lit(None, dtype=pl.Int64), "1 have an empty field"),
        ("cell_id", pl.lit("incidents"), "1 have an id that is not their coordinates"),
        ("period_end", pl.date(2020, 1, 1), "1 end before they start"),
        ("count", pl.lit(-4711), "1 are negative"),
        ("children", pl.lit(4711), "1 count more children than units"),
        ("children", pl.lit(0), "1 count without children"),
        ("coverage", pl.lit("some"), "1 have an unknown coverage"),
    ],
)
def test_an_impossible_cell_is_refused_without_its_count(
    cells: pl.DataFrame, column: str, value: pl.Expr, message: str
) -> None:
    spoilt = cells.with_columns(pl.when(FIRST).then(value).otherwise(column).alias(column))
    with pytest.raises(CellsError, match=message) as refusal:
        planned_cells(spoilt, POLICY, TOWNS)
    assert "4711" not in str(refusal.value)


def test_children_counted_in_two_ways_are_refused(cells: pl.DataFrame) -> None:
    of_children = pl.col("cell_id") == "children|A|R|year_to_march|2021-04-01|total|Total"
    spoilt = cells.with_columns(children=pl.when(of_children).then(pl.col("children") - 1).otherwise("children"))
    with pytest.raises(CellsError, match="1 count children in two ways"):
        planned_cells(spoilt, POLICY, TOWNS)


def test_a_repeated_cell_is_refused(cells: pl.DataFrame) -> None:
    with pytest.raises(CellsError, match="2 are repeated"):
        planned_cells(pl.concat([cells, cells.filter(FIRST)]), POLICY, TOWNS)


@pytest.mark.parametrize(
    "hole",
    [
        FIRST,
        pl.col("measure") == "children_repeat",
        (pl.col("area_code") == "T2") & (pl.col("period_type") == "quarter"),
        (pl.col("breakdown_value") == "Female") & (pl.col("area_code") == "R"),
        pl.col("period_type") == "month",
        pl.lit(value=True),
    ],
)
def test_a_hole_in_the_matrix_is_refused(cells: pl.DataFrame, hole: pl.Expr) -> None:
    with pytest.raises(CellsError, match="incomplete"):
        planned_cells(cells.filter(~hole), POLICY, TOWNS)


def test_a_missing_or_mistyped_column_is_refused_without_a_value(cells: pl.DataFrame) -> None:
    with pytest.raises(CellsError, match="coverage"):
        planned_cells(cells.drop("coverage"), POLICY, TOWNS)
    with pytest.raises(CellsError, match="count, or these have another type"):
        planned_cells(cells.with_columns(count=pl.lit("4711x")), POLICY, TOWNS)


def test_whole_numbers_of_any_type_are_taken_and_fractions_are_not(cells: pl.DataFrame) -> None:
    for dtype in (pl.Int32, pl.UInt64, pl.Decimal(38, 0)):
        taken = planned_cells(cells.with_columns(pl.col("count", "children").cast(dtype)), POLICY, TOWNS)
        assert taken.equals(planned_cells(cells, POLICY, TOWNS))
    for dtype in (pl.Float64, pl.Decimal(38, 2)):
        with pytest.raises(CellsError, match="children"):
            planned_cells(cells.with_columns(pl.col("children").cast(dtype)), POLICY, TOWNS)
