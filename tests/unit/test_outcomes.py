"""Every rule that a delivery is judged by comes out as passed, failed or not applicable, the last with a reason.

Rules in are outcomes out, for every layout; a rule that could not be applied is never passed.
"""

from collections import Counter
from collections.abc import Mapping

import polars as pl
import pytest

from pipelines.contracts.catalogue import delivery_rules
from pipelines.intake.examine import Examined
from pipelines.intake.findings import DUPLICATE, RAGGED
from pipelines.intake.judge import judge, messages_by_rule
from tests.intake_data import CHILD, LIQUIDLOGIC, VALID, csv_of, csv_rows, episode, examined, interview, row_of

Outcome = tuple[str, int, str]
RETURN = {"CHILD": CHILD, "MISSING": "M", "MIS_START": "03/11/2025", "MIS_END": "04/11/2025", "AGE_AT_START": "14"}
EPISODES = {"CHILD": CHILD, "DECOM": "01/06/2024", "RNE": "s", "DEC": "", "REC": ""}
FILES = {
    "missing_episode": csv_rows([episode()]),
    "placement": csv_rows([row_of("placement")]),
    "return_interview": csv_rows([interview()]),
    "ssda903_missing": csv_rows([RETURN]),
    "ssda903_episodes": csv_rows([EPISODES]),
    "liquidlogic": csv_of(
        LIQUIDLOGIC, [["1", CHILD, "2025-11-03 20:15:00", "Missing", "2025-11-04 02:00:00", "Yes", "No"]]
    ),
}


def outcomes(*files: Examined) -> dict[tuple[str, str], Outcome]:
    """Outcome, failing rows and reason by delivery and rule."""
    rows = judge(files).outcomes.iter_rows(named=True)
    return {(row["delivery_id"], row["rule_id"]): (row["outcome"], row["rows"], row["reason"]) for row in rows}


def without(columns: str, row: Mapping[str, str]) -> dict[str, str]:
    """The row without some columns."""
    return {name: cell for name, cell in row.items() if name not in columns.split()}


@pytest.mark.parametrize("layout", FILES)
def test_rules_in_are_outcomes_out(layout: str) -> None:
    file = examined(FILES[layout], layout)
    judged = judge([file]).outcomes
    stated = [rule.rule_id for part in file.parts for rule in delivery_rules(part.contract, file.source.id)]
    assert Counter(judged["rule_id"]) == Counter([*stated, RAGGED, DUPLICATE])
    assert judged["delivery_id"].unique().to_list() == [layout]
    assert set(judged["outcome"]) <= {"passed", "failed", "not_applicable"}
    assert judged.filter((pl.col("outcome") == "not_applicable") != (pl.col("reason") != "")).is_empty()
    assert judged.filter((pl.col("outcome") == "failed") != (pl.col("rows") > 0)).is_empty()


@pytest.mark.parametrize("layout", ["missing_episode", "placement", "return_interview"])
def test_a_full_and_valid_row_passes_every_rule(layout: str) -> None:
    assert set(judge([examined(FILES[layout])]).outcomes["outcome"]) == {"passed"}


def test_rules_of_the_return_are_for_the_return_only() -> None:
    of_the_return = {rule for _, rule in outcomes(examined(FILES["ssda903_missing"]))}
    of_the_contract = {rule for _, rule in outcomes(examined(FILES["missing_episode"]))}
    assert of_the_return - of_the_contract == {
        "ssda903.564", "ssda903.565", "ssda903.566", "ssda903.570.collection_year", "ssda903.571.collection_year",
        "ssda903.586", "ssda903.1004", "ssda903.1005",
    }  # fmt: skip


def test_a_column_that_the_file_leaves_out_makes_its_rules_not_applicable() -> None:
    found = outcomes(examined(csv_rows([without("sex cse_flag_date found_at returned_at", VALID["missing_episode"])])))
    for rule, column in {
        "missing_episode.sex.codes": "sex",
        "missing_episode.two_sexes": "sex",
        "missing_episode.cse_flag_dated_but_no": "cse_flag_date",
        "ssda903.567": "found_at",
        "ssda903.574": "found_at",
        "missing_episode.longer_than_a_year": "found_at",
    }.items():
        assert found["made", rule] == ("not_applicable", 0, f"The file has no column {column}.")


@pytest.mark.parametrize("left", ["found_at", "returned_at"])
def test_one_of_the_two_ends_is_enough(left: str) -> None:
    file = examined(csv_rows([without("found_at returned_at", VALID["missing_episode"]) | {left: "2025-11-04"}]))
    assert outcomes(file)["made", "ssda903.574"] == ("passed", 0, "")


