"""`make bench`: seconds and memory of the whole way, beside the bare DuckDB work on the same rows.

Prints a table; asserts nothing, since a timing in a test is a coin toss. To be read against: `make run` on an empty
home at most 90 s and 2 GB on two cores; a delivery of 200,000 rows at least 100,000 rows a second and 1 GB; core and
patterns of 1,000,000 episodes at most 30 s and 4 GB, and at most 12 times what 100,000 cost; every indicator and period
of them at most 20 s; rounding the table of 990 cells at most 15 s, protecting and attacking ten years of the plan at
most 5 minutes and 4 GB, and after late records at most 20 s.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from pipelines.home import Home
from pipelines.warehouse.connection import connect
from pipelines.warehouse.graph import build_table, load_tables

_MFH = Path(sys.executable).with_name("mfh")


def _timed(label: str, *command: str) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{label:<58}{seconds:8.1f} s{peak:8.0f} MB so far   exit {done.returncode}", flush=True)
    if done.returncode == 0 and "run" in command:
        _print_slowest(done.stderr)
    return seconds


def _print_slowest(progress: str, most: int = 8) -> None:
    steps = [line.rsplit("  ", 1) for line in progress.splitlines() if line.endswith(" s") and "] " in line]
    for name, seconds in sorted(steps, key=lambda step: -float(step[1].split()[0]))[:most]:
        print(f"    {name.split('] ', 1)[1]:<54}{seconds:>10}")


def _bare_sql(home: Home) -> float:
    """Every table of `sql/` from the accepted rows, in one connection, nothing else."""
    start = time.perf_counter()
    with connect(home.working_database, read_only=False) as connection:
        for table in load_tables():
            build_table(connection, table)
    return time.perf_counter() - start


def _bare_read(home: Home) -> float:
    """DuckDB reading every CSV delivery as text that it can read by itself, nothing else."""
    files = [str(path) for path in home.landing.rglob("*.csv*")]
    start = time.perf_counter()
    with duckdb.connect() as connection:
        for file in files:
            with suppress(duckdb.InvalidInputException):  # UTF-16 and titles above the header
                connection.execute(
                    "select count(*) from read_csv($file, all_varchar = true)", {"file": file}
                ).fetchall()
    return time.perf_counter() - start


def main() -> None:
    """Run the benchmark in a temporary home."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        demo = _timed("mfh demo, five years, ten boroughs", str(_MFH), "demo", "--out", str(home.landing))
        run = _timed("mfh run, empty home", str(_MFH), "run", "--home", folder)
        print(f"{'make run on an empty home (the two together)':<58}{demo + run:8.1f} s")
        _timed("mfh run again, nothing new", str(_MFH), "run", "--home", folder)
        print("one SSDA903 delivery of 200,000 rows after pseudonymise, import of Great Expectations not counted")
        subprocess.run([sys.executable, "-m", "tests.bench_intake"], check=True)
        for episodes in ("100000", "1000000"):
            subprocess.run([sys.executable, "-m", "tests.bench_patterns", episodes], check=True)
        for part in ("tests.bench_disclosure", "tests.bench_publication"):
            subprocess.run([sys.executable, "-m", part], check=True)
        print(f"{'bare DuckDB: read every CSV delivery':<58}{_bare_read(home):8.1f} s")
        print(f"{'bare DuckDB: every table of sql/':<58}{_bare_sql(home):8.1f} s")


if __name__ == "__main__":
    main()
