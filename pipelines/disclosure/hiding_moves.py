"""Possible tables near the true one: the least costly moves that bring one cell as far out as demanded.

Such tables change few cells, so they are usually whole-number tables and remain possible when other cells are shown.
Which demands there are, and which pattern is chosen, is not decided here.
"""

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from pipelines.disclosure.errors import InfeasibleError, SolverError
from pipelines.disclosure.hiding_problem import Problem
from pipelines.disclosure.hiding_solver import Clock, Mask, Numbers, Programme, Whole

_OPTIMAL, _INFEASIBLE = 0, 2
_NEAR_WHOLE = 1e-5
_WITHIN_WINDOW = 0.01  # cost of a move by one that hides nothing new; less than that of hiding any cell by far


class Moves:
    """The programme; its columns are rises and falls within the windows, then rises and falls out of them."""

    def __init__(
        self, problem: Problem, clock: Clock, hidden: Mask, *, cost: Numbers | None = None, whole: bool = False
    ) -> None:
        """Set up the programme.

        Args:
            problem: cells and facts.
            clock: time limit.
            hidden: the pattern to begin with.
            cost: of moving a shown cell out of its window by one; without it, that is not allowed.
            whole: move by whole numbers only, which takes longer.
        """
        self.hidden = hidden.copy()
        self._problem = problem
        self._clock = clock
        size = len(problem.counts)
        self._free = np.flatnonzero(problem.may_hide & ~hidden) if cost is not None else np.zeros(0, dtype=np.int64)
        self._place = {cell: 2 * size + place for place, cell in enumerate(self._free.tolist())}
        low, high = problem.windows(hidden)
        out = [
            (problem.hidden_high - problem.shown_high)[self._free],
            (problem.shown_low - problem.hidden_low)[self._free],
        ]
        most = np.concatenate([high - problem.counts, problem.counts - low, *out])
        moved = problem.rows[:, self._free]
        sums = problem.rows @ problem.counts
        self._programme = Programme(
            np.zeros(len(most)),
            most,
            sparse.csr_array(sparse.hstack([problem.rows, -problem.rows, moved, -moved])),
            problem.least - sums,
            problem.most - sums,
        )
        outside = np.zeros(0) if cost is None else _WITHIN_WINDOW + cost[self._free]
        self._programme.set_costs(np.concatenate([np.full(2 * size, _WITHIN_WINDOW), outside, outside]))
        if whole:
            self._programme.make_whole()

    def table(self, cell: int, sign: int, goal: int) -> Numbers | None:
        """The table of least cost in which a cell lies at least as far out as a goal; none if there is none."""
        size = len(self.hidden)
        column = cell if sign > 0 else size + cell
        most, back = self._reach(cell)[::sign]
        amount = goal - sign * int(self._problem.counts[cell])
        if amount > most:
            return None
        opposite = size + cell if sign > 0 else cell
        self._programme.set_bound(column, amount, most)
        self._programme.set_bound(opposite, 0, 0)
        try:
            point = self._programme.solve(self._clock.left()).point
        except InfeasibleError:
            return None
        finally:
            self._programme.set_bound(column, 0, most)
            self._programme.set_bound(opposite, 0, back)
        table: Numbers = self._problem.counts + point[:size] - point[size : 2 * size]
        rises, falls = np.split(point[2 * size :], 2)
        table[self._free] += rises - falls
        return table

    def change(self, cell: int, *, hidden: bool) -> None:
        """Hide or show a cell; a shown one no longer moves out of its window, at whatever cost."""
        self.hidden[cell] = hidden
        rise, fall = self._reach(cell)
        self._programme.set_bound(cell, 0, rise)
        self._programme.set_bound(len(self.hidden) + cell, 0, fall)
        if cell in self._place:
            for column in (self._place[cell], self._place[cell] + len(self._free)):
                self._programme.set_bound(column, 0, 0)

    def _reach(self, cell: int) -> tuple[int, int]:
        """How far a cell can rise and fall within its window."""
        problem = self._problem
        low, high = problem.window(cell, hidden=bool(self.hidden[cell]))
        return high - int(problem.counts[cell]), int(problem.counts[cell]) - low


def near_whole(problem: Problem, point: Numbers, low: Whole, high: Whole) -> Whole | None:
    """The whole-number table that a solver's table amounts to; none if it does not or is impossible."""
    table = np.rint(point).astype(np.int64)
    near = np.abs(point - table).max(initial=0) < _NEAR_WHOLE
    return table if near and problem.allows(table, low, high) else None


def search_whole(problem: Problem, low: Whole, high: Whole, clock: Clock) -> Whole | None:
    """A possible whole-number table within windows; none if there is none.

    Raises:
        SolverError: if the search ends without a proof, or with an impossible table.
    """
    facts = LinearConstraint(problem.rows.astype(float), problem.least, problem.most) if problem.rows.shape[0] else ()
    for presolve in (True, False):  # HiGHS fails on a few tiny programmes once it has simplified them
        found = milp(
            np.zeros(len(low)),
            integrality=np.ones(len(low), dtype=np.int64),
            bounds=Bounds(low, high),
            constraints=facts,
            options={"time_limit": clock.left(), "disp": False, "presolve": presolve},
        )
        if found.status in (_OPTIMAL, _INFEASIBLE):
            break
    if found.status == _INFEASIBLE:
        return None
    if found.status != _OPTIMAL or found.x is None:
        raise SolverError("The search for a possible table ended without a proof.")
    table = np.rint(found.x).astype(np.int64)
    if not problem.allows(table, low, high):
        raise SolverError("The search for a possible table returned an impossible one.")
    return table
