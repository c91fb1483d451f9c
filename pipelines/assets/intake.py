"""Assets of intake: one partition a borough, any number of boroughs in one run."""

from collections.abc import Iterator, Sequence

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.intake.deliver import Receipt, ingest
from pipelines.region import load_region
from pipelines.warehouse.load import LOADED_TABLES, load_intake, load_parameters, load_reference

BOROUGHS = dg.StaticPartitionsDefinition(list(load_region().slugs))
RECEIVED = dg.AssetKey(["intake", "received"])
_LOADED_FROM_DELIVERIES = [table for table in LOADED_TABLES if table.startswith("intake.")]
_LOADED_FROM_CONTRACTS = [table for table in LOADED_TABLES if table.startswith(("reference.", "rules."))]


def table_key(qualified: str) -> dg.AssetKey:
    """Asset key of a warehouse table."""
    return dg.AssetKey(qualified.split("."))


@dg.asset(
    key=RECEIVED,
    partitions_def=BOROUGHS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="intake",
    kinds={"polars", "great_expectations"},
    description="Files in landing, read, judged row by row and filed as accepted and quarantined rows with a receipt.",
    check_specs=[
        dg.AssetCheckSpec(
            "every_row_is_accounted_for",
            asset=RECEIVED,
            blocking=True,
            description="Of each file: rows read = accepted + quarantined + exact duplicates.",
        ),
        dg.AssetCheckSpec("no_file_was_refused", asset=RECEIVED, description="Every file could be taken in."),
        dg.AssetCheckSpec("no_row_was_quarantined", asset=RECEIVED, description="Every row met every critical rule."),
    ],
)
def received(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """Take in the landing folders of the partitions of this run."""
    region = load_region()
    receipts = ingest(house.home, [region.borough(slug) for slug in context.partition_keys], house.arrival())
    return dg.MaterializeResult(
        metadata={
            "files": len(receipts),
            "rows_read": sum(r.rows_read for r in receipts),
            "rows_accepted": sum(r.rows_accepted for r in receipts),
            "rows_quarantined": sum(r.rows_quarantined for r in receipts),
            "rows_duplicate": sum(r.rows_duplicate for r in receipts),
        },
        check_results=_checks(receipts),
    )


def _checks(receipts: Sequence[Receipt]) -> list[dg.AssetCheckResult]:
    unaccounted = [
        r.delivery_id for r in receipts if r.rows_read != r.rows_accepted + r.rows_quarantined + r.rows_duplicate
    ]
    refused = [r.delivery_id for r in receipts if r.status == "rejected"]
    quarantined = [r.delivery_id for r in receipts if r.rows_quarantined]
    return [
        dg.AssetCheckResult(
            check_name="every_row_is_accounted_for", passed=not unaccounted, metadata={"deliveries": unaccounted}
        ),
        _warning("no_file_was_refused", refused),
        _warning("no_row_was_quarantined", quarantined),
    ]


def _warning(name: str, deliveries: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=not deliveries,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"deliveries": deliveries},
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(table_key(t), deps=[RECEIVED], group_name="intake", kinds={"duckdb"})
        for t in _LOADED_FROM_DELIVERIES
    ],
    pool=WAREHOUSE_POOL,
)
def delivered_tables(house: House) -> Iterator[dg.MaterializeResult]:
    """Receipts, findings and accepted rows of all deliveries, as tables."""
    with house.writer() as connection:
        rows = load_intake(connection, house.home)
    for table in _LOADED_FROM_DELIVERIES:
        yield dg.MaterializeResult(table_key(table), metadata={"rows": rows[table]})


@dg.multi_asset(
    specs=[dg.AssetSpec(table_key(t), group_name="reference", kinds={"duckdb"}) for t in _LOADED_FROM_CONTRACTS],
    pool=WAREHOUSE_POOL,
)
def reference_tables(house: House) -> Iterator[dg.MaterializeResult]:
    """Reference figures and rules, as tables."""
    with house.writer() as connection:
        rows = load_reference(connection)
    for table in _LOADED_FROM_CONTRACTS:
        yield dg.MaterializeResult(table_key(table), metadata={"rows": rows[table]})


@dg.asset(
    key=table_key("run.parameter"),
    deps=[table_key("intake.receipt")],
    group_name="intake",
    kinds={"duckdb"},
    pool=WAREHOUSE_POOL,
    description="The as-at instant: nothing received later counts.",
)
def run_parameter(house: House) -> dg.MaterializeResult:
    """Fix the instant that all tables of this run are for."""
    with house.writer() as connection:
        chosen = load_parameters(connection, house.as_at_instant)
    return dg.MaterializeResult(metadata={"as_at": f"{chosen.isoformat()}Z"})
