"""One asset per SQL file, with the dependencies that the SQL itself states."""

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.warehouse.graph import Table, build_table, load_tables


def table_assets() -> list[dg.AssetsDefinition]:
    """Make the assets of every table in `sql/`."""
    return [_table_asset(table) for table in load_tables()]


def _table_asset(table: Table) -> dg.AssetsDefinition:
    @dg.asset(
        key=table_key(table.qualified),
        deps=[table_key(read) for read in sorted(table.reads)],
        group_name=table.schema,
        kinds={"duckdb", "sql"},
        description=table.description,
        pool=WAREHOUSE_POOL,
    )
    def build(house: House) -> dg.MaterializeResult:
        with house.writer() as connection:
            rows = build_table(connection, table)
        return dg.MaterializeResult(metadata={"rows": rows})

    return build
