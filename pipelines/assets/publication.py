"""Assets after the tables: published counts, the read-only snapshot and the pages."""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.home import CONTRACTS
from pipelines.recurrence.tables import RECURRENCE_TABLES
from pipelines.release.publish import PUBLISHED_TABLES, publish
from pipelines.uncertainty import tables as uncertainty
from pipelines.warehouse.connection import connect
from pipelines.warehouse.graph import load_tables
from pipelines.warehouse.snapshot import publish_snapshot

SNAPSHOT = dg.AssetKey(["warehouse", "current"])
SITE = dg.AssetKey(["site"])
READ_BY_PUBLISH = (
    "statistics.publication_cell",
    "statistics.period",
    "run.parameter",
    "quality.data_cut",
    "intake.receipt",
)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table_key(t), deps=[table_key(d) for d in READ_BY_PUBLISH], group_name="published", kinds={"highs"}
        )
        for t in PUBLISHED_TABLES
    ],
    pool=WAREHOUSE_POOL,
    description="Counts that passed disclosure control; the only source of public figures.",
)
def published_tables(context: dg.AssetExecutionContext, house: House) -> Iterator[dg.MaterializeResult]:
    """Round, attack, and publish or refuse."""
    with house.writer() as connection:
        publication = publish(
            connection, house.home, progress=lambda stage, done, of: context.log.info(f"{stage} {done}/{of}")
        )
    metadata: dict[str, str | int] = {"release_id": publication.release_id, "cells": publication.cells}
    for table in PUBLISHED_TABLES:
        yield dg.MaterializeResult(table_key(table), metadata=metadata)


@dg.asset(
    key=SNAPSHOT,
    deps=[table_key(table.qualified) for table in load_tables()]
    + [table_key(table) for table in (*RECURRENCE_TABLES, *PUBLISHED_TABLES)]
    + [table_key(table) for table in (*uncertainty.PUBLIC_TABLES, *uncertainty.RESTRICTED_TABLES)],
    group_name="warehouse",
    kinds={"duckdb"},
    pool=WAREHOUSE_POOL,
    description="The read-only copy that pages, analysts and commands open.",
)
def snapshot(house: House) -> dg.MaterializeResult:
    """Swap the snapshot."""
    return dg.MaterializeResult(metadata={"bytes": publish_snapshot(house.home)})


@dg.asset(key=SITE, deps=[SNAPSHOT], group_name="site", kinds={"plotly"}, description="Public and restricted pages.")
def site(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """Draw every page from the snapshot."""
    from dashboards.site import build_site

    with connect(house.home.current_database, read_only=True) as connection:
        files = build_site(connection, house.home.site, contracts=CONTRACTS, progress=context.log.info)
    return dg.MaterializeResult(metadata={"files": len(files)})
