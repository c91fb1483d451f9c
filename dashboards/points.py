"""One figure of a chart or table as the pages see it, and the queries that read such figures and their notes.

Public and restricted pages share this shape, never a reader: `published` and `restricted` each say which tables they
may see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import duckdb

from dashboards.comparability import Note

_COLUMNS = (
    "figure_id", "indicator_id", "variant", "basis", "area_code", "period_type", "period_start", "period_end",
    "breakdown", "breakdown_value", "numerator", "denominator", "value", "lower_95", "upper_95", "symbol",
    "population_year",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One value of an indicator with its coordinates. `value` is None where there is only a symbol."""

    figure_id: str
    indicator_id: str
    variant: str
    basis: str
    area_code: str
    period_type: str
    period_start: date
    period_end: date
    breakdown: str
    breakdown_value: str
    numerator: int | None
    denominator: int | None
    value: float | None
    lower_95: float | None
    upper_95: float | None
    symbol: str
    population_year: int | None
    area_name: str


@dataclass(frozen=True)
class Query:
    """Which figures to read. An empty field leaves that coordinate open."""

    indicator_id: str
    basis: str
    period_type: str
    variant: str = ""
    area_code: str = ""
    breakdown: str = "total"
    period_start: date | None = None
    last_periods: int = 0


Part = Literal["value", "numerator", "denominator", "lower_95", "upper_95"]


def part(point: Point, name: Part) -> Point:
    """Put one part of a figure in the place of its value, so that a table can show it.

    A count keeps the mark of a period received in part, and the mark of a gap; but not `c`, which belongs to the
    percentage that is not shown, not to the counts. Limits carry no mark of their own.
    """
    if name == "value":
        return point
    value = getattr(point, name)
    symbol = point.symbol if value is None or (name == "numerator" and point.symbol == "u") else ""
    return replace(point, value=value, symbol=symbol, lower_95=None, upper_95=None)


def keyed(points: Sequence[Point], key: str, name: Part = "value") -> dict[str, Point]:
    """Figures, or one part of each, by one of their coordinates."""
    return {str(getattr(point, key)): part(point, name) for point in points}


def read_points(connection: duckdb.DuckDBPyConnection, table: str, query: Query) -> list[Point]:
    """Read figures in the order of periods, then of the reference file's areas, never of their values.

    Args:
        connection: where the table and `reference.area` are.
        table: `published.indicator` or `statistics.indicator`.
        query: the coordinates; a variant is its own breakdown, so `breakdown` is ignored for one.
    """
    columns = ", ".join(f"figure.{column}" for column in _COLUMNS)
    rows = connection.execute(
        f"""
        select {columns}, area.name
        from {table} as figure
        inner join reference.area as area on figure.area_code = area.area_code
        where
            figure.indicator_id = $indicator_id
            and figure.basis = $basis
            and figure.period_type = $period_type
            and figure.variant = $variant
            and figure.breakdown = $breakdown
            and ($area_code = '' or figure.area_code = $area_code)
            and ($period_start::date is null or figure.period_start = $period_start::date)
        qualify
            $last_periods = 0
            or dense_rank() over (order by figure.period_start desc) <= $last_periods
        order by figure.period_start, area.area_type, area.area_code, figure.breakdown_value
        """,  # noqa: S608 - names of our own columns and tables
        _parameters(query),
    ).fetchall()
    return [Point(*row) for row in rows]


def read_notes(connection: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> list[Note]:
    """Read comparability notes, one for each area and stretch of days, in no order.

    Args:
        connection: where the table is.
        table: `published.note` or `quality.note`.
        where: which of them, as SQL of our own.
    """
    rows = connection.execute(
        f"""
        select
            area_code, note_id, text, measures, first_day, last_day, kind, label, bases, indicators, break_days
        from {table}
        where {where}
        """  # noqa: S608 - names of our own tables
    ).fetchall()
    return [
        Note(area_code, note_id, text, tuple(measures or ()), first, last, kind, label, *(tuple(x or ()) for x in rest))
        for area_code, note_id, text, measures, first, last, kind, label, *rest in rows
    ]


def has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the warehouse has a table; one written by an earlier version of the pipeline may lack it."""
    try:
        connection.execute(f"select 1 from {table} limit 0")  # noqa: S608 - names of our own tables
    except duckdb.CatalogException:
        return False
    return True


def _parameters(query: Query) -> dict[str, Any]:
    return {
        "indicator_id": query.indicator_id,
        "basis": query.basis,
        "period_type": query.period_type,
        "variant": query.variant,
        "breakdown": "variant" if query.variant else query.breakdown,
        "area_code": query.area_code,
        "period_start": query.period_start,
        "last_periods": query.last_periods,
    }
