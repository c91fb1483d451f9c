"""The unit every page is made of: heading, finding, chart, table, CSV, period, source and notes, together.

A chart cannot be put on a page without the rest, because only a `Figure` can be rendered; and a figure cannot lack the
comparability notes that concern it, because only a `FigureMaker` makes figures, and it chooses them from the very
points that fill the figure's file. It also draws the breaks among them into charts over time. Charts are drawn in
`charts`, sentences made in `sentences`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from dashboards.charts import with_breaks
from dashboards.comparability import Break, Comparability, Concerning, Period
from dashboards.points import Point
from dashboards.rulebook import Indicator
from dashboards.words import Measure, shown

Cell = str | int | float | None
# The column of every file that says how its figures are to be compared.
NOTES_COLUMN = "notes"


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
        timeline: Sequence[Period] | None = None,
    ) -> Figure:
        """Make a figure of indicators. What is in `series` is what its file holds and what its notes are about.

        Args:
            figure_id: stable name of the figure.
            heading: what stands above it.
            finding: the sentence that says what it shows.
            chart: the chart, drawn from the same points.
            table: the table, of the same points.
            series: the figures, each with its indicator.
            period: the period in words.
            source: where they come from.
            notes: what a picture of the figure must carry with it.
            more_notes: what helps to read it well.
            timeline: first and last day of each period along the chart's axis, in its order; none for other charts.

        Raises:
            ValueError: the chart joins periods by lines and has no timeline, so no break in the series could be drawn.
        """
        if timeline is None and any("lines" in trace.get("mode", "") for trace in chart.get("data", ())):
            msg = f"{figure_id}: a chart that joins periods by lines needs its timeline"
            raise ValueError(msg)
        concerning = self.concerning(series)
        return Figure(
            figure_id=figure_id,
            heading=heading,
            finding=finding,
            chart=with_breaks(chart, break_places(concerning.breaks, timeline or ())),
            table=table,
            data=figure_file(f"{figure_id}.csv", series, self._release_id, self._sentences),
            period=period,
            source=source,
            comparability=concerning,
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
        concerning = self._comparability.concerning(measures, areas)
        return Figure(
            figure_id=figure_id,
            heading=heading,
            finding=finding,
            chart=chart,
            table=table,
            data=replace(
                data,
                columns=(*data.columns, NOTES_COLUMN),
                rows=tuple((*row, _joined(concerning.sentences)) for row in data.rows),
            ),
            period=period,
            source=source,
            comparability=concerning,
            notes=tuple(notes),
            more_notes=(),
        )

    def concerning(self, series: Sequence[tuple[Indicator, Sequence[Point]]]) -> Concerning:
        """Choose the notes of figures that are shown together, breaks between their periods included."""
        points = [point for _, shown_ in series for point in shown_]
        return self._comparability.concerning(
            {measure for indicator, _ in series for measure in indicator.measures},
            {point.area_code for point in points},
            _looked_at(series),
            indicators={indicator.indicator_id for indicator, _ in series},
            bases={point.basis for point in points},
        )

    def _sentences(self, indicator: Indicator, point: Point) -> str:
        """The notes of one figure, for its line of a file."""
        return _joined(self.concerning([(indicator, [point])]).sentences)


def break_places(breaks: Sequence[Break], timeline: Sequence[Period]) -> tuple[tuple[int, str], ...]:
    """Find where breaks stand on an axis of periods: the place of the first period that reaches the day, and the label.

    A break before the axis begins or after it ends is not drawn; several at one place share a line.
    """
    labels: dict[int, list[str]] = {}
    for one in breaks:
        place = next((at for at, (_, last) in enumerate(timeline) if last >= one.day), 0)
        if place:
            labels.setdefault(place, []).append(one.label)
    return tuple((place, "; ".join(dict.fromkeys(labels[place]))) for place in sorted(labels))


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


def figure_file(
    name: str,
    series: Sequence[tuple[Indicator, Sequence[Point]]],
    release_id: str,
    notes_of: Callable[[Indicator, Point], str],
) -> DataFile:
    """Write figures as a tidy file: one row a figure, the symbol bare, also in the place of a missing value.

    The last column holds the comparability notes that concern the figure, one after the other.
    """
    columns = (
        "figure_id", "indicator_id", "variant", "title", "basis", "area_code", "area_name", "period_type",
        "period_start", "period_end", "breakdown", "breakdown_value", "numerator", "denominator", "value", "lower_95",
        "upper_95", "symbol", "population_year", "release_id", NOTES_COLUMN,
    )  # fmt: skip
    rows = tuple(
        (
            point.figure_id, indicator.indicator_id, indicator.variant, indicator.title, point.basis,
            point.area_code, point.area_name, point.period_type,
            point.period_start.isoformat(), point.period_end.isoformat(),
            point.breakdown, point.breakdown_value, point.numerator, point.denominator,
            *(_number(value, point, indicator.measure) for value in (point.value, point.lower_95, point.upper_95)),
            point.symbol, point.population_year, release_id, notes_of(indicator, point),
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
    return f"'{text}" if text.startswith(("=", "+", "@")) else text


def _joined(sentences: Sequence[str]) -> str:
    return " | ".join(sentences)


def _looked_at(series: Sequence[tuple[Indicator, Sequence[Point]]]) -> Period | None:
    """First and last day that a figure's points look at, with the months before a period that an indicator needs."""
    days = [
        (point.period_start - timedelta(days=31 * indicator.look_back_months), point.period_end)
        for indicator, points in series
        for point in points
    ]
    return (min(first for first, _ in days), max(last for _, last in days)) if days else None
