"""The data dictionary of a contract, as rows that a page or a file can show. Layout belongs in `dashboards/`.

Every rule that looks at a column is listed there, also those that compare rows or deliveries and those of one layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts.catalogue import all_rules
from pipelines.contracts.contract import Contract
from pipelines.contracts.rules import Rule
from pipelines.home import CONTRACTS


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


def data_dictionary(contract: Contract, contracts: Path = CONTRACTS) -> list[Entry]:
    """List the contract's columns in delivery order with their rules, the contract's own first."""
    rules = [rule for rule in all_rules(contracts) if rule.dataset == contract.dataset]
    return [_entry(contract, index, rules) for index in range(len(contract.properties))]


def _entry(contract: Contract, index: int, rules: Sequence[Rule]) -> Entry:
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
