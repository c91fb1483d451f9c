"""Checks on finished tables, one per line of `data_contracts/rules/table_checks.yaml`."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from pipelines.assets.house import WAREHOUSE_POOL, House
from pipelines.assets.intake import table_key
from pipelines.contracts.yaml_text import read_yaml
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
    raw = read_yaml(contracts / "rules" / "table_checks.yaml")
    return [TableCheck(**check) for check in raw["checks"]]


def table_checks() -> list[dg.AssetChecksDefinition]:
    """Make one asset check per line; those of one table are one step, since a step costs more than most checks do."""
    of_table: dict[str, list[TableCheck]] = defaultdict(list)
    for check in load_table_checks():
        of_table[check.table].append(check)
    return [_checks_of(table, checks) for table, checks in of_table.items()]


def _checks_of(table: str, checks: Sequence[TableCheck]) -> dg.AssetChecksDefinition:
    key = table_key(table)

    @dg.multi_asset_check(
        name=f"{table.replace('.', '_')}_checks",
        specs=[
            dg.AssetCheckSpec(
                check.id,
                asset=key,
                blocking=check.blocking,
                description=check.id.replace("_", " ").capitalize() + ".",
            )
            for check in checks
        ],
        can_subset=True,
        pool=WAREHOUSE_POOL,
    )
    def run_checks(context: dg.AssetCheckExecutionContext, house: House) -> Iterator[dg.AssetCheckResult]:
        with house.writer() as connection:
            for check in checks:
                if dg.AssetCheckKey(key, check.id) in context.selected_asset_check_keys:
                    broken = int(connection.execute(check.query).fetchall()[0][0])
                    yield dg.AssetCheckResult(
                        asset_key=key,
                        check_name=check.id,
                        passed=broken == 0,
                        severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
                        metadata={"rows_breaking_it": broken},
                    )

    return run_checks
