"""The restricted page of the region: what was delivered, what was found in it, and how flags are spread.

For the regional analyst. Counts of files, rows, findings and flags only: no child is on this page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards import charts, sentences
from dashboards.figures import DataFile, Figure, Table
from dashboards.pages.grid import LEGEND, Grid, by_borough
from dashboards.restricted import CURRENT_DAYS, Delivery, RestrictedReader, Tally
from dashboards.rulebook import Rulebook
from dashboards.words import Measure, clock, counted, number
from pipelines.region import Region

_COUNT = Measure("count")
_STATUS = {"accepted": "● accepted", "rejected": "✕ rejected", "superseded_in_part": "◐ superseded in part"}


@dataclass(frozen=True)
class RegionalPage:
    """What the template of the region's page is filled with."""

    grid: Grid
    grid_finding: str
    legend: tuple[tuple[str, str], ...]
    deliveries: Table
    deliveries_finding: str
    figures: tuple[Figure, ...]
    findings: Figure
    flags: Figure


def regional_page(reader: RestrictedReader, rulebook: Rulebook, region: Region) -> RegionalPage:
    """Put the region's page together."""
    months = reader.months()
    deliveries = reader.deliveries()
    findings = _findings(reader.findings(), region)
    flags = _flags(reader.flag_counts(), rulebook, region)
    names = [(area.slug, area.name) for area in region.boroughs]
    missed = sum(item.status in {"late", "failed", "quarantined"} for item in months)
    return RegionalPage(
        grid=by_borough(months, names, "Months received, newest first, with the number of rows accepted"),
        grid_finding=f"{counted(missed, 'borough-month is', 'borough-months are')} not received although due.",
        legend=LEGEND,
        deliveries=_delivery_table(deliveries, region),
        deliveries_finding=_delivery_finding(deliveries),
        figures=(findings, flags),
        findings=findings,
        flags=flags,
    )


def _delivery_finding(deliveries: Sequence[Delivery]) -> str:
    read, accepted, quarantined, duplicate = (
        sum(getattr(item, name) for item in deliveries)
        for name in ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
    )
    adds = (
        "every row is accounted for"
        if read == accepted + quarantined + duplicate
        else "the rows do not add up: look into it"
    )
    return (
        f"{counted(len(deliveries), 'file')} with {counted(read, 'row')}: {number(accepted)} accepted, "
        f"{number(quarantined)} quarantined and {number(duplicate)} exact duplicates; {adds}."
    )


def _delivery_table(deliveries: Sequence[Delivery], region: Region) -> Table:
    names = {area.slug: area.name for area in region.boroughs}
    return Table(
        caption="Deliveries, newest first",
        headings=("Borough", "File", "Received", "Status", "Read", "Accepted", "Quarantined", "Duplicate", "Reason"),
        rows=tuple(
            (
                names.get(item.borough, item.borough),
                item.file_name,
                clock(item.received_at),
                _STATUS.get(item.status, item.status),
                number(item.rows_read),
                number(item.rows_accepted),
                number(item.rows_quarantined),
                number(item.rows_duplicate),
                item.reason or "",
            )
            for item in deliveries
        ),
        numeric=False,
        tall=True,
    )


def _findings(tallies: Sequence[Tally], region: Region) -> Figure:
    note = (
        "A finding is one row and one rule. A critical one quarantines the row, a warning does not; the data "
        "dictionary says what each rule asks."
    )
    rules = [(rule_id, rule_id) for rule_id in sorted({tally.rule_id for tally in tallies})]
    return _matrix("findings-by-rule", "Findings by rule", tallies, rules, region=region, noun="finding", note=note)


def _flags(tallies: Sequence[Tally], rulebook: Rulebook, region: Region) -> Figure:
    note = (
        f"Current: the last episode lies within {CURRENT_DAYS} days before the borough's data end. A flag with "
        "episodes of two boroughs is counted in both."
    )
    rules = [(pattern.rule_id, pattern.title) for pattern in rulebook.patterns]
    return _matrix("flags-by-rule", "Current flags by pattern", tallies, rules, region=region, noun="flag", note=note)


def _matrix(
    figure_id: str,
    heading: str,
    tallies: Sequence[Tally],
    rules: Sequence[tuple[str, str]],
    *,
    region: Region,
    noun: str,
    note: str,
) -> Figure:
    """A count by rule and borough: bars by rule, a table with a column for each borough."""
    cells = {(tally.rule_id, tally.borough): tally.count for tally in tallies}
    totals = [(name, sum(cells.get((rule, slug), 0) for slug in region.slugs)) for rule, name in rules]
    rows = tuple(
        (name, *(number(cells.get((rule, slug), 0)) for slug in region.slugs), number(total))
        for (rule, name), (_, total) in zip(rules, totals, strict=True)
    )
    return Figure(
        figure_id=figure_id,
        heading=heading,
        finding=sentences.tally(totals, noun, f"{noun}s"),
        chart=charts.area_bars(
            [charts.Mark(name, total) for name, total in totals], None, _COUNT, f"{noun.capitalize()}s"
        ),
        table=Table(f"{heading} and borough", ("Rule", *(area.name for area in region.boroughs), "Total"), rows),
        data=DataFile(
            f"{figure_id}.csv",
            ("rule_id", "borough", "count"),
            tuple((rule, slug, cells.get((rule, slug), 0)) for rule, _ in rules for slug in region.slugs),
        ),
        period="all deliveries received by the as-at instant",
        source="Receipts and findings of intake, and the pattern rules.",
        notes=(note,),
    )
