"""Exact controlled rounding: every count to a multiple of the base, all facts kept, close to a keyed target.

One integer programme for each group of linked cells, in steps of the base away from the target. The facts come from
`system`; whether the result protects anybody is not decided here but by `audit`.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipelines.disclosure.errors import InfeasibleError, SolverError
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.policy import Policy
from pipelines.disclosure.system import System

Progress = Callable[[int, int], None]

_DRAWS = 2**64
@dataclass(frozen=True)
class Rounded:
    """Published counts and how far each may lie from the truth, in the order of the system's cells."""

    counts: NDArray[np.int64]
    within: NDArray[np.int64]


def draws(cell_ids: Sequence[str], digests: Sequence[str], key: RoundingKey) -> NDArray[np.uint64]:
    """A number for each cell that looks random without the key and is the same for the same members.

    Args:
        cell_ids: canonical ids.
        digests: digests of the members; a cell whose members do not change keeps its draw in every release.
        key: the rounding key.

    Returns:
        Whole numbers, uniform below 2**64.
    """
    messages = (f"mfh:rounding:v1|{cell}|{digest}".encode() for cell, digest in zip(cell_ids, digests, strict=True))
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


def round_counts(
    system: System,
    policy: Policy,
    key: RoundingKey,
    first_reach: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Rounded:
    """Round every cell of the system so that all facts hold of the rounded counts.

    Args:
        system: cells with true counts, and facts.
        policy: base, reaches and time limit.
        key: the rounding key.
        first_reach: for each group of `system.components()`, which of the policy's reaches to begin with; default 0.
        progress: called with (groups done, groups) after each group.

    Returns:
        For each cell its rounded count, at most off target in as few cells as possible, and the reach it took.

    Raises:
        InfeasibleError: if some group has no rounding within the last reach.
        SolverError: if a solver stops without a proven optimum.
    """
    counts = system.cells.get_column("count").to_numpy()
    drawn = draws(system.cells["cell_id"].to_list(), system.cells["member_digest"].to_list(), key)
    target = target_steps(counts, drawn, policy.base)
    groups = system.components()
    steps, within = np.zeros_like(counts), np.zeros_like(counts)
    for done, (group, first) in enumerate(zip(groups, first_reach or [0] * len(groups), strict=True), start=1):
        steps[group], within[group] = _round_group(system, policy, group, target[group], first)
        if progress is not None:
            progress(done, len(groups))
    return Rounded(steps * policy.base, within)


def _round_group(
    system: System, policy: Policy, group: NDArray[np.int64], target: NDArray[np.int64], first: int
) -> tuple[NDArray[np.int64], int]:
    """The first reach that has a solution; none is skipped silently, because each cell carries the reach it took."""
    for reach in policy.reach[first:-1]:
        try:
            return _solve_group(system, policy, group, target, reach), reach
        except InfeasibleError:
            continue
    return _solve_group(system, policy, group, target, policy.reach[-1]), policy.reach[-1]


def _solve_group(
    system: System, policy: Policy, group: NDArray[np.int64], target: NDArray[np.int64], reach: int
) -> NDArray[np.int64]:
    counts = system.cells.get_column("count").to_numpy()[group]
    moves = _moves(counts, target, policy.base, reach)
    rows, least, most = _facts_of_group(system, group, -(-(counts + reach) // policy.base))
    sums = rows @ target
    chosen = _minimise(moves.cost, moves.most, (rows @ moves.effect).tocsr(), least - sums, most - sums, policy)
    steps: NDArray[np.int64] = target + moves.effect @ chosen
    return steps


@dataclass(frozen=True)
class _Moves:
    """Ways to leave the target, one column each: which cell it moves and where to, how often, at what cost a step."""

    effect: sparse.csr_array
    most: NDArray[np.int64]
    cost: NDArray[np.float64]


def _moves(counts: NDArray[np.int64], target: NDArray[np.int64], base: int, reach: int) -> _Moves:
    """The steps that stay within reach of the true count, never below zero, and leave a true zero where it is."""
    below, above = counts // base, -(-counts // base)
    lowest = np.maximum(0, -(-(counts - reach) // base))
    highest = np.where(counts == 0, 0, (counts + reach) // base)
    # Within the two neighbouring multiples a step costs one; beyond them, more than all such steps together.
    ranges = [above - target, target - below, highest - above, below - lowest]
    beyond = float(len(counts) + 1)
    most = np.concatenate(ranges)
    sign = np.repeat([1, -1, 1, -1], len(counts))
    cost = np.repeat([1.0, 1.0, beyond, beyond], len(counts))
    cell = np.tile(np.arange(len(counts)), 4)
    used = np.flatnonzero(most)
    effect = sparse.coo_array((sign[used], (cell[used], np.arange(len(used)))), shape=(len(counts), len(used)))
    return _Moves(effect.tocsr(), most[used], cost[used])


def _facts_of_group(
    system: System, group: NDArray[np.int64], highest: NDArray[np.int64]
) -> tuple[sparse.csr_array, NDArray[np.float64], NDArray[np.float64]]:
    """The facts about a group's cells as rows with limits.

    All facts are sums compared with zero, so they hold of counts exactly where they hold of counts / base. "A needs B"
    becomes A <= (greatest A) x B.
    """
    columns = system.matrix[:, group]
    spoken = np.flatnonzero(np.diff(columns.indptr))
    position = np.full(system.matrix.shape[1], -1)
    position[group] = np.arange(len(group))
    pairs = position[system.needs]
    pairs = pairs[(pairs >= 0).all(axis=1)]
    numbers = np.arange(len(pairs))
    needs = sparse.coo_array(
        (
            np.concatenate([highest[pairs[:, 0]], np.full(len(pairs), -1)]),
            (np.tile(numbers, 2), np.concatenate([pairs[:, 1], pairs[:, 0]])),
        ),
        shape=(len(pairs), len(group)),
    )
    rows = sparse.vstack([columns[spoken], needs]).tocsr()
    most = np.concatenate([np.where(system.equality[spoken], 0.0, np.inf), np.full(len(pairs), np.inf)])
    return rows, np.zeros(rows.shape[0]), most


def _minimise(
    cost: NDArray[np.float64],
    most: NDArray[np.int64],
    rows: sparse.csr_array,
    least_sum: NDArray[np.float64],
    most_sum: NDArray[np.float64],
    policy: Policy,
) -> NDArray[np.int64]:
    """Whole numbers from 0 to `most` of least total cost, with every row sum within its limits.

    Raises:
        InfeasibleError: if it is proven that there are none.
        SolverError: if the solver reports anything but a proven optimum.
    """
    if policy.seconds_per_component <= 0:
        raise SolverError("Controlled rounding was given no time.")
    if len(cost) == 0:
        if (least_sum > 0).any() or (most_sum < 0).any():
            raise InfeasibleError("No controlled rounding satisfies the facts.")
        return np.zeros(0, dtype=np.int64)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), rows.shape[0]
    model.col_cost_ = cost
    model.col_lower_, model.col_upper_ = np.zeros(len(cost)), most.astype(np.float64)
    model.row_lower_, model.row_upper_ = least_sum, most_sum
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(cost)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = rows.indptr
    model.a_matrix_.index_ = rows.indices
    model.a_matrix_.value_ = rows.data.astype(np.float64)
    return _run(model, policy.seconds_per_component)


def _run(model: highspy.HighsLp, seconds: float) -> NDArray[np.int64]:
    solver = highspy.Highs()
    # The same thread count in every instance of the process: HiGHS otherwise fails a run and keeps the old status.
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "time_limit": seconds, "mip_rel_gap": 0.0}
    for name, value in options.items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            message = f"HiGHS does not accept the option {name}."
            raise SolverError(message)
    if solver.passModel(model) == highspy.HighsStatus.kError:
        raise SolverError("HiGHS does not accept the rounding programme.")
    ran, status = solver.run(), solver.getModelStatus()
    if ran == highspy.HighsStatus.kOk and status == highspy.HighsModelStatus.kInfeasible:
        raise InfeasibleError("No controlled rounding satisfies the facts.")
    if ran != highspy.HighsStatus.kOk or status != highspy.HighsModelStatus.kOptimal:
        message = f"Controlled rounding is not proven optimal: {solver.modelStatusToString(status)}."
        raise SolverError(message)
    return np.rint(solver.getSolution().col_value).astype(np.int64)
