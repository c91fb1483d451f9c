"""The figures of recurrence: how soon and how often children go missing again, how few they are, what "repeat" means.

For the region's restricted page: true counts. The estimates are made in the pipeline; here they are drawn and worded,
and set beside what research published, as text with its source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dashboards import charts
from dashboards.figures import DataFile, Figure, FigureMaker, Table
from dashboards.pages.section import BASIS
from dashboards.region_view import Estimate, Half, RegionReader, Repeat, Slice
from dashboards.words import Measure, counted, number, percent, period, short_period
from pipelines.region import Region

_SHARE = Measure("share")
_MEAN = Measure("ratio", 2)
_GROUPS = {"Total": "All children", "yes": "Looked after", "no": "Not looked after"}
_MEASURES = frozenset({"incidents", "children"})
_NOTE = "True counts, not rounded: not for publication."
_SOURCE = "Deliveries of the boroughs"
_TICKS = (0, 28, 91, 182, 273, 364)
_MONTH = 28
_HALF_YEAR = 182
_LATER = "Second or later incident"
_BY_CHILDREN = "Incident of a child with two or more"
_REPEAT_FIELDS = (
    "incidents", "children", "second_or_later_in_year", "second_or_later_365_days",
    "incidents_of_repeat_children_in_year", "incidents_of_repeat_children_365_days", "children_repeat_in_year",
    "children_repeat_365_days",
)  # fmt: skip
_ByDay = Mapping[int, Estimate]


@dataclass(frozen=True)
class _Kind:
    """One kind of curve: how it is named, measured, worded and read."""

    figure_id: str
    heading: str
    table: str
    measure: Measure
    axis: str
    along: str
    finding: Callable[[Mapping[str, _ByDay], date], str]
    notes: tuple[str, ...]


class Recurrence:
    """Draws the figures of recurrence of one region."""

    def __init__(
        self, maker: FigureMaker, reader: RegionReader, research: Mapping[str, tuple[str, ...]], region: Region
    ) -> None:
        """Take the way figures are made, the estimates, what research says by figure, and the region."""
        self._maker = maker
        self._reader = reader
        self._research = research
        self._region = region

    def figures(self) -> tuple[Figure, ...]:
        """Make the figures that have data."""
        made: list[Figure] = []
        year = self._reader.followed_year()
        if year is not None:
            made += [
                self._curves(_SOON, self._reader.gone_again(year), year),
                self._curves(_OFTEN, self._reader.further_episodes(year), year),
            ]
            slices = self._reader.concentration(year)
            made += [self._concentration(slices, year)] if slices else []
        repeats = self._reader.repeats()
        made += [self._repeats(repeats)] if repeats else []
        return tuple(made)

    def _curves(self, kind: _Kind, estimates: Sequence[Estimate], year: date) -> Figure:
        """One curve for all children and for those looked after or not, each with its interval."""
        groups = [group for group in _GROUPS if any(one.group == group for one in estimates)]
        by_group = {group: {one.days: one for one in estimates if one.group == group} for group in groups}
        days = sorted({one.days for one in estimates})
        return self._maker.of_counts(
            kind.figure_id,
            kind.heading,
            finding=kind.finding(by_group, year),
            chart=charts.curves(
                [_curve(_GROUPS[group], by_group[group], kind.measure) for group in groups],
                kind.measure,
                kind.axis,
                along=kind.along,
                ticks=_TICKS,
            ),
            table=Table(
                f"{kind.heading} {self._region.area.name}, {_year(year)}",
                ("Days", *(text for group in groups for text in (_GROUPS[group], "95% from", "95% to", "Followed"))),
                tuple(
                    (
                        number(day),
                        *(cell for group in groups for cell in _cells(by_group[group].get(day), kind.measure)),
                    )
                    for day in days
                ),
                tall=True,
            ),
            data=self._estimate_file(kind.figure_id, estimates, year),
            period=f"children missing in {_year(year)}, each followed for up to a year",
            source=f"{_SOURCE}; {kind.table}.",
            measures=_MEASURES,
            areas=[self._region.area.code],
            notes=(BASIS["A"], *self._published(kind.figure_id), *kind.notes, _NOTE),
        )

    def _estimate_file(self, figure_id: str, estimates: Sequence[Estimate], year: date) -> DataFile:
        return DataFile(
            f"{figure_id}.csv",
            ("area_code", "period_start", "looked_after", "days", "at_risk", "value", "lower_95", "upper_95"),
            tuple(
                (
                    self._region.area.code, year.isoformat(), one.group, one.days, one.at_risk,
                    *(None if v is None else f"{v:.4f}" for v in (one.value, one.lower, one.upper)),
                )
                for one in estimates
            ),
        )  # fmt: skip

    def _concentration(self, slices: Sequence[Slice], year: date) -> Figure:
        marks = tuple(
            charts.Mark(f"{counted(one.incidents_each, 'incident')} or more each", _fine(one.share_of_incidents))
            for one in slices
        )
        curve = charts.Curve(
            "Incidents",
            (0.0, *(_fine(one.share_of_children) for one in slices)),
            (charts.Mark("no child", 0.0), *marks),
        )
        return self._maker.of_counts(
            "concentration",
            "On how few children do incidents fall?",
            finding=_half_finding(self._reader.half(year), year),
            chart=charts.curves(
                [curve],
                Measure("share", 1),
                "Share of incidents",
                along="Share of children, most incidents first",
                share_along=True,
            ),
            table=Table(
                f"Children by number of incidents, {self._region.area.name}, {_year(year)}",
                ("Incidents each", "Children with as many or more", "Share of children", "Their share of incidents"),
                tuple(
                    (
                        number(one.incidents_each),
                        number(one.children),
                        f"{_fine(one.share_of_children):.1%}",
                        f"{_fine(one.share_of_incidents):.1%}",
                    )
                    for one in slices
                ),
                tall=True,
            ),
            data=DataFile(
                "concentration.csv",
                ("area_code", "period_start", "incidents_each", "children", "share_of_children", "share_of_incidents"),
                tuple(
                    (
                        self._region.area.code, year.isoformat(), one.incidents_each, one.children,
                        f"{one.share_of_children:.4f}", f"{one.share_of_incidents:.4f}",
                    )
                    for one in slices
                ),
            ),
            period=_year(year),
            source=f"{_SOURCE}; statistics.concentration_curve.",
            measures=_MEASURES,
            areas=[self._region.area.code],
            notes=(
                BASIS["A"],
                *self._published("concentration"),
                "Counted over one year: a child first missing in March had less time than one first missing in April.",
                _NOTE,
            ),
        )  # fmt: skip

    def _repeats(self, repeats: Sequence[Repeat]) -> Figure:
        """The two published meanings side by side, by year; both ways of looking back are in the table."""
        last = repeats[-1]
        shares = (
            percent(last.second_or_later_in_year / last.incidents),
            percent(last.incidents_of_repeat_children_in_year / last.incidents),
        )
        return self._maker.of_counts(
            "repeat-meanings",
            'Two published meanings of "repeat"',
            finding=(
                f"In {_year(last.period_start)}, {shares[0]} of incidents were a child's second or later one of the "
                f"year, and {shares[1]} were incidents of a child who had two or more. Both are called repeats; they "
                "are not the same."
            ),
            chart=charts.area_groups(
                [
                    _meaning(_LATER, "second_or_later_in_year", repeats),
                    _meaning(_BY_CHILDREN, "incidents_of_repeat_children_in_year", repeats),
                ],
                _SHARE,
                "Share of incidents",
            ),
            table=_repeat_table(repeats, self._region.area.name),
            data=DataFile(
                "repeat-meanings.csv",
                ("period_start", *_REPEAT_FIELDS),
                tuple(
                    (one.period_start.isoformat(), *(getattr(one, name) for name in _REPEAT_FIELDS)) for one in repeats
                ),
            ),
            period=f"{_short(repeats[0])} to {_short(last)}, by year to March",
            source=f"{_SOURCE}; statistics.repeat_meaning.",
            measures=_MEASURES | {"incidents_second_or_later", "incidents_of_repeaters", "children_repeat"},
            areas=[self._region.area.code],
            notes=(
                BASIS["A"],
                *self._published("repeat-meanings"),
                "In 365 days: an earlier incident counts also where it lies before the year, in whichever borough.",
                "[x] where a year of earlier data is not there.",
                _NOTE,
            ),
        )

    def _published(self, figure_id: str) -> tuple[str, ...]:
        return self._research.get(figure_id, ())


def _curve(name: str, by_day: _ByDay, measure: Measure) -> charts.Curve:
    # In two lines, or the name would be cut off at the end of its line.
    return charts.Curve(
        name.replace("looked ", "looked<br>"),
        tuple(float(day) for day in by_day),
        tuple(_mark(day, one, measure) for day, one in by_day.items()),
    )


def _mark(day: int, one: Estimate, measure: Measure) -> charts.Mark:
    value, lower, upper = (charts.rounded(v, measure) for v in (one.value, one.lower, one.upper))
    return charts.Mark(f"day {day}", value, "", lower, upper)


def _cells(estimate: Estimate | None, measure: Measure) -> tuple[str, ...]:
    if estimate is None:
        return ("[x]",) * 4
    return (
        *(_written(value, measure) for value in (estimate.value, estimate.lower, estimate.upper)),
        number(estimate.at_risk),
    )


def _written(value: float | None, measure: Measure) -> str:
    if value is None:
        return "[x]"
    return percent(value) if measure.unit == "share" else number(value, measure.decimals)


def _soon_finding(by_group: Mapping[str, _ByDay], year: date) -> str:
    def at(group: str, day: int) -> str:
        one = by_group.get(group, {}).get(day)
        return _written(one.value if one else None, _SHARE)

    text = (
        f"Of children missing in {_year(year)}, {at('Total', _MONTH)} had gone missing again within 28 days of their "
        f"first return, and {at('Total', _HALF_YEAR)} within half a year."
    )
    if {"yes", "no"} <= by_group.keys():
        text += (
            f" Within 28 days it was {at('yes', _MONTH)} of those looked after and {at('no', _MONTH)} of the others."
        )
    return text


def _often_finding(by_group: Mapping[str, _ByDay], year: date) -> str:
    def last(group: str) -> str:
        known = [one.value for one in by_group.get(group, {}).values() if one.value is not None]
        return _written(known[-1] if known else None, _MEAN)

    text = (
        f"In the year after their first episode in {_year(year)}, children went missing {last('Total')} more times on "
        "average."
    )
    if {"yes", "no"} <= by_group.keys():
        text += f" It was {last('yes')} times for those looked after and {last('no')} for the others."
    return text


_SOON = _Kind(
    "gone-again",
    "How soon do children go missing again?",
    "recurrence.survival",
    _SHARE,
    "Share of children",
    "Days since the first return of the year",
    _soon_finding,
    (
        "Estimated by Kaplan-Meier: a child who can no longer be followed counts for as long as it was.",
        "The band is the 95% interval: the range that chance alone could explain.",
        "A child whose first episode has no recorded end cannot be timed and is left out.",
    ),
)
_OFTEN = _Kind(
    "further-episodes",
    "How many more times do children go missing?",
    "recurrence.mean_cumulative",
    _MEAN,
    "Further episodes per child",
    "Days since the first episode of the year",
    _often_finding,
    (
        "Mean cumulative function: each further episode of a child counts, in whichever borough.",
        "The band is the 95% interval, found by drawing children again and again; a child's episodes stay together.",
    ),
)


def _fine(share: float) -> float:
    """As the table writes it: few children are less than one in a hundred."""
    return round(share, 3)


def _half_finding(half: Half | None, year: date) -> str:
    if half is None:
        return f"There are no incidents in {_year(year)}."
    between = ""
    if half.lower is not None and half.upper is not None:
        between = f" (95% interval {percent(half.lower)} to {percent(half.upper)})"
    return (
        f"In {_year(year)}, {counted(half.children, 'child', 'children')}, {percent(half.share_of_children)} of all "
        f"who went missing{between}, had half of the incidents."
    )


def _meaning(name: str, field: str, repeats: Sequence[Repeat]) -> charts.Series:
    marks = (charts.Mark(_short(one), charts.rounded(getattr(one, field) / one.incidents, _SHARE)) for one in repeats)
    return charts.Series(name, tuple(marks))


def _repeat_table(repeats: Sequence[Repeat], area: str) -> Table:
    columns = {
        f"{_LATER}, in the year": "second_or_later_in_year",
        f"{_LATER}, in 365 days": "second_or_later_365_days",
        f"{_BY_CHILDREN}, in the year": "incidents_of_repeat_children_in_year",
        "Incident of a child who repeats in 365 days": "incidents_of_repeat_children_365_days",
    }
    return Table(
        f'Two meanings of "repeat", {area}',
        ("Year", "Incidents", "Children", *columns, "Children missing more than once"),
        tuple(
            (
                _short(one),
                number(one.incidents),
                number(one.children),
                *(_of(getattr(one, field), one.incidents) for field in columns.values()),
                _of(one.children_repeat_in_year, one.children),
            )
            for one in repeats
        ),
    )


def _of(count: int | None, whole: int) -> str:
    return "[x]" if count is None or not whole else f"{percent(count / whole)} ({number(count)})"


def _year(start: date) -> str:
    return period("year_to_march", start, date(start.year + 1, 3, 31))


def _short(one: Repeat) -> str:
    return short_period("year_to_march", one.period_start, date(one.period_start.year + 1, 3, 31))
