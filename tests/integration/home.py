"""A home that was filled with synthetic deliveries and run, for integration tests."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.home import CONTRACTS, Home
from pipelines.synthetic.demonstration import Demonstration, write_demonstration
from pipelines.warehouse.connection import connect, query_frame
from tests.conftest import ONE_THREAD

MFH = Path(sys.executable).with_name("mfh")


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


def mfh(home: Home, *arguments: str) -> Ran:
    """Run the command line in its own process, as a person does."""
    done = subprocess.run(
        [str(MFH), *arguments], env=environment(home), capture_output=True, text=True, timeout=300, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def environment(home: Home) -> dict[str, str]:
    """The environment of a fresh shell with this home."""
    return fresh_shell() | {"MFH_HOME": str(home.root)}


def fresh_shell() -> dict[str, str]:
    """The environment without what tests or other runs have set."""
    ours = ("DAGSTER_", "MFH_", *ONE_THREAD)
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def fill(
    root: Path, *, scale: float, first: date, last: date, seed: int = 7, linked: bool = False
) -> tuple[Home, Demonstration]:
    """Make a home with synthetic deliveries; `linked` says in the home which of their pseudonyms are one child."""
    home = Home(root)
    made = write_demonstration(
        home.landing,
        first_month=first,
        last_month=last,
        seed=seed,
        scale=scale,
        contracts=CONTRACTS,
        links=None if linked else root / "truth" / "links.yaml",
    )
    assert (made.links == home.links_file) == linked
    return home, made


# Where a child's values belong: what boroughs sent, what was made of it, decisions about children, and pages marked
# OFFICIAL-SENSITIVE.
_STORES = (
    "landing", "deliveries", "accepted", "warehouse", "truth", "flags", "corrections", "links.yaml", "links-seen.jsonl",
    "keys", "site/boroughs", "site/region",
)  # fmt: skip


def outside_stores(home: Home) -> Iterator[tuple[str, str]]:
    """Every other file of a home as text, with its path: logs, events, receipts, feedback, findings, public pages."""
    for path in sorted(path for path in home.root.rglob("*") if path.is_file()):
        name = path.relative_to(home.root).as_posix()
        is_rows = name.startswith("quarantine/") and path.suffix == ".parquet" and ".findings" not in name
        if name.startswith(_STORES) or is_rows:
            continue
        if path.suffix == ".parquet":
            yield name, pl.read_parquet(path).write_json()
        elif path.suffix == ".db":
            with sqlite3.connect(path) as database:
                yield name, "\n".join(database.iterdump())
        else:
            yield name, path.read_bytes().decode("utf-8", errors="replace")


def rows(home: Home, query: str, **parameters: Any) -> pl.DataFrame:
    """Query the snapshot."""
    with connect(home.current_database, read_only=True) as connection:
        return query_frame(connection, query, **parameters)
