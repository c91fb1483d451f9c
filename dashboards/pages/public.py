"""The public page: the inquiry's questions in their order, answered from published figures only.

Takes a `PublicReader`, never a warehouse connection. Wording that depends on no figure is here or in the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards import charts, sentences
from dashboards.figures import Column, Figure, figure_file, figure_table
from dashboards.pages.section import BASIS, CHILDREN_NOTE, INTERVAL_NOTE, Card, Section, symbol_notes
from dashboards.points import Point, Query
from dashboards.published import PublicReader, Release
from dashboards.rulebook import Indicator, Rulebook
from dashboards.words import Measure, full_date, local, period, short_period, shown, span
from pipelines.region import Region

Reading = tuple[str, str]  # indicator id and variant

_HEARD_NOTES = (
    "An episode is eligible once the child is back, is under 18, and 72 hours have passed before the borough's data ends.",
    "The 72 hours are elapsed time from the return, nights and weekends included; where the return was not recorded, from being found.",
)
_AGE_LABELS = {
    "under 10": "children under 10",
    "10 to 11": "children aged 10 to 11",
    "12 to 14": "children aged 12 to 14",
    "15 to 17": "children aged 15 to 17",
    "unknown": "children of unknown age",
}
_SEX_LABELS = {"female": "girls", "male": "boys", "other": "another sex", "unknown": "sex not recorded"}
_CARE_LABELS = {
    "yes": "children looked after by a local authority",
    "no": "children not looked after",
    "unknown": "children whose status was not recorded",
}
_BANDS = {
    "age_band": ("under 10", "10 to 11", "12 to 14", "15 to 17", "unknown"),
    "sex": ("female", "male", "other", "unknown"),
    "looked_after": ("yes", "no", "unknown"),
}
_CARE_NAMES = {"yes": "Looked after", "no": "Not looked after", "unknown": "Not known"}


@dataclass(frozen=True)
class PublicPage:
    """What the template of the public page is filled with."""

    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    period: str

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the page, in order."""
        return tuple(figure for section in self.sections for figure in section.figures)


def public_page(reader: PublicReader, rulebook: Rulebook, region: Region) -> PublicPage:
    """Put the public page together."""
    desk = _Desk(reader, rulebook, region)
    return PublicPage(
        cards=_cards(desk),
        sections=(_heard(desk), _early(desk), _who(desk), _changed(desk)),
        period=desk.latest_words,
    )


class _Desk:
    """What every figure of the page needs: the reader, the rules, the release and the newest year."""

    def __init__(self, reader: PublicReader, rulebook: Rulebook, region: Region) -> None:
        self.reader = reader
        self.rulebook = rulebook
        self.region = region
        self.release: Release = reader.release()
        self.years = reader.periods("year_to_march")
        self.latest_words = period("year_to_march", *self.years[-1]) if self.years else "no complete year yet"

    def indicator(self, reading: Reading) -> Indicator:
        return self.rulebook.indicator(*reading)

    def year(self, reading: Reading, basis: str, breakdown: str = "total") -> list[Point]:
        """Figures of the newest year, every area."""
        if not self.years:
            return []
        start = self.years[-1][0]
        return self.points(reading, basis, "year_to_march", period_start=start, breakdown=breakdown)

    def regional(self, reading: Reading, basis: str, period_type: str) -> list[Point]:
        """Figures of the region in every period."""
        return self.points(reading, basis, period_type, area_code=self.region.area.code)

    def points(self, reading: Reading, basis: str, period_type: str, **more: Any) -> list[Point]:
        return self.reader.points(Query(reading[0], basis, period_type, variant=reading[1], **more))

    def is_region(self, point: Point) -> bool:
        return point.area_code == self.region.area.code

    def rounding_note(self) -> str:
        base = self.release.base
        return (
            f"Counts are rounded to multiples of {base} so that they add up across tables; percentages and rates are made from the "
            "rounded counts."
        )

    def figure(
        self,
        figure_id: str,
        heading: str,
        *,
        finding: str,
        chart: dict[str, Any],
        series: Sequence[tuple[Reading, Sequence[Point]]],
        columns: Sequence[Column],
        rows: Sequence[tuple[str, str]],
        first_heading: str,
        period_words: str,
        notes: Sequence[str] = (),
    ) -> Figure:
        """Bundle a chart with its table, file, period, source and notes."""
        points = [list(values) for _, values in series]
        basis = next((point.basis for values in points for point in values), "A")
        ids = ", ".join(dict.fromkeys(reading[0] for reading, _ in series))
        return Figure(
            figure_id=figure_id,
            heading=heading,
            finding=finding,
            chart=chart,
            table=figure_table(f"{heading}, {period_words}", first_heading, columns, rows),
            data=figure_file(f"{figure_id}.csv", [(self.indicator(r), values) for r, values in series], self.release.release_id),
            period=period_words,
            source=(
                f"Deliveries of the boroughs to the regional pipeline; indicator {ids}; release {self.release.release_id}; "
                f"data to {full_date(local(self.release.data_to).date())}."
            ),
            notes=(*symbol_notes(*points), BASIS[basis], self.rounding_note()),
            more_notes=tuple(notes),
        )


