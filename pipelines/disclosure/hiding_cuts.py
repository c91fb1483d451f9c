"""Cell suppression at least cost, by cuts (Fischetti and Salazar-Gonzalez).

A master programme chooses the cells to hide. A demand that its choice leaves unmet gives an inequality, from the duals
of the outsider's programme, that every protecting pattern satisfies. When none is left, the choice is optimal. The
first pattern, and how an outsider reasons, are not here.
"""

import numpy as np
from scipy import sparse

from pipelines.disclosure.errors import SolverError
from pipelines.disclosure.hiding_attack import Attack, Proof
from pipelines.disclosure.hiding_problem import Demands, Problem, chosen
from pipelines.disclosure.hiding_sequence import sequential_pattern
from pipelines.disclosure.hiding_solver import Clock, Mask, Numbers, Programme, Whole

_VIOLATED = 1e-3  # in fractions of the least that a cut demands; less is not worth a row before the end
_BARELY_VIOLATED = 1e-6
_NOISE = 1e-12
_ROUNDS_BETWEEN_TRIES = 4  # a better pattern takes about as long to look for as one choice of whole cells
_DIGITS = 9
# Two costs closer than this are the same; the programmes are not solved to more digits.
_SAME_COST = 1e-6


class CutSearch:
    """The search for the cheapest pattern; what it knows so far can be read when it runs out of time.

    Attributes:
        best: cheapest protecting pattern known.
        lower_bound: proven least cost of a protecting pattern.
        proved: whether `best` is the cheapest.
        cuts: inequalities found.
        rounds: how often they were looked for.
    """

    def __init__(self, problem: Problem, demands: Demands, clock: Clock, start: Mask) -> None:
        """Begin with a pattern that protects, and no cuts."""
        self.best = start
        self.lower_bound = 0.0
        self.proved = False
        self.rounds = 0
        self._problem = problem
        self._demands = demands
        self._clock = clock
        self._free = problem.free()
        self._weight = problem.weight[self._free]
        self._cuts = _Cuts(problem, demands, clock)
        self._rows: dict[bytes, Numbers] = {}
        size = len(self._free)
        none = np.zeros(0)
        self._relaxed = Programme(np.zeros(size), np.ones(size), sparse.csr_array((0, size)), none, none)
        self._relaxed.set_costs(self._weight)

    @property
    def cuts(self) -> int:
        """How many inequalities were found."""
        return len(self._rows)

    def run(self) -> None:
        """Search until the cheapest pattern is proved.

        Raises:
            SolverError: if time runs out, or the solver does not get to the end.
        """
        if self._cost(self.best) == 0:
            self._conclude(self.best)
            return
        self._improve(self._relax())
        while not self.proved:
            self._choose()

    def _relax(self) -> Numbers:
        """Hide fractions of cells, until no more cuts are found."""
        while True:
            optimum = self._relaxed.solve(self._clock.left())
            self._raise_bound(optimum.value)
            if not self._add(self._cuts.violated(optimum.point, _VIOLATED)):
                return optimum.point

    def _choose(self) -> None:
        """Hide whole cells: the cheapest choice that the cuts allow is optimal, or gives more cuts."""
        choice = self._master().solve(self._clock.left())
        self._raise_bound(choice.bound)
        if choice.bound >= self._cost(self.best) - _SAME_COST:
            self._conclude(self.best)
            return
        hidden = np.rint(choice.point)
        if self._add(self._cuts.violated(hidden, _BARELY_VIOLATED)):
            if self.rounds % _ROUNDS_BETWEEN_TRIES == 0:
                self._improve(hidden)
            return
        pattern = self._pattern(hidden)
        proof = Proof(self._problem, self._demands, self._clock, pattern)
        fooled = proof.complete()
        if not len(fooled):
            self._conclude(pattern)
        elif not self._add([self._whole_cut(pattern, int(number)) for number in fooled]):
            raise SolverError("The search for the cheapest pattern repeats itself.")

    def _master(self) -> Programme:
        """The choice of whole cells; a new programme each time, so that it does not depend on earlier choices."""
        size = len(self._free)
        rows = np.array(list(self._rows.values())).reshape(-1, size)
        any_more = np.full(len(rows), np.inf)
        master = Programme(np.zeros(size), np.ones(size), sparse.csr_array(rows), np.ones(len(rows)), any_more)
        master.set_costs(self._weight)
        master.make_whole()
        return master

    def _improve(self, hidden: Numbers) -> None:
        """Try the sequential search where the cells that the master would hide cost little."""
        cost = self._problem.weight.copy()
        cost[self._free] *= 1.01 - hidden
        found = sequential_pattern(self._problem, self._demands, self._clock, cost)
        if self._cost(found) < self._cost(self.best) - _SAME_COST:
            self.best = found

    def _whole_cut(self, pattern: Mask, number: int) -> Numbers:
        """The cut for a demand that only fractions meet.

        As many further cells are hidden as leave it unmet; a pattern that meets it hides one of the others.
        """
        demand = chosen(self._demands, np.array([number]))
        proof = Proof(self._problem, demand, self._clock, pattern)
        for cell in self._free[~pattern[self._free]].tolist():
            proof.hide_unless_met(cell)
        return (~proof.hidden[self._free]).astype(np.float64)

    def _add(self, cuts: list[Numbers]) -> int:
        """Add the cuts that are new, and say how many were."""
        self.rounds += 1
        before = len(self._rows)
        for cut in cuts:
            key = cut.round(_DIGITS).tobytes()
            if key not in self._rows:
                self._rows[key] = cut
                self._relaxed.add_row(cut, 1.0)
        return len(self._rows) - before

    def _raise_bound(self, bound: float) -> None:
        self.lower_bound = max(self.lower_bound, min(bound, self._cost(self.best)))

    def _conclude(self, pattern: Mask) -> None:
        self.best, self.proved = pattern, True
        self.lower_bound = self._cost(pattern)

    def _pattern(self, hidden: Numbers) -> Mask:
        pattern = self._problem.must_hide.copy()
        pattern[self._free] = hidden > 1 / 2
        return pattern

    def _cost(self, pattern: Mask) -> float:
        return float(self._weight[pattern[self._free]].sum())


