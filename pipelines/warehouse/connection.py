"""The only place that opens a DuckDB connection.

Connections are closed whatever happens: a writer left open would lock every other process out. Extensions are neither
fetched nor loaded, so no query can reach the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from pipelines.home import SQL

# asof_loop_join_threshold: where DuckDB believes that few rows look for their nearest, it compares each with all the
# others; behind two filters it believes that of 200,000 rows, which then takes minutes instead of a second.
# storage_compatibility_version: read by DuckDB 1.4 and later; the file is a quarter smaller than for older versions,
# and written a tenth faster.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "asof_loop_join_threshold": 0,
    "memory_limit": "2500MB",
    "storage_compatibility_version": "v1.4.0",
    "threads": 2,
}
_UTC = "set timezone = 'UTC'"
# FSST makes a table of keys a third smaller and its writing a fifth slower. DuckDB heeds this only once it is open.
_NO_FSST = "set global disabled_compression_methods = 'fsst'"


@contextmanager
def connect(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database file and close it at the end, also after an exception.

    Raises:
        duckdb.IOException: another process holds the file for writing.
    """
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(str(path), read_only=read_only, config=_CONFIG)
    try:
        connection.execute(_UTC)
        if not read_only:
            connection.execute(_NO_FSST)
            install_macros(connection)
        yield connection
    finally:
        connection.close()


@contextmanager
def beside(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open another connection to the same database, for another thread; frames registered with the first are not in it.

    It reads the clock as the first does, and is closed in any case.
    """
    another = connection.cursor()
    try:
        another.execute(_UTC)
        yield another
    finally:
        another.close()


def install_macros(connection: duckdb.DuckDBPyConnection, sql: Path = SQL) -> None:
    """Define the SQL functions of `sql/macros/` in the database."""
    for path in sorted((sql / "macros").glob("*.sql")):
        connection.execute(path.read_text(encoding="utf-8"))


class _ArrowStream:
    """Shows DuckDB only the Arrow stream of a polars frame; given the frame itself it asks for pyarrow."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def register_frame(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Let SQL read a polars frame under a name until it is unregistered."""
    connection.register(name, _ArrowStream(frame))


def query_frame(connection: duckdb.DuckDBPyConnection, query: str, **parameters: object) -> pl.DataFrame:
    """Run a query and return its rows as a polars frame."""
    return pl.DataFrame(connection.sql(query, params=parameters or None))


def replace_table(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Make a table anew from a polars frame."""
    register_frame(connection, "incoming", frame)
    connection.execute(f"create or replace table {table} as select * from incoming")  # noqa: S608 - our own names
    connection.unregister("incoming")
