"""Any one cell of a public table, and any one value of a chart, put otherwise is refused, whatever it becomes."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.disclosure.scan.chart import ChartReader, close_ranges, nice_top
from pipelines.disclosure.scan.tables import TableReader
from pipelines.disclosure.scan.text import TextReader
from tests.builders.public_site import write_public

_WRITTEN = st.integers(0, 10_000_000).map(lambda hundredths: hundredths / 100)  # as fine as values are written
_FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Pages:
    """Public tables and charts with what reads them; no data class, since a failure would print all of it."""

    def __init__(self, root: Path) -> None:
        allowed = write_public(root)
        reader = TextReader(allowed.vocabulary)
        self.tables = TableReader(allowed.vocabulary, reader, allowed.charts, allowed.releases)
        self.charts = ChartReader(allowed.vocabulary, reader)
        files = sorted((root / "public/data").glob("*.csv"))
        self.texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
        read = {name: self.tables.read(f"{name}.csv", text) for name, text in self.texts.items()}
        self.values = {name: values for name, (_, values) in read.items()}
        self.findings = [finding for findings, _ in read.values() for finding in findings]
        drawn = [found for page in ("index", "variation") for found in _charts(root / f"public/{page}.html")]
        self.drawn = {name: chart for name, chart in drawn if _numbers(json.loads(chart)["data"])}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    made = Pages(tmp_path_factory.mktemp("site"))
    assert made.findings == []
    assert len(made.drawn) > 20
    return made


def _charts(path: Path) -> list[tuple[str, str]]:
    return re.findall(r'data-chart="([^"]+)-chart">(.*?)</script>', path.read_text(encoding="utf-8"))


@given(data=st.data())
@_FEW
def test_a_table_with_any_one_number_put_otherwise_is_refused(pages: Pages, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(pages.texts)))
    rows = list(csv.reader(io.StringIO(pages.texts[name])))
    numbers = [
        (line, column)
        for line, row in enumerate(rows)
        for column, cell in enumerate(row)
        if re.fullmatch(r"-?\d+(\.\d+)?", cell)
    ]
    line, column = data.draw(st.sampled_from(numbers))
    whole, _, fraction = rows[line][column].partition(".")
    other = data.draw(st.integers(-3, 10 ** (len(whole) + len(fraction))).map(lambda one: _like(one, fraction)))
    if float(other) == float(rows[line][column]):
        return
    rows[line][column] = other
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    findings, _ = pages.tables.read(f"{name}.csv", out.getvalue())
    assert findings


def _like(number: int, fraction: str) -> str:
    return f"{number / 10 ** len(fraction):.{len(fraction)}f}"


@given(data=st.data(), number=st.floats(0, 5000, allow_nan=False))
@_FEW
def test_a_chart_with_any_one_value_put_otherwise_is_refused(pages: Pages, data: st.DataObject, number: float) -> None:
    name = data.draw(st.sampled_from(sorted(pages.drawn)))
    chart = json.loads(pages.drawn[name])
    places = list(_numbers(chart["data"]))
    holder, key = data.draw(st.sampled_from(places))
    if number in pages.values[name].numbers:
        return
    holder[key] = number
    assert pages.charts.faults(json.dumps(chart), pages.values[name])


def _numbers(node: Any) -> list[tuple[Any, Any]]:
    """Where values stand in a chart: in lists; single numbers are sizes, of which another one may be stated too."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = []
    for key, part in pairs:
        if isinstance(node, list) and isinstance(part, int | float) and not isinstance(part, bool):
            found.append((node, key))
        found += _numbers(part)
    return found


@given(st.floats(0.01, 1e6))
def test_the_end_of_an_axis_lies_above_the_greatest_value_and_not_far(greatest: float) -> None:
    top = nice_top(greatest)
    assert top >= greatest * 1.05 - 1e-6
    assert top <= max(0.1, greatest * 1.05 + 10.0 ** len(str(int(greatest))) / 5)


@given(_WRITTEN, _WRITTEN)
def test_the_ends_of_a_close_axis_enclose_what_is_drawn(one: float, other: float) -> None:
    least, most = sorted((one, other))
    for low, top in close_ranges(least, most):
        assert low <= least + 1e-6
        assert top >= most - 1e-6
