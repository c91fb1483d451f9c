"""What a contract states is what is run: nothing dropped, nothing doubled, and everything generated agrees with it.

Constraints are counted here in the raw YAML, without the code under test.
"""

import shutil
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
from pipelines.contracts.catalogue import all_rules, cross_file_rules, delivery_rules, dfe_codes, needs
from pipelines.contracts.contract import Contract, ContractError, load_contract, load_contracts
from pipelines.contracts.dictionary import data_dictionary
from pipelines.contracts.rules import WITHIN_DELIVERY, contract_rules
from pipelines.contracts.schema import accepted_schema, create_table
from pipelines.home import CONTRACTS, SQL
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
    "placement": """placement_id child_id pseudonym_scope started_on ended_on reason_started reason_ended age_at_end
        source_system extracted_at""",
    "return_interview": """interview_id child_id pseudonym_scope episode_ids offered offered_at accepted
        declined_reason held_at interviewer child_account_recorded push_factors pull_factors harms_disclosed actions
        shared_with_police_at extracted_at""",
}
REQUIRED = {
    "missing_episode": """episode_id child_id pseudonym_scope status started_at age_at_start looked_after
        responsible_authority area_missing_from""",
    "placement": "placement_id child_id pseudonym_scope started_on",
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
    assert made.total() >= 20


def test_every_rule_on_single_rows_is_one_expectation_of_the_suite(contract: Contract) -> None:
    import great_expectations as gx

    properties = _properties(_raw(contract.dataset))
    compared = sum(rule.get("engine") == "duckdb" for prop in properties for rule in prop.get("quality", []))
    stated = sum(_constraints(prop) for prop in properties) - compared
    rules = [rule for rule in contract_rules(contract) if rule.is_expectation]
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
    rules = all_rules()
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
    "SQL in no folder that is run": _quality(**CUSTOM | {"engine": "duckdb", "implementation": {"file": "core/x.sql"}}),
    "neither expectation nor SQL": _quality(**CUSTOM | {"implementation": {"type": "x"}}),
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


ONE_ROW = pl.DataFrame({"sex": ["female"]})


def _result(rule_id: str, *, raised: bool) -> SimpleNamespace:
    return SimpleNamespace(
        expectation_config=SimpleNamespace(meta={"rule_id": rule_id}),
        exception_info={"raised_exception": raised},
        success=not raised,
        result={},
    )


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ([], "1 rules went in and 0 results"),
        ([_result("missing_episode.sex.codes", raised=True)], r"could not run: missing_episode\.sex\.codes"),
    ],
)
def test_rows_are_not_accepted_on_rules_that_did_not_run(
    monkeypatch: pytest.MonkeyPatch, results: list[SimpleNamespace], says: str
) -> None:
    rules = [
        rule for rule in contract_rules(load_contracts()["missing_episode"]) if rule.rule_id.endswith(".sex.codes")
    ]
    assert len(rules) == 1
    monkeypatch.setattr(suite, "_validate", lambda *_: results)
    with pytest.raises(suite.ValidationFailedToRunError, match=says):
        suite.run_rules(ONE_ROW, rules)


def test_a_rule_on_a_column_that_is_not_there_fails_closed() -> None:
    rules = [rule for rule in contract_rules(load_contracts()["missing_episode"]) if rule.kind == "codes"]
    with pytest.raises(suite.ValidationFailedToRunError, match=r"missing_episode\.status\.codes"):
        suite.run_rules(ONE_ROW, rules)


