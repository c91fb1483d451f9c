"""The data quality section of a borough's page: rules its files break, what became of every rule, empty fields, notes.

For the person who can have a record corrected: rule, file, column and row numbers as a spreadsheet shows them. Never
the content of a cell, and no child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboards import charts
from dashboards.figures import Column, Figure, FigureMaker, Table, figure_table
from dashboards.intake import ROWS_NAMED, BoroughNote, FileFinding, IntakeReader, RuleOutcome, RuleTally
from dashboards.pages.section import BASIS, symbol_notes
from dashboards.points import Point, keyed
from dashboards.rulebook import Rulebook
from dashboards.words import Measure, clock, counted, listed, measure_name, months, number, period, visible
from pipelines.contracts.catalogue import Code
from pipelines.region import Area

_COUNT = Measure("count")
_SHARE = Measure("share")
_LONGEST_NAME = 80
_SEVERITIES = ("critical", "warning", "info")
_NO_MESSAGE = "A rule about the file as a whole."
_WORST_FIRST = ("failed", "passed", "not_applicable")
_OUTCOMES = {"passed": "✓ passed", "failed": "✕ failed", "not_applicable": "\u2013 not applicable"}


@dataclass(frozen=True)
class BrokenRule:
    """One rule that rows of the borough break, with the newest files in which they do."""

    rule_id: str
    severity: str
    message: str
    extent: str
    files: Table
    older: str


@dataclass(frozen=True)
class Quality:
    """What the template of the section is filled with."""

    finding: str
    broken: tuple[BrokenRule, ...]
    dfe_rules: Table
    other_rules: Table
    rules_finding: str
    notes: Table
    figures: tuple[Figure, ...]


def quality_section(reader: IntakeReader, rulebook: Rulebook, borough: Area, figures: Sequence[Figure]) -> Quality:
    """Put the section together around figures that were made elsewhere."""
    tallies = [tally for tally in reader.tallies() if tally.borough == borough.slug]
    outcomes = reader.outcomes(borough.slug)
    ours = {rule_id for code in rulebook.dfe_codes for rule_id in code.rule_ids}
    return Quality(
        finding=_finding(tallies, borough),
        broken=_broken_rules(tallies, reader.file_findings(borough.slug), rulebook.messages),
        dfe_rules=_dfe_table(outcomes, rulebook),
        other_rules=_other_table([item for item in outcomes if item.rule_id not in ours], rulebook.messages),
        rules_finding=_rules_finding(outcomes),
        notes=_note_table([note for note in reader.notes() if note.borough == borough.slug]),
        figures=tuple(figures),
    )


def completeness(
    maker: FigureMaker, rulebook: Rulebook, points: Sequence[Point], *, borough: Area, source: str, note: str
) -> Figure | None:
    """Draw how often fields are empty. None without a complete year."""
    if not points:
        return None
    when = period("year_to_march", points[0].period_start, points[0].period_end)
    rows = [(point.breakdown_value, point.breakdown_value.capitalize()) for point in points]
    emptiest = max((point.value or 0 for point in points), default=0)
    names = [point.breakdown_value for point in points if point.value == emptiest]
    finding = (
        f"In {when}, the field most often not filled was {listed(names)} ({emptiest * 100:.0f}% of episodes)."
        if emptiest
        else f"In {when}, every field looked at was filled."
    )
    marks = [charts.mark(point, name, _SHARE) for point, (_, name) in zip(points, rows, strict=True)]
    return maker.of_points(
        "completeness",
        "Fields not filled",
        finding=finding,
        chart=charts.area_bars(
            [replace(mark, lower=None, upper=None) for mark in marks], None, _SHARE, "Share of episodes"
        ),
        table=figure_table(
            f"Fields not filled: {borough.name}, {when}",
            "Field",
            [
                Column("Not filled", keyed(points, "breakdown_value", "numerator"), _COUNT),
                Column("Episodes", keyed(points, "breakdown_value", "denominator"), _COUNT),
                Column("Share", keyed(points, "breakdown_value"), _SHARE),
            ],
            rows,
        ),
        series=[(rulebook.indicator("I35"), points)],
        period=when,
        source=source,
        notes=(*symbol_notes(points), BASIS["A"], note),
    )


def _finding(tallies: Sequence[RuleTally], borough: Area) -> str:
    if not tallies:
        return f"No row of {borough.name}'s files breaks a rule."
    broken = {severity: sum(tally.severity == severity for tally in tallies) for severity in _SEVERITIES}
    parts = [
        text
        for count, text in (
            (broken["critical"], f"{counted(broken['critical'], 'rule')} whose rows are set aside until corrected"),
            (broken["warning"], f"{counted(broken['warning'], 'rule')} whose rows are used, but should be looked at"),
            (broken["info"], f"{counted(broken['info'], 'rule')} for information"),
        )
        if count
    ]
    return f"Rows of {borough.name}'s files break {listed(parts)}."


def _broken_rules(
    tallies: Sequence[RuleTally], found: Sequence[FileFinding], messages: Mapping[str, str]
) -> tuple[BrokenRule, ...]:
    ordered = sorted(tallies, key=lambda tally: (_SEVERITIES.index(tally.severity), -tally.rows, tally.rule_id))
    return tuple(
        _broken_rule(
            tally,
            [item for item in found if (item.rule_id, item.severity) == (tally.rule_id, tally.severity)],
            messages.get(tally.rule_id, _NO_MESSAGE),
        )
        for tally in ordered
    )


def _broken_rule(tally: RuleTally, found: Sequence[FileFinding], message: str) -> BrokenRule:
    shown = len({(item.file_name, item.received_at) for item in found})
    older = tally.files - shown
    return BrokenRule(
        rule_id=tally.rule_id,
        severity=tally.severity,
        message=message,
        extent=f"{counted(tally.rows, 'row')} in {counted(tally.files, 'file')}" if tally.rows else "the whole file",
        files=Table(
            caption=f"Where {tally.rule_id} is broken, newest files first",
            headings=("File", "Received", "Column", "Rows", "First row numbers"),
            rows=tuple(
                (
                    visible(item.file_name, _LONGEST_NAME),
                    clock(item.received_at),
                    f"{item.column_letter} {visible(item.column_name, _LONGEST_NAME)}".strip(),
                    number(item.rows) if item.rows else "the whole file",
                    ", ".join(map(str, item.first_rows)) + (" …" if item.rows > ROWS_NAMED else ""),
                )
                for item in found
            ),
            numeric=False,
        ),
        older=f"{counted(older, 'older file')} not shown; the feedback files have them." if older > 0 else "",
    )


def _rules_finding(outcomes: Sequence[RuleOutcome]) -> str:
    """Say how many rules the newest files pass; what could not be checked is never among them."""
    if not outcomes:
        return "What became of each rule has not been recorded for these files."
    counts = {kind: sum(item.newest == kind for item in outcomes) for kind in _OUTCOMES}
    return (
        f"In the newest files, {counted(counts['passed'], 'rule is', 'rules are')} met, "
        f"{number(counts['failed'])} {'is' if counts['failed'] == 1 else 'are'} broken, and "
        f"{number(counts['not_applicable'])} could not be checked."
    )


def _dfe_table(outcomes: Sequence[RuleOutcome], rulebook: Rulebook) -> Table:
    """One row for each of the Department's codes, whether it could be checked or not."""
    return Table(
        caption="The Department for Education's rules on missing episodes (SSDA903)",
        headings=("Code", "What it asks", "Newest file", "All files"),
        rows=tuple((code.code, code.says, *_code_outcome(code, outcomes, rulebook)) for code in rulebook.dfe_codes),
        numeric=False,
    )


