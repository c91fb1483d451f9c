"""Exact controlled rounding: every count to a multiple of the base, all facts kept, close to a keyed target.

One integer programme for each group of linked cells, in steps of the base away from the target. The facts come from
`system`; whether the result protects anybody is not decided here but by `audit`.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipelines.disclosure.errors import InfeasibleError, SolverError
from pipelines.disclosure.highs import new_solver, set_options
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.policy import Policy
from pipelines.disclosure.system import System

Progress = Callable[[int, int], None]

_DRAWS = 2**64
# Leaving what an earlier release published costs as much as leaving this many targets: a published figure changes only
# where the data do, or where many others would have to. Some cost more again: two neighbouring multiples, printed one
# after the other, say that an unchanged count lies between them.
_STANDING_COST = 20.0
_STEADY_COST = 1000.0
METHOD = "controlled_rounding"
# How far, in steps, a hidden count may be moved so that the shown ones can be rounded.
_HIDDEN_STEPS = 1000


@dataclass(frozen=True)
class Rounded:
    """Published counts and how far each may lie from the truth, in the order of the system's cells."""

    counts: NDArray[np.int64]
    within: NDArray[np.int64]


def draws(cell_ids: Sequence[str], counts: Sequence[int], key: RoundingKey) -> NDArray[np.uint64]:
    """A number for each cell that looks random without the key and is the same for the same count.

    Args:
        cell_ids: canonical ids.
        counts: true counts; a cell whose count does not change keeps its draw in every release.
        key: the rounding key.

    Returns:
        Whole numbers, uniform below 2**64.
    """
    messages = (f"mfh:rounding:v2|{cell}|{count}".encode() for cell, count in zip(cell_ids, counts, strict=True))
    heads = b"".join(hmac.digest(key.secret, message, sha256)[:8] for message in messages)
    return np.frombuffer(heads, dtype=">u8").astype(np.uint64)


