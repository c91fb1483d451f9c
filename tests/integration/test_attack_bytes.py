"""Attacks on the bytes of what is published: each plants its leak in public pages and must be refused for its reason.

The pages are real ones made of invented published counts; every test changes a copy of them, and the untouched copy
passes before and after.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dashboards.constants import constant_wording
from pipelines.disclosure.scan import Allowed, Finding, allowed_from_folder, scan, scan_page
from tests.builders.public_site import write_cells, write_public
from tests.builders.workbooks import with_parts, workbook_of

PAGE = "index.html"
CHART = "heard-offered"  # of shares, one of them missing
FIGURE = "who-rate"
TABLE = f"data/{FIGURE}.csv"
HASH = "3f" * 32


@dataclass(frozen=True)
class Folder:
    """A copy of public pages, with what they may hold."""

    root: Path
    allowed: Allowed

    def findings(self) -> list[Finding]:
        return scan(self.root, self.allowed)

    def rules(self, file: str) -> set[str]:
        """The rules that a file breaks. A page falls with the table of its figure, so others are left aside."""
        return {finding.rule for finding in self.findings() if finding.file == file}

    def edit(self, file: str, change: Callable[[str], str]) -> None:
        path = self.root / file
        before = path.read_text(encoding="utf-8")
        after = change(before)
        assert after != before
        path.write_text(after, encoding="utf-8")

    def edit_chart(self, change: Callable[[dict[str, Any]], object], figure: str = CHART) -> None:
        """Change the chart of a figure on the page."""

        def changed(text: str) -> str:
            head, _, rest = text.partition(f'data-chart="{figure}-chart">')
            script, _, tail = rest.partition("</script>")
            chart = json.loads(script)
            change(chart)
            return f'{head}data-chart="{figure}-chart">{json.dumps(chart)}</script>{tail}'

        self.edit(PAGE, changed)

    def edit_rows(self, change: Callable[[list[dict[str, str]]], list[dict[str, str]]], file: str = TABLE) -> None:
        """Change the rows of a table."""

        def changed(text: str) -> str:
            rows = change(list(csv.DictReader(io.StringIO(text))))
            out = io.StringIO()
            writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            return out.getvalue()

        self.edit(file, changed)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The untouched pages, of which the first page stays: they pass, whole and in part."""
    root = tmp_path_factory.mktemp("site")
    allowed = write_public(root)
    assert scan_page(root / "index.html", allowed) == []
    folder = Folder(root / "public", allowed)
    assert folder.findings() == []
    for path in [*folder.root.glob("*.html"), *folder.root.glob("data/*.csv")]:
        if path.name != PAGE and path.stem not in (folder.root / PAGE).read_text(encoding="utf-8"):
            path.unlink()
    for name in ("variation", "methodology", "data-dictionary"):
        (folder.root / f"{name}.html").unlink(missing_ok=True)
    assert folder.findings() == []
    return folder


@pytest.fixture
def folder(made: Folder, tmp_path: Path) -> Folder:
    """A copy of the pages that a test may spoil."""
    root = tmp_path / "public"
    shutil.copytree(made.root, root)
    return Folder(root, made.allowed)


