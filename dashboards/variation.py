"""What pages read of chance: funnels, control charts, and intervals over children.

Public and restricted readers share these shapes and queries; which table each may see is theirs to say (`published`,
`restricted`). Nothing is worded or drawn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

import duckdb

from dashboards.points import has_table


@dataclass(frozen=True)
class FunnelPoint:
    """One borough in the funnel of one reading and period, as `published.funnel` describes its columns."""

    figure_id: str
    area_code: str
    area_name: str
    period_type: str
    period_start: date
    period_end: date
    numerator: int | None
    denominator: int | None
    value: float | None
    symbol: str
    population_year: int | None
    is_judged: bool
    areas: int
    is_widened: bool
    target: float | None
    phi: float | None
    lower_95: float | None
    upper_95: float | None
    lower_998: float | None
    upper_998: float | None
    widened_lower_95: float | None
    widened_upper_95: float | None
    widened_lower_998: float | None
    widened_upper_998: float | None
    standing: int | None


@dataclass(frozen=True)
class ControlPoint:
    """One month of the control chart of one count and area, as `statistics.control_chart` describes its columns."""

    figure_id: str
    indicator_id: str
    basis: str
    area_code: str
    area_name: str
    period_start: date
    period_end: date
    value: float | None
    symbol: str
    run: int | None
    run_months: int | None
    centre: float | None
    lower_limit: float | None
    upper_limit: float | None
    beyond: int | None
    shift: int | None
    trend: int | None
    near: int | None


@dataclass(frozen=True)
class OverChildren:
    """One ratio of episodes of an area and year with its limits over children, and those of independent episodes."""

    figure_id: str
    indicator_id: str
    variant: str
    basis: str
    area_code: str
    area_name: str
    period_start: date
    period_end: date
    numerator: int
    denominator: int
    symbol: str
    children: int
    estimate: float
    lower_95: float | None
    upper_95: float | None
    independent_lower_95: float | None
    independent_upper_95: float | None


def read_funnels(
    connection: duckdb.DuckDBPyConnection, table: str, indicator_id: str, variant: str, basis: str
) -> list[list[FunnelPoint]]:
    """Read the yearly funnels of one reading, newest first; boroughs in the reference file's order.

    None where the warehouse was written by a version that did not have the table.
    """
    if not has_table(connection, table):
        return []
    rows = connection.execute(
        f"""
        select {_columns(FunnelPoint)}
        from {table} as item
        inner join reference.area as area on item.area_code = area.area_code
        where
            item.indicator_id = $indicator_id and item.variant = $variant and item.basis = $basis
            and item.period_type = 'year_to_march'
        order by item.period_start desc, item.area_code
        """,  # noqa: S608 - names of our own columns and tables
        {"indicator_id": indicator_id, "variant": variant, "basis": basis},
    ).fetchall()
    points = [FunnelPoint(*row) for row in rows]
    years = list(dict.fromkeys(point.period_start for point in points))
    return [[point for point in points if point.period_start == year] for year in years]


def read_control(
    connection: duckdb.DuckDBPyConnection, table: str, indicator_id: str, basis: str, area_code: str
) -> list[ControlPoint]:
    """Read the months of one control chart, oldest first; none where the warehouse does not have the table yet."""
    if not has_table(connection, table):
        return []
    rows = connection.execute(
        f"""
        select {_columns(ControlPoint)}
        from {table} as item
        inner join reference.area as area on item.area_code = area.area_code
        where
            item.indicator_id = $indicator_id and item.variant = '' and item.basis = $basis
            and item.area_code = $area_code
        order by item.period_start
        """,  # noqa: S608 - names of our own columns and tables
        {"indicator_id": indicator_id, "basis": basis, "area_code": area_code},
    ).fetchall()
    return [ControlPoint(*row) for row in rows]


def read_over_children(connection: duckdb.DuckDBPyConnection, table: str, area_code: str) -> list[OverChildren]:
    """Read the ratios of an area's newest year; none where the warehouse does not have the table yet."""
    if not has_table(connection, table):
        return []
    rows = connection.execute(
        f"""
        select {_columns(OverChildren)}
        from {table} as item
        inner join reference.area as area on item.area_code = area.area_code
        where item.area_code = $area_code
        qualify item.period_start = max(item.period_start) over ()
        order by item.indicator_id, item.variant, item.basis
        """,  # noqa: S608 - names of our own columns and tables
        {"area_code": area_code},
    ).fetchall()
    return [OverChildren(*row) for row in rows]


def newest_run(points: Sequence[ControlPoint]) -> list[ControlPoint]:
    """The months of the newest run of complete months."""
    last = max((point.run for point in points if point.run is not None), default=None)
    return [point for point in points if point.run == last and last is not None]


def _columns(shape: type[FunnelPoint | ControlPoint | OverChildren]) -> str:
    return ", ".join("area.name" if field.name == "area_name" else f"item.{field.name}" for field in fields(shape))
