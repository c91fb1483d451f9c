"""Charts inside pages: every number and text of a Plotly figure, hidden or drawn, in lists or in base64 arrays.

A chart may hold the values of its own figure, places on an axis of names, and the fixed sizes that the drawing code
states; an axis must end where the drawn values let it end. Anything else is a finding, named by its path.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.disclosure.scan.text import TextReader
from pipelines.disclosure.scan.values import Values
from pipelines.disclosure.scan.vocabulary import Vocabulary

Fault = tuple[str, str]
_PARTS = frozenset({"config", "data", "layout"})
_TRACES = frozenset({"bar", "scatter"})
# The parts of a trace that our charts use. Others, such as customdata, hold what nobody sees.
_OF_TRACE = frozenset(
    {
        "cliponaxis", "connectgaps", "error_x", "error_y", "fill", "fillcolor", "hoverinfo", "hovertext", "legendgroup",
        "line", "marker", "mode", "name", "orientation", "showlegend", "text", "textfont", "textposition", "type",
        "width", "x", "y",
    }
)  # fmt: skip
_SIZES = frozenset(
    {
        "size", "width", "b", "l", "r", "t", "standoff", "ticklabelstandoff", "thickness", "tickangle", "textangle",
        "nticks", "bargap", "bargroupgap", "xshift", "yshift",
    }
)  # fmt: skip
_COLOURS = ("color", "colour")
_FORMATS = frozenset({".0%", ","})
_STEPS = frozenset({"hv", "vh", "hvh", "vhv"})
_EVENT_AXIS = re.compile(r"\b(?:days?|hours?|minutes?|at risk|surviv\w+)\b", re.IGNORECASE)
_TAG = re.compile(r"<(?:/?b|br|/span|span style=\"color:(#[0-9A-F]{6})\")>")
_NEAR_ZERO = 0.25
_LABEL_STEP, _MOST_STEPS = 0.075, 12  # how far names at the ends of lines are moved apart, in shares of the axis
_CATEGORY_ENDS = ((-0.4, -0.6), (-0.6, -0.4))
_MOST_A_ROW = 120
_EMPTY_AXES = frozenset({(0.0, 1.0), (0.0, 1.5), (0.0, 2.0)})


class ChartReader:
    """Judges the JSON of charts."""

    def __init__(self, vocabulary: Vocabulary, reader: TextReader) -> None:
        """Take what is published and how texts are judged."""
        self._known = vocabulary
        self._text = reader

    def faults(self, text: str, values: Values) -> list[Fault]:
        """Name every fault of a chart, with the path to it.

        Args:
            text: the chart as JSON.
            values: the numbers of its figure.
        """
        try:
            chart = json.loads(text)
        except ValueError:
            return [("", "chart")]
        if not isinstance(chart, dict) or chart.keys() - _PARTS or not isinstance(chart.get("data"), list):
            return [("", "chart")]
        if not isinstance(chart.get("layout", {}), dict) or not all(isinstance(one, dict) for one in chart["data"]):
            return [("", "chart")]
        return list(_Chart(chart, values, self._known, self._text).faults())

    def height(self, text: str) -> int | None:
        """The height that a chart states, for the place that the page keeps for it."""
        try:
            height = json.loads(text)["layout"]["height"]
        except (ValueError, KeyError, TypeError):
            return None
        return height if isinstance(height, int) else None


class _Chart:
    """One chart while it is read."""

    def __init__(self, chart: Mapping[str, Any], values: Values, known: Vocabulary, reader: TextReader) -> None:
        self._layout: Mapping[str, Any] = chart.get("layout", {})
        self._undecoded: list[Fault] = []
        self._data = [self._decoded(trace, f"data.{place}") for place, trace in enumerate(chart["data"])]
        self._config = chart.get("config", {})
        self._values = values
        self._known = known
        self._text = reader
        self._rows = max([len(one) for axis in "xy" for one in self._categories(axis)], default=0)

    def faults(self) -> Iterator[Fault]:
        yield from self._undecoded
        if not isinstance(self._config, dict) or not all(isinstance(one, bool) for one in self._config.values()):
            yield "config", "chart"
        for place, trace in enumerate(self._data):
            yield from self._trace(trace, f"data.{place}")
        for name, part in self._layout.items():
            yield from self._layout_part(name, part)
        for axis in "xy":
            for names in self._categories(axis):
                if not _in_order([name for name in names if name in self._known.areas], self._known.areas):
                    yield f"data.{axis}", "order"

    def _decoded(self, node: Any, path: str) -> Any:
        """Write base64 arrays as lists, however deep they are."""
        if isinstance(node, dict):
            if "bdata" in node:
                return self._array(node, path)
            return {name: self._decoded(part, f"{path}.{name}") for name, part in node.items()}
        if isinstance(node, list):
            return [self._decoded(part, f"{path}.{place}") for place, part in enumerate(node)]
        return node

    def _array(self, node: Mapping[str, Any], path: str) -> list[Any]:
        try:
            raw = base64.b64decode(node["bdata"], validate=True)
            listed = np.frombuffer(raw, dtype=np.dtype(node["dtype"]).newbyteorder("<")).tolist()
        except (KeyError, TypeError, ValueError, binascii.Error):
            self._undecoded.append((path, "chart"))
            return []
        # A gap is not a number there.
        return [None if one != one else one for one in listed]  # noqa: PLR0124 - what differs from itself

    def _trace(self, trace: Mapping[str, Any], path: str) -> Iterator[Fault]:
        if trace.get("type") not in _TRACES:
            yield f"{path}.type", "chart"
        yield from self._row_faults(trace, path)
        for name, part in trace.items():
            if name not in _OF_TRACE:
                yield f"{path}.{name}", "hidden"
            if name in {"error_x", "error_y"} and part == {"visible": False}:
                continue
            yield from self._walk(part, f"{path}.{name}", name)

    def _row_faults(self, trace: Mapping[str, Any], path: str) -> Iterator[Fault]:
        """Each number and text of a trace that stands at a name must be of that name's row."""
        names = next((names for key in ("x", "y", "text") if (names := _names(trace.get(key)))), [])
        for key in ("x", "y", "hovertext", "text"):
            listed = _listed(trace.get(key))
            if len(listed) != len(names) or listed == names:
                continue
            for place, (name, one) in enumerate(zip(names, listed, strict=True)):
                own = self._values.of_row(name)
                if (isinstance(one, str) and any(self._text.faults(_TAG.sub(" ", one), own))) or (
                    isinstance(one, int | float) and float(one) not in own.numbers
                ):
                    yield f"{path}.{key}.{place}", "number"

    def _layout_part(self, name: str, part: Any) -> Iterator[Fault]:
        path = f"layout.{name}"
        if name in {"xaxis", "yaxis"} and isinstance(part, dict):
            yield from self._axis(part, path, name[0])
        elif name in {"annotations", "shapes"} and isinstance(part, list):
            for place, one in enumerate(part):
                yield from self._placed(one, f"{path}.{place}")
        elif name == "legend" and isinstance(part, dict):
            for key, inner in part.items():
                if key not in {"x", "y"} or inner not in {0, 1}:
                    yield from self._walk(inner, f"{path}.{key}", key)
        elif name == "height":
            if not self._is_height(part):
                yield path, "axis"
        else:
            yield from self._walk(part, path, name)

    def _axis(self, axis: Mapping[str, Any], path: str, letter: str) -> Iterator[Fault]:
        title = axis.get("title")
        if isinstance(title, dict) and _EVENT_AXIS.search(str(title.get("text", ""))):
            yield f"{path}.title", "events"
        for name, part in axis.items():
            if name == "range":
                if not self._is_range(part, letter, is_category=axis.get("type") == "category"):
                    yield f"{path}.range", "axis"
            elif name == "tickvals" and axis.get("type") == "category":
                known = {one for names in self._categories(letter) for one in names}
                yield from ((f"{path}.tickvals", "axis") for one in part if one not in known)
            else:
                yield from self._walk(part, f"{path}.{name}", name)

    def _placed(self, part: Any, path: str) -> Iterator[Fault]:
        """An annotation or shape: a place is an end of the paper, a name's place on its axis, or a drawn value."""
        if not isinstance(part, dict):
            yield path, "chart"
            return
        for name, inner in part.items():
            if name in {"x", "y", "x0", "x1", "y0", "y1"}:
                if not self._is_place(inner, name[0], part.get(f"{name[0]}ref")):
                    yield f"{path}.{name}", "axis"
            else:
                yield from self._walk(inner, f"{path}.{name}", name)

    def _walk(self, node: Any, path: str, name: str) -> Iterator[Fault]:
        if isinstance(node, dict):
            for key, part in node.items():
                # Some keys are texts of their own, such as the names of templates.
                yield from ((f"{path}.{key}", rule) for rule in self._text.faults(key, Values()))
                yield from self._walk(part, f"{path}.{key}", key)
        elif isinstance(node, list):
            for place, part in enumerate(node):
                yield from self._walk(part, f"{path}.{place}", f"{name}*")
        elif isinstance(node, str):
            yield from ((path, rule) for rule in self._text_faults(node, name.rstrip("*")))
        elif isinstance(node, int | float) and not isinstance(node, bool) and not self._is_number(node, name):
            yield path, "number"
        elif node is False and name == "visible":
            yield path, "hidden"

    def _text_faults(self, text: str, name: str) -> Iterator[str]:
        if name == "tickformat":
            yield from () if text in _FORMATS else ("chart",)
        elif name == "shape" and text in _STEPS:
            yield "events"
        elif name == "visible":
            yield "hidden"
        elif name.endswith(_COLOURS):
            if not (self._known.wording.has_word(text) or self._known.wording.has_text(text)):
                yield "chart"
        else:
            colours = [match.group(1) for match in _TAG.finditer(text) if match.group(1)]
            bare = _TAG.sub(" ", text)
            if "<" in bare or not all(self._known.wording.has_word(colour) for colour in colours):
                yield "chart"
            yield from self._text.faults(bare, self._values)

    def _is_number(self, number: float, name: str) -> bool:
        if name in _SIZES:
            return float(number) in self._known.wording.sizes.get(name, ())
        return float(number) in self._values.numbers

    def _is_height(self, height: Any) -> bool:
        """Whether a height is a stated one, or so much for each row and a stated rest."""
        if not isinstance(height, int):
            return False
        sizes = self._known.wording.sizes.get("height", ())
        a_row = ((height - rest) / self._rows for rest in sizes if rest < height) if self._rows else ()
        return float(height) in sizes or any(one.is_integer() and one <= _MOST_A_ROW for one in a_row)

    def _is_place(self, place: Any, axis: str, reference: Any) -> bool:
        if not isinstance(place, int | float):
            return place in {one for names in self._categories(axis) for one in names}
        if reference == "paper":
            return place in {0, 1}
        own = self._layout.get(f"{axis}axis", {})
        if own.get("type") == "category":
            return 0 <= place + 0.5 <= self._rows and place * 2 % 1 == 0
        # A chart without a value draws its line from zero to zero.
        return place == 0 or float(place) in self._values.numbers or self._is_moved_name(place, own)

    def _is_moved_name(self, place: float, axis: Mapping[str, Any]) -> bool:
        ends = axis.get("range") or [0, 0]
        step = _LABEL_STEP * ends[-1]
        return any(
            abs(value + times * step - place) < 1e-6  # noqa: PLR2004 - places are written to six decimals
            for value in self._values.numbers
            for times in range(1, _MOST_STEPS)
        )

    def _is_range(self, ends: Any, letter: str, *, is_category: bool) -> bool:
        if not isinstance(ends, list) or len(ends) != 2:  # noqa: PLR2004 - an axis has two ends
            return False
        low, high = (float(end) for end in ends)
        if is_category:
            length = max([len(one) for one in self._categories(letter)], default=0)
            return any(math.isclose(low, a) and math.isclose(high, length + b) for a, b in _CATEGORY_ENDS)
        if low < high and {low, high} <= self._values.ends:
            return True
        drawn = self._drawn(letter)
        # Limits reach beyond what is drawn of a bar.
        tops = {nice_top(one) for one in (*self._values.heights, 0.0) if one >= max(drawn, default=0.0)}
        if low == 0 and (high in tops or (high == 1 and any(top >= 1 for top in tops))):
            return True
        return (low, high) in (close_ranges(min(drawn), max(drawn)) if drawn else _EMPTY_AXES)

    def _drawn(self, letter: str) -> list[float]:
        found = (one for trace in self._data for one in _listed(trace.get(letter)))
        return [float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)]

    def _categories(self, letter: str) -> list[list[str]]:
        return [names for trace in self._data if (names := _names(trace.get(letter)))]


