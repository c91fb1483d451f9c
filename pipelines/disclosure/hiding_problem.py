"""What cell suppression is asked, and what it answers: counts, what an outsider knows, and what must stay uncertain.

Only the question, its consistency and the demands that follow from it belong here; how a pattern is found does not.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from pipelines.disclosure.errors import CellsError, InfeasibleError
from pipelines.disclosure.hiding_solver import Mask, Numbers, Whole


@dataclass(frozen=True)
class Problem:
    """Cells, facts and requirement; arrays have one entry for each cell unless stated otherwise.

    Attributes:
        counts: true counts.
        shown_low: least count that an outsider takes a shown cell to have; the count itself where it is printed.
        shown_high: greatest such count.
        hidden_low: least count that an outsider takes a hidden cell to have, from public knowledge alone.
        hidden_high: greatest such count.
        rows: facts x cells, whole-number coefficients.
        least: for each fact, the least that `rows @ counts` can be; may be minus infinity.
        most: for each fact, the greatest; the fact is an equality where both are the same.
        must_hide: the primary cells.
        may_hide: cells that may be hidden; the others are always shown.
        weight: cost of hiding a cell; one that costs nothing may be hidden without need.
        need_low: at a target, an outsider must have to think a count of at most this possible.
        need_high: at a target, and a count of at least this.
        targets: numbers of the cells to protect.
    """

    counts: Whole
    shown_low: Whole
    shown_high: Whole
    hidden_low: Whole
    hidden_high: Whole
    rows: sparse.csr_array
    least: Numbers
    most: Numbers
    must_hide: Mask
    may_hide: Mask
    weight: Numbers
    need_low: Whole
    need_high: Whole
    targets: Whole

    def windows(self, hidden: Mask) -> tuple[Whole, Whole]:
        """What is known of each cell without the facts, under a pattern: least and greatest count."""
        return np.where(hidden, self.hidden_low, self.shown_low), np.where(hidden, self.hidden_high, self.shown_high)

    def window(self, cell: int, *, hidden: bool) -> tuple[int, int]:
        """What is known of one cell without the facts."""
        low, high = (self.hidden_low, self.hidden_high) if hidden else (self.shown_low, self.shown_high)
        return int(low[cell]), int(high[cell])

    def free(self) -> Whole:
        """Numbers of the cells that may be hidden or shown."""
        return np.flatnonzero(self.may_hide & ~self.must_hide)

    def allows(self, table: Whole, low: Whole, high: Whole) -> bool:
        """Whether a table lies within windows and contradicts no fact, in whole-number arithmetic."""
        sums = self.rows @ table
        inside = (table >= low).all() and (table <= high).all()
        return bool(inside and (sums >= self.least).all() and (sums <= self.most).all())

    def check(self) -> None:
        """Refuse a question that contradicts itself.

        Raises:
            CellsError: if the counts contradict a fact or a window, or hiding a cell would say more than showing it.
            InfeasibleError: if a cell must be hidden that must be shown.
        """
        if not self.allows(self.counts, self.shown_low, self.shown_high):
            raise CellsError("The counts contradict what an outsider is taken to know of them.")
        if (self.hidden_low > self.shown_low).any() or (self.hidden_high < self.shown_high).any():
            raise CellsError("A hidden cell must leave at least what a shown one leaves possible.")
        if not (np.isfinite(self.weight) & (self.weight >= 0)).all():
            raise CellsError("The cost of hiding a cell must be zero or more.")
        clash = int((self.must_hide & ~self.may_hide).sum())
        if clash:
            message = f"No pattern can hide {clash} cells that must be hidden and must be shown."
            raise InfeasibleError(message)


@dataclass(frozen=True)
class Hidden:
    """A pattern that protects every target, and how good it is.

    Attributes:
        hidden: which cells to hide.
        method: how it was found.
        proved_optimal: whether no cheaper pattern protects the targets.
        cost: total weight of the cells hidden beside those that must be.
        lower_bound: proven least cost of a protecting pattern.
        clipped: targets that no pattern protects as far as required; they are protected as far as any pattern can.
        cuts: inequalities that were needed.
        rounds: how often they were looked for.
        seconds: time taken.
    """

    hidden: Mask
    method: Literal["exact", "sequential"]
    proved_optimal: bool
    cost: float
    lower_bound: float
    clipped: Whole
    cuts: int
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Demands:
    """One entry for each end of a target's interval that must lie away from the true count.

    A table meets a demand where `sign * table[cell] >= goal`; sign is 1 for the upper end, -1 for the lower.
    """

    cell: Whole
    sign: Whole
    goal: Whole

    def at(self, number: int) -> tuple[int, int, int]:
        """Cell, sign and goal of one demand."""
        return int(self.cell[number]), int(self.sign[number]), int(self.goal[number])

    def met_by(self, table: Numbers | Whole, slack: float = 0.0) -> Mask:
        """Which demands a table meets."""
        met: Mask = self.sign * table[self.cell] >= self.goal - slack
        return met

    def amount(self, counts: Whole) -> Whole:
        """How far each demand is away from the true count."""
        amount: Whole = self.goal - self.sign * counts[self.cell]
        return amount


def demands_of(problem: Problem) -> Demands:
    """The demands that the true counts do not meet by themselves, lower ends first."""
    targets = np.unique(problem.targets)
    both = Demands(
        cell=np.concatenate([targets, targets]),
        sign=np.repeat([-1, 1], len(targets)),
        goal=np.concatenate([-problem.need_low[targets], problem.need_high[targets]]),
    )
    return chosen(both, np.flatnonzero(~both.met_by(problem.counts)))


def chosen(demands: Demands, numbers: Whole) -> Demands:
    """Some of the demands."""
    return Demands(demands.cell[numbers], demands.sign[numbers], demands.goal[numbers])
