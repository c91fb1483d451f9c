"""The kinds of figure a public page is made of: by area, by group, over time, first against latest year.

A kind knows which figures it needs, how to draw them and what notes belong to them; which figures a page has, and what
is said about them, is in `public`. Reads through a `PublicReader` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards import charts, sentences
from dashboards.comparability import Comparability, Concerning, Period
from dashboards.figures import Column, Figure, FigureMaker, break_places, figure_table
from dashboards.pages.section import BASIS, INTERVAL_NOTE, symbol_notes
from dashboards.points import Point, Query, keyed
from dashboards.published import PublicReader
from dashboards.rulebook import Indicator, Rulebook
from dashboards.words import Measure, day_words, measure_name, period, short_period, span
from pipelines.region import Region

Reading = tuple[str, str]  # indicator id and variant
Rows = Sequence[tuple[str, str]]  # key and name of each row of a table

COUNT = Measure("count")
_BY_PERIOD = {"month": "by month", "quarter": "by quarter", "year_to_march": "by year"}
CHILDREN_AND_INCIDENTS: dict[Reading, str] = {("I02", ""): "Children", ("I01", ""): "Incidents"}


class Desk:
    """Draws the figures of a public page out of published figures."""

    def __init__(self, reader: PublicReader, rulebook: Rulebook, region: Region) -> None:
        """Take the reader, the rules that word the figures, and the region."""
        self._reader = reader
        self._rulebook = rulebook
        self.region = region
        self._release = reader.release()
        self._comparability = Comparability(reader.notes(), region, reader.span())
        self._maker = FigureMaker(self._comparability, self._release.release_id)
        self._years = reader.periods("year_to_march")
        self.year_words = period("year_to_march", *self._years[-1]) if self._years else "no complete year yet"

    def headline(self, reading: Reading, basis: str) -> Point | None:
        """The region's figure of the newest year."""
        return next((point for point in self._newest(reading, basis) if self._is_region(point)), None)

    def measure(self, reading: Reading) -> Measure:
        """How the values of a reading are written."""
        return self._indicator(reading).measure

    def source(self, reading: Reading) -> str:
        """Where the definition of a reading comes from."""
        return self._indicator(reading).source

    def comparability_of(self, readings: Sequence[Reading]) -> Concerning:
        """The comparability notes of numbers about the region that stand outside a figure, such as headlines."""
        measures = {measure for reading in readings for measure in self._indicator(reading).measures}
        named = {indicator_id for indicator_id, _ in readings}
        year = self._years[-1] if self._years else None
        return self._comparability.concerning(measures, [self.region.area.code], year, indicators=named)

    def population_note(self) -> str:
        """Which population estimates the rates of the newest year rest on."""
        years = sorted({p.population_year for p in self._newest(("I05", ""), "A") if p.population_year})
        named = f"mid-{years[-1]} " if years else ""
        return (
            f"Rates use the Office for National Statistics' {named}population estimates, or the newest before the "
            "period's end."
        )

    def by_area(
        self, figure_id: str, reading: Reading, basis: str, phrase: str, *, notes: Sequence[str] = ()
    ) -> Figure:
        """One indicator in the newest year: a bar for each borough, a line for the region."""
        points = self._newest(reading, basis)
        indicator = self._indicator(reading)
        measure = indicator.measure
        region = next((point for point in points if self._is_region(point)), None)
        boroughs = [point for point in points if not self._is_region(point)]
        chart = charts.area_bars(
            [charts.mark(point, point.area_name, measure) for point in boroughs],
            charts.mark(region, region.area_name, measure) if region else None,
            measure,
            _capital(indicator.unit),
        )
        return self._figure(
            figure_id, "",
            finding=sentences.by_area(phrase, region, boroughs, measure),
            chart=chart, found={reading: points}, columns=_parts_and_value(points, indicator), rows=self._area_rows(),
            first_heading="Area", when=self.year_words, notes=(*_interval_note(points), *notes),
        )  # fmt: skip

    def areas_compared(
        self,
        figure_id: str,
        readings: Mapping[Reading, str],
        *,
        phrase: str,
        axis: str,
        notes: Sequence[str],
        said: tuple[int, int] = (0, 1),
    ) -> Figure:
        """Several readings in the newest year, side by side for each borough: bars for counts, marks for shares.

        Args:
            figure_id: stable name of the figure.
            readings: the readings and their names, in order.
            phrase: the finding, with {one} and {other} for the region's values.
            axis: title of the axis of values.
            notes: how to read it.
            said: which two of the readings the finding is about.
        """
        found = {reading: self._newest(reading, "A") for reading in readings}
        first = next(iter(readings))
        measure = self.measure(first)
        boroughs = [(area.code, area.name) for area in self.region.boroughs]
        series = _series(found, readings, boroughs, "area_code", measure)
        draw = charts.area_groups if measure.unit == "count" else charts.area_dots
        one, other = (self.headline(list(readings)[place], "A") for place in said)
        return self._figure(
            figure_id, ", by borough",
            finding=sentences.pair(phrase, one, other, (measure, measure)),
            chart=draw(series, measure, axis), found=found,
            columns=[Column(readings[r], keyed(points, "area_code"), measure) for r, points in found.items()],
            rows=self._area_rows(), first_heading="Area", when=self.year_words, notes=notes,
        )  # fmt: skip

    def by_group(self, figure_id: str, groups: str, breakdown: str, rows: Rows, labels: dict[str, str]) -> Figure:
        """Children and incidents of the region in the newest year, by the groups of one breakdown."""
        names = CHILDREN_AND_INCIDENTS
        found = {
            reading: [point for point in self._newest(reading, "A", breakdown) if self._is_region(point)]
            for reading in names
        }
        total = self.headline(("I02", ""), "A")
        series = _series(found, names, rows, "breakdown_value", COUNT)
        return self._figure(
            figure_id, f", {groups}, {self.region.area.name}",
            finding=sentences.groups(found["I02", ""], total, "missing children", labels),
            chart=charts.area_groups(series, COUNT, "Number"), found=found,
            columns=[Column(names[r], keyed(points, "breakdown_value"), COUNT) for r, points in found.items()],
            rows=rows, first_heading="Group", when=self.year_words,
            notes=("A child has one group in a period: its first known one, or looked after if it ever was.",),
        )  # fmt: skip

    def over_time(
        self,
        figure_id: str,
        readings: Mapping[Reading, str],
        basis: str,
        period_type: str,
        *,
        said: Reading,
        phrase: str,
        notes: Sequence[str] = (),
    ) -> Figure:
        """Readings of the region in every period: lines, or for one reading by year, columns with intervals.

        Args:
            figure_id: stable name of the figure.
            readings: the readings and their names, in order; all are written alike.
            basis: attribution basis.
            period_type: month, quarter or year_to_march.
            said: the reading that the finding is about.
            phrase: the finding, with {value} and {area}.
            notes: how to read it.
        """
        area = self.region.area
        found = {reading: self._points(reading, basis, period_type, area_code=area.code) for reading in readings}
        indicator = self._indicator(said)
        measure = indicator.measure
        rows = [(str(p.period_start), short_period(p.period_type, p.period_start, p.period_end)) for p in found[said]]
        series = _series(found, readings, rows, "period_start", measure)
        axis = "Number" if measure.unit == "count" else _capital(indicator.unit)
        by_year = period_type == "year_to_march"
        if by_year and len(series) == 1:
            chart = charts.columns(series[0].marks, measure, axis)
        else:
            chart = (charts.area_groups if by_year else charts.trend)(series, measure, axis)
        return self._figure(
            figure_id, f", {_BY_PERIOD[period_type]}, {area.name}",
            finding=sentences.trend(phrase, found[said], measure), chart=chart, found=found,
            columns=[Column(readings[r], keyed(points, "period_start"), measure) for r, points in found.items()],
            rows=rows, first_heading="Period", when=_span(found[said]),
            timeline=[(point.period_start, point.period_end) for point in found[said]],
            notes=(*(_interval_note(found[said]) if by_year else ()), *notes),
        )  # fmt: skip

    def first_and_latest(
        self, figure_id: str, reading: Reading, basis: str, what: str, *, notes: Sequence[str]
    ) -> Figure:
        """One indicator by borough in the first and the newest year that have figures; every year in the table."""
        points = self._points(reading, basis, "year_to_march")
        indicator = self._indicator(reading)
        boroughs = [point for point in points if not self._is_region(point)]
        starts = [point.period_start for point in boroughs if point.value is not None] or [
            p.period_start for p in boroughs
        ]
        ends = list(dict.fromkeys([*starts[:1], *starts[-1:]]))
        years = [[point for point in boroughs if point.period_start == start] for start in ends]
        series = [
            charts.Series(
                short_period("year_to_march", year[0].period_start, year[0].period_end),
                tuple(charts.mark(point, point.area_name, indicator.measure) for point in year),
            )
            for year in years
        ]
        ends_of_axis = [(year[0].period_start, year[0].period_end) for year in years]
        broken = bool(break_places(self._maker.concerning([(indicator, points)]).breaks, ends_of_axis))
        finding = "Only one year is available, so no change can be shown."
        if len(years) > 1:
            finding = sentences.change(what, years[0], years[-1], indicator.measure)
        return self._figure(
            figure_id, ", first and latest year", finding=finding,
            chart=charts.area_dots(
                series, indicator.measure, _capital(indicator.unit), joined=not broken, apart=broken
            ),
            found={reading: points},
            columns=[
                Column(
                    short_period("year_to_march", start, end),
                    keyed([point for point in points if point.period_start == start], "area_code"),
                    indicator.measure,
                )
                for start, end in self._years
            ],
            rows=self._area_rows(), first_heading="Area", when=_span(points), notes=notes,
        )  # fmt: skip

    def _figure(
        self,
        figure_id: str,
        how: str,
        *,
        finding: str,
        chart: dict[str, Any],
        found: Mapping[Reading, Sequence[Point]],
        columns: Sequence[Column],
        rows: Rows,
        first_heading: str,
        when: str,
        notes: Sequence[str],
        timeline: Sequence[Period] | None = None,
    ) -> Figure:
        """Put a chart together with its heading (the titles of its indicators and how they are divided) and notes."""
        heading = f"{self._rulebook.titled(found)}{how}"
        points = [list(values) for values in found.values()]
        basis = next((point.basis for values in points for point in values), "")
        ids = ", ".join(dict.fromkeys(indicator_id for indicator_id, _ in found))
        release = self._release
        return self._maker.of_points(
            figure_id,
            heading,
            finding=finding,
            chart=chart,
            table=figure_table(f"{heading}, {when}", first_heading, columns, rows),
            series=[(self._indicator(reading), values) for reading, values in found.items()],
            period=when,
            source=(
                f"Deliveries of the boroughs to the regional pipeline; indicator {ids}; release {release.release_id}; "
                f"data to {day_words(release.data_to)}."
            ),
            notes=(*symbol_notes(*points), *filter(None, [BASIS.get(basis)]), self._rounding_note()),
            more_notes=notes,
            timeline=timeline,
        )

    def _rounding_note(self) -> str:
        return (
            f"Counts are rounded to multiples of {self._release.base} so that they add up across tables; percentages "
            "and rates are made from the rounded counts."
        )

    def _indicator(self, reading: Reading) -> Indicator:
        return self._rulebook.indicator(*reading)

    def _newest(self, reading: Reading, basis: str, breakdown: str = "total") -> list[Point]:
        """Figures of the newest year, every area."""
        if not self._years:
            return []
        start = self._years[-1][0]
        return self._points(reading, basis, "year_to_march", period_start=start, breakdown=breakdown)

    def _points(self, reading: Reading, basis: str, period_type: str, **more: Any) -> list[Point]:
        return self._reader.points(Query(reading[0], basis, period_type, variant=reading[1], **more))

    def _is_region(self, point: Point) -> bool:
        return point.area_code == self.region.area.code

    def _area_rows(self) -> Rows:
        return [(area.code, area.name) for area in (*self.region.boroughs, self.region.area)]


