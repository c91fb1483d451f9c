"""Problems of cell suppression over small tables, and an outsider who is independent of the code under test."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from pipelines.disclosure.suppression import Problem
from tests.builders.gm4 import Cube, with_margins

SMALL = 5


def table(inner: list[list[int]]) -> Cube:
    """A two-way table with its margins; the cells are numbered row by row, totals first."""
    return with_margins(np.array(inner, dtype=np.int64))


def small_counts_hidden(cube: Cube, *, zeros_printed: bool = True) -> Problem:
    """All counts from 1 to 5 must be hidden, and thought to be possibly 1 and possibly 5.

    Args:
        cube: the table.
        zeros_printed: whether zeros are always shown, so that a hidden count is known to be 1 or more.
    """
    counts = cube.counts
    may_hide = counts > 0 if zeros_printed else np.ones(len(counts), dtype=bool)
    none = np.zeros(cube.rows.shape[0])
    small = (counts > 0) & (counts <= SMALL)
    return Problem(
        counts=counts,
        shown_low=counts,
        shown_high=counts,
        hidden_low=np.minimum(counts, int(zeros_printed)),
        hidden_high=np.where(may_hide, 3 * counts.max(), 0),
        rows=cube.rows,
        least=none,
        most=none,
        must_hide=small,
        may_hide=may_hide,
        weight=np.log1p(counts) if zeros_printed else 1 + np.log1p(counts),
        need_low=np.ones_like(counts),
        need_high=np.maximum(SMALL, counts + 1),
        targets=np.flatnonzero(small),
    )


def shown(problem: Problem, cells: list[int]) -> Problem:
    """The same problem with some cells that must be shown."""
    may_hide = problem.may_hide.copy()
    may_hide[cells] = False
    return replace(problem, may_hide=may_hide)


def interval(problem: Problem, hidden: NDArray[np.bool_], cell: int) -> tuple[int, int]:
    """The least and greatest whole number that an outsider can think a cell to be."""
    low = np.where(hidden, problem.hidden_low, problem.shown_low)
    high = np.where(hidden, problem.hidden_high, problem.shown_high)
    facts = LinearConstraint(problem.rows.astype(float), problem.least, problem.most)
    ends = []
    for sign in (1, -1):
        weight = np.zeros(len(low))
        weight[cell] = sign
        found = milp(weight, integrality=np.ones(len(low), dtype=np.int64), bounds=Bounds(low, high), constraints=facts)
        assert found.status == 0
        ends.append(round(found.x[cell]))
    return ends[0], ends[1]


def least_cost(problem: Problem) -> float:
    """The cost of the cheapest pattern, from one large programme with a table in fractions for each end of a target."""
    size = len(problem.counts)
    ends = [(cell, sign) for cell in problem.targets.tolist() for sign in (-1, 1)]
    rise = sparse.diags_array((problem.hidden_high - problem.shown_high).astype(float))
    fall = sparse.diags_array((problem.shown_low - problem.hidden_low).astype(float))
    each, patterns = sparse.eye_array(len(ends)), np.ones((len(ends), 1))
    tables = sparse.kron(each, sparse.eye_array(size))
    none = sparse.csr_array((len(ends) * problem.rows.shape[0], size))
    facts = sparse.hstack([sparse.kron(each, problem.rows), none])
    above = sparse.hstack([tables, -sparse.kron(patterns, rise)])
    below = sparse.hstack([tables, sparse.kron(patterns, fall)])
    low, high = np.full((len(ends), size), -np.inf), np.full((len(ends), size), np.inf)
    for number, (cell, sign) in enumerate(ends):
        if sign > 0:
            low[number, cell] = problem.need_high[cell]
        else:
            high[number, cell] = problem.need_low[cell]
    repeat = len(ends)
    found = milp(
        np.concatenate([np.zeros(repeat * size), problem.weight]),
        integrality=np.repeat([0, 1], [repeat * size, size]),
        bounds=Bounds(np.append(low, problem.must_hide), np.append(high, problem.may_hide)),
        constraints=[
            LinearConstraint(facts, np.tile(problem.least, repeat), np.tile(problem.most, repeat)),
            LinearConstraint(above, -np.inf, np.tile(problem.shown_high, repeat)),
            LinearConstraint(below, np.tile(problem.shown_low, repeat), np.inf),
        ],
        options={"mip_rel_gap": 0.0},
    )
    assert found.status == 0
    return float(problem.weight[(found.x[-size:] > 1 / 2) & ~problem.must_hide].sum())


@dataclass(frozen=True)
class Enumerated:
    """Every whole-number table that is possible where all is hidden that may be, and what patterns leave of them."""

    problem: Problem
    tables: NDArray[np.int64]

    def within_windows(self) -> "Enumerated":
        """Without the tables that are not possible, whatever is hidden."""
        return Enumerated(self.problem, self.possible(self.problem.may_hide))

    def possible(self, hidden: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The tables that a pattern leaves possible."""
        low = np.where(hidden, self.problem.hidden_low, self.problem.shown_low)
        high = np.where(hidden, self.problem.hidden_high, self.problem.shown_high)
        return self.tables[((self.tables >= low) & (self.tables <= high)).all(axis=1)]

    def structural(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Least and greatest value of each cell where all is hidden that may be."""
        return self.tables.min(axis=0), self.tables.max(axis=0)

    def protects(self, hidden: NDArray[np.bool_]) -> bool:
        """Whether every target is as uncertain as is needed, or as any pattern makes it."""
        left, (least, most) = self.possible(hidden), self.structural()
        low_enough = left.min(axis=0) <= np.maximum(self.problem.need_low, least)
        high_enough = left.max(axis=0) >= np.minimum(self.problem.need_high, most)
        return bool((low_enough & high_enough)[self.problem.targets].all())

    def clipped(self) -> NDArray[np.int64]:
        """The targets that no pattern makes as uncertain as is needed."""
        least, most = self.structural()
        counts, targets = self.problem.counts, self.problem.targets
        low = least > np.minimum(self.problem.need_low, counts)
        high = most < np.maximum(self.problem.need_high, counts)
        return np.unique(targets[(low | high)[targets]])

    def least_cost(self) -> float:
        """The cost of the cheapest pattern that protects, found by trying them all."""
        problem = self.problem
        free = np.flatnonzero(problem.may_hide & ~problem.must_hide)
        costs = []
        for number in range(2 ** len(free)):
            chosen = free[(number >> np.arange(len(free))) % 2 == 1]
            hidden = problem.must_hide.copy()
            hidden[chosen] = True
            if self.protects(hidden):
                costs.append(problem.weight[chosen].sum())
        return float(min(costs))


def enumerate_tables(problem: Problem) -> Enumerated:
    """Try every combination of the values that the cells can have."""
    low = np.where(problem.may_hide, problem.hidden_low, problem.shown_low)
    high = np.where(problem.may_hide, problem.hidden_high, problem.shown_high)
    axes = np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)), indexing="ij")
    tables = np.stack([axis.ravel() for axis in axes], axis=1)
    sums = tables @ problem.rows.toarray().T
    return Enumerated(problem, tables[((sums >= problem.least) & (sums <= problem.most)).all(axis=1)])
