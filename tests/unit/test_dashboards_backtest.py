"""The page, the file and the sentences of the back-test: what is said, and that chart, table and file agree."""

from __future__ import annotations

import json
import re

import pytest

from dashboards.pages.backtest import back_test_file, back_test_page
from dashboards.sentences_backtest import cell_sentence, verdict_sentence
from pipelines.backtest.comparison import BackTest, back_test
from pipelines.contracts.dfe_publication import load_dfe_publication
from pipelines.region import load_region
from tests.builders.returns import absence, placement, write_return

RULES, REGION = load_dfe_publication(), load_region()


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> BackTest:
    """Two boroughs, far from DfE's figures; one row is broken."""
    folder = tmp_path_factory.mktemp("returns")
    rows = [absence(f"child-{n}", f"{n:02}/05/2023", f"{n + 1:02}/05/2023") for n in range(1, 9)]
    rows += [absence("child-1", "01/07/2023", "01/07/2023"), absence("child-2", "01/08/2023", "31/07/2023")]
    write_return(folder / "bury", rows, [placement(f"child-{n}") for n in range(1, 17)])
    write_return(folder / "oldham", rows[:6], [placement(f"child-{n}") for n in range(1, 17)])
    return back_test(folder, 2024)


@pytest.fixture(scope="module")
def page(result: BackTest) -> str:
    return back_test_page(result, RULES, REGION)


def test_the_verdict_says_how_many_differ_and_what_the_others_are(result: BackTest) -> None:
    found = result.verdicts()
    assert sum(found.values()) == 26
    assert verdict_sentence(result) == (
        f"{found['differs']} figures differ from what DfE printed. Of 26 figures of 2 boroughs for the year to March "
        f"2024, {found['equal']} are equal and {found['differs']} are different."
    )


def test_a_sentence_names_borough_figure_ours_theirs_and_the_counts_behind(result: BackTest) -> None:
    cells = {(c.borough.slug, c.indicator.indicator_id): c for c in result.cells}
    assert cell_sentence(cells["bury", "missing_incidents"]) == (
        "Bury, Missing incidents: ours 9, DfE 350. Rows of this return that break a rule and were not counted: 1."
    )
    assert cell_sentence(cells["bury", "missing_percentage"]).startswith(
        "Bury, Percentage missing: ours 50 (8 of 16), DfE 14."
    )
    assert cell_sentence(cells["oldham", "missing_average"]).startswith(
        "Oldham, Incidents per missing child: ours 1 (6 for 6), DfE 9.1."
    )
    assert cell_sentence(cells["bury", "missing_repeat"]).startswith(
        "Bury, Missing more than once: ours c (1), DfE 44."
    )


def test_the_page_lists_every_difference_and_each_uncounted_row(result: BackTest, page: str) -> None:
    text = page.replace("&#39;", "'")
    for cell in result.cells:
        if cell.verdict == "differs":
            assert cell_sentence(cell) in text
    assert "Rule 567: The period ends before it starts." in text
    assert "No return was in the folder for Bolton, Manchester, Rochdale" in text
    assert "Synthetic children" not in text


def test_the_page_is_restricted_and_says_so_first_and_last(page: str) -> None:
    assert page.count("OFFICIAL-SENSITIVE") == 3
    assert 'content="noindex, nofollow"' in page


def test_each_chart_has_its_table_and_knows_no_more_than_what_is_printed(result: BackTest, page: str) -> None:
    charts = re.findall(r'data-chart="backtest-([a-z-]+)-chart">(.*?)</script>', page, re.DOTALL)
    assert [name.replace("-", "_") for name, _ in charts] == [one.indicator_id for one in RULES.indicators]
    for name, text in charts:
        drawn = json.loads(text)["data"]
        cells = [cell for cell in result.cells if cell.indicator.indicator_id == name.replace("-", "_")]
        share = 100 if cells[0].indicator.form == "percentage" else 1
        for trace, printed in zip(drawn, ([c.ours for c in cells], [c.theirs for c in cells]), strict=True):
            assert trace["x"] == [float(p) / share if p[:1].isdigit() else None for p in printed]


def test_the_file_has_a_row_for_every_figure_and_its_marking(result: BackTest) -> None:
    file = back_test_file(result)
    assert (file.name, len(file.rows)) == ("backtest.csv", 26)
    assert {row[-1] for row in file.rows} == {"OFFICIAL-SENSITIVE true counts, not for publication"}


def test_the_same_comparison_gives_the_same_page(result: BackTest, page: str) -> None:
    assert back_test_page(result, RULES, REGION) == page


def test_no_child_is_on_the_page(page: str, result: BackTest) -> None:
    assert "child-1" not in page
    assert "child-1" not in back_test_file(result).text()
