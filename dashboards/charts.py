"""Charts as Plotly figures in JSON form, drawn from points and nothing else.

Each function takes values that the page also shows in its table, rounded as the page writes them: a chart holds no
number, hover text, order or axis range that the table does not. Wording is in `sentences`; colours are in `theme`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards import theme
from dashboards.points import Point
from dashboards.words import Measure, amount, shown

_BAR_HEIGHT = 34
_MOST_TICKS = 4
_LONGEST_LABEL = 18
# An axis that would begin below this share of its end begins at zero.
_NEAR_ZERO = 0.25


@dataclass(frozen=True)
class Mark:
    """One value on a chart: where it stands, the value as rounded for the page, and its 95% limits."""

    label: str
    value: float | None
    symbol: str = ""
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Series:
    """Marks that share a name, one for each place on the axis."""

    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Curve:
    """Marks that share a name, at numbers on an axis such as days."""

    name: str
    places: tuple[float, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Sized:
    """One area in a funnel: its size, its mark and what is said of it; limits, inner and outer, from below to above.

    `outside` is 0 inside the limits, 1 outside the inner ones, 2 outside the outer ones.
    """

    size: int
    mark: Mark
    says: str
    outside: int
    inner: tuple[float, float]
    outer: tuple[float, float]
    chance: tuple[float, float]


@dataclass(frozen=True)
class Expected:
    """One month of a control chart: its mark, and the mean and limits of its run of months, None where it has none.

    `says` is what is unusual about the month; blank where nothing is.
    """

    mark: Mark
    centre: float | None
    lower: float | None
    upper: float | None
    says: str


def rounded(value: float | None, measure: Measure) -> float | None:
    """Round a value as far as the page writes it, so that the chart knows no more than the table."""
    if value is None:
        return None
    return round(value, 2 if measure.unit == "share" else measure.decimals)


def mark(point: Point, label: str, measure: Measure) -> Mark:
    """Turn a figure into a mark."""
    value, lower, upper = (rounded(v, measure) for v in (point.value, point.lower_95, point.upper_95))
    return Mark(label, value, point.symbol, lower, upper)


def area_bars(marks: Sequence[Mark], region: Mark | None, measure: Measure, axis: str) -> dict[str, Any]:
    """Draw one bar for each area with its 95% interval and a line for the region. The value stands beside the name."""
    interval = _interval(marks)
    trace: dict[str, Any] = {
        "error_x": interval,
        "hoverinfo": "text",
        "hovertext": [_hover(item, measure) for item in marks],
        "marker": {"color": theme.STEEL if interval.get("type") else theme.NAVY},
        "orientation": "h",
        "type": "bar",
        "width": 0.62,
        "x": [item.value for item in marks],
        "y": [item.label for item in marks],
    }
    ticks = [f"{_wrapped(item.label)}  <b>{shown(item.value, item.symbol, measure)}</b>" for item in marks]
    # Fixed, or Plotly would stretch the axis until the region's name fits on a narrow screen.
    top = _nice_top(
        [v for item in (*marks, *([region] if region else [])) for v in (item.value, item.upper) if v is not None]
    )
    is_long = any("<br>" in tick for tick in ticks)
    layout = theme.layout(
        height=(_BAR_HEIGHT + 6 * is_long) * len(marks) + 96,
        # Long names leave the bars so little of a narrow screen that five numbers would run into each other.
        xaxis=theme.value_axis(axis, percent=measure.unit == "share", nticks=4 if is_long else 5, range=[0, top]),
        yaxis=theme.category_axis(autorange="reversed", ticktext=ticks, tickvals=[item.label for item in marks]),
    )
    if region and region.value is not None:
        layout |= _reference_line(region, region.value, measure)
    return _figure([trace], layout)


def area_groups(series: Sequence[Series], measure: Measure, axis: str) -> dict[str, Any]:
    """Draw grouped bars for each area, one colour a series."""
    traces = [
        {
            "cliponaxis": False,
            "hoverinfo": "text",
            "hovertext": [f"{item.name}<br>{_hover(m, measure)}" for m in item.marks],
            "marker": {"color": theme.PALETTE[index]},
            "name": item.name,
            "orientation": "h",
            "text": [shown(m.value, m.symbol, measure) for m in item.marks],
            "textfont": {"size": 12},
            "textposition": "outside",
            "type": "bar",
            "x": [m.value for m in item.marks],
            "y": [m.label for m in item.marks],
        }
        for index, item in enumerate(series)
    ]
    labels = [_gap_label(series, place) for place in range(len(series[0].marks))]
    layout = theme.layout(
        bargap=0.3,
        bargroupgap=0.05,
        barmode="group",
        height=(18 * len(series) + 16) * len(series[0].marks) + 110,
        legend=theme.LEGEND | {"traceorder": "normal"},
        margin={"b": 44, "l": 8, "r": 68, "t": 44},
        showlegend=True,
        xaxis=theme.value_axis(axis, percent=measure.unit == "share", nticks=3),
        yaxis=theme.category_axis(
            autorange="reversed", ticktext=labels, tickvals=[item.label for item in series[0].marks]
        ),
    )
    return _figure(traces, layout)


def area_dots(
    series: Sequence[Series],
    measure: Measure,
    axis: str,
    *,
    joined: bool = False,
    covered: bool = False,
    apart: bool = False,
) -> dict[str, Any]:
    """Draw one line of marks for each area: several readings of one thing, or the first and the last year joined.

    Where readings are often the same, `covered` makes the first's marks so large that they are seen under the rest.
    Where the marks stand `apart`, since a break in the series lies between them, no line joins them.
    """
    traces = [
        {
            "hoverinfo": "text",
            "hovertext": [f"{item.name}<br>{_hover(m, measure)}" for m in item.marks],
            "marker": {
                "color": theme.PALETTE[index],
                "line": {"color": "#FFFFFF", "width": 1},
                "size": 20 if covered and index == 0 else 13,
                "symbol": theme.MARKERS[index],
            },
            "mode": "markers",
            "name": item.name,
            "type": "scatter",
            "x": [m.value for m in item.marks],
            "y": [m.label for m in item.marks],
        }
        for index, item in enumerate(series)
    ]
    places = series[0].marks if series else ()
    labels = [
        _pair_label(series, place, measure) if joined else _gap_label(series, place) for place in range(len(places))
    ]
    layout = theme.layout(
        height=_BAR_HEIGHT * len(places) + 118,
        legend=theme.LEGEND,
        margin={"b": 44, "l": 8, "r": 20, "t": 64 if len(series) > 2 else 44},  # noqa: PLR2004 - a third name wraps the legend
        shapes=[] if apart else [_row_line(series, place) for place in range(len(places))],
        showlegend=True,
        xaxis=theme.value_axis(axis, percent=measure.unit == "share"),
        yaxis=theme.category_axis(
            autorange="reversed",
            gridcolor=theme.GRID,
            showgrid=not joined,
            ticktext=labels,
            tickvals=[item.label for item in places],
        ),
    )
    return _figure(traces, layout)


def trend(series: Sequence[Series], measure: Measure, axis: str) -> dict[str, Any]:
    """Draw lines over periods. A period without a value is a gap, never a zero; each line is named at its end."""
    labels = [item.label for item in series[0].marks]
    few = len(labels) <= 16  # noqa: PLR2004 - more markers than this hide the line
    traces = [
        {
            "connectgaps": False,
            "hoverinfo": "text",
            "hovertext": [f"{item.name}<br>{_hover(m, measure)}" for m in item.marks],
            "line": {"color": theme.PALETTE[index], "dash": theme.DASHES[index], "width": 3},
            "marker": {"color": theme.PALETTE[index], "size": 8 if few else 4, "symbol": theme.MARKERS[index]},
            "mode": "lines+markers",
            "name": item.name,
            "type": "scatter",
            "x": labels,
            "y": [m.value for m in item.marks],
        }
        for index, item in enumerate(series)
    ]
    top = _nice_top([m.value for item in series for m in item.marks if m.value is not None])
    layout = theme.layout(
        annotations=_line_names(series, top) if len(series) > 1 else [],
        height=380,
        hovermode="closest",
        margin={"b": 44, "l": 8, "r": 118 if len(series) > 1 else 24, "t": 20},
        xaxis=theme.category_axis(
            range=[-0.4, len(labels) - 0.6],
            tickangle=0,
            tickfont={"size": 12},
            ticks="outside",
            ticktext=[_in_lines(label) for label in _some(labels)],
            tickvals=_some(labels),
        ),
        yaxis=theme.value_axis(axis, percent=measure.unit == "share", range=[0, top]),
    )
    return _figure(traces, layout)


def columns(marks: Sequence[Mark], measure: Measure, axis: str) -> dict[str, Any]:
    """Draw upright bars for a few periods, each with its 95% interval and its value under it."""
    interval = _interval(marks)
    labels = [item.label for item in marks]
    trace: dict[str, Any] = {
        "error_y": interval,
        "hoverinfo": "text",
        "hovertext": [_hover(item, measure) for item in marks],
        "marker": {"color": theme.STEEL if interval.get("type") else theme.NAVY},
        "type": "bar",
        "width": 0.7,
        "x": labels,
        "y": [item.value for item in marks],
    }
    ticks = [f"{_in_lines(item.label)}<br><b>{shown(item.value, item.symbol, measure)}</b>" for item in marks]
    top = _nice_top([value for item in marks for value in (item.value, item.upper) if value is not None])
    layout = theme.layout(
        height=340,
        margin={"b": 44, "l": 8, "r": 16, "t": 16},
        xaxis=theme.category_axis(tickangle=0, tickfont={"size": 13}, ticktext=ticks, tickvals=labels),
        yaxis=theme.value_axis(axis, percent=measure.unit == "share", range=[0, top]),
    )
    return _figure([trace], layout)


def curves(
    drawn: Sequence[Curve],
    measure: Measure,
    axis: str,
    *,
    along: str,
    share_along: bool = False,
    ticks: Sequence[float] = (),
) -> dict[str, Any]:
    """Draw lines over numbers, each with its 95% interval as a band, named at its end.

    Args:
        drawn: the lines.
        measure: how their values are written.
        axis: title of the axis of values.
        along: title of the axis that they run along.
        share_along: whether that axis is a share from 0 to 1.
        ticks: where that axis has its marks; evenly where none are given.
    """
    traces = [
        trace for index, curve in enumerate(drawn) for trace in (*_band(curve, index), _line(curve, index, measure))
    ]
    top = _nice_top([v for curve in drawn for m in curve.marks for v in (m.value, m.upper) if v is not None])
    if measure.unit == "share":
        top = min(top, 1.0)
    last = max((place for curve in drawn for place in curve.places), default=1)
    named = [Series(curve.name, curve.marks) for curve in drawn]
    layout = theme.layout(
        annotations=_line_names(named, top) if len(drawn) > 1 else [],
        height=380,
        hovermode="closest",
        margin={"b": 56, "l": 8, "r": 118 if len(drawn) > 1 else 24, "t": 20},
        xaxis=theme.value_axis(
            along,
            percent=share_along,
            range=[0, last],
            showline=True,
            linecolor=theme.AXIS,
            **({"tickvals": list(ticks)} if ticks else {"nticks": 6}),
        ),
        yaxis=theme.value_axis(axis, percent=measure.unit == "share", range=[0, top]),
    )
    return _figure(traces, layout)


def funnel(
    areas: Sequence[Sized], target: float | None, measure: Measure, axis: str, *, along: str, is_widened: bool
) -> dict[str, Any]:
    """Draw areas by their size between limits that narrow with it; each is named beside its mark.

    Limits are drawn straight from one area to the next, so that the chart holds no number that the table does not.

    Args:
        areas: the areas that have limits.
        target: the value of all of them together; None where there is no area.
        measure: how values are written.
        axis: title of the axis of values.
        along: title of the axis of sizes.
        is_widened: whether the limits allow for more than chance, so that those of chance alone are drawn too.
    """
    ordered = sorted(areas, key=lambda area: area.size)
    known = [target] if target is not None else []
    marks = [area.mark.value for area in ordered if area.mark.value is not None]
    limits = [limit for area in ordered for limit in (*area.outer, *(area.chance if is_widened else ()))]
    # Only what is drawn, so that the axis says nothing that the chart does not.
    heights = _close_range([*known, *marks, *limits], measure)
    least, most = (ordered[0].size, ordered[-1].size) if ordered else (0, 1)
    edge = max(1.0, (most - least) * 0.12)
    span = (max(0.0, least - edge), most + edge)
    traces = [_target(span, value, measure) for value in known]
    if is_widened:
        traces += _limit_pair(
            ordered, "chance", "99.8% limits of chance alone", {"dash": "dot", "width": 1.2, "color": theme.AXIS}
        )
    traces += _limit_pair(ordered, "inner", "95% limits", {"dash": "dash", "width": 1.6, "color": theme.CHARCOAL})
    traces += _limit_pair(ordered, "outer", "99.8% limits", {"dash": "solid", "width": 1.6, "color": theme.CHARCOAL})
    traces += [trace for level in range(3) if (trace := _sized_marks(ordered, level, measure, (span, heights)))]
    layout = theme.layout(
        height=460,
        hovermode="closest",
        legend=theme.LEGEND,
        margin={"b": 56, "l": 8, "r": 20, "t": 84},
        showlegend=True,
        xaxis=theme.value_axis(
            along, percent=False, range=[round(end) for end in span], showline=True, linecolor=theme.AXIS, nticks=4
        ),
        yaxis=theme.value_axis(axis, percent=measure.unit == "share", range=list(heights)),
    )
    return _figure(traces, layout)


def control(months: Sequence[Expected], measure: Measure, axis: str) -> dict[str, Any]:
    """Draw months with the mean and the limits of their run; a month without a figure is a gap, never a zero."""
    labels = [month.mark.label for month in months]
    centre, lower, upper = ([getattr(month, name) for month in months] for name in ("centre", "lower", "upper"))
    hover = [f"{_hover(m.mark, measure)}{f'<br>{m.says}' if m.says else ''}" for m in months]
    line: dict[str, Any] = {"connectgaps": False, "hoverinfo": "skip", "mode": "lines", "type": "scatter", "x": labels}
    limit = line | {"line": {"color": theme.CHARCOAL, "dash": "dash", "width": 1.4}}
    traces: list[dict[str, Any]] = [
        limit | {"legendgroup": "limits", "name": "Usual range", "y": upper},
        limit | {"legendgroup": "limits", "name": "Usual range", "showlegend": False, "y": lower},
        line | {"line": {"color": theme.TEAL, "width": 2}, "name": "Average", "y": centre},
        {
            "connectgaps": False,
            "hoverinfo": "text",
            "hovertext": hover,
            "line": {"color": theme.NAVY, "width": 2},
            "marker": {"color": theme.NAVY, "size": 5},
            "mode": "lines+markers",
            "name": "Month",
            "type": "scatter",
            "x": labels,
            "y": [month.mark.value for month in months],
        },
    ]
    if any(month.says for month in months):
        traces.append(
            {
                "hoverinfo": "text",
                "hovertext": hover,
                "marker": {
                    "color": theme.ORANGE,
                    "line": {"color": "#FFFFFF", "width": 1},
                    "size": 11,
                    "symbol": "diamond",
                },
                "mode": "markers",
                "name": "Unlike the others",
                "type": "scatter",
                "x": labels,
                "y": [month.mark.value if month.says else None for month in months],
            }
        )
    heights = _close_range([v for m in months for v in (m.mark.value, m.lower, m.upper) if v is not None], measure)
    layout = theme.layout(
        height=400,
        hovermode="closest",
        legend=theme.LEGEND,
        margin={"b": 44, "l": 8, "r": 24, "t": 64},
        showlegend=True,
        xaxis=theme.category_axis(
            range=[-0.6, len(labels) - 0.4],
            tickangle=0,
            tickfont={"size": 12},
            ticks="outside",
            ticktext=[_in_lines(label) for label in _some(labels)],
            tickvals=_some(labels),
        ),
        yaxis=theme.value_axis(axis, percent=measure.unit == "share", range=list(heights)),
    )
    return _figure(traces, layout)


def with_breaks(chart: dict[str, Any], breaks: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """Draw breaks in a series into a chart over periods: a dashed line with its label, and no line joins across it.

    Args:
        chart: a chart whose axis of categories is the periods, upright (lines, columns) or lying (bars).
        breaks: place of the first period after each break, at least 1, with a few words; in the order of the axis.
    """
    if not breaks:
        return chart
    lying = any(trace.get("orientation") == "h" for trace in chart["data"])
    layout = dict(chart["layout"])
    layout["shapes"] = [*layout.get("shapes", ()), *(_break_line(place, lying=lying) for place, _ in breaks)]
    labels = (_break_label(place, label, lying=lying) for place, label in breaks)
    layout["annotations"] = [*layout.get("annotations", ()), *labels]
    return _figure([_parted(trace, [place for place, _ in breaks]) for trace in chart["data"]], layout)


def serialise(figure: dict[str, Any]) -> str:
    """Write a chart as JSON that is safe inside a script element; the same chart gives the same bytes."""
    text = json.dumps({"config": theme.CONFIG} | figure, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _figure(traces: list[dict[str, Any]], layout: dict[str, Any]) -> dict[str, Any]:
    """Let Plotly check every property name and value, so that a misspelt one is an error and not an odd chart."""
    import plotly.graph_objects as go

    figure: dict[str, Any] = go.Figure(data=traces, layout=layout).to_plotly_json()
    return {"data": figure["data"], "layout": figure["layout"]}


def _target(span: tuple[float, float], target: float, measure: Measure) -> dict[str, Any]:
    return {
        "hoverinfo": "text",
        "hovertext": [f"All boroughs together: {amount(target, measure)}"] * 2,
        "line": {"color": theme.TEAL, "width": 2.5},
        "mode": "lines",
        "name": "All boroughs together",
        "type": "scatter",
        "x": [round(end) for end in span],
        "y": [target, target],
    }


def _limit_pair(areas: Sequence[Sized], which: str, name: str, line: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Lower and upper limits under one name."""
    return tuple(
        {
            "hoverinfo": "skip",
            "legendgroup": which,
            "line": line,
            "mode": "lines",
            "name": name,
            "showlegend": side == 1,
            "type": "scatter",
            "x": [area.size for area in areas],
            "y": [getattr(area, which)[side] for area in areas],
        }
        for side in (0, 1)
    )


