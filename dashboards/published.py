"""What public pages may read: the published tables and the names of areas, in a database that holds nothing else.

The reader works on a copy in memory with no way to attach a file, so a public page that asks for a restricted table
gets an error, whatever its code says. Restricted tables are read in `restricted`; nothing is drawn here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl

from dashboards.comparability import Note
from dashboards.points import Point, Query, has_table, read_notes, read_points
from dashboards.variation import ControlPoint, FunnelPoint, read_control, read_funnels
from pipelines.warehouse.connection import connect, query_frame, register_frame

COMPARABILITY = "published.note"
FUNNEL = "published.funnel"
CONTROL_CHART = "published.control_chart"
LEDGER, AUDIT = "published.ledger_cell", "published.audit"
PUBLIC_TABLES = (
    "published.indicator",
    "published.count_cell",
    "published.parameter",
    COMPARABILITY,
    FUNNEL,
    CONTROL_CHART,
    LEDGER,
    AUDIT,
    "reference.area",
)
# A warehouse from before them does not have these; its pages do without.
_LATER = frozenset({COMPARABILITY, FUNNEL, CONTROL_CHART, LEDGER, AUDIT})


@dataclass(frozen=True)
class Release:
    """What the published figures say of themselves. `data_to` is None while nothing has been accepted."""

    release_id: str
    base: int
    minimum_percentage_base: int
    policy_version: str
    as_at: datetime
    data_to: datetime | None
    synthetic: bool


class PublicReader:
    """Reads published figures, and can read nothing else."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take a database that holds only the public tables; `open_public` makes one."""
        self._connection = connection

    def release(self) -> Release:
        """Read the one row that describes the release."""
        rows = self._connection.execute(
            "select release_id, base, minimum_percentage_base, policy_version, as_at, data_to, synthetic "
            "from published.parameter"
        ).fetchall()
        (row,) = rows
        return Release(*row)

    def points(self, query: Query) -> list[Point]:
        """Read published figures."""
        return read_points(self._connection, "published.indicator", query)

    def periods(self, period_type: str) -> list[tuple[date, date]]:
        """List the published periods of a type, oldest first."""
        return self._connection.execute(
            "select distinct period_start, period_end from published.count_cell where period_type = $kind order by 1",
            {"kind": period_type},
        ).fetchall()

    def funnels(self, indicator_id: str, variant: str, basis: str) -> list[list[FunnelPoint]]:
        """Read the yearly funnels of a rate or proportion, newest first."""
        return read_funnels(self._connection, FUNNEL, indicator_id, variant, basis)

    def control(self, indicator_id: str, basis: str, area_code: str) -> list[ControlPoint]:
        """Read the control chart of a monthly count."""
        return read_control(self._connection, CONTROL_CHART, indicator_id, basis, area_code)

    def span(self) -> tuple[date, date] | None:
        """First and last day of the published periods; None where there are none."""
        rows = self._connection.execute(
            "select min(period_start), max(period_end) from published.count_cell having count(*) > 0"
        ).fetchall()
        return (rows[0][0], rows[0][1]) if rows else None

    def evidence(self) -> tuple[pl.DataFrame, str] | None:
        """Every cell ever published and the audit's public report; None in a warehouse from before them, or empty."""
        if not has_table(self._connection, AUDIT):
            return None
        ledger = query_frame(self._connection, "select * from published.ledger_cell")
        reports = self._connection.execute("select report from published.audit").fetchall()
        return (ledger, str(reports[0][0])) if ledger.height else None

    def notes(self) -> list[Note]:
        """List the comparability notes, one for each borough they concern; none in a warehouse from before them."""
        if not has_table(self._connection, COMPARABILITY):
            return []
        return read_notes(self._connection, COMPARABILITY)


@contextmanager
def open_public(connection: duckdb.DuckDBPyConnection) -> Iterator[PublicReader]:
    """Copy the public tables out of the warehouse and hand out a reader of the copy."""
    with connect(Path(":memory:"), read_only=False) as copy:
        for table in PUBLIC_TABLES:
            if table in _LATER and not has_table(connection, table):
                continue
            copy.execute(f"create schema if not exists {table.partition('.')[0]}")
            register_frame(copy, "incoming", query_frame(connection, f"select * from {table} order by all"))  # noqa: S608 - our own names
            copy.execute(f"create table {table} as select * from incoming")  # noqa: S608 - our own names
            copy.unregister("incoming")
        copy.execute("set python_enable_replacements = false")
        copy.execute("set enable_external_access = false")
        copy.execute("set lock_configuration = true")
        yield PublicReader(copy)