def nice_top(greatest: float) -> float:
    """Where an axis from zero ends above a value, worked out apart from the drawing code."""
    greatest = greatest or 1
    step = 10.0 ** (len(str(int(greatest))) - 1) if greatest >= 1 else 0.1
    top = step
    while top < greatest * 1.05:
        top += step / 5
    return round(top, 6)


def close_ranges(least: float, most: float) -> set[tuple[float, float]]:
    """Where an axis close around drawn values may begin and end: as it is, and cut off at a whole share."""
    spread = (most - least) or most or 1.0
    step = 10.0 ** math.floor(math.log10(spread)) / 2
    low = math.floor((least - spread * 0.1) / step) * step
    top = math.ceil((most + spread * 0.1) / step) * step
    ends = {top, min(top, 1.0)} if most <= 1 else {top}
    return {(0.0 if low < end * _NEAR_ZERO else round(low, 6), round(end, 6)) for end in ends}


def _listed(node: Any) -> Sequence[Any]:
    return node if isinstance(node, list) else []


def _names(node: Any) -> list[str]:
    """The names of a list of names; none where it is none."""
    listed = _listed(node)
    return list(listed) if listed and all(isinstance(one, str) for one in listed) else []


def _in_order(names: Sequence[str], order: Sequence[str]) -> bool:
    places = [order.index(name) for name in names]
    return places == sorted(places)