def test_a_column_that_the_layout_does_not_have_makes_its_rules_not_applicable() -> None:
    found = outcomes(examined(FILES["ssda903_missing"]))
    assert found["made", "missing_episode.risk_initial.codes"] == (
        "not_applicable", 0, "The layout ssda903_missing has no column for Initial risk grade.",
    )  # fmt: skip
    assert found["made", "ssda903.586"] == ("passed", 0, "")


def test_586_is_not_applicable_without_an_age() -> None:
    found = outcomes(examined(csv_rows([without("AGE_AT_START", RETURN)])))
    assert found["made", "ssda903.586"] == ("not_applicable", 0, "The file has no column AGE_AT_START.")
    assert found["made", "missing_episode.age_at_start.required"] == ("failed", 1, "")


def test_a_requirement_that_the_layout_cannot_meet_is_only_counted() -> None:
    judged = judge([examined(csv_rows([without("AGE_AT_START", RETURN)]))])
    (finding,) = judged.findings.iter_rows(named=True)
    assert (finding["rule_id"], finding["severity"]) == ("missing_episode.age_at_start.required", "info")


def test_a_constant_of_the_mapping_is_judged_too() -> None:
    found = outcomes(examined(FILES["ssda903_missing"]))
    assert found["made", "missing_episode.looked_after.codes"] == ("passed", 0, "")


def test_files_judged_together_come_out_as_if_alone() -> None:
    files = {name: examined(FILES[name], name) for name in ("missing_episode", "ssda903_missing", "liquidlogic")}
    together = outcomes(*files.values())
    for name, file in files.items():
        assert {key: value for key, value in together.items() if key[0] == name} == outcomes(file)


def test_rows_of_two_files_are_not_compared_with_each_other() -> None:
    longer = episode(found_at="2025-11-05", returned_at="")
    blank = {"reported_at": "", "returned_at": "", "prevention_interview_at": ""}
    later = episode(episode_id="EP-2", started_at="2025-11-04T12:00", found_at="2025-11-05", **blank)
    alone = [examined(csv_rows([longer]), "one"), examined(csv_rows([later]), "two")]
    assert outcomes(*alone)["two", "ssda903.574"] == ("passed", 0, "")
    assert outcomes(examined(csv_rows([longer, later])))["made", "ssda903.574"] == ("failed", 1, "")


def test_a_row_that_a_rule_refused_is_not_compared() -> None:
    refused = episode(found_at="soon", returned_at="")
    later = episode(episode_id="EP-2", started_at="2025-11-05", reported_at="", found_at="2025-11-05", returned_at="")
    found = outcomes(examined(csv_rows([refused, later | {"prevention_interview_at": ""}])))
    assert found["made", "missing_episode.found_at.type"] == ("failed", 1, "")
    assert found["made", "ssda903.574"] == ("passed", 0, "")


@pytest.mark.parametrize(("elsewhere", "expected"), [(1, "failed"), (2, "not_applicable")])
def test_the_collection_year_is_judged_where_nine_rows_in_ten_are_of_one_year(elsewhere: int, expected: str) -> None:
    rows = [RETURN | {"CHILD": f"{n:064x}"} for n in range(9)]
    rows += [RETURN | {"MIS_START": f"0{n}/05/2019", "MIS_END": "", "CHILD": "f" * 64} for n in range(1, elsewhere + 1)]
    rows[0] |= {"MIS_START": "31/03/2026", "MIS_END": "01/04/2026"}
    found = outcomes(examined(csv_rows(rows)))
    outcome, count, reason = found["made", "ssda903.571.collection_year"]
    assert (outcome, count) == (expected, int(expected == "failed"))
    assert reason.startswith("The file is not one year's return") == (expected == "not_applicable")


def test_where_a_rule_stands_for_another_both_come_out_and_one_is_reported() -> None:
    judged = judge([examined(csv_rows([RETURN | {"MIS_START": ""}]))])
    assert judged.findings["rule_id"].to_list() == ["ssda903.564"]
    failed = judged.outcomes.filter(outcome="failed")
    assert set(failed["rule_id"]) == {"ssda903.564", "missing_episode.started_at.required"}


def test_without_a_row_nothing_is_passed() -> None:
    file = examined(csv_of(LIQUIDLOGIC, [["1", CHILD, "2025-11-03 20:15:00", "Missing", "", "", ""]]))
    of_interviews = judge([file]).outcomes.filter(dataset="return_interview")
    assert of_interviews.height > 30
    assert set(of_interviews["outcome"]) == {"not_applicable"}
    assert set(of_interviews["reason"]) == {"There was no row to judge."}


def test_every_rule_that_can_come_out_has_a_message() -> None:
    for layout, data in FILES.items():
        assert set(judge([examined(data, layout)]).outcomes["rule_id"]) <= messages_by_rule().keys()
