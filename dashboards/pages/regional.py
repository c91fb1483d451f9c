"""The restricted page of the region: what only a regional view can see, how often and how early, findings and flags.

For the regional analyst. Children are on it by the first characters of their codes, with the boroughs that know them,
and nothing else of them; what a borough's lead sees is in `borough`. What was received has its own page, `deliveries`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards import charts, sentences
from dashboards.comparability import Comparability
from dashboards.figures import DataFile, Figure, FigureMaker, Table
from dashboards.intake import IntakeReader
from dashboards.leads import Numbers, read_numbers, read_versions
from dashboards.pages.child_list import LABEL
from dashboards.pages.hearing import Place, early_identification, hearing_figures
from dashboards.pages.recurrence import Recurrence
from dashboards.pages.section import FLAG_MEASURES, Card, Section, version_table
from dashboards.pages.variation import Chance
from dashboards.region_view import Across, Group, RegionReader, RuleSummary, SettingCluster
from dashboards.restricted import RestrictedReader
from dashboards.rulebook import Rulebook
from dashboards.words import Measure, counted, listed, month, number, percent
from pipelines.region import Region

_COUNT = Measure("count")
_MOST_LISTED = 100
# What a restricted file says in the column that names a release.
_NOT_RELEASED = "restricted"


@dataclass(frozen=True)
class RegionalPage:
    """What the template of the region's page is filled with."""

    cards: tuple[Card, ...]
    across: Table
    groups: Table
    clusters: Table
    most_listed: int
    current_days: int
    sections: tuple[Section, ...]
    versions: Table | None

    @property
    def contents(self) -> tuple[tuple[str, str], ...]:
        """Name and heading of every section."""
        return (("across", "Across boroughs"), *((one.section_id, one.heading) for one in self.sections))

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the page, in order."""
        return tuple(figure for section in self.sections for figure in section.figures)


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
    maker = FigureMaker(Comparability(reader.notes(), region, reader.span()), _NOT_RELEASED)
    view = RegionReader(reader.connection, region.area.code)
    numbers = read_numbers(reader.connection)
    across, groups, clusters = view.across(), view.groups(), view.clusters()
    place = Place(region.area, "Deliveries of the boroughs")
    early = early_identification(maker, reader, place)
    sure = Chance(maker, rulebook).over_children(
        reader.over_children(region.area.code),
        source=lambda indicators: f"Deliveries of the boroughs; indicator {', '.join(dict.fromkeys(indicators))}.",
        notes=("True counts, not rounded: not for publication.",),
    )
    return RegionalPage(
        cards=_cards(across, groups, clusters, numbers),
        across=_across_table(across, region),
        groups=_group_table(groups, region),
        clusters=_cluster_table(clusters, region),
        most_listed=_MOST_LISTED,
        current_days=numbers.current_days,
        sections=(
            Section(
                "again",
                "Going missing again",
                (),
                (*Recurrence(maker, view, rulebook.research, region).figures(), *([sure] if sure else [])),
            ),
            Section(
                "heard",
                "Were children heard, and how early seen",
                (),
                (*hearing_figures(maker, reader, place), *([early] if early else [])),
            ),
            Section(
                "flags",
                "Flags",
                ("What the rules find. A flag is a prompt to look, not a finding.",),
                (
                    _matrix(maker, _flags(view, rulebook, numbers), region),
                    _summary(maker, view.summaries(), rulebook, numbers, region),
                ),
            ),
            Section("findings", "Findings", (), (_matrix(maker, _findings(books), region),)),
        ),
        versions=version_table(
            read_versions(reader.connection, None), rulebook, f"Children now (last {numbers.current_days} days)"
        ),
    )


def _cards(
    across: Sequence[Across], groups: Sequence[Group], clusters: Sequence[SettingCluster], numbers: Numbers
) -> tuple[Card, ...]:
    wide = sum(len(group.boroughs) > 1 for group in groups)
    return (
        Card(
            "children whose repeats no borough sees alone",
            number(len(across)),
            f"a flag in the last {numbers.current_days} days",
        ),
        Card(
            "groups of children who go missing together", number(len(groups)), f"{number(wide)} of them across boroughs"
        ),
        Card("care settings with a cluster", number(len(clusters)), f"in the last {numbers.current_days} days"),
    )


def _across_table(across: Sequence[Across], region: Region) -> Table:
    return Table(
        caption="Children who repeat across boroughs, none of which sees it alone; most episodes first",
        headings=("Child", "Patterns", "Episodes behind them", "By borough", "Last episode"),
        rows=tuple(
            (
                child.child_key.rpartition(":")[2][:LABEL],
                ", ".join(child.rule_ids),
                number(child.episodes),
                listed([f"{area.name} {child.sent[area.slug]}" for area in region.boroughs if area.slug in child.sent]),
                month(child.last_month),
            )
            for child in across[:_MOST_LISTED]
        ),
        numeric=False,
    )


def _group_table(groups: Sequence[Group], region: Region) -> Table:
    return Table(
        caption="Groups of children who go missing together, the largest first",
        headings=("Children", "Boroughs", "Pairs", "Times together", "Chance would give", "From", "To", "Codes"),
        rows=tuple(
            (
                number(group.children),
                _names(group.boroughs, region),
                number(group.pairs),
                number(group.pairings),
                number(group.expected, 1),
                month(group.first_month),
                month(group.last_month),
                ", ".join(key.rpartition(":")[2][:LABEL] for key in group.members),
            )
            for group in groups[:_MOST_LISTED]
        ),
        numeric=False,
    )


def _cluster_table(clusters: Sequence[SettingCluster], region: Region) -> Table:
    return Table(
        caption="Care settings from which unusually many children's episodes began, most episodes first",
        headings=("Setting", "Borough", "From", "To", "Episodes", "Children", "Unusual from", "Sure"),
        rows=tuple(
            (
                cluster.setting_id[:LABEL],
                _names([cluster.borough], region),
                month(cluster.first_month),
                month(cluster.last_month),
                number(cluster.starts),
                number(cluster.children),
                counted(cluster.threshold, "episode"),
                "yes" if cluster.is_certain else "on one reading of the days",
            )
            for cluster in clusters[:_MOST_LISTED]
        ),
        numeric=False,
    )


def _names(slugs: Sequence[str], region: Region) -> str:
    return listed([area.name for area in region.boroughs if area.slug in slugs])


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


def _flags(view: RegionReader, rulebook: Rulebook, numbers: Numbers) -> _Counts:
    return _Counts(
        "flags-by-rule",
        "Current flags by pattern",
        "flag",
        rules=[(pattern.rule_id, pattern.title) for pattern in rulebook.current_patterns()],
        cells={(tally.rule_id, tally.borough): tally.count for tally in view.flag_counts()},
        measures=FLAG_MEASURES,
        note=(
            f"Current: the last episode lies within {numbers.current_days} days before the borough's data end. A flag "
            "with episodes of two boroughs is counted in both. Boroughs' own thresholds are not counted."
        ),
    )


def _summary(
    maker: FigureMaker, summaries: Sequence[RuleSummary], rulebook: Rulebook, numbers: Numbers, region: Region
) -> Figure:
    """What each rule finds: how many children, after how many episodes, how many heard and looked after."""
    found = {(one.rule_id, one.rule_version): one for one in summaries}
    shown = [
        (p, found[p.rule_id, p.version]) for p in rulebook.patterns if p.is_regional and (p.rule_id, p.version) in found
    ]
    current = [(pattern, one) for pattern, one in shown if pattern.is_current]
    totals = [(pattern.title, one.children) for pattern, one in current]
    return maker.of_counts(
        "rule-summary",
        "What each pattern finds",
        finding=_summary_finding([(pattern.title, one) for pattern, one in current], numbers),
        chart=charts.area_bars([charts.Mark(name, count) for name, count in totals], None, _COUNT, "Children flagged"),
        table=Table(
            f"Children flagged in {numbers.summary_days} days, each by its first flag of the pattern",
            (
                "Pattern", "Version", "Children", "Median episodes before", "An interview was held", "Cannot be told",
                "Looked after", "Not recorded",
            ),
            tuple(
                (
                    pattern.title,
                    f"{pattern.version}, {'in force' if pattern.is_current else 'no longer in force'}",
                    number(one.children),
                    "[x]" if one.median_episodes_before is None else number(one.median_episodes_before, 1),
                    *(_share(count, one.children) for count in (
                        one.heard, one.heard_unclear, one.looked_after, one.looked_after_unknown)),
                )
                for pattern, one in shown
            ),
        ),
        data=DataFile(
            "rule-summary.csv",
            (
                "rule_id", "rule_version", "children", "median_episodes_before", "heard", "heard_unclear",
                "looked_after", "looked_after_unknown",
            ),
            tuple(
                (
                    one.rule_id, one.rule_version, one.children, one.median_episodes_before, one.heard,
                    one.heard_unclear, one.looked_after, one.looked_after_unknown,
                )
                for _, one in shown
            ),
        ),
        period=f"flags raised in the {numbers.summary_days} days before the newest data end",
        source="leads.rule_summary; pattern rules.",
        measures=FLAG_MEASURES | {"rhi_completed"},
        areas=[area.code for area in region.boroughs],
        notes=(
            "Episodes before: missing episodes of the child that began before the one that completes the pattern.",
            "An interview was held: after at least one of the episodes behind the flag.",
            "A child can be flagged by several patterns.",
        ),
    )  # fmt: skip


def _summary_finding(current: Sequence[tuple[str, RuleSummary]], numbers: Numbers) -> str:
    most = max((one.children for _, one in current), default=0)
    if not most:
        return f"No flag was raised in the last {numbers.summary_days} days of the data."
    names = [title for title, one in current if one.children == most]
    days = numbers.summary_days
    return f"In the last {days} days of the data, most children were flagged by {listed(names)} ({number(most)})."


def _share(count: int, whole: int) -> str:
    return f"{percent(count / whole)} ({number(count)})" if whole else "[x]"


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
