"""A warehouse in memory for a handful of files, so that rules which compare files can run before anything is sent.

The tables are those of `sql/`, filled as a run would fill them; nothing is written to disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import duckdb
import polars as pl

from pipelines.home import CONTRACTS
from pipelines.intake.examine import Examined
from pipelines.intake.filing import accepted_rows
from pipelines.intake.findings import Judged
from pipelines.warehouse.connection import connect, query_frame
from pipelines.warehouse.graph import build_table, tables_needed
from pipelines.warehouse.load import create_delivered_tables, insert_rows, load_parameters, load_reference

_FINDINGS = """
select delivery_id, dataset, row_number, rule_id, severity, column_name as column
from quality.cross_file_finding
where delivery_id = $delivery
order by row_number, rule_id
"""
_OUTCOMES = """
select $delivery as delivery_id, dataset, rule_id, severity, outcome, rows, reason
from quality.cross_file_outcome
where
    borough = $borough
    and (dataset = $dataset or ($dataset in ('missing_episode', 'placement') and starts_with(rule_id, 'ssda903.')))
order by rule_id
"""


def compare_files(files: Sequence[tuple[Examined, Judged]], contracts: Path = CONTRACTS) -> Judged:
    """Run the rules that compare files.

    Args:
        files: the file that is asked about first, then those it is compared with, all of one borough and judged.
        contracts: folder of contracts and rules.

    Returns:
        Findings on rows of the first file, and how each rule came out that concerns its dataset.
    """
    asked = files[0][0]
    with connect(Path(":memory:"), read_only=False) as connection:
        create_delivered_tables(connection, contracts)
        load_parameters(connection, asked.received_at.astimezone(UTC).replace(tzinfo=None), contracts)
        load_reference(connection, contracts)
        for examined, judged in files:
            _fill(connection, examined, judged, contracts)
        for table in tables_needed(("quality.cross_file_finding", "quality.cross_file_outcome")):
            build_table(connection, table)
        findings = query_frame(connection, _FINDINGS, delivery=asked.delivery_id)
        outcomes = query_frame(
            connection,
            _OUTCOMES,
            delivery=asked.delivery_id,
            borough=asked.borough.slug,
            dataset=asked.main.contract.dataset,
        )
    return Judged(findings, outcomes)


def _fill(connection: duckdb.DuckDBPyConnection, file: Examined, judged: Judged, contracts: Path) -> None:
    receipt = pl.DataFrame(
        {
            "delivery_id": [file.delivery_id],
            "borough": [file.borough.slug],
            "file_name": [file.delivery_id],
            "sha256": [file.delivery_id],
            "received_at": [file.received_at.astimezone(UTC).replace(tzinfo=None)],
            "status": ["accepted"],
            "dataset": [file.main.contract.dataset],
            "source": [file.source.id],
            "source_version": [file.source.version],
        }
    )
    insert_rows(connection, "intake.receipt", receipt)
    for dataset, rows in accepted_rows(file, judged, contracts).items():
        insert_rows(connection, f"intake.{dataset}", rows)
