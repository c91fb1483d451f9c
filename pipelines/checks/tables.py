"""Checks on finished tables, one per line of `data_contracts/rules/table_checks.yaml`."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import yaml

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.home import CONTRACTS


@dataclass(frozen=True)
class TableCheck:
    """A sentence about a table and the query that counts the rows breaking it."""

    id: str
    table: str
    blocking: bool
    query: str


def load_table_checks(contracts: Path = CONTRACTS) -> list[TableCheck]:
    """Read the checks."""
    raw = yaml.safe_load((contracts / "rules" / "table_checks.yaml").read_text(encoding="utf-8"))
    return [TableCheck(**check) for check in raw["checks"]]


def table_checks() -> list[dg.AssetChecksDefinition]:
    """Make one asset check per line."""
    return [_asset_check(check) for check in load_table_checks()]


def _asset_check(check: TableCheck) -> dg.AssetChecksDefinition:
    severity = dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN

    @dg.asset_check(
        asset=table_key(check.table),
        name=check.id,
        blocking=check.blocking,
        pool=WAREHOUSE_POOL,
        description=check.id.replace("_", " ").capitalize() + ".",
    )
    def run_check(house: House) -> dg.AssetCheckResult:
        with house.writer() as connection:
            broken = int(connection.execute(check.query).fetchall()[0][0])
        return dg.AssetCheckResult(passed=broken == 0, severity=severity, metadata={"rows_breaking_it": broken})

    return run_check
