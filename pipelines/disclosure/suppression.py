"""Cell suppression: which further cells to hide so that no hidden count can be worked out.

The second method of protection, beside rounding. It knows numbers only: cells, facts, what an outsider knows of shown
and of hidden cells, and how uncertain each target must stay. It takes nothing from the rest of the package but the
errors and the making of a solver, and its result is still to pass the audit. The search itself is in the `hiding_*`
modules.
"""

from pipelines.disclosure.errors import SolverError
from pipelines.disclosure.hiding_attack import Attainable, attainable
from pipelines.disclosure.hiding_cuts import CutSearch
from pipelines.disclosure.hiding_problem import Hidden, Problem
from pipelines.disclosure.hiding_sequence import sequential_pattern
from pipelines.disclosure.hiding_solver import Clock

__all__ = ["Hidden", "Problem", "hide", "hide_exactly", "hide_sequentially"]


def hide(problem: Problem, seconds: float) -> Hidden:
    """Hide the cheapest pattern that can be proved in time, or else the best that was found.

    What is proved optimal depends on the problem only. What is not may depend on how far the search got in time.

    Args:
        problem: cells, facts and requirement.
        seconds: time limit.

    Returns:
        The pattern; `method` says whether it is the cheapest.

    Raises:
        CellsError: if the problem contradicts itself.
        InfeasibleError: if no pattern can protect.
        SolverError: if not even the sequential search ends in time.
    """
    question, clock = _asked(problem, seconds)
    search = _started(question, clock)
    try:
        search.run()
    except SolverError:
        return _answer(problem, question, clock, search)
    return _answer(problem, question, clock, search)


def hide_exactly(problem: Problem, seconds: float) -> Hidden:
    """Hide the cheapest pattern; the same problem always gives the same one.

    Args:
        problem: cells, facts and requirement.
        seconds: time limit.

    Raises:
        CellsError: if the problem contradicts itself.
        InfeasibleError: if no pattern can protect.
        SolverError: if no pattern is proved to be the cheapest in time.
    """
    question, clock = _asked(problem, seconds)
    search = _started(question, clock)
    try:
        search.run()
    except SolverError as error:
        message = f"The cheapest hiding pattern is not proved: {error}"
        raise SolverError(message) from error
    return _answer(problem, question, clock, search)


def hide_sequentially(problem: Problem, seconds: float) -> Hidden:
    """Hide a good pattern that is found quickly; the same problem always gives the same one.

    Args:
        problem: cells, facts and requirement.
        seconds: time limit.

    Raises:
        CellsError: if the problem contradicts itself.
        InfeasibleError: if no pattern can protect.
        SolverError: if the search does not end in time.
    """
    question, clock = _asked(problem, seconds)
    return _answer(problem, question, clock, _started(question, clock))


def _asked(problem: Problem, seconds: float) -> tuple[Attainable, Clock]:
    problem.check()
    clock = Clock(seconds)
    return attainable(problem, clock), clock


def _started(question: Attainable, clock: Clock) -> CutSearch:
    """The search for the cheapest pattern, beginning with the sequential one."""
    pattern = sequential_pattern(question.problem, question.demands, clock, question.problem.weight)
    return CutSearch(question.problem, question.demands, clock, pattern)


def _answer(problem: Problem, question: Attainable, clock: Clock, search: CutSearch) -> Hidden:
    secondary = search.best & ~problem.must_hide
    forced = question.problem.must_hide & ~problem.must_hide
    return Hidden(
        hidden=search.best,
        method="exact" if search.proved else "sequential",
        proved_optimal=search.proved,
        cost=float(problem.weight[secondary].sum()),
        lower_bound=float(problem.weight[forced].sum()) + search.lower_bound,
        clipped=question.clipped,
        cuts=search.cuts,
        rounds=search.rounds,
        seconds=clock.passed(),
    )
