"""Assets of the flag history: which flags came and went at which instant, filed and as tables."""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.history.filing import HISTORY_TABLES, record_flags, tables_compared
from pipelines.warehouse.load import count_rows


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table_key(t), deps=[table_key(d) for d in tables_compared()], group_name="history", kinds={"duckdb"}
        )
        for t in HISTORY_TABLES
    ],
    pool=WAREHOUSE_POOL,
    description="Flags that came and went at each as-at instant. Instants that nobody filed are worked out first.",
)
def flag_history(context: dg.AssetExecutionContext, house: House) -> Iterator[dg.MaterializeResult]:
    """Compare, file and load."""
    with house.writer() as connection:
        recorded = record_flags(
            connection, house.home, progress=lambda stage, done, of: context.log.info(f"{stage} {done}/{of}")
        )
        rows = {table: count_rows(connection, table) for table in HISTORY_TABLES}
    for table in HISTORY_TABLES:
        yield dg.MaterializeResult(
            table_key(table),
            metadata={"rows": rows[table], "instants": recorded.instants, "filed_now": recorded.filed},
        )