def _cards(desk: _Desk) -> tuple[Card, ...]:
    wanted: tuple[tuple[Reading, str, str], ...] = (
        (("I02", ""), "A", "children went missing"),
        (("I01", ""), "A", "missing incidents"),
        (("I27", ""), "B", "of returns: an interview was offered"),
        (("I29", ""), "B", "of returns: an interview was held within 72 hours"),
    )
    cards = []
    for reading, basis, label in wanted:
        point = next((p for p in desk.year(reading, basis) if desk.is_region(p)), None)
        value = shown(None, "x", Measure("count"))
        if point is not None:
            value = shown(point.value, point.symbol, desk.indicator(reading).measure)
        cards.append(Card(label, value, f"{desk.region.area.name}, {desk.latest_words}"))
    return tuple(cards)


def _heard(desk: _Desk) -> Section:
    notes = (*_HEARD_NOTES, INTERVAL_NOTE)
    after = "after {value} of missing episodes in {area}"
    return Section(
        "heard",
        "Are children heard after they come back?",
        (
            "When a child who was missing returns, the council must offer a return interview with someone independent, and it "
            "should be carried out within 72 hours. These figures follow every return from the offer to the conversation. A "
            "borough that records offers poorly looks worse here than it may be, and the last section says how to tell.",
        ),
        (
            _by_area(desk, "heard-offered", "Return interview offered", ("I27", ""), "B",
                     f"in {{period}}, a return interview was offered {after}", notes),
            _by_area(desk, "heard-held", "Return interview held", ("I28", ""), "B",
                     f"in {{period}}, a return interview was held {after}", notes),
            _by_area(desk, "heard-72-hours", "Return interview held within 72 hours", ("I29", ""), "B",
                     f"in {{period}}, a return interview was held within 72 hours of the return {after}",
                     (*notes, "An interview known only by its date counts as within 72 hours only where every time of that day would.")),
            _by_area(desk, "heard-declined", "Return interview declined", ("I30", ""), "B",
                     f"in {{period}}, a return interview was declined {after}", notes),
            _heard_by_quarter(desk),
        ),
    )  # fmt: skip


def _heard_by_quarter(desk: _Desk) -> Figure:
    readings = {("I27", ""): "Offered", ("I28", ""): "Held", ("I29", ""): "Within 72 h", ("I30", ""): "Declined"}
    return _regional_trend(
        desk, "heard-by-quarter", "From offer to interview, by quarter", readings, "B", "quarter",
        finding_of=("I28", ""), phrase="a return interview was held after {value} of missing episodes in {area}",
        notes=_HEARD_NOTES,
    )  # fmt: skip


def _early(desk: _Desk) -> Section:
    notes = (INTERVAL_NOTE, CHILDREN_NOTE, "A window is elapsed time; the first months of the data have no full look-back and are marked [z].")
    return Section(
        "early",
        "How early is risk identified?",
        (
            "The deliveries do not say when a professional first saw a risk, so this publication cannot answer the question in full. It "
            "can show how many children reached a point at which local rules ask for a response: three missing episodes "
            "within 28 days (Salford's rule for calling a meeting), or within 90 days (a rule of Essex Police).",
        ),
        (
            _by_area(desk, "early-3-in-28", "Children missing three times in 28 days", ("I10", ""), "A",
                     "in {period}, {value} of the children who went missing in {area} did so three times within 28 days", notes),
            _by_area(desk, "early-3-in-90", "Children missing three times in 90 days", ("I09", ""), "A",
                     "in {period}, {value} of the children who went missing in {area} did so three times within 90 days", notes),
        ),
    )  # fmt: skip


