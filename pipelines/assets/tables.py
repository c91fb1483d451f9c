"""One asset per SQL file, with the dependencies that the SQL itself states.

Tables are built a stage at a time: a step of its own for each would cost more than most tables do. A stage ends where a
blocking check or a table made by Python must come between.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.checks.tables import load_table_checks
from pipelines.warehouse.graph import Table, build_tables, load_tables


def table_assets(made_by_python: Mapping[str, Sequence[str]]) -> list[dg.AssetsDefinition]:
    """Make the assets of every table in `sql/`, a step for each stage.

    Args:
        made_by_python: tables between those of `sql/` that Python makes, and the tables each of them reads.
    """
    stages: dict[int, list[Table]] = defaultdict(list)
    stage_of = _stages(made_by_python)
    for table in load_tables():
        stages[stage_of[table.qualified]].append(table)
    return [_stage_assets(number, stages[number]) for number in sorted(stages)]


def _stages(made_by_python: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Stage of every table of `sql/`, from 1."""
    reads = {table.qualified: table.reads for table in load_tables()}
    guarded = {check.table for check in load_table_checks() if check.blocking}

    @cache
    def after(name: str) -> int:
        """First stage in which a table may be read by another step."""
        if name in made_by_python:
            return 1 + max(stage(read) for read in made_by_python[name])
        return stage(name) + (name in guarded and name in reads)

    @cache
    def stage(name: str) -> int:
        return max((after(read) for read in reads.get(name, ())), default=1) if name in reads else 1

    return {name: stage(name) for name in reads}


def _stage_assets(number: int, tables: Sequence[Table]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"tables_{number}",
        specs=[
            dg.AssetSpec(
                table_key(table.qualified),
                deps=[table_key(read) for read in sorted(table.reads)],
                group_name=table.schema,
                kinds={"duckdb", "sql"},
                description=table.description,
            )
            for table in tables
        ],
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def build(context: dg.AssetExecutionContext, house: House) -> Iterator[dg.MaterializeResult]:
        wanted = [table for table in tables if table_key(table.qualified) in context.selected_asset_keys]
        with house.writer() as connection:
            for done, (table, rows) in enumerate(build_tables(connection, wanted), start=1):
                context.log.info(f"{table.qualified} {done}/{len(wanted)}")
                yield dg.MaterializeResult(table_key(table.qualified), metadata={} if rows is None else {"rows": rows})

    return build
