"""The file of indicators is read strictly: each way of writing it wrong is refused in a sentence that says where."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.indicators import indicator_frame, load_indicators, measure_frame
from pipelines.contracts.keys import ContractError
from pipelines.contracts.rules import contract_rules
from pipelines.home import CONTRACTS, SQL
from tests.builders.warehouse import small_warehouse

Stated = dict[str, Any]


def _set(indicator_id: str, **keys: object) -> Callable[[Stated], None]:
    def change(stated: Stated) -> None:
        next(one for one in stated["indicators"] if one["id"] == indicator_id).update(keys)

    return change


WRONG: dict[str, tuple[Callable[[Stated], None], str]] = {
    "a measure that is not stated": (_set("I01", numerator="incidence"), "numerator"),
    "a value that its breakdown lacks": (_set("I16", numerator="incidents[looked_after: often]"), "numerator"),
    "a share of nothing": (_set("I28", denominator=""), "denominator"),
    "a count of something else": (_set("I01", denominator="children"), "denominator"),
    "a population of people counted": (_set("I04", denominator="incidents[0-17]"), "denominator"),
    "a population without an age": (_set("I04", denominator="population"), "denominator"),
    "a numerator that is given": (_set("I04", numerator="population[0-17]"), "numerator"),
    "a basis that there is not": (_set("I01", bases=["C"]), "bases"),
    "no period": (_set("I01", periods=[]), "periods"),
    "a breakdown that there is not": (_set("I01", breakdowns=["shoe_size"]), "breakdowns"),
    "a breakdown of the year that there is not": (_set("I28", breakdowns_of_year=["shoe_size"]), "breakdowns_of_year"),
    "a breakdown of the year that is one already": (_set("I02", breakdowns_of_year=["sex"]), "breakdowns_of_year"),
    "a breakdown of the year without years": (
        _set("I25", periods=["quarter"], breakdowns_of_year=["sex"]),
        "breakdowns_of_year",
    ),
    "an unknown method": (_set("I01", method="guess"), "method"),
    "an unknown key": (_set("I01", colour="red"), "colour"),
    "a slice that there is not": (_set("I12", slice="top"), "slice"),
    "no version": (_set("I01", version=0), "version"),
    "one reading twice": (lambda stated: stated["indicators"].append(stated["indicators"][0]), "twice"),
    "a measure without words": (lambda stated: stated["measures"]["incidents"].pop("says"), "says"),
    "a measure of no family": (lambda stated: stated["measures"]["incidents"].update(family="x"), "family"),
    "a limit of nought": (lambda stated: stated["not_measurable"].update(partial_above=0), "partial_above"),
}


def test_the_file_has_the_35_indicators_and_nothing_that_none_uses() -> None:
    catalogue = load_indicators()
    assert {one.indicator_id for one in catalogue.indicators} == {f"I{number:02}" for number in range(1, 36)}
    used = {count.measure for one in catalogue.indicators for count in one.counts}
    assert set(catalogue.measures) == used
    divided = {one for each in catalogue.indicators for one in (*each.breakdowns, *each.breakdowns_of_year)}
    assert set(catalogue.breakdowns) == divided


def test_the_values_that_are_counted_are_those_of_the_file() -> None:
    with small_warehouse() as warehouse:
        warehouse.build("statistics.value")
        rows = warehouse.rows("select breakdown, breakdown_value, bit, mask from statistics.value order by bit")
    counted: dict[str, list[str]] = {}
    for row in rows:
        counted.setdefault(row["breakdown"], []).append(row["breakdown_value"])
    stated = load_indicators().breakdowns
    # These are not values that an episode has one of: worked out from two others, or counted of children or of fields.
    assert stated.keys() - counted.keys() == {"age_and_sex", "incident_band", "field"}
    assert counted == {name: list(stated[name]) for name in counted}
    assert [row["bit"] for row in rows] == [1 << place for place in range(len(rows))]
    assert all(row["bit"] & row["mask"] for row in rows)
    assert sum({row["breakdown"]: row["mask"] for row in rows}.values()) == (1 << len(rows)) - 1


@pytest.mark.parametrize("field", ["sex", "looked_after", "ethnicity", "risk_initial", "risk_highest"])
def test_whatever_code_a_sender_may_write_is_a_value_that_is_counted(field: str) -> None:
    (codes,) = (
        rule.arguments["codes"]
        for rule in contract_rules(load_contracts()["missing_episode"])
        if rule.rule_id == f"missing_episode.{field}.codes"
    )
    values = load_indicators().breakdowns[field]
    assert {code.replace("_", " ") for code in codes} | {"unknown"} == set(values)


def test_only_years_are_divided_by_the_breakdowns_of_the_year() -> None:
    cells = measure_frame(load_indicators())
    of_children = cells.filter((cells["measure"] == "children") & (cells["breakdown"] == "setting"))
    assert of_children["period_type"].unique().to_list() == ["year_to_march"]


def test_every_measure_is_counted_in_sql() -> None:
    counted = " ".join(path.read_text(encoding="utf-8") for path in (SQL / "statistics").glob("*.sql"))
    missing = [name for name in load_indicators().measures if f"'{name}'" not in counted]
    assert not missing


def test_cells_are_asked_for_once_and_rolling_months_are_undivided() -> None:
    cells = measure_frame(load_indicators())
    assert cells.is_unique().all()
    rolling = cells.filter(cells["period_type"] == "rolling_12_months")
    assert rolling["breakdown"].unique().to_list() == ["total"]
    assert indicator_frame(load_indicators()).height == len(load_indicators().indicators)


@pytest.mark.parametrize(("change", "where"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_refused_and_named(tmp_path: Path, change: Callable[[Stated], None], where: str) -> None:
    path = Path(shutil.copytree(CONTRACTS, tmp_path / "contracts")) / "rules" / "indicators.yaml"
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(stated)
    path.write_text(json.dumps(stated), encoding="utf-8")  # JSON is YAML
    with pytest.raises(ContractError, match=r"rules/indicators\.yaml.*" + where):
        load_indicators(tmp_path / "contracts")
