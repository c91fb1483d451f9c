"""What a contract states is what is run: nothing dropped, nothing doubled, and everything generated agrees with it.

Constraints are counted here in the raw YAML, without the code under test.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from pipelines.contracts import suite
from pipelines.contracts.contract import Contract, ContractError, load_contract, load_contracts
from pipelines.contracts.dictionary import data_dictionary
from pipelines.contracts.rules import contract_rules
from pipelines.contracts.schema import accepted_schema, create_table
from pipelines.home import CONTRACTS
from pipelines.warehouse.connection import register_frame
from tests.intake_data import DATASETS

TYPED = ("timestamp", "date", "integer", "number")
# What a property may say; a constraint of a new kind must be looked at here as well.
KNOWN_KEYS = {
    "name", "businessName", "description", "logicalType", "required", "unique", "primaryKey", "primaryKeyPosition",
    "criticalDataElement", "classification", "logicalTypeOptions", "quality",
}  # fmt: skip
# interface.md, "Landing": the canonical headers, and those in bold there.
HEADERS = {
    "missing_episode": """episode_id child_id pseudonym_scope status started_at reported_at found_at returned_at
        age_at_start sex ethnicity sen_or_disability looked_after responsible_authority area_missing_from
        missing_from_setting setting_id placement_distance_miles risk_initial risk_highest reported_by found_by
        cse_flag_date cce_flag_date cse_flag cce_flag harm prevention_interview_at police_reference source_system
        extracted_at""",
    "return_interview": """interview_id child_id pseudonym_scope episode_ids offered offered_at accepted
        declined_reason held_at interviewer child_account_recorded push_factors pull_factors harms_disclosed actions
        shared_with_police_at extracted_at""",
}
REQUIRED = {
    "missing_episode": """episode_id child_id pseudonym_scope status started_at age_at_start looked_after
        responsible_authority area_missing_from""",
    "return_interview": "interview_id child_id pseudonym_scope episode_ids offered",
}


def _raw(dataset: str) -> dict[str, Any]:
    text = (CONTRACTS / "deliveries" / f"{dataset}.odcs.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = yaml.safe_load(text)
    return raw


def _properties(raw: dict[str, Any]) -> list[dict[str, Any]]:
    properties: list[dict[str, Any]] = raw["schema"][0]["properties"]
    return properties


def _constraints(prop: dict[str, Any]) -> int:
    return (
        bool(prop.get("required"))
        + (prop["logicalType"] in TYPED)
        + bool(prop.get("unique"))
        + len(prop.get("logicalTypeOptions", {}))
        + len(prop.get("quality", []))
    )


@pytest.fixture(params=DATASETS)
def contract(request: pytest.FixtureRequest) -> Contract:
    """Each contract in turn."""
    return load_contracts()[str(request.param)]


def test_contract_has_the_headers_of_the_interface(contract: Contract) -> None:
    assert list(contract.columns) == HEADERS[contract.dataset].split()
    assert list(contract.required) == REQUIRED[contract.dataset].split()
    assert contract.primary_key == contract.columns[0]
    assert contract.expected_day == 20


def test_properties_say_nothing_that_is_not_counted_here(contract: Contract) -> None:
    raw = _raw(contract.dataset)
    assert {key for prop in _properties(raw) for key in prop} <= KNOWN_KEYS
    assert "quality" not in raw["schema"][0]


def test_every_constraint_is_one_rule_of_its_column(contract: Contract) -> None:
    stated = {prop["name"]: _constraints(prop) for prop in _properties(_raw(contract.dataset))}
    made = Counter(rule.column for rule in contract_rules(contract))
    assert made == Counter(stated)
    assert made.total() >= 30


def test_every_rule_is_one_expectation_of_the_suite(contract: Contract) -> None:
    import great_expectations as gx

    stated = sum(_constraints(prop) for prop in _properties(_raw(contract.dataset)))
    rules = contract_rules(contract)
    made = gx.ExpectationSuite(name="counted", expectations=[suite.build_expectation(rule) for rule in rules])
    ids = [expectation.meta["rule_id"] for expectation in made.expectations]
    assert len(ids) == stated
    assert sorted(ids) == sorted(rule.rule_id for rule in rules)


def test_expectations_carry_the_severity_and_the_arguments_of_the_contract() -> None:
    rules = {rule.rule_id: rule for rule in contract_rules(load_contracts()["missing_episode"])}
    age = suite.build_expectation(rules["missing_episode.age_at_start.maximum"])
    assert (age.max_value, age.min_value, age.severity.value) == (17, None, "critical")
    end = suite.build_expectation(rules["ssda903.567"])
    assert (end.column_A, end.column_B, end.or_equal) == ("found_at.latest", "started_at.earliest", True)
    sex = suite.build_expectation(rules["missing_episode.sex.codes"])
    assert (sex.value_set, sex.severity.value) == (["female", "male", "other", "unknown"], "warning")


def test_rule_ids_are_distinct_over_all_contracts_and_messages_are_sentences() -> None:
    rules = [rule for contract in load_contracts().values() for rule in contract_rules(contract)]
    assert len({rule.rule_id for rule in rules}) == len(rules)
    assert all(rule.message.endswith(".") and rule.message[0].isupper() for rule in rules)


Change = Callable[[dict[str, Any]], object]
QUALITY = {"type": "library", "metric": "invalidValues", "mustBe": 0, "severity": "critical"}
CUSTOM = {"name": "a.b", "type": "custom", "engine": "greatExpectations", "severity": "critical", "description": "No."}


def _quality(**given: Any) -> Change:
    return lambda prop: prop.__setitem__("quality", [given])


UNRUNNABLE: dict[str, Change] = {
    "SQL rule": _quality(type="sql", query="select 1", mustBe=0, severity="critical"),
    "text rule": _quality(type="text", description="be good", severity="critical"),
    "other metric": _quality(**QUALITY | {"metric": "nullValues"}),
    "tolerance": _quality(**QUALITY | {"mustBe": 5, "arguments": {"validValues": ["a"]}}),
    "other engine": _quality(**CUSTOM | {"engine": "soda", "implementation": {"type": "x", "kwargs": {}}}),
    "no implementation": _quality(**CUSTOM),
    "no name": _quality(**CUSTOM | {"name": None, "implementation": {"type": "x", "kwargs": {}}}),
    "unknown severity": _quality(**QUALITY | {"severity": "error", "arguments": {"validValues": ["a"]}}),
    "unknown option": lambda prop: prop.__setitem__("logicalTypeOptions", {"minLength": 3}),
}


def _changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Contract:
    raw = _raw("missing_episode")
    change(raw)
    path = tmp_path / "changed.odcs.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_contract(path)


@pytest.mark.parametrize("change", UNRUNNABLE.values(), ids=UNRUNNABLE.keys())
def test_a_rule_that_no_engine_runs_is_an_error(tmp_path: Path, change: Change) -> None:
    changed = _changed(tmp_path, lambda raw: change(_properties(raw)[-2]))
    with pytest.raises(ContractError, match="source_system"):
        contract_rules(changed)


def test_a_rule_on_the_whole_table_is_an_error(tmp_path: Path) -> None:
    changed = _changed(tmp_path, lambda raw: raw["schema"][0].__setitem__("quality", [dict(QUALITY)]))
    with pytest.raises(ContractError, match="changed"):
        contract_rules(changed)


def test_a_rule_id_stated_twice_is_an_error(tmp_path: Path) -> None:
    def repeat(raw: dict[str, Any]) -> None:
        (prop,) = (prop for prop in _properties(raw) if prop["name"] == "found_at")
        prop["quality"] *= 2

    with pytest.raises(ContractError, match=r"ssda903\.567"):
        contract_rules(_changed(tmp_path, repeat))


def test_a_contract_holds_one_named_object_and_says_when_it_is_due(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="exactly one"):
        _changed(tmp_path, lambda raw: raw["schema"].append(raw["schema"][0]))
    with pytest.raises(ContractError, match="latency"):
        _ = _changed(tmp_path, lambda raw: raw.pop("slaProperties")).expected_day


@pytest.fixture
def one_row() -> Any:
    """A pandas frame with a single column and row."""
    import pandas as pd

    return pd.DataFrame({"sex": ["female"]})


def _result(rule_id: str, *, raised: bool) -> SimpleNamespace:
    return SimpleNamespace(
        expectation_config=SimpleNamespace(meta={"rule_id": rule_id}),
        exception_info={"raised_exception": raised},
        success=not raised,
        result={},
    )


@pytest.mark.parametrize(
    ("results", "says"),
    [([], "1 rules went in and 0 results"), ([_result("some.rule", raised=True)], r"could not run: some\.rule")],
)
def test_rows_are_not_accepted_on_rules_that_did_not_run(
    monkeypatch: pytest.MonkeyPatch, one_row: Any, results: list[SimpleNamespace], says: str
) -> None:
    rules = [rule for rule in contract_rules(load_contracts()["missing_episode"]) if rule.column == "sex"]
    assert len(rules) == 1
    monkeypatch.setattr(suite, "_validate", lambda *_: results)
    with pytest.raises(suite.ValidationFailedToRunError, match=says):
        suite.run_rules(one_row, rules)


def test_a_rule_on_a_column_that_is_not_there_fails_closed(one_row: Any) -> None:
    rules = [rule for rule in contract_rules(load_contracts()["missing_episode"]) if rule.kind == "codes"]
    with pytest.raises(suite.ValidationFailedToRunError, match=r"missing_episode\.status\.codes"):
        suite.run_rules(one_row, rules)


def test_accepted_schema_follows_the_contract(contract: Contract) -> None:
    kinds = {"string": pl.String, "integer": pl.Int64, "number": pl.Float64}
    expected: list[tuple[str, Any]] = [
        ("delivery_id", pl.String), ("borough", pl.String), ("source", pl.String), ("row_number", pl.Int64)
    ]  # fmt: skip
    for prop in _properties(_raw(contract.dataset)):
        if prop["logicalType"] in {"timestamp", "date"}:
            expected += [(prop["name"], pl.Datetime("us")), (f"{prop['name']}_precision", pl.String)]
        else:
            expected.append((prop["name"], kinds[prop["logicalType"]]))
    assert list(accepted_schema(contract).items()) == expected


def test_the_table_in_duckdb_takes_a_frame_of_the_schema_as_it_is(contract: Contract) -> None:
    with duckdb.connect() as connection:
        connection.execute(create_table(contract, "made"))
        frame = pl.DataFrame(schema=accepted_schema(contract))
        columns = connection.execute("select column_name, data_type from duckdb_columns() where table_name = 'made'")
        made = columns.fetchall()
        register_frame(connection, "empty_frame", frame)
        described = connection.execute("describe from empty_frame").fetchall()
    assert made == [(name, kind) for name, kind, *_ in described]


def test_dictionary_has_an_entry_a_column_and_every_rule_once(contract: Contract) -> None:
    entries = data_dictionary(contract)
    properties = _properties(_raw(contract.dataset))
    assert [entry.column for entry in entries] == [prop["name"] for prop in properties]
    assert [rule for entry in entries for rule in entry.rules] == list(contract_rules(contract))
    for entry, prop in zip(entries, properties, strict=True):
        lists = [tuple(rule["arguments"]["validValues"]) for rule in prop.get("quality", []) if "arguments" in rule]
        assert entry.codes == (lists[0] if lists else ())
        assert entry.required == prop.get("required", False)
        assert entry.title == prop["businessName"]
        assert entry.description == prop["description"].strip()
    stamps = {e.column for e in entries if e.type == "date and time, or date"}
    assert stamps == {prop["name"] for prop in properties if prop["logicalType"] == "timestamp"}