def test_accepted_schema_follows_the_contract(contract: Contract) -> None:
    kinds = {"string": pl.String, "integer": pl.Int64, "number": pl.Float64}
    expected: list[tuple[str, Any]] = [
        ("delivery_id", pl.String), ("borough", pl.String), ("source", pl.String),
        ("source_version", pl.String), ("row_number", pl.Int64),
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
    of_dataset = [rule for rule in all_rules() if rule.dataset == contract.dataset]
    assert sorted(rule.rule_id for entry in entries for rule in entry.rules) == sorted(
        rule.rule_id for rule in of_dataset
    )
    for entry, prop in zip(entries, properties, strict=True):
        lists = [tuple(rule["arguments"]["validValues"]) for rule in prop.get("quality", []) if "arguments" in rule]
        assert entry.codes == (lists[0] if lists else ())
        assert entry.required == prop.get("required", False)
        assert entry.title == prop["businessName"]
        assert entry.description == prop["description"].strip()
    stamps = {e.column for e in entries if e.type == "date and time, or date"}
    assert stamps == {prop["name"] for prop in properties if prop["logicalType"] == "timestamp"}


def _ssda903() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((CONTRACTS / "rules" / "ssda903.yaml").read_text(encoding="utf-8"))
    return raw


def test_the_sixteen_codes_of_the_missing_module_are_all_there() -> None:
    codes = "564 565 566 567 570 571 574 575 576 577 578 580 581 586 1004 1005"
    assert " ".join(code.code for code in dfe_codes()) == codes
    known = {rule.rule_id for rule in all_rules()}
    for code in dfe_codes():
        assert code.rule_ids[0] == f"ssda903.{code.code}"
        assert set(code.rule_ids) <= known


def test_every_rule_of_the_return_is_one_rule() -> None:
    stated = [rule["id"] for code in _ssda903()["codes"] for rule in code.get("rules", [])]
    of_contracts = {rule.rule_id for contract in load_contracts().values() for rule in contract_rules(contract)}
    assert sorted(stated) == sorted(rule.rule_id for rule in all_rules() if rule.rule_id not in of_contracts)


def test_a_rule_stands_for_rules_of_its_dataset_that_do_not_weigh_more() -> None:
    rules = {rule.rule_id: rule for rule in all_rules()}
    stands = [(rule, rules[other]) for rule in rules.values() for other in rule.stands_for]
    assert len(stands) >= 7
    for rule, other in stands:
        assert (rule.dataset, rule.severity) == (other.dataset, other.severity)


def test_every_file_of_sql_is_one_rule_and_says_which() -> None:
    rules = {rule.arguments["file"]: rule.rule_id for rule in all_rules() if rule.kind == WITHIN_DELIVERY}
    files = sorted(path.relative_to(SQL).as_posix() for path in (SQL / "rules").glob("*.sql"))
    assert sorted(rules) == files
    for file, rule_id in rules.items():
        lines = (SQL / file).read_text(encoding="utf-8").splitlines()
        assert lines[0] == f"-- {rule_id}"
        assert lines[1].startswith("-- Fails: ")


def test_every_rule_across_deliveries_is_a_table_of_its_own() -> None:
    verdict = (SQL / "quality" / "cross_file_verdict.sql").read_text(encoding="utf-8")
    for rule in cross_file_rules():
        path = SQL / rule.arguments["file"]
        assert f"'{rule.rule_id}' as rule_id" in path.read_text(encoding="utf-8")
        assert f"from quality.{path.stem}\n" in verdict
    assert verdict.count("from quality.") == len(cross_file_rules())


def test_what_rules_need_is_found_by_sql() -> None:
    across = (SQL / "quality" / "cross_file_need.sql").read_text(encoding="utf-8")
    for need in needs().values():
        if need.file:
            assert (SQL / need.file).read_text(encoding="utf-8").startswith(f"-- {need.need_id}\n")
        else:
            assert f"'{need.need_id}' as need_id" in across
    assert {need for rule in all_rules() for need in rule.needs} == needs().keys()


def test_rules_of_a_layout_are_for_that_layout_only() -> None:
    contract = load_contracts()["missing_episode"]
    general = {rule.rule_id for rule in delivery_rules(contract, "canonical")}
    of_return = {rule.rule_id: rule.source for rule in delivery_rules(contract, "ssda903_missing")}
    assert general < of_return.keys()
    assert {of_return[rule_id] for rule_id in of_return.keys() - general} == {"ssda903_missing"}


BROKEN_CODES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an id stated twice": (lambda rule: rule.update(id="ssda903.565"), r"stated twice: ssda903\.565"),
    "stands for nothing known": (
        lambda rule: rule.update(stands_for=["missing_episode.x"]),
        r"not stated: missing_episode\.x",
    ),
    "an unknown severity": (lambda rule: rule.update(severity="error"), r"ssda903\.564: severity"),
    "an unknown need": (
        lambda rule: rule.update(implementation={"file": "quality/ssda903_575.sql", "needs": ["luck"]}),
        "not stated: luck",
    ),
}


@pytest.mark.parametrize("name", BROKEN_CODES)
def test_a_code_that_cannot_be_run_is_an_error(tmp_path: Path, name: str) -> None:
    change, says = BROKEN_CODES[name]
    shutil.copytree(CONTRACTS / "deliveries", tmp_path / "deliveries")
    raw = _ssda903()
    change(raw["codes"][0]["rules"][0])
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ssda903.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ContractError, match=says):
        all_rules(tmp_path)