def target_steps(counts: NDArray[np.int64], drawn: NDArray[np.uint64], base: int) -> NDArray[np.int64]:
    """The multiple of the base that each count would be rounded to on its own, without bias over keys.

    Args:
        counts: true counts.
        drawn: what `draws` gave for them.
        base: rounding base.

    Returns:
        Target divided by the base: up with probability (count mod base) / base, else down.
    """
    threshold = (counts % base).astype(np.uint64) * np.uint64(_DRAWS // base)
    return counts // base + (drawn < threshold).astype(np.int64)


@dataclass(frozen=True)
class Freedom:
    """How a rounding may differ from the ordinary one, cell by cell.

    Attributes:
        standing: the count that was published last, or -1. Where it is still one of the two neighbouring multiples it
            is the target, in place of the keyed one.
        reach: how far each count may lie from the true one, one of the policy's reaches.
        hidden: cells that will not be shown; they only have to let the facts hold.
        steady: cells that should not move while they can stand, since their moving would narrow an unsafe count.
    """

    standing: NDArray[np.int64]
    reach: NDArray[np.int64]
    hidden: NDArray[np.bool_]
    steady: NDArray[np.bool_]

    @classmethod
    def ordinary(cls, cells: int, policy: Policy) -> "Freedom":
        """Nothing published before, the first reach, nothing hidden."""
        nothing = np.zeros(cells, dtype=bool)
        return cls(np.full(cells, -1), np.full(cells, policy.reach[0]), hidden=nothing, steady=nothing)


def round_counts(
    system: System,
    policy: Policy,
    key: RoundingKey,
    freedom: Freedom | None = None,
    *,
    progress: Progress | None = None,
) -> Rounded:
    """Round every cell of the system so that all facts hold of the rounded counts.

    Args:
        system: cells with true counts, and facts. Cells of another method stay as they are, and so do the facts that
            speak of them.
        policy: base, reaches and time limit.
        key: the rounding key.
        freedom: what stands, how far each cell may go and what is hidden; by default the ordinary.
        progress: called with (groups done, groups) after each group.

    Returns:
        For each cell its rounded count and the reach it took; as few cells as possible are off target. A group of
        linked cells without a solution is tried again with every cell's next reach.

    Raises:
        InfeasibleError: if some group has no rounding within the last reach.
        SolverError: if a solver stops without a proven optimum.
    """
    freedom = freedom or Freedom.ordinary(system.cells.height, policy)
    is_rounded = (system.cells.get_column("method") == METHOD).to_numpy()
    aim = _aim(system, policy, key, freedom)
    groups = [group for group in system.components() if is_rounded[group].any()]
    counts, within = system.cells.get_column("count").to_numpy().copy(), np.zeros(system.cells.height, dtype=np.int64)
    for done, linked in enumerate(groups, start=1):
        group = linked[is_rounded[linked]]
        steps, within[group] = _round_group(system, policy, group, aim.of(group))
        counts[group] = steps * policy.base
        if progress is not None:
            progress(done, len(groups))
    return Rounded(counts, within)


@dataclass(frozen=True)
class _Aim:
    """True counts, the steps of the base that they are aimed at, what it costs to miss by one, and how far to go."""

    counts: NDArray[np.int64]
    target: NDArray[np.int64]
    cost: NDArray[np.float64]
    reach: NDArray[np.int64]
    hidden: NDArray[np.bool_]

    def of(self, group: NDArray[np.int64]) -> "_Aim":
        """The same for some cells."""
        return _Aim(self.counts[group], self.target[group], self.cost[group], self.reach[group], self.hidden[group])


def _aim(system: System, policy: Policy, key: RoundingKey, freedom: Freedom) -> _Aim:
    counts = system.cells.get_column("count").to_numpy()
    drawn = draws(system.cells["cell_id"].to_list(), counts.tolist(), key)
    target = target_steps(counts, drawn, policy.base)
    last = freedom.standing
    stands = (last >= 0) & (last % policy.base == 0) & (np.abs(last - counts) < policy.base) & ~freedom.hidden
    cost = np.where(stands, np.where(freedom.steady, _STEADY_COST, _STANDING_COST), 1.0)
    return _Aim(counts, np.where(stands, last // policy.base, target), cost, freedom.reach, freedom.hidden)


def _round_group(
    system: System, policy: Policy, group: NDArray[np.int64], aim: _Aim
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first reach that has a solution; none is skipped silently, because each cell carries the reach it took."""
    for reach in policy.reach[:-1]:
        further = replace(aim, reach=np.maximum(aim.reach, reach))
        try:
            return _solve_group(system, policy, group, further), further.reach
        except InfeasibleError:
            continue
    last = replace(aim, reach=np.full_like(aim.reach, policy.reach[-1]))
    return _solve_group(system, policy, group, last), last.reach


def _solve_group(system: System, policy: Policy, group: NDArray[np.int64], aim: _Aim) -> NDArray[np.int64]:
    moves = _moves(aim, policy.base)
    rows, most = system.facts_of(group, _highest(aim, policy.base))
    facts = _Facts(rows, np.zeros(len(most)), most)
    chosen = _minimise(moves, facts.after(moves.effect, aim.target), policy.seconds_per_component)
    steps: NDArray[np.int64] = aim.target + moves.effect @ chosen
    return steps


def _highest(aim: _Aim, base: int) -> NDArray[np.int64]:
    """The most steps of each cell: within reach of its count, none for a true zero, and as many as needed if hidden."""
    shown = np.where(aim.counts == 0, 0, (aim.counts + aim.reach) // base)
    return np.where(aim.hidden, aim.target + _HIDDEN_STEPS, shown)


@dataclass(frozen=True)
class _Moves:
    """Ways to leave the target, one column each: which cell it moves and where to, how often, at what cost a step."""

    effect: sparse.csr_array
    most: NDArray[np.int64]
    cost: NDArray[np.float64]


def _moves(aim: _Aim, base: int) -> _Moves:
    """The steps that stay within reach of the true count, never below zero, and leave a true zero where it is."""
    counts, size = aim.counts, len(aim.counts)
    below, above = counts // base, -(-counts // base)
    lowest = np.where(aim.hidden, 0, np.maximum(0, -(-(counts - aim.reach) // base)))
    highest = _highest(aim, base)
    # A step beyond the two neighbouring multiples costs more than all steps between them together; of what is hidden
    # any step will do.
    beyond = np.where(aim.hidden, 1.0, aim.cost.sum() + 1)
    most = np.concatenate([above - aim.target, aim.target - below, highest - above, below - lowest])
    sign = np.repeat([1, -1, 1, -1], size)
    cost = np.concatenate([aim.cost, aim.cost, beyond, beyond])
    cell = np.tile(np.arange(size), 4)
    used = np.flatnonzero(most > 0)
    effect = sparse.coo_array((sign[used], (cell[used], np.arange(len(used)))), shape=(size, len(used)))
    return _Moves(effect.tocsr(), most[used], cost[used])


@dataclass(frozen=True)
class _Facts:
    """Facts as rows of coefficients: each row's sum lies between `least` and `most`."""

    rows: sparse.csr_array
    least: NDArray[np.float64]
    most: NDArray[np.float64]

    def after(self, effect: sparse.csr_array, start: NDArray[np.int64]) -> "_Facts":
        """The same facts about moves that lead away from a start."""
        sums = self.rows @ start
        return _Facts((self.rows @ effect).tocsr(), self.least - sums, self.most - sums)


def _minimise(moves: _Moves, facts: _Facts, seconds: float) -> NDArray[np.int64]:
    """How often to make each move, at least total cost, so that the facts hold.

    Raises:
        InfeasibleError: if it is proven that no moves make them hold.
        SolverError: if the solver reports anything but a proven optimum.
    """
    if seconds <= 0:
        raise SolverError("Controlled rounding was given no time.")
    if len(moves.cost) == 0:
        if (facts.least > 0).any() or (facts.most < 0).any():
            raise InfeasibleError("No controlled rounding satisfies the facts.")
        return np.zeros(0, dtype=np.int64)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(moves.cost), facts.rows.shape[0]
    model.col_cost_ = moves.cost
    model.col_lower_, model.col_upper_ = np.zeros(len(moves.cost)), moves.most.astype(np.float64)
    model.row_lower_, model.row_upper_ = facts.least, facts.most
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(moves.cost)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = facts.rows.indptr
    model.a_matrix_.index_ = facts.rows.indices
    model.a_matrix_.value_ = facts.rows.data.astype(np.float64)
    return _run(model, seconds)


def _run(model: highspy.HighsLp, seconds: float) -> NDArray[np.int64]:
    solver = new_solver()
    set_options(solver, time_limit=seconds)
    if solver.passModel(model) == highspy.HighsStatus.kError:
        raise SolverError("HiGHS does not accept the rounding programme.")
    ran, status = solver.run(), solver.getModelStatus()
    if ran == highspy.HighsStatus.kOk and status == highspy.HighsModelStatus.kInfeasible:
        raise InfeasibleError("No controlled rounding satisfies the facts.")
    if ran != highspy.HighsStatus.kOk or status != highspy.HighsModelStatus.kOptimal:
        message = f"Controlled rounding is not proven optimal: {solver.modelStatusToString(status)}."
        raise SolverError(message)
    chosen: NDArray[np.float64] = np.array(solver.getSolution().col_value)
    return np.rint(chosen).astype(np.int64)
