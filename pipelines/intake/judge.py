"""Judging the rows of understood files: every contract rule on every row, and what reading found.

A finding is a row number, a rule and a column, never a cell. Rules are stated in the contracts and run by
`contracts.suite`; what becomes of a row that fails is decided in `deliver`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.contracts.contract import Contract, load_contracts
from pipelines.contracts.rules import Rule, contract_rules
from pipelines.home import CONTRACTS
from pipelines.intake.examine import Examined, PartRows
from pipelines.intake.typed import LOCAL_ZONE

if TYPE_CHECKING:
    import pandas as pd

FINDINGS_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "dataset": pl.String(),
    "row_number": pl.Int64(),
    "rule_id": pl.String(),
    "severity": pl.String(),
    "column": pl.String(),
}
RAGGED = "file.ragged_row"
DUPLICATE = "file.duplicate_row"
FILE_MESSAGES = {
    RAGGED: "The row has more or fewer cells than the header.",
    DUPLICATE: "The row repeats an earlier row of this file exactly; it was counted once.",
}


def judge(examined: Sequence[Examined]) -> pl.DataFrame:
    """Run every contract rule on every row of the files, and add what reading found.

    Returns:
        One row per finding (`FINDINGS_SCHEMA`). A requirement that the layout cannot meet is `info`.
    """
    parts: dict[str, list[tuple[Examined, PartRows]]] = {}
    for file in examined:
        for rows in file.parts:
            parts.setdefault(rows.contract.dataset, []).append((file, rows))
    frames = [_reading_findings(file) for file in examined]
    frames += [_judge_dataset(files) for _, files in sorted(parts.items())]
    return pl.concat(frames) if frames else pl.DataFrame(schema=FINDINGS_SCHEMA)


def _judge_dataset(files: list[tuple[Examined, PartRows]]) -> pl.DataFrame:
    from pipelines.contracts.suite import run_rules

    contract = files[0][1].contract
    rules = contract_rules(contract)
    rows = pl.concat(
        [
            part.rows.select(pl.exclude(r"^.*\.(value|precision)$")).with_columns(
                pl.lit(file.delivery_id).alias("delivery_id"),
                pl.lit(local_clock(file.received_at)).alias("received_at"),
            )
            for file, part in files
        ],
        how="diagonal",
    ).with_row_index("index")
    failures = run_rules(_rule_frame(rows, contract), rules)
    by_rule = pl.DataFrame(
        [(rule.rule_id, rule.severity, rule.column, rule.kind) for rule in rules],
        schema=["rule_id", "severity", "column", "kind"],
        orient="row",
    )
    waived = pl.DataFrame(
        [(file.delivery_id, column, "required") for file, _ in files for column in file.source.not_supplied],
        schema={"delivery_id": pl.String, "column": pl.String, "kind": pl.String},
        orient="row",
    ).with_columns(pl.lit("info").alias("waived"))
    return (
        failures.join(by_rule, on="rule_id")
        .join(rows.select(pl.col("index").cast(pl.Int64), "delivery_id", "row_number"), on="index")
        .join(waived, on=["delivery_id", "column", "kind"], how="left")
        .with_columns(pl.coalesce("waived", "severity").alias("severity"), pl.lit(contract.dataset).alias("dataset"))
        .select(pl.col(name).cast(kind) for name, kind in FINDINGS_SCHEMA.items())
        .sort("delivery_id", "row_number", "rule_id")
    )


def _rule_frame(rows: pl.DataFrame, contract: Contract) -> pd.DataFrame:
    """Build the pandas frame that Great Expectations reads; pandas is used nowhere else."""
    key = contract.primary_key
    rows = rows.with_columns((pl.col("delivery_id") + "|" + pl.col(key)).alias(f"{key}.key"))
    columns = [name for name in rows.columns if name not in {"index", "delivery_id", "row_number"}]
    import pandas as pd

    return pd.DataFrame({name: _to_pandas(rows[name]) for name in columns})


def _to_pandas(column: pl.Series) -> object:
    return column.to_numpy() if column.dtype.is_numeric() or column.dtype.is_temporal() else column.to_list()


def _reading_findings(file: Examined) -> pl.DataFrame:
    found = [
        (pl.Series(file.table.ragged, dtype=pl.Int64), RAGGED, "critical"),
        (file.duplicates, DUPLICATE, "info"),
    ]
    return pl.concat(
        [
            pl.DataFrame(
                {"row_number": rows},
                schema={"row_number": pl.Int64},
            ).select(
                pl.lit(file.delivery_id).alias("delivery_id"),
                pl.lit(file.main.contract.dataset).alias("dataset"),
                "row_number",
                pl.lit(rule_id).alias("rule_id"),
                pl.lit(severity).alias("severity"),
                pl.lit("").alias("column"),
            )
            for rows, rule_id, severity in found
        ]
    )


def local_clock(instant: datetime) -> datetime:
    """Return an instant as Europe/London clock time without a zone."""
    return instant.astimezone(ZoneInfo(LOCAL_ZONE)).replace(tzinfo=None)


def rules_by_id(contracts: Path = CONTRACTS) -> dict[str, Rule]:
    """Every contract rule by its id."""
    return {rule.rule_id: rule for c in load_contracts(contracts).values() for rule in contract_rules(c)}


def messages_by_rule(contracts: Path = CONTRACTS) -> dict[str, str]:
    """What a person reads for each rule that a row can fail, the contract's and those of reading."""
    return {rule_id: rule.message for rule_id, rule in rules_by_id(contracts).items()} | FILE_MESSAGES
