"""The data dictionary of a contract, as rows that a page or a file can show. Layout belongs in `dashboards/`."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.contracts.contract import Contract
from pipelines.contracts.rules import Rule, contract_rules


@dataclass(frozen=True)
class Entry:
    """One column of a delivery: what it is, whether it must be there, and which rules look at it."""

    column: str
    title: str
    description: str
    type: str
    required: bool
    codes: tuple[str, ...]
    rules: tuple[Rule, ...]


def data_dictionary(contract: Contract) -> list[Entry]:
    """List the contract's columns in delivery order with their rules."""
    rules = contract_rules(contract)
    return [_entry(contract, index, rules) for index in range(len(contract.properties))]


def _entry(contract: Contract, index: int, rules: tuple[Rule, ...]) -> Entry:
    prop = contract.properties[index]
    own = tuple(rule for rule in rules if rule.column == prop.name)
    codes = next((tuple(rule.arguments["codes"]) for rule in own if rule.kind == "codes"), ())
    return Entry(
        column=str(prop.name),
        title=str(prop.businessName or prop.name),
        description=str(prop.description or "").strip(),
        type="date and time, or date" if prop.logicalType == "timestamp" else str(prop.logicalType),
        required=bool(prop.required),
        codes=codes,
        rules=own,
    )
