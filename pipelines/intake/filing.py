"""Filing a delivery: accepted rows, quarantined rows and findings as Parquet, the receipt last.

A run killed before the receipt is simply done again. A file refused whole leaves a receipt and feedback, and nothing
of its contents. Nothing here looks at a cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.contracts.contract import load_contracts
from pipelines.home import CONTRACTS, Home
from pipelines.intake.examine import Examined, PartRows, RefusedFileError
from pipelines.intake.findings import Judged
from pipelines.intake.judge import messages_for
from pipelines.intake.kept import forget, keep_bytes, keep_table
from pipelines.intake.landing import LandedFile, UnreadFile
from pipelines.intake.receipt import Receipt, RuleCount, shown_name, write_receipt
from pipelines.intake.store import write_parquet
from pipelines.intake.typed import accepted_columns

_ROWS_NAMED = 50
_SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class _Cabinet:
    """Where the files of one delivery go; names them relative to the home."""

    home: Home
    landed: LandedFile
    stem: str

    def write(self, folder: Path, kind: str, frame: pl.DataFrame) -> str:
        """Write rows and return the name of the file; no rows, no file and no name."""
        if frame.is_empty():
            return ""
        path = folder / self.landed.borough.slug / f"{self.stem}{kind}.parquet"
        write_parquet(path, frame)
        return str(path.relative_to(self.home.root))


def store(  # noqa: PLR0917 - the file, what was found in it, and where it goes
    home: Home, landed: LandedFile, file: Examined, judged: Judged, key: str, contracts: Path = CONTRACTS
) -> Receipt:
    """File the rows of a delivery and return its receipt."""
    if file.is_whole:
        keep_bytes(home, landed)
    else:
        keep_table(home, landed, file.table)
    cabinet = _Cabinet(home, landed, f"{landed.sha256}.{key}")
    main = file.main.contract.dataset
    lost = quarantined(file, judged)
    good = accepted_rows(file, judged, contracts)
    cells = file.table.frame.with_columns(file.table.row_numbers.alias("row_number"))
    cabinet.write(home.quarantine, "", cells.filter(pl.col("row_number").is_in(lost.implode())))
    receipt = Receipt(
        delivery_id=file.delivery_id,
        borough=landed.borough.slug,
        file_name=shown_name(landed.name),
        sha256=landed.sha256,
        received_at=landed.received_at.isoformat(),
        status="accepted",
        reason="",
        dataset=main,
        source=file.source.id,
        source_version=_version(file),
        source_notes=[note.note_id for note in file.source.notes],
        rules_key=key,
        rows_read=file.table.rows_read,
        rows_accepted=good[main].height,
        rows_quarantined=lost.len(),
        rows_duplicate=file.duplicates.len(),
        quarantined_months=_months_of(file.main, lost),
        synthetic=_is_synthetic(landed, file),
        accepted={
            dataset: cabinet.write(home.accepted, f".{dataset}", rows)
            for dataset, rows in good.items()
            if not rows.is_empty()
        },
        also_accepted={dataset: rows.height for dataset, rows in good.items() if dataset != main},
        also_refused={
            part.contract.dataset: part.rows.height - good[part.contract.dataset].height
            for part in file.parts
            if part.contract.dataset != main
        },
        findings_file=cabinet.write(home.quarantine, ".findings", _in_senders_words(judged.findings, file)),
        outcomes_file=cabinet.write(home.quarantine, ".outcomes", judged.outcomes),
        trapped_file=cabinet.write(home.accepted, ".trapped", _trapped(file, good)),
        findings=rule_counts(judged.findings, file, contracts),
        not_applicable=not_applicable(judged.outcomes),
        notes=list(file.notes),
    )
    write_receipt(home, receipt)
    return receipt


def refuse(home: Home, landed: LandedFile, refused: RefusedFileError, key: str) -> Receipt:
    """Book a file refused whole: a receipt and feedback, none of its contents."""
    _forget_contents(home, landed)
    findings = [
        RuleCount(f.rule_id, "critical", f.column_name, f.letter, 0, f.message, []) for f in refused.columns
    ] or [RuleCount(refused.rule_id, "critical", "", "", 0, str(refused), [])]
    receipt = Receipt(
        delivery_id=landed.delivery_id,
        borough=landed.borough.slug,
        file_name=shown_name(landed.name),
        sha256=landed.sha256,
        received_at=landed.received_at.isoformat(),
        status="rejected",
        reason=str(refused),
        rules_key=key,
        synthetic=_SYNTHETIC in landed.name.lower(),
        findings=findings,
    )
    write_receipt(home, receipt)
    return receipt


def refuse_unread(home: Home, file: UnreadFile) -> Receipt:
    """Book a file whose bytes could not be read; its name stands in for its checksum."""
    receipt = Receipt(
        delivery_id=f"{file.borough.slug}-{file.sha256[:32]}",
        borough=file.borough.slug,
        file_name=shown_name(file.name),
        sha256=file.sha256,
        received_at=file.received_at.isoformat(),
        status="rejected",
        reason=file.problem,
        unread=True,
    )
    write_receipt(home, receipt)
    return receipt


def quarantined(file: Examined, judged: Judged) -> pl.Series:
    """Numbers of the rows of the file that a critical rule objects to."""
    critical = pl.col("severity") == "critical"
    return judged.findings.filter(critical & (pl.col("dataset") == file.main.contract.dataset))["row_number"].unique()


def accepted_rows(file: Examined, judged: Judged, contracts: Path = CONTRACTS) -> dict[str, pl.DataFrame]:
    """The rows of each dataset that no critical rule objects to, there or in the file's main dataset."""
    lost = quarantined(file, judged)
    critical = judged.findings.filter(pl.col("severity") == "critical")
    return {
        part.contract.dataset: _accepted(_good_rows(part, critical, lost), file, part.contract.dataset, contracts)
        for part in file.parts
    }


