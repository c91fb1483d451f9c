"""Assets of intake: one partition a borough, any number of boroughs in one run."""

from collections.abc import Iterator, Sequence

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.intake.corrections import NOT_AS_EXPECTED
from pipelines.intake.deliver import ingest
from pipelines.intake.links import see_links
from pipelines.intake.receipt import Receipt
from pipelines.region import load_region
from pipelines.warehouse.load import (
    LOADED_FROM_CONTRACTS,
    LOADED_FROM_DELIVERIES,
    count_rows,
    load_intake,
    load_reference,
)

BOROUGHS = dg.StaticPartitionsDefinition(list(load_region().slugs))
RECEIVED = dg.AssetKey(["intake", "received"])


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
        dg.AssetCheckSpec(
            "corrections_still_fit",
            asset=RECEIVED,
            description="No correction met a row that its borough has changed since.",
        ),
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
    unfit = [r.delivery_id for r in receipts if any(f.rule_id == NOT_AS_EXPECTED for f in r.findings)]
    return [
        dg.AssetCheckResult(
            check_name="every_row_is_accounted_for", passed=not unaccounted, metadata={"deliveries": unaccounted}
        ),
        _warning("no_file_was_refused", refused),
        _warning("no_row_was_quarantined", quarantined),
        dg.AssetCheckResult(check_name="corrections_still_fit", passed=not unfit, metadata={"deliveries": unfit}),
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
        for t in LOADED_FROM_DELIVERIES
    ],
    pool=WAREHOUSE_POOL,
)
def delivered_tables(house: House) -> Iterator[dg.MaterializeResult]:
    """Everything received by the as-at instant, as tables, and that instant."""
    see_links(house.home, house.arrival())
    with house.writer() as connection:
        as_at = load_intake(connection, house.home, house.as_at_instant)
        rows = {table: count_rows(connection, table) for table in LOADED_FROM_DELIVERIES}
    for table in LOADED_FROM_DELIVERIES:
        yield dg.MaterializeResult(table_key(table), metadata={"rows": rows[table], "as_at": f"{as_at.isoformat()}Z"})


@dg.multi_asset(
    specs=[dg.AssetSpec(table_key(t), group_name="reference", kinds={"duckdb"}) for t in LOADED_FROM_CONTRACTS],
    pool=WAREHOUSE_POOL,
)
def reference_tables(house: House) -> Iterator[dg.MaterializeResult]:
    """Reference figures and rules, as tables."""
    with house.writer() as connection:
        load_reference(connection)
        rows = {table: count_rows(connection, table) for table in LOADED_FROM_CONTRACTS}
    for table in LOADED_FROM_CONTRACTS:
        yield dg.MaterializeResult(table_key(table), metadata={"rows": rows[table]})
