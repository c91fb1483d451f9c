"""Local clock time to UTC and back: the repeated hour, the skipped hour, and the ends of days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.warehouse.connection import connect
from tests.builders.rows import utc


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(Path(":memory:"), read_only=False) as opened:
        yield opened


def value(connection: duckdb.DuckDBPyConnection, expression: str) -> datetime:
    """Result of one SQL expression."""
    return connection.execute(f"select {expression}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("clock", "instant"),
    [
        ("2024-01-15 12:00", "2024-01-15 12:00"),
        ("2024-07-15 12:00", "2024-07-15 11:00"),
        ("2024-07-15 00:00", "2024-07-14 23:00"),
        ("2024-03-31 00:59", "2024-03-31 00:59"),
        ("2024-03-31 02:00", "2024-03-31 01:00"),
        ("2024-10-27 00:59", "2024-10-26 23:59"),
        ("2024-10-27 02:00", "2024-10-27 02:00"),
    ],
)
def test_clock_time_is_london_time(connection: duckdb.DuckDBPyConnection, clock: str, instant: str) -> None:
    assert value(connection, f"london_to_utc(timestamp '{clock}')") == utc(instant)
    assert value(connection, f"utc_to_london(timestamp '{instant}')") == utc(clock)


@pytest.mark.parametrize(("clock", "instant"), [("01:00", "00:00"), ("01:30", "00:30"), ("01:59", "00:59")])
def test_the_repeated_hour_is_read_as_its_first_pass(
    connection: duckdb.DuckDBPyConnection, clock: str, instant: str
) -> None:
    assert value(connection, f"london_to_utc(timestamp '2024-10-27 {clock}')") == utc(f"2024-10-27 {instant}")


def test_both_passes_of_the_repeated_hour_show_the_same_clock(connection: duckdb.DuckDBPyConnection) -> None:
    assert value(connection, "utc_to_london(timestamp '2024-10-27 00:30')") == utc("2024-10-27 01:30")
    assert value(connection, "utc_to_london(timestamp '2024-10-27 01:30')") == utc("2024-10-27 01:30")


@pytest.mark.parametrize(("clock", "shown"), [("01:00", "02:00"), ("01:30", "02:30"), ("01:59", "02:59")])
def test_the_skipped_hour_is_read_as_if_the_clock_had_not_been_put_forward(
    connection: duckdb.DuckDBPyConnection, clock: str, shown: str
) -> None:
    assert value(connection, f"london_to_utc(timestamp '2024-03-31 {clock}')") == utc(f"2024-03-31 {clock}")
    assert value(connection, f"utc_to_london(london_to_utc(timestamp '2024-03-31 {clock}'))") == utc(
        f"2024-03-31 {shown}"
    )


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2024-01-15", "2024-01-15 23:59:59.999999"),
        ("2024-07-15", "2024-07-15 22:59:59.999999"),
        ("2024-03-31", "2024-03-31 22:59:59.999999"),
        ("2024-10-27", "2024-10-27 23:59:59.999999"),
    ],
)
def test_a_day_lasts_until_the_next_local_midnight(connection: duckdb.DuckDBPyConnection, day: str, last: str) -> None:
    assert value(connection, f"latest_instant(timestamp '{day}', 'date')") == utc(last)


def test_a_time_known_to_the_minute_is_its_own_latest_instant(connection: duckdb.DuckDBPyConnection) -> None:
    assert value(connection, "latest_instant(timestamp '2024-07-15 12:00', 'minute')") == utc("2024-07-15 11:00")


def test_a_time_not_recorded_stays_unknown(connection: duckdb.DuckDBPyConnection) -> None:
    assert value(connection, "london_to_utc(null::timestamp)") is None
    assert value(connection, "utc_to_london(null::timestamp)") is None
    assert value(connection, "latest_instant(null::timestamp, null)") is None


@pytest.mark.parametrize(
    ("clock", "precision", "instant"),
    [
        ("2024-10-27 00:59", "minute", "2024-10-26 23:59"),
        ("2024-10-27 01:00", "minute", "2024-10-27 01:00"),
        ("2024-10-27 01:59", "minute", "2024-10-27 01:59"),
        ("2024-10-27 02:00", "minute", "2024-10-27 02:00"),
        ("2024-03-31 01:30", "minute", "2024-03-31 01:30"),
        ("2024-10-27", "date", "2024-10-27 23:59:59.999999"),
        ("2024-03-31", "date", "2024-03-31 22:59:59.999999"),
    ],
)
def test_the_latest_instant_that_a_record_allows(
    connection: duckdb.DuckDBPyConnection, clock: str, precision: str, instant: str
) -> None:
    assert value(connection, f"latest_instant(timestamp '{clock}', '{precision}')") == utc(instant)


def test_an_end_in_the_repeated_hour_is_not_read_before_its_start(connection: duckdb.DuckDBPyConnection) -> None:
    start = "timestamp '2024-10-27 00:50'"  # 01:50 by the first pass
    assert value(connection, f"london_to_utc_not_before(timestamp '2024-10-27 01:10', {start})") == utc(
        "2024-10-27 01:10"
    )
    assert value(connection, f"london_to_utc_not_before(timestamp '2024-10-27 01:50', {start})") == utc(
        "2024-10-27 00:50"
    )
    assert value(connection, f"london_to_utc_not_before(timestamp '2024-10-26 22:00', {start})") == utc(
        "2024-10-26 21:00"
    )