class _Cuts:
    """Inequalities `coefficients @ hidden >= 1` over the free cells, from the outsider's duals."""

    def __init__(self, problem: Problem, demands: Demands, clock: Clock) -> None:
        self._problem = problem
        self._demands = demands
        self._free = problem.free()
        self._amount = demands.amount(problem.counts)
        self._rise = np.where(problem.may_hide, problem.hidden_high - problem.shown_high, 0)
        self._fall = np.where(problem.may_hide, problem.shown_low - problem.hidden_low, 0)
        self._columns = sparse.csr_array(problem.rows.T.astype(np.float64))
        self._attack = Attack(problem, clock, problem.may_hide)

    def violated(self, hidden: Numbers, least: float) -> list[Numbers]:
        """Cuts that a choice violates.

        Args:
            hidden: how much of each free cell is hidden.
            least: violation from which on a cut counts.
        """
        share = self._problem.must_hide.astype(np.float64)
        share[self._free] = hidden
        found: list[Numbers] = []
        for amount in np.unique(self._amount).tolist():
            # A cut charges no cell with more than the amount: wider windows would only hide violated cuts from view.
            found += self._violated_within(amount, np.flatnonzero(self._amount == amount), share, least)
        if found or not np.array_equal(hidden, np.rint(hidden)):
            return found
        return self._violated_within(np.inf, np.arange(len(self._amount)), share, least)

    def _violated_within(self, widest: float, numbers: Whole, share: Numbers, least: float) -> list[Numbers]:
        """The violated cuts of some demands, where hiding widens no window by more than so much."""
        problem, found = self._problem, []
        self._attack.face(
            problem.shown_low - np.minimum(self._fall, widest) * share,
            problem.shown_high + np.minimum(self._rise, widest) * share,
        )
        met = np.zeros(len(self._amount), dtype=bool)
        for number in numbers.tolist():
            if met[number]:
                continue
            cell, sign, _ = self._demands.at(number)
            extreme = self._attack.extreme(cell, sign)
            met |= self._demands.met_by(extreme.point, _BARELY_VIOLATED)
            # The programme minimises, so its duals are those of the outsider's maximum with the other sign.
            cut = None if met[number] else self._cut(number, -extreme.duals.round(_DIGITS))
            if cut is not None and cut @ share[self._free] < 1 - least:
                found.append(cut)
        return found

    def _cut(self, number: int, multipliers: Numbers) -> Numbers | None:
        """What any multipliers of the facts prove of every pattern that meets a demand; none if they prove nothing.

        The multiplied facts and the windows bound how far out the target can lie. The bound grows with what is hidden
        and has to reach the goal. No cell need be charged with more than all that is missing.
        """
        problem = self._problem
        cell, sign, goal = self._demands.at(number)
        left = -(self._columns @ multipliers)
        left[cell] += sign
        left[np.abs(left) < _NOISE] = 0
        up, down = np.maximum(left, 0), np.maximum(-left, 0)
        ends = np.where(multipliers > 0, problem.most, problem.least)
        used = multipliers != 0
        shown = up @ problem.shown_high - down @ problem.shown_low + ends[used] @ multipliers[used]
        gained = up * self._rise + down * self._fall
        missing = goal - shown - gained[problem.must_hide].sum()
        if not missing > _BARELY_VIOLATED:
            return None
        cut: Numbers = np.minimum(gained[self._free], missing) / missing
        return cut
