"""Reading a delivery contract (ODCS v3.1 YAML) into the object that everything else is generated from.

Only reading and naming happen here; what a property means for a row is in `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from pipelines.contracts.yaml_text import read_yaml
from pipelines.home import CONTRACTS

TEMPORAL = ("timestamp", "date")
NUMERIC = ("integer", "number")


class ContractError(Exception):
    """A contract that cannot be used; the message says where and why."""


@dataclass(frozen=True, eq=False)
class Contract:
    """One dataset's contract: its name, version and properties in delivery order.

    It equals itself alone, so that what is worked out of it can be kept.
    """

    dataset: str
    title: str
    version: str
    path: Path
    odcs: OpenDataContractStandard
    properties: tuple[SchemaProperty, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all properties, in order."""
        return tuple(str(p.name) for p in self.properties)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the properties that a delivery must carry."""
        return tuple(str(p.name) for p in self.properties if p.required)

    @property
    def primary_key(self) -> str:
        """Name of the property that identifies a row within its borough and source."""
        (key,) = (str(p.name) for p in self.properties if p.primaryKey)
        return key

    def of_type(self, *logical_types: str) -> tuple[str, ...]:
        """Names of the properties with one of the ODCS logical types."""
        return tuple(str(p.name) for p in self.properties if p.logicalType in logical_types)

    @property
    def expected_day(self) -> int:
        """Day of the next month by which a month's rows are expected (SLA property `latency`)."""
        return self._sla("latency")

    @property
    def longest_retention(self) -> int:
        """Years that rows may be kept at most (SLA property `retention`)."""
        return self._sla("retention")

    def _sla(self, name: str) -> int:
        for sla in self.odcs.slaProperties or []:
            if sla.property == name:
                return int(str(sla.value))
        msg = f"{self.path.name}: slaProperties has no {name}"
        raise ContractError(msg)


def load_contract(path: Path) -> Contract:
    """Read one contract file.

    Raises:
        ContractError: the file is not one ODCS schema object with a name.
    """
    odcs = OpenDataContractStandard(**read_yaml(path))
    if not odcs.schema_ or len(odcs.schema_) != 1 or not odcs.schema_[0].name:
        msg = f"{path.name}: expected exactly one named object under `schema`"
        raise ContractError(msg)
    table = odcs.schema_[0]
    return Contract(
        dataset=str(table.name),
        title=str(table.businessName or table.name),
        version=str(odcs.version),
        path=path,
        odcs=odcs,
        properties=tuple(table.properties or ()),
    )


@cache
def load_contracts(contracts: Path = CONTRACTS) -> dict[str, Contract]:
    """Read all delivery contracts, keyed by dataset."""
    found = [load_contract(path) for path in sorted((contracts / "deliveries").glob("*.odcs.yaml"))]
    return {contract.dataset: contract for contract in found}
