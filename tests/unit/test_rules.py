"""Each rule of each contract on a row that it lets through and on a row that it, and nothing else, objects to.

All rows of a dataset are judged in one run. The coverage test fails when a rule is added without its two rows.
"""

from collections.abc import Mapping

import pytest

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.rules import contract_rules
from pipelines.intake.judge import judge, rules_by_id
from tests.intake_data import CHILD, DATASETS, csv_rows, examined, row_of

Cells = Mapping[str, str]
EPISODE_ID, INTERVIEW_ID = "episode_id", "interview_id"
PAST_THE_END = {"found_at": "", "returned_at": "", "reported_at": "", "prevention_interview_at": ""}

# rule id -> what changes in the valid row so that the rule is satisfied, just; and so that it is broken.
# A case of None means that two rows share the column.
EPISODE_RULES: dict[str, tuple[Cells, Cells | None]] = {
    "episode_id.required": ({}, {EPISODE_ID: ""}),
    "episode_id.unique": ({}, None),
    "episode_id.max_length": ({EPISODE_ID: "e" * 80}, {EPISODE_ID: "f" * 81}),
    "child_id.required": ({}, {"child_id": ""}),
    "child_id.pattern": ({"child_id": "f" * 64}, {"child_id": "F" * 64}),
    "pseudonym_scope.required": ({}, {"pseudonym_scope": ""}),
    "pseudonym_scope.codes": ({"pseudonym_scope": "borough"}, {"pseudonym_scope": "national"}),
    "status.required": ({}, {"status": ""}),
    "status.codes": ({"status": "absent"}, {"status": "M"}),
    "started_at.required": ({}, {"started_at": ""}),
    "started_at.type": ({"started_at": "2024-02-29"}, {"started_at": "2023-02-29"}),
    "started_at.year": ({"started_at": "2000-01-01"}, {"started_at": "1999-12-31"}),
    "ssda903.570": (
        PAST_THE_END | {"started_at": "2026-04-20T13:00"},  # received at 12:00 UTC, 13:00 by the clock
        PAST_THE_END | {"started_at": "2026-04-20T13:01"},
    ),
    "reported_at.type": ({"reported_at": ""}, {"reported_at": "yesterday"}),
    "reported_before_started": ({"reported_at": "2025-11-03T20:15"}, {"reported_at": "2025-11-03T20:14"}),
    "found_at.type": ({"found_at": ""}, {"found_at": "2025-11-04T25:00"}),
    "ssda903.567": (
        {"found_at": "2025-11-03"},  # the day of the start: may be after it
        {"found_at": "2025-11-02"},
    ),
    "returned_at.type": ({"returned_at": ""}, {"returned_at": "04/11/2025"}),
    "ssda903.567.returned": (
        {"found_at": "", "returned_at": "2025-11-03T20:15"},
        {"found_at": "", "returned_at": "2025-11-03T20:14"},
    ),
    "returned_before_found": ({"returned_at": "2025-11-04T01:30"}, {"returned_at": "2025-11-04T01:29"}),
    "age_at_start.required": ({}, {"age_at_start": ""}),
    "age_at_start.type": ({"age_at_start": "9.0"}, {"age_at_start": "9.5"}),
    "age_at_start.minimum": ({"age_at_start": "0"}, {"age_at_start": "-1"}),
    "age_at_start.maximum": ({"age_at_start": "17"}, {"age_at_start": "18"}),
    "sex.codes": ({"sex": ""}, {"sex": "F"}),
    "ethnicity.codes": ({"ethnicity": "not_obtained"}, {"ethnicity": "WBRI"}),
    "sen_or_disability.codes": ({"sen_or_disability": "unknown"}, {"sen_or_disability": "maybe"}),
    "looked_after.required": ({}, {"looked_after": ""}),
    "looked_after.codes": ({"looked_after": "unknown"}, {"looked_after": "Y"}),
    "responsible_authority.required": ({}, {"responsible_authority": ""}),
    "responsible_authority.pattern": ({"responsible_authority": "W06000001"}, {"responsible_authority": "E0800001"}),
    "area_missing_from.required": ({}, {"area_missing_from": ""}),
    "area_missing_from.pattern": ({"area_missing_from": "unknown"}, {"area_missing_from": "E05000001"}),
    "missing_from_setting.codes": ({"missing_from_setting": "foster_care"}, {"missing_from_setting": "K2"}),
    "setting_id.max_length": ({"setting_id": "s" * 80}, {"setting_id": "s" * 81}),
    "placement_distance_miles.type": ({"placement_distance_miles": "0.25"}, {"placement_distance_miles": "far"}),
    "placement_distance_miles.minimum": ({"placement_distance_miles": "0"}, {"placement_distance_miles": "-0.1"}),
    "placement_distance_miles.maximum": ({"placement_distance_miles": "900"}, {"placement_distance_miles": "900.5"}),
    "risk_initial.codes": ({"risk_initial": "no_apparent_risk"}, {"risk_initial": "red"}),
    "risk_highest.codes": ({"risk_highest": "very_low"}, {"risk_highest": "red"}),
    "reported_by.codes": ({"reported_by": "school"}, {"reported_by": "nobody"}),
    "found_by.codes": ({"found_by": "carer"}, {"found_by": "nobody"}),
    "cse_flag_date.type": ({"cse_flag_date": "2025-12-31"}, {"cse_flag_date": "2025-13-31"}),
    "cce_flag_date.type": ({"cce_flag_date": ""}, {"cce_flag_date": "March 2025"}),
    "cse_flag.codes": ({"cse_flag": ""}, {"cse_flag": "1"}),
    "cce_flag.codes": ({"cce_flag": "no"}, {"cce_flag": "NO"}),
    "harm.codes": ({"harm": "yes"}, {"harm": "some"}),
    "prevention_interview_at.type": ({"prevention_interview_at": "2025-11-05"}, {"prevention_interview_at": "soon"}),
    "police_reference.max_length": ({"police_reference": "p" * 40}, {"police_reference": "p" * 41}),
    "source_system.max_length": ({"source_system": "s" * 40}, {"source_system": "s" * 41}),
    "extracted_at.type": ({"extracted_at": "2026-04-01 06:00"}, {"extracted_at": "20260401"}),
}
INTERVIEW_RULES: dict[str, tuple[Cells, Cells | None]] = {
    "interview_id.required": ({}, {INTERVIEW_ID: ""}),
    "interview_id.unique": ({}, None),
    "interview_id.max_length": ({INTERVIEW_ID: "i" * 80}, {INTERVIEW_ID: "j" * 81}),
    "child_id.required": ({}, {"child_id": ""}),
    "child_id.pattern": ({"child_id": CHILD[::-1]}, {"child_id": CHILD[:-1]}),
    "pseudonym_scope.required": ({}, {"pseudonym_scope": ""}),
    "pseudonym_scope.codes": ({"pseudonym_scope": "borough"}, {"pseudonym_scope": "Regional"}),
    "episode_ids.required": ({}, {"episode_ids": ""}),
    "episode_ids.pattern": ({"episode_ids": "EP-1"}, {"episode_ids": "EP-1;;EP-2"}),
    "episode_ids.max_length": ({"episode_ids": "e" * 2000}, {"episode_ids": "e" * 2001}),
    "offered.required": ({}, {"offered": ""}),
    "offered.codes": ({"offered": "not_applicable"}, {"offered": "NA"}),
    "offered_at.type": ({"offered_at": ""}, {"offered_at": "2025-11-31"}),
    "accepted.codes": ({"accepted": "unknown"}, {"accepted": "Y"}),
    "declined_reason.codes": ({"declined_reason": "missing_again"}, {"declined_reason": "rude"}),
    "held_at.type": ({"held_at": ""}, {"held_at": "6 Nov"}),
    "held_after_received": ({"held_at": "2026-04-20"}, {"held_at": "2026-04-21"}),
    "held_before_offered": ({"held_at": "2025-11-04"}, {"held_at": "2025-11-03"}),
    "interviewer.codes": ({"interviewer": "commissioned"}, {"interviewer": "friend"}),
    "child_account_recorded.codes": ({"child_account_recorded": "no"}, {"child_account_recorded": "partly"}),
    "push_factors.pattern": ({"push_factors": "a_b"}, {"push_factors": "a_b;"}),
    "push_factors.max_length": ({"push_factors": "a" * 400}, {"push_factors": "a" * 401}),
    "pull_factors.pattern": ({"pull_factors": "a;b;c"}, {"pull_factors": "a, b"}),
    "pull_factors.max_length": ({"pull_factors": "a" * 400}, {"pull_factors": "a" * 401}),
    "harms_disclosed.pattern": ({"harms_disclosed": ""}, {"harms_disclosed": "Harm"}),
    "harms_disclosed.max_length": ({"harms_disclosed": "a" * 400}, {"harms_disclosed": "a" * 401}),
    "actions.pattern": ({"actions": "referral"}, {"actions": "see file 3"}),
    "actions.max_length": ({"actions": "a" * 400}, {"actions": "a" * 401}),
    "shared_with_police_at.type": ({"shared_with_police_at": "2025-11-07"}, {"shared_with_police_at": "no"}),
    "extracted_at.type": ({"extracted_at": ""}, {"extracted_at": "now"}),
}


