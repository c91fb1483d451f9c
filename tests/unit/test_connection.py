"""Opening DuckDB: closed whatever happens, and rows in the order that was asked for."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.warehouse.connection import connect, query_frame, replace_table


def test_an_ordered_query_comes_out_in_order_every_time(tmp_path: Path) -> None:
    """With `preserve_insertion_order` off, DuckDB hands Arrow a prepared ORDER BY unordered, one time in five."""
    path = tmp_path / "w.duckdb"
    with connect(path, read_only=False) as connection:
        connection.execute(
            "create table t as select md5(i::varchar) as k, i % 11 as g, i from range(40_000) as r (i);"
            "create table s as select range as g, 'n' || range as name from range(11)"
        )
    query = "select k, i from t inner join s using (g) where name <> $other order by k"

    def in_order() -> bool:
        with connect(path, read_only=True) as connection:
            return query_frame(connection, query, other="n3")["k"].is_sorted()

    assert all(in_order() for _ in range(60))


def test_the_file_is_free_again_after_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"

    def fail() -> None:
        with connect(path, read_only=False):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with connect(path, read_only=False) as connection:
        replace_table(connection, "t", pl.DataFrame({"a": [1, None], "b": ["x", "y"]}))
        assert query_frame(connection, "select a, b from t order by b").rows() == [(1, "x"), (None, "y")]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with connect(path, read_only=False) as connection:
        connection.execute("create table t (a integer)")
    with connect(path, read_only=True) as connection, pytest.raises(duckdb.InvalidInputException):
        connection.execute("insert into t values (1)")


def test_no_extension_is_fetched(tmp_path: Path) -> None:
    with connect(tmp_path / "w.duckdb", read_only=False) as connection, pytest.raises(duckdb.Error):
        connection.execute("select count(*) from read_csv('https://example.invalid/a.csv')")