def test_attack_13_a_value_or_limit_made_from_another_count(folder: Folder) -> None:
    """A rate or limit that belongs to a true count tells that count, whatever the numerator beside it says."""

    def from_true(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[0]["upper_95"] = str(int(rows[0]["upper_95"]) + 1)
        return rows

    folder.edit_rows(from_true)
    assert folder.rules(TABLE) == {"derived"}


def test_attack_13_a_rate_with_more_decimals_than_its_count_bears(folder: Folder) -> None:
    def finer(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[0]["value"] = f"{10_000 * int(rows[0]['numerator']) / int(rows[0]['denominator']):.1f}"
        return rows

    folder.edit_rows(finer)
    assert folder.rules(TABLE) == {"derived"}


def test_attack_13_a_folder_alone_is_held_against_its_own_cells(folder: Folder) -> None:
    """An outsider has nothing but the folder; numerator and value agree with each other, not with the cells."""
    write_cells(folder.root)
    alone = Folder(folder.root, allowed_from_folder(folder.root, constant_wording()))
    assert alone.findings() == []

    def consistent(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        row = rows[3]
        row["numerator"] = str(int(row["numerator"]) + 3)
        row["value"] = f"{int(row['numerator']) / int(row['denominator']):.2f}"
        return rows

    alone.edit_rows(consistent, "data/heard-held.csv")
    assert "derived" in {finding.rule for finding in alone.findings() if finding.file == "data/heard-held.csv"}


@pytest.mark.parametrize("mark", ["low", "k", "*", "s"])
def test_attack_17_another_mark_than_the_four(folder: Folder, mark: str) -> None:
    """A mark of its own for small counts says that a count is small."""

    def marked(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[0]["symbol"] = mark
        return rows

    folder.edit_rows(marked)
    assert "symbol" in folder.rules(TABLE)


@pytest.mark.parametrize("text", ["[low]", "low", "[k]", "<5"])
def test_attack_17_another_mark_in_a_table_of_a_page(folder: Folder, text: str) -> None:
    escaped = text.replace("<", "&lt;")
    folder.edit(PAGE, lambda page: re.sub(r"<td>\d+</td>", f"<td>{escaped}</td>", page, count=1))
    assert "symbol" in folder.rules(PAGE)


def _in_base64(values: list[float | None]) -> dict[str, str]:
    numbers = [float("nan") if value is None else value for value in values]
    return {"dtype": "f8", "bdata": base64.b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode()}


def test_attack_18_a_count_in_a_base64_array(folder: Folder) -> None:
    """Plotly keeps typed arrays as base64, where a search for the number finds nothing."""
    folder.edit_chart(lambda chart: chart["data"][0].update(x=_in_base64([40.0, 3.0])))
    assert "[40" not in (folder.root / PAGE).read_text(encoding="utf-8")
    assert "number" in folder.rules(PAGE)


def test_attack_18_published_values_in_a_base64_array_pass(folder: Folder) -> None:
    folder.edit_chart(lambda chart: chart["data"][0].update(x=_in_base64(chart["data"][0]["x"])))
    assert folder.findings() == []


def test_attack_18_a_base64_array_that_cannot_be_read(folder: Folder) -> None:
    folder.edit_chart(lambda chart: chart["data"][0].update(x={"dtype": "f8", "bdata": "AAA"}))
    assert "chart" in folder.rules(PAGE)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("hidden", {"customdata": [[3]]}),
        ("number", {"customdata": [[3]]}),
        ("pseudonym", {"customdata": [[HASH]]}),
        ("hidden", {"ids": ["a", "b"]}),
        ("number", {"hovertemplate": "true: 3"}),
        ("number", {"hovertext": ["Bolton: 3"]}),
        ("number", {"text": ["3"]}),
        ("hidden", {"visible": False}),
        ("hidden", {"visible": "legendonly"}),
        ("chart", {"type": "box"}),
        ("number", {"marker": {"color": [3, 1, 2]}}),
        ("number", {"marker": {"size": 3}}),
        ("number", {"name": "3 children"}),
    ],
)
def test_attack_18_what_a_chart_does_not_show(folder: Folder, rule: str, change: dict[str, Any]) -> None:
    folder.edit_chart(lambda chart: chart["data"][0].update(change))
    assert rule in folder.rules(PAGE)


def test_attack_18_a_value_of_another_borough_is_not_one_of_this(folder: Folder) -> None:
    """Published for Bury, a number is not published for Bolton."""

    def exchanged(chart: dict[str, Any]) -> None:
        values = chart["data"][0]["x"]
        other = next(value for value in values if value != values[0])
        values[0] = other

    folder.edit_chart(exchanged)
    assert "number" in folder.rules(PAGE)


def test_attack_18_a_trace_that_nobody_sees(folder: Folder) -> None:
    folder.edit_chart(
        lambda chart: chart["data"].append({"type": "scatter", "x": [3], "y": ["Bolton"], "mode": "none"})
    )
    assert "number" in folder.rules(PAGE)


def test_attack_19_a_bar_still_drawn_for_a_value_that_is_not_given(folder: Folder) -> None:
    def drawn(chart: dict[str, Any]) -> None:
        values = chart["data"][0]["x"]
        values[values.index(None)] = 0.37

    folder.edit_chart(drawn)
    assert "number" in folder.rules(PAGE)


@pytest.mark.parametrize("end", [0.973, 61.0, 150.0])
def test_attack_19_an_axis_made_for_a_value_that_is_not_drawn(folder: Folder, end: float) -> None:
    folder.edit_chart(lambda chart: chart["layout"]["xaxis"].update(range=[0, end]))
    assert "axis" in folder.rules(PAGE)


def test_attack_19_a_chart_as_high_as_a_count(folder: Folder) -> None:
    folder.edit_chart(lambda chart: chart["layout"].update(height=chart["layout"]["height"] + 3))
    assert "axis" in folder.rules(PAGE)


def test_attack_19_a_shape_or_note_at_a_true_value(folder: Folder) -> None:
    folder.edit_chart(lambda chart: chart["layout"]["shapes"][0].update(x0=3.3, x1=3.3))
    assert folder.rules(PAGE) == {"axis"}


def _book(rows: list[list[Any]], edit: Callable[[Any], object] | None = None) -> bytes:
    def clean(workbook: Any) -> None:
        workbook.properties.creator = ""
        if edit:
            edit(workbook)

    return workbook_of(rows, edit=clean)


def _rows(folder: Folder) -> list[list[Any]]:
    with (folder.root / TABLE).open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    return [["Area", "Children"], *([row["area_name"], int(row["numerator"])] for row in found)]


def test_attack_20_a_workbook_of_published_counts_passes(folder: Folder) -> None:
    (folder.root / "tables.xlsx").write_bytes(_book(_rows(folder)))
    assert folder.findings() == []


def _hide(workbook: Any, state: str) -> None:
    sheet = workbook.create_sheet("Working")
    sheet["A1"] = "Bolton"
    sheet.sheet_state = state


def _comment(workbook: Any) -> None:
    from openpyxl.comments import Comment  # type: ignore[import-untyped]

    workbook.active["B2"].comment = Comment("was 3", "analyst")


def _name(workbook: Any) -> None:
    from openpyxl.workbook.defined_name import DefinedName  # type: ignore[import-untyped]

    workbook.defined_names["true"] = DefinedName("true", attr_text="3")


def _author(workbook: Any) -> None:
    workbook.properties.creator = "analyst"


def _row(workbook: Any) -> None:
    workbook.active.row_dimensions[2].hidden = True


def _formula(workbook: Any) -> None:
    workbook.active["B2"] = "=1+2"


def _count(workbook: Any) -> None:
    workbook.active["B2"] = 1234567


@pytest.mark.parametrize(
    ("rule", "edit"),
    [
        ("hidden", lambda workbook: _hide(workbook, "hidden")),
        ("hidden", lambda workbook: _hide(workbook, "veryHidden")),
        ("metadata", _comment),
        ("hidden", _name),
        ("metadata", _author),
        ("hidden", _row),
        ("formula", _formula),
        ("number", _count),
    ],
)
def test_attack_20_leftovers_of_a_workbook(folder: Folder, rule: str, edit: Callable[[Any], object]) -> None:
    (folder.root / "tables.xlsx").write_bytes(_book(_rows(folder), edit))
    assert rule in folder.rules("tables.xlsx")


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("metadata", {"xl/pivotCache/pivotCacheRecords1.xml": "<r><n v='3'/></r>"}),
        ("metadata", {"customXml/item1.xml": "<true>3</true>"}),
        ("metadata", {"xl/externalLinks/externalLink1.xml": "<a/>"}),
        ("file", {"xl/workbook.xml": "<broken"}),
    ],
)
def test_attack_20_other_parts_of_a_workbook(folder: Folder, rule: str, parts: dict[str, str]) -> None:
    (folder.root / "tables.xlsx").write_bytes(with_parts(_book(_rows(folder)), parts))
    assert rule in folder.rules("tables.xlsx")


