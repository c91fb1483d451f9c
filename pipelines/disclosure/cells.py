"""What disclosure control takes in and gives out: the columns of true and of published count cells, and their checks.

A true cell knows how many children stand behind it and which; a published cell does not, by type. How cells are related
and how they are rounded does not belong here.
"""

import polars as pl

from pipelines.disclosure.errors import CellsError
from pipelines.disclosure.policy import TOTAL, Geography, Policy

COORDINATES = {
    "cell_id": pl.String,
    "measure": pl.String,
    "basis": pl.String,
    "area_code": pl.String,
    "period_type": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "breakdown": pl.String,
    "breakdown_value": pl.String,
}
TRUE_CELL = {
    **COORDINATES,
    "count": pl.Int64,
    "children": pl.Int64,
    "largest": pl.Int64,
    "second_largest": pl.Int64,
    "coverage": pl.String,
}
PUBLISHED_CELL = {**COORDINATES, "count": pl.Int64, "symbol": pl.String, "method": pl.String, "within": pl.Int64}

SYMBOL_OF_COVERAGE = {"complete": "", "partial": "u", "none": "x"}

CELL_ID = pl.concat_str(
    "measure",
    "basis",
    "area_code",
    "period_type",
    pl.col("period_start").dt.to_string("iso"),
    "breakdown",
    "breakdown_value",
    separator="|",
)


def planned_cells(cells: pl.DataFrame, policy: Policy, geography: Geography) -> pl.DataFrame:
    """The true cells that the plan publishes, checked and in canonical order.

    Args:
        cells: true count cells, columns of `TRUE_CELL`; rows outside the plan are left out.
        policy: its plan says which cells are published.
        geography: the region and its boroughs; other areas are left out.

    Returns:
        Columns of `TRUE_CELL` and method, sorted by cell_id; each cell once, however many tables share it.

    Raises:
        CellsError: if a column is missing or of another type, a cell is repeated, misnamed or impossible, or the matrix
            has holes.
    """
    # Types are compared before they are cast: a failed cast would quote the value that it failed on.
    unfit = [name for name, dtype in TRUE_CELL.items() if not _is_of_type(cells.schema.get(name), dtype)]
    if unfit:
        message = f"Count cells lack the columns {', '.join(unfit)}, or these have another type."
        raise CellsError(message)
    planned = (
        cells.select(pl.col(name).cast(dtype) for name, dtype in TRUE_CELL.items())
        .join(_area_levels(geography), on="area_code")
        .join(policy.plan(), on=["measure", "basis", "period_type", "area_level", "breakdown"])
        .drop("area_level")
        .sort("cell_id")
    )
    _refuse_where(planned, _impossible(policy))
    _refuse_holes(planned, policy, geography)
    return planned


def _area_levels(geography: Geography) -> pl.DataFrame:
    boroughs = len(geography.boroughs)
    return pl.DataFrame(
        {
            "area_code": [geography.region, *geography.boroughs],
            "area_level": ["region", *["borough"] * boroughs],
        }
    )


def _is_of_type(found: pl.DataType | None, wanted: type[pl.DataType]) -> bool:
    if found is None or wanted != pl.Int64:
        return found == wanted
    # DuckDB's sums of integers arrive as decimals without decimal places.
    return found.is_integer() or (isinstance(found, pl.Decimal) and found.scale == 0)


def _impossible(policy: Policy) -> dict[str, pl.Expr]:
    """Named conditions that no true cell may meet."""
    of_children = pl.col("measure").is_in([m.name for m in policy.measures.values() if m.unit == "child"])
    return {
        "have an empty field": pl.any_horizontal(pl.col(*TRUE_CELL).is_null()),
        "are repeated": pl.col("cell_id").is_duplicated(),
        "have an id that is not their coordinates": pl.col("cell_id") != CELL_ID,
        "end before they start": pl.col("period_end") < pl.col("period_start"),
        "are negative": pl.any_horizontal(pl.col("count", "children", "largest", "second_largest") < 0),
        "count more for two children than for all": pl.col("largest") + pl.col("second_largest") > pl.col("count"),
        "count more children than units": pl.col("children") > pl.col("count"),
        "count without children": (pl.col("children") == 0) & (pl.col("count") > 0),
        "count children in two ways": of_children & (pl.col("children") != pl.col("count")),
        "have an unknown coverage": ~pl.col("coverage").is_in(list(SYMBOL_OF_COVERAGE)),
    }


def _refuse_where(planned: pl.DataFrame, impossible: dict[str, pl.Expr]) -> None:
    found = planned.select(condition.sum().alias(name) for name, condition in impossible.items()).row(0, named=True)
    problems = [f"{number} {name}" for name, number in found.items() if number]
    if problems:
        message = f"Count cells cannot be published: {'; '.join(problems)}."
        raise CellsError(message)


def _refuse_holes(planned: pl.DataFrame, policy: Policy, geography: Geography) -> None:
    """Refuse an incomplete matrix: a missing row tells an outsider something, and hides a fact from the audit.

    Within a measure, basis and period type, each period must have every planned area and, for each of its
    breakdowns, every value that occurs anywhere in the cells.
    """
    values = planned.select("breakdown", "breakdown_value").unique()
    wanted = (
        policy.plan()
        .join(_area_levels(geography), on="area_level")
        .drop("area_level")
        .join(values, on="breakdown", how="left")
    )
    periods = planned.select("basis", "period_type", "period_start", "period_end").unique()
    expected = wanted.join(periods, on=["basis", "period_type"], how="left")
    holes = expected.join(planned, on=[*(set(COORDINATES) - {"cell_id"})], how="anti", nulls_equal=True)
    undivided = planned.filter((pl.col("breakdown") == TOTAL) & (pl.col("breakdown_value") != "Total"))
    if holes.height or undivided.height:
        names = ", ".join(sorted(set(holes.get_column("measure").to_list())))
        message = f"The cells of the plan are incomplete: {holes.height} are missing ({names or 'misnamed totals'})."
        raise CellsError(message)