_OUTSIDE = ("Inside the limits", "Outside the 95% limits", "Outside the 99.8% limits")


def _sized_marks(
    areas: Sequence[Sized], level: int, measure: Measure, plot: tuple[tuple[float, float], tuple[float, float]]
) -> dict[str, Any] | None:
    """The marks of the areas that are as far outside as `level` says, named where their names overlap least."""
    here = [place for place, area in enumerate(areas) if area.outside == level]
    if not here:
        return None
    sides = _name_sides([(a.mark.label, a.size, a.mark.value or 0) for a in areas], *plot)
    return {
        "cliponaxis": False,
        "hoverinfo": "text",
        "hovertext": [f"{_hover(areas[place].mark, measure)}<br>{areas[place].says}" for place in here],
        "marker": {
            "color": (theme.NAVY, theme.ORANGE, theme.PLUM)[level],
            "line": {"color": "#FFFFFF", "width": 1},
            "size": 11 + 2 * (level > 0),
            "symbol": ("circle", "diamond", "square")[level],
        },
        "mode": "markers+text",
        "name": _OUTSIDE[level],
        "text": [areas[place].mark.label for place in here],
        "textfont": {"size": 12},
        "textposition": [sides[place] for place in here],
        "type": "scatter",
        "x": [areas[place].size for place in here],
        "y": [areas[place].mark.value for place in here],
    }


