"""The page that `mfh check --html` writes: what was found in one file, for somebody who has never seen this project.

One file without script and without a request, made of the report that `--json` prints. What is wrong is decided in
`pipelines/`; here it is put in order and in words. Names in the file are chosen by others and are never trusted.
Imported by a command that must start quickly, so nothing that draws or counts is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from dashboards import theme
from dashboards.render import environment
from dashboards.words import counted, listed, number, visible

_LONGEST_NAME = 80
_MOST_RANGES = 60
_DUPLICATE = "file.duplicate_row"
_RAW_EXTRACT = "identifier.not_pseudonymised"
# Severity, heading, what it means for the rows.
_GROUPS = (
    ("critical", "Must be corrected", "These rows would be set aside and not used until a corrected file is sent."),
    ("warning", "Please look at these", "These rows would be used as they are. Correct them if they are wrong."),
    ("info", "For information", "There is nothing to correct here."),
)
_IN_REFUSED = "Because of this, nothing of the file would be used."


@dataclass(frozen=True)
class Place:
    """A column in which a rule is broken, or the rows alone where it is about whole rows."""

    letter: str
    name: str
    count: str
    rows: str


@dataclass(frozen=True)
class Problem:
    """One rule that the file breaks, and where."""

    rule_id: str
    message: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Group:
    """Problems of one severity."""

    severity: str
    heading: str
    meaning: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class NotChecked:
    """Rules that could not be checked for one reason."""

    reason: str
    rules: str


def feedback_page(report: Mapping[str, Any]) -> str:
    """Write the page.

    Args:
        report: what `mfh check --json` prints; lists that it lacks are taken as empty.
    """
    findings: list[Mapping[str, Any]] = list(report.get("findings", ()))
    return (
        environment()
        .get_template("feedback.html.j2")
        .render(
            file=visible(str(report["file"]), _LONGEST_NAME),
            borough=visible(str(report.get("borough") or "")).replace("-", " ").title(),
            layout=visible(str(report.get("source") or "")),
            dataset=visible(str(report.get("dataset") or "")).replace("_", " "),
            refused=bool(report.get("refused")),
            verdict=_verdict(report, findings),
            steps=_steps(report, findings),
            account=_account(report, findings),
            groups=_groups(findings, refused=bool(report.get("refused"))),
            not_checked=_not_checked(report.get("not_applicable", ())),
            notes=[visible(str(note)) for note in report.get("notes", ())],
            theme=theme,
            # Our own list of font names; escaped, its quotation marks would break the style.
            font=Markup(theme.FONT),  # noqa: S704 - see above
        )
    )


def _verdict(report: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> str:
    """The one sentence that matters: can this file be sent?"""
    if report.get("refused"):
        return "Do not send this file: it would be refused, and nothing of it would be used."
    if any(finding["rule_id"] == _RAW_EXTRACT for finding in findings):
        return "Do not send this file as it is: it must be pseudonymised first."
    read, accepted = int(report["rows_read"]), int(report["rows_accepted"])
    if not accepted:
        return "Do not send this file yet: none of its rows would be used."
    aside = _set_aside(report, findings)
    if aside:
        return f"This file can be sent, but {number(aside)} of its {counted(read, 'row')} would be set aside."
    if any(finding["severity"] == "warning" for finding in findings):
        return f"This file can be sent. {_all_rows(accepted)} would be used; some should be looked at first."
    return f"This file can be sent as it is: {_all_rows(accepted).lower()} would be used."


def _all_rows(rows: int) -> str:
    return "Its one row" if rows == 1 else f"All {number(rows)} rows"


def _set_aside(report: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> int:
    """Rows that are neither accepted nor exact repeats."""
    repeats = len([finding for finding in findings if finding["rule_id"] == _DUPLICATE])
    read, accepted = int(report["rows_read"]), int(report["rows_accepted"])
    return max(0, read - accepted - repeats)


def _account(report: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> str:
    """Where every row goes."""
    if report.get("refused"):
        return ""
    aside = _set_aside(report, findings)
    repeats = int(report["rows_read"]) - int(report["rows_accepted"]) - aside
    parts = [f"{number(int(report['rows_accepted']))} would be used", f"{number(aside)} set aside"]
    parts += [f"{number(repeats)} left out as exact repeats"] if repeats else []
    return f"Of {counted(int(report['rows_read']), 'row')} read, {listed(parts)}."


def _steps(report: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """What to do, in order."""
    severities = {finding["severity"] for finding in findings}
    raw = any(finding["rule_id"] == _RAW_EXTRACT for finding in findings)
    steps = []
    if report.get("refused"):
        steps.append("Read below why the file would be refused, and put it right where the file is made.")
    elif "critical" in severities and any(f["row_number"] is not None for f in findings if f["severity"] == "critical"):
        steps.append(
            "Correct the rows listed under \u201cMust be corrected\u201d in your own system, and export the file again."
        )
    if "warning" in severities:
        steps.append("Look at the rows listed under \u201cPlease look at these\u201d; correct those that are wrong.")
    if raw:
        steps.append("Run `mfh pseudonymise` on the extract. Send the file it writes, never the extract itself.")
    if steps:
        steps.append("Check the new file in the same way, then send it.")
        return steps
    return ["Send the file."]


def _groups(findings: Iterable[Mapping[str, Any]], *, refused: bool) -> list[Group]:
    by_severity: dict[str, list[Mapping[str, Any]]] = {}
    for finding in findings:
        by_severity.setdefault(str(finding["severity"]), []).append(finding)
    return [
        Group(
            severity,
            heading,
            _IN_REFUSED if refused and severity == "critical" else meaning,
            _problems(by_severity[severity]),
        )
        for severity, heading, meaning in _GROUPS
        if severity in by_severity
    ]


def _problems(findings: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """One problem a rule and message, the one with most rows first."""
    by_rule: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for finding in findings:
        by_rule.setdefault((str(finding["rule_id"]), str(finding["message"])), []).append(finding)
    ordered = sorted(by_rule.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Problem(rule_id, visible(message), _places(found)) for (rule_id, message), found in ordered)


def _places(findings: Sequence[Mapping[str, Any]]) -> tuple[Place, ...]:
    by_column: dict[tuple[str, str], set[int]] = {}
    for finding in findings:
        column = (str(finding["column_letter"] or ""), str(finding["column_name"] or ""))
        rows = by_column.setdefault(column, set())
        if finding["row_number"] is not None:
            rows.add(int(finding["row_number"]))
    return tuple(
        Place(
            letter=visible(letter),
            name=visible(name, _LONGEST_NAME),
            count=counted(len(rows), "row") if rows else "",
            rows=_ranges(sorted(rows)),
        )
        for (letter, name), rows in sorted(by_column.items(), key=lambda item: (len(item[0][0]), item[0]))
    )


def _ranges(rows: Sequence[int]) -> str:
    """Row numbers as ranges, "3, 5 to 9, 214"; of very many, the first."""
    runs = [[row for _, row in run] for _, run in groupby(enumerate(rows), key=lambda placed: placed[1] - placed[0])]
    named = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs[:_MOST_RANGES]]
    left = sum(map(len, runs[_MOST_RANGES:]))
    return ", ".join(named) + (f" and {counted(left, 'more row', 'more rows')}" if left else "")


def _not_checked(rules: Iterable[Mapping[str, Any]]) -> list[NotChecked]:
    """Rules that could not be checked, those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for rule in rules:
        by_reason.setdefault(visible(str(rule["reason"])), []).append(visible(str(rule["rule_id"])))
    return [NotChecked(reason, ", ".join(sorted(ids))) for reason, ids in by_reason.items()]
