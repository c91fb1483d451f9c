"""Counting: the modules of returns into a warehouse in memory, where `sql/backtest/` finds the totals.

Nothing is written to disk, so that no child's row outlives the command. Rounding and hiding belong in `comparison`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from pipelines.backtest.returns import AnnualReturns
from pipelines.contracts.dfe_publication import DfePublication
from pipelines.warehouse.connection import connect, query_frame, replace_table
from pipelines.warehouse.graph import build_table, load_tables_of

SCHEMA = "backtest"
# Standings of an absence (sql/backtest/incident.sql).
COUNTED, OUTSIDE_YEAR, NOT_IN_CARE = "counted", "outside the year", "not looked after then"
_FINDINGS = """
select borough, module, rule_id, list(row_number order by row_number) as row_numbers
from backtest.finding
group by borough, module, rule_id
order by borough, module, rule_id
"""
_STANDINGS = "select borough, standing, count(*) as rows from backtest.incident group by all order by all"
_CELLS = "select borough, indicator_id, numerator, denominator, theirs, published from backtest.cell"


@dataclass(frozen=True)
class BrokenRule:
    """A rule of the return that rows of one module of a borough break; none of them is counted."""

    borough: str
    module: str
    rule_id: str
    row_numbers: tuple[int, ...]


@dataclass(frozen=True)
class CountedCell:
    """The true counts behind one of our figures (`denominator` is None for a count), and what DfE printed, and when."""

    numerator: int
    denominator: int | None
    theirs: str | None
    published: date | None


@dataclass(frozen=True)
class Counts:
    """What was counted.

    `cells` is by borough slug and indicator. `standings` says, by borough and standing, what became of the rows of the
    missing module that break no rule.
    """

    cells: Mapping[tuple[str, str], CountedCell]
    broken: tuple[BrokenRule, ...]
    standings: Mapping[tuple[str, str], int]


def count_returns(returns: AnnualReturns, year: int, rules: DfePublication, figures: pl.DataFrame) -> Counts:
    """Count what DfE counts in the year that ends on 31 March of `year`.

    Args:
        returns: the modules.
        year: in which the year to March ends.
        rules: how DfE counts.
        figures: the rows of `reference.dfe_missing`.

    Raises:
        TableError: a table could not be built.
    """
    with connect(Path(":memory:"), read_only=False) as connection:
        load_returns(connection, returns, year, rules)
        connection.execute("create schema if not exists reference")
        replace_table(connection, "reference.dfe_missing", figures)
        for table in load_tables_of(SCHEMA):
            build_table(connection, table)
        cells = query_frame(connection, _CELLS)
        findings = query_frame(connection, _FINDINGS)
        standings = query_frame(connection, _STANDINGS)
    return Counts(
        cells={(borough, indicator): CountedCell(*rest) for borough, indicator, *rest in cells.rows()},
        broken=tuple(
            BrokenRule(borough, module, rule_id, tuple(numbers))
            for borough, module, rule_id, numbers in findings.rows()
        ),
        standings={(borough, standing): rows for borough, standing, rows in standings.rows()},
    )


def load_returns(
    connection: duckdb.DuckDBPyConnection, returns: AnnualReturns, year: int, rules: DfePublication
) -> None:
    """Load what `sql/backtest/` starts from: each module, areas, indicators, and the year with DfE's definitions."""
    connection.execute(f"create schema if not exists {SCHEMA}")
    for name, rows in returns.modules.items():
        replace_table(connection, f"{SCHEMA}.{name}_row", rows)
    areas = [(area.slug, area.code) for area in returns.boroughs]
    replace_table(connection, f"{SCHEMA}.area", pl.DataFrame(areas, schema=["slug", "code"], orient="row"))
    indicators = [(one.indicator_id, one.status, one.total, one.per) for one in rules.indicators]
    columns = ["indicator_id", "status", "total", "per"]
    replace_table(connection, f"{SCHEMA}.indicator", pl.DataFrame(indicators, schema=columns, orient="row"))
    frame = pl.DataFrame(
        {
            "first_day": [date(year - 1, 4, 1)],
            "last_day": [date(year, 3, 31)],
            "adult_at": [rules.adult_at],
            "carried_in_counts": [rules.carried_in_counts],
            "short_break_legal_statuses": [list(rules.short_break_legal_statuses)],
        }
    )
    replace_table(connection, f"{SCHEMA}.year", frame)
