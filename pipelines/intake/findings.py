"""What is found about rows: the form of findings and outcomes, and those that understanding a file makes by itself.

Ragged rows, repeated rows, rows that are no episodes by the layout's rule, and cells that corrections concerned. Rules
are run in `judge`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.intake.corrections import APPLIED, NOT_AS_EXPECTED
from pipelines.intake.examine import Examined

FINDINGS_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "dataset": pl.String(),
    "row_number": pl.Int64(),
    "rule_id": pl.String(),
    "severity": pl.String(),
    "column": pl.String(),
}
OUTCOMES_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "dataset": pl.String(),
    "rule_id": pl.String(),
    "severity": pl.String(),
    "outcome": pl.String(),
    "rows": pl.Int64(),
    "reason": pl.String(),
}
PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not_applicable"
RAGGED = "file.ragged_row"
DUPLICATE = "file.duplicate_row"
MESSAGES = {
    RAGGED: "The row has more or fewer cells than the header.",
    DUPLICATE: "The row repeats an earlier row of this file in every column we use; it was counted once.",
    NOT_AS_EXPECTED: (
        "A correction did not find what it expects here and was not applied; the source has been changed, so the "
        "correction should be ended or amended."
    ),
    APPLIED: "The cell was corrected as the borough asked.",
}


@dataclass(frozen=True)
class Judged:
    """What judging found (`FINDINGS_SCHEMA`) and how each rule came out for each delivery (`OUTCOMES_SCHEMA`).

    An outcome counts every row that fails the rule, also rows where another rule that says the same is reported.
    """

    findings: pl.DataFrame
    outcomes: pl.DataFrame


def found_on_the_way(file: Examined) -> Judged:
    """What reading, mapping and correcting a file found."""
    found = [
        _found(file, RAGGED, "critical", pl.DataFrame({"row_number": file.table.ragged})),
        _found(file, DUPLICATE, "info", pl.DataFrame({"row_number": file.duplicates})),
    ]
    where = file.source.rows_kept
    if where:
        found.append(_found(file, where.rule_id, where.severity, file.set_aside))
    for part in file.parts:
        for rule_id, severity in ((NOT_AS_EXPECTED, "warning"), (APPLIED, "info")):
            cells = part.corrected.filter(pl.col("rule_id") == rule_id).rename({"column_name": "column"})
            if not cells.is_empty():
                found.append(_found(file, rule_id, severity, cells, part.contract.dataset))
    return Judged(pl.concat(one.findings for one in found), pl.concat(one.outcomes for one in found))


def _found(file: Examined, rule_id: str, severity: str, rows: pl.DataFrame, dataset: str = "") -> Judged:
    dataset = dataset or file.main.contract.dataset
    column = pl.col("column") if "column" in rows.columns else pl.lit("")
    findings = rows.select(
        pl.lit(file.delivery_id).alias("delivery_id"),
        pl.lit(dataset).alias("dataset"),
        pl.col("row_number").cast(pl.Int64),
        pl.lit(rule_id).alias("rule_id"),
        pl.lit(severity).alias("severity"),
        column.alias("column"),
    )
    outcome = FAILED if rows.height else PASSED
    stated = (file.delivery_id, dataset, rule_id, severity, outcome, rows.height, "")
    return Judged(findings, pl.DataFrame([stated], schema=OUTCOMES_SCHEMA, orient="row"))
