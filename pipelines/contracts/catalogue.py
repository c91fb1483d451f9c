"""Every rule there is: those that the contracts state, and those of the SSDA903 return.

DfE's rules are data, `data_contracts/rules/ssda903.yaml`: sixteen codes, each with the rules that stand for it here.
Most of those hold for the layout of that return only; a code that makes sense for every layout is stated in the
contract and named there. What a rule needs beyond columns, and the sentence for a delivery that lacks it, is there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.contracts.contract import Contract, ContractError, load_contracts
from pipelines.contracts.rules import ACROSS_DELIVERIES, SEVERITIES, Rule, contract_rules, custom_rule
from pipelines.contracts.yaml_text import read_yaml
from pipelines.home import CONTRACTS


@dataclass(frozen=True)
class Need:
    """Something that a rule needs and a delivery or a borough may lack; `reason` says so.

    `file` is the SQL that finds it in the rows of one delivery; what is needed of a borough's deliveries together is
    found by `sql/quality/cross_file_need.sql`.
    """

    need_id: str
    reason: str
    file: str


@dataclass(frozen=True)
class Code:
    """One of DfE's codes: what it says, and the rules that stand for it."""

    code: str
    says: str
    rule_ids: tuple[str, ...]


@cache
def dfe_codes(contracts: Path = CONTRACTS) -> tuple[Code, ...]:
    """DfE's codes in their order."""
    return tuple(
        Code(str(raw["code"]), raw["says"], (*raw.get("stated_in_contract", []), *(r["id"] for r in _own(raw))))
        for raw in _return(contracts)["codes"]
    )


@cache
def needs(contracts: Path = CONTRACTS) -> dict[str, Need]:
    """Everything a rule can need, by id."""
    raw = _return(contracts)["needs"]
    return {need_id: Need(need_id, stated["reason"], stated.get("file", "")) for need_id, stated in raw.items()}


@cache
def all_rules(contracts: Path = CONTRACTS) -> tuple[Rule, ...]:
    """Every rule of every dataset: the contracts' first, then those of the return.

    Raises:
        ContractError: an id stands for two rules, a code names a rule that does not exist, or a rule needs something
            unheard of.
    """
    stated = [rule for contract in load_contracts(contracts).values() for rule in contract_rules(contract)]
    rules = (*stated, *_return_rules(contracts))
    ids = [rule.rule_id for rule in rules]
    repeated = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    named = {name for code in dfe_codes(contracts) for name in code.rule_ids}
    named |= {name for rule in rules for name in rule.stands_for}
    unknown = sorted(named - set(ids)) + sorted({n for rule in rules for n in rule.needs} - needs(contracts).keys())
    if repeated or unknown:
        msg = (
            f"rules stated twice: {', '.join(repeated) or 'none'}; named but not stated: {', '.join(unknown) or 'none'}"
        )
        raise ContractError(msg)
    return rules


def delivery_rules(contract: Contract, source: str, contracts: Path = CONTRACTS) -> tuple[Rule, ...]:
    """Rules that a delivery of one dataset in one layout is judged by, on its own."""
    return tuple(
        rule
        for rule in all_rules(contracts)
        if rule.dataset == contract.dataset and rule.source in {"", source} and rule.kind != ACROSS_DELIVERIES
    )


def cross_file_rules(contracts: Path = CONTRACTS) -> tuple[Rule, ...]:
    """Rules that compare deliveries, which the region runs when all are in."""
    return tuple(rule for rule in all_rules(contracts) if rule.kind == ACROSS_DELIVERIES)


def _return_rules(contracts: Path) -> Iterator[Rule]:
    raw = _return(contracts)
    for stated in (rule for code in raw["codes"] for rule in _own(code)):
        if stated["severity"] not in SEVERITIES:
            msg = f"{stated['id']}: severity must be one of {', '.join(SEVERITIES)}"
            raise ContractError(msg)
        rule = custom_rule(
            stated["implementation"],
            rule_id=stated["id"],
            dataset=stated.get("dataset", raw["dataset"]),
            column=stated["column"],
            severity=stated["severity"],
            message=stated["message"],
        )
        source = "" if rule.kind == ACROSS_DELIVERIES else raw["source"]
        yield replace(rule, source=source, stands_for=tuple(stated.get("stands_for", ())))


def _own(code: Mapping[str, Any]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = code.get("rules", [])
    return rules


@cache
def _return(contracts: Path) -> dict[str, Any]:
    raw: dict[str, Any] = read_yaml(contracts / "rules" / "ssda903.yaml")
    return raw
