"""What else must be hidden so that hidden counts stay hidden: the plan's cells and facts as problems of suppression.

For tables protected by suppression, and for the few counts of rounded tables that rounding cannot protect. The search
itself is in `suppression`; whether the result protects anybody is decided by `audit`.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.disclosure.policy import Policy
from pipelines.disclosure.suppression import Problem, hide, hide_sequentially
from pipelines.disclosure.system import System

METHOD = "suppression"
# Cells of a group up to which the cheapest pattern is looked for; beyond, it is seldom proved in a reasonable time, and
# what is found by then depends on the clock.
_EXACT_TO = 400
Mask = NDArray[np.bool_]
Whole = NDArray[np.int64]


def hide_beside(
    system: System,
    policy: Policy,
    shown: tuple[Whole, Whole],
    hidden: Mask,
    unsafe: pl.DataFrame,
    *,
    standing: Mask,
) -> Mask:
    """Find the cells to hide beside those that are hidden, so that the unsafe ones among these cannot be worked out.

    Args:
        system: cells with true counts, and facts.
        policy: what must remain possible, and the time for each group of linked cells.
        shown: least and greatest count that each cell says when it is shown.
        hidden: cells that are hidden already.
        unsafe: columns of `targets.TARGET`; those that are hidden cells are protected, others are left to the audit.
        standing: cells that an earlier release hid; hiding them again costs nothing and tells nothing new.

    Returns:
        All cells to hide, `hidden` among them.

    Raises:
        InfeasibleError: if no pattern can protect some group.
        SolverError: if none is found in time.
    """
    need_low, need_high, needed = _needs(system, policy, unsafe)
    needed &= hidden
    result = hidden.copy()
    for group in system.components():
        if not needed[group].any():
            continue
        low, high = shown[0][group], shown[1][group]
        counts = system.cells.get_column("count").to_numpy()[group]
        highest = np.full_like(counts, policy.hidden_to)
        rows, most = system.facts_of(group, highest)
        problem = Problem(
            counts=counts,
            shown_low=low,
            shown_high=high,
            hidden_low=np.minimum(low, 1),  # zeros are always printed, so what is hidden is at least 1
            hidden_high=highest,
            rows=rows,
            least=np.zeros(len(most)),
            most=most,
            must_hide=hidden[group],
            may_hide=counts > 0,
            weight=np.where(standing[group], 0.0, np.log1p(counts)),
            need_low=need_low[group],
            need_high=need_high[group],
            targets=np.flatnonzero(needed[group]),
        )
        search = hide if len(group) <= _EXACT_TO else hide_sequentially
        result[group] = search(problem, policy.seconds_per_component).hidden
    return result


def _needs(system: System, policy: Policy, unsafe: pl.DataFrame) -> tuple[Whole, Whole, Mask]:
    """Which counts must remain possible at each unsafe cell: least, greatest, and whether it is unsafe.

    Of few children, what the policy asks of an interval; of one that dominates, its upper end.
    """
    few = pl.col("kind") == "small"
    width = policy.minimum_width
    ends = unsafe.group_by("target_id").agg(
        low=pl.when(few).then(pl.min_horizontal(pl.col("count") - width, policy.unsafe_from)).min(),
        high=pl.max_horizontal(
            pl.when(few).then(pl.max_horizontal(pl.col("count") + 1, policy.unsafe_to + 1)), "upper"
        ).max(),
    )
    cells = system.cells.select("cell_id", "count").join(
        ends, left_on="cell_id", right_on="target_id", how="left", maintain_order="left"
    )
    counts = pl.col("count")
    found = cells.select(
        low=pl.max_horizontal(pl.lit(0), pl.coalesce("low", counts)),
        high=pl.coalesce("high", counts),
        needed=pl.any_horizontal(pl.col("low", "high").is_not_null()),
    )
    return found["low"].to_numpy(), found["high"].to_numpy(), found["needed"].to_numpy()