# Where a name may stand, as Plotly calls it, and how its middle lies from the mark in widths and heights of the name.
_SIDES = {
    "middle right": (0.5, 0.0),
    "middle left": (-0.5, 0.0),
    "top center": (0.0, 1.0),
    "bottom center": (0.0, -1.0),
    "top right": (0.5, 0.8),
    "top left": (-0.5, 0.8),
    "bottom right": (0.5, -0.8),
    "bottom left": (-0.5, -0.8),
}
# The size of a plot, a letter and the space around a mark, in pixels, on a screen of middling width.
_PLOT, _LETTER, _AROUND = (620, 330), (7.2, 15), 9


def _name_sides(
    names: Sequence[tuple[str, float, float]], span: tuple[float, float], heights: tuple[float, float]
) -> list[str]:
    """Choose the side on which each name stands, one after the other, so that names hide little of what is there."""
    across, up = _PLOT[0] / (span[1] - span[0]), _PLOT[1] / (heights[1] - heights[0])
    at = [((size - span[0]) * across, (value - heights[0]) * up) for _, size, value in names]
    taken = [(x, y, 2.0 * _AROUND, 2.0 * _AROUND) for x, y in at]
    sides = []
    for (name, *_), (x, y) in zip(names, at, strict=True):
        width, height = len(name) * _LETTER[0], float(_LETTER[1])
        boxes = {
            side: (x + dx * (width + 2 * _AROUND), y + dy * (height / 2 + _AROUND), width, height)
            for side, (dx, dy) in _SIDES.items()
        }
        side = min(boxes, key=lambda one: (_hidden(boxes[one], taken, (x, y)), list(_SIDES).index(one)))
        sides.append(side)
        taken.append(boxes[side])
    return sides


