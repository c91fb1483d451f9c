"""`mfh backtest` from files to page: synthetic returns give DfE's figures, and every planted difference is found."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.backtest.comparison import BOTH_HIDDEN, DIFFERS, EQUAL, HIDDEN_THERE, BackTest, back_test
from pipelines.cli import mfh
from pipelines.contracts.dfe_figures import load_dfe_figures
from pipelines.errors import CommandError
from pipelines.region import load_region
from pipelines.synthetic.annual_return import write_annual_returns
from tests.builders.returns import COLUMNS, absence, placement, write_return

SLUGS = load_region().slugs
FIRST, LAST = date(2023, 4, 1), date(2024, 3, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic returns of 2024, not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "returns"
    write_annual_returns(folder, 2024, seed=7)
    return folder


@pytest.fixture
def returns(made: Path, tmp_path: Path) -> Path:
    """A copy to plant differences in."""
    return shutil.copytree(made, tmp_path / "returns")


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def rewrite(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def often_missing(rows: list[list[str]]) -> int:
    """Place of a row in the midst of the year, of the child who was missing most often."""
    child = Counter(row[0] for row in rows[1:] if row[2] == "M").most_common(1)[0][0]
    return next(n for n, row in enumerate(rows) if row[:3:2] == [child, "M"] and row[4] and day(row[4]).month == 9)


def day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a day has no zone


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(mfh, ["backtest", *map(str, arguments)])


def differences(result: BackTest) -> dict[tuple[str, str], tuple[str, str]]:
    return {(cell.borough.slug, cell.indicator.indicator_id): (cell.ours, cell.theirs) for cell in result.of(DIFFERS)}


# Synthetic returns


@pytest.mark.parametrize("year", range(2020, 2025))
def test_synthetic_children_give_every_figure_that_dfe_printed(tmp_path: Path, year: int) -> None:
    write_annual_returns(tmp_path / "returns", year, seed=year)
    result = back_test(tmp_path / "returns", year)
    assert result.synthetic
    assert result.broken == ()
    assert differences(result) == {}
    boroughs = {area.code for area in load_region().boroughs}
    printed = [f for f in load_dfe_figures() if f.year == year and f.area_code in boroughs]
    assert len(printed) == len(result.cells) == 130
    assert len(result.of(EQUAL)) == sum(figure.is_number for figure in printed)
    assert len(result.of(BOTH_HIDDEN)) + len(result.of(HIDDEN_THERE)) == sum(not f.is_number for f in printed)


def test_what_dfe_hid_by_hand_is_listed_and_never_equal(made: Path) -> None:
    hidden = back_test(made, 2024).of(HIDDEN_THERE)
    assert [(cell.borough.slug, cell.indicator.indicator_id, cell.ours) for cell in hidden] == [
        ("bolton", "away_average", "3.7")
    ]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(made: Path, tmp_path: Path) -> None:
    for seed in (7, 8):
        write_annual_returns(tmp_path / str(seed), 2024, seed=seed)
    same = [(made / s / "missing.csv").read_bytes() == (tmp_path / "7" / s / "missing.csv").read_bytes() for s in SLUGS]
    other = [
        (made / s / "missing.csv").read_bytes() == (tmp_path / "8" / s / "missing.csv").read_bytes() for s in SLUGS
    ]
    assert (all(same), any(other)) == (True, False)


def test_the_children_are_not_a_table_of_answers(made: Path) -> None:
    absences = [row for slug in SLUGS for row in rows_of(made / slug / "missing.csv")[1:]]
    placements = [row for slug in SLUGS for row in rows_of(made / slug / "episodes.csv")[1:]]
    header = [row for slug in SLUGS for row in rows_of(made / slug / "header.csv")[1:]]
    spans = [(day(row[3]), day(row[4]) if row[4] else None) for row in absences]
    assert any(start < date(2023, 4, 1) <= (end or date.max) for start, end in spans)
    assert any(end is None for _, end in spans)
    assert any(end == date(2023, 3, 31) for _, end in spans)
    assert any(start == date(2024, 4, 1) for start, _ in spans)
    assert any(end and (end - start).days > 20 for start, end in spans)
    assert max(Counter((row[0], row[3]) for row in absences).values()) > 1
    assert {row[2] for row in absences} == {"M", "A"}
    lengths = [(end - start).days for start, end in spans if end]
    assert 0.25 < sum(length == 0 for length in lengths) / len(lengths) < 0.5
    births = {row[0]: day(row[2]) for row in header}
    ages = [(day(row[3]) - births[row[0]]).days / 365.25 for row in absences]
    assert sum(10 <= age < 18 for age in ages) / len(ages) > 0.97
    assert {"V3", "V4"} <= {row[3] for row in placements}
    assert any(day(row[6]) == births[row[0]].replace(year=births[row[0]].year + 18) for row in placements if row[6])
    assert any(date(2023, 4, 1) < day(row[1]) for row in placements)


def test_every_child_says_that_nobody_is_meant(made: Path) -> None:
    for path in made.glob("*/*.csv"):
        rows = rows_of(path)
        assert tuple(rows[0]) == COLUMNS[path.stem]
        assert all(row[0].startswith("SYNTHETIC-") for row in rows[1:])
    assert "invented" in (made / "SYNTHETIC.txt").read_text(encoding="utf-8")


def test_what_must_not_count_is_there_and_is_not_counted(made: Path) -> None:
    result = back_test(made, 2024)
    for slug in SLUGS:
        assert result.standings[slug, "outside the year"] >= 2
        assert result.standings[slug, "not looked after then"] >= 1
        counted = next(c for c in result.cells if (c.borough.slug, c.indicator.indicator_id) == (slug, "looked_after"))
        assert result.rows_read[slug, "header"] > counted.numerator


def test_synthetic_returns_are_refused_for_a_year_without_enough_figures_and_over_other_files(
    made: Path, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="not enough to build children on"):
        write_annual_returns(tmp_path / "returns", 2019, seed=1)
    assert not (tmp_path / "returns").exists()
    with pytest.raises(CommandError, match="is not empty"):
        write_annual_returns(made, 2024, seed=1)


# Planted differences


def test_one_incident_less_is_found(returns: Path) -> None:
    path = returns / "bury" / "missing.csv"
    rows = rows_of(path)
    gone = often_missing(rows)
    rewrite(path, rows[:gone] + rows[gone + 1 :])
    assert differences(back_test(returns, 2024)) == {
        ("bury", "missing_incidents"): ("349", "350"),
        ("bury", "missing_average"): ("5.5", "5.6"),
    }


def test_a_child_in_another_boroughs_files_is_found_on_both_sides(returns: Path) -> None:
    quiet = {row[0] for row in rows_of(returns / "bury" / "missing.csv")}
    rows = rows_of(returns / "bury" / "episodes.csv")
    child = next(row[0] for row in rows[1:] if row[0] not in quiet and row[3] not in {"V3", "V4"} and not row[6])
    for module in ("header", "episodes"):
        left, right = (returns / slug / f"{module}.csv" for slug in ("bury", "wigan"))
        moved = [row for row in rows_of(left) if row[0] == child]
        rewrite(left, [row for row in rows_of(left) if row[0] != child])
        rewrite(right, [*rows_of(right), *moved])
    assert differences(back_test(returns, 2024)) == {
        ("bury", "looked_after"): ("457", "458"),
        ("wigan", "looked_after"): ("954", "953"),
    }


def test_a_period_moved_over_the_end_of_the_year_is_found(returns: Path) -> None:
    path = returns / "oldham" / "missing.csv"
    rows = rows_of(path)
    per_child = Counter(row[0] for row in rows)
    place = next(
        n for n, row in enumerate(rows[1:], 1) if per_child[row[0]] == 1 and row[4] and FIRST < day(row[4]) < LAST
    )
    rows[place][3:] = ["01/04/2024", "02/04/2024"]
    rewrite(path, rows)
    assert differences(back_test(returns, 2024)) == {
        ("oldham", "missing_children"): ("98", "99"),
        ("oldham", "missing_incidents"): ("899", "900"),
        ("oldham", "missing_average"): ("9.2", "9.1"),
    }


def test_one_more_child_over_the_limit_of_hiding_is_found(returns: Path) -> None:
    path = returns / "salford" / "missing.csv"
    rows = rows_of(path)
    in_care = {row[0] for row in rows_of(returns / "salford" / "episodes.csv")[1:] if row[3] not in {"V3", "V4"}}
    quiet = sorted(in_care - {row[0] for row in rows})
    rows += [[child, "", "A", "01/09/2023", "02/09/2023"] for child in quiet[:6]]
    rewrite(path, rows)
    found = differences(back_test(returns, 2024))
    assert {name for slug, name in found if slug == "salford"} <= {
        "away_children", "away_incidents", "away_average", "away_percentage",
    }  # fmt: skip
    assert found["salford", "away_incidents"][1] == "0"


# The command


def test_the_command_prints_every_borough_and_writes_page_and_file(made: Path, tmp_path: Path) -> None:
    ran = run(made, "--year", "2024", "--home", tmp_path)
    assert ran.exit_code == 0, ran.output
    for area in load_region().boroughs:
        assert f"{area.name}, year to March 2024" in ran.output
    assert "No figure differs" in ran.output
    assert "Bolton, Incidents per child away: ours 3.7 (116 for 31), DfE c." in ran.output
    rows = rows_of(tmp_path / "backtest" / "backtest.csv")
    assert len(rows) == 131
    assert {row[rows[0].index("marking")] for row in rows[1:]} == {
        "OFFICIAL-SENSITIVE true counts, not for publication"
    }
    page = (tmp_path / "backtest" / "backtest.html").read_text(encoding="utf-8")
    assert "OFFICIAL-SENSITIVE" in page
    assert "Synthetic children" in page


def test_the_page_is_one_file_that_asks_for_nothing(made: Path, tmp_path: Path) -> None:
    run(made, "--year", "2024", "--out", tmp_path)
    page = (tmp_path / "backtest.html").read_text(encoding="utf-8")
    markup = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
    assert re.findall(r'(?:src|href)="([^"#][^"]*)"', markup) == ["backtest.csv"]
    assert page.count("sha256-") == 2
    assert "default-src 'none'" in page


def test_a_difference_ends_with_1_and_is_said_in_words(returns: Path, tmp_path: Path) -> None:
    path = returns / "bury" / "missing.csv"
    rows = rows_of(path)
    wrong = often_missing(rows)
    rows[wrong][3] = "31/02/2023"
    rewrite(path, rows)
    ran = run(returns, "--year", "2024", "--out", tmp_path / "out")
    assert ran.exit_code == 1
    said = " ".join(ran.output.split())
    assert (
        "Bury, Missing incidents: ours 349, DfE 350. Rows of this return that break a rule and were not counted: 1."
        in said
    )
    assert f"Not counted, Bury, missing, rule 1004: The start is not a date that exists. Rows: {wrong + 1}" in said


def test_json_holds_every_figure_and_no_cell_of_a_return(returns: Path, tmp_path: Path) -> None:
    path = returns / "bury" / "missing.csv"
    rows = rows_of(path)
    wrong = often_missing(rows)
    rows[wrong][2] = "Zebra"
    rewrite(path, rows)
    ran = run(returns, "--year", "2024", "--json", "--out", tmp_path / "out")
    report = json.loads(ran.output)
    assert ran.exit_code == 1
    assert (len(report["figures"]), report["agrees"], report["synthetic"]) == (130, False, True)
    assert [(r["borough"], r["module"], r["rule_id"], r["row_numbers"]) for r in report["rows_not_counted"]] == [
        ("bury", "missing", "status", [wrong + 1])
    ]
    page = (tmp_path / "out" / "backtest.html").read_text(encoding="utf-8")
    for text in (ran.output, page):
        assert "Zebra" not in text
        assert "SYNTHETIC-" not in text


def test_unreadable_input_is_one_sentence(tmp_path: Path) -> None:
    write_return(tmp_path / "bury", [absence("a", "01/05/2023")], [placement("a")])
    for arguments in ((tmp_path, "--year", "2014"), (tmp_path / "absent", "--year", "2024")):
        ran = run(*arguments)
        assert isinstance(ran.exception, CommandError)
        assert "\n" not in str(ran.exception)


def test_the_command_writes_synthetic_returns(tmp_path: Path) -> None:
    ran = run("--synthetic", tmp_path / "returns", "--year", "2023")
    assert ran.exit_code == 0
    assert "no child in them is real" in ran.output
    assert back_test(tmp_path / "returns", 2023).agrees
