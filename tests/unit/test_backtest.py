"""What DfE counts, edge by edge; which rows break a rule and are named; how a cell compares; what cannot be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.backtest.comparison import back_test
from pipelines.backtest.counting import BrokenRule, Counts
from pipelines.contracts.dfe_publication import load_dfe_publication
from pipelines.errors import CommandError
from pipelines.home import SQL
from tests.builders.returns import Row, absence, counted, placement, totals, write_return


def count(
    folder: Path, missing: list[Row], episodes: list[Row] | None = None, header: list[Row] | None = None
) -> dict[str, int]:
    """Count one borough's return; every child of `missing` is in care throughout unless `episodes` says otherwise."""
    in_care = [placement(child) for child in dict.fromkeys(row[0] for row in missing)]
    write_return(
        folder / "bury", missing or [absence("nobody", "01/05/2023", "02/05/2023")], episodes or in_care, header
    )
    return totals(counted(folder))


def counts_of(folder: Path, missing: list[Row], episodes: list[Row], header: list[Row] | None = None) -> Counts:
    write_return(folder / "bury", missing, episodes, header)
    return counted(folder)


# The year


@pytest.mark.parametrize(
    ("start", "end", "incidents"),
    [
        ("01/04/2023", "01/04/2023", 1),
        ("31/03/2023", "31/03/2023", 0),
        ("31/03/2023", "01/04/2023", 1),  # began before the year and ran in it
        ("01/01/2023", "01/06/2023", 1),
        ("01/01/2023", "", 1),
        ("31/03/2024", "31/03/2024", 1),
        ("31/03/2024", "05/04/2024", 1),
        ("01/04/2024", "02/04/2024", 0),
        ("01/04/2024", "", 0),
        ("01/01/2022", "31/12/2025", 1),
    ],
)
def test_an_incident_counts_in_the_year_in_which_it_runs(tmp_path: Path, start: str, end: str, incidents: int) -> None:
    assert count(tmp_path, [absence("a", start, end)])["missing_incidents"] == incidents


@pytest.mark.parametrize(
    ("start", "end", "gone"),
    [
        ("20/03/2024", "", 1),
        ("31/03/2024", "", 1),
        ("20/03/2024", "01/04/2024", 1),
        ("20/03/2024", "31/03/2024", 0),
        ("01/04/2024", "", 0),
        ("01/01/2022", "", 1),
    ],
)
def test_missing_at_31_march_is_open_at_its_midnight(tmp_path: Path, start: str, end: str, gone: int) -> None:
    assert count(tmp_path, [absence("a", start, end)])["missing_at_year_end"] == gone


# One or more, missing or away


def test_one_incident_is_not_more_than_once_and_two_are(tmp_path: Path) -> None:
    rows = [absence("a", "01/05/2023", "02/05/2023"), absence("b", "01/05/2023", "02/05/2023")]
    found = count(tmp_path, [*rows, absence("b", "02/05/2023", "03/05/2023")])
    assert (found["missing_children"], found["missing_repeat"], found["missing_incidents"]) == (2, 1, 3)


def test_two_rows_on_one_day_are_two_incidents(tmp_path: Path) -> None:
    rows = [absence("a", "01/05/2023", "01/05/2023")] * 2
    assert count(tmp_path, rows)["missing_incidents"] == 2


def test_a_second_incident_of_another_year_is_not_more_than_once(tmp_path: Path) -> None:
    rows = [absence("a", "01/03/2023", "31/03/2023"), absence("a", "01/04/2023", "01/04/2023")]
    assert count(tmp_path, rows)["missing_repeat"] == 0


def test_missing_and_away_are_kept_apart(tmp_path: Path) -> None:
    rows = [absence("a", "01/05/2023", "02/05/2023"), absence("a", "01/06/2023", "", "A")]
    found = count(tmp_path, rows)
    assert {name: number for name, number in found.items() if number} == {
        "looked_after": 1,
        "missing_children": 1,
        "missing_incidents": 1,
        "away_children": 1,
        "away_incidents": 1,
        "away_at_year_end": 1,
    }


def test_a_status_in_lower_case_is_read(tmp_path: Path) -> None:
    rows = [absence("a", "01/05/2023", "02/05/2023", "m"), absence("a", "03/05/2023", "04/05/2023", "a")]
    found = count(tmp_path, rows)
    assert (found["missing_incidents"], found["away_incidents"]) == (1, 1)


# Who was looked after


@pytest.mark.parametrize(
    ("start", "end", "children"),
    [
        ("01/04/2023", "", 1),
        ("01/04/2020", "01/04/2023", 1),
        ("01/04/2020", "31/03/2023", 0),
        ("31/03/2024", "", 1),
        ("01/04/2024", "", 0),
        ("10/05/2023", "10/05/2023", 1),
    ],
)
def test_a_child_is_looked_after_whose_placement_covers_a_day_of_the_year(
    tmp_path: Path, start: str, end: str, children: int
) -> None:
    found = count(tmp_path, [], [placement("a", start, end)])
    assert found["looked_after"] == children


