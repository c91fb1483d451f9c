"""The page and the file of `mfh backtest`: our figures beside DfE's, for every borough, with every difference in words.

One file that can be archived: style, scripts and plotly.js stand in it, and nothing is requested. True counts, so it is
restricted, whatever DfE printed. What is compared is decided in `pipelines.backtest`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dashboards import charts
from dashboards.comparability import Comparability
from dashboards.figures import DataFile, Figure, FigureMaker, Table
from dashboards.render import Renderer
from dashboards.sentences_backtest import UNCOUNTED, cell_sentence, verdict_sentence
from dashboards.words import Measure, counted, listed, number
from pipelines.backtest.comparison import BOTH_HIDDEN, DIFFERS, EQUAL, HIDDEN_THERE, NOT_PUBLISHED, BackTest, Cell
from pipelines.contracts.dfe_publication import DfeIndicator, DfePublication
from pipelines.region import Region

_STATIC = Path(__file__).parent.parent / "static"
_FILE = "backtest.csv"
_MEASURES = {"count": Measure("count"), "percentage": Measure("share"), "average": Measure("ratio", 1)}
_AXES = {"count": "Number", "percentage": "Share of children looked after", "average": "Incidents per child"}
_SHAPES = {EQUAL: "=", BOTH_HIDDEN: "c", HIDDEN_THERE: "?", NOT_PUBLISHED: "-", DIFFERS: "≠"}
_FILE_COLUMNS = (
    "year", "area_code", "borough", "indicator_id", "indicator", "numerator", "denominator", "ours", "theirs",
    "verdict", "reason", "synthetic", "marking",
)  # fmt: skip
_MARKING = "OFFICIAL-SENSITIVE true counts, not for publication"


@dataclass(frozen=True)
class BackTestPage:
    """What the template shows."""

    verdict: str
    agrees: bool
    differences: tuple[str, ...]
    hidden_there: tuple[str, ...]
    overview: Table
    legend: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    rows: Table
    not_received: str
    sources: tuple[str, ...]


def back_test_file(result: BackTest) -> DataFile:
    """Write every figure as a tidy file: one row a borough and figure."""
    return DataFile(
        _FILE,
        _FILE_COLUMNS,
        tuple(
            (
                result.year, cell.borough.code, cell.borough.name, cell.indicator.indicator_id, cell.indicator.wording,
                cell.numerator, cell.denominator, cell.ours, cell.theirs, cell.verdict, cell.reason,
                "yes" if result.synthetic else "no", _MARKING,
            )
            for cell in result.cells
        ),
    )  # fmt: skip


def back_test_page(result: BackTest, rules: DfePublication, region: Region) -> str:
    """Write the page.

    Args:
        result: the comparison.
        rules: DfE's rules, for what they say in words.
        region: names the page and its boroughs.
    """
    from plotly import offline

    scripts = [offline.get_plotlyjs(), (_STATIC / "charts.js").read_text(encoding="utf-8")]
    return Renderer(region=region).page(
        "backtest.html.j2",
        result=result,
        rules=rules,
        page=_content(result, rules, region),
        style=Markup((_STATIC / "site.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own file and the installed package's
        script_hashes=[_hash(script) for script in scripts],
    )


def _hash(script: str) -> str:
    """What the page's security policy knows a script by, so that no other script can run in it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _content(result: BackTest, rules: DfePublication, region: Region) -> BackTestPage:
    maker = FigureMaker(Comparability((), region), f"back-test {result.year}")
    data = back_test_file(result)
    return BackTestPage(
        verdict=verdict_sentence(result),
        agrees=result.agrees,
        differences=tuple(cell_sentence(cell) for cell in result.of(DIFFERS)),
        hidden_there=tuple(cell_sentence(cell) for cell in result.of(HIDDEN_THERE)),
        overview=_overview(result, rules),
        legend=tuple((shape, verdict) for verdict, shape in _SHAPES.items() if result.of(verdict)),
        figures=tuple(_figure(maker, data, result, indicator) for indicator in rules.indicators),
        rows=_rows(result, rules, region),
        not_received=listed([area.name for area in result.not_received]),
        sources=tuple(
            f"{one.title}, {one.table}, published {one.published.isoformat()}, Department for Education, {one.licence}"
            for one in result.editions
        ),
    )