def _who(desk: _Desk) -> Section:
    return Section(
        "who",
        "Who keeps going missing, and from where?",
        (
            "An incident is one missing episode; a child may have several. Reports of one absence are merged first, so that "
            "a child reported on each night of one absence is not counted as having gone missing again and again.",
        ),
        (
            _counts_by_area(desk),
            _by_area(desk, "who-rate", "Children missing per 10,000 children aged 0 to 17", ("I05", ""), "A",
                     "in {period}, {value} of every 10,000 children aged 0 to 17 in {area} went missing at least once",
                     (INTERVAL_NOTE, CHILDREN_NOTE, _population_note(desk))),
            _regional_trend(desk, "who-by-month", "Missing incidents by month", {("I01", ""): "Incidents"}, "A", "month",
                            finding_of=("I01", ""), phrase="there were {value} missing incidents in {area}"),
            _repeat_by_area(desk),
            _by_area(desk, "who-incidents-per-child", "Missing incidents per missing child", ("I03", ""), "A",
                     "in {period}, a child who went missing in {area} did so {value} times on average", (CHILDREN_NOTE,)),
            _by_group(desk, "who-age", "By age", "age_band", _AGE_LABELS),
            _by_group(desk, "who-sex", "By sex", "sex", _SEX_LABELS),
            _by_group(desk, "who-looked-after", "By whether the child was looked after", "looked_after", _CARE_LABELS),
            _looked_after_by_area(desk),
        ),
    )  # fmt: skip


def _changed(desk: _Desk) -> Section:
    return Section(
        "changed",
        "What has changed?",
        (
            "Only years that the boroughs delivered to this pipeline can be compared here; earlier years are not in it. A change "
            "may be one of children's lives, of recording, or of what was delivered: a year received in part is marked [u].",
        ),
        (
            _by_year(desk, "changed-counts", "Children missing and missing incidents by year",
                     {("I02", ""): "Children", ("I01", ""): "Incidents"}, "A",
                     "there were {value} missing incidents in {area}", ("I01", "")),
            _by_year(desk, "changed-held", "Return interview held, by year", {("I28", ""): "Held"}, "B",
                     "a return interview was held after {value} of missing episodes in {area}", ("I28", "")),
            _first_and_last(desk, "changed-held-by-borough", "Return interview held, first and latest year", ("I28", ""), "B",
                            "the share of episodes followed by a return interview", _HEARD_NOTES),
            _by_year(desk, "changed-repeat", "Children missing more than once, by year", {("I08", ""): "More than once"}, "A",
                     "{value} of the children who went missing in {area} did so more than once", ("I08", "")),
            _first_and_last(desk, "changed-rate-by-borough", "Children missing per 10,000, first and latest year", ("I05", ""), "A",
                            "the rate of children missing", (CHILDREN_NOTE, _population_note(desk))),
        ),
    )  # fmt: skip


def _by_area(
    desk: _Desk, figure_id: str, heading: str, reading: Reading, basis: str, phrase: str, notes: Sequence[str]
) -> Figure:
    points = desk.year(reading, basis)
    indicator = desk.indicator(reading)
    region, boroughs = _split(desk, points)
    return desk.figure(
        figure_id,
        heading,
        finding=sentences.by_area(phrase, region, boroughs, indicator.measure),
        chart=charts.area_bars(
            [charts.mark(p, p.area_name, indicator.measure) for p in boroughs],
            charts.mark(region, region.area_name, indicator.measure) if region else None,
            indicator.measure,
            _sentence_case(indicator.unit),
        ),
        series=[(reading, points)],
        columns=_parts_and_value(points, indicator),
        rows=_area_rows(desk),
        first_heading="Area",
        period_words=desk.latest_words,
        notes=[note for note in notes if note != INTERVAL_NOTE or any(p.lower_95 is not None for p in points)],
    )