def test_attack_20_a_text_that_no_cell_shows(folder: Folder) -> None:
    head = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    shared = {"xl/sharedStrings.xml": f"{head}<si><t>Bury</t></si></sst>"}
    (folder.root / "tables.xlsx").write_bytes(with_parts(_book(_rows(folder)), shared))
    assert folder.rules("tables.xlsx") == {"hidden"}


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[1:],
        lambda rows: rows[:-1],
        lambda rows: [*rows[:4], *rows[5:]],
        lambda rows: [*rows, rows[-1]],
    ],
)
def test_attack_21_a_row_too_few_or_too_many(
    folder: Folder, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]
) -> None:
    folder.edit_rows(change)
    assert folder.rules(TABLE) == {"rows"}


def test_attack_21_a_group_left_out(folder: Folder) -> None:
    folder.edit_rows(lambda rows: [row for row in rows if row["breakdown_value"] != "under 10"], "data/who-age.csv")
    assert folder.rules("data/who-age.csv") == {"rows"}


def test_attack_21_a_cell_left_out_of_all_cells(folder: Folder) -> None:
    write_cells(folder.root)
    assert folder.findings() == []
    folder.edit_rows(lambda rows: rows[1:], "cells.csv")
    assert folder.rules("cells.csv") == {"rows"}


