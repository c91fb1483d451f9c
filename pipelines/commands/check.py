"""`mfh check`: the engine of intake on one file, before it is sent, with no warehouse."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import polars as pl

from pipelines.commands.inputs import borough_named, file_bytes, require_layout, source_of
from pipelines.intake.examine import (
    Examined,
    RefusedFileError,
    examine,
    understand,
)
from pipelines.intake.judge import judge, messages_by_rule
from pipelines.intake.pseudonymise import PseudonymiseError, pseudonymise
from pipelines.intake.read import Table, UnreadableFileError, column_letter, read_table
from pipelines.intake.sources import Source
from pipelines.region import Area

NOT_PSEUDONYMISED = "identifier.not_pseudonymised"
_ROWS_SHOWN = 12
_UNREADABLE = 2


def check_file(path: Path, borough_slug: str, source_id: str | None, *, as_json: bool) -> int:
    """Check a file and print what was found.

    Returns:
        0 where nothing is wrong, 1 where there are warnings or worse, 2 where the file cannot be read at all.
    """
    borough = borough_named(borough_slug)
    data = file_bytes(path)
    report, code = _report(path, data, borough, source_id)
    if as_json:
        click.echo(json.dumps(report, indent=1))
    elif code != _UNREADABLE:
        click.echo(_for_people(report))
    if code == _UNREADABLE:
        click.echo(f"mfh: {report['findings'][0]['message']}", err=True)
    return code


def _report(path: Path, data: bytes, borough: Area, source_id: str | None) -> tuple[dict[str, Any], int]:
    now = datetime.now(UTC)
    report: dict[str, Any] = {"file": path.name, "borough": borough.slug, "dataset": None, "source": None}
    try:
        table = read_table(path.name, data)
    except UnreadableFileError as error:
        return report | _refusal("file.unreadable", str(error)), _UNREADABLE
    if source_id:
        require_layout(table, source_id)
    try:
        examined, raw = _examine(path, data, table, borough, now)
    except RefusedFileError as refused:
        return report | _refusal(refused.rule_id, str(refused), refused), 1
    findings = judge([examined])
    critical = findings.filter(
        (pl.col("severity") == "critical") & (pl.col("dataset") == examined.main.contract.dataset)
    )
    quarantined = critical["row_number"].n_unique()
    rows = _findings(findings, examined, raw[1].header if raw else examined.table.header)
    if raw:
        rows.insert(0, _raw_finding(raw))
    accepted = examined.table.rows_read - quarantined - examined.duplicates.len()
    report |= {
        "dataset": examined.main.contract.dataset,
        "source": examined.source.id,
        "rows_read": examined.table.rows_read,
        "rows_accepted": accepted,
        "refused": False,
        "findings": rows,
    }
    worse = any(row["severity"] != "info" for row in rows)
    return report, 1 if worse else 0


def _examine(
    path: Path, data: bytes, table: Table, borough: Area, now: datetime
) -> tuple[Examined, tuple[Source, Table] | None]:
    """Examine as intake would; a raw extract is pseudonymised in memory first, with a key that is thrown away."""
    try:
        return examine(path.name, data, borough, now, "check"), None
    except RefusedFileError as refused:
        if not refused.columns:
            raise
        source = source_of(table)
        if source.pseudonymise is None:
            raise
        return _examine_raw(table, source, borough, now, refused), (source, table)


def _examine_raw(table: Table, source: Source, borough: Area, now: datetime, refused: RefusedFileError) -> Examined:
    try:
        made = pseudonymise(table, source, borough, secrets.token_bytes(32))
    except PseudonymiseError:
        raise refused from None
    as_sent = Table(made.cells, table.row_numbers, table.ragged, table.notes)
    return understand(as_sent, source, borough, now, "check")


def _raw_finding(raw: tuple[Source, Table]) -> dict[str, Any]:
    source, table = raw
    child = source.pseudonymise.child if source.pseudonymise else ""
    index = next((i for i, name in enumerate(table.header) if name.casefold() == child.casefold()), None)
    return {
        "rule_id": NOT_PSEUDONYMISED,
        "severity": "critical",
        "row_number": None,
        "column_letter": None if index is None else column_letter(index),
        "column_name": None if index is None else table.header[index],
        "message": "The extract carries direct identifiers; run `mfh pseudonymise` and send its output instead.",
    }


def _refusal(rule_id: str, message: str, refused: RefusedFileError | None = None) -> dict[str, Any]:
    whole = {"rule_id": rule_id, "severity": "critical", "row_number": None, "column_letter": None, "column_name": None}
    columns = [
        whole
        | {
            "rule_id": column.rule_id,
            "column_letter": column_letter(column.column_index),
            "column_name": column.column_name,
            "message": f"{column.sentence}.",
        }
        for column in (refused.columns if refused else ())
    ]
    return {
        "rows_read": 0,
        "rows_accepted": 0,
        "refused": True,
        "findings": columns or [whole | {"message": message}],
    }


def _findings(findings: pl.DataFrame, examined: Examined, header: list[str]) -> list[dict[str, Any]]:
    """List findings with the letters of the file's own header, which a raw extract in memory no longer has."""
    messages = messages_by_rule()
    parts = {part.contract.dataset: part.part for part in examined.parts}
    rows = []
    for row in findings.sort("row_number", "rule_id").iter_rows(named=True):
        name = examined.header_of(parts[row["dataset"]], row["column"]) if row["column"] else None
        rows.append(
            {
                "rule_id": row["rule_id"],
                "severity": row["severity"],
                "row_number": row["row_number"],
                "column_letter": column_letter(header.index(name)) if name in header else None,
                "column_name": name,
                "message": messages[row["rule_id"]],
            }
        )
    return rows


def _for_people(report: dict[str, Any]) -> str:
    import io

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    out = io.StringIO()
    console = Console(file=out, width=118, highlight=False)
    if report["refused"]:
        console.print("This file would be refused.")
    else:
        console.print(
            f"{report['rows_read']} rows read as {report['source']} ({report['dataset']}); "
            f"{report['rows_accepted']} would be accepted."
        )
    grid = Grid("severity", "rule", "column", "rows", "what is wrong", "row numbers")
    for (severity, rule, letter, name, message), numbers in _grouped(report["findings"]).items():
        shown = " ".join(map(str, numbers[:_ROWS_SHOWN])) + (" ..." if len(numbers) > _ROWS_SHOWN else "")
        column = f"{letter} {name}" if letter else name or ""
        grid.add_row(severity, rule, escape(column), str(len(numbers) or ""), escape(message), shown)
    if report["findings"]:
        console.print(grid)
    else:
        console.print("Nothing to correct.")
    return out.getvalue().rstrip()


def _grouped(findings: list[dict[str, Any]]) -> dict[tuple[str, ...], list[int]]:
    groups: dict[tuple[str, ...], list[int]] = {}
    for f in findings:
        key = (f["severity"], f["rule_id"], f["column_letter"] or "", f["column_name"] or "", f["message"])
        numbers = groups.setdefault(key, [])
        if f["row_number"] is not None:
            numbers.append(f["row_number"])
    return dict(sorted(groups.items()))