def _parts_and_value(points: Sequence[Point], indicator: Indicator) -> list[Column]:
    """Numerator, denominator, value and interval, as far as the indicator has them."""
    columns = [
        Column(measure_name(indicator.numerator), keyed(points, "area_code", "numerator"), COUNT),
        Column(measure_name(indicator.denominator), keyed(points, "area_code", "denominator"), COUNT),
        Column(_capital(indicator.unit), keyed(points, "area_code"), indicator.measure),
    ]
    if any(point.lower_95 is not None for point in points):
        columns += [
            Column("95% from", keyed(points, "area_code", "lower_95"), indicator.measure),
            Column("95% to", keyed(points, "area_code", "upper_95"), indicator.measure),
        ]
    return columns


def _series(
    found: Mapping[Reading, Sequence[Point]], names: Mapping[Reading, str], rows: Rows, key: str, measure: Measure
) -> list[charts.Series]:
    """One series a reading, one mark a row; a row without a figure is a gap."""
    return [
        charts.Series(
            names[reading],
            tuple(
                charts.mark(by_row[row], label, measure) if row in by_row else charts.Mark(label, None, "x")
                for row, label in rows
            ),
        )
        for reading, by_row in ((reading, keyed(points, key)) for reading, points in found.items())
    ]


def _interval_note(points: Sequence[Point]) -> tuple[str, ...]:
    return (INTERVAL_NOTE,) if any(point.lower_95 is not None for point in points) else ()


def _span(points: Sequence[Point]) -> str:
    if not points:
        return "no period"
    first, last = points[0], points[-1]
    return span(first.period_type, (first.period_start, first.period_end), (last.period_start, last.period_end))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
