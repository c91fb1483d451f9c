"""The outsider of a hiding pattern: how far each target can still lie, in fractions and in whole numbers.

Whole-number tables found on the way are kept as proof, and are checked in whole-number arithmetic. Which cells to hide
is not decided here, and this is not the audit, which is independent of it.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipelines.disclosure.errors import InfeasibleError
from pipelines.disclosure.hiding_moves import Moves, near_whole, search_whole
from pipelines.disclosure.hiding_problem import Demands, Problem, chosen, demands_of
from pipelines.disclosure.hiding_solver import Clock, Mask, Numbers, Optimum, Programme, Whole

_ROUNDING = 1e-6


class Attack:
    """The least and greatest that a cell can be, in fractions, within one set of windows after another."""

    def __init__(self, problem: Problem, clock: Clock, hidden: Mask) -> None:
        """Begin with the windows of a pattern."""
        self._clock = clock
        self._programme = Programme(*problem.windows(hidden), problem.rows, problem.least, problem.most)
        self._aimed_at = 0

    def face(self, low: Numbers, high: Numbers) -> None:
        """Look at other windows, which may be those of a pattern that hides fractions of cells."""
        self._programme.set_bounds(low, high)

    def face_at(self, cell: int, window: tuple[int, int]) -> None:
        """Look at another window of one cell."""
        self._programme.set_bound(cell, *window)

    def extreme(self, cell: int, sign: int) -> Optimum:
        """The table in which a cell is greatest (sign 1) or least (sign -1)."""
        self._programme.set_cost(self._aimed_at, 0.0)
        self._programme.set_cost(cell, -float(sign))
        self._aimed_at = cell
        return self._programme.solve(self._clock.left())


class Proof:
    """For each demand a whole-number table that meets it under a pattern, where one is known."""

    def __init__(self, problem: Problem, demands: Demands, clock: Clock, hidden: Mask) -> None:
        """Begin with no tables."""
        self.searches = 0
        self._problem = problem
        self._demands = demands
        self._clock = clock
        self._attack = Attack(problem, clock, hidden)
        self._moves = Moves(problem, clock, hidden)
        self._tables = np.zeros((len(demands.cell), len(problem.counts)), dtype=np.int64)
        self._proved = np.zeros(len(demands.cell), dtype=bool)
        self._failed = np.zeros(len(demands.cell), dtype=np.int64)

    def complete(self) -> Whole:
        """Search a table for every demand without one.

        Returns:
            The demands that no whole-number table meets.
        """
        return np.array([number for number in range(len(self._proved)) if not self._search(number)], np.int64)

    def survives_showing(self, cell: int) -> bool:
        """Show a cell again if all demands are still met, which must have been so before."""
        problem = self._problem
        column = self._tables[:, cell]
        outside = np.flatnonzero((column < problem.shown_low[cell]) | (column > problem.shown_high[cell]))
        before = self._tables[outside]
        self._change(cell, hidden=False)
        self._proved[outside] = False
        # What failed last is likely to fail again: most trials end with their first search.
        if all(self._search(number) for number in outside[np.argsort(-self._failed[outside], kind="stable")].tolist()):
            return True
        self._change(cell, hidden=True)
        self._tables[outside] = before
        self._proved[outside] = True
        return False

    @property
    def hidden(self) -> Mask:
        """The pattern."""
        return self._moves.hidden

    def hide_unless_met(self, cell: int) -> None:
        """Hide a further cell, unless that leads to tables for all demands."""
        before = self._proved.copy()
        self._change(cell, hidden=True)
        if not len(self.complete()):
            self._proved = before
            self._change(cell, hidden=False)

    def table(self, cell: int, sign: int, goal: int) -> Whole | None:
        """A possible whole-number table in which a cell lies at least as far out as a goal; none if there is none."""
        extreme = self._attack.extreme(cell, sign).point
        if sign * extreme[cell] < goal - _ROUNDING:
            return None
        low, high = self._problem.windows(self._moves.hidden)
        near = self._moves.table(cell, sign, goal)
        for found in [extreme] if near is None else [near, extreme]:
            whole = near_whole(self._problem, found, low, high)
            if whole is not None:
                return whole
        end = low if sign > 0 else high
        end[cell] = sign * goal
        return search_whole(self._problem, low, high, self._clock)

    def _change(self, cell: int, *, hidden: bool) -> None:
        self._moves.change(cell, hidden=hidden)
        self._attack.face_at(cell, self._problem.window(cell, hidden=hidden))

    def _search(self, number: int) -> bool:
        """Whether a demand has a table, after looking for one."""
        if not self._proved[number]:
            self.searches += 1
            found = self.table(*self._demands.at(number))
            if found is None:
                self._failed[number] = self.searches
            else:
                new = self._demands.met_by(found) & ~self._proved
                self._tables[new] = found
                self._proved |= new
        return bool(self._proved[number])


@dataclass(frozen=True)
class Attainable:
    """The problem with demands that hiding all that may be hidden meets.

    Attributes:
        problem: in which every target that no shown cell could protect must be hidden.
        demands: cut down to what is attainable.
        clipped: the targets whose demands were cut down.
    """

    problem: Problem
    demands: Demands
    clipped: Whole


def attainable(problem: Problem, clock: Clock) -> Attainable:
    """Cut every demand down to what can be attained at all.

    Args:
        problem: the question, checked.
        clock: time limit.

    Raises:
        InfeasibleError: if a target remains exactly known whatever is hidden.
        SolverError: if the solver does not get to the end.
    """
    wanted = demands_of(problem)
    goal = _attainable_goals(problem, wanted, clock)
    clipped = np.unique(wanted.cell[goal < wanted.goal])
    possible = replace(wanted, goal=goal)
    left = chosen(possible, np.flatnonzero(~possible.met_by(problem.counts)))
    _refuse_exactly_known(np.setdiff1d(clipped, left.cell), problem, clock)
    return Attainable(_hiding_targets(problem, left), left, clipped)


def _attainable_goals(problem: Problem, demands: Demands, clock: Clock) -> Whole:
    """For each demand its goal, or the nearest that a whole-number table reaches where all is hidden that may be."""
    attack, proof = Attack(problem, clock, problem.may_hide), Proof(problem, demands, clock, problem.may_hide)
    low, high = problem.windows(problem.may_hide)
    goals, met = demands.goal.copy(), np.zeros(len(demands.cell), dtype=bool)
    for number in range(len(goals)):
        if met[number]:
            continue
        cell, sign, goal = demands.at(number)
        extreme = attack.extreme(cell, sign).point
        reached = min(goal, int(np.floor(sign * extreme[cell] + _ROUNDING)))
        table = near_whole(problem, extreme, low, high)
        while table is None:
            table = proof.table(cell, sign, reached)
            reached -= table is None
        goals[number] = reached
        met |= demands.met_by(table)
    return goals


def _refuse_exactly_known(cells: Whole, problem: Problem, clock: Clock) -> None:
    counts = problem.counts[cells]
    above = Demands(cells, np.ones_like(cells), counts + 1)
    below = Demands(cells, -np.ones_like(cells), 1 - counts)
    not_above, not_below = (Proof(problem, away, clock, problem.may_hide).complete() for away in (above, below))
    known = len(np.intersect1d(not_above, not_below))
    if known:
        message = f"Whatever is hidden, {known} cells that need protection remain exactly known."
        raise InfeasibleError(message)


def _hiding_targets(problem: Problem, demands: Demands) -> Problem:
    """Hide the targets that must be thought to lie outside the window in which they would be shown."""
    end = np.where(demands.sign > 0, problem.shown_high[demands.cell], -problem.shown_low[demands.cell])
    must_hide = problem.must_hide.copy()
    must_hide[demands.cell[demands.goal > end]] = True
    return replace(problem, must_hide=must_hide)
