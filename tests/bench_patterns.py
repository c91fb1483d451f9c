"""Episodes, patterns and indicators of a very large region, timed. Run as a program by `tests.bench`.

Rows are drawn as for the demonstration and put straight where accepted rows are loaded; intake is timed elsewhere.
Prints the seconds of `core` and `patterns` together, then of the tables that make the indicators, and the peak memory
of this process; with `--each`, the seconds of every table by itself.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from pipelines.home import CONTRACTS
from pipelines.region import load_region
from pipelines.synthetic.region import draw_region
from pipelines.synthetic.settings import Span, load_settings
from pipelines.warehouse.connection import connect
from pipelines.warehouse.graph import Table, build_table, build_tables, tables_needed
from pipelines.warehouse.load import create_delivered_tables, insert_rows, load_parameters, load_reference

YEARS = Span(date(2016, 4, 1), date(2026, 3, 1))
INTERVIEWED = 0.6  # interviews for each episode
_PER_SCALE = 186_847  # episodes of ten years at scale 1
_TIMED = ("core", "patterns")
_INDICATORS = ("statistics.indicator",)
_RECEIVED = datetime(2026, 4, 20, 12)  # noqa: DTZ001 - UTC without zone, as in the warehouse


def draw_episodes(episodes: int) -> pl.DataFrame:
    """Draw about so many accepted rows of dataset `missing_episode`, one in fifty known only by day, some open."""
    rng = np.random.default_rng(4)
    drawn = draw_region(rng, load_settings(CONTRACTS), YEARS, scale=episodes / _PER_SCALE)
    slugs = {area.code: area.slug for area in load_region().boroughs}
    rows = drawn.height
    day_only, is_open = pl.Series(rng.random(rows) < 0.02), pl.Series(rng.random(rows) < 0.01)
    ended = pl.when(~is_open)
    return drawn.select(
        delivery_id=pl.col("delivered_by").replace_strict(slugs) + ".missing_episode",
        row_number=pl.int_range(pl.len()) + 2,
        borough=pl.col("delivered_by").replace_strict(slugs),
        source=pl.lit("canonical"),
        source_version=pl.lit("1"),
        episode_id=pl.int_range(pl.len()).cast(pl.String),
        child_id=_pseudonyms(drawn["child"]),
        pseudonym_scope=pl.lit("regional"),
        status="status",
        started_at=pl.when(day_only).then(pl.col("started_local").dt.truncate("1d")).otherwise("started_local"),
        started_at_precision=pl.when(day_only).then(pl.lit("date")).otherwise(pl.lit("minute")),
        found_at=ended.then(_local("found_at")),
        found_at_precision=ended.then(pl.lit("minute")),
        returned_at=ended.then(_local("returned_at")),
        returned_at_precision=ended.then(pl.lit("minute")),
        age_at_start="age_at_start",
        sex="sex",
        ethnicity="ethnicity",
        looked_after=pl.when("looked_after").then(pl.lit("yes")).otherwise(pl.lit("no")),
        responsible_authority="responsible_authority",
        area_missing_from="area_missing_from",
        missing_from_setting="missing_from_setting",
        setting_id=pl.when(pl.col("home_number") >= 0).then(
            pl.col("missing_from_setting") + pl.col("home_number").cast(pl.String)
        ),
        cse_flag_date=pl.col("cse_set_on").cast(pl.Datetime("us")),
        cce_flag_date=pl.col("cce_set_on").cast(pl.Datetime("us")),
        cse_flag=pl.when("cse_flag").then(pl.lit("yes")).otherwise(pl.lit("no")),
        cce_flag=pl.when("cce_flag").then(pl.lit("yes")).otherwise(pl.lit("no")),
    )


def draw_interviews(episodes: pl.DataFrame) -> pl.DataFrame:
    """Draw an interview for six in ten episodes: offered, half of them held, some days after the return."""
    rng = np.random.default_rng(5)
    about = episodes.sample(fraction=INTERVIEWED, seed=5)
    about = about.with_columns(hours=pl.Series(rng.gamma(2, 30, about.height)).cast(pl.Int64))
    held = pl.Series(rng.random(about.height) < 0.6) & about["returned_at"].is_not_null()
    return about.select(
        delivery_id=pl.col("borough") + ".return_interview",
        row_number=pl.int_range(pl.len()) + 2,
        borough="borough",
        source="source",
        source_version="source_version",
        interview_id="episode_id",
        child_id="child_id",
        pseudonym_scope="pseudonym_scope",
        episode_ids="episode_id",
        offered=pl.lit("yes"),
        accepted=pl.when(held).then(pl.lit("yes")).otherwise(pl.lit("no")),
        held_at=pl.when(held).then(pl.col("returned_at") + pl.duration(hours="hours")),
        held_at_precision=pl.when(held).then(pl.lit("minute")),
        interviewer=pl.lit("independent"),
        child_account_recorded=pl.lit("yes"),
        actions=pl.lit("safety_plan"),
    )


def load(connection: duckdb.DuckDBPyConnection, episodes: int) -> None:
    """Fill the loaded tables."""
    drawn = draw_episodes(episodes)
    create_delivered_tables(connection)
    load_parameters(connection, _RECEIVED)
    load_reference(connection)
    for dataset, rows in (("missing_episode", drawn), ("return_interview", draw_interviews(drawn))):
        insert_rows(connection, f"intake.{dataset}", rows)
        receipts = rows.select("delivery_id", "borough").unique(maintain_order=True)
        insert_rows(connection, "intake.receipt", receipts.with_columns(received_at=_RECEIVED, file_name="borough"))


def build_each(connection: duckdb.DuckDBPyConnection, tables: tuple[Table, ...]) -> None:
    """Build tables one after the other and print seconds and rows of each; a view costs where it is read."""
    done = []
    for table in tables:
        start = time.perf_counter()
        rows = build_table(connection, table)
        done.append((time.perf_counter() - start, rows or 0, table.qualified))
    for seconds, rows, name in sorted(done, reverse=True):
        print(f"    {name:<40}{rows:>12,} rows{seconds:9.2f} s")


def build(connection: duckdb.DuckDBPyConnection, tables: tuple[Table, ...], label: str) -> dict[str, int]:
    """Build tables as a run does, print the seconds of all together, and return the rows of each."""
    start = time.perf_counter()
    rows = {table.qualified: rows or 0 for table, rows in build_tables(connection, tables)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{label:<58}{time.perf_counter() - start:8.1f} s{peak:8.0f} MB", flush=True)
    return rows


def needed() -> tuple[Table, ...]:
    """Every table of core and patterns with what they are made of."""
    every = tables_needed(("patterns.flag",))
    names = {
        f"{path.parent.name}.{path.stem}" for name in _TIMED for path in every[0].path.parents[1].glob(f"{name}/*.sql")
    }
    return tables_needed(tuple(sorted(names)))


def made_before(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """Those that are made of no table of the timed schemas."""
    after: set[str] = set()
    for table in tables:
        if table.schema in _TIMED or table.reads & after:
            after.add(table.qualified)
    return tuple(table for table in tables if table.qualified not in after)


def main(episodes: int, *, each: bool) -> None:
    """Print what building the tables costs; with `each`, one after the other and of each table."""
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "bench.duckdb", read_only=False) as connection:
        load(connection, episodes)
        before = made_before(needed())
        build(connection, before, "    what core is made of")
        patterns = tuple(table for table in needed() if table not in before)
        indicators = tuple(table for table in tables_needed(_INDICATORS) if table not in needed())
        if each:
            build_each(connection, patterns)
            build_each(connection, indicators)
            return
        number = f"{episodes:,} episodes"
        build(connection, patterns, f"core and patterns, {number}")
        figures = build(connection, indicators, f"every indicator and period, {number}")
        print(f"    {figures[_INDICATORS[0]]:,} figures")


def _pseudonyms(children: pl.Series) -> pl.Series:
    """64 hexadecimal characters for each child."""
    names = children.unique(maintain_order=True)
    codes = [np.random.default_rng(number).bytes(32).hex() for number in range(names.len())]
    return children.replace_strict(names, pl.Series(codes)).alias("child_id")


def _local(name: str) -> pl.Expr:
    return pl.col(name).dt.convert_time_zone("Europe/London").dt.replace_time_zone(None)


if __name__ == "__main__":
    main(int(sys.argv[1]), each="--each" in sys.argv)