def _parts_and_value(points: Sequence[Point], indicator: Indicator) -> list[Column]:
    """Numerator, denominator, value and interval, as far as the indicator has them."""
    count = Measure("count")
    value = Column(_sentence_case(indicator.unit), _by_key(points), indicator.measure)
    columns = [
        Column(_part_heading(indicator.numerator), _by_key(points, "numerator"), count),
        Column(_part_heading(indicator.denominator), _by_key(points, "denominator"), count),
        value,
    ]
    if any(p.lower_95 is not None for p in points):
        columns += [
            Column("95% from", _by_key(points, "lower_95"), indicator.measure),
            Column("95% to", _by_key(points, "upper_95"), indicator.measure),
        ]
    return columns


_PART_NAMES = {
    "incidents": "Incidents",
    "children": "Children",
    "children looked_after yes": "Looked-after children",
    "incidents looked_after yes": "Incidents of looked-after children",
    "children_repeat": "Children missing more than once",
    "children_3_in_28": "Children with 3 in 28 days",
    "children_3_in_90": "Children with 3 in 90 days",
    "incidents_second_or_later": "Second or later incidents",
    "incidents_of_repeaters": "Incidents of repeat children",
    "rhi_eligible": "Eligible episodes",
    "rhi_offered": "Offered",
    "rhi_completed": "Held",
    "rhi_completed_72h": "Held within 72 hours",
    "rhi_declined": "Declined",
    "population aged 0-17": "Population aged 0 to 17",
    "population aged 10-17": "Population aged 10 to 17",
}


def _part_heading(part: str) -> str:
    return _PART_NAMES.get(part, _sentence_case(part.replace("_", " ")))


def _by_key(points: Sequence[Point], part: str = "value", key: str = "area_code") -> dict[str, Point]:
    """Points by row, with one of their parts in the place of the value."""
    from dataclasses import replace

    keyed = {}
    for point in points:
        name = str(getattr(point, key))
        symbol = point.symbol
        if part in {"numerator", "denominator"} and getattr(point, part) is not None:
            # A count below the base of a percentage is itself shown; only the percentage is not.
            symbol = "u" if point.symbol == "u" and part == "numerator" else ""
        keyed[name] = replace(point, value=getattr(point, part), symbol=symbol if part != "lower_95" and part != "upper_95" or point.value is None else "")
    return keyed


def _counts_by_area(desk: _Desk) -> Figure:
    readings: dict[Reading, str] = {("I02", ""): "Children", ("I01", ""): "Incidents"}
    found = {reading: desk.year(reading, "A") for reading in readings}
    one, other = (next((p for p in found[r] if desk.is_region(p)), None) for r in readings)
    count = Measure("count")
    return desk.figure(
        "who-counts",
        "Children missing and missing incidents",
        finding=sentences.pair(
            "in {period}, {one} children went missing in {area}, in {other} incidents", one, other, (count, count)
        ),
        chart=charts.area_groups(_area_series(desk, found, readings), count, "Number"),
        series=list(found.items()),
        columns=[Column(readings[r], _by_key(points), count) for r, points in found.items()],
        rows=_area_rows(desk),
        first_heading="Area",
        period_words=desk.latest_words,
        notes=(CHILDREN_NOTE, "The chart shows boroughs only; the region is in the table."),
    )


def _repeat_by_area(desk: _Desk) -> Figure:
    readings: dict[Reading, str] = {
        ("I08", ""): "Children missing more than once",
        ("I07", ""): "Incidents of those children",
        ("I06", ""): "Second or later in 365 days",
    }
    found = {reading: desk.year(reading, "A") for reading in readings}
    one, other = (next((p for p in found[r] if desk.is_region(p)), None) for r in (("I08", ""), ("I07", "")))
    share = Measure("share")
    return desk.figure(
        "who-repeat",
        "Going missing again: three readings",
        finding=sentences.pair(
            "in {period}, {one} of the children who went missing in {area} did so more than once; they account for {other} of all "
            "incidents",
            one,
            other,
            (share, share),
        ),
        chart=charts.area_dots(_area_series(desk, found, readings), share, "Share"),
        series=list(found.items()),
        columns=[Column(readings[r], _by_key(points), share) for r, points in found.items()],
        rows=_area_rows(desk),
        first_heading="Area",
        period_words=desk.latest_words,
        notes=(
            'Two published meanings of "repeat" give different percentages of the same incidents: those of children with two or '
            "more in the year, and those that come after another of the same child within 365 days. The third "
            "reading is the share of children.",
            CHILDREN_NOTE,
        ),
    )


