"""Our counts, printed by DfE's own rules, beside what DfE printed: one cell an indicator and borough.

A cell that DfE hid although its rule would print it is told apart from one that is equal, because nothing can be said
about it. Counting is in `counting`; the words of a page or a terminal are with those who show them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.backtest.counting import BrokenRule, CountedCell, Counts, count_returns
from pipelines.backtest.returns import read_returns
from pipelines.contracts.dfe_figures import DfeFigure, dfe_figure_frame, load_dfe_figures
from pipelines.contracts.dfe_publication import HIDDEN, DfeIndicator, DfePublication, load_dfe_publication
from pipelines.errors import CommandError
from pipelines.home import CONTRACTS
from pipelines.region import Area, load_region

EQUAL = "equal"
BOTH_HIDDEN = "hidden in both"
HIDDEN_THERE = "hidden there"
NOT_PUBLISHED = "not published"
DIFFERS = "differs"
# DfE prints zeros beside hidden cells, so that a hidden one is none.
_ZERO = "0"
# Symbols that stand where DfE has no figure at all.
_NO_FIGURE = ("x", "z")


@dataclass(frozen=True)
class Cell:
    """One figure of one borough.

    `numerator` and `denominator` (None for a count) are true counts, `ours` is what DfE would print of them, `theirs`
    what it printed (blank where it published nothing).
    """

    borough: Area
    indicator: DfeIndicator
    numerator: int
    denominator: int | None
    ours: str
    theirs: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class Edition:
    """Where the figures that were compared with were published."""

    table: str
    title: str
    published: date
    licence: str


@dataclass(frozen=True)
class BackTest:
    """The whole comparison. `not_received` are boroughs of the region without a folder; `rows_read` is by module."""

    year: int
    synthetic: bool
    editions: tuple[Edition, ...]
    cells: tuple[Cell, ...]
    not_received: tuple[Area, ...]
    rows_read: Mapping[tuple[str, str], int]
    broken: tuple[BrokenRule, ...]
    standings: Mapping[tuple[str, str], int]

    def verdicts(self) -> Mapping[str, int]:
        """How many cells there are of each verdict."""
        return Counter(cell.verdict for cell in self.cells)

    def of(self, verdict: str) -> tuple[Cell, ...]:
        """The cells of one verdict, in order."""
        return tuple(cell for cell in self.cells if cell.verdict == verdict)

    @property
    def agrees(self) -> bool:
        """Whether no cell differs."""
        return not self.of(DIFFERS)


def back_test(folder: Path, year: int, contracts: Path = CONTRACTS) -> BackTest:
    """Compare the returns in a folder with DfE's figures of the year that ends on 31 March of `year`.

    Raises:
        CommandError: DfE's figures of the year are not here, or the folder cannot be read.
        ContractError: the rules or the reference figures are not as they must be.
    """
    figures = figures_of_boroughs(year, contracts)
    rules, region = load_dfe_publication(contracts), load_region(contracts)
    returns = read_returns(folder, region.boroughs)
    counts = count_returns(returns, year, rules, dfe_figure_frame(contracts))
    editions = [Edition(one.table, one.edition, one.published, one.licence) for one in figures]
    return BackTest(
        year=year,
        synthetic=returns.synthetic,
        editions=tuple(dict.fromkeys(editions)),
        cells=tuple(
            _cell(area, indicator, counts, year, rules) for area in returns.boroughs for indicator in rules.indicators
        ),
        not_received=tuple(area for area in region.boroughs if area not in returns.boroughs),
        rows_read={
            (area.slug, module): returns.rows_read(area.slug, module)
            for area in returns.boroughs
            for module in returns.modules
        },
        broken=counts.broken,
        standings=counts.standings,
    )


def figures_of_boroughs(year: int, contracts: Path = CONTRACTS) -> tuple[DfeFigure, ...]:
    """Return DfE's figures of the region's boroughs for a year.

    Raises:
        CommandError: there are none; the message lists the years that there are.
    """
    codes = {area.code for area in load_region(contracts).boroughs}
    known = [figure for figure in load_dfe_figures(contracts) if figure.area_code in codes]
    found = tuple(figure for figure in known if figure.year == year)
    if not found:
        years = ", ".join(str(each) for each in sorted({figure.year for figure in known}))
        msg = f"DfE's figures for the year to March {year} are not in reference/dfe_missing.csv; it has {years}."
        raise CommandError(msg)
    return found


def _cell(area: Area, indicator: DfeIndicator, counts: Counts, year: int, rules: DfePublication) -> Cell:
    counted = counts.cells[area.slug, indicator.indicator_id]
    if counted.denominator is None:
        ours = rules.printed_count(counted.numerator)
    else:
        ours = rules.printed_share(indicator.form, counted.numerator, counted.denominator)
    verdict = _verdict(ours, counted.theirs)
    uncounted = sum(len(rule.row_numbers) for rule in counts.broken if rule.borough == area.slug)
    return Cell(
        borough=area,
        indicator=indicator,
        numerator=counted.numerator,
        denominator=counted.denominator,
        ours=ours,
        theirs=counted.theirs or "",
        verdict=verdict,
        reason=_reason(verdict, ours, counted, _Known(rules, uncounted, year)),
    )


def _verdict(ours: str, theirs: str | None) -> str:
    if theirs is None or (theirs in _NO_FIGURE and theirs != ours):
        return NOT_PUBLISHED
    if theirs == HIDDEN and ours != _ZERO:
        return BOTH_HIDDEN if ours == HIDDEN else HIDDEN_THERE
    return EQUAL if theirs == ours else DIFFERS


@dataclass(frozen=True)
class _Known:
    """What may explain a difference."""

    rules: DfePublication
    uncounted: int
    year: int


def _reason(verdict: str, ours: str, counted: CountedCell, known: _Known) -> str:
    """Say what is known of why a cell is not equal; blank where it is, or where nothing is known."""
    if counted.theirs is None:
        return "DfE's figure is not in reference/dfe_missing.csv."
    if verdict == NOT_PUBLISHED:
        return f"DfE prints {counted.theirs}: {known.rules.symbols[counted.theirs]}."
    if verdict == HIDDEN_THERE:
        return "DfE hid more here than its rule asks, so that a small number cannot be worked out: no comparison."
    return _why_different(ours, counted, known) if verdict == DIFFERS else ""


def _why_different(ours: str, counted: CountedCell, known: _Known) -> str:
    sentences = []
    if ours == HIDDEN:
        span = f"{known.rules.hidden_from} to {known.rules.hidden_to}"
        sentences.append(f"Ours rests on a count of {span}, which DfE would hide.")
    if counted.theirs == HIDDEN:
        sentences.append("DfE hid a number that is not 0.")
    if known.uncounted:
        sentences.append(f"Rows of this return that break a rule and were not counted: {known.uncounted}.")
    if counted.published and counted.published.year > known.year:
        sentences.append(f"DfE revises earlier years: this is the edition of {counted.published.isoformat()}.")
    return " ".join(sentences)
