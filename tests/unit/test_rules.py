"""Each rule that a delivery is judged by, on rows it lets through and on rows that it, and nothing else, objects to.

All rows of a dataset are judged in one run; each case is about a child of its own. The coverage test fails when a rule
is added without its two cases. Rules that compare deliveries are in `test_cross_file_rules`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from pipelines.contracts.catalogue import all_rules
from pipelines.contracts.contract import load_contracts
from pipelines.contracts.rules import ACROSS_DELIVERIES
from pipelines.intake.judge import judge, rules_by_id
from tests.intake_data import CHILD, DATASETS, csv_rows, examined, row_of

Cells = Mapping[str, str]
EPISODE_ID, INTERVIEW_ID, PLACEMENT_ID = "episode_id", "interview_id", "placement_id"
NOT_HELD = {"held_at": "", "interviewer": "", "child_account_recorded": "", "shared_with_police_at": ""}
ONLY_STARTED = {"found_at": "", "returned_at": "", "reported_at": "", "prevention_interview_at": ""}
_LATER = ONLY_STARTED | {"started_at": "2025-11-10", "found_at": "2025-11-10"}
_LATEST = ONLY_STARTED | {"started_at": "2025-11-20", "found_at": "2025-11-20"}

# rule id -> what changes in the valid row so that the rule is satisfied, just; and so that it is broken.
# A case of None means that two rows share the column. Where rows are compared, a case is several rows of one child, of
# which those with `FAILS` fail.
FAILS: Cells = {"police_reference": "fails"}
Case = tuple[Cells | Sequence[Cells], Cells | Sequence[Cells] | None]
EPISODE_RULES: dict[str, Case] = {
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
    "started_at.type": (
        ONLY_STARTED | {"started_at": "2024-02-29", "found_at": "2024-03-01"},
        {"started_at": "2023-02-29"},
    ),
    "started_at.year": (
        ONLY_STARTED | {"started_at": "2000-01-01", "found_at": "2000-01-02"},
        ONLY_STARTED | {"started_at": "1999-12-31", "found_at": "2000-01-02"},
    ),
    "ssda903.574": (
        [
            {"started_at": "2025-11-03T20:15", "found_at": "2025-11-04T01:30"},
            ONLY_STARTED | {"started_at": "2025-11-04T01:30", "found_at": "2025-11-05"},
            ONLY_STARTED | {"started_at": "2025-11-05", "found_at": "2025-11-06"},
        ],
        [
            {"started_at": "2025-11-03T20:15", "found_at": "2025-11-04T01:30"},
            ONLY_STARTED | {"started_at": "2025-11-04T01:29", "found_at": "2025-11-05"} | FAILS,
        ],
    ),
    "open_long": (
        ONLY_STARTED | {"started_at": "2026-03-23T13:00"},
        ONLY_STARTED | {"started_at": "2026-03-23T12:59"},
    ),
    "ssda903.570": (
        ONLY_STARTED | {"started_at": "2026-04-20T13:00"},  # received at 12:00 UTC, 13:00 by the clock
        ONLY_STARTED | {"started_at": "2026-04-20T13:01"},
    ),
    "reported_at.type": ({"reported_at": ""}, {"reported_at": "yesterday"}),
    "reported_before_started": ({"reported_at": "2025-11-03T20:15"}, {"reported_at": "2025-11-03T20:14"}),
    "reported_after_received": ({"reported_at": "2026-04-20T13:00"}, {"reported_at": "2026-04-20T13:01"}),
    "found_at.type": ({"found_at": ""}, {"found_at": "2025-11-04T25:00"}),
    "ssda903.567": (
        {"found_at": "2025-11-03"},  # the day of the start: may be after it
        {"found_at": "2025-11-02"},
    ),
    "ssda903.571": (
        {"found_at": "2026-04-20T13:00", "returned_at": ""},
        {"found_at": "2026-04-20T13:01", "returned_at": ""},
    ),
    "longer_than_a_year": (
        ONLY_STARTED | {"started_at": "2025-04-01T10:00", "found_at": "2026-04-01T10:00"},
        ONLY_STARTED | {"started_at": "2025-04-01T10:00", "returned_at": "2026-04-01T10:01"},
    ),
    "returned_at.type": ({"returned_at": ""}, {"returned_at": "11/25/2025"}),
    "ssda903.571.returned": (
        {"found_at": "", "returned_at": "2026-04-20"},
        {"found_at": "", "returned_at": "2026-04-21"},
    ),
    "ssda903.567.returned": (
        {"found_at": "", "returned_at": "2025-11-03T20:15"},
        {"found_at": "", "returned_at": "2025-11-03T20:14"},
    ),
    "returned_before_found": ({"returned_at": "2025-11-04T01:30"}, {"returned_at": "2025-11-04T01:29"}),
    "age_at_start.required": ({}, {"age_at_start": ""}),
    "age_at_start.type": ({"age_at_start": "9.0"}, {"age_at_start": "9.5"}),
    "age_at_start.minimum": ({"age_at_start": "0"}, {"age_at_start": "-1"}),
    "age_at_start.maximum": ({"age_at_start": "17"}, {"age_at_start": "18"}),
    "age_inconsistent": (
        [
            {"age_at_start": "14"},
            ONLY_STARTED | {"started_at": "2024-11-04", "found_at": "2024-11-04", "age_at_start": "14"},
        ],
        [
            {"age_at_start": "14"} | FAILS,
            ONLY_STARTED | {"started_at": "2024-11-02", "found_at": "2024-11-02", "age_at_start": "14"} | FAILS,
        ],
    ),
    "two_sexes": (
        [{"sex": "male"}, _LATER | {"sex": "unknown"}, _LATEST | {"sex": ""}],
        [{"sex": "male"} | FAILS, _LATER | {"sex": "unknown"}, _LATEST | {"sex": "female"} | FAILS],
    ),
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
    "cce_flag.codes": ({"cce_flag": "yes"}, {"cce_flag": "NO"}),
    "harm.codes": ({"harm": "yes"}, {"harm": "some"}),
    "cse_flag_dated_but_no": ({"cse_flag": "no", "cse_flag_date": ""}, {"cse_flag": "no"}),
    "cce_flag_dated_but_no": ({"cce_flag": "unknown"}, {"cce_flag": "no"}),
    "prevention_interview_before_started": (
        {"prevention_interview_at": "2025-11-03"},
        {"prevention_interview_at": "2025-11-02"},
    ),
    "prevention_interview_at.type": ({"prevention_interview_at": "2025-11-05"}, {"prevention_interview_at": "soon"}),
    "police_reference.max_length": ({"police_reference": "p" * 40}, {"police_reference": "p" * 41}),
    "source_system.max_length": ({"source_system": "s" * 40}, {"source_system": "s" * 41}),
    "extracted_at.type": ({"extracted_at": "2026-04-01 06:00"}, {"extracted_at": "20260401"}),
    "extracted_after_received": ({"extracted_at": "2026-04-20T13:00"}, {"extracted_at": "2026-04-20T13:01"}),
}
INTERVIEW_RULES: dict[str, Case] = {
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
    "offered_after_received": (
        NOT_HELD | {"offered_at": "2026-04-20T13:00"},
        NOT_HELD | {"offered_at": "2026-04-20T13:01"},
    ),
    "accepted.codes": ({"accepted": "unknown"}, {"accepted": "Y"}),
    "accepted_but_not_offered": (
        NOT_HELD | {"offered": "no", "accepted": "no"},
        NOT_HELD | {"offered": "no", "accepted": "yes"},
    ),
    "declined_reason.codes": (
        NOT_HELD | {"declined_reason": "missing_again"},
        NOT_HELD | {"declined_reason": "rude"},
    ),
    "declined_but_held": ({"declined_reason": "unknown"}, {"declined_reason": "other"}),
    "held_at.type": (NOT_HELD, {"held_at": "6 Nov"}),
    "held_after_received": (
        {"held_at": "2026-04-20", "shared_with_police_at": ""},
        {"held_at": "2026-04-21", "shared_with_police_at": ""},
    ),
    "held_but_not_offered": (
        {"offered": "not_applicable", "accepted": "unknown"},
        {"offered": "no", "accepted": "unknown"},
    ),
    "held_but_not_accepted": ({"accepted": "not_applicable"}, {"accepted": "no"}),
    "held_before_offered": ({"held_at": "2025-11-04"}, {"held_at": "2025-11-03"}),
    "interviewer.codes": ({"interviewer": "commissioned"}, {"interviewer": "friend"}),
    "interviewer_without_date": (
        NOT_HELD | {"interviewer": "unknown"},
        NOT_HELD | {"interviewer": "commissioned"},
    ),
    "account_without_date": (
        NOT_HELD | {"child_account_recorded": "no"},
        NOT_HELD | {"child_account_recorded": "yes"},
    ),
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
    "shared_before_held": ({"shared_with_police_at": "2025-11-06"}, {"shared_with_police_at": "2025-11-05"}),
    "extracted_at.type": ({"extracted_at": ""}, {"extracted_at": "now"}),
    "extracted_after_received": ({"extracted_at": "2026-04-20T13:00"}, {"extracted_at": "2026-04-20T13:01"}),
}
PLACEMENT_RULES: dict[str, Case] = {
    "placement_id.required": ({}, {PLACEMENT_ID: ""}),
    "placement_id.unique": ({}, None),
    "placement_id.max_length": ({PLACEMENT_ID: "p" * 80}, {PLACEMENT_ID: "q" * 81}),
    "child_id.required": ({}, {"child_id": ""}),
    "child_id.pattern": ({"child_id": "0" * 64}, {"child_id": "0" * 63}),
    "pseudonym_scope.required": ({}, {"pseudonym_scope": ""}),
    "pseudonym_scope.codes": ({"pseudonym_scope": "borough"}, {"pseudonym_scope": "local"}),
    "started_on.required": ({}, {"started_on": ""}),
    "started_on.type": ({"started_on": "2024-02-29"}, {"started_on": "2023-02-29"}),
    "started_after_received": (
        {"started_on": "2026-04-20", "ended_on": "", "reason_ended": ""},
        {"started_on": "2026-04-21", "ended_on": "", "reason_ended": ""},
    ),
    "ended_on.type": ({"ended_on": "", "reason_ended": ""}, {"ended_on": "2025-02-30"}),
    "ended_before_started": ({"ended_on": "2024-06-01"}, {"ended_on": "2024-05-31"}),
    "ended_after_received": ({"ended_on": "2026-04-20"}, {"ended_on": "2026-04-21"}),
    "reason_started.codes": ({"reason_started": "U"}, {"reason_started": "X"}),
    "reason_ended.codes": ({"reason_ended": "X1"}, {"reason_ended": "E1"}),
    "reason_without_end": ({"ended_on": "", "reason_ended": ""}, {"ended_on": ""}),
    "end_without_reason": ({"ended_on": "", "reason_ended": ""}, {"reason_ended": ""}),
    "age_at_end.type": ({"age_at_end": ""}, {"age_at_end": "18.5"}),
    "age_at_end.minimum": ({"age_at_end": "0"}, {"age_at_end": "-1"}),
    "age_at_end.maximum": ({"age_at_end": "25"}, {"age_at_end": "26"}),
    "source_system.max_length": ({"source_system": "s" * 40}, {"source_system": "s" * 41}),
    "extracted_at.type": ({"extracted_at": ""}, {"extracted_at": "now"}),
    "extracted_after_received": ({"extracted_at": "2026-04-20T13:00"}, {"extracted_at": "2026-04-20T13:01"}),
}


# The SSDA903 return's own rules, on its own cells: CHILD, MISSING, MIS_START, MIS_END, AGE_AT_START.
RETURN: Cells = {"MISSING": "M", "MIS_START": "03/11/2025", "MIS_END": "04/11/2025", "AGE_AT_START": "14"}
RETURN_RULES: dict[str, Case] = {
    "ssda903.564": ({"MISSING": "A"}, {"MIS_START": ""}),
    "ssda903.565": ({"MISSING": "m"}, {"MISSING": "", "MIS_END": ""}),
    "ssda903.586": ({"AGE_AT_START": "0"}, {"AGE_AT_START": "-1"}),
    "ssda903.1004": ({"MIS_START": "30/11/2025", "MIS_END": "30/11/2025"}, {"MIS_START": "31/11/2025"}),
    "ssda903.1005": ({"MIS_END": "30/11/2025"}, {"MIS_END": "31/11/2025"}),
    "ssda903.570.collection_year": (
        {"MIS_START": "31/03/2026", "MIS_END": ""},
        {"MIS_START": "01/04/2026", "MIS_END": ""},
    ),
    "ssda903.571.collection_year": ({"MIS_END": "31/03/2026"}, {"MIS_START": "30/03/2026", "MIS_END": "01/04/2026"}),
}


def _full_id(dataset: str, short: str) -> str:
    return short if short.startswith("ssda903.") else f"{dataset}.{short}"


@dataclass(frozen=True)
class Example:
    """Rows of one child, and those of them that a rule objects to."""

    rows: Sequence[Cells]
    failing: tuple[int, ...]


def _example(dataset: str, name: str, change: Cells | Sequence[Cells] | None, *, fails: bool) -> Example:
    key = load_contracts()[dataset].primary_key
    child = hashlib.sha256(name.encode()).hexdigest()
    changes = (
        [{}, {"extracted_at": "2026-04-02"}] if change is None else [change] if isinstance(change, Mapping) else change
    )
    rows = [row_of(dataset, **{key: f"{name}/{n}", "child_id": child} | cells) for n, cells in enumerate(changes)]
    if change is None:
        rows = [row | {key: name} for row in rows]
    if isinstance(change, Sequence):
        return Example(rows, tuple(n for n, cells in enumerate(changes) if fails and FAILS.items() <= cells.items()))
    return Example(rows, tuple(range(len(rows))) if fails else ())


TABLES = {"missing_episode": EPISODE_RULES, "placement": PLACEMENT_RULES, "return_interview": INTERVIEW_RULES}
EXAMPLES = {
    dataset: {
        (_full_id(dataset, short), fails): _example(dataset, f"{short}/{fails}", change, fails=fails)
        for short, case in table.items()
        for fails, change in zip((False, True), case, strict=True)
    }
    for dataset, table in TABLES.items()
}
CASES = [rule_id for examples in EXAMPLES.values() for rule_id, fails in examples if fails]
Verdicts = dict[tuple[str, bool], list[list[tuple[str, str]]]]


def _judged(data: bytes, examples: Mapping[tuple[str, bool], Example], name: str) -> Verdicts:
    """Rules and severities found on each row of each example, from one run over all of them."""
    found: Verdicts = {case: [[] for _ in example.rows] for case, example in examples.items()}
    places = [(case, place) for case, example in examples.items() for place in range(len(example.rows))]
    for row in judge([examined(data, name)]).findings.iter_rows(named=True):
        case, place = places[row["row_number"] - 2]
        found[case][place].append((row["rule_id"], row["severity"]))
    return found


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    found: Verdicts = {}
    for dataset, examples in EXAMPLES.items():
        rows = [cells for example in examples.values() for cells in example.rows]
        found |= _judged(csv_rows(rows), examples, dataset)
    return found


def test_every_rule_that_a_delivery_is_judged_by_has_a_passing_and_a_failing_case() -> None:
    rules = {rule.rule_id for rule in all_rules() if rule.kind != ACROSS_DELIVERIES}
    assert {*CASES, *RETURN_RULES, "ssda903.566"} == rules
    assert set(TABLES) == set(DATASETS)


@pytest.mark.parametrize("rule_id", CASES)
def test_rule_fires_alone_on_its_failing_rows_and_not_on_its_passing_rows(verdicts: Verdicts, rule_id: str) -> None:
    examples = next(examples for examples in EXAMPLES.values() if (rule_id, True) in examples)
    severity = rules_by_id()[rule_id].severity
    for fails in (False, True):
        example = examples[rule_id, fails]
        expected = [[(rule_id, severity)] if n in example.failing else [] for n in range(len(example.rows))]
        assert verdicts[rule_id, fails] == expected


def _return_rows(change: Cells | Sequence[Cells] | None, name: str) -> Example:
    assert isinstance(change, Mapping)
    return Example([{"CHILD": hashlib.sha256(name.encode()).hexdigest()} | RETURN | change], (0,))


@pytest.fixture(scope="module")
def return_verdicts() -> Verdicts:
    examples = {
        (rule_id, fails): _return_rows(change, f"{rule_id}/{fails}")
        for rule_id, case in RETURN_RULES.items()
        for fails, change in zip((False, True), case, strict=True)
    }
    others = {(f"other {n}", False): _return_rows({}, f"other {n}") for n in range(20)}
    rows = [cells for example in (examples | others).values() for cells in example.rows]
    return _judged(csv_rows(rows), examples | others, "return")


@pytest.mark.parametrize("rule_id", RETURN_RULES)
def test_rule_of_the_return_fires_alone_in_the_place_of_the_general_one(
    return_verdicts: Verdicts, rule_id: str
) -> None:
    severity = rules_by_id()[rule_id].severity
    assert return_verdicts[rule_id, False] == [[]]
    assert return_verdicts[rule_id, True] == [[(rule_id, severity)]]


# What is in the cells MISSING, MIS_START and MIS_END -> what is found.
BLANKS = {
    ("M", "03/11/2025", "04/11/2025"): set(),
    ("M", "03/11/2025", ""): {"missing_episode.open_long"},
    ("M", "", "04/11/2025"): {"ssda903.564"},
    ("M", "", ""): {"ssda903.564"},
    ("", "03/11/2025", "04/11/2025"): {"ssda903.565", "ssda903.566"},
    ("", "03/11/2025", ""): {"ssda903.565"},
    ("", "", "04/11/2025"): {"ssda903.566", "missing_episode.started_at.required"},
    ("", "", ""): {"missing_episode.status.required", "missing_episode.started_at.required"},
    ("", "", "soon"): {"ssda903.566", "ssda903.1005", "missing_episode.started_at.required"},
    ("X", "3/13/2025", "soon"): {"missing_episode.status.codes", "ssda903.1004", "ssda903.1005"},
}


def test_564_to_566_are_right_for_every_combination_of_blanks() -> None:
    rows = [
        {"CHILD": f"{n:064x}", "MISSING": status, "MIS_START": start, "MIS_END": end, "AGE_AT_START": "14"}
        for n, (status, start, end) in enumerate(BLANKS)
    ]
    found: list[set[str]] = [set() for _ in rows]
    for row_number, rule_id in judge([examined(csv_rows(rows))]).findings.select("row_number", "rule_id").iter_rows():
        found[row_number - 2].add(rule_id)
    assert dict(zip(BLANKS, found, strict=True)) == BLANKS
