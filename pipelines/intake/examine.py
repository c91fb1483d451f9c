"""One file, understood: read, recognised, checked for identifiers, mapped and parsed; then judged by the rules.

The same engine serves intake and `mfh check`. It touches no disk. A file that cannot be taken ends in
`RefusedFileError` with one sentence; a row that cannot be taken ends as a critical finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.contracts.contract import TEMPORAL, Contract, load_contracts
from pipelines.contracts.rules import Rule, contract_rules
from pipelines.home import CONTRACTS
from pipelines.intake.identifiers import IdentifierFinding, find_identifiers
from pipelines.intake.read import Table, UnreadableFileError, column_letter, read_table
from pipelines.intake.sources import Part, Source, UnrecognisedFileError, map_part, recognise
from pipelines.intake.typed import LOCAL_ZONE, DateReading, parse
from pipelines.region import Area

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


class RefusedFileError(Exception):
    """A file refused whole. `rule_id` says why, `columns` where (identifier findings), the message what to do."""

    def __init__(self, rule_id: str, message: str, columns: Sequence[IdentifierFinding] = ()) -> None:
        """Keep the rule and the columns beside the message."""
        super().__init__(message)
        self.rule_id = rule_id
        self.columns = tuple(columns)


@dataclass(frozen=True)
class PartRows:
    """Parsed rows of one dataset of a file, with `row_number`."""

    contract: Contract
    part: Part
    rows: pl.DataFrame


@dataclass(frozen=True)
class Examined:
    """A file that was understood; its rows are not judged yet."""

    delivery_id: str
    borough: Area
    received_at: datetime
    source: Source
    table: Table
    duplicates: pl.Series
    unknown_columns: tuple[str, ...]
    parts: tuple[PartRows, ...]

    @property
    def main(self) -> PartRows:
        """The dataset whose rows are the rows of the file."""
        return self.parts[0]

    def header_of(self, part: Part, column: str) -> str:
        """Name, in the sender's own header, of the column that fills a canonical one (itself where there is none)."""
        mapped = part.columns.get(column)
        name = mapped.source if mapped else None
        if mapped and not name and mapped.derived_from:
            name = mapped.derived_from[0]
        return next((h for h in self.table.header if name and h.casefold() == name.casefold()), name or column)

    def letter_of(self, header: str) -> str:
        """Spreadsheet letter of a header cell, blank where the file has no such column."""
        return column_letter(self.table.header.index(header)) if header in self.table.header else ""


def examine(  # noqa: PLR0917 - the five facts that identify a delivery
    name: str, data: bytes, borough: Area, received_at: datetime, delivery_id: str, contracts: Path = CONTRACTS
) -> Examined:
    """Understand one file.

    Args:
        name: file name, for its type only.
        data: the bytes.
        borough: the sender.
        received_at: when it arrived (UTC); nothing in it can have started later.
        delivery_id: how findings refer to it.
        contracts: folder of contracts, layouts and rules.

    Raises:
        RefusedFileError: unreadable, no known layout, or direct identifiers in it.
    """
    try:
        table = read_table(name, data)
        source = recognise(table.header, contracts)
    except UnreadableFileError as error:
        raise RefusedFileError("file.unreadable", str(error)) from error
    except UnrecognisedFileError as error:
        raise RefusedFileError("file.unrecognised", str(error)) from error
    return understand(table, source, borough, received_at, delivery_id, contracts)


def understand(  # noqa: PLR0917 - as above
    table: Table, source: Source, borough: Area, received_at: datetime, delivery_id: str, contracts: Path = CONTRACTS
) -> Examined:
    """Refuse identifiers, then map and parse a table whose layout is known."""
    refuse_identifiers(table.frame, source, contracts)
    numbered = table.frame.with_columns(table.row_numbers.alias("row_number"))
    repeated = numbered.select(pl.struct(pl.exclude("row_number")).is_first_distinct().not_()).to_series()
    kept = numbered.filter(~repeated)
    datasets = load_contracts(contracts)
    reading = DateReading(source.date_formats, source.midnight_is_unknown_time)
    parts = tuple(
        PartRows(
            datasets[part.dataset], part, parse(map_part(part, kept, borough.code), datasets[part.dataset], reading)
        )
        for part in source.parts
    )
    return Examined(
        delivery_id=delivery_id,
        borough=borough,
        received_at=received_at,
        source=source,
        table=table,
        duplicates=table.row_numbers.filter(repeated),
        unknown_columns=tuple(h for h in table.header if h.casefold() not in source.known_columns),
        parts=parts,
    )


def refuse_identifiers(cells: pl.DataFrame, source: Source, contracts: Path = CONTRACTS) -> None:
    """Raise `RefusedFileError` where a column holds direct identifiers."""
    datasets = load_contracts(contracts)
    dates = {
        column.source.casefold()
        for part in source.parts
        for name, column in part.columns.items()
        if column.source and name in datasets[part.dataset].of_type(*TEMPORAL)
    }
    child = source.main.columns["child_id"].source or ""
    found = find_identifiers(
        cells,
        child_columns=[h for h in cells.columns if h.casefold() == child.casefold()],
        date_columns=[h for h in cells.columns if h.casefold() in dates],
        contracts=contracts,
    )
    if found:
        remedy = "Run `mfh pseudonymise` and send its output" if source.pseudonymise else "Take the column out"
        reasons = "; ".join(finding.sentence for finding in found)
        msg = f"The file carries direct identifiers and was refused whole; nothing of it was kept. {reasons}. {remedy}."
        raise RefusedFileError(found[0].rule_id, msg, found)


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
