"""The tables of funnels, control charts and intervals over children. The only writer of these four.

Reads finished tables, hands arrays to the pure functions beside it, and writes what they return. The `published` tables
are made from published figures and nothing else, so that public pages may show them; the `statistics` tables come from
true counts and are restricted. A quantity that cannot be told is null.

- `published.funnel`: one row per reading of a rate or proportion, basis, period and borough. is_judged: the figure is
  complete; only such boroughs make the target and have limits. target, phi, tau_squared and areas (boroughs judged)
  are of the whole funnel and the same in each of its rows; is_widened says whether over-dispersion was found. lower_95
  to upper_998 are limits of chance alone, widened_lower_95 to widened_upper_998 allow for over-dispersion. standing: -2
  below the widened 99.8% limit, -1 below the 95% one, 0 inside, 1 and 2 above.
- `published.control_chart`, `statistics.control_chart`: one row per count, basis, area and month. value is null where
  the month is not complete; run, run_months, moving_range, centre, lower_limit, upper_limit; beyond, shift, trend and
  near are 1 (high, rising), -1 (low, falling) or 0, null where the run of months is too short for a chart.
- `statistics.bootstrap_interval`: one row per reading of a ratio of episodes, basis, area and year to March: estimate,
  lower_95 and upper_95 over children (null with fewer than 10), the children behind it, and independent_lower_95 and
  independent_upper_95, which take episodes for independent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.uncertainty.bootstrap import Interval, ratio_interval
from pipelines.uncertainty.control_chart import ControlChart, control_chart
from pipelines.uncertainty.funnel import Funnel, funnel
from pipelines.uncertainty.resampling import generator
from pipelines.uncertainty.rules import ControlRules, FunnelRules, load_control_rules, load_funnel_rules
from pipelines.warehouse.connection import query_frame, replace_table

FUNNEL = "published.funnel"
PUBLIC_CONTROL_CHART = "published.control_chart"
CONTROL_CHART = "statistics.control_chart"
BOOTSTRAP_INTERVAL = "statistics.bootstrap_interval"

PUBLIC_TABLES = (FUNNEL, PUBLIC_CONTROL_CHART)
RESTRICTED_TABLES = (BOOTSTRAP_INTERVAL, CONTROL_CHART)
READ_BY_PUBLIC = ("published.indicator", "rules.indicator", "reference.area")
READ_BY_RESTRICTED = ("statistics.indicator", "statistics.child_ratio", "rules.indicator")

_READING = ["indicator_id", "variant", "basis"]
_PERIOD = {"period_type": pl.String(), "period_start": pl.Date(), "period_end": pl.Date()}
_FUNNEL_SCHEMA: dict[str, pl.DataType] = (
    dict.fromkeys(_READING, pl.String())
    | _PERIOD
    | {"area_code": pl.String(), "figure_id": pl.String(), "numerator": pl.Int64(), "denominator": pl.Int64()}
    | {"value": pl.Float64(), "symbol": pl.String(), "population_year": pl.Int64(), "is_judged": pl.Boolean()}
    | {"areas": pl.Int64(), "is_widened": pl.Boolean()}
    | dict.fromkeys(("target", "phi", "tau_squared"), pl.Float64())
    | dict.fromkeys(("lower_95", "upper_95", "lower_998", "upper_998"), pl.Float64())
    | dict.fromkeys(("widened_lower_95", "widened_upper_95", "widened_lower_998", "widened_upper_998"), pl.Float64())
    | {"standing": pl.Int64()}
)
_CHART_SCHEMA: dict[str, pl.DataType] = (
    dict.fromkeys(_READING, pl.String())
    | {"area_code": pl.String()}
    | _PERIOD
    | {"figure_id": pl.String(), "value": pl.Float64(), "symbol": pl.String()}
    | {"run": pl.Int64(), "run_months": pl.Int64()}
    | dict.fromkeys(("moving_range", "centre", "lower_limit", "upper_limit"), pl.Float64())
    | dict.fromkeys(("beyond", "shift", "trend", "near"), pl.Int64())
)


def build_public(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make the published tables anew from published figures.

    Returns:
        Rows of each table.
    """
    return {
        FUNNEL: _write(connection, FUNNEL, _funnels(connection, load_funnel_rules())),
        PUBLIC_CONTROL_CHART: _write(
            connection, PUBLIC_CONTROL_CHART, _charts(connection, "published.indicator", load_control_rules())
        ),
    }


