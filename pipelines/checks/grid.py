"""The check that says which borough has not sent what is due by now. Dagster's own freshness judges whole assets."""

from datetime import UTC

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.warehouse.grid import grid_at


@dg.asset_check(
    asset=table_key("quality.borough_month"),
    pool=WAREHOUSE_POOL,
    description="Every month that is due by now was received from every borough.",
)
def every_borough_month_was_received(house: House) -> dg.AssetCheckResult:
    """Name the boroughs and months that are late, failed or quarantined."""
    with house.writer() as connection:
        grid = grid_at(connection, house.arrival().astimezone(UTC).replace(tzinfo=None))
    wanting = [
        f"{borough} {month} {status}"
        for borough, month, status in grid.select("borough", "month", "status").iter_rows()
        if status not in {"received", "not due"}
    ]
    return dg.AssetCheckResult(
        passed=not wanting, severity=dg.AssetCheckSeverity.WARN, metadata={"months": len(wanting), "which": wanting}
    )
