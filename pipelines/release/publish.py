"""From true counts in the warehouse to the `published` tables, through disclosure control and the ledger.

The only writer of `published.*`. Either every cell of the plan passes the audit together with everything published
before, or nothing changes. Figures (percentages, rates, limits) are derived afterwards in `sql/published/`, from
these counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import duckdb
import polars as pl

from pipelines.disclosure.cells import PUBLISHED_CELL
from pipelines.disclosure.errors import RoundingKeyError
from pipelines.disclosure.key import KEY_FILE_VARIABLE, RoundingKey, create_key, read_key
from pipelines.disclosure.ledger import LEDGER, append_release, read_ledger
from pipelines.disclosure.outside import outside_counts
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.policy_file import load_policy, policy_path
from pipelines.disclosure.protect import Past, Protection, protect
from pipelines.home import CONTRACTS, Home
from pipelines.intake.store import write_parquet, write_text
from pipelines.region import load_region
from pipelines.release.revisions import revisions
from pipelines.warehouse.connection import query_frame, replace_table

PUBLISHED_TABLES = ("published.count_cell", "published.parameter", "published.ledger_cell", "published.audit")
Progress = Callable[[str, int, int], None]

_WITNESSES = "witnesses.parquet"


@dataclass(frozen=True)
class Publication:
    """What was published: its id and how many cells."""

    release_id: str
    cells: int


def publish(
    connection: duckdb.DuckDBPyConnection, home: Home, contracts: Path = CONTRACTS, progress: Progress | None = None
) -> Publication:
    """Protect the counts of the publication plan and write the `published` tables.

    Raises:
        DisclosureError: the key, the ledger, the plan or the audit refuses; the published tables stay as they were.
    """
    geography = Geography.of(load_region(contracts))
    policy = load_policy(policy_path(contracts))
    key = rounding_key(home)
    over = query_frame(connection, "select distinct period_type from statistics.period").to_series().to_list()
    policy = policy.covering(over)
    counted = query_frame(connection, "select * from statistics.publication_cell order by cell_id")
    if not policy.tables:
        # No month is over yet: there is nothing to publish, and nothing for the ledger.
        release_id = _release_id(pl.DataFrame(schema=PUBLISHED_CELL), policy)
        _write_tables(connection, home, release_id, pl.DataFrame(schema=PUBLISHED_CELL), policy, report="")
        return Publication(release_id, 0)
    earlier = read_ledger(home.root)
    protection = protect(
        counted.filter(~pl.col("is_difference")),
        policy,
        key,
        geography,
        behind=counted.filter("is_difference").select("cell_id", "children"),
        past=Past(earlier if earlier.height else None, outside_counts(policy, contracts), _remembered(home)),
        progress=progress,
    )
    release_id = _release_id(protection.cells, policy)
    append_release(
        home.root, release_id, protection.cells, policy_version=policy.version, key_fingerprint=key.fingerprint
    )
    _write_tables(connection, home, release_id, protection.cells, policy, report=protection.public.to_json())
    _keep_audit(home, release_id, protection)
    _keep_revisions(home, release_id, revisions(earlier, protection.cells, counted, policy.base))
    return Publication(release_id, protection.cells.height)


def _remembered(home: Home) -> pl.DataFrame | None:
    """What the last audit found possible. It is checked again before it is believed, so a lost file only costs time."""
    try:
        return pl.read_parquet(home.root / "audit" / _WITNESSES)
    except (OSError, pl.exceptions.PolarsError):
        return None


def _keep_audit(home: Home, release_id: str, protection: Protection) -> None:
    """Keep the public report, and on the restricted side what was attacked, how long it took and the witnesses."""
    folder, report = home.root / "audit", protection.report
    write_text(folder / f"{release_id}.json", protection.public.to_json())
    seconds = pl.lit(report.seconds + protection.public.seconds).round(1)
    write_text(folder / f"{release_id}.restricted.csv", report.verdicts.with_columns(seconds=seconds).write_csv())
    write_parquet(folder / _WITNESSES, report.witnesses)


def _keep_revisions(home: Home, release_id: str, moved: pl.DataFrame) -> None:
    """Keep on the restricted side which figures moved and why; a run that publishes nothing new leaves it as it was."""
    if moved.height:
        write_text(home.root / "audit" / f"{release_id}.revisions.csv", moved.write_csv())


def rounding_key(home: Home) -> RoundingKey:
    """Read the series' key: the file named in the environment, else the home's, made before the first release.

    Raises:
        RoundingKeyError: something has been published and its key is gone.
    """
    if os.environ.get(KEY_FILE_VARIABLE):
        return read_key()
    if home.rounding_key.exists():
        return read_key(home.rounding_key)
    if read_ledger(home.root).height:
        msg = f"Figures have been published, but their rounding key {home.rounding_key} is gone; bring it back."
        raise RoundingKeyError(msg)
    return create_key(home.rounding_key)


def _release_id(cells: pl.DataFrame, policy: Policy) -> str:
    """Name the content: the same published counts under the same policy always have the same id.

    Nothing but what is published goes into it, or the id would tell whether a hidden count had changed.
    """
    digest = sha256(f"mfh:release:v2|{policy.version}".encode())
    digest.update(cells.write_csv().encode())
    return f"site-{digest.hexdigest()[:12]}"


def _write_tables(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    release_id: str,
    cells: pl.DataFrame,
    policy: Policy,
    *,
    report: str,
) -> None:
    connection.execute("create schema if not exists published")
    replace_table(connection, "published.count_cell", cells.select(*PUBLISHED_CELL))
    replace_table(connection, "published.ledger_cell", read_ledger(home.root).select(*LEDGER))
    replace_table(connection, "published.audit", pl.DataFrame({"release_id": [release_id], "report": [report]}))
    connection.execute(
        """
        create or replace table published.parameter as
        select
            $release_id as release_id,
            $base::integer as base,
            $minimum_percentage_base::integer as minimum_percentage_base,
            $policy_version as policy_version,
            (select max(parameter.as_at) from run.parameter as parameter) as as_at,
            (select max(data_cut.data_to) from quality.data_cut as data_cut) as data_to,
            coalesce((select bool_or(receipt.synthetic) from intake.receipt as receipt), false) as synthetic
        """,
        {
            "release_id": release_id,
            "base": policy.base,
            "minimum_percentage_base": policy.minimum_percentage_base,
            "policy_version": policy.version,
        },
    )