def _code_outcome(code: Code, outcomes: Sequence[RuleOutcome], rulebook: Rulebook) -> tuple[str, str]:
    """What became of a code that several rules may stand for: the worst of them, and what could not be checked."""
    readings = [item for item in outcomes if item.rule_id in code.rule_ids]
    if not readings:
        layouts = {rulebook.layout_of_rule[rule_id] for rule_id in code.rule_ids}
        if "" in layouts:
            return "not run yet", ""
        return f"{_OUTCOMES['not_applicable']}: no file of the layout {listed(sorted(layouts))} was delivered", ""
    newest = min(readings, key=lambda item: _WORST_FIRST.index(item.newest))
    overall = max(readings, key=lambda item: (item.failed, item.passed))
    unchecked = [item.reason for item in readings if item.newest == "not_applicable"]
    text = _newest(newest)
    if newest.newest == "passed" and unchecked:
        text += f", as far as it could be checked: {unchecked[0]}"
    return text, _overall(overall)


def _other_table(outcomes: Sequence[RuleOutcome], messages: Mapping[str, str]) -> Table:
    return Table(
        caption="All other rules",
        headings=("Rule", "What it says when broken", "Newest file", "All files"),
        rows=tuple(
            (item.rule_id, messages.get(item.rule_id, _NO_MESSAGE), _newest(item), _overall(item)) for item in outcomes
        ),
        numeric=False,
        tall=True,
    )


def _newest(item: RuleOutcome) -> str:
    text = _OUTCOMES.get(item.newest, item.newest)
    if item.newest == "failed":
        return f"{text}: {counted(item.newest_rows, 'row')}"
    return f"{text}: {item.reason}" if item.newest == "not_applicable" and item.reason else text


def _overall(item: RuleOutcome) -> str:
    parts = ((item.failed, "failed"), (item.passed, "passed"), (item.not_applicable, "not applicable"))
    counts = ", ".join(f"{word} in {number(count)}" for count, word in parts if count)
    return counts or ("" if item.newest == "not_applicable" else "files compared with each other")


def _note_table(notes: Sequence[BoroughNote]) -> Table:
    return Table(
        caption="How the borough's systems record, where that changes what a figure means",
        headings=("Layout and mapping", "What to know", "Figures it concerns", "Rows", "Months"),
        rows=tuple(
            (
                f"{note.source} {note.source_version}",
                note.note.text,
                ", ".join(map(measure_name, note.note.measures)) or "none in particular",
                number(note.rows),
                _between(note),
            )
            for note in notes
        ),
        numeric=False,
    )


def _between(note: BoroughNote) -> str:
    known = [day for day in (note.first_month, note.last_month) if day]
    return " to ".join(dict.fromkeys(months([day]) for day in known)) or "not recorded"
