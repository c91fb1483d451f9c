"""What the attack aims at: counts, differences of counts and shares, as weights over cells, and what each must keep.

Belongs to the audit's side: built from coordinates and the policy alone, without the protector's code. How values are
searched for belongs to `attacker`; verdicts to `audit`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from pipelines.disclosure.policy import TOTAL, TOTAL_VALUE, Count, Policy, Share

Whole = NDArray[np.int64]

# small      few children stand behind a count, or behind a group that counts give away as a difference
# possible   by its printed value few children may stand behind it: what anybody would try first
# dominated  one child makes most of a count of episodes; `upper` is what it must be thought able to be
# share      a part of a small group, `whole_id`: it must not be known to be none, all, or all but one of it
KINDS = ("small", "possible", "dominated", "share")
TARGET = {"target_id": pl.String, "kind": pl.String, "count": pl.Int64, "upper": pl.Int64, "whole_id": pl.String}

_PLACE = ["basis", "area_code", "period_type", "period_start"]


@dataclass(frozen=True)
class Targets:
    """Targets as weights over the cells of a release.

    Attributes:
        ids: name of each; both sides of a share have that of the part.
        kinds: one of `KINDS` each.
        weights: targets x cells, whole numbers; the value of a target in a table is `weights @ table`.
        upper: what a dominated count must be thought able to be; else 0.
    """

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    weights: sparse.csr_array
    upper: Whole

    def only(self, chosen: Whole) -> Targets:
        """Some of them, in that order."""
        return Targets(
            tuple(self.ids[number] for number in chosen),
            tuple(self.kinds[number] for number in chosen),
            self.weights[chosen].tocsr(),
            self.upper[chosen],
        )


def find_targets(cells: pl.DataFrame, wanted: pl.DataFrame, policy: Policy) -> Targets:
    """Turn named targets into weights.

    Args:
        cells: published cells with their coordinates; row number = cell number.
        wanted: columns of `TARGET`; ids are those of cells, or of differences as `differences` names them.
        policy: its differences say what the others are.

    Returns:
        Those that are published cells or differences of published cells.
    """
    terms = pl.concat([_own(cells), differences(cells, policy).select("target_id", "cell", "coefficient")])
    whole = terms.rename({"target_id": "whole_id"})
    asked = wanted.unique(["target_id", "kind", "whole_id"], maintain_order=True).sort("target_id", "kind")
    asked = (
        asked.join(terms, on="target_id", how="semi")
        .with_row_index("target")
        .with_columns(pl.col("target").cast(pl.Int64))
    )
    parts = asked.join(terms, on="target_id").select("target", "cell", "coefficient")
    shares = asked.filter(kind="share").with_columns(rest=pl.int_range(pl.len()) + asked.height)
    minus = shares.join(terms, on="target_id").select(target="rest", cell="cell", coefficient=-pl.col("coefficient"))
    plus = shares.join(whole, on="whole_id").select(target="rest", cell="cell", coefficient="coefficient")
    entries = pl.concat([parts, minus, plus])
    size = asked.height + shares.height
    weights = sparse.coo_array(
        (entries["coefficient"].to_numpy(), (entries["target"].to_numpy(), entries["cell"].to_numpy())),
        shape=(size, cells.height),
    )
    every = pl.concat([asked.drop("target"), shares.drop("target", "rest")])
    return Targets(
        ids=tuple(every["target_id"]),
        kinds=tuple(every["kind"]),
        weights=weights.tocsr().astype(np.int64),
        upper=every["upper"].fill_null(0).to_numpy(),
    )


def differences(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The policy's differences wherever all their counts are published.

    Args:
        cells: published cells with their coordinates; row number = cell number.
        policy: what the differences are.

    Returns:
        target_id (the difference's name at a place, in the form of a cell_id), cell, coefficient.
    """
    numbered = _numbered(cells)
    found = [
        numbered.filter(basis=difference.basis)
        .join(_terms(difference.terms), on=["measure", "breakdown", "breakdown_value"])
        .filter(pl.len().over(_PLACE) == len(difference.terms))
        .select(_place_id(difference.id), "cell", "coefficient")
        for difference in policy.differences
    ]
    schema = {"target_id": pl.String, "cell": pl.Int64, "coefficient": pl.Int64}
    return pl.concat([pl.DataFrame(schema=schema), *found])


def shares(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The policy's shares wherever both counts are published: target_id (of the part) and whole_id."""
    found = [_share(cells, share) for share in policy.shares]
    return pl.concat([pl.DataFrame(schema={"target_id": pl.String, "whole_id": pl.String}), *found])


def possible_targets(cells: pl.DataFrame, low: Whole, high: Whole, policy: Policy) -> pl.DataFrame:
    """What anybody would try: every count and difference that by its printed values alone may be of few children.

    Args:
        cells: published cells with their coordinates.
        low: least value of each cell by its own printed value.
        high: greatest value of each.
        policy: what few is.

    Returns:
        Columns of `TARGET`, kind "possible".
    """
    terms = pl.concat([_own(cells), differences(cells, policy)])
    window = pl.DataFrame({"cell": np.arange(cells.height), "low": low, "high": high})
    adds = pl.col("coefficient") > 0
    reach = (
        terms.join(window, on="cell")
        .group_by("target_id")
        .agg(
            low=(pl.col("coefficient") * pl.when(adds).then("low").otherwise("high")).sum(),
            high=(pl.col("coefficient") * pl.when(adds).then("high").otherwise("low")).sum(),
        )
    )
    few = (pl.col("low") <= policy.unsafe_to) & (pl.col("high") >= policy.unsafe_from)
    return as_targets(reach.filter(few).sort("target_id"), "possible")


def as_targets(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Give a frame with target_id the other columns of `TARGET`, empty where it has none."""
    empty = [pl.lit(None, dtype=TARGET[name]).alias(name) for name in TARGET if name not in frame.columns]
    return frame.with_columns(*empty).with_columns(kind=pl.lit(kind)).select(*TARGET)


def _own(cells: pl.DataFrame) -> pl.DataFrame:
    """Each cell as a target of its own."""
    return _numbered(cells).select(target_id="cell_id", cell="cell", coefficient=pl.lit(1, dtype=pl.Int64))


def _share(cells: pl.DataFrame, share: Share) -> pl.DataFrame:
    part, whole = (cells.filter(_is(count)) for count in (share.part, share.whole))
    return part.join(whole.select(*_PLACE, whole_id="cell_id"), on=_PLACE).select(
        target_id="cell_id", whole_id="whole_id"
    )


def _is(count: Count) -> pl.Expr:
    return (
        (pl.col("measure") == count.measure)
        & (pl.col("breakdown") == count.breakdown)
        & (pl.col("breakdown_value") == count.value)
    )


def _terms(terms: Iterable[tuple[Count, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(count.measure, count.breakdown, count.value, coefficient) for count, coefficient in terms],
        schema={
            "measure": pl.String,
            "breakdown": pl.String,
            "breakdown_value": pl.String,
            "coefficient": pl.Int64,
        },
        orient="row",
    )


def _place_id(difference: str) -> pl.Expr:
    start = pl.col("period_start").dt.to_string("iso")
    total = pl.lit(f"{TOTAL}|{TOTAL_VALUE}")
    return pl.concat_str(pl.lit(difference), "basis", "area_code", "period_type", start, total, separator="|").alias(
        "target_id"
    )


def _numbered(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.with_row_index("cell").with_columns(pl.col("cell").cast(pl.Int64))
