"""From true counts to published counts, or to a refusal: the only way in which a count leaves the restricted side.

Runs the plan, the rounding and the audit in order. Neither the facts nor the solvers are here, and nothing that is
derived from counts (rates, percentages, ranks) is.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.disclosure.audit import AuditReport, Search, audit
from pipelines.disclosure.cells import COORDINATES, PUBLISHED_CELL, SYMBOL_OF_COVERAGE, planned_cells
from pipelines.disclosure.errors import DisclosureError, InfeasibleError
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.ledger import last_said
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.released import audit_printed
from pipelines.disclosure.rounding import Freedom, Rounded, round_counts
from pipelines.disclosure.secondary import METHOD as SUPPRESSION
from pipelines.disclosure.secondary import hide_beside
from pipelines.disclosure.system import System, build_system, check_facts
from pipelines.disclosure.targets import differences
from pipelines.disclosure.unsafe import DIFFERENCE, unsafe_targets

Progress = Callable[[str, int, int], None]

# Intervals of each release that an unrelated solver looks for as well.
_CROSS_CHECKS = 10


class DisclosureRefused(DisclosureError):  # noqa: N818 - a decision, not a malfunction
    """The audit did not prove that every small count is protected; `report` says where."""

    def __init__(self, report: AuditReport) -> None:
        """Keep the report; the message carries numbers of cells only, since a named cell is a small one."""
        self.report = report
        reasons = Counter(finding.reason for finding in report.refused)
        told = "; ".join(f"{reason} ({number} times)" for reason, number in sorted(reasons.items()))
        super().__init__(f"The audit refuses the release of {report.cells} counts: {told}.")


@dataclass(frozen=True)
class Protection:
    """Counts that may be published, and the audits that they passed.

    Attributes:
        cells: columns of `PUBLISHED_CELL`, sorted by cell_id.
        report: the audit that knows which counts are small. Restricted.
        public: the audit that knows what everybody knows, for publication.
    """

    cells: pl.DataFrame
    report: AuditReport
    public: AuditReport


@dataclass(frozen=True)
class Past:
    """What an attack may use beside a release, and what makes it quick.

    Attributes:
        earlier: what earlier releases published, as `read_ledger` returns it. A figure keeps its published count while
            that is a neighbouring multiple of the true one, and all releases are attacked together.
        outside: cell_id and exact count of cells that others publish.
        witnesses: what the last audit found possible, as its report has it.
    """

    earlier: pl.DataFrame | None = None
    outside: pl.DataFrame | None = None
    witnesses: pl.DataFrame | None = None


def protect(
    cells: pl.DataFrame,
    policy: Policy,
    key: RoundingKey,
    geography: Geography,
    *,
    behind: pl.DataFrame | None = None,
    past: Past | None = None,
    progress: Progress | None = None,
) -> Protection:
    """Protect the counts of the plan and let them out only if the audit passes.

    The same cells, policy, key and past give the same result. A count that the audit refuses is rounded within the
    policy's next reach; after the last one, or where one child dominates it, it is hidden, then whatever else must be
    for its sake; then the release is refused.

    Args:
        cells: true count cells, columns of `TRUE_CELL`; rows outside the plan are left out.
        policy: plan, facts, protection and requirement.
        key: the rounding key of the series.
        geography: the region and its boroughs.
        behind: cell_id and children of the policy's differences of episodes.
        past: earlier releases and others' counts.
        progress: called with (stage, groups done, groups); stage is "rounding" or "audit".

    Returns:
        The published cells and the audit report. A count is null under the symbols `x` and `c`; `u` marks partial
        coverage; `within` says how far a count may be from the truth.

    Raises:
        CellsError: if the cells are incomplete, impossible, or contradict a declared fact.
        SolverError: if a rounding is not proven optimal in time, or none exists within the last reach.
        DisclosureRefused: if the audit does not pass.
    """
    past = past or Past()
    system = build_system(planned_cells(cells, policy, geography), policy, geography)
    check_facts(system)
    behind = pl.DataFrame(schema=DIFFERENCE) if behind is None else behind
    task = _Task(system, policy, unsafe_targets(system.cells, behind, policy), _hidden_before(system, past.earlier))
    freedom = task.start(_standing(system, past.earlier))
    staged = {stage: _staged(progress, stage) for stage in ("rounding", "audit")}
    search = Search(remembered=past.witnesses, progress=staged["audit"])
    ours = _true_of(past.outside, system)
    while True:
        rounded = round_counts(system, policy, key, freedom, progress=staged["rounding"])
        attacked = _with_counts(system, rounded, freedom.hidden)
        report = audit(attacked, task.unsafe, policy, geography, earlier=past.earlier, outside=ours, search=search)
        if report.passed:
            shown = _shown(attacked)
            public = audit_printed(
                shown,
                policy,
                geography,
                earlier=past.earlier,
                outside=past.outside,
                search=Search(cross_checks=_CROSS_CHECKS, progress=staged["audit"]),
            )
            if public.passed:
                return Protection(shown, report, public)
            report = replace(public, witnesses=report.witnesses)
        # Hiding leaves possible what was possible; where rounding changed something, the tables fail their checks.
        search = replace(search, remembered=report.witnesses)
        further = (
            task.freer(freedom, rounded, report)
            or task.hide_more(freedom, rounded)
            or task.hide_around(freedom, report)
        )
        if further is None:
            raise DisclosureRefused(report)
        freedom = further


@dataclass(frozen=True)
class _Task:
    """What is to be protected, and what may be done about a refusal.

    Attributes:
        system: cells and facts.
        policy: reaches and requirement.
        unsafe: columns of `targets.TARGET`.
        hidden_before: cells that the last release hid.
    """

    system: System
    policy: Policy
    unsafe: pl.DataFrame
    hidden_before: NDArray[np.bool_]

    def start(self, standing: NDArray[np.int64]) -> Freedom:
        """What is hidden from the start, and what should not move.

        Of the tables that are protected by suppression, the unsafe counts and what else must be for their sake; of the
        others, counts that one child dominates further than any neighbouring multiple could hide. What the last release
        hid stays hidden: one pattern for all releases leaves nothing to compare.
        """
        by_suppression = self._by_suppression()
        counts = self.system.cells.get_column("count").to_numpy()
        primary = by_suppression & self._cells_of(self.unsafe) & (counts > 0)
        standing_pattern = self.hidden_before & by_suppression
        hidden = hide_beside(
            self.system, self.policy, (counts, counts), primary, self.unsafe, standing=standing_pattern
        )
        base = self.policy.base
        furthest = (pl.col("count") + base - 1) // base * base + base - 1
        beyond = self.unsafe.filter(pl.col("kind") == "dominated", pl.col("upper") > furthest)
        hidden |= self._cells_of(beyond) | (self.hidden_before & (counts > 0))
        ordinary = Freedom.ordinary(self.system.cells.height, self.policy)
        return replace(ordinary, standing=standing, hidden=hidden, steady=self._steady(hidden))

    def _steady(self, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Small counts, those that one child dominates, and what is told of the same area in one fact with these."""
        cells, kind = self.system.cells, self.unsafe.get_column("kind")
        steady = (
            cells.get_column("cell_id").is_in(self.unsafe.filter(kind == "small")["target_id"].to_list()).to_numpy()
        )
        close = hidden | self._cells_of(self.unsafe.filter(kind == "dominated"))
        for area in cells.get_column("area_code").unique():
            here = (cells.get_column("area_code") == area).to_numpy()
            steady = steady | (self._linked(close & here) & here)
        return steady

    def freer(self, freedom: Freedom, rounded: Rounded, report: AuditReport) -> Freedom | None:
        """More freedom for what was refused: the next reach, or not to be shown; nothing where it has all of that.

        The next reach is that of every count of the area and period: a count that alone were said to be further from
        the truth than those beside it would be known to have been refused.
        """
        failed = report.verdicts.filter(pl.col("verdict") != "")
        refused = self._cells_of(failed)
        final = self._cells_of(failed.filter(kind="dominated")) | self._by_suppression()
        reach = np.maximum(freedom.reach, rounded.within)
        may_go_further = refused & ~final & ~freedom.hidden & (reach < self.policy.reach[-1])
        beside = self._at_the_place_of(may_go_further) & (reach < self.policy.reach[-1])
        further = np.array(self.policy.reach)[np.searchsorted(self.policy.reach[:-1], reach, side="right")]
        # Zeros are always printed, so that a hidden count is known to be none of them, and no more.
        nothing = (self.system.cells.get_column("count") == 0).to_numpy()
        hidden = freedom.hidden | (refused & ~may_go_further & ~nothing)
        if not may_go_further.any() and np.array_equal(hidden, freedom.hidden):
            return None
        return replace(freedom, reach=np.where(beside, further, reach), hidden=hidden)

    def _at_the_place_of(self, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Every cell of the areas and periods of some cells."""
        chosen = self.system.cells.with_columns(chosen=pl.Series(cells))
        found = chosen.select(pl.col("chosen").any().over("area_code", "period_type", "period_start"))
        among: NDArray[np.bool_] = found.to_series().to_numpy()
        return among

    def hide_more(self, freedom: Freedom, rounded: Rounded) -> Freedom | None:
        """Hide what else must be for the sake of hidden counts; nothing where nothing helps."""
        counts = self.system.cells.get_column("count").to_numpy()
        # Where nothing was delivered anybody may take it that there was nothing.
        empty = (counts == 0) & (self.system.cells.get_column("coverage") == "none").to_numpy()
        exact = freedom.hidden | empty
        low = np.where(exact, counts, np.maximum(rounded.counts - rounded.within, 0))
        high = np.where(exact, counts, rounded.counts + rounded.within)
        try:
            hidden = hide_beside(
                self.system, self.policy, (low, high), freedom.hidden, self.unsafe, standing=self.hidden_before
            )
        except InfeasibleError:
            return None
        return None if np.array_equal(hidden, freedom.hidden) else replace(freedom, hidden=hidden)

    def hide_around(self, freedom: Freedom, report: AuditReport) -> Freedom | None:
        """Hide whatever stands in a fact with what was refused: the last resort, since it hides more than it must.

        What earlier releases say is known to the audit only, so that a pattern for this release alone may not do.
        """
        countable = (self.system.cells.get_column("count") > 0).to_numpy()
        reached = self._cells_of(report.verdicts.filter(pl.col("verdict") != "")) & countable
        while not (reached & ~freedom.hidden).any():
            further = self._linked(reached) & countable
            if np.array_equal(further, reached):
                return None
            reached = further
        return replace(freedom, hidden=freedom.hidden | reached)

    def _linked(self, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """These cells and those that stand in a fact with one of them."""
        spoken = abs(self.system.matrix) @ cells.astype(np.int64) > 0
        linked: NDArray[np.bool_] = cells | (abs(self.system.matrix).T @ spoken.astype(np.int64) > 0)
        return linked

    def _by_suppression(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (self.system.cells.get_column("method") == SUPPRESSION).to_numpy()
        return found

    def _cells_of(self, targets: pl.DataFrame) -> NDArray[np.bool_]:
        """The cells that some targets are, or are differences of."""
        cells, named = self.system.cells, targets.get_column("target_id").to_list()
        in_differences = differences(cells, self.policy).filter(pl.col("target_id").is_in(named)).get_column("cell")
        own: NDArray[np.bool_] = cells.get_column("cell_id").is_in(named).to_numpy()
        return own | np.isin(np.arange(cells.height), in_differences.to_numpy())


def _true_of(outside: pl.DataFrame | None, system: System) -> pl.DataFrame | None:
    """The outside counts that are those of our cells: whoever takes the others for ours is mistaken."""
    return None if outside is None else outside.join(system.cells, on=["cell_id", "count"], how="semi")


def _standing(system: System, earlier: pl.DataFrame | None) -> NDArray[np.int64]:
    """The count of each cell that was published last, or -1."""
    if earlier is None:
        return np.full(system.cells.height, -1)
    last = last_said(earlier.drop_nulls("count")).select("cell_id", last="count")
    joined = system.cells.select("cell_id").join(last, on="cell_id", how="left", maintain_order="left")
    return joined.get_column("last").fill_null(-1).to_numpy()


def _hidden_before(system: System, earlier: pl.DataFrame | None) -> NDArray[np.bool_]:
    """The cells that the last release hid."""
    if earlier is None:
        return np.zeros(system.cells.height, dtype=bool)
    last = last_said(earlier).filter(symbol="c").get_column("cell_id")
    return system.cells.get_column("cell_id").is_in(last.to_list()).to_numpy()


def _with_counts(system: System, rounded: Rounded, hidden: NDArray[np.bool_]) -> pl.DataFrame:
    """Protected cells as the attacker is given them: with the counts that a symbol will hide."""
    covered = pl.col("coverage").replace_strict(SYMBOL_OF_COVERAGE, return_dtype=pl.String)
    return system.cells.select(
        *COORDINATES,
        count=pl.Series(rounded.counts, dtype=pl.Int64),
        # Also where nothing was received: what is marked x is rounded all the same, and sums may give it away.
        symbol=pl.when(pl.Series(hidden)).then(pl.lit("c")).otherwise(covered),
        method="method",
        within=pl.Series(rounded.within, dtype=pl.Int64),
    )


def _shown(attacked: pl.DataFrame) -> pl.DataFrame:
    return attacked.with_columns(count=pl.when(~pl.col("symbol").is_in(["x", "c"])).then("count")).select(
        *PUBLISHED_CELL
    )


def _staged(progress: Progress | None, stage: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, groups: progress(stage, done, groups)
