"""Which published figures moved since the release before, and why: for the restricted side.

The public side lists which (`published.revision`). Why is known from true counts, and would narrow them: that an
unchanged count moved says that it lies between two printed ones.
"""

from __future__ import annotations

import polars as pl

from pipelines.disclosure.ledger import last_said

REVISION = {"cell_id": pl.String, "before": pl.Int64, "now": pl.Int64, "why": pl.String}
CHANGED, BESIDE, HIDDEN, SHOWN = (
    "the data changed: the figure before is no neighbouring multiple of the true count any more",
    "moved so that others add up: the figure before was near enough to the true count",
    "hidden for the first time",
    "shown again",
)


def revisions(earlier: pl.DataFrame, published: pl.DataFrame, true: pl.DataFrame, base: int) -> pl.DataFrame:
    """Compare a release with what was published last.

    Args:
        earlier: columns of `ledger.LEDGER`, every release before.
        published: columns of `cells.PUBLISHED_CELL`.
        true: cell_id and true count.
        base: rounding base.

    Returns:
        Columns of `REVISION`, one row for each figure that is not what it was, by cell_id. Restricted.
    """
    last = last_said(earlier).select("cell_id", before="count", was="symbol")
    both = published.join(last, on="cell_id").join(true.select("cell_id", true="count"), on="cell_id")
    hidden, was_hidden = pl.col("symbol") == "c", pl.col("was") == "c"
    moved = both.filter(pl.col("before").ne_missing(pl.col("count")))
    return moved.select(
        "cell_id",
        "before",
        now="count",
        why=pl.when(hidden)
        .then(pl.lit(HIDDEN))
        .when(was_hidden)
        .then(pl.lit(SHOWN))
        .when((pl.col("before") - pl.col("true")).abs() < base)
        .then(pl.lit(BESIDE))
        .otherwise(pl.lit(CHANGED)),
    ).sort("cell_id")