def _hidden(
    box: tuple[float, float, float, float],
    taken: Sequence[tuple[float, float, float, float]],
    own: tuple[float, float],
) -> float:
    """How much of what is there, and of the room beyond the plot, a name would cover."""
    x, y, width, height = box
    beyond = max(0.0, width / 2 - x) + max(0.0, x + width / 2 - _PLOT[0])
    return beyond * height + sum(
        max(0.0, (width + w) / 2 - abs(x - cx)) * max(0.0, (height + h) / 2 - abs(y - cy))
        for cx, cy, w, h in taken
        if (cx, cy) != own
    )


def _line(curve: Curve, index: int, measure: Measure) -> dict[str, Any]:
    return {
        "hoverinfo": "text",
        "hovertext": [f"{curve.name}<br>{_hover(m, measure)}" for m in curve.marks],
        "line": {"color": theme.PALETTE[index], "dash": theme.DASHES[index], "width": 3},
        "mode": "lines",
        "name": curve.name,
        "type": "scatter",
        "x": list(curve.places),
        "y": [m.value for m in curve.marks],
    }


def _band(curve: Curve, index: int) -> list[dict[str, Any]]:
    """The interval of a line: its lower edge, and its upper edge filled down to that."""
    known = [
        (place, m.lower, m.upper)
        for place, m in zip(curve.places, curve.marks, strict=True)
        if m.lower is not None and m.upper is not None
    ]
    if not known:
        return []
    edge = {"hoverinfo": "skip", "line": {"width": 0}, "mode": "lines", "showlegend": False, "type": "scatter"}
    places = [place for place, _, _ in known]
    return [
        edge | {"x": places, "y": [lower for _, lower, _ in known]},
        edge
        | {
            "fill": "tonexty",
            "fillcolor": theme.faint(theme.PALETTE[index]),
            "x": places,
            "y": [upper for _, _, upper in known],
        },
    ]


