"""The resource that every asset is given: the home, the as-at instant and the clock at the door."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg
import duckdb

from pipelines.home import Home
from pipelines.warehouse.connection import connect

# One writer at a time: assets that open the working file share this pool, limited to one in dagster.yaml.
WAREHOUSE_POOL = "warehouse_writer"


class House(dg.ConfigurableResource[None]):
    """Where the pipeline works and what instant it works for.

    `as_at` (ISO 8601) limits what counts as received; blank means everything received so far. `received_at` replaces
    the clock for files seen for the first time; tests and rebuilds set it.
    """

    root: str
    as_at: str = ""
    received_at: str = ""

    @property
    def home(self) -> Home:
        """Paths of the home."""
        return Home.resolve(self.root)

    @property
    def as_at_instant(self) -> datetime | None:
        """The as-at instant, or None for "everything received"."""
        return datetime.fromisoformat(self.as_at) if self.as_at else None

    def arrival(self) -> datetime:
        """When files first seen now arrived. The only reading of the clock in the pipeline."""
        if self.received_at:
            return datetime.fromisoformat(self.received_at)
        return datetime.now(UTC).replace(microsecond=0)

    @contextmanager
    def writer(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the working file for writing."""
        with connect(self.home.working_database, read_only=False) as connection:
            yield connection
