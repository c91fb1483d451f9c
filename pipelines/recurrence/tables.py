"""The `recurrence.*` tables: every estimate for every basis, area and year; for the region by looked-after too.

The only writer of that schema. Reads `statistics.recurrence_gap`, `statistics.recurrence_event` and
`statistics.concentration_curve`; a group of children becomes arrays here and rows again after the estimate.

Every table has basis, area_code and period_start (a year to March); all but the last also breakdown and breakdown_value
('total' and 'Total', or 'looked_after' and its value at the start of the first episode). Limits are 95%.

- `recurrence.summary`: children, and of them those left out (still_missing, end_not_recorded) and timed; how many of
  these are timed_exactly, were aged_17 (so that they may turn 18 while they are followed, on a day that nobody
  delivers) and were seen to have gone_again; the median_days until then with its limits (null where fewer than
  half did), and longest_days, for which a child was followed at most.
- `recurrence.survival`: days 0 to 365 since the end of the first episode; at_risk, events, survival.
- `recurrence.gone_again`: share gone missing again within 7, 28, 90, 180 and 365 days, and of_those_within_a_year,
  which divides it by the share within 365 days (Sidebottom et al. 2020 tell first repeats that way).
- `recurrence.hazard`: weeks 1 to 52 since the end; at_risk, events, child_weeks, hazard (events a child-week).
- `recurrence.mean_cumulative`: further_episodes per child by days since the start of the first episode; children left
  out of the timing are in it.
- `recurrence.concentration_interval`: estimates and limits of the slices of `statistics.concentration`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import polars as pl

from pipelines.recurrence.columns import Columns, gather
from pipelines.recurrence.concentration import concentration
from pipelines.recurrence.mean_cumulative import Course, mean_cumulative
from pipelines.recurrence.survival import daily, median, survival, weekly_hazard
from pipelines.uncertainty.resampling import generator
from pipelines.warehouse.connection import query_frame, replace_table

READ_BY_RECURRENCE = (
    "statistics.recurrence_gap",
    "statistics.recurrence_event",
    "statistics.concentration_curve",
    "reference.area",
)
MILESTONES = (7, 28, 90, 180, 365)

_PLACE = ["basis", "area_code", "period_start"]
_LIMITS = {"lower_95": pl.Float64(), "upper_95": pl.Float64()}
_AREA = {"basis": pl.String(), "area_code": pl.String(), "period_start": pl.Date()}
_GROUP = _AREA | {"breakdown": pl.String(), "breakdown_value": pl.String()}
_SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    "recurrence.summary": _GROUP
    | dict.fromkeys(("children", "still_missing", "end_not_recorded", "timed", "timed_exactly"), pl.Int64())
    | dict.fromkeys(("aged_17", "gone_again"), pl.Int64())
    | dict.fromkeys(("median_days", "median_lower_95", "median_upper_95", "longest_days"), pl.Float64()),
    "recurrence.survival": _GROUP
    | {"days": pl.Int32(), "at_risk": pl.Int64(), "events": pl.Int64(), "survival": pl.Float64()}
    | _LIMITS,
    "recurrence.gone_again": _GROUP
    | {"days": pl.Int32(), "at_risk": pl.Int64(), "share": pl.Float64()}
    | _LIMITS
    | {"of_those_within_a_year": pl.Float64()},
    "recurrence.hazard": _GROUP
    | {"week": pl.Int32(), "at_risk": pl.Int64(), "events": pl.Int64()}
    | {"child_weeks": pl.Float64(), "hazard": pl.Float64()}
    | _LIMITS,
    "recurrence.mean_cumulative": _GROUP
    | {"days": pl.Int32(), "at_risk": pl.Int64(), "further_episodes": pl.Float64()}
    | _LIMITS,
    "recurrence.concentration_interval": _AREA | {"slice": pl.String(), "estimate": pl.Float64()} | _LIMITS,
}
RECURRENCE_TABLES = tuple(_SCHEMAS)
Part = tuple[tuple[Any, ...], Columns]


@dataclass(frozen=True)
class _Group:
    """Children of one basis, area, year and breakdown, with the further episodes of the whole place."""

    coordinates: tuple[Any, ...]
    children: pl.DataFrame
    events: pl.DataFrame


def build_recurrence(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make every table of `recurrence.*` anew.

    Returns:
        Rows of each table.
    """
    connection.execute("create schema if not exists recurrence")
    parts: dict[str, list[Part]] = {table: [] for table in RECURRENCE_TABLES}
    for group in _groups(connection):
        for table, columns in _estimates(group).items():
            parts[table].append((group.coordinates, columns))
    parts["recurrence.concentration_interval"] += _concentrations(connection)
    rows = {}
    for table, schema in _SCHEMAS.items():
        whole = gather([place for place, _ in parts[table]], [columns for _, columns in parts[table]], schema)
        replace_table(connection, table, whole)
        rows[table] = whole.height
    return rows