def _looked_after_by_area(desk: _Desk) -> Figure:
    readings: dict[Reading, str] = {("I14", ""): "Of children", ("I14", "of incidents"): "Of incidents"}
    found = {reading: desk.year(reading, "A") for reading in readings}
    one, other = (next((p for p in found[r] if desk.is_region(p)), None) for r in readings)
    share = Measure("share")
    return desk.figure(
        "who-looked-after-by-area",
        "Looked-after share, by borough",
        finding=sentences.pair(
            "in {period}, looked-after children were {one} of the children who went missing in {area}, and {other} of the incidents "
            "were theirs",
            one,
            other,
            (share, share),
        ),
        chart=charts.area_dots(_area_series(desk, found, readings), share, "Looked-after share"),
        series=list(found.items()),
        columns=[Column(readings[r], _by_key(points), share) for r, points in found.items()],
        rows=_area_rows(desk),
        first_heading="Area",
        period_words=desk.latest_words,
        notes=(
            "Looked after by any authority: on this basis a borough's figure includes children whom other councils placed there.",
            CHILDREN_NOTE,
        ),
    )


def _by_group(desk: _Desk, figure_id: str, heading: str, breakdown: str, labels: dict[str, str]) -> Figure:
    region = desk.region.area.code
    readings: dict[Reading, str] = {("I02", ""): "Children", ("I01", ""): "Incidents"}
    order = _BANDS[breakdown]
    found = {
        reading: sorted(
            (p for p in desk.year(reading, "A", breakdown) if p.area_code == region),
            key=lambda p: order.index(p.breakdown_value) if p.breakdown_value in order else len(order),
        )
        for reading in readings
    }
    total = next((p for p in desk.year(("I02", ""), "A") if desk.is_region(p)), None)
    names = _CARE_NAMES if breakdown == "looked_after" else {}
    rows = [(value, names.get(value, _sentence_case(value))) for value in order]
    count = Measure("count")
    return desk.figure(
        figure_id,
        f"{heading}, {desk.region.area.name}",
        finding=sentences.groups(found["I02", ""], total, "missing children", labels),
        chart=charts.columns(_row_series(found, readings, rows, "breakdown_value", count), count, "Number"),
        series=list(found.items()),
        columns=[Column(readings[r], _by_key(points, key="breakdown_value"), count) for r, points in found.items()],
        rows=rows,
        first_heading="Group",
        period_words=desk.latest_words,
        notes=("As recorded at the child's first known episode of the period.", "The CSV has the region; figures by borough are in the release."),
    )


def _regional_trend(
    desk: _Desk,
    figure_id: str,
    heading: str,
    readings: dict[Reading, str],
    basis: str,
    period_type: str,
    *,
    finding_of: Reading,
    phrase: str,
    notes: Sequence[str] = (),
) -> Figure:
    found = {reading: desk.regional(reading, basis, period_type) for reading in readings}
    rows = _period_rows(next(iter(found.values())))
    measure = desk.indicator(finding_of).measure
    axis = "Share of eligible episodes" if measure.unit == "share" else "Number"
    return desk.figure(
        figure_id,
        f"{heading}, {desk.region.area.name}",
        finding=sentences.trend(phrase, found[finding_of], measure),
        chart=charts.trend(_row_series(found, readings, rows, "period_start", measure), measure, axis),
        series=list(found.items()),
        columns=[Column(readings[r], _by_key(points, key="period_start"), measure) for r, points in found.items()],
        rows=rows,
        first_heading="Period",
        period_words=_span(next(iter(found.values()))),
        notes=notes,
    )


