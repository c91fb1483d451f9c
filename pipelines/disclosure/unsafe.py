"""The primary test: which true counts, differences and shares must not be worked out, and why.

Decides from true counts and the children behind them; what is then done about it is not here.
"""

from __future__ import annotations

import polars as pl

from pipelines.disclosure.policy import Policy
from pipelines.disclosure.targets import as_targets, differences, shares

DIFFERENCE = {"cell_id": pl.String, "children": pl.Int64}


def unsafe_targets(cells: pl.DataFrame, behind: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Find everything that the audit has to protect.

    Args:
        cells: true cells of the plan, columns of `cells.TRUE_CELL`.
        behind: cell_id and children of the policy's differences of episodes, where there are any.
        policy: what few is, when one child dominates, and which shares say something of each member of a group.

    Returns:
        Columns of `targets.TARGET`. Few are counted in distinct children: two children with thirty episodes are few.
    """
    return pl.concat(
        [
            as_targets(_few(cells.select(target_id="cell_id", count="count", children="children"), policy), "small"),
            as_targets(_few(_differences(cells, behind, policy), policy), "small"),
            as_targets(_dominated(cells, policy), "dominated"),
            as_targets(_shares(cells, policy), "share"),
        ]
    )


def _few(counted: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    return counted.filter(pl.col("children").is_between(policy.unsafe_from, policy.unsafe_to))


def _differences(cells: pl.DataFrame, behind: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The differences of the plan; where it is not known who is behind one, each unit counts as a child."""
    numbered = cells.select("count").with_row_index("cell").with_columns(pl.col("cell").cast(pl.Int64))
    return (
        differences(cells, policy)
        .join(numbered, on="cell")
        .group_by("target_id")
        .agg(count=(pl.col("coefficient") * pl.col("count")).sum())
        .join(behind.select(target_id="cell_id", children="children"), on="target_id", how="left")
        .with_columns(children=pl.coalesce("children", "count"))
        .sort("target_id")
    )


def _dominated(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Counts of episodes of which one child has most; of children, none has more than one."""
    of_episodes = [measure.name for measure in policy.measures.values() if measure.unit == "episode"]
    upper = policy.needed_upper(pl.col("count"), pl.col("largest"), pl.col("second_largest"))
    return (
        cells.filter(pl.col("measure").is_in(of_episodes), pl.col("children") > policy.unsafe_to)
        .with_columns(upper=upper)
        .filter(pl.col("upper") > pl.col("count"))
        .select(target_id="cell_id", count="count", upper="upper")
    )


def _shares(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Parts of small groups, where it could be told who is part of them; nothing is told by what was not received."""
    told = cells.filter(pl.col("coverage") != "none")
    groups = told.filter(pl.col("children").is_between(policy.unsafe_from, policy.share_group_to))
    known = told.select("cell_id", "count")
    return (
        shares(told, policy)
        .join(groups.select(whole_id="cell_id"), on="whole_id", how="semi")
        .join(known, left_on="target_id", right_on="cell_id")
        .select("target_id", "whole_id", "count")
    )
