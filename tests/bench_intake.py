"""Reading, mapping and judging one large delivery, timed by its parts. Run as a program by `tests.bench`.

Prints a line a part, then rows a second and the peak memory of this process; importing Great Expectations is not
counted.
"""

from __future__ import annotations

import io
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

import duckdb
import numpy as np
import polars as pl

from pipelines.home import CONTRACTS
from pipelines.intake.examine import examine, opened, understand
from pipelines.intake.judge import judge
from pipelines.intake.sources import recognise
from pipelines.region import load_region

ROWS = 200_000
Done = TypeVar("Done")
_RECEIVED = datetime(2026, 4, 20, 12, tzinfo=UTC)


def delivery(rows: int = ROWS, seed: int = 1) -> bytes:
    """Return a made-up SSDA903 delivery after `mfh pseudonymise`: 64-character codes, dates, one row in twenty open."""
    draw = np.random.default_rng(seed)
    children = pl.DataFrame(
        {
            "CHILD": [draw.bytes(32).hex() for _ in range(rows // 4)],
            "AGE_AT_START": draw.integers(10, 17, rows // 4),
            "MISSING": draw.choice(["M", "A"], rows // 4),
        }
    )
    start = pl.Series(draw.integers(0, 364, rows)).cast(pl.Int32) + (date(2025, 4, 1) - date(1970, 1, 1)).days
    frame = pl.DataFrame(
        {
            "child": draw.integers(0, children.height, rows),
            "MIS_START": start.cast(pl.Date),
            "MIS_END": (start + draw.integers(0, 10, rows)).cast(pl.Date),
        }
    ).with_columns(
        pl.col("MIS_START").dt.strftime("%d/%m/%Y"),
        pl.when(pl.Series(draw.random(rows) > 0.05)).then(pl.col("MIS_END").dt.strftime("%d/%m/%Y")),
    )
    out = io.BytesIO()
    pl.concat([children[frame["child"]], frame.drop("child")], how="horizontal").write_csv(out)
    return out.getvalue()


def timed(label: str, work: Callable[[], Done]) -> tuple[Done, float]:
    """Do a piece of work and print how long it took."""
    start = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - start
    print(f"    {label:<54}{seconds:10.2f} s", flush=True)
    return done, seconds


def main() -> None:
    """Time the parts, then the whole once more."""
    import great_expectations.expectations  # noqa: F401 - not counted

    data, borough = delivery(), load_region().boroughs[0]
    judge([examine("warm.csv", delivery(200), borough, _RECEIVED, "warm")])  # first use of every library
    table, read = timed("reading", lambda: opened("bench.csv", data, borough))
    source = recognise(table.header, CONTRACTS, borough.slug)
    file, understood = timed(
        "identifiers, mapping, parsing", lambda: understand(table, source, borough, _RECEIVED, "bench")
    )
    judged, judging = timed("judging, Great Expectations and SQL", lambda: judge([file]))
    seconds = read + understood + judging
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"    {ROWS:,} rows, {judged.findings.height:,} findings: {ROWS / seconds:,.0f} rows a second, {peak:.0f} MB")
    with tempfile.NamedTemporaryFile(suffix=".csv") as file_on_disk, duckdb.connect() as connection:
        file_on_disk.write(data)
        file_on_disk.flush()
        query = "select count(*), count(MIS_END) from read_csv($file, all_varchar = true)"
        timed("bare DuckDB read_csv", lambda: connection.execute(query, {"file": file_on_disk.name}).fetchall())


if __name__ == "__main__":
    main()
