"""Rounding and audit, timed: table GM4 alone, and the whole publication plan of ten years of a region.

Run as `python -m tests.bench_publication [episodes]`. Prints cells, equations and seconds, and what is lost: the mean
absolute change of a count, the share of counts that are not the true ones, and how many are hidden. The plan is
published three times: for the first time, again with nothing new, and after late records of one month.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from pipelines.disclosure.audit import AuditReport
from pipelines.disclosure.cells import PUBLISHED_CELL
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.ledger import last_said
from pipelines.disclosure.outside import outside_counts
from pipelines.disclosure.policy import Geography
from pipelines.disclosure.policy_file import load_policy, policy_path
from pipelines.disclosure.protect import Past, Protection, protect
from pipelines.disclosure.rounding import round_counts
from pipelines.disclosure.system import System
from pipelines.home import CONTRACTS
from pipelines.region import load_region
from pipelines.warehouse.connection import connect, query_frame
from pipelines.warehouse.graph import build_table, tables_needed
from tests.bench_patterns import load
from tests.builders.gm4 import gm4

KEY = RoundingKey(bytes(range(32)))
POLICY = load_policy(policy_path(CONTRACTS))
EPISODES = 186_847  # of ten years of Greater Manchester, as the demonstration draws them
_LATE = "delete from intake.missing_episode where started_at >= timestamp '2026-03-01' and hash(episode_id) % 20 = 0"


@dataclass(frozen=True)
class Counted:
    """True cells of the plan, and the children behind its differences."""

    cells: pl.DataFrame
    behind: pl.DataFrame


def round_gm4(seed: int) -> None:
    """Round the simulated table with every margin to proved optimality."""
    cube = gm4(seed)
    counts = np.asarray(cube.counts)
    cells = pl.DataFrame(
        {
            "cell_id": [str(number) for number in range(len(counts))],
            "count": counts,
            "children": counts,
            "method": ["controlled_rounding"] * len(counts),
        }
    )
    facts = cube.rows.shape[0]
    nothing = np.zeros((0, 2), dtype=np.int64)
    system = System(cells, cube.rows, np.ones(facts, dtype=bool), ("sum",) * facts, nothing, ())
    start = time.perf_counter()
    rounded = round_counts(system, POLICY, KEY)
    _print(f"GM4, seed {seed}, rounded", len(counts), facts, time.perf_counter() - start)
    _lost(counts, rounded.counts)


def publish_ten_years(episodes: int) -> None:
    """Publish the whole plan for the first time, again, and after late records."""
    geography = Geography.of(load_region(CONTRACTS))
    outside = outside_counts(POLICY, CONTRACTS)
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "bench.duckdb", read_only=False) as connection:
        load(connection, episodes)
        whole = _counted(connection, "the plan's counts")
        connection.execute(_LATE)
        early = _counted(connection, "the same without late records")
    ledger = None
    witnesses = None
    for label, counted in (("first publication", early), ("again, nothing new", early), ("after late records", whole)):
        start = time.perf_counter()
        made = protect(
            counted.cells, POLICY, KEY, geography, behind=counted.behind, past=Past(ledger, outside, witnesses)
        )
        _print(label, made.cells.height, made.report.facts, time.perf_counter() - start)
        _told(made, counted.cells, ledger)
        sequence = 1 if ledger is None else int(ledger["sequence"].max()) + 1  # type: ignore[arg-type]  # whole numbers
        said = made.cells.with_columns(sequence=pl.lit(sequence, dtype=pl.Int64), release_id=pl.lit(f"r{sequence}"))
        ledger = said if ledger is None else pl.concat([ledger, said])
        witnesses = made.report.witnesses


def _counted(connection: duckdb.DuckDBPyConnection, label: str) -> Counted:
    seconds = {}
    for table in tables_needed(("statistics.publication_cell",)):
        start = time.perf_counter()
        build_table(connection, table)
        seconds[table.qualified] = time.perf_counter() - start
    ours = sum(seconds[name] for name in ("statistics.contribution", "statistics.publication_cell"))
    print(f"{label}: counted in {ours:.1f} s (tables before them {sum(seconds.values()) - ours:.1f} s)")
    cells = query_frame(connection, "select * from statistics.publication_cell order by cell_id")
    return Counted(cells.filter(~pl.col("is_difference")), cells.filter("is_difference").select("cell_id", "children"))


def _told(made: Protection, true: pl.DataFrame, ledger: pl.DataFrame | None) -> None:
    both = made.cells.join(true.select("cell_id", true="count"), on="cell_id")
    shown = both.drop_nulls("count")
    _lost(shown["true"].to_numpy(), shown["count"].to_numpy())
    print(f"    hidden: {made.cells.filter(symbol='c').height}; attacked: {_attacked(made.report)} knowing which are")
    print(f"    small, {_attacked(made.public)} knowing what is public; second solver: {made.public.cross_checked}")
    if ledger is not None:
        last = last_said(ledger).select(*PUBLISHED_CELL)
        moved = made.cells.join(last, on="cell_id", suffix="_before").filter(
            pl.col("count").ne_missing(pl.col("count_before"))
        )
        print(f"    figures that moved since the release before: {moved.height}")


def _attacked(report: AuditReport) -> str:
    return f"{report.attacked:,} in {report.seconds:.1f} s"


def _lost(true: np.ndarray, printed: np.ndarray) -> None:
    change = np.abs(printed - true)
    print(f"    mean change {change.mean():.2f}; counts that are not the true ones {100 * (change > 0).mean():.0f} %")


def _print(label: str, cells: int, facts: int, seconds: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{label:<40}{cells:>8,} cells{facts:>8,} facts{seconds:>8.1f} s{peak:>7.0f} MB", flush=True)


if __name__ == "__main__":
    for number in range(3):
        round_gm4(number)
    publish_ten_years(int(sys.argv[1]) if len(sys.argv) > 1 else EPISODES)
