"""The restricted page of the region: which rules the boroughs' files break, and how flags are spread.

For the regional analyst. Counts of rows, findings and flags only: no child is on this page. What was received has its
own page, `deliveries`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards import charts, sentences
from dashboards.comparability import Comparability
from dashboards.figures import DataFile, Figure, FigureMaker, Table
from dashboards.intake import IntakeReader
from dashboards.pages.section import FLAG_MEASURES
from dashboards.restricted import CURRENT_DAYS, RestrictedReader
from dashboards.rulebook import Rulebook
from dashboards.words import Measure, number
from pipelines.region import Region

_COUNT = Measure("count")
# What a restricted file says in the column that names a release.
_NOT_RELEASED = "restricted"


@dataclass(frozen=True)
class RegionalPage:
    """What the template of the region's page is filled with."""

    findings: Figure
    flags: Figure

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the page, in order."""
        return (self.findings, self.flags)


@dataclass(frozen=True)
class _Counts:
    """Something counted by rule and borough, and the words and measures that belong to it."""

    figure_id: str
    heading: str
    noun: str
    rules: Sequence[tuple[str, str]]
    cells: Mapping[tuple[str, str], int]
    measures: frozenset[str]
    note: str


def regional_page(reader: RestrictedReader, books: IntakeReader, rulebook: Rulebook, region: Region) -> RegionalPage:
    """Put the region's page together."""
    maker = FigureMaker(Comparability((note.note for note in books.notes()), region), _NOT_RELEASED)
    return RegionalPage(
        findings=_matrix(maker, _findings(books), region), flags=_matrix(maker, _flags(reader, rulebook), region)
    )


def _findings(books: IntakeReader) -> _Counts:
    cells: dict[tuple[str, str], int] = {}
    for tally in books.tallies():
        cells[tally.rule_id, tally.borough] = cells.get((tally.rule_id, tally.borough), 0) + tally.rows
    return _Counts(
        "findings-by-rule",
        "Findings by rule",
        "finding",
        rules=[(rule_id, rule_id) for rule_id in sorted({rule_id for rule_id, _ in cells})],
        cells=cells,
        # Rows of files, counted before anything is made of them: no note on a measure concerns these.
        measures=frozenset(),
        note=(
            "A finding is one row and one rule. A critical one quarantines the row, a warning does not; the data "
            "dictionary says what each rule asks."
        ),
    )


def _flags(reader: RestrictedReader, rulebook: Rulebook) -> _Counts:
    return _Counts(
        "flags-by-rule",
        "Current flags by pattern",
        "flag",
        rules=[(pattern.rule_id, pattern.title) for pattern in rulebook.patterns],
        cells={(tally.rule_id, tally.borough): tally.count for tally in reader.flag_counts()},
        measures=FLAG_MEASURES,
        note=(
            f"Current: the last episode lies within {CURRENT_DAYS} days before the borough's data end. A flag with "
            "episodes of two boroughs is counted in both."
        ),
    )


def _matrix(maker: FigureMaker, counts: _Counts, region: Region) -> Figure:
    """A count by rule and borough: bars by rule, a table with a column for each borough."""
    cells, plural = counts.cells, f"{counts.noun}s"
    totals = [(name, sum(cells.get((rule, slug), 0) for slug in region.slugs)) for rule, name in counts.rules]
    rows = tuple(
        (name, *(number(cells.get((rule, slug), 0)) for slug in region.slugs), number(total))
        for (rule, name), (_, total) in zip(counts.rules, totals, strict=True)
    )
    return maker.of_counts(
        counts.figure_id,
        counts.heading,
        finding=sentences.tally(totals, counts.noun, plural),
        chart=charts.area_bars([charts.Mark(name, total) for name, total in totals], None, _COUNT, plural.capitalize()),
        table=Table(f"{counts.heading} and borough", ("Rule", *(area.name for area in region.boroughs), "Total"), rows),
        data=DataFile(
            f"{counts.figure_id}.csv",
            ("rule_id", "borough", "count"),
            tuple((rule, slug, cells.get((rule, slug), 0)) for rule, _ in counts.rules for slug in region.slugs),
        ),
        period="all deliveries received by the as-at instant",
        source="Receipts and findings of intake, and the pattern rules.",
        measures=counts.measures,
        areas=[area.code for area in region.boroughs],
        notes=(counts.note,),
    )
