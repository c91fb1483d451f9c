"""What a borough has agreed to share and for how long it may be kept: `data_contracts/boroughs/<slug>/agreement.yaml`.

Without an agreement in force nothing of a borough is taken in. Which columns and rows that leaves is decided here;
leaving them out is done by `intake.examine` (columns) and `warehouse.load` (rows past retention).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.contracts.contract import Contract, ContractError, load_contracts
from pipelines.home import CONTRACTS

_KEYS = {"borough", "reference", "valid_from", "valid_until", "retention_years", "fields"}


@dataclass(frozen=True)
class Agreement:
    """One borough's sharing agreement.

    `fields` are the agreed columns of each dataset; `retention_years` is how long after its end an episode, and the
    interviews about it, may be kept.
    """

    borough: str
    reference: str
    valid_from: date
    valid_until: date | None
    retention_years: int
    fields: Mapping[str, frozenset[str]]

    def in_force(self, on: date) -> bool:
        """Whether the agreement covers a delivery that arrives on a day; both ends count."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)

    def agreed(self, dataset: str) -> frozenset[str]:
        """Columns of a dataset that may be kept; none where the dataset is not part of the agreement."""
        return self.fields.get(dataset, frozenset())


@cache
def load_agreement(borough: str, contracts: Path = CONTRACTS) -> Agreement | None:
    """Read a borough's agreement; None where there is none.

    Raises:
        ContractError: the file has a key or a field we do not know, or leaves out a field without which no row of the
            dataset can be used.
    """
    path = contracts / "boroughs" / borough / "agreement.yaml"
    if not path.exists():
        return None
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    where = f"boroughs/{borough}/agreement.yaml"
    unknown = sorted(raw.keys() - _KEYS)
    if unknown:
        msg = f"{where}: unknown keys {', '.join(unknown)}"
        raise ContractError(msg)
    if raw["borough"] != borough:
        msg = f"{where}: it is the agreement of another borough"
        raise ContractError(msg)
    datasets = load_contracts(contracts)
    return Agreement(
        borough=borough,
        reference=str(raw["reference"]),
        valid_from=raw["valid_from"],
        valid_until=raw.get("valid_until"),
        retention_years=_whole_years(
            raw["retention_years"], min(c.longest_retention for c in datasets.values()), where
        ),
        fields={name: _fields(datasets, name, stated, where) for name, stated in raw["fields"].items()},
    )


def _whole_years(stated: object, longest: int, where: str) -> int:
    if not isinstance(stated, int) or not 1 <= stated <= longest:
        msg = (
            f"{where}: retention_years must be a whole number of years, at least 1 and at most the contract's {longest}"
        )
        raise ContractError(msg)
    return stated


def _fields(datasets: Mapping[str, Contract], dataset: str, stated: object, where: str) -> frozenset[str]:
    """`all`, a list of columns, or `{all_except: [...]}`."""
    if dataset not in datasets:
        msg = f"{where}: there is no dataset {dataset}"
        raise ContractError(msg)
    contract = datasets[dataset]
    columns = frozenset(contract.columns)
    excluded = frozenset(stated["all_except"]) if isinstance(stated, dict) else frozenset()
    named = columns if stated == "all" or isinstance(stated, dict) else frozenset(_listed(stated, where))
    unknown = sorted((named | excluded) - columns)
    if unknown:
        msg = f"{where}: {dataset} has no field {', '.join(unknown)}"
        raise ContractError(msg)
    agreed = named - excluded
    missing = sorted(set(contract.required) - agreed)
    if missing:
        msg = f"{where}: {dataset} cannot be used without {', '.join(missing)}; agree them or leave the dataset out"
        raise ContractError(msg)
    return agreed


def _listed(stated: object, where: str) -> list[str]:
    if not isinstance(stated, list):
        msg = f"{where}: fields must be `all`, a list of columns or `all_except`"
        raise ContractError(msg)
    return [str(name) for name in stated]
