"""The report of `mfh check` on a screen: the verdict, then one line a rule and column with its row numbers."""

from __future__ import annotations

import io
from typing import Any

from pipelines.intake.findings import DUPLICATE

_ROWS_SHOWN = 12
_DFE = "ssda903."


def for_people(report: dict[str, Any]) -> str:
    """Lay the report out for a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    out = io.StringIO()
    console = Console(file=out, width=118, highlight=False)
    console.print(escape(verdict(report)))
    grid = Grid("severity")
    grid.add_column("rule", overflow="fold")
    for name in ("column", "rows", "what is wrong", "row numbers"):
        grid.add_column(name, overflow="fold")
    for (severity, rule, letter, name, message), numbers in _grouped(report["findings"]).items():
        shown = " ".join(map(str, numbers[:_ROWS_SHOWN])) + (" ..." if len(numbers) > _ROWS_SHOWN else "")
        column = f"{letter} {name}" if letter else name or ""
        grid.add_row(severity, rule, escape(column), str(len(numbers) or ""), escape(message), shown)
    if report["findings"]:
        console.print(grid)
    else:
        console.print("Nothing to correct.")
    for sentence in _not_applicable(report["not_applicable"]):
        console.print(escape(sentence))
    for note in report["notes"]:
        console.print(escape(f"Note: {note}"))
    return out.getvalue().rstrip()


def verdict(report: dict[str, Any]) -> str:
    """The first sentence: what would become of the file."""
    if report["refused"]:
        return "This file would be refused; nothing of it would be kept."
    repeated = sum(finding["rule_id"] == DUPLICATE for finding in report["findings"])
    lost = report["rows_read"] - report["rows_accepted"] - repeated
    return (
        f"{report['rows_read']} rows read as {report['source']} ({report['dataset']}): "
        f"{report['rows_accepted']} would be accepted"
        f"{f', {lost} quarantined' if lost else ''}{f', {repeated} counted as repeats' if repeated else ''}."
    )


def _grouped(findings: list[dict[str, Any]]) -> dict[tuple[str, ...], list[int]]:
    groups: dict[tuple[str, ...], list[int]] = {}
    for f in findings:
        key = (f["severity"], f["rule_id"], f["column_letter"] or "", f["column_name"] or "", f["message"])
        numbers = groups.setdefault(key, [])
        if f["row_number"] is not None:
            numbers.append(f["row_number"])
    return dict(sorted(groups.items()))


def _not_applicable(rules: list[dict[str, str]]) -> list[str]:
    """Name DfE's rules that could not be applied, with the reason; the others are only counted."""
    reasons: dict[str, list[str]] = {}
    for rule in rules:
        if rule["rule_id"].startswith(_DFE):
            reasons.setdefault(rule["reason"], []).append(rule["rule_id"])
    sentences = [f"Not applicable: {', '.join(ids)}. {reason}" for reason, ids in reasons.items()]
    others = len(rules) - sum(map(len, reasons.values()))
    if others:
        were = "rules were" if others > 1 else "rule was"
        sentences.append(
            f"{others} other {were} not applicable: the file does not hold what they look at (--json lists them)."
        )
    return sentences
