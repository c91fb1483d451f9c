"""Exact counts that others publish of children like ours, as cells that an outsider can hold against our own.

Reads files of `data_contracts/` only. Whether such a count helps an outsider is for the attack to find out.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.disclosure.cells import CELL_ID
from pipelines.disclosure.errors import PolicyError
from pipelines.disclosure.policy import Outside, Policy

_COLUMNS = {"year": pl.Int64, "area_code": pl.String, "indicator": pl.String, "value": pl.String, "rounded": pl.String}


def outside_counts(policy: Policy, contracts: Path) -> pl.DataFrame:
    """Read the files that the policy names.

    Args:
        policy: which file and item stand for which of our counts; a year is the year to 31 March.
        contracts: the folder `data_contracts`.

    Returns:
        cell_id and count, each cell once. Where a file contradicts itself about one, the count is left out.

    Raises:
        PolicyError: a file cannot be read, or has no such item.
    """
    found = [_counts(contracts / outside.table, outside) for outside in policy.outside]
    every = pl.concat([pl.DataFrame(schema={"cell_id": pl.String, "count": pl.Int64}), *found])
    return every.unique().unique("cell_id", keep="none").sort("cell_id")


def _counts(path: Path, outside: Outside) -> pl.DataFrame:
    try:
        rows = pl.read_csv(path, columns=list(_COLUMNS), schema_overrides=_COLUMNS)
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"The outside counts in {outside.table} cannot be read."
        raise PolicyError(message) from error
    named = rows.filter(indicator=outside.item, rounded="unrounded")
    if named.is_empty():
        message = f"{outside.table} has no exact counts of {outside.item!r}."
        raise PolicyError(message)
    return (
        named.with_columns(
            measure=pl.lit(outside.count.measure),
            basis=pl.lit(outside.basis),
            period_type=pl.lit("year_to_march"),
            period_start=pl.date(pl.col("year") - 1, 4, 1),
            breakdown=pl.lit(outside.count.breakdown),
            breakdown_value=pl.lit(outside.count.value),
            count=pl.col("value").cast(pl.Int64, strict=False),
        )
        .drop_nulls("count")
        .select(CELL_ID.alias("cell_id"), "count")
    )
