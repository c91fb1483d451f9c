"""Assets of recurrence: how soon and how often children go missing again, estimated from the tables."""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.recurrence.tables import READ_BY_RECURRENCE, RECURRENCE_TABLES, build_recurrence


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table_key(table),
            deps=[table_key(read) for read in READ_BY_RECURRENCE],
            group_name="recurrence",
            kinds={"scipy"},
        )
        for table in RECURRENCE_TABLES
    ],
    pool=WAREHOUSE_POOL,
    description="Time to the next episode, further episodes per child and concentration, with limits. Restricted.",
)
def recurrence_tables(house: House) -> Iterator[dg.MaterializeResult]:
    """Estimate every group and write the tables."""
    with house.writer() as connection:
        rows = build_recurrence(connection)
    for table in RECURRENCE_TABLES:
        yield dg.MaterializeResult(table_key(table), metadata={"rows": rows[table]})