def _parted(trace: dict[str, Any], places: Sequence[int]) -> dict[str, Any]:
    """Put a gap into a line before each place; a trace without a line stays as it is."""
    if "lines" not in trace.get("mode", ""):
        return trace
    parted = {name: list(trace[name]) for name in ("x", "y", "hovertext")}
    for place in sorted(places, reverse=True):
        parted["x"].insert(place, parted["x"][place])
        parted["y"].insert(place, None)
        parted["hovertext"].insert(place, "")
    return trace | parted


def _break_line(place: int, *, lying: bool) -> dict[str, Any]:
    along, across = ("y", "x") if lying else ("x", "y")
    at = {f"{along}0": place - 0.5, f"{along}1": place - 0.5, f"{along}ref": along}
    ends = {f"{across}0": 0, f"{across}1": 1, f"{across}ref": "paper"}
    return {"type": "line", "layer": "above", "line": {"color": theme.TEXT, "dash": "dash", "width": 1.5}, **at, **ends}


def _break_label(place: int, label: str, *, lying: bool) -> dict[str, Any]:
    """The words of a break: on the line where it stands, since marks are beside it; over its end where it lies."""
    at: dict[str, Any] = {"x": place - 0.5, "xref": "x", "xanchor": "center", "y": 1, "yref": "paper", "yanchor": "top"}
    if lying:
        at = {"x": 1, "xref": "paper", "xanchor": "right", "y": place - 0.5, "yref": "y", "yanchor": "bottom"}
    return {
        "bgcolor": "rgba(255,255,255,0.8)",
        "font": {"color": theme.TEXT, "size": 12},
        "showarrow": False,
        "text": f"Break: {label}",
        "textangle": 0 if lying else -90,
        **at,
    }


