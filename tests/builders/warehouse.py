"""A warehouse in memory that is filled again and again: loaded tables are emptied and filled, SQL tables remade.

The tables come from `sql/`, the rules and reference figures from `data_contracts/`, as in a run. Opening one costs a
second and filling it a tenth, so a test module opens one and shares it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.patterns import Pattern, pattern_frame
from pipelines.contracts.schema import accepted_schema
from pipelines.intake.links import Link, instants, link_entries
from pipelines.warehouse.connection import connect, query_frame, register_frame, replace_table
from pipelines.warehouse.graph import build_table, tables_needed
from pipelines.warehouse.load import create_delivered_tables, load_parameters, load_reference
from tests.builders.rows import Delivery, Row

_RECEIPT: dict[str, pl.DataType] = {
    **dict.fromkeys(("delivery_id", "borough", "file_name", "sha256"), pl.String()),
    "received_at": pl.Datetime("us"),
    **dict.fromkeys(("status", "reason", "dataset", "source", "source_version", "rules_key"), pl.String()),
    **dict.fromkeys(("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate"), pl.Int64()),
    "synthetic": pl.Boolean(),
}
_LINK_ENTRY: dict[str, pl.DataType] = {
    **dict.fromkeys(("link_id", "borough", "child_id"), pl.String()),
    "decided_at": pl.Datetime("us"),
    **dict.fromkeys(("decided_by", "reason"), pl.String()),
    "ended_at": pl.Datetime("us"),
    **dict.fromkeys(("ended_by", "end_reason"), pl.String()),
}


class SmallWarehouse:
    """Loads rows, builds the tables a test names together with everything they read, and answers queries."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._schemas = {name: accepted_schema(contract) for name, contract in load_contracts().items()}
        create_delivered_tables(connection)
        load_parameters(connection, datetime(2000, 1, 1))  # noqa: DTZ001 - UTC without zone, as in the warehouse
        load_reference(connection)

    def load(self, *deliveries: Delivery, as_at: str | None = None, links: Sequence[Link] = ()) -> None:
        """Replace what was loaded before. Received after the as-at instant (UTC), a delivery is not loaded.

        The as-at instant is the newest arrival or decision about a link unless given.
        """
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in self._schemas}
        receipts: list[dict[str, Any]] = []
        newest = max([*(datetime.fromisoformat(delivery.received) for delivery in deliveries), *instants(links)])
        chosen = datetime.fromisoformat(as_at) if as_at else newest
        for delivery in deliveries:
            if datetime.fromisoformat(delivery.received) > chosen:
                continue
            for (borough, dataset), sent in _files(delivery).items():
                receipt = _receipt(delivery, borough, dataset, len(sent))
                receipts.append(receipt)
                rows[dataset] += [_accepted(row, receipt, place) for place, row in enumerate(sent, start=2)]
        self._fill("intake.receipt", _RECEIPT, receipts)
        self._fill("intake.link_entry", _LINK_ENTRY, link_entries(links, chosen))
        for dataset, schema in self._schemas.items():
            self._fill(f"intake.{dataset}", schema, rows[dataset])
        self.connection.execute("update run.parameter set as_at = $chosen", {"chosen": chosen})

    def build(self, *names: str) -> None:
        """Make the named tables anew, and before them whatever they read."""
        for table in tables_needed(names):
            build_table(self.connection, table)

    def rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return query_frame(self.connection, query, **parameters).to_dicts()

    def values(self, query: str, **parameters: object) -> list[Any]:
        """Return the first column of a query."""
        return query_frame(self.connection, query, **parameters).to_series().to_list()

    def replace_rules(self, patterns: Sequence[Pattern]) -> None:
        """Put other patterns in the place of the shipped ones; `tests.builders.rules` makes them."""
        replace_table(self.connection, "rules.pattern", pattern_frame(patterns))

    def _fill(self, table: str, schema: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        complete = [{name: row.get(name) for name in schema} for row in rows]
        register_frame(self.connection, "incoming", pl.DataFrame(complete, schema=schema))
        self.connection.execute(f"delete from {table}")  # noqa: S608 - names of our own tables
        self.connection.execute(f"insert into {table} by name select * from incoming")  # noqa: S608 - as above
        self.connection.unregister("incoming")


@contextmanager
def small_warehouse() -> Iterator[SmallWarehouse]:
    """Open an empty warehouse in memory and close it at the end."""
    with connect(Path(":memory:"), read_only=False) as connection:
        connection.execute("set threads = 1")  # a handful of rows: a second thread only waits
        yield SmallWarehouse(connection)


def _files(delivery: Delivery) -> dict[tuple[str, str], list[Row]]:
    files = defaultdict(list)
    for row in delivery.rows:
        files[row.borough, row.dataset].append(row)
    return files


def _receipt(delivery: Delivery, borough: str, dataset: str, count: int) -> dict[str, Any]:
    return {
        "delivery_id": f"{borough}.{dataset}.{delivery.name}",
        "borough": borough,
        "file_name": f"{delivery.name}.csv",
        "sha256": f"{borough}.{dataset}.{delivery.name}",
        "received_at": datetime.fromisoformat(delivery.received),
        "status": "accepted",
        "reason": "",
        "dataset": dataset,
        "source": delivery.source,
        "source_version": "1",
        "rows_read": count,
        "rows_accepted": count,
        "rows_quarantined": 0,
        "rows_duplicate": 0,
        "synthetic": True,
    }


def _accepted(row: Row, receipt: dict[str, Any], row_number: int) -> dict[str, Any]:
    provenance = {name: receipt[name] for name in ("delivery_id", "borough", "source", "source_version")}
    return provenance | {"row_number": row_number} | row.columns()