def test_a_child_with_two_placements_counts_once(tmp_path: Path) -> None:
    rows = [placement("a", "01/01/2020", "01/07/2023"), placement("a", "01/07/2023")]
    assert count(tmp_path, [absence("a", "30/06/2023", "02/07/2023")], rows)["missing_incidents"] == 1
    assert count(tmp_path, [], rows)["looked_after"] == 1


@pytest.mark.parametrize(("status", "children"), [("V3", 0), ("V4", 0), ("v4", 0), ("V2", 1), ("C2", 1)])
def test_a_series_of_short_term_placements_does_not_count(tmp_path: Path, status: str, children: int) -> None:
    rows = [placement("a", legal_status=status)]
    found = count(tmp_path, [absence("a", "01/05/2023", "")], rows)
    assert (found["looked_after"], found["missing_incidents"], found["missing_at_year_end"]) == (children,) * 3


def test_a_child_with_another_placement_beside_a_short_break_counts(tmp_path: Path) -> None:
    rows = [placement("a", "01/04/2023", "05/04/2023", "V4"), placement("a", "01/02/2024")]
    found = count(tmp_path, [absence("a", "02/04/2023", "03/04/2023"), absence("a", "02/02/2024", "02/02/2024")], rows)
    assert (found["looked_after"], found["missing_incidents"]) == (1, 1)


@pytest.mark.parametrize(
    ("start", "end", "incidents"),
    [
        ("01/09/2023", "02/09/2023", 0),
        ("25/08/2023", "02/09/2023", 1),
        ("31/08/2023", "", 1),
        ("01/06/2023", "01/07/2023", 1),
        ("01/06/2023", "30/06/2023", 0),
    ],
)
def test_an_incident_must_run_on_a_day_on_which_the_child_is_looked_after(
    tmp_path: Path, start: str, end: str, incidents: int
) -> None:
    rows = [placement("a", "01/07/2023", "31/08/2023")]
    found = count(tmp_path, [absence("a", start, end)], rows)
    assert (found["missing_incidents"], found["missing_at_year_end"]) == (incidents, 0)


@pytest.mark.parametrize(("end", "gone"), [("31/03/2024", 0), ("01/04/2024", 1), ("", 1)])
def test_a_child_whose_care_has_ended_is_not_missing_at_31_march(tmp_path: Path, end: str, gone: int) -> None:
    rows = [placement("a", "01/01/2020", end)]
    assert count(tmp_path, [absence("a", "20/03/2024", "")], rows)["missing_at_year_end"] == gone


@pytest.mark.parametrize(
    ("born", "looked_after", "gone"),
    [
        ("01/04/2006", 1, 1),  # 18 on 1 April 2024
        ("31/03/2006", 1, 0),  # 18 on the last day
        ("02/04/2005", 1, 0),
        ("01/04/2005", 0, 0),  # 18 on the first day
    ],
)
def test_nobody_counts_from_the_eighteenth_birthday_on(tmp_path: Path, born: str, looked_after: int, gone: int) -> None:
    rows = [absence("a", "01/01/2023", "", born=born)]
    found = count(tmp_path, rows)
    assert (found["looked_after"], found["missing_incidents"]) == (looked_after, looked_after)
    assert found["missing_at_year_end"] == gone


@pytest.mark.parametrize(("born", "looked_after"), [("29/02/2004", 1), ("28/02/2004", 0)])
def test_one_born_on_29_february_comes_of_age_on_1_march(tmp_path: Path, born: str, looked_after: int) -> None:
    write_return(
        tmp_path / "bury",
        [absence("x", "02/02/2022", "02/02/2022")],
        [placement("a", "28/02/2022")],
        [("a", "1", born, "")],
    )
    assert totals(counted(tmp_path, 2022))["looked_after"] == looked_after


def test_the_header_gives_births_that_the_missing_module_has_not(tmp_path: Path) -> None:
    rows = [absence("a", "01/05/2023", "", born="")]
    assert count(tmp_path, rows)["looked_after"] == 1
    assert count(tmp_path, rows, header=[("a", "2", "01/04/2005", "WBRI")])["looked_after"] == 0


def test_one_number_in_two_boroughs_is_two_children(tmp_path: Path) -> None:
    for slug in ("bury", "wigan"):
        write_return(tmp_path / slug, [absence("a", "01/05/2023", "02/05/2023")], [placement("a")])
    found = counted(tmp_path)
    assert [totals(found, slug)["missing_repeat"] for slug in ("bury", "wigan")] == [0, 0]


