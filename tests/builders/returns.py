"""SSDA903 returns for tests: rows as tuples of text, written as a borough's three modules. All invented."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.backtest.counting import Counts, count_returns
from pipelines.backtest.returns import read_returns
from pipelines.contracts.dfe_figures import dfe_figure_frame
from pipelines.contracts.dfe_publication import load_dfe_publication
from pipelines.region import load_region

Row = Sequence[str]
COLUMNS = {
    "header": ("CHILD", "SEX", "DOB", "ETHNIC"),
    "episodes": ("CHILD", "DECOM", "RNE", "LS", "CIN", "PLACE", "DEC", "REC"),
    "missing": ("CHILD", "DOB", "MISSING", "MIS_START", "MIS_END"),
}
BORN = "15/06/2009"


def placement(child: str, start: str = "01/01/2020", end: str = "", legal_status: str = "C2") -> Row:
    """A row of the episodes module."""
    return (child, start, "S", legal_status, "N1", "U1", end, "E8" if end else "")


def absence(child: str, start: str, end: str = "", status: str = "M", born: str = BORN) -> Row:
    """A row of the missing module."""
    return (child, born, status, start, end)


def write_return(
    folder: Path, missing: Sequence[Row], episodes: Sequence[Row], header: Sequence[Row] | None = None
) -> None:
    """Write one borough's modules; without `header` there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    modules: Mapping[str, Sequence[Row] | None] = {"missing": missing, "episodes": episodes, "header": header}
    for name, rows in modules.items():
        if rows is not None:
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([COLUMNS[name], *rows])


def counted(folder: Path, year: int = 2024) -> Counts:
    """Count the returns in a folder by the rules of the repository."""
    returns = read_returns(folder, load_region().boroughs)
    return count_returns(returns, year, load_dfe_publication(), dfe_figure_frame())


def totals(counts: Counts, borough: str = "bury") -> dict[str, int]:
    """The counts of one borough by indicator; averages and percentages are left out."""
    return {
        indicator: cell.numerator
        for (slug, indicator), cell in counts.cells.items()
        if slug == borough and cell.denominator is None
    }
