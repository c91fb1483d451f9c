"""Colours, type and the empty layout of every chart (Analysis Function palette and guidance).

What a chart shows is in `charts`; what a page looks like is in `static/site.css`, which repeats these colours.
"""

from __future__ import annotations

from typing import Any

NAVY = "#12436D"
TEAL = "#28A197"
PLUM = "#801650"
ORANGE = "#F46A25"
CHARCOAL = "#3D3D3D"
LILAC = "#A285D1"
# Navy lightened so far that the dark line of an interval can be seen on it, and the bar still on white.
STEEL = "#6089B3"
# Series colours in order of use; a chart never has more series than colours.
PALETTE = (NAVY, ORANGE, TEAL, PLUM, CHARCOAL, LILAC)
# Colour never carries meaning alone: each series also has its own marker and dash.
MARKERS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

GRID = "#D9DCE0"
AXIS = "#6B7280"
TEXT = "#0B0C0C"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

CONFIG: dict[str, Any] = {
    "displayModeBar": False,
    "displaylogo": False,
    "responsive": True,
    # Plotly 7 offers to post the figure to its cloud unless told not to.
    "showSendToCloud": False,
}


def faint(colour: str) -> str:
    """A colour so thin that lines and other bands can be seen through it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def layout(*, height: int, **extra: Any) -> dict[str, Any]:
    """Return the layout that every chart starts from, with what one chart adds to it."""
    base: dict[str, Any] = {
        "autosize": True,
        "dragmode": False,
        "font": {"color": TEXT, "family": FONT, "size": 14},
        "height": height,
        "hoverlabel": {"font": {"family": FONT, "size": 14}},
        "margin": {"b": 44, "l": 8, "r": 16, "t": 28},
        "paper_bgcolor": "#FFFFFF",
        "plot_bgcolor": "#FFFFFF",
        "showlegend": False,
        "template": {},
    }
    return base | extra


def value_axis(title: str, *, percent: bool, **extra: Any) -> dict[str, Any]:
    """Return an axis of values: from zero, light grid, unit in its title."""
    base: dict[str, Any] = {
        "automargin": True,
        "fixedrange": True,
        "gridcolor": GRID,
        "rangemode": "tozero",
        "tickangle": 0,
        "tickformat": ".0%" if percent else ",",
        "title": {"font": {"size": 13}, "standoff": 8, "text": title},
        "ticklabelstandoff": 4,
        "zeroline": False,
    }
    return base | extra


def category_axis(**extra: Any) -> dict[str, Any]:
    """Return an axis of names or periods, in the order given."""
    base: dict[str, Any] = {
        "automargin": True,
        "fixedrange": True,
        "linecolor": AXIS,
        "showgrid": False,
        "showline": True,
        "tickfont": {"size": 14},
        "ticklabelstandoff": 4,
        "type": "category",
    }
    return base | extra


LEGEND: dict[str, Any] = {
    "font": {"size": 14},
    "itemclick": False,
    "itemdoubleclick": False,
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1.0,
    "yanchor": "bottom",
}