# Rows that break a rule


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("a", "15/06/2009", "M", "", ""), "564"),
        (("a", "15/06/2009", "", "01/05/2023", ""), "565"),
        (("a", "15/06/2009", "", "", "01/05/2023"), "566"),
        (("a", "15/06/2009", "M", "02/05/2023", "01/05/2023"), "567"),
        (("a", "15/06/2009", "M", "15/06/2009", "01/07/2023"), "586"),
        (("a", "15/06/2009", "M", "31/02/2023", "01/05/2023"), "1004"),
        (("a", "15/06/2009", "M", "01/05/2023", "soon"), "1005"),
        (("a", "15/06/2009", "X", "01/05/2023", ""), "status"),
        (("a", "2009", "M", "01/05/2023", "01/05/2023"), "born"),
        (("", "15/06/2009", "M", "01/05/2023", "01/05/2023"), "child"),
        (("a", "15/06/2009", "M", "01/05/2023", "01/05/2023", "more"), "ragged"),
    ],
)
def test_a_row_of_the_wrong_form_is_not_counted_and_is_named(tmp_path: Path, row: Row, rule: str) -> None:
    good = absence("b", "01/05/2023", "02/05/2023")
    found = counts_of(tmp_path, [good, row], [placement("a"), placement("b")])
    assert found.broken == (BrokenRule("bury", "missing", rule, (3,)),)
    assert totals(found)["missing_incidents"] == 1


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("", "01/01/2020", "S", "C2", "N1", "U1", "", ""), "child"),
        (("a", "", "S", "C2", "N1", "U1", "", ""), "started"),
        (("a", "01/13/2020", "S", "C2", "N1", "U1", "", ""), "started"),
        (("a", "01/01/2020", "S", "C2", "N1", "U1", "never", ""), "ended"),
        (("a", "02/01/2020", "S", "C2", "N1", "U1", "01/01/2020", "E8"), "ends_first"),
        (("a", "01/01/2020", "S", "", "N1", "U1", "", ""), "legal_status"),
    ],
)
def test_a_placement_of_the_wrong_form_is_not_counted_and_is_named(tmp_path: Path, row: Row, rule: str) -> None:
    found = counts_of(tmp_path, [absence("b", "01/05/2023", "02/05/2023")], [placement("b"), row])
    assert found.broken == (BrokenRule("bury", "episodes", rule, (3,)),)
    assert totals(found)["looked_after"] == 1


def test_a_second_birth_of_a_child_is_named(tmp_path: Path) -> None:
    header = [("a", "1", "15/06/2009", ""), ("a", "1", "16/06/2009", ""), ("b", "1", "", "")]
    found = counts_of(tmp_path, [absence("a", "01/05/2023")], [placement("a")], header)
    assert [(rule.module, rule.rule_id, rule.row_numbers) for rule in found.broken] == [
        ("header", "born", (4,)),
        ("header", "two_births", (3,)),
    ]


@pytest.mark.parametrize(
    ("second", "incidents"),
    [
        (("03/05/2023", "04/05/2023"), 2),  # on the day the first ended
        (("02/05/2023", "04/05/2023"), 1),
        (("02/05/2023", ""), 1),
        (("01/05/2023", "03/05/2023"), 1),  # the same row again
    ],
)
def test_periods_that_overlap_break_rule_574(tmp_path: Path, second: tuple[str, str], incidents: int) -> None:
    rows = [absence("a", "01/05/2023", "03/05/2023"), absence("a", *second, "A" if incidents == 1 else "M")]
    found = counts_of(tmp_path, rows, [placement("a")])
    assert [rule.rule_id for rule in found.broken] == ["574"] * (2 - incidents)
    assert totals(found)["missing_incidents"] + totals(found)["away_incidents"] == incidents


def test_nothing_starts_while_a_period_is_open(tmp_path: Path) -> None:
    rows = [absence("a", "01/05/2023"), absence("a", "01/02/2024", "02/02/2024"), absence("b", "01/02/2024")]
    found = counts_of(tmp_path, rows, [placement("a"), placement("b")])
    assert found.broken == (BrokenRule("bury", "missing", "574", (3,)),)


def test_every_rule_has_its_words_and_every_words_their_rule() -> None:
    sql = (SQL / "backtest" / "finding.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:then|,) *'(\w+)' (?:end|as rule_id)", sql)) | {"574"} == set(
        load_dfe_publication().row_rules
    )


# How a cell compares


def verdict(folder: Path, name: str) -> tuple[str, str, str]:
    result = back_test(folder, 2024)
    cell = next(cell for cell in result.cells if cell.indicator.indicator_id == name)
    return cell.ours, cell.verdict, cell.reason


def test_a_true_zero_where_dfe_hid_a_number_is_a_difference(tmp_path: Path) -> None:
    count(tmp_path, [absence("a", "01/05/2023", "02/05/2023")])
    assert verdict(tmp_path, "missing_at_year_end") == ("0", "differs", "DfE hid a number that is not 0.")


