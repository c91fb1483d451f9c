"""The public page of funnels and of the region's months, and the figures of chance that restricted pages borrow.

What the limits are is worked out in the pipeline (`pipelines.uncertainty`), sentences are made in `chance`; nothing is
computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards import charts
from dashboards.chance import (
    control_finding,
    control_signs,
    funnel_finding,
    over_children_finding,
    standing_words,
    width_note,
)
from dashboards.charts import rounded
from dashboards.comparability import Comparability
from dashboards.figures import Cell, DataFile, Figure, FigureMaker, Table
from dashboards.pages.section import BASIS, Section
from dashboards.published import PublicReader, Release
from dashboards.rulebook import Indicator, Rulebook
from dashboards.variation import ControlPoint, FunnelPoint, OverChildren
from dashboards.words import (
    SYMBOLS,
    Measure,
    amount,
    day_words,
    measure_name,
    month,
    number,
    period,
    short_month,
    shown,
)  # fmt: skip
from pipelines.region import Region
from pipelines.uncertainty.rules import ControlRules

_COUNT = Measure("count")
_SHARE = Measure("share")
_WORTH_ASKING = (
    "A borough outside the limits differs from the others by more than chance and the usual differences between "
    "boroughs explain. That is a reason to ask why, beginning with how episodes are recorded; it does not say that the "
    "borough does better or worse."
)
_NO_RANKING = (
    "This is no ranking: among boroughs inside the limits, the order says nothing, and a larger borough has narrower "
    "limits because chance moves its figure less."
)
_REASON_TO_ASK = (
    "A sign is a reason to ask what changed (in children's lives, in recording, in what was delivered), not a finding. "
    "The usual range knows nothing of seasons or school holidays."
)
_IN_A_ROW = (
    "The range and the signs need at least {months} complete months in a row; a month that was not received in full "
    "ends a row and is not drawn."
)
_NOT_FROM_ZERO = "The axis of values does not begin at zero."
_WHOLE_CHILDREN = (
    "Thin lines are 95% intervals over children: how far a share would move if other children, with all of their "
    "episodes, had gone missing instead. Intervals that take each episode for itself are in the table; they are too "
    "narrow where few children have many of the episodes."
)


@dataclass(frozen=True)
class VariationPage:
    """What the template of the public page of funnels and control charts is filled with."""

    sections: tuple[Section, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the page, in order."""
        return tuple(figure for section in self.sections for figure in section.figures)


def variation_page(reader: PublicReader, rulebook: Rulebook, region: Region) -> VariationPage:
    """Put the page together, from published figures only."""
    release = reader.release()
    chance = Chance(FigureMaker(Comparability(reader.notes(), region), release.release_id), rulebook)
    sections = []
    for charted in rulebook.funnel.charted:
        indicator = rulebook.indicator(charted.indicator_id, charted.variant)
        years = reader.funnels(charted.indicator_id, charted.variant, charted.basis)
        figures = [chance.funnel(year, indicator, charted.basis, release) for year in years]
        name = f"funnel-{charted.indicator_id.lower()}"
        if figures:
            sections.append(Section(name, indicator.title, (), tuple(figures)))
    months = reader.control("I01", "A", region.area.code)
    if months:
        figure = chance.control(
            months,
            source=_released("I01", release),
            notes=(_rounded_months(release.base),),
            release_id=release.release_id,
        )
        sections.append(Section("months", "Missing incidents, month by month", (), (figure,)))
    return VariationPage(tuple(sections))


