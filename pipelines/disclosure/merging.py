"""Several releases searched as one, where they say the same: a shorter way to tables that are possible of all of them.

Cells of an earlier release, away from everything that has changed since, are taken to have the true count that they
have in the next. That leaves out tables that are possible too: what is found is possible, what is not found proves
nothing. The caller checks every table against all facts, and asks the whole question where this is not enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from pipelines.disclosure.attacker import Knowledge, Whole

# How far, in facts, from what has changed a cell may have another count than in the next release.
_HOPS = 2


@dataclass(frozen=True)
class Merged:
    """What is known of the releases as one, and which of its cells stands for each of theirs."""

    known: Knowledge
    stands_for: Whole

    def extreme(self, weight: NDArray[np.float64], seconds: float, gap: float = 0.0) -> Whole:
        """A possible table of great weight, one value for each cell of every release.

        Raises:
            InfeasibleError: if none is possible under this restriction.
            SolverError: if none is found in time.
        """
        added = np.bincount(self.stands_for, weights=weight, minlength=len(self.known.low)).astype(np.float64)
        table: Whole = self.known.extreme(added, seconds, gap)[self.stands_for]
        return table


def merge_releases(known: Knowledge, cells: pl.DataFrame) -> Merged | None:
    """Let cells that say the same in two releases stand for each other, but near what has changed.

    Args:
        known: what is known of all releases.
        cells: release and cell_id of each cell.

    Returns:
        The shorter question; nothing where there is only one release.
    """
    if cells.get_column("release").n_unique() == 1:
        return None
    following = _following(cells)
    has_next = following >= 0
    alike = has_next & (known.low == known.low[following]) & (known.high == known.high[following])
    newest = (cells.get_column("release") == cells.get_column("release").max()).to_numpy()
    changed = ~alike & ~newest
    changed[following[has_next & ~alike]] = True
    apart = _near(known.rows, changed)
    merged = alike & ~apart
    stands_for = np.arange(cells.height)
    # From the newest release back, so that a cell finds where the next one has gone.
    for cell in np.flatnonzero(merged)[np.argsort(-cells.get_column("release").to_numpy()[merged], kind="stable")]:
        stands_for[cell] = stands_for[following[cell]]
    kept, stands_for = np.unique(stands_for, return_inverse=True)
    onto = sparse.coo_array(
        (np.ones(cells.height, dtype=np.int64), (np.arange(cells.height), stands_for)), shape=(cells.height, len(kept))
    ).tocsr()
    rows = sparse.csr_array(known.rows @ onto)
    rows.eliminate_zeros()
    facts = _distinct(rows, known.most)
    reasons = tuple(known.reasons[fact] for fact in facts)
    return Merged(
        Knowledge(
            known.low[kept], known.high[kept], rows[facts].tocsr(), known.most[facts], known.local[facts], reasons
        ),
        stands_for,
    )


def _following(cells: pl.DataFrame) -> Whole:
    """The number of the same cell in the next release that has it, or -1."""
    numbered = cells.select("release", "cell_id").with_row_index("cell").sort("cell_id", "release")
    following = numbered.with_columns(next=pl.col("cell").cast(pl.Int64).shift(-1).over("cell_id")).sort("cell")
    found: Whole = following.get_column("next").fill_null(-1).to_numpy()
    return found


def _near(rows: sparse.csr_array, changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells that so many facts link with changed ones."""
    links = abs(rows).sign()
    near = changed.astype(np.int64)
    for _ in range(_HOPS):
        near = ((links.T @ (links @ near)) + near > 0).astype(np.int64)
    return near > 0


def _distinct(rows: sparse.csr_array, most: NDArray[np.float64]) -> Whole:
    """The facts that say something, each once."""
    rows.sort_indices()
    first: dict[bytes, int] = {}
    for fact in np.flatnonzero(np.diff(rows.indptr)):
        at = slice(rows.indptr[fact], rows.indptr[fact + 1])
        said = rows.indices[at].tobytes() + rows.data[at].tobytes() + most[[fact]].tobytes()
        first.setdefault(said, int(fact))
    return np.array(sorted(first.values()), dtype=np.int64)