def _groups(connection: duckdb.DuckDBPyConnection) -> Iterator[_Group]:
    # Places are numbered first: sorting millions of rows by three texts takes longer than all the estimates.
    connection.execute(
        """
        create or replace temp table place as
        select
            here.*,
            area.area_type <> 'borough' as is_region,
            row_number() over (order by here.basis, here.area_code, here.period_start)::integer - 1 as place
        from (select distinct basis, area_code, period_start from statistics.recurrence_gap) as here
        inner join reference.area as area on here.area_code = area.area_code
        """
    )
    children = query_frame(
        connection,
        """
        select
            place.place,
            gap.* exclude (basis, area_code, period_start, started_at, observed_to)
        from statistics.recurrence_gap as gap
        inner join place using (basis, area_code, period_start)
        """,
    )
    events = query_frame(
        connection,
        """
        select
            place.place,
            event.child_number,
            event.days
        from statistics.recurrence_event as event
        inner join place using (basis, area_code, period_start)
        """,
    )
    places = query_frame(connection, "select basis, area_code, period_start, is_region from place order by place")
    connection.execute("drop table place")
    members_of = _by_place(children.sort("place", "child_number"), places.height)
    events_of = _by_place(events.sort("place"), places.height)
    for (*place, is_region), members, here in zip(places.iter_rows(), members_of, events_of, strict=True):
        yield _Group((*place, "total", "Total"), members, here)
        if is_region:
            for (value,), part in members.partition_by("looked_after", as_dict=True, maintain_order=True).items():
                yield _Group((*place, "looked_after", value), part, here)


def _by_place(rows: pl.DataFrame, places: int) -> Iterator[pl.DataFrame]:
    """Cut rows that are ordered by place into one frame for each place."""
    edges = np.searchsorted(rows["place"].to_numpy(), np.arange(places + 1)).tolist()
    return (rows.slice(start, end - start) for start, end in pairwise(edges))


def _estimates(group: _Group) -> dict[str, Columns]:
    timed = group.children.filter(pl.col("days").is_not_null())
    random = generator("mean_cumulative", *map(str, group.coordinates))
    estimates = {"recurrence.mean_cumulative": mean_cumulative(_course(group), random)}
    middle = (np.nan, np.nan, np.nan)
    if timed.height:
        days, gone_again = timed["days"].to_numpy(), timed["is_gone_again"].to_numpy()
        curve = survival(days, gone_again)
        middle = median(curve)
        by_day = daily(curve)
        estimates["recurrence.survival"] = by_day
        estimates["recurrence.gone_again"] = _gone_again(by_day)
        estimates["recurrence.hazard"] = weekly_hazard(days, gone_again)
    estimates["recurrence.summary"] = _summary(group.children, timed, middle)
    return estimates


def _course(group: _Group) -> Course:
    """Number the children of the group from 0 and give their further episodes those numbers."""
    members = group.children["child_number"].to_numpy()
    owners, days = group.events["child_number"].to_numpy(), group.events["days"].to_numpy()
    child = np.minimum(np.searchsorted(members, owners), len(members) - 1)
    ours = members[child] == owners
    return Course(group.children["observed_days"].to_numpy(), child[ours], days[ours])


def _gone_again(by_day: Columns) -> Columns:
    at = {name: values[list(MILESTONES)] for name, values in by_day.items()}  # row number = day
    share = 1 - at["survival"]
    within_a_year = share[-1] if share[-1] > 0 else np.nan
    return {
        "days": at["days"],
        "at_risk": at["at_risk"],
        "share": share,
        "lower_95": 1 - at["upper_95"],
        "upper_95": 1 - at["lower_95"],
        "of_those_within_a_year": share / within_a_year,
    }


def _summary(children: pl.DataFrame, timed: pl.DataFrame, middle: tuple[float, float, float]) -> Columns:
    left_out = children["left_out"]
    median_days, lower, upper = middle
    values = {
        "children": children.height,
        "still_missing": (left_out == "still_missing").sum(),
        "end_not_recorded": (left_out == "end_not_recorded").sum(),
        "timed": timed.height,
        "timed_exactly": timed["is_exact"].sum(),
        "aged_17": (timed["age_at_start"] == 17).sum(),  # noqa: PLR2004 - the name says it
        "gone_again": timed["is_gone_again"].sum(),
        "median_days": median_days,
        "median_lower_95": lower,
        "median_upper_95": upper,
        "longest_days": timed["days"].to_numpy().max(initial=np.nan if timed.is_empty() else 0),
    }
    return {name: np.array([value]) for name, value in values.items()}


def _concentrations(connection: duckdb.DuckDBPyConnection) -> Iterator[Part]:
    curve = query_frame(
        connection,
        """
        select
            basis,
            area_code,
            period_start,
            incidents_each,
            children
        from statistics.concentration_curve
        order by basis, area_code, period_start, incidents_each desc
        """,
    )
    for place, kinds in curve.partition_by(_PLACE, as_dict=True, maintain_order=True).items():
        random = generator("concentration", *map(str, place))
        yield place, concentration(kinds["incidents_each"].to_numpy(), kinds["children"].to_numpy(), random)
