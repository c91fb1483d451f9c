"""Column types of accepted rows, generated from the contract.

A temporal property becomes two columns: the local clock time and its precision (`minute` or `date`). Names and types
of every other column follow the contract. DDL for the warehouse comes from the same list.
"""

from __future__ import annotations

import polars as pl

from pipelines.contracts.contract import TEMPORAL, Contract

# Where an accepted row came from; on every accepted row whatever its dataset.
PROVENANCE: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "borough": pl.String(),
    "source": pl.String(),
    "source_version": pl.String(),
    "row_number": pl.Int64(),
}

_POLARS: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "timestamp": pl.Datetime("us"),
    "date": pl.Datetime("us"),
}
_DUCKDB = {
    pl.String(): "varchar",
    pl.Int64(): "bigint",
    pl.Float64(): "double",
    pl.Datetime("us"): "timestamp",
}


def accepted_schema(contract: Contract) -> dict[str, pl.DataType]:
    """Return column name to polars type for accepted rows of the dataset, provenance first."""
    schema = dict(PROVENANCE)
    for prop in contract.properties:
        schema[str(prop.name)] = _POLARS[str(prop.logicalType)]
        if prop.logicalType in TEMPORAL:
            schema[f"{prop.name}_precision"] = pl.String()
    return schema


def create_table(contract: Contract, table: str) -> str:
    """Return the DuckDB statement that makes the (empty) table of accepted rows."""
    columns = ", ".join(f"{name} {_DUCKDB[kind]}" for name, kind in accepted_schema(contract).items())
    return f"create or replace table {table} ({columns})"
