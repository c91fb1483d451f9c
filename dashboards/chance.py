"""The sentences of funnels, control charts and intervals over children, for a reader who is no statistician.

A sentence says what lies outside the limits, what that may mean, and never who is best; a sign is called a reason to
ask. Single values are worded in `words`, pictures drawn in `charts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from dashboards.charts import rounded
from dashboards.rulebook import Indicator
from dashboards.variation import ControlPoint, FunnelPoint, OverChildren, newest_run
from dashboards.words import Measure, amount, counted, listed, month, number, period
from pipelines.uncertainty.rules import ControlRules, FunnelRules

_SHARE = Measure("share")
_OUTER, _INNER = 2, 1  # how far a borough stands outside
_LATELY = 12  # months of which the sentence above a control chart tells the signs
_MOST_SIGNS = 4
_KINDS = ("beyond", "shift", "trend", "near")  # columns of signs, the strongest first


def funnel_finding(points: Sequence[FunnelPoint], indicator: Indicator, rules: FunnelRules) -> str:
    """Say which boroughs lie outside the limits, and that the others do not."""
    first = points[0]
    judged = [point for point in points if point.is_judged]
    left = [f"{point.area_name} [{point.symbol or 'x'}]" for point in points if not point.is_judged]
    missing = f" Not compared, for want of a complete figure: {listed(left)}." if left and judged else ""
    when = period(first.period_type, first.period_start, first.period_end)
    if not judged or first.target is None:
        return f"For {when}, no borough has a complete figure, so none can be compared."
    head = f"In {when}, the boroughs compared had, taken together, {_with_unit(first.target, indicator)}."
    if first.areas < rules.fewest_areas:
        few = (
            f" Only {counted(first.areas, 'borough')} can be compared, too few to tell unusual differences from usual "
            "ones."
        )
        return head + few + missing
    outer, inner = ([p for p in judged if abs(p.standing or 0) == level] for level in (_OUTER, _INNER))
    said = ""
    if outer:
        said += f" {_named(outer)} outside the 99.8% limits, which is hardly chance: worth asking why."
    if inner:
        by_chance = "where about one borough in twenty would lie by chance"
        said += f" {_named(inner)} between the 95% and the 99.8% limits, {by_chance}."
    rest = len(judged) - len(outer) - len(inner)
    if not said:
        said = f" None of the {len(judged)} differs from the others by more than is usual."
    elif rest:
        said += f" The other {number(rest)} differ by no more than is usual."
    return head + said + missing


def control_finding(points: Sequence[ControlPoint], rules: ControlRules) -> str:
    """Say the usual range and what was unusual lately; or why there is no range."""
    run = newest_run(points)
    area = points[0].area_name
    if not run:
        return f"No month of {area} was received in full, so no usual range can be given."
    last = run[-1]
    if last.centre is None or last.lower_limit is None or last.upper_limit is None:
        have = "is only 1 complete month" if len(run) == 1 else f"are only {len(run)} complete months in a row"
        return (
            f"Up to {month(last.period_start)} there {have}; a usual range needs {rules.fewest_months}, so none is "
            "given."
        )
    head = (
        f"From {month(run[0].period_start)} to {month(last.period_start)}, {area} had {number(last.centre)} missing "
        f"incidents a month on average, and usually between {number(last.lower_limit)} and {number(last.upper_limit)}."
    )
    stretches = _stretches(run)
    recent = [stretch for stretch in stretches if _months_between(stretch.points[-1], last) < _LATELY]
    told = {point.period_start for stretch in recent for point in stretch.points}
    earlier = {point.period_start for stretch in stretches for point in stretch.points} - told
    said = _sign_sentences(recent) or [f"None of the last {min(_LATELY, len(run))} months stands out."]
    before = [f"Of the months before, {number(len(earlier))} stood out; the table says how."] if earlier else []
    return " ".join([head, *said, *before])


def control_signs(point: ControlPoint, rules: ControlRules) -> str:
    """Say what is unusual about one month; blank where nothing is."""
    words = {
        "beyond": {1: "more than the usual range", -1: "fewer than the usual range"},
        "shift": {
            1: f"one of {rules.shift_months} or more months in a row above the average",
            -1: f"one of {rules.shift_months} or more months in a row below the average",
        },
        "trend": {
            1: f"part of a rise over {rules.trend_months} or more months",
            -1: f"part of a fall over {rules.trend_months} or more months",
        },
        "near": {
            1: "near the top of the range, as another of the months beside it",
            -1: "near the bottom of the range, as another of the months beside it",
        },
    }
    return "; ".join(words[name][side] for name, side in _signs(point))


def _signs(point: ControlPoint) -> list[tuple[str, int]]:
    sides = ((name, getattr(point, name)) for name in _KINDS)
    found = [(name, side) for name, side in sides if side]
    # A month beyond a limit is near it too; once is enough.
    return [one for one in found if not (one[0] == "near" and found[0][0] == "beyond")]


@dataclass(frozen=True)
class _Stretch:
    """Neighbouring months with the same sign; months beyond a limit each stand alone."""

    name: str
    side: int
    points: tuple[ControlPoint, ...]


def _stretches(points: Sequence[ControlPoint]) -> list[_Stretch]:
    """The signs of a run of months, the strongest kind first, oldest first."""
    return [
        _Stretch(name, side, tuple(point for _, point in group))
        for name in _KINDS
        for (side, _), group in groupby(
            enumerate(points), key=lambda one: (dict(_signs(one[1])).get(name, 0), one[0] * (name == "beyond"))
        )
        if side
    ]


def _sign_sentences(stretches: Sequence[_Stretch]) -> list[str]:
    """One sentence for each stretch, as far as a reader will follow."""
    more = len(stretches) - _MOST_SIGNS
    told = [_sign_sentence(stretch) for stretch in stretches[:_MOST_SIGNS]]
    return [*told, f"{counted(more, 'more sign is', 'more signs are')} in the table."] if more > 0 else told


def _sign_sentence(stretch: _Stretch) -> str:
    first, last = month(stretch.points[0].period_start), month(stretch.points[-1].period_start)
    when = first if first == last else f"{first} to {last}"
    is_high = stretch.side > 0
    if stretch.name == "beyond":
        return (
            f"{when} had {number(stretch.points[0].value or 0)}, {'more' if is_high else 'fewer'} than the usual range."
        )
    if stretch.name == "shift":
        return f"Every month from {first} to {last} was {'above' if is_high else 'below'} the average."
    if stretch.name == "trend":
        return f"From {first} to {last} each month was {'higher' if is_high else 'lower'} than the one before."
    return f"{when} came close to the {'top' if is_high else 'bottom'} of the range."


def _months_between(point: ControlPoint, last: ControlPoint) -> int:
    return (last.period_start.year - point.period_start.year) * 12 + last.period_start.month - point.period_start.month


def _with_unit(value: float, indicator: Indicator) -> str:
    """249 per 10,000; 48% (share of children)."""
    unit = f"({indicator.unit})" if indicator.measure.unit == "share" else indicator.unit
    return f"{amount(value, indicator.measure)} {unit}"


def _named(points: Sequence[FunnelPoint]) -> str:
    names = listed([f"{point.area_name} ({'above' if (point.standing or 0) > 0 else 'below'})" for point in points])
    return f"{names} {'lies' if len(points) == 1 else 'lie'}"


def standing_words(point: FunnelPoint, measure: Measure) -> str:
    """Say where a borough stands; "just" where the value and the limit are written alike."""
    if point.standing is None:
        return f"not compared [{point.symbol or 'x'}]"
    if point.standing == 0:
        return "inside the limits"
    level = "998" if abs(point.standing) == _OUTER else "95"
    side, end = ("above", "upper") if point.standing > 0 else ("below", "lower")
    limit = getattr(point, f"widened_{end}_{level}")
    just = "just " if rounded(limit, measure) == rounded(point.value, measure) else ""
    alone = " of chance alone" if point.phi is None else ""
    return f"{just}{side} the {'99.8%' if level == '998' else '95%'} limits{alone}"


def width_note(first: FunnelPoint, rules: FunnelRules) -> str:
    """Say why the limits are as wide as they are."""
    if first.phi is None:
        return (
            f"Limits show chance alone. With fewer than {rules.fewest_areas} boroughs the usual differences between "
            "boroughs cannot be told, so do not call a borough outside them unusual."
        )
    if not first.is_widened:
        return (
            "The boroughs differ from each other by no more than chance would bring about, so limits show chance alone."
        )
    return (
        f"The boroughs differ from each other more than chance would make them (the square of their distances is "
        f"{number(first.phi, 1)} times as large): who lives there, how things are recorded and children with many "
        "episodes play a part. The limits are widened for that; dotted lines show chance alone."
    )


def over_children_finding(drawn: Sequence[tuple[OverChildren, Indicator]], when: str) -> str:
    """Say one share and how sure it is, over children and by episode."""
    ratio, indicator = next(
        ((r, i) for r, i in drawn if (r.indicator_id, r.variant) == ("I28", "") and r.lower_95 is not None), drawn[0]
    )
    title = indicator.title[:1].lower() + indicator.title[1:]
    head = f"In {when}, {title}: {amount(ratio.estimate, _SHARE)} in {ratio.area_name}"
    if ratio.lower_95 is None or ratio.upper_95 is None:
        return f"{head}; there are too few children to say how sure that is."
    text = (
        f"{head}, between {amount(ratio.lower_95, _SHARE)} and {amount(ratio.upper_95, _SHARE)} if children are counted"
    )
    if ratio.independent_lower_95 is None or ratio.independent_upper_95 is None:
        return f"{text} whole."
    seems = f"{amount(ratio.independent_lower_95, _SHARE)} to {amount(ratio.independent_upper_95, _SHARE)}"
    surer = ratio.independent_upper_95 - ratio.independent_lower_95 < ratio.upper_95 - ratio.lower_95
    return (
        f"{text} whole, with all of their episodes (95% interval). Counting each episode for itself, it would seem "
        f"{'surer' if surer else 'no surer'}: {seems}."
    )