def _full_id(dataset: str, short: str) -> str:
    return short if short.startswith("ssda903.") else f"{dataset}.{short}"


CASES = {
    _full_id(dataset, short): (dataset, passing, failing)
    for dataset, table in zip(DATASETS, (EPISODE_RULES, INTERVIEW_RULES), strict=True)
    for short, (passing, failing) in table.items()
}
Verdicts = dict[tuple[str, bool], list[tuple[str, str]]]


def _rows(dataset: str) -> list[tuple[tuple[str, bool], dict[str, str]]]:
    """The passing and failing rows of a dataset's rules, each with an id of its own unless the case changes it."""
    key = load_contracts()[dataset].primary_key
    rows = []
    for rule_id, (of, passing, failing) in CASES.items():
        if of != dataset:
            continue
        for fails, change in ((False, passing), (True, failing)):
            cells = row_of(dataset, **({key: f"{rule_id}/{fails}"} | dict(change or {})))
            rows.append(((rule_id, fails), cells))
            if change is None:
                rows.append(((rule_id, fails), cells | {"extracted_at": "2026-04-02"}))
    return rows


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    """Rules and severities found on each case's rows, from one run over both datasets."""
    cases = {dataset: _rows(dataset) for dataset in DATASETS}
    files = [examined(csv_rows([cells for _, cells in rows]), dataset) for dataset, rows in cases.items()]
    found: Verdicts = {case: [] for rows in cases.values() for case, _ in rows}
    for row in judge(files).iter_rows(named=True):
        case, _ = cases[row["delivery_id"]][row["row_number"] - 2]
        found[case].append((row["rule_id"], row["severity"]))
    return found


def test_every_rule_of_both_contracts_has_a_passing_and_a_failing_row() -> None:
    rules = {rule.rule_id: rule.dataset for name in DATASETS for rule in contract_rules(load_contracts()[name])}
    assert {rule_id: dataset for rule_id, (dataset, _, _) in CASES.items()} == rules


@pytest.mark.parametrize("rule_id", CASES)
def test_rule_fires_alone_on_its_failing_row_and_not_on_its_passing_row(verdicts: Verdicts, rule_id: str) -> None:
    rows = 2 if CASES[rule_id][2] is None else 1
    assert verdicts[rule_id, False] == []
    assert verdicts[rule_id, True] == [(rule_id, rules_by_id()[rule_id].severity)] * rows