def rule_counts(findings: pl.DataFrame, file: Examined, contracts: Path = CONTRACTS) -> list[RuleCount]:
    """Summarise findings per rule and column, critical first, in the sender's coordinates."""
    messages = messages_for(file, contracts)
    grouped = (
        _in_senders_words(findings, file)
        .group_by("rule_id", "severity", "column_name", "column_letter")
        .agg(pl.len().alias("rows"), pl.col("row_number").sort().head(_ROWS_NAMED).alias("first_rows"))
        .sort("severity", "rule_id", "column_name")
    )
    return [RuleCount(message=messages[row["rule_id"]], **row) for row in grouped.to_dicts()]


def not_applicable(outcomes: pl.DataFrame) -> dict[str, str]:
    """Rules that could not be applied to the delivery, with the reason."""
    told = outcomes.filter(pl.col("outcome") == "not_applicable").sort("rule_id")
    return dict(told.select("rule_id", "reason").iter_rows())


def _good_rows(part: PartRows, critical: pl.DataFrame, lost: pl.Series) -> pl.DataFrame:
    """Rows of a dataset that no critical rule objects to, in this dataset or in the file's main one."""
    failed = critical.filter(pl.col("dataset") == part.contract.dataset)["row_number"].append(lost).unique()
    return part.rows.filter(~pl.col("row_number").is_in(failed.implode()))


def _accepted(rows: pl.DataFrame, file: Examined, dataset: str, contracts: Path) -> pl.DataFrame:
    provenance = rows.with_columns(
        pl.lit(file.delivery_id).alias("delivery_id"),
        pl.lit(file.borough.slug).alias("borough"),
        pl.lit(file.source.id).alias("source"),
    )
    return accepted_columns(provenance, load_contracts(contracts)[dataset])


def _trapped(file: Examined, good: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Raw beside mapped value of accepted rows, wherever the layout's mapping needs a note."""
    return pl.concat(
        part.trapped.join(good[part.contract.dataset], on="row_number", how="semi").select(
            pl.lit(file.delivery_id).alias("delivery_id"),
            pl.lit(file.borough.slug).alias("borough"),
            pl.lit(part.contract.dataset).alias("dataset"),
            "row_number",
            "column_name",
            "raw_value",
            "mapped_value",
            pl.lit(file.source.id).alias("source"),
            "source_version",
            "note_id",
        )
        for part in file.parts
    )


def _version(file: Examined) -> str:
    """The version of the mapping; where yearly differences made several, all of them."""
    versions = file.main.rows["source_version"].unique().sort()
    return ", ".join(versions) if versions.len() else file.source.version


def _months_of(part: PartRows, row_numbers: pl.Series) -> dict[str, int]:
    """Months of start of some rows, where it can be read, and how many rows each has."""
    if "started_at.value" not in part.rows.columns:
        return {}
    rows = part.rows.filter(pl.col("row_number").is_in(row_numbers.implode())).drop_nulls("started_at.value")
    months = rows.group_by(pl.col("started_at.value").dt.strftime("%Y-%m").alias("month")).len().sort("month")
    return {month: int(count) for month, count in months.iter_rows()}


def _in_senders_words(findings: pl.DataFrame, file: Examined) -> pl.DataFrame:
    """Replace canonical columns by the sender's header cells and add their letters."""
    parts = {part.contract.dataset: part.part for part in file.parts}
    pairs: Iterable[tuple[str, str]] = findings.select("dataset", "column").unique().rows()
    names = [(d, c, file.header_of(parts[d], c) if c else "") for d, c in pairs]
    lookup = pl.DataFrame(
        [(d, c, name, file.table.letter(name)) for d, c, name in names],
        schema=dict.fromkeys(("dataset", "column", "column_name", "column_letter"), pl.String),
        orient="row",
    )
    return findings.join(lookup, on=["dataset", "column"], how="left").drop("column")


def _is_synthetic(landed: LandedFile, file: Examined) -> bool:
    main = file.main.rows
    marked = "source_system" in main.columns and main["source_system"].str.contains(_SYNTHETIC).any()
    return bool(marked) or _SYNTHETIC in landed.name.lower()


def _forget_contents(home: Home, landed: LandedFile) -> None:
    """Remove what an earlier run, under other rules, had kept of a file.

    The bytes stay where they are the only copy, since the file has left landing: a mistaken rule must not destroy it.
    """
    slug = landed.borough.slug
    for folder in (home.accepted, home.quarantine):
        for path in (folder / slug).glob(f"{landed.sha256}*.parquet"):
            path.unlink()
    if (home.landing / slug / landed.name).exists():
        forget(home, landed)