class Chance:
    """Draws and words funnels, control charts and intervals over children."""

    def __init__(self, maker: FigureMaker, rulebook: Rulebook) -> None:
        """Take the way figures are made, and the rules that charts follow."""
        self._maker = maker
        self._rulebook = rulebook

    def funnel(self, points: Sequence[FunnelPoint], indicator: Indicator, basis: str, release: Release) -> Figure:
        """One year of one reading: boroughs by size, between limits."""
        first = points[0]
        when = period(first.period_type, first.period_start, first.period_end)
        measure = indicator.measure
        size = measure_name(indicator.denominator)
        figure_id = "-".join(
            filter(None, ["funnel", indicator.indicator_id.lower(), indicator.variant.replace(" ", "-")])
        )
        chart = charts.funnel(
            [_sized(point, measure) for point in points if point.is_judged],
            rounded(first.target, measure),
            measure,
            indicator.unit[:1].upper() + indicator.unit[1:],
            along=size,
            is_widened=first.is_widened,
        )
        return self._maker.of_counts(
            f"{figure_id}-{first.period_end.year}",
            f"{indicator.title}, {when}",
            finding=funnel_finding(points, indicator, self._rulebook.funnel),
            chart=chart,
            table=_funnel_table(points, indicator, when),
            data=_funnel_file(f"{figure_id}-{first.period_end.year}.csv", points, indicator, basis, release),
            period=when,
            source=_released(indicator.indicator_id, release),
            measures=indicator.measures,
            areas=[point.area_code for point in points],
            notes=(
                *_marks(point.symbol for point in points),
                BASIS[basis],
                _WORTH_ASKING,
                _NO_RANKING,
                width_note(first, self._rulebook.funnel),
                f"Made from published counts, rounded to multiples of {release.base}, which moves a figure a little.",
                *_axis_note(chart),
            ),
        )  # fmt: skip

    def control(self, points: Sequence[ControlPoint], *, source: str, notes: Sequence[str], release_id: str) -> Figure:
        """Months of one area's incidents, with the usual range."""
        area = points[0].area_name
        rules = self._rulebook.control
        when = f"{month(points[0].period_start)} to {month(points[-1].period_start)}, by month"
        chart = charts.control([_expected(point, rules) for point in points], _COUNT, "Incidents")
        return self._maker.of_counts(
            "incidents-control-chart",
            f"Missing incidents by month and their usual range, {area}",
            finding=control_finding(points, rules),
            chart=chart,
            table=_control_table(points, area, rules),
            data=_control_file(points, release_id),
            period=when,
            source=source,
            measures={"incidents"},
            areas=[points[0].area_code],
            notes=(
                *_marks(point.symbol for point in points),
                BASIS[points[0].basis],
                _REASON_TO_ASK,
                _IN_A_ROW.format(months=rules.fewest_months),
                *_axis_note(chart),
                *notes,
            ),
        )

    def over_children(
        self, ratios: Sequence[OverChildren], *, source: Callable[[Sequence[str]], str], notes: Sequence[str]
    ) -> Figure | None:
        """Shares of episodes in the newest year, with limits that allow for several episodes of one child.

        Args:
            ratios: of one area and year.
            source: words where the figures of some indicators come from.
            notes: how to read it.
        """
        named = [(ratio, self._rulebook.indicator(ratio.indicator_id, ratio.variant)) for ratio in ratios]
        # On basis A who goes missing, on basis B who is heard: as everywhere on the pages.
        drawn = [
            (ratio, indicator)
            for ratio, indicator in named
            if indicator.measure.unit == "share" and ratio.basis == ("B" if "rhi" in indicator.numerator else "A")
        ]
        if not drawn:
            return None
        first = drawn[0][0]
        when = period("year_to_march", first.period_start, first.period_end)
        marks = [
            charts.Mark(
                indicator.title,
                rounded(ratio.estimate, _SHARE),
                ratio.symbol,
                rounded(ratio.lower_95, _SHARE),
                rounded(ratio.upper_95, _SHARE),
            )
            for ratio, indicator in drawn
        ]
        return self._maker.of_counts(
            "over-children",
            f"How sure are shares of episodes? {first.area_name}",
            finding=over_children_finding(drawn, when),
            chart=charts.area_bars(marks, None, _SHARE, "Share"),
            table=_over_children_table(drawn, first.area_name, when),
            data=_over_children_file(drawn),
            period=when,
            source=source([ratio.indicator_id for ratio, _ in drawn]),
            measures={measure for _, indicator in drawn for measure in indicator.measures},
            areas=[first.area_code],
            notes=(
                *_marks(ratio.symbol for ratio, _ in drawn),
                _WHOLE_CHILDREN,
                *notes,
            ),
        )


