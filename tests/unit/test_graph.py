"""The graph of tables is read out of the SQL files, and a folder that makes no graph is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.history.filing import HISTORY_TABLES
from pipelines.warehouse.connection import connect
from pipelines.warehouse.graph import GraphError, TableError, build_table, build_tables, load_tables, load_tables_of
from pipelines.warehouse.load import LOADED_TABLES

# Written by the disclosure stage, not selected.
PROTECTED = {"published.count_cell", "published.ledger_cell", "published.parameter"}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(Path(":memory:"), read_only=False) as opened:
        yield opened


def write(folder: Path, table: str, query: str, header: str | None = None) -> Path:
    """Put one table file into a folder of SQL."""
    path = folder / f"{table.replace('.', '/')}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{header or f'-- {table}'}\n-- Grain: one row.\n{query}\n", encoding="utf-8")
    return path


def test_every_table_comes_after_what_it_reads() -> None:
    known = {*LOADED_TABLES, *PROTECTED, *HISTORY_TABLES}
    for table in load_tables():
        assert table.reads <= known, table.qualified
        known.add(table.qualified)


def test_every_loaded_table_is_read_by_some_table() -> None:
    built = (*load_tables(), *load_tables_of("backtest"))
    assert set(LOADED_TABLES) <= {name for table in built for name in table.reads}


def test_only_the_published_schema_reads_what_disclosure_control_wrote() -> None:
    readers = {table.schema for table in load_tables() if table.reads & PROTECTED}
    assert readers == {"published"}


def test_every_table_says_what_it_is_for() -> None:
    for table in (*load_tables(), *load_tables_of("backtest")):
        for word in ("Grain:", "Keys:", "For:"):
            assert word in table.description, f"{table.qualified} lacks {word}"


def test_common_table_expressions_are_not_dependencies(tmp_path: Path) -> None:
    write(tmp_path, "a.one", "select 1 as number")
    write(tmp_path, "b.two", "with three as (select number from a.one) select number from three")
    assert [(table.qualified, set(table.reads)) for table in load_tables(tmp_path)] == [
        ("a.one", set()),
        ("b.two", {"a.one"}),
    ]


def test_a_subquery_is_a_dependency(tmp_path: Path) -> None:
    write(tmp_path, "a.one", "select 1 as number")
    write(tmp_path, "b.two", "select 2 as number where 2 in (select number from a.one)")
    assert load_tables(tmp_path)[1].reads == {"a.one"}


def test_a_view_shows_what_its_table_holds_now_and_counts_nothing(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, "a.one", "select 1 as number")
    write(tmp_path, "b.two", "select number + 1 as number from a.one", "-- b.two\n-- View: one table reads it.")
    one, two = load_tables(tmp_path)
    assert (one.is_view, two.is_view) == (False, True)
    assert [build_table(connection, table) for table in (one, two)] == [1, None]
    connection.execute("update a.one set number = 5")
    assert connection.execute("select number from b.two").fetchall() == [(6,)]


@pytest.mark.parametrize("before", ["table", "view"])
def test_what_was_a_table_becomes_a_view_and_the_other_way_round(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, before: str
) -> None:
    header = "-- a.one" if before == "view" else "-- a.one\n-- View: one table reads it."
    write(tmp_path, "a.one", "select 2 as number", header)
    connection.execute(f"create schema a; create {before} a.one as select 1 as number")
    build_table(connection, load_tables(tmp_path)[0])
    assert connection.execute("select number from a.one").fetchall() == [(2,)]
    kinds = connection.execute("select table_type from information_schema.tables where table_name = 'one'").fetchall()
    assert kinds == [("BASE TABLE" if before == "view" else "VIEW",)]


def test_macros_are_not_tables(tmp_path: Path) -> None:
    write(tmp_path, "a.one", "select 1 as number")
    write(tmp_path, "macros.time", "create macro twice(x) as 2 * x")
    assert [table.qualified for table in load_tables(tmp_path)] == ["a.one"]


def test_a_circle_is_refused_and_named(tmp_path: Path) -> None:
    write(tmp_path, "a.one", "select number from b.two")
    write(tmp_path, "b.two", "select number from a.one")
    with pytest.raises(GraphError, match=r"circle: .*a\.one"):
        load_tables(tmp_path)


@pytest.mark.parametrize("query", ["select 1; select 2", "create table a.one as select 1", "drop table a.two"])
def test_a_file_is_one_select(tmp_path: Path, query: str) -> None:
    path = write(tmp_path, "a.one", query)
    with pytest.raises(GraphError, match=f"{path}: expected exactly one SELECT"):
        load_tables(tmp_path)


@pytest.mark.parametrize("header", ["-- a.two", "/* a.one */"])
def test_a_file_is_headed_by_its_own_name(tmp_path: Path, header: str) -> None:
    write(tmp_path, "a.one", "select 1 as number", header)
    with pytest.raises(GraphError, match=r"the header's first line must be `-- a\.one`"):
        load_tables(tmp_path)


def test_building_a_table_again_replaces_it(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    write(tmp_path, "a.one", "select unnest([1, 2, 3]) as number")
    (table,) = load_tables(tmp_path)
    assert [build_table(connection, table), build_table(connection, table)] == [3, 3]
    assert connection.execute("select sum(number) from a.one").fetchall() == [(6,)]


def test_tables_are_built_together_each_after_what_it_reads(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    summed = "select sum(number) as total from a.base_{}"
    for number in range(6):
        write(tmp_path, f"a.base_{number}", "select unnest(range(1000)) as number")
        write(tmp_path, f"b.sum_{number}", summed.format(number))
    write(tmp_path, "c.all", " union all ".join(map("select total from b.sum_{}".format, range(6))))
    built = [(table.qualified, rows) for table, rows in build_tables(connection, load_tables(tmp_path))]
    places = {name: place for place, (name, _) in enumerate(built)}
    assert built[-1] == ("c.all", 6)
    assert len(built) == 13
    assert all(places[f"a.base_{number}"] < places[f"b.sum_{number}"] for number in range(6))
    assert connection.execute('select sum(total) from c."all"').fetchall() == [(6 * 499_500,)]


def test_the_clock_of_tables_built_together_is_that_of_the_warehouse(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute("set timezone = 'UTC'")
    write(tmp_path, "a.one", "select timestamptz '2026-07-01 00:30:00+01'::date as day")
    assert dict(build_tables(connection, load_tables(tmp_path))).popitem()[1] == 1
    assert connection.execute("select day::varchar from a.one").fetchall() == [("2026-06-30",)]


def test_a_table_that_cannot_be_built_is_named_and_nothing_is_made_of_it(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, "a.one", "select 'secret'::integer as number")
    write(tmp_path, "b.two", "select number from a.one")
    with pytest.raises(TableError, match=r"^a\.one could not be built \(ConversionException\)$"):
        list(build_tables(connection, load_tables(tmp_path)))
    assert not connection.execute("select 1 from information_schema.tables where table_name = 'two'").fetchall()