def _hover(item: Mark, measure: Measure) -> str:
    text = f"{item.label}: {shown(item.value, item.symbol, measure)}"
    if item.lower is not None and item.upper is not None and item.value is not None:
        text += f" (95% interval {amount(item.lower, measure)} to {amount(item.upper, measure)})"
    return text


def _interval(marks: Sequence[Mark]) -> dict[str, Any]:
    known = [item for item in marks if None not in (item.value, item.lower, item.upper)]
    if not known:
        return {"visible": False}
    return {
        "array": [_reach(item.upper, item.value) for item in marks],
        "arrayminus": [_reach(item.value, item.lower) for item in marks],
        "color": theme.TEXT,
        "symmetric": False,
        "thickness": 1.5,
        "type": "data",
        "width": 4,
    }


def _wrapped(label: str) -> str:
    """Break a label that would leave no room for the bars, at a space or a full stop."""
    if len(label) <= _LONGEST_LABEL:
        return label
    if " (" in label:
        return label.replace(" (", "<br>(")
    places = [at + 1 for at, letter in enumerate(label) if letter in " ."]
    at = min(places, key=lambda place: abs(place - len(label) / 2), default=0)
    return f"{label[:at].rstrip()}<br>{label[at:]}" if at else label


def _in_lines(label: str) -> str:
    """Break a long label into lines, for narrow screens."""
    first, _, last = label.rpartition(" ")
    if label.startswith("Year to "):
        return f"Year to<br>{first.removeprefix('Year to ')}<br>{last}"
    return f"{first}<br>{last}" if last.isdigit() else label


