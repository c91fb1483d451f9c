"""Assets of uncertainty: funnels and control charts of published figures; control charts and intervals of true ones."""

from collections.abc import Callable, Iterator, Sequence

import dagster as dg
import duckdb

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.uncertainty.tables import (
    PUBLIC_TABLES,
    READ_BY_PUBLIC,
    READ_BY_RESTRICTED,
    RESTRICTED_TABLES,
    build_public,
    build_restricted,
)


def _specs(tables: Sequence[str], reads: Sequence[str]) -> list[dg.AssetSpec]:
    deps = [table_key(read) for read in reads]
    return [
        dg.AssetSpec(table_key(table), deps=deps, group_name=table.partition(".")[0], kinds={"scipy"})
        for table in tables
    ]


def _results(
    house: House, build: Callable[[duckdb.DuckDBPyConnection], dict[str, int]]
) -> Iterator[dg.MaterializeResult]:
    with house.writer() as connection:
        rows = build(connection)
    for table, number in rows.items():
        yield dg.MaterializeResult(table_key(table), metadata={"rows": number})


@dg.multi_asset(
    specs=_specs(PUBLIC_TABLES, READ_BY_PUBLIC),
    pool=WAREHOUSE_POOL,
    description="Funnels of boroughs and the region's control chart, from published figures only.",
)
def published_uncertainty(house: House) -> Iterator[dg.MaterializeResult]:
    """Compare what was published with chance."""
    yield from _results(house, build_public)


@dg.multi_asset(
    specs=_specs(RESTRICTED_TABLES, READ_BY_RESTRICTED),
    pool=WAREHOUSE_POOL,
    description="Control charts of every area and intervals over children, from true counts. Restricted.",
)
def restricted_uncertainty(house: House) -> Iterator[dg.MaterializeResult]:
    """Compare true counts with chance."""
    yield from _results(house, build_restricted)