def _by_year(
    desk: _Desk, figure_id: str, heading: str, readings: dict[Reading, str], basis: str, phrase: str, finding_of: Reading
) -> Figure:
    found = {reading: desk.regional(reading, basis, "year_to_march") for reading in readings}
    indicator = desk.indicator(finding_of)
    rows = _period_rows(found[finding_of])
    axis = "Number" if indicator.measure.unit == "count" else _sentence_case(indicator.unit)
    points = [p for values in found.values() for p in values]
    has_interval = len(readings) == 1 and any(p.lower_95 is not None for p in points)
    return desk.figure(
        figure_id,
        f"{heading}, {desk.region.area.name}",
        finding=sentences.trend(phrase, found[finding_of], indicator.measure),
        chart=charts.columns(
            _row_series(found, readings, rows, "period_start", indicator.measure), indicator.measure, axis
        ),
        series=list(found.items()),
        columns=[
            Column(readings[r], _by_key(values, key="period_start"), indicator.measure) for r, values in found.items()
        ],
        rows=rows,
        first_heading="Year",
        period_words=_span(found[finding_of]),
        notes=(INTERVAL_NOTE,) if has_interval else (CHILDREN_NOTE,),
    )


def _first_and_last(
    desk: _Desk, figure_id: str, heading: str, reading: Reading, basis: str, what: str, notes: Sequence[str]
) -> Figure:
    points = desk.points(reading, basis, "year_to_march")
    indicator = desk.indicator(reading)
    known = [p for p in points if p.value is not None and not desk.is_region(p)] or points
    ends = list(dict.fromkeys((known[0].period_start, known[-1].period_start))) if known else []
    by_year = {start: [p for p in points if p.period_start == start and not desk.is_region(p)] for start in ends}
    series = [
        charts.Series(
            short_period("year_to_march", values[0].period_start, values[0].period_end),
            tuple(charts.mark(p, p.area_name, indicator.measure) for p in values),
        )
        for values in by_year.values()
    ]
    first, last = (by_year[ends[0]], by_year[ends[-1]]) if ends else ([], [])
    return desk.figure(
        figure_id,
        heading,
        finding=sentences.change(what, first, last, indicator.measure)
        if len(ends) > 1
        else "Only one year is available, so no change can be shown.",
        chart=charts.area_dots(series, indicator.measure, _sentence_case(indicator.unit), joined=True)
        if series
        else charts.trend([charts.Series("", ())], indicator.measure, ""),
        series=[(reading, points)],
        columns=[
            Column(short_period("year_to_march", start, end), _by_key([p for p in points if p.period_start == start]), indicator.measure)
            for start, end in desk.years
        ],
        rows=_area_rows(desk),
        first_heading="Area",
        period_words=_span(points),
        notes=notes,
    )


def _population_note(desk: _Desk) -> str:
    years = sorted({p.population_year for p in desk.year(("I05", ""), "A") if p.population_year})
    named = f"mid-{years[-1]} " if years else ""
    return f"Rates use the Office for National Statistics' {named}population estimates, or the newest before the period's end."


def _split(desk: _Desk, points: Sequence[Point]) -> tuple[Point | None, list[Point]]:
    region = next((p for p in points if desk.is_region(p)), None)
    return region, [p for p in points if not desk.is_region(p)]


def _area_rows(desk: _Desk) -> list[tuple[str, str]]:
    areas = (*desk.region.boroughs, desk.region.area)
    return [(area.code, area.name) for area in areas]


def _area_series(
    desk: _Desk, found: dict[Reading, list[Point]], names: dict[Reading, str]
) -> list[charts.Series]:
    rows = [(area.code, area.name) for area in desk.region.boroughs]
    measure = desk.indicator(next(iter(found))).measure
    return _row_series(found, names, rows, "area_code", measure)


def _row_series(
    found: dict[Reading, list[Point]],
    names: dict[Reading, str],
    rows: Sequence[tuple[str, str]],
    key: str,
    measure: Measure,
) -> list[charts.Series]:
    """One series a reading, one mark a row; a row without a figure is a gap."""
    series = []
    for reading, points in found.items():
        keyed = _by_key(points, key=key)
        marks = tuple(
            charts.mark(keyed[row], label, measure) if row in keyed else charts.Mark(label, None, "x") for row, label in rows
        )
        series.append(charts.Series(names[reading], marks))
    return series


def _period_rows(points: Sequence[Point]) -> list[tuple[str, str]]:
    return [(str(p.period_start), short_period(p.period_type, p.period_start, p.period_end)) for p in points]


def _span(points: Sequence[Point]) -> str:
    if not points:
        return "no period"
    first, last = points[0], points[-1]
    return span(first.period_type, (first.period_start, first.period_end), (last.period_start, last.period_end))


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