def _reach(further: float | None, nearer: float | None) -> float:
    return 0.0 if further is None or nearer is None else round(max(0.0, further - nearer), 6)


def _reference_line(region: Mark, value: float, measure: Measure) -> dict[str, Any]:
    line = {"color": theme.ORANGE, "dash": "dash", "width": 2.5}
    position = {"x0": value, "x1": value, "xref": "x", "y0": 0, "y1": 1, "yref": "paper"}
    text = f"{region.label} {shown(region.value, region.symbol, measure)}"
    note = {
        "font": {"color": "#A33D0B", "size": 13},
        "showarrow": False,
        "text": f"<b>┆ {text}</b>",
        # At the edge, not at the line: beside the line it would be cut off on a narrow screen.
        "x": 1,
        "xanchor": "right",
        "xref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "yref": "paper",
    }
    return {"annotations": [note], "shapes": [{"type": "line", "line": line, **position}]}


def _gap_label(series: Sequence[Series], place: int) -> str:
    """The name on the axis, with the mark of every gap at that place."""
    marks = [item.marks[place] for item in series]
    gaps = list(dict.fromkeys(f"[{m.symbol or 'x'}]" for m in marks if m.value is None))
    return " ".join([marks[0].label, *gaps])


def _pair_label(series: Sequence[Series], place: int, measure: Measure) -> str:
    marks = [item.marks[place] for item in series]
    return f"{marks[0].label}  <b>{' → '.join(shown(m.value, m.symbol, measure) for m in marks)}</b>"