def _sized(point: FunnelPoint, measure: Measure) -> charts.Sized:
    def pair(lower: float | None, upper: float | None) -> tuple[float, float]:
        return rounded(lower, measure) or 0.0, rounded(upper, measure) or 0.0

    return charts.Sized(
        size=point.denominator or 0,
        mark=charts.Mark(point.area_name, rounded(point.value, measure), point.symbol),
        says=standing_words(point, measure),
        outside=abs(point.standing or 0),
        inner=pair(point.widened_lower_95, point.widened_upper_95),
        outer=pair(point.widened_lower_998, point.widened_upper_998),
        chance=pair(point.lower_998, point.upper_998),
    )


def _funnel_table(points: Sequence[FunnelPoint], indicator: Indicator, when: str) -> Table:
    measure = indicator.measure
    limits = (
        "widened_lower_95",
        "widened_upper_95",
        "widened_lower_998",
        "widened_upper_998",
        "lower_998",
        "upper_998",
    )
    return Table(
        caption=f"{indicator.title}, by borough, with limits around all boroughs compared "
        f"({_amount(points[0].target, measure)}), {when}",
        headings=(
            "Borough", measure_name(indicator.numerator), measure_name(indicator.denominator),
            indicator.unit[:1].upper() + indicator.unit[1:],
            "95% from", "95% to", "99.8% from", "99.8% to", "Chance alone, 99.8% from", "to", "Where it stands",
        ),
        rows=tuple(
            (
                point.area_name,
                shown(point.numerator, point.symbol if point.numerator is None else "", _COUNT),
                shown(point.denominator, "", _COUNT),
                shown(point.value, point.symbol, measure),
                *(_amount(getattr(point, name), measure) for name in limits),
                standing_words(point, measure),
            )
            for point in points
        ),
    )  # fmt: skip


def _funnel_file(
    name: str, points: Sequence[FunnelPoint], indicator: Indicator, basis: str, release: Release
) -> DataFile:
    measure = indicator.measure
    decimals = 2 if measure.unit == "share" else measure.decimals
    numbers = (
        "value", "target", "widened_lower_95", "widened_upper_95", "widened_lower_998", "widened_upper_998",
        "lower_95", "upper_95", "lower_998", "upper_998",
    )  # fmt: skip
    return DataFile(
        name,
        (
            "figure_id", "indicator_id", "variant", "title", "basis", "area_code", "area_name", "period_type",
            "period_start", "period_end", "numerator", "denominator", "population_year", "symbol", *numbers,
            "phi", "standing", "release_id",
        ),
        tuple(
            (
                point.figure_id, indicator.indicator_id, indicator.variant, indicator.title, basis, point.area_code,
                point.area_name, point.period_type, point.period_start.isoformat(), point.period_end.isoformat(),
                point.numerator, point.denominator, point.population_year, point.symbol,
                *(_fixed(getattr(point, column), decimals) for column in numbers),
                _fixed(point.phi, 1), point.standing, release.release_id,
            )
            for point in points
        ),
    )  # fmt: skip


def _expected(point: ControlPoint, rules: ControlRules) -> charts.Expected:
    centre, lower, upper = (rounded(v, _COUNT) for v in (point.centre, point.lower_limit, point.upper_limit))
    mark = charts.Mark(short_month(point.period_start), point.value, point.symbol)
    return charts.Expected(mark, centre, lower, upper, control_signs(point, rules))


def _control_table(points: Sequence[ControlPoint], area: str, rules: ControlRules) -> Table:
    return Table(
        caption=f"Missing incidents by month with average and usual range, {area}",
        headings=("Month", "Incidents", "Average", "Usually from", "Usually to", "What is unusual"),
        rows=tuple(
            (
                short_month(point.period_start),
                shown(point.value, point.symbol, _COUNT),
                *(_amount(value, _COUNT) for value in (point.centre, point.lower_limit, point.upper_limit)),
                control_signs(point, rules),
            )
            for point in points
        ),
        tall=True,
    )


