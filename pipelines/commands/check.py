"""`mfh check`: the engine of intake on one file, before it is sent, with no warehouse.

Builds the report that `--json` prints; how it looks on a screen or a page is in `check_report` and
`dashboards.feedback`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import polars as pl

from pipelines.commands.inputs import borough_named, file_bytes, require_layout, source_of, table_in
from pipelines.errors import CommandError
from pipelines.intake.examine import Examined, RefusedFileError, examine_table, opened, understand
from pipelines.intake.filing import not_applicable, quarantined
from pipelines.intake.findings import FINDINGS_SCHEMA, OUTCOMES_SCHEMA, Judged
from pipelines.intake.identifiers import IdentifierFinding
from pipelines.intake.judge import judge, messages_for
from pipelines.intake.pseudonymise import PseudonymiseError, pseudonymise
from pipelines.intake.read import Table, UnreadableFileError
from pipelines.intake.receipt import shown_name
from pipelines.intake.store import write_text
from pipelines.region import Area

NOT_PSEUDONYMISED = "identifier.not_pseudonymised"
_SEND_PSEUDONYMISED = "Run `mfh pseudonymise` and send its output instead."
_UNREADABLE = 2


@dataclass(frozen=True)
class _Asked:
    """Who asks and when; raw extracts are pseudonymised in memory, all with one key that is thrown away."""

    borough: Area
    now: datetime
    key: bytes


@dataclass(frozen=True)
class _Checked:
    """A file that would be taken in, or, of a raw extract, what `mfh pseudonymise` would make of it."""

    examined: Examined
    judged: Judged
    table: Table
    identifiers: tuple[IdentifierFinding, ...] = ()


def check_file(
    path: Path, borough_slug: str, source_id: str | None, beside: Sequence[Path], html: str | None, *, as_json: bool
) -> int:
    """Check a file and print what was found.

    Returns:
        0 where nothing is wrong, 1 where there are warnings or worse, 2 where the file cannot be read at all.
    """
    borough = borough_named(borough_slug)
    report, code = _report(path, borough, source_id, beside)
    if html:
        _write_page(report, html)
    if as_json:
        click.echo(json.dumps(report, indent=1))
    elif html != "-" and code != _UNREADABLE:
        from pipelines.commands.check_report import for_people

        click.echo(for_people(report))
    if code == _UNREADABLE:
        click.echo(f"mfh: {report['findings'][0]['message']}", err=True)
    return code


def _write_page(report: dict[str, Any], html: str) -> None:
    from dashboards.feedback import feedback_page

    page = feedback_page(report)
    if html == "-":
        click.echo(page)
        return
    try:
        write_text(Path(html), page)
    except OSError as error:
        msg = f"{html} cannot be written; check the folder and its permissions."
        raise CommandError(msg) from error


def _report(path: Path, borough: Area, source_id: str | None, beside: Sequence[Path]) -> tuple[dict[str, Any], int]:
    report: dict[str, Any] = {"file": shown_name(path.name), "borough": borough.slug, "dataset": None, "source": None}
    asked = _Asked(borough, datetime.now(UTC), secrets.token_bytes(32))
    try:
        table = opened(path.name, file_bytes(path), borough)
    except UnreadableFileError as error:
        return report | _refusal([_whole_file("file.unreadable", str(error))]), _UNREADABLE
    if source_id:
        require_layout(table, source_id, borough)
    try:
        checked = _check(table, asked)
    except RefusedFileError as refused:
        findings = [_identifier_finding(f) for f in refused.columns]
        return report | _refusal(findings or [_whole_file(refused.rule_id, str(refused))]), 1
    judged = _with_comparison(checked, [_check_beside(other, number, asked) for number, other in enumerate(beside, 1)])
    findings = [_identifier_finding(f, _SEND_PSEUDONYMISED) for f in checked.identifiers]
    findings += _row_findings(checked, judged)
    examined = checked.examined
    lost = quarantined(examined, checked.judged).len()
    report |= {
        "dataset": examined.main.contract.dataset,
        "source": examined.source.id,
        "rows_read": examined.table.rows_read,
        "rows_accepted": examined.table.rows_read - lost - examined.duplicates.len(),
        "refused": False,
        "findings": findings,
        "not_applicable": [
            {"rule_id": rule, "reason": reason} for rule, reason in not_applicable(judged.outcomes).items()
        ],
        "notes": [*examined.notes, *(note.text for note in examined.source.notes)],
    }
    worse = any(finding["severity"] != "info" for finding in findings)
    return report, 1 if worse else 0


def _check(table: Table, asked: _Asked, delivery_id: str = "check") -> _Checked:
    """Examine as intake would; a raw extract is pseudonymised in memory first."""
    try:
        examined = examine_table(table, asked.borough, asked.now, delivery_id)
    except RefusedFileError as refused:
        if not any(finding.rule_id == NOT_PSEUDONYMISED for finding in refused.columns):
            raise
        examined = _examine_raw(table, asked, delivery_id, refused)
        return _Checked(examined, judge([examined]), table, refused.columns)
    return _Checked(examined, judge([examined]), table)


def _examine_raw(table: Table, asked: _Asked, delivery_id: str, refused: RefusedFileError) -> Examined:
    source = source_of(table, asked.borough)
    try:
        made = pseudonymise(table, source, asked.borough, asked.key)
    except PseudonymiseError:
        raise refused from None
    return understand(replace(table, frame=made.cells), source, asked.borough, asked.now, delivery_id)


def _check_beside(path: Path, number: int, asked: _Asked) -> _Checked:
    """Understand a file to compare with; its own findings are not reported."""
    try:
        return _check(table_in(path, asked.borough), asked, f"beside-{number}")
    except RefusedFileError as refused:
        msg = f"{shown_name(path.name)} cannot be compared with: {refused}"
        raise CommandError(msg) from refused


def _with_comparison(checked: _Checked, others: Sequence[_Checked]) -> Judged:
    """Add the rules that compare files; without other files they are only named, with what they would need."""
    from pipelines.warehouse.scratch import compare_files

    compared = compare_files([(one.examined, one.judged) for one in (checked, *others)])
    return Judged(
        pl.concat([checked.judged.findings, compared.findings.cast(pl.Schema(FINDINGS_SCHEMA))]),
        pl.concat([checked.judged.outcomes, compared.outcomes.cast(pl.Schema(OUTCOMES_SCHEMA))]),
    )


def _whole_file(rule_id: str, message: str) -> dict[str, Any]:
    return {
        "rule_id": rule_id,
        "severity": "critical",
        "row_number": None,
        "column_letter": None,
        "column_name": None,
        "message": message,
    }


def _identifier_finding(finding: IdentifierFinding, remedy: str = "") -> dict[str, Any]:
    message = f"{finding.sentence}. {remedy}" if remedy else finding.message
    where = {"column_letter": finding.letter, "column_name": finding.column_name}
    return _whole_file(finding.rule_id, message) | where


def _refusal(findings: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rows_read": 0,
        "rows_accepted": 0,
        "refused": True,
        "findings": findings,
        "not_applicable": [],
        "notes": [],
    }


def _row_findings(checked: _Checked, judged: Judged) -> list[dict[str, Any]]:
    """List findings with the letters of the file's own header, which a raw extract in memory no longer has."""
    examined, header = checked.examined, checked.table.header
    messages = messages_for(examined)
    parts = {part.contract.dataset: part.part for part in examined.parts}
    rows = []
    for row in judged.findings.sort("row_number", "rule_id").iter_rows(named=True):
        name = examined.header_of(parts[row["dataset"]], row["column"]) if row["column"] else None
        rows.append(
            {
                "rule_id": row["rule_id"],
                "severity": row["severity"],
                "row_number": row["row_number"],
                "column_letter": checked.table.letter(name) if name in header else None,
                "column_name": name,
                "message": messages[row["rule_id"]],
            }
        )
    return rows