def _row_line(series: Sequence[Series], place: int) -> dict[str, Any]:
    values = [item.marks[place].value for item in series]
    known = [value for value in values if value is not None] or [0]
    return {
        "layer": "below",
        "line": {"color": theme.AXIS, "width": 2},
        "type": "line",
        "x0": min(known),
        "x1": max(known),
        "xref": "x",
        "y0": place,
        "y1": place,
        "yref": "y",
    }


def _nice_top(values: Sequence[float]) -> float:
    """End of the value axis: a little above the greatest value shown."""
    greatest = max(values, default=1) or 1
    step: float = 10.0 ** (len(str(int(greatest))) - 1) if greatest >= 1 else 0.1
    top = step
    while top < greatest * 1.05:
        top += step / 5
    return round(top, 6)


def _close_range(values: Sequence[float], measure: Measure) -> tuple[float, float]:
    """Ends of an axis close around values that are marks and lines, not bars; from zero where that is not far."""
    least, most = min(values, default=0.0), max(values, default=1.0)
    spread = (most - least) or most or 1.0
    step = 10.0 ** math.floor(math.log10(spread)) / 2
    low = math.floor((least - spread * 0.1) / step) * step
    top = math.ceil((most + spread * 0.1) / step) * step
    if measure.unit == "share":
        top = min(top, 1.0)
    return (0.0 if low < top * _NEAR_ZERO else round(low, 6)), round(top, 6)


def _line_names(series: Sequence[Series], top: float) -> list[dict[str, Any]]:
    """Name each line at its last value, moved apart where two ends lie close together."""
    least = top * 0.075
    ends = []
    for index, item in enumerate(series):
        known = [m for m in item.marks if m.value is not None]
        if known and known[-1].value is not None:
            ends.append((known[-1].value, index))
    placed: list[tuple[float, int]] = []
    for value, index in sorted(ends):
        low = placed[-1][0] + least * (1 + series[placed[-1][1]].name.count("<br>")) if placed else 0.0
        placed.append((max(value, low), index))
    return [
        {
            "align": "left",
            "font": {"color": theme.TEXT, "size": 13},
            "showarrow": False,
            "text": f'<span style="color:{theme.PALETTE[index]}">●</span> {series[index].name}',
            "x": 1,
            "xanchor": "left",
            "xref": "paper",
            "xshift": 4,
            "y": round(height, 6),
            "yref": "y",
        }
        for height, index in placed
    ]


def _some(labels: Sequence[str]) -> list[str]:
    """At most a handful of labels for a narrow screen, evenly spaced, the last one included."""
    most = _MOST_TICKS - 1 if max(map(len, labels), default=0) > len("Mar 2026") else _MOST_TICKS
    every = max(1, -(-len(labels) // most))
    return list(labels[::-1][::every][::-1])