def build_restricted(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make the restricted tables anew from true figures.

    Returns:
        Rows of each table.
    """
    return {
        BOOTSTRAP_INTERVAL: _write(connection, BOOTSTRAP_INTERVAL, _intervals(connection)),
        CONTROL_CHART: _write(
            connection, CONTROL_CHART, _charts(connection, "statistics.indicator", load_control_rules())
        ),
    }


def _write(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> int:
    replace_table(connection, table, frame)
    return frame.height


def _funnels(connection: duckdb.DuckDBPyConnection, rules: FunnelRules) -> pl.DataFrame:
    figures = query_frame(
        connection,
        """
        select
            figure.* exclude (lower_95, upper_95),
            indicator.method as kind,
            indicator.per,
            figure.symbol = ''
            and figure.numerator is not null
            and figure.denominator > 0
            and (indicator.method = 'rate' or figure.numerator <= figure.denominator) as is_judged
        from published.indicator as figure
        inner join rules.indicator as indicator
            on figure.indicator_id = indicator.indicator_id and figure.variant = indicator.variant
        inner join reference.area as area on figure.area_code = area.area_code
        where
            area.area_type = 'borough'
            and indicator.method in ('rate', 'proportion')
            and figure.breakdown in ('total', 'variant')
        order by figure.indicator_id, figure.variant, figure.basis, figure.period_type, figure.period_start,
            figure.area_code
        """,
    )
    groups = figures.partition_by(*_READING, "period_type", "period_start", maintain_order=True)
    return _stacked([_funnel_rows(group, rules) for group in groups], _FUNNEL_SCHEMA)


def _funnel_rows(figures: pl.DataFrame, rules: FunnelRules) -> pl.DataFrame:
    """The boroughs of one funnel; those not judged have the funnel's target and no limits."""
    judged = figures["is_judged"].to_numpy()
    areas = int(judged.sum())
    columns: dict[str, Any] = {"areas": areas, "is_widened": False}
    if areas:
        events, sizes = (figures[name].to_numpy()[judged].astype(np.float64) for name in ("numerator", "denominator"))
        per = float(figures["per"][0])
        found = funnel(events, sizes, figures["kind"][0], rules)
        columns |= {
            "is_widened": found.tau_squared > 0,
            "target": found.target * per,
            "phi": found.phi,
            "tau_squared": found.tau_squared,
        }
        columns |= {name: _only(judged, values * per) for name, values in _limits(found).items()}
        columns["standing"] = _only(judged, found.standing.astype(np.float64))
    absent = [name for name in _FUNNEL_SCHEMA if name not in columns and name not in figures.columns]
    return figures.with_columns(
        *(pl.lit(value).alias(name) for name, value in columns.items()),
        *(pl.lit(None).alias(name) for name in absent),
    )


def _limits(found: Funnel) -> dict[str, NDArray[np.float64]]:
    return {
        f"{prefix}{side}_{level}": getattr(limits, f"{side}_{place}")
        for prefix, limits in (("", found.chance), ("widened_", found.widened))
        for level, place in (("95", "inner"), ("998", "outer"))
        for side in ("lower", "upper")
    }


def _only(where: NDArray[np.bool_], values: NDArray[np.float64]) -> pl.Series:
    """Values at the places where they belong, null elsewhere."""
    spread = np.full(len(where), np.nan)
    spread[where] = values
    return pl.Series(spread, nan_to_null=True)


def _charts(connection: duckdb.DuckDBPyConnection, table: str, rules: ControlRules) -> pl.DataFrame:
    """Chart every monthly series of counts in a table of indicators."""
    figures = query_frame(
        connection,
        f"""
        select
            figure.* exclude (value),
            case when figure.symbol = '' then figure.value end as value,
            (year(figure.period_start) * 12 + month(figure.period_start))::bigint as month_number
        from {table} as figure
        inner join rules.indicator as indicator
            on figure.indicator_id = indicator.indicator_id and figure.variant = indicator.variant
        where indicator.method = 'count' and figure.period_type = 'month' and figure.breakdown = 'total'
        order by figure.indicator_id, figure.variant, figure.basis, figure.area_code, figure.period_start
        """,  # noqa: S608 - one of our two tables of indicators
    )
    groups = figures.partition_by(*_READING, "area_code", maintain_order=True)
    return _stacked([_chart_rows(group, rules) for group in groups], _CHART_SCHEMA)


def _chart_rows(figures: pl.DataFrame, rules: ControlRules) -> pl.DataFrame:
    # A month without a row is a gap like one without a figure.
    month = figures["month_number"].to_numpy()
    place = month - month[0]
    values = np.full(int(place[-1]) + 1, np.nan)
    values[place] = figures["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    chart = control_chart(values, rules)
    return figures.with_columns(**{name: column[place] for name, column in _chart_columns(chart).items()})


def _chart_columns(chart: ControlChart) -> dict[str, NDArray[np.float64]]:
    """Columns of the table, in floating point so that a gap can be not a number."""
    in_chart = ~np.isnan(chart.centre)
    numbers = {
        "run": (chart.run, chart.run > 0),
        "run_months": (chart.run_months, chart.run > 0),
        "moving_range": (chart.moving_range, in_chart),
        "centre": (chart.centre, in_chart),
        "lower_limit": (chart.lower, in_chart),
        "upper_limit": (chart.upper, in_chart),
        "beyond": (chart.beyond, in_chart),
        "shift": (chart.shift, in_chart),
        "trend": (chart.trend, in_chart),
        "near": (chart.near, in_chart),
    }
    return {name: np.where(told, values.astype(np.float64), np.nan) for name, (values, told) in numbers.items()}


def _stacked(parts: list[pl.DataFrame], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Put groups one below the other, in the columns and types of a table; not a number becomes null."""
    if not parts:
        return pl.DataFrame(schema=schema)
    whole = pl.concat([part.select(*schema) for part in parts], how="vertical_relaxed")
    return whole.with_columns(pl.selectors.float().fill_nan(None)).cast(pl.Schema(schema))


def _intervals(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Draw children again and again for every ratio of episodes that has a figure."""
    # Ratios are numbered first: sorting kinds of children by six columns would take longer than drawing them.
    connection.execute(
        """
        create or replace temp table ratio as
        select
            (row_number() over (order by figure.figure_id) - 1)::integer as place,
            figure.indicator_id,
            figure.variant,
            figure.basis,
            figure.area_code,
            figure.period_type,
            figure.period_start,
            figure.period_end,
            figure.figure_id,
            figure.numerator,
            figure.denominator,
            case when indicator.method = 'rate' then figure.denominator / indicator.per end as population,
            figure.symbol,
            figure.lower_95 as independent_lower_95,
            figure.upper_95 as independent_upper_95
        from statistics.indicator as figure
        inner join rules.indicator as indicator
            on figure.indicator_id = indicator.indicator_id and figure.variant = indicator.variant
        semi join statistics.child_ratio as child
            on
                figure.indicator_id = child.indicator_id
                and figure.variant = child.variant
                and figure.basis = child.basis
                and figure.area_code = child.area_code
                and figure.period_start = child.period_start
        where
            figure.period_type = 'year_to_march'
            and figure.breakdown in ('total', 'variant')
            and figure.numerator is not null
            and figure.denominator > 0
        """
    )
    ratios = query_frame(connection, "select * from ratio order by place")
    kinds = query_frame(
        connection,
        """
        select
            ratio.place,
            child.numerator_each,
            child.denominator_each,
            child.children
        from statistics.child_ratio as child
        inner join ratio
            using (indicator_id, variant, basis, area_code, period_start)
        order by ratio.place
        """,
    )
    connection.execute("drop table ratio")
    found = list(_drawn(ratios, kinds))
    children = kinds.group_by("place").agg(pl.col("children").sum()).sort("place")["children"]
    return (
        ratios.drop("place", "population")
        .with_columns(
            children.alias("children"),
            pl.Series("estimate", [interval.estimate for interval in found], dtype=pl.Float64),
            pl.Series("lower_95", [interval.lower for interval in found], dtype=pl.Float64),
            pl.Series("upper_95", [interval.upper for interval in found], dtype=pl.Float64),
        )
        .with_columns(pl.selectors.float().fill_nan(None))
    )


def _drawn(ratios: pl.DataFrame, kinds: pl.DataFrame) -> Iterator[Interval]:
    """One interval for each ratio, in order; its random numbers depend on which figure it is and on nothing else."""
    edges = np.searchsorted(kinds["place"].to_numpy(), np.arange(ratios.height + 1)).tolist()
    numerator, denominator, children = (
        kinds[name].cast(pl.Int64).to_numpy() for name in ("numerator_each", "denominator_each", "children")
    )
    figures = zip(ratios["figure_id"].to_list(), ratios["population"].to_list(), strict=True)
    for place, (figure_id, population) in enumerate(figures):
        here = slice(edges[place], edges[place + 1])
        yield ratio_interval(
            numerator[here],
            denominator[here],
            children[here],
            generator("bootstrap_interval", figure_id),
            population=population,
        )