def _overview(result: BackTest, rules: DfePublication) -> Table:
    """A row for each of DfE's figures and a column for each borough, with the sign of the verdict."""
    boroughs = list(dict.fromkeys(cell.borough for cell in result.cells))
    shapes = {(cell.borough, cell.indicator.indicator_id): _SHAPES[cell.verdict] for cell in result.cells}
    return Table(
        caption=f"Every figure of the year to March {result.year}: equal, hidden or different",
        headings=("Figure", *(area.name for area in boroughs)),
        rows=tuple((one.title, *(shapes[area, one.indicator_id] for area in boroughs)) for one in rules.indicators),
    )


def _figure(maker: FigureMaker, data: DataFile, result: BackTest, indicator: DfeIndicator) -> Figure:
    cells = [cell for cell in result.cells if cell.indicator == indicator]
    measure = _MEASURES[indicator.form]
    series = (
        charts.Series("Ours, as DfE would print it", tuple(_mark(cell, cell.ours) for cell in cells)),
        charts.Series("DfE", tuple(_mark(cell, cell.theirs) for cell in cells)),
    )
    return maker.of_counts(
        f"backtest-{indicator.indicator_id.replace('_', '-')}",
        indicator.title,
        finding=_finding(cells, indicator),
        chart=charts.area_dots(series, measure, _AXES[indicator.form], covered=True),
        table=_table(cells, indicator, result.year),
        data=data,
        period=f"year to March {result.year}",
        source=f"SSDA903 returns of the boroughs; DfE, {listed([one.title for one in result.editions])}.",
        measures=(),
        areas=[cell.borough.code for cell in cells],
        notes=("Where both are the same, DfE's mark lies on ours. A hidden figure has no mark.",),
    )


def _mark(cell: Cell, printed: str) -> charts.Mark:
    """A printed figure as a mark; a symbol has no place on the axis. What rounds to 0 is left out too."""
    if not printed[:1].isdigit():
        return charts.Mark(cell.borough.name, None, printed or "x")
    value = float(printed) / 100 if cell.indicator.form == "percentage" else float(printed)
    return charts.Mark(cell.borough.name, value)


def _finding(cells: Sequence[Cell], indicator: DfeIndicator) -> str:
    differing = [cell.borough.name for cell in cells if cell.verdict == DIFFERS]
    if differing:
        return f"{indicator.wording}: ours differs from DfE's for {listed(differing)}."
    equal = sum(cell.verdict == EQUAL for cell in cells)
    return (
        f"{indicator.wording}: equal for {number(equal)} of {counted(len(cells), 'borough')}, and different for none."
    )


def _table(cells: Sequence[Cell], indicator: DfeIndicator, year: int) -> Table:
    parts = ("Count behind ours",) if indicator.form == "count" else ("Counted", "Divided by")
    return Table(
        caption=f"{indicator.wording}, year to March {year}",
        headings=("Borough", "Ours", "DfE", "Verdict", *parts),
        rows=tuple(
            (
                cell.borough.name,
                cell.ours,
                cell.theirs or "-",
                cell.verdict,
                number(cell.numerator),
                *(() if cell.denominator is None else (number(cell.denominator),)),
            )
            for cell in cells
        ),
    )


def _rows(result: BackTest, rules: DfePublication, region: Region) -> Table:
    """Rows of the returns that were not counted, by rule and row number, and absences that DfE does not count."""
    names = {area.slug: area.name for area in region.boroughs}
    broken = [
        (
            names[rule.borough],
            rule.module,
            f"Rule {rule.rule_id}: {rules.row_rules[rule.rule_id]}",
            number(len(rule.row_numbers)),
            ", ".join(map(str, rule.row_numbers)),
        )
        for rule in result.broken
    ]
    uncounted = [
        (names[borough], "missing", UNCOUNTED[standing], number(rows), "")
        for (borough, standing), rows in result.standings.items()
        if standing in UNCOUNTED
    ]
    return Table(
        caption="Rows that were read and not counted",
        headings=("Borough", "Module", "Why", "Rows", "Row numbers"),
        rows=(*broken, *uncounted),
        numeric=False,
    )
