"""The unit every page is made of: heading, finding, chart, table, CSV, period, source and notes, together.

A chart cannot be put on a page without the rest, because only a `Figure` can be rendered; and a figure cannot lack the
comparability notes that concern it, because only a `FigureMaker` makes figures, and it chooses them from the very
points that fill the figure's file. Charts are drawn in `charts`, sentences made in `sentences`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dashboards.comparability import Comparability, Concerning, Period
from dashboards.points import Point
from dashboards.rulebook import Indicator
from dashboards.words import Measure, shown

Cell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """One column of figures in a table: its heading, its points by row, and how they are written."""

    heading: str
    points: dict[str, Point]
    measure: Measure


@dataclass(frozen=True)
class Table:
    """A table for people: a caption, a heading for each column, a heading for each row."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: bool = True
    # Scrolls inside its own box, for tables of hundreds of rows.
    tall: bool = False


@dataclass(frozen=True)
class DataFile:
    """A tidy CSV beside the page."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def text(self) -> str:
        """Write the file: comma separated, one header row, line feed."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(tuple(_plain(cell) for cell in row) for row in self.rows)
        return out.getvalue()


@dataclass(frozen=True)
class Figure:
    """One chart with all that a reader needs to trust, check and cite it."""

    figure_id: str
    heading: str
    finding: str
    chart: dict[str, Any]
    table: Table
    data: DataFile
    period: str
    source: str
    comparability: Concerning
    # What a picture of the figure must carry with it; and what helps to read it well, folded away.
    notes: tuple[str, ...]
    more_notes: tuple[str, ...]

    @property
    def alt(self) -> str:
        """What a person who cannot see the chart is told: the finding, the period, and where every value is."""
        return f"Chart. {self.finding} Period: {self.period}. The table below the chart holds every value."


class FigureMaker:
    """The one way to make a figure, so that none lacks the comparability notes of its measures and areas."""

    def __init__(self, comparability: Comparability, release_id: str) -> None:
        """Take the notes of all boroughs, and what the files say in the column that names a release."""
        self._comparability = comparability
        self._release_id = release_id

    def of_points(
        self,
        figure_id: str,
        heading: str,
        *,
        finding: str,
        chart: dict[str, Any],
        table: Table,
        series: Sequence[tuple[Indicator, Sequence[Point]]],
        period: str,
        source: str,
        notes: Sequence[str],
        more_notes: Sequence[str] = (),
    ) -> Figure:
        """Make a figure of indicators. What is in `series` is what its file holds and what its notes are about."""
        measures = {measure for indicator, _ in series for measure in indicator.measures}
        areas = {point.area_code for _, points in series for point in points}
        period_looked_at = _looked_at(series)
        return Figure(
            figure_id=figure_id,
            heading=heading,
            finding=finding,
            chart=chart,
            table=table,
            data=figure_file(f"{figure_id}.csv", series, self._release_id),
            period=period,
            source=source,
            comparability=self._comparability.concerning(measures, areas, period_looked_at),
            notes=tuple(notes),
            more_notes=tuple(more_notes),
        )

    def of_counts(
        self,
        figure_id: str,
        heading: str,
        *,
        finding: str,
        chart: dict[str, Any],
        table: Table,
        data: DataFile,
        period: str,
        source: str,
        measures: Collection[str],
        areas: Collection[str],
        notes: Sequence[str],
    ) -> Figure:
        """Make a figure of counts that are no indicator. `measures` are those that what is counted rests on."""
        return Figure(
            figure_id=figure_id,
            heading=heading,
            finding=finding,
            chart=chart,
            table=table,
            data=data,
            period=period,
            source=source,
            comparability=self._comparability.concerning(measures, areas),
            notes=tuple(notes),
            more_notes=(),
        )


def figure_table(caption: str, first_heading: str, columns: Sequence[Column], rows: Sequence[tuple[str, str]]) -> Table:
    """Lay figures out as a table.

    Args:
        caption: what the table shows and when.
        first_heading: heading of the column of row names.
        columns: figures by row key; a row without one is written as not available.
        rows: key and name of each row, in order.
    """
    return Table(
        caption=caption,
        headings=(first_heading, *(column.heading for column in columns)),
        rows=tuple((name, *(_cell(column, key) for column in columns)) for key, name in rows),
    )


def figure_file(name: str, series: Sequence[tuple[Indicator, Sequence[Point]]], release_id: str) -> DataFile:
    """Write figures as a tidy file: one row a figure, the symbol bare, also in the place of a missing value."""
    columns = (
        "figure_id", "indicator_id", "variant", "title", "basis", "area_code", "area_name", "period_type",
        "period_start", "period_end", "breakdown", "breakdown_value", "numerator", "denominator", "value", "lower_95",
        "upper_95", "symbol", "population_year", "release_id",
    )  # fmt: skip
    rows = tuple(
        (
            point.figure_id, indicator.indicator_id, indicator.variant, indicator.title, point.basis,
            point.area_code, point.area_name, point.period_type,
            point.period_start.isoformat(), point.period_end.isoformat(),
            point.breakdown, point.breakdown_value, point.numerator, point.denominator,
            *(_number(value, point, indicator.measure) for value in (point.value, point.lower_95, point.upper_95)),
            point.symbol, point.population_year, release_id,
        )
        for indicator, points in series
        for point in points
    )  # fmt: skip
    return DataFile(name, columns, rows)


def _cell(column: Column, key: str) -> str:
    point = column.points.get(key)
    return shown(None, "x", column.measure) if point is None else shown(point.value, point.symbol, column.measure)


def _number(value: float | None, point: Point, measure: Measure) -> Cell:
    """A number as fine as the page writes it (a share to two decimals), or the symbol that stands in its place."""
    if value is None:
        return point.symbol if point.value is None else None
    decimals = 2 if measure.unit == "share" else measure.decimals
    return f"{value:.{decimals}f}"


def _plain(cell: Cell | date | datetime) -> str:
    if cell is None:
        return ""
    text = str(cell)
    # A spreadsheet would run a cell that begins like a formula; file names are chosen by others.
    return f"'{text}" if text[:1] in "=+@" else text


def _looked_at(series: Sequence[tuple[Indicator, Sequence[Point]]]) -> Period | None:
    """First and last day that a figure's points look at, with the months before a period that an indicator needs."""
    days = [
        (point.period_start - timedelta(days=31 * indicator.look_back_months), point.period_end)
        for indicator, points in series
        for point in points
    ]
    return (min(first for first, _ in days), max(last for _, last in days)) if days else None
