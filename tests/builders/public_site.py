"""A warehouse with published counts and no child, and the public pages made of it: what the scan is tried on.

The counts are invented multiples of 5; figures, funnels and pages come from `sql/` and `dashboards` as in a run. A
second later than a warehouse that is filled from deliveries is built ten times over.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from dashboards.constants import constant_wording
from dashboards.site import write_public_pages
from pipelines.contracts.indicators import TOTAL, TOTAL_VALUE, load_indicators
from pipelines.disclosure.evidence import write_evidence
from pipelines.disclosure.ledger import LEDGER
from pipelines.disclosure.policy_file import load_policy
from pipelines.disclosure.scan import Allowed, allowed_from_warehouse
from pipelines.home import CONTRACTS
from pipelines.region import load_region
from pipelines.uncertainty.tables import build_public
from pipelines.warehouse.connection import connect, query_frame, replace_table
from pipelines.warehouse.graph import build_table, load_tables, tables_needed
from pipelines.warehouse.load import create_delivered_tables, load_parameters, load_reference

AS_AT = datetime(2026, 4, 21, 9)  # noqa: DTZ001 - UTC without zone, as everywhere in the warehouse
RELEASE = "site-0123456789ab"
_POLICY = CONTRACTS / "rules" / "disclosure.yaml"
_FIRST, _MONTHS = date(2024, 4, 1), 24
# Months in a period, and from the start of one to that of the next.
_LENGTHS = {"month": (1, 1), "quarter": (3, 3), "year_to_march": (12, 12), "rolling_12_months": (12, 1)}


@contextmanager
def published_warehouse(
    seed: int = 1, *, unreceived: str = "wigan", least_share: float = 0.25
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse in memory that holds published tables only. Same arguments, same tables.

    Args:
        seed: of the counts.
        unreceived: slug of the borough of which no return interview was received.
        least_share: the least count, as a share of the most; 0 for counts down to nought.
    """
    with connect(Path(":memory:"), read_only=False) as connection:
        connection.execute("set threads = 1")  # a few thousand rows: a second thread only waits
        create_delivered_tables(connection)
        load_parameters(connection, AS_AT)
        load_reference(connection)
        cells = _cells(seed, load_region().borough(unreceived).code, least_share)
        for table, frame in (("statistics.count_cell", cells), ("statistics.period", _periods())):
            connection.execute(f"create schema if not exists {table.partition('.')[0]}")
            replace_table(connection, table, frame)
        connection.execute("create schema if not exists published")
        replace_table(connection, "published.count_cell", cells)
        _parameter(connection)
        for table in tables_needed(("reference.population", "reference.looked_after")):
            build_table(connection, table)
        tables = {table.qualified: table for table in load_tables()}
        for name in ("statistics.indicator_cell", "published.indicator"):
            build_table(connection, tables[name])
        build_public(connection)
        yield connection


def write_public(folder: Path, seed: int = 1) -> Allowed:
    """Write public pages into a folder, and say what they may hold."""
    folder.mkdir(parents=True, exist_ok=True)
    with published_warehouse(seed) as connection:
        write_public_pages(connection, folder, contracts=CONTRACTS)
        return allowed_from_warehouse(connection, constant_wording())


def write_cells(folder: Path, seed: int = 1) -> None:
    """Write the published cells, the policy and a report of the audit, as a release has them beside its figures."""
    with published_warehouse(seed) as connection:
        cells = query_frame(connection, "from published.count_cell order by cell_id")
    said = {
        "sequence": pl.lit(1, pl.Int64),
        "release_id": pl.lit(RELEASE),
        "policy_version": pl.lit(load_policy(_POLICY).version),
        "key_fingerprint": pl.lit("of no key"),
        "within": pl.lit(4, pl.Int64),
    }
    ledger = cells.with_columns(**said).select(pl.col(name).cast(dtype) for name, dtype in LEDGER.items())
    write_evidence(folder, _POLICY, ledger, json.dumps({"passed": True, "cells": cells.height}))


def _starts(period_type: str) -> list[tuple[date, date]]:
    def month(number: int) -> date:
        return date(_FIRST.year + (_FIRST.month - 1 + number) // 12, (_FIRST.month - 1 + number) % 12 + 1, 1)

    length, step = _LENGTHS[period_type]
    return [(month(n), month(n + length) - timedelta(days=1)) for n in range(0, _MONTHS - length + 1, step)]


def _periods() -> pl.DataFrame:
    rows = [(kind, start, end) for kind in _LENGTHS for start, end in _starts(kind)]
    return pl.DataFrame(rows, schema=["period_type", "period_start", "period_end"], orient="row")


def _cells(seed: int, unreceived: str, least_share: float) -> pl.DataFrame:
    """Every cell of the publication plan."""
    draw = random.Random(seed)  # noqa: S311 - test data
    region, values = load_region(), {TOTAL: (TOTAL_VALUE,), **load_indicators().breakdowns}
    areas = {"borough": [area.code for area in region.boroughs], "region": [region.area.code]}
    rows: dict[str, dict[str, object]] = {}
    for table in load_policy(_POLICY).plan().sort(pl.all()).to_dicts():
        for start, end in _starts(table["period_type"]):
            for area in areas[table["area_level"]]:
                for value in values[table["breakdown"]]:
                    place = (table["measure"], table["basis"], area, table["period_type"], start.isoformat())
                    cell_id = "|".join((*place, table["breakdown"], value))
                    is_gap = area == unreceived and table["measure"].startswith("rhi")
                    # Parts stay below wholes, so that shares lie between 0 and 1.
                    most = 80 if table["measure"] in {"incidents", "children", "rhi_eligible"} else 20
                    rows[cell_id] = {
                        "cell_id": cell_id,
                        **{name: table[name] for name in ("measure", "basis", "period_type", "breakdown")},
                        "area_code": area,
                        "period_start": start,
                        "period_end": end,
                        "breakdown_value": value,
                        "count": None if is_gap else 5 * draw.randint(round(most * least_share), most),
                        "symbol": "x" if is_gap else "u" if draw.random() < 0.1 else "",
                        "method": "controlled_rounding",
                    }
    return pl.DataFrame(list(rows.values()), infer_schema_length=None)


def _parameter(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create or replace table published.parameter as select $release as release_id, 5::bigint as base, "
        "20::bigint as minimum_percentage_base, $version as policy_version, $as_at::timestamp as as_at, "
        "$as_at::timestamp - interval 1 day as data_to, true as synthetic",
        {"release": RELEASE, "version": load_policy(_POLICY).version, "as_at": AS_AT},
    )
