"""What SQL starts from: receipts, findings and accepted rows, reference figures, rules, and the as-at instant.

Brings files into tables as they are. Any change to a row belongs in `sql/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.schema import create_table
from pipelines.home import CONTRACTS, Home
from pipelines.intake.deliver import Receipt, read_receipts
from pipelines.warehouse.connection import replace_table

_RECEIPT_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "borough": pl.String(),
    "file_name": pl.String(),
    "sha256": pl.String(),
    "received_at": pl.Datetime("us"),
    "status": pl.String(),
    "reason": pl.String(),
    "dataset": pl.String(),
    "source": pl.String(),
    "source_version": pl.String(),
    "rows_read": pl.Int64(),
    "rows_accepted": pl.Int64(),
    "rows_quarantined": pl.Int64(),
    "rows_duplicate": pl.Int64(),
    "synthetic": pl.Boolean(),
}
# Tables that are loaded, not selected: the roots of the graph.
LOADED_TABLES = (
    "intake.receipt",
    "intake.finding",
    "intake.missing_episode",
    "intake.return_interview",
    "reference.area",
    "reference.population",
    "rules.pattern",
    "rules.indicator",
    "rules.measure",
    "run.parameter",
)


def load_intake(connection: duckdb.DuckDBPyConnection, home: Home, contracts: Path = CONTRACTS) -> dict[str, int]:
    """Load receipts, findings and accepted rows. Returns rows by table."""
    receipts = read_receipts(home)
    connection.execute("create schema if not exists intake")
    replace_table(connection, "intake.receipt", _receipt_frame(receipts))
    _load_findings(connection, home, receipts)
    for dataset, contract in load_contracts(contracts).items():
        connection.execute(create_table(contract, f"intake.{dataset}"))
        files = [str(home.root / r.accepted[dataset]) for r in receipts if dataset in r.accepted]
        if files:
            insert = f"insert into intake.{dataset} by name select * from read_parquet($files)"  # noqa: S608 - our names
            connection.execute(insert, {"files": files})
    return {table: _count(connection, table) for table in LOADED_TABLES if table.startswith("intake.")}


def load_reference(connection: duckdb.DuckDBPyConnection, contracts: Path = CONTRACTS) -> dict[str, int]:
    """Load reference figures and rules. Returns rows by table."""
    connection.execute("create schema if not exists reference; create schema if not exists rules")
    for name in ("area", "population"):
        frame = pl.read_csv(contracts / "reference" / f"{name}.csv", infer_schema_length=None)
        replace_table(connection, f"reference.{name}", frame)
    indicators = _yaml(contracts, "indicators")
    patterns = pl.DataFrame(_yaml(contracts, "patterns")["patterns"], infer_schema_length=None)
    replace_table(connection, "rules.pattern", patterns.rename({"id": "rule_id"}))
    replace_table(connection, "rules.indicator", _indicator_frame(indicators))
    replace_table(connection, "rules.measure", _measure_values(indicators))
    return {table: _count(connection, table) for table in LOADED_TABLES if table.startswith(("reference.", "rules."))}


def load_parameters(
    connection: duckdb.DuckDBPyConnection, as_at: datetime | None, contracts: Path = CONTRACTS
) -> datetime:
    """Load the as-at instant: as given, else the arrival of the newest delivery. Returns it (UTC, without zone).

    No clock is read: without new deliveries a second run has the same as-at and gives the same tables.
    """
    connection.execute("create schema if not exists run")
    newest = connection.execute("select max(received_at) from intake.receipt").fetchall()[0][0]
    chosen = as_at.astimezone(UTC).replace(tzinfo=None) if as_at else newest or datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without zone, as everywhere in the warehouse
    expected_day = load_contracts(contracts)["missing_episode"].expected_day
    frame = pl.DataFrame(
        {"as_at": [chosen], "expected_day": [expected_day]},
        schema={"as_at": pl.Datetime("us"), "expected_day": pl.Int32},
    )
    replace_table(connection, "run.parameter", frame)
    return chosen


def _receipt_frame(receipts: Sequence[Receipt]) -> pl.DataFrame:
    rows = [
        {name: getattr(receipt, name) for name in _RECEIPT_SCHEMA}
        | {"received_at": datetime.fromisoformat(receipt.received_at).astimezone(UTC).replace(tzinfo=None)}
        for receipt in receipts
    ]
    return pl.DataFrame(rows, schema=_RECEIPT_SCHEMA)


def _load_findings(connection: duckdb.DuckDBPyConnection, home: Home, receipts: Sequence[Receipt]) -> None:
    connection.execute(
        "create or replace table intake.finding (delivery_id varchar, dataset varchar, row_number bigint, "
        "rule_id varchar, severity varchar, column_name varchar, column_letter varchar)"
    )
    files = [
        str(home.quarantine / r.borough / f"{r.sha256}.{r.rules_key}.findings.parquet")
        for r in receipts
        if r.status == "accepted"
    ]
    if files:
        connection.execute("insert into intake.finding by name select * from read_parquet($files)", {"files": files})


def _yaml(contracts: Path, name: str) -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((contracts / "rules" / f"{name}.yaml").read_text(encoding="utf-8"))
    return raw


def _indicator_frame(indicators: dict[str, Any]) -> pl.DataFrame:
    """One row per indicator and variant, with the limits of symbols."""
    frame = pl.DataFrame(indicators["indicators"], infer_schema_length=None)
    return frame.with_columns(pl.lit(limit).alias(name) for name, limit in indicators["not_measurable"].items())


def _measure_values(indicators: dict[str, Any]) -> pl.DataFrame:
    """One row per measure, breakdown and value, with the deliveries it depends on and the limits of its symbols."""
    limits = indicators["not_measurable"]
    values = {"total": ["Total"]} | indicators["breakdowns"]
    rows = [
        (measure, "interview" if measure.startswith("rhi_") else "episode", breakdown, value)
        for measure, breakdowns in indicators["measures"].items()
        for breakdown in ("total", *breakdowns)
        for value in values[breakdown]
    ]
    frame = pl.DataFrame(rows, schema=["measure", "family", "breakdown", "breakdown_value"], orient="row")
    return frame.with_columns(pl.lit(limit).alias(name) for name, limit in limits.items())


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])  # noqa: S608 - our own names