def _control_file(points: Sequence[ControlPoint], release_id: str) -> DataFile:
    columns = (
        "figure_id", "indicator_id", "basis", "area_code", "area_name", "period_start", "period_end", "numerator",
        "denominator", "population_year", "symbol", "run", "run_months", "centre", "lower_limit", "upper_limit",
        "beyond", "shift", "trend", "near", "release_id",
    )  # fmt: skip
    return DataFile(
        "incidents-control-chart.csv",
        columns,
        tuple(
            (
                point.figure_id, point.indicator_id, point.basis, point.area_code, point.area_name,
                point.period_start.isoformat(), point.period_end.isoformat(),
                None if point.value is None else int(point.value), None, None, point.symbol, point.run,
                point.run_months, *(_fixed(v, 0) for v in (point.centre, point.lower_limit, point.upper_limit)),
                point.beyond, point.shift, point.trend, point.near, release_id,
            )
            for point in points
        ),
    )  # fmt: skip


def _over_children_table(drawn: Sequence[tuple[OverChildren, Indicator]], area: str, when: str) -> Table:
    limits = ("lower_95", "upper_95", "independent_lower_95", "independent_upper_95")
    return Table(
        caption=f"Shares of episodes and how sure they are, {area}, {when}",
        headings=(
            "Share", "Episodes", "Of", "Children", "Value", "95% from", "95% to", "By episode, 95% from", "to",
        ),
        rows=tuple(
            (
                indicator.title,
                number(ratio.numerator),
                number(ratio.denominator),
                number(ratio.children),
                shown(ratio.estimate, ratio.symbol, _SHARE),
                *(_amount(getattr(ratio, name), _SHARE) for name in limits),
            )
            for ratio, indicator in drawn
        ),
    )  # fmt: skip


def _over_children_file(drawn: Sequence[tuple[OverChildren, Indicator]]) -> DataFile:
    limits = ("estimate", "lower_95", "upper_95", "independent_lower_95", "independent_upper_95")
    return DataFile(
        "over-children.csv",
        (
            "figure_id", "indicator_id", "variant", "title", "basis", "area_code", "period_start", "numerator",
            "denominator", "children", "symbol", *limits,
        ),
        tuple(
            (
                ratio.figure_id, ratio.indicator_id, ratio.variant, indicator.title, ratio.basis, ratio.area_code,
                ratio.period_start.isoformat(), ratio.numerator, ratio.denominator, ratio.children, ratio.symbol,
                *(_fixed(getattr(ratio, name), 4) for name in limits),
            )
            for ratio, indicator in drawn
        ),
    )  # fmt: skip


def _axis_note(chart: dict[str, Any]) -> tuple[str, ...]:
    return (_NOT_FROM_ZERO,) if chart["layout"]["yaxis"]["range"][0] > 0 else ()


def _rounded_months(base: int) -> str:
    return (
        f"Each month is rounded to a multiple of {base}, and the average, the range and the signs are worked out from "
        f"the rounded months. A month within {base} of an end of the range may truly lie on its other side."
    )


def _released(indicator_id: str, release: Release) -> str:
    return (
        f"Deliveries of the boroughs to the regional pipeline; indicator {indicator_id}; release {release.release_id}; "
        f"data to {day_words(release.data_to)}."
    )


def _marks(symbols: Iterable[str]) -> tuple[str, ...]:
    found = set(symbols)
    return tuple(f"[{symbol}] {meaning}." for symbol, meaning in SYMBOLS.items() if symbol in found)


def _amount(value: float | None, measure: Measure) -> str:
    return "" if value is None else amount(value, measure)


def _fixed(value: float | None, decimals: int) -> Cell:
    return None if value is None else f"{value:.{decimals}f}"
