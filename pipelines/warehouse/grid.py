"""The delivery grid as it stands today: which borough's months are late by now, not only by the as-at instant.

`quality.borough_month` is for the as-at instant, which without new deliveries stays where it was; whoever waits for a
file needs to know what is overdue at this moment.
"""

from __future__ import annotations

from datetime import datetime

import duckdb
import polars as pl

from pipelines.warehouse.connection import query_frame

_GRID = """
with later as (
    select borough, unnest(generate_series(
        max(month) + interval 1 month, date_trunc('month', utc_to_london($now::timestamp)), interval 1 month
    ))::date as month
    from quality.borough_month
    group by borough
),

month as (
    select borough, month, status, rows_accepted, rows_quarantined
    from quality.borough_month
    union all
    select borough, month, 'not due' as status, 0 as rows_accepted, 0 as rows_quarantined
    from later
)

select
    month.borough,
    strftime(month.month, '%Y-%m') as month,
    case
        when
            month.status = 'not due'
            and london_to_utc(month.month + interval 1 month + to_days(parameter.expected_day)) <= $now::timestamp
            then 'late'
        else month.status
    end as status,
    month.rows_accepted,
    month.rows_quarantined
from month
cross join run.parameter as parameter
order by month.borough, month.month
"""


def grid_at(connection: duckdb.DuckDBPyConnection, now: datetime) -> pl.DataFrame:
    """Return borough, month (`2026-03`), status, rows_accepted and rows_quarantined up to the month of an instant.

    Args:
        connection: the warehouse.
        now: UTC without zone, not before the as-at instant.
    """
    return query_frame(connection, _GRID, now=now)