def test_attack_22_rows_in_the_order_of_their_values(folder: Folder) -> None:
    folder.edit_rows(lambda rows: sorted(rows, key=lambda row: int(row["value"])))
    assert folder.rules(TABLE) == {"rows"}


def test_attack_22_a_table_of_a_page_in_the_order_of_its_values(folder: Folder) -> None:
    def reversed_rows(page: str) -> str:
        head, _, rest = page.partition(f'data-figure-id="{FIGURE}"')
        before, _, body = rest.partition("<tbody>\n")
        rows, _, tail = body.partition("</tbody>")
        lines = "".join(rows.splitlines(keepends=True)[::-1])
        return f'{head}data-figure-id="{FIGURE}"{before}<tbody>\n{lines}</tbody>{tail}'

    folder.edit(PAGE, reversed_rows)
    assert folder.rules(PAGE) == {"order"}


def test_attack_22_bars_in_the_order_of_their_values(folder: Folder) -> None:
    def sorted_bars(chart: dict[str, Any]) -> None:
        bars = chart["data"][0]
        for name in ("x", "y", "hovertext"):
            bars[name].reverse()
        for name in ("array", "arrayminus"):
            bars["error_x"][name].reverse()

    folder.edit_chart(sorted_bars)
    assert folder.rules(PAGE) == {"order"}


@pytest.mark.parametrize(
    "change",
    [
        lambda chart: chart["data"][0].update(line={"shape": "hv"}),
        lambda chart: chart["layout"]["xaxis"]["title"].update(text="Days since the return"),
    ],
)
def test_attack_26_steps_of_single_events(folder: Folder, change: Callable[[dict[str, Any]], object]) -> None:
    folder.edit_chart(change)
    assert "events" in folder.rules(PAGE)


@pytest.mark.parametrize("column", ["days", "at_risk", "censored", "events"])
def test_attack_26_a_file_of_event_times(folder: Folder, column: str) -> None:
    folder.edit_rows(lambda rows: [row | {column: "1"} for row in rows])
    assert folder.rules(TABLE) == {"column"}


