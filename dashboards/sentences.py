"""The one sentence above each chart, made from the values that the chart shows.

A sentence never says more than its figures: what has no value is named as missing, values that are written alike are
called alike, and nothing is called high, good or worrying. Formatting of single values is in `words`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.points import Point
from dashboards.words import Measure, amount, counted, listed, number, percent, period

_MOST_NAMES = 3


def by_area(phrase: str, region: Point | None, boroughs: Sequence[Point], measure: Measure) -> str:
    """Say the region's value and the range of the boroughs.

    Args:
        phrase: a clause with {period}, {area} and {value}, without its full stop, such as
            "In {period}, an interview was held after {value} of episodes in {area}".
        region: the region's figure.
        boroughs: the boroughs' figures, in the order of the reference file.
        measure: how values are written.
    """
    any_point = region or (boroughs[0] if boroughs else None)
    if any_point is None:
        return "No figure is published for this period."
    when = _when(any_point)
    if region is not None and region.value is not None:
        head = phrase.format(period=when, area=region.area_name, value=amount(region.value, measure))
    else:
        head = f"For {when}, there is no figure for {region.area_name if region else 'the region'}"
    sentence = f"{_capital(head)}; {_range(boroughs, measure)}." if boroughs else f"{_capital(head)}."
    return sentence + _missing(boroughs)


def trend(phrase: str, points: Sequence[Point], measure: Measure) -> str:
    """Say the newest value and how it compares with the oldest shown.

    Args:
        phrase: a clause with {area} and {value}, such as "an interview was held after {value} of episodes in {area}".
        points: one figure for each period, oldest first.
        measure: how values are written.
    """
    known = [point for point in points if point.value is not None]
    if not known:
        return "No figure is available for any of these periods."
    first, last = known[0], known[-1]
    sentence = f"In {_when(last)}, {phrase.format(area=last.area_name, value=_amount(last, measure))}"
    if first is not last:
        sentence += f", {_compared(first, last, measure)} {_amount(first, measure)} in {_when(first)}"
    return f"{sentence}.{_gaps(points)}"


def change(what: str, first: Sequence[Point], last: Sequence[Point], measure: Measure) -> str:
    """Say in how many areas a value rose, fell or stayed, as the values are written."""
    earlier = {point.area_code: point for point in first}
    pairs = [(earlier[point.area_code], point) for point in last if point.area_code in earlier]
    known = [(a, b) for a, b in pairs if a.value is not None and b.value is not None]
    if not known:
        return f"No borough has figures for both periods, so it cannot be said how {what} changed."
    words = [_compared(a, b, measure) for a, b in known]
    rose, fell, same = (words.count(word) for word in ("up from", "down from", "the same as"))
    parts = [
        text
        for count, text in (
            (rose, f"rose in {counted(rose, 'borough')}"),
            (fell, f"fell in {counted(fell, 'borough')}"),
            (same, f"did not change (as rounded) in {counted(same, 'borough')}"),
        )
        if count
    ]
    sentence = f"Between {_when(known[0][0])} and {_when(known[0][1])}, {what} {listed(parts)}."
    left = [b.area_name for a, b in pairs if a.value is None or b.value is None]
    return sentence + (f" It cannot be said for {listed(left)}." if left else "")


def groups(points: Sequence[Point], total: Point | None, noun: str, labels: dict[str, str]) -> str:
    """Say which group is the largest and its share of the total.

    Args:
        points: one figure for each group.
        total: the undivided figure.
        noun: what is counted, in the plural.
        labels: how a group is named in the sentence.
    """
    known = [point for point in points if point.value is not None]
    if total is None or not total.value or not known:
        return "No figure is available for this period."
    most = max(point.value or 0 for point in known)
    names = [labels.get(point.breakdown_value, point.breakdown_value) for point in known if point.value == most]
    share = percent(min(1, most / total.value))
    verb = "The largest group was" if len(names) == 1 else "The largest groups were"
    each = "" if len(names) == 1 else " each"
    return (
        f"In {_when(total)}, {number(total.value)} {noun} were counted in {total.area_name}. "
        f"{verb} {listed(names)}, with {number(most)} of them{each} ({share})."
    )


def pair(phrase: str, one: Point | None, other: Point | None, measures: tuple[Measure, Measure]) -> str:
    """Say two values of one area and period.

    Args:
        phrase: a clause with {period}, {area}, {one} and {other}.
        one: the first figure.
        other: the second figure.
        measures: how each is written.
    """
    if one is None or other is None or one.value is None or other.value is None:
        known = one or other
        when = f" in {_when(known)}" if known else ""
        return f"At least one of the two figures is not available{when}."
    text = phrase.format(
        period=_when(one), area=one.area_name, one=_amount(one, measures[0]), other=_amount(other, measures[1])
    )
    return f"{_capital(text)}."


def tally(counts: Sequence[tuple[str, int]], singular: str, plural: str) -> str:
    """Say a total and its largest part: "12 flags; most are Repeat (7)"."""
    total = sum(count for _, count in counts)
    if not total:
        return f"There are no {plural}."
    most = max(count for _, count in counts)
    names = [name for name, count in counts if count == most]
    if len(names) > _MOST_NAMES:
        return f"There {'is' if total == 1 else 'are'} {counted(total, singular, plural)}, spread evenly."
    verb = "is" if total == 1 else "are"
    return f"There {verb} {counted(total, singular, plural)}; most often {listed(names)} ({number(most)})."


def _range(boroughs: Sequence[Point], measure: Measure) -> str:
    known = [point for point in boroughs if point.value is not None]
    if not known:
        return "no borough has a figure"
    if len(known) == 1:
        return f"the only borough with a figure, {known[0].area_name}, had {_amount(known[0], measure)}"
    # Compared as written: a reader must not find two boroughs called lowest and not lowest with the same number.
    written = {_rank(point, measure): _amount(point, measure) for point in known}
    low, high = min(written), max(written)
    if low == high:
        return f"all {len(known)} boroughs with a figure had {written[low]}"
    ends = [f"{written[end]} ({_holders(known, end, measure)})" for end in (low, high)]
    return f"boroughs ranged from {ends[0]} to {ends[1]}"


def _holders(known: Sequence[Point], end: float, measure: Measure) -> str:
    names = [point.area_name for point in known if _rank(point, measure) == end]
    return listed(names) if len(names) <= _MOST_NAMES else counted(len(names), "borough")


def _rank(point: Point, measure: Measure) -> float:
    return round(point.value or 0, 2 if measure.unit == "share" else measure.decimals)


def _missing(points: Sequence[Point]) -> str:
    names = [f"{point.area_name} [{point.symbol or 'x'}]" for point in points if point.value is None]
    return f" No figure is available for {listed(names)}." if names and len(names) < len(points) else ""


def _gaps(points: Sequence[Point]) -> str:
    count = sum(point.value is None for point in points)
    return f" {counted(count, 'period has', 'periods have')} no figure." if count else ""


def _compared(first: Point, last: Point, measure: Measure) -> str:
    before, after = _rank(first, measure), _rank(last, measure)
    if before == after:
        return "the same as"
    return "up from" if after > before else "down from"


def _amount(point: Point, measure: Measure) -> str:
    return amount(point.value or 0, measure)


def _when(point: Point) -> str:
    return period(point.period_type, point.period_start, point.period_end)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
