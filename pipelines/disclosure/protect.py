"""From true counts to published counts, or to a refusal: the only way in which a count leaves the restricted side.

Runs the plan, the rounding and the audit in order. Neither the facts nor the solvers are here, and nothing that is
derived from counts (rates, percentages, ranks) is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.disclosure.audit import AuditReport, audit
from pipelines.disclosure.cells import COORDINATES, PUBLISHED_CELL, SYMBOL_OF_COVERAGE, planned_cells
from pipelines.disclosure.errors import DisclosureError
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.rounding import Rounded, round_counts
from pipelines.disclosure.system import System, build_system, check_facts

Progress = Callable[[str, int, int], None]


class DisclosureRefused(DisclosureError):  # noqa: N818 - a decision, not a malfunction
    """The audit did not prove that every small count is protected; `report` says where."""

    def __init__(self, report: AuditReport) -> None:
        """Keep the report; the message carries numbers of cells only, since a named cell is a small one."""
        self.report = report
        super().__init__(f"The audit refuses the release: {len(report.refused)} findings in {report.cells} cells.")


@dataclass(frozen=True)
class Protection:
    """Counts that may be published, columns of `PUBLISHED_CELL` sorted by cell_id, and the audit that they passed."""

    cells: pl.DataFrame
    report: AuditReport


def protect(
    cells: pl.DataFrame,
    policy: Policy,
    key: RoundingKey,
    geography: Geography,
    *,
    earlier: pl.DataFrame | None = None,
    progress: Progress | None = None,
) -> Protection:
    """Round the counts of the plan and let them out only if the audit passes.

    The same cells, policy, key and earlier releases give the same result. A group of linked cells that the audit
    refuses is rounded again within the policy's next reach; after the last one the release is refused.

    Args:
        cells: true count cells, columns of `TRUE_CELL`; rows outside the plan are left out.
        policy: plan, facts, rounding and requirement.
        key: the rounding key of the series.
        geography: the region and its boroughs.
        earlier: what earlier releases published, as `read_ledger` returns it. A figure keeps its published count while
            that is a neighbouring multiple of the true one, and all releases are attacked together.
        progress: called with (stage, groups done, groups); stage is "rounding" or "audit".

    Returns:
        The published cells and the audit report. A count is null under the symbol `x`; `u` marks partial coverage;
        `within` says how far a count may be from the truth.

    Raises:
        CellsError: if the cells are incomplete, impossible, or contradict a declared fact.
        SolverError: if a rounding is not proven optimal in time, or none exists within the last reach.
        DisclosureRefused: if the audit does not pass.
    """
    system = build_system(planned_cells(cells, policy, geography), policy, geography)
    check_facts(system)
    unsafe = _unsafe(system, policy)
    groups = system.components()
    first_reach = [0] * len(groups)
    standing = None if earlier is None else _standing(system, earlier)
    staged = {stage: _staged(progress, stage) for stage in ("rounding", "audit")}
    while True:
        rounded = round_counts(
            system, policy, key, standing=standing, first_reach=first_reach, progress=staged["rounding"]
        )
        attacked = _with_counts(system, policy, rounded)
        report = audit(attacked, unsafe, policy, geography, earlier=earlier, progress=staged["audit"])
        if report.passed:
            return Protection(_shown(attacked), report)
        first_reach = _next_reach(system, policy, rounded, report)


def _unsafe(system: System, policy: Policy) -> pl.DataFrame:
    """The cells with few children behind them, and what the audit has to protect."""
    few = pl.col("children").is_between(policy.unsafe_from, policy.unsafe_to)
    return system.cells.filter(few).select("cell_id", "count")


def _standing(system: System, earlier: pl.DataFrame) -> NDArray[np.int64]:
    """The count of each cell that was published last, or -1."""
    last = earlier.drop_nulls("count").sort("sequence").unique("cell_id", keep="last").select("cell_id", last="count")
    joined = system.cells.select("cell_id").join(last, on="cell_id", how="left", maintain_order="left")
    return joined.get_column("last").fill_null(-1).to_numpy()


def _with_counts(system: System, policy: Policy, rounded: Rounded) -> pl.DataFrame:
    """Rounded cells as the attacker is given them: with the counts that a symbol will hide."""
    return system.cells.select(
        *COORDINATES,
        count=pl.Series(rounded.counts, dtype=pl.Int64),
        symbol=pl.col("coverage").replace_strict(SYMBOL_OF_COVERAGE, return_dtype=pl.String),
        method=pl.lit(policy.method),
        within=pl.Series(rounded.within, dtype=pl.Int64),
    )


def _shown(attacked: pl.DataFrame) -> pl.DataFrame:
    return attacked.with_columns(count=pl.when(pl.col("symbol") != "x").then("count")).select(*PUBLISHED_CELL)


def _next_reach(system: System, policy: Policy, rounded: Rounded, report: AuditReport) -> list[int]:
    """Where each group's rounding begins next time: one reach further for the groups that were refused.

    Raises:
        DisclosureRefused: if a further reach cannot help.
    """
    refused = {finding.cell_id for finding in report.refused}
    wanted = system.cells.get_column("cell_id").is_in(list(refused)).to_numpy()
    taken = [policy.reach.index(int(rounded.within[group[0]])) for group in system.components()]
    further = [reach + bool(np.any(wanted[group])) for group, reach in zip(system.components(), taken, strict=True)]
    if further == taken or max(further) >= len(policy.reach):
        raise DisclosureRefused(report)
    return further


def _staged(progress: Progress | None, stage: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, groups: progress(stage, done, groups)