@pytest.mark.parametrize(
    "leak",
    [
        f"<p>{HASH}</p>",
        f'<p id="{HASH}">Bolton</p>',
        f'<p class="f00dfeed1">{HASH[:32]}</p>',
        "<p>Child f00dfe3d</p>",
        f'<p aria-label="{HASH.upper()}">Bolton</p>',
    ],
)
def test_attack_27_a_pseudonym_on_a_page(folder: Folder, leak: str) -> None:
    folder.edit(PAGE, lambda page: page.replace("</main>", f"{leak}</main>"))
    assert "pseudonym" in folder.rules(PAGE)


def test_attack_27_a_figure_id_made_of_a_child(folder: Folder) -> None:
    folder.edit_rows(lambda rows: [rows[0] | {"figure_id": f"I05.{HASH[:16]}"}, *rows[1:]])
    assert "derived" in folder.rules(TABLE)


def test_attack_27_a_file_named_after_a_child(folder: Folder) -> None:
    (folder.root / f"{HASH}.txt").write_text("Bolton", encoding="utf-8")
    assert folder.rules(f"{HASH}.txt") == {"pseudonym"}


@pytest.mark.parametrize("column", ["longest_hours", "max_episodes", "min_age"])
def test_attack_30_a_column_of_extremes(folder: Folder, column: str) -> None:
    folder.edit_rows(lambda rows: [row | {column: row["numerator"]} for row in rows])
    assert folder.rules(TABLE) == {"column", "extremum"}


@pytest.mark.parametrize(
    ("rule", "leak"),
    [
        ("date", "Last seen on 12 May 2025."),
        ("date", "Last seen 2025-05-12."),
        ("date", "Last seen 12/05/2025."),
        ("date", "Returned at 23:40."),
        ("date", "In March 1999."),
        ("number", "The longest was 63 days."),
        ("number", "A child of 14."),
        ("number", "\u0663 children"),
        ("extremum", "The longest lasted {} days."),
    ],
)
def test_attack_30_a_day_or_an_extreme_in_a_text(folder: Folder, rule: str, leak: str) -> None:
    with (folder.root / TABLE).open(encoding="utf-8", newline="") as file:
        published = next(csv.DictReader(file))["numerator"]
    said = leak.format(published)
    folder.edit(PAGE, lambda page: page.replace('</h3>\n<p class="finding">', f'</h3>\n<p class="finding">{said} '))
    assert rule in folder.rules(PAGE)


@pytest.mark.parametrize(
    ("rule", "leak"),
    [
        ("comment", "<!-- true count: 3 -->"),
        ("script", "<script>var a = 1</script>"),
        ("element", '<img src="a.png">'),
        ("element", '<p data-count="3">Bolton</p>'),
        ("element", "<p hidden>Bolton</p>"),
        ("hidden", '<p style="display:none">Bolton</p>'),
        ("element", '<p><a href="https://example.org/x">Bolton</a></p>'),
        ("figure", '<figure data-figure-id="who-else"></figure>'),
        ("number", "<p>3 children</p>"),
        ("number", "<p>Only 3 of them</p>"),
    ],
)
def test_what_no_page_of_ours_has_is_refused(folder: Folder, rule: str, leak: str) -> None:
    folder.edit(PAGE, lambda page: page.replace("</main>", f"{leak}</main>"))
    assert rule in folder.rules(PAGE)


def test_a_finding_never_holds_the_value(folder: Folder) -> None:
    folder.edit(PAGE, lambda page: page.replace("</main>", f"<p>{HASH} and 98765 children</p></main>"))
    folder.edit_chart(lambda chart: chart["data"][0].update(customdata=[98765]))
    said = "\n".join(map(str, folder.findings()))
    assert said
    assert "98765" not in said
    assert HASH not in said
