"""Cell suppression one demand after another (Kelly, Golden and Assad): quick, safe, not the cheapest.

For each demand the cheapest way, in fractions, to move the target as far as needed; what it moves is hidden. Then
whole-number tables prove the pattern, and cells whose hiding turned out not to be needed are shown again.
"""

import numpy as np

from pipelines.disclosure.errors import SolverError
from pipelines.disclosure.hiding_attack import Proof
from pipelines.disclosure.hiding_moves import Moves
from pipelines.disclosure.hiding_problem import Demands, Problem
from pipelines.disclosure.hiding_solver import Clock, Mask, Numbers, Whole

_MOVED = 1e-6
# The search for unneeded cells ends after so many attacks: a bound that does not depend on the machine.
_MOST_ATTACKS = 400


def sequential_pattern(problem: Problem, demands: Demands, clock: Clock, cost: Numbers) -> Mask:
    """Find a pattern that meets all demands, proved with whole-number tables.

    Args:
        problem: cells and facts.
        demands: what must remain possible; hiding all that may be hidden meets them.
        clock: time limit.
        cost: cost of hiding each cell, as the search should see it.

    Raises:
        SolverError: if the solver does not get to the end.
    """
    moves = Moves(problem, clock, problem.must_hide, cost=cost)
    _hide_for(np.arange(len(demands.cell)), moves, problem, demands)
    proof = Proof(problem, demands, clock, moves.hidden)
    fooled = proof.complete()
    if len(fooled):
        moves = Moves(problem, clock, moves.hidden, cost=cost, whole=True)
        _hide_for(fooled, moves, problem, demands)
        proof = Proof(problem, demands, clock, moves.hidden)
        if len(proof.complete()):
            raise SolverError("A pattern that should protect every cell does not.")
    return _without_unneeded(problem, moves.hidden, proof)


def _hide_for(numbers: Whole, moves: Moves, problem: Problem, demands: Demands) -> None:
    """Hide what some demands need, those that lie farthest out first."""
    met = np.zeros(len(demands.cell), dtype=bool)
    amount = demands.amount(problem.counts)[numbers]
    for number in numbers[np.argsort(-amount, kind="stable")].tolist():
        if met[number]:
            continue
        table = moves.table(*demands.at(number))
        if table is None:
            raise SolverError("A demand that can be met was not.")
        low, high = problem.windows(moves.hidden)
        for cell in np.flatnonzero((table < low - _MOVED) | (table > high + _MOVED)).tolist():
            moves.change(cell, hidden=True)
        # The table stays possible, because nothing is shown again before the end.
        met |= demands.met_by(table, _MOVED)


def _without_unneeded(problem: Problem, hidden: Mask, proof: Proof) -> Mask:
    """Show, costliest first, the cells without which the pattern still meets all demands."""
    left = hidden.copy()
    secondary = np.flatnonzero(hidden & ~problem.must_hide)
    before = proof.searches
    for cell in secondary[np.argsort(-problem.weight[secondary], kind="stable")].tolist():
        if proof.searches - before >= _MOST_ATTACKS:
            break
        left[cell] = not proof.survives_showing(cell)
    return left