def test_a_small_number_where_dfe_hid_one_agrees(tmp_path: Path) -> None:
    count(tmp_path, [absence("a", "01/05/2023")])
    assert verdict(tmp_path, "missing_at_year_end") == ("c", "hidden in both", "")


def test_a_number_where_dfe_hid_one_is_hidden_there_and_never_equal(tmp_path: Path) -> None:
    count(tmp_path, [absence(str(child), "01/05/2023") for child in range(6)])
    ours, found, reason = verdict(tmp_path, "missing_at_year_end")
    assert (ours, found) == ("6", "hidden there")
    assert "no comparison" in reason


def test_the_reason_names_uncounted_rows_and_later_revisions(tmp_path: Path) -> None:
    count(tmp_path, [absence("a", "01/05/2022", "02/05/2022"), absence("a", "none")])
    cell = back_test(tmp_path, 2023).cells[3]
    assert cell.verdict == "differs"
    assert "were not counted: 1." in cell.reason
    assert "edition of 2024-11-14" in cell.reason


def test_a_year_with_three_published_figures_compares_those(tmp_path: Path) -> None:
    count(tmp_path, [absence("a", "01/05/2018", "02/05/2018")])
    result = back_test(tmp_path, 2019)
    assert result.verdicts() == {"not published": 10, "differs": 3}
    assert [area.slug for area in result.not_received][:2] == ["bolton", "manchester"]


def test_what_dfe_did_not_have_is_not_published(tmp_path: Path) -> None:
    write_return(tmp_path / "salford", [absence("a", "01/05/2016", "02/05/2016", "A")], [placement("a", "01/01/2016")])
    away = next(cell for cell in back_test(tmp_path, 2017).cells if cell.indicator.indicator_id == "away_incidents")
    assert (away.theirs, away.verdict, away.reason) == ("x", "not published", "DfE prints x: not available.")


# What cannot be read


def refused(folder: Path, year: int = 2024) -> str:
    with pytest.raises(CommandError) as error:
        back_test(folder, year)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_year_that_is_not_in_the_reference_is_refused(tmp_path: Path) -> None:
    count(tmp_path, [absence("a", "01/05/2023")])
    assert "it has 2015, 2016, 2017" in refused(tmp_path, 2014)


def test_a_folder_without_boroughs_is_refused(tmp_path: Path) -> None:
    assert "no folder named after a borough" in refused(tmp_path)
    assert "no folder named after a borough" in refused(tmp_path / "absent")


def test_a_borough_without_a_module_is_refused(tmp_path: Path) -> None:
    write_return(tmp_path / "bury", [absence("a", "01/05/2023")], [placement("a")])
    (tmp_path / "bury" / "episodes.csv").unlink()
    assert refused(tmp_path).startswith("Bury has no file of the module episodes")


def test_a_module_that_stands_twice_is_refused(tmp_path: Path) -> None:
    write_return(tmp_path / "bury", [absence("a", "01/05/2023")], [placement("a")])
    (tmp_path / "bury" / "old.csv").write_bytes((tmp_path / "bury" / "missing.csv").read_bytes())
    assert "module missing twice (missing.csv, old.csv)" in refused(tmp_path)


def test_a_file_that_writes_the_month_first_is_refused(tmp_path: Path) -> None:
    rows = [absence(str(day), f"05/{day}/2023") for day in range(13, 20)]
    write_return(tmp_path / "bury", rows, [placement("13")])
    assert "column D writes the month before the day" in refused(tmp_path)


def test_a_file_that_is_no_table_is_refused_by_name(tmp_path: Path) -> None:
    write_return(tmp_path / "bury", [absence("a", "01/05/2023")], [placement("a")])
    (tmp_path / "bury" / "missing.csv").write_bytes(b"")
    assert refused(tmp_path).startswith("Bury, missing.csv: The file is empty")


def test_a_module_without_rows_is_a_true_zero(tmp_path: Path) -> None:
    write_return(tmp_path / "bury", [], [placement("a")])
    found = totals(counted(tmp_path))
    assert (found["looked_after"], found["missing_children"], found["missing_incidents"]) == (1, 0, 0)


def test_other_modules_of_the_return_are_left_alone(tmp_path: Path) -> None:
    write_return(tmp_path / "bury", [absence("a", "01/05/2023")], [placement("a")])
    (tmp_path / "bury" / "uasc.csv").write_text("CHILD,SEX,DOB,DUC\na,1,15/06/2009,\n", encoding="utf-8")
    (tmp_path / "bury" / "notes.txt").write_text("ours", encoding="utf-8")
    assert back_test(tmp_path, 2024).rows_read == {
        ("bury", "missing"): 1,
        ("bury", "episodes"): 1,
        ("bury", "header"): 0,
    }
