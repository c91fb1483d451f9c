"""Rules that compare the rows of one delivery: each is one file of SQL, run here on the judged rows in memory.

What a rule may read: `delivered_row`, with `delivery_id`, `row_number`, `received_at` and the columns that the rules
name (a date or time as `<column>_earliest` and `<column>_latest`, what a recorded time allows; a number as a number),
and the tables of what it needs, such as `annual_return`. A delivery, and a child in it, go by a number here: only
whether two are the same counts, and numbers compare faster. A rule answers with `delivery_id` and `row_number` of the
rows that fail. Rows that another rule refused are not there: what is wrong with them has been said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from pipelines.contracts.catalogue import Need
from pipelines.contracts.contract import NUMERIC, TEMPORAL, Contract
from pipelines.contracts.rules import Rule
from pipelines.home import SQL

FAILURE_SCHEMA: dict[str, pl.DataType] = {
    "rule_id": pl.String(),
    "delivery_id": pl.UInt32(),
    "row_number": pl.Int64(),
}
_CHILD = "child_id"


def delivered_row_columns(rules: Sequence[Rule], contract: Contract) -> dict[str, str]:
    """Name in `delivered_row`, and column of the parsed rows, of everything the rules read."""
    named = dict.fromkeys(name for rule in rules for name in (*rule.columns, *rule.any_of))
    columns: dict[str, str] = {}
    for name in named:
        if name == _CHILD:
            columns[name] = f"{name}.key"
        elif name in contract.of_type(*TEMPORAL):
            columns |= {f"{name}_{bound}": f"{name}.{bound}" for bound in ("earliest", "latest")}
        else:
            columns[name] = f"{name}.number" if name in contract.of_type(*NUMERIC) else name
    return columns


def run_cross_row(
    delivered_row: pl.DataFrame, rules: Sequence[Rule], needs: Mapping[str, Need], sql: Path = SQL
) -> tuple[pl.DataFrame, dict[str, set[int]]]:
    """Run the rules on the rows of one dataset, of any number of deliveries.

    Returns:
        Failing rows (`FAILURE_SCHEMA`), and for each need of the rules the deliveries that meet it.
    """
    from pipelines.warehouse.connection import connect, query_frame, register_frame

    failures = [pl.DataFrame(schema=FAILURE_SCHEMA)]
    met: dict[str, set[int]] = {}
    with connect(Path(":memory:"), read_only=False) as connection:
        register_frame(connection, "incoming", delivered_row)
        connection.execute("create table delivered_row as from incoming")
        for need_id in dict.fromkeys(need for rule in rules for need in rule.needs):
            query = (sql / needs[need_id].file).read_text(encoding="utf-8")
            connection.execute(f"create table {need_id} as {query}")
            met[need_id] = set(query_frame(connection, f"select delivery_id from {need_id}")["delivery_id"])  # noqa: S608 - ids of our own file
        for rule in rules:
            failing = query_frame(connection, (sql / rule.arguments["file"]).read_text(encoding="utf-8"))
            failures.append(
                failing.select(
                    pl.lit(rule.rule_id).alias("rule_id"),
                    pl.col("delivery_id").cast(pl.UInt32),
                    pl.col("row_number").cast(pl.Int64),
                )
            )
    return pl.concat(failures), met
