"""A public folder as an attacker finds it: printed cells of every release, the policy, and nothing else.

Reads it for `audit_folder`, the attack that anybody can run; `evidence` writes it. True counts, keys and the
warehouse are out of reach here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.disclosure.attacker import Knowledge, public_knowledge
from pipelines.disclosure.audit import AuditReport, Search, audit, what_anybody_would_try
from pipelines.disclosure.cells import PUBLISHED_CELL
from pipelines.disclosure.errors import CellsError
from pipelines.disclosure.evidence import CELL_COLUMNS, CELLS, POLICY, RENAMED
from pipelines.disclosure.outside import outside_counts
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.policy_file import load_policy


@dataclass(frozen=True)
class Released:
    """What a public folder shows.

    Attributes:
        release_id: its newest release.
        cells: printed cells of that release, columns of `cells.PUBLISHED_CELL`.
        earlier: those of the releases before it, columns of the ledger that are public.
        policy: the policy that the folder states, for the period types that it has.
    """

    release_id: str
    cells: pl.DataFrame
    earlier: pl.DataFrame
    policy: Policy


def read_released(folder: Path) -> Released:
    """Read a public folder.

    Raises:
        CellsError: there are no cells, or they cannot be read.
        PolicyError: there is no policy, or it cannot be carried out.
    """
    policy = load_policy(folder / POLICY)
    try:
        every = pl.read_csv(folder / CELLS, schema=dict(CELL_COLUMNS)).with_columns(pl.col("symbol").fill_null(""))
    except (OSError, pl.exceptions.PolarsError):
        # Without the cause: it would quote the value that could not be read.
        message = f"{folder / CELLS} cannot be read; the folder must hold {CELLS} and {POLICY} as they were published."
        raise CellsError(message) from None
    if every.is_empty():
        message = f"{folder / CELLS} holds no cells."
        raise CellsError(message)
    last = every.get_column("release").max()
    newest, earlier = every.filter(pl.col("release") == last), every.filter(pl.col("release") != last)
    return Released(
        release_id=newest.item(0, "release_id"),
        cells=newest.select(*PUBLISHED_CELL),
        earlier=earlier.rename({new: old for old, new in RENAMED.items()}),
        policy=policy.covering(newest.get_column("period_type").unique().to_list()),
    )


def audit_folder(folder: Path, geography: Geography, contracts: Path, search: Search | None = None) -> AuditReport:
    """Attack a public folder with nothing but what it and others publish.

    Which counts are small in truth is not known here, so every one is attacked that may be by what is printed.

    Args:
        folder: a public folder with cells and policy.
        geography: the region and its boroughs.
        contracts: the folder `data_contracts`, for the counts that others publish.
        search: limits and progress.

    Returns:
        The report.

    Raises:
        DisclosureError: the folder cannot be read.
    """
    released = read_released(folder)
    return audit_printed(
        released.cells,
        released.policy,
        geography,
        earlier=released.earlier if released.earlier.height else None,
        outside=outside_counts(released.policy, contracts),
        search=search,
    )


def audit_printed(
    printed: pl.DataFrame,
    policy: Policy,
    geography: Geography,
    *,
    earlier: pl.DataFrame | None,
    outside: pl.DataFrame | None,
    search: Search | None = None,
) -> AuditReport:
    """Attack printed cells with public knowledge only, so that nothing in the report depends on a true count.

    Args:
        printed: cells as they are printed, columns of `cells.PUBLISHED_CELL`.
        policy: the policy, for the period types that there are.
        geography: the region and its boroughs.
        earlier: what earlier releases printed.
        outside: counts that others publish, of the same children or not.
        search: limits and progress.

    Returns:
        The report, the same for everybody who has the same.
    """
    cells = with_deduced(printed, policy, geography)
    wanted = what_anybody_would_try(cells, policy)
    return audit(cells, wanted, policy, geography, earlier=earlier, outside=outside, search=search)


def with_deduced(cells: pl.DataFrame, policy: Policy, geography: Geography) -> pl.DataFrame:
    """Fill in rounded counts behind the symbol x that the other printed counts give away.

    Rounded counts add up, so a sum with one count missing says what it is; its distance from the truth is known.
    """
    ordered = cells.sort("cell_id")
    known = public_knowledge(ordered.with_columns(release=1, empty=pl.lit(value=False)), policy, geography)
    adds = _sums_of_rounded(known, ordered)
    counts = ordered.get_column("count").cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
    spoken = abs(adds.rows).sign()
    before = -1
    while (missing := int(np.isnan(counts).sum())) != before:
        before = missing
        unknown = np.isnan(counts)
        for fact in np.flatnonzero(spoken @ unknown.astype(np.int64) == 1):
            entries = slice(adds.rows.indptr[fact], adds.rows.indptr[fact + 1])
            at, factors = adds.rows.indices[entries], adds.rows.data[entries]
            gap = np.isnan(counts[at])
            if gap.sum() == 1:
                counts[at[gap]] = -(factors[~gap] @ counts[at[~gap]]) / factors[gap]
    silent = (ordered.get_column("symbol") == "c").to_numpy() | np.isnan(counts)
    filled = pl.Series("count", np.where(silent, 0, counts)).cast(pl.Int64)
    return ordered.with_columns(count=pl.when(pl.Series(~silent)).then(filled))


def _sums_of_rounded(known: Knowledge, cells: pl.DataFrame) -> Knowledge:
    """The equations between counts that were all rounded: in them rounded counts add up as true ones do."""
    others = (cells.get_column("method") != "controlled_rounding") | (cells.get_column("symbol") == "c")
    rounded = known.without(np.flatnonzero(others.to_numpy()))
    exact = np.flatnonzero(rounded.most == 0)
    reasons = tuple(rounded.reasons[fact] for fact in exact)
    return replace(
        rounded, rows=rounded.rows[exact].tocsr(), most=rounded.most[exact], local=rounded.local[exact], reasons=reasons
    )
