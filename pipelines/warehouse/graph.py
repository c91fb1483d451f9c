"""The tables of the warehouse and their dependencies, read out of the SQL files themselves.

`sql/<schema>/<table>.sql` is one table. What it reads is found by parsing it, so that the graph Dagster shows and the
SQL that runs cannot disagree. A file whose header has a line `-- View: why` makes a view: its rows are worked out
where they are read, which costs less than to write them where one table reads them. Running the SQL is here too;
opening connections is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

from pipelines.home import SQL
from pipelines.warehouse.connection import beside

_NOT_TABLES = {"filing", "macros", "retention", "rules"}
# Tables that a command builds in a warehouse of its own; a run does not.
_OF_COMMANDS = {"backtest"}
_VIEW = "View:"
# How many tables are built at the same time.
_AT_ONCE = 2
_KIND = """
select table_type
from information_schema.tables
where table_catalog = current_database() and table_schema = ? and table_name = ?
"""


class GraphError(Exception):
    """The SQL files do not make a graph; the message names the file."""


class TableError(Exception):
    """A table could not be built; the message names it and the kind of error. DuckDB's own words may hold a value."""


@dataclass(frozen=True)
class Table:
    """One SQL file: the table it makes, what it reads, and its header comment."""

    schema: str
    name: str
    path: Path
    query: str
    reads: frozenset[str]
    description: str
    is_view: bool

    @property
    def qualified(self) -> str:
        """`schema.table`."""
        return f"{self.schema}.{self.name}"


def load_tables(sql: Path = SQL) -> tuple[Table, ...]:
    """Read every table file, in an order in which each comes after what it reads.

    Raises:
        GraphError: a file is not one SELECT, lacks its header, or the tables read each other in a circle.
    """
    return _tables_in(sql)


@cache
def _tables_in(sql: Path) -> tuple[Table, ...]:
    return _in_order(
        [path for path in sorted(sql.glob("*/*.sql")) if path.parent.name not in _NOT_TABLES | _OF_COMMANDS]
    )


@cache
def load_tables_of(schema: str, sql: Path = SQL) -> tuple[Table, ...]:
    """Read the table files of one folder that a command builds, in order; what they read besides is already there."""
    return _in_order(sorted((sql / schema).glob("*.sql")))


def _in_order(files: Iterable[Path]) -> tuple[Table, ...]:
    tables = {table.qualified: table for table in map(_read_table, files)}
    try:
        order = TopologicalSorter({name: table.reads & tables.keys() for name, table in tables.items()})
        return tuple(tables[name] for name in order.static_order())
    except CycleError as error:
        msg = f"tables read each other in a circle: {' -> '.join(error.args[1])}"
        raise GraphError(msg) from error


@cache
def tables_needed(names: tuple[str, ...], sql: Path = SQL) -> tuple[Table, ...]:
    """Return the named tables and every table they are made of, in an order in which they can be built.

    No other file is read: to parse them all takes longer than to build a few small tables.
    """
    found: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = sql / f"{name.replace('.', '/')}.sql"
        if name not in found and path.parent.name not in _NOT_TABLES | _OF_COMMANDS and path.is_file():
            found[name] = path
            waiting += _read_table(path).reads
    return _in_order(sorted(found.values()))


def tables_read_by(path: Path) -> frozenset[str]:
    """Schema-qualified tables that a file with one SELECT reads."""
    return _reads(_select(path, path.read_text(encoding="utf-8")))


@cache
def _read_table(path: Path) -> Table:
    text = path.read_text(encoding="utf-8")
    schema, name = path.parent.name, path.stem
    header = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
    if not header or header[0] != f"{schema}.{name}":
        msg = f"{path}: the header's first line must be `-- {schema}.{name}`"
        raise GraphError(msg)
    is_view = any(line.startswith(_VIEW) for line in header)
    return Table(schema, name, path, text, _reads(_select(path, text)), "\n".join(header[1:]), is_view)


def _select(path: Path, text: str) -> exp.Query:
    statements = sqlglot.parse(text, dialect="duckdb")
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        msg = f"{path}: expected exactly one SELECT"
        raise GraphError(msg)
    return statements[0]


def _reads(query: exp.Query) -> frozenset[str]:
    """Schema-qualified tables of a query; names without a schema are its own common table expressions."""
    return frozenset(f"{table.db}.{table.name}" for table in query.find_all(exp.Table) if table.db)


def build_tables(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> Iterator[tuple[Table, int | None]]:
    """Make tables anew, each after those of them that it reads and otherwise two at a time.

    DuckDB shares the threads it has among the two: while one table waits for a sort or is being written, the other goes
    on. What stands in a table does not depend on it.

    Yields:
        Each table when it stands, with its number of rows as `build_table` returns it.

    Raises:
        TableError: a table could not be built. Those begun are finished first, no other is begun.
    """
    named = {table.qualified: table for table in tables}
    order = TopologicalSorter({name: table.reads & named.keys() for name, table in named.items()})
    order.prepare()
    for schema in dict.fromkeys(table.schema for table in tables):
        connection.execute(f"create schema if not exists {schema}")
    place = {name: number for number, name in enumerate(named)}
    ready: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        running: dict[Future[int | None], str] = {}
        while order.is_active():
            ready = sorted([*ready, *order.get_ready()], key=place.__getitem__)
            while ready and len(running) < _AT_ONCE:
                name = ready.pop(0)
                running[workers.submit(_build_beside, connection, named[name])] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                yield named[name], future.result()
                order.done(name)


def _build_beside(connection: duckdb.DuckDBPyConnection, table: Table) -> int | None:
    with beside(connection) as another:
        return build_table(another, table)


def build_table(connection: duckdb.DuckDBPyConnection, table: Table) -> int | None:
    """Make one table anew from its SELECT and return its number of rows; None for a view, whose rows are not counted.

    Raises:
        TableError: DuckDB could not run it; the cause is DuckDB's error.
    """
    try:
        connection.execute(f"create schema if not exists {table.schema}")
        _create(connection, table)
    except duckdb.Error as error:
        msg = f"{table.qualified} could not be built ({type(error).__name__})"
        raise TableError(msg) from error
    if table.is_view:
        return None
    rows = connection.execute(f"select count(*) from {table.qualified}").fetchall()  # noqa: S608 - names of our files
    return int(rows[0][0])


def _create(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create or replace, also where the name is that of a view from a time when it was no table, or the reverse.

    DuckDB refuses that, and only then is it looked for: to look takes longer than to make many a small table.
    """
    statement = f"create or replace {'view' if table.is_view else 'table'} {table.qualified} as {table.query}"
    try:
        connection.execute(statement)
    except duckdb.CatalogException:
        found = connection.execute(_KIND, [table.schema, table.name]).fetchone()
        if found is None or (found[0] == "VIEW") == table.is_view:
            raise
        connection.execute(f"drop {'table' if table.is_view else 'view'} {table.qualified}")
        connection.execute(statement)
