"""A second opinion: intervals by a solver that shares nothing with the first (CP-SAT of OR-Tools).

Used on a sample of the attack only, to notice a solver that errs; what follows from a disagreement is for the audit. It
runs as a program of its own, since OR-Tools and highspy cannot be loaded into one process: both bring a HiGHS.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.disclosure.errors import SolverError

if TYPE_CHECKING:
    from pipelines.disclosure.attacker import Knowledge

Whole = NDArray[np.int64]

_SEED = 0
_STARTING = 60  # seconds that the program may take to start and to read


def intervals(problems: list[tuple[Knowledge, Whole]], seconds: float) -> list[tuple[int, int]]:
    """The least and greatest values of weighted sums of cells over all possible tables.

    Args:
        problems: windows and facts, and the weights (sums x cells, whole numbers) of the sums that are asked for.
        seconds: time limit of each of the two searches for each sum.

    Returns:
        One interval for each sum, in order.

    Raises:
        SolverError: if any end is not proved.
    """
    sums = sum(len(weights) for _, weights in problems)
    if not sums:
        return []
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pipelines.disclosure.second_solver"],
            input=json.dumps(
                {"seconds": seconds, "problems": [_written(known, weights) for known, weights in problems]}
            ),
            capture_output=True,
            text=True,
            timeout=_STARTING + 2 * seconds * sums,
            check=True,
        )
        return [(int(low), int(high)) for low, high in json.loads(ran.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError):
        # Without the cause: it would quote the problem.
        raise SolverError("The second solver ended without proven optima.") from None


def _written(known: Knowledge, weights: Whole) -> dict[str, Any]:
    return {
        "low": known.low.tolist(),
        "high": known.high.tolist(),
        "starts": known.rows.indptr.tolist(),
        "cells": known.rows.indices.tolist(),
        "factors": known.rows.data.tolist(),
        "is_zero": (known.most == 0).tolist(),
        "weights": weights.tolist(),
    }


def _solve(problem: dict[str, Any], seconds: float) -> Iterator[tuple[int, int]]:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    cells = [model.new_int_var(low, high, "") for low, high in zip(problem["low"], problem["high"], strict=True)]
    starts = problem["starts"]
    for fact, is_zero in enumerate(problem["is_zero"]):
        at = slice(starts[fact], starts[fact + 1])
        total = cp_model.LinearExpr.weighted_sum([cells[cell] for cell in problem["cells"][at]], problem["factors"][at])
        model.add(total == 0 if is_zero else total >= 0)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = _SEED
    solver.parameters.max_time_in_seconds = seconds
    for weights in problem["weights"]:
        used = [number for number, weight in enumerate(weights) if weight]
        aim = cp_model.LinearExpr.weighted_sum([cells[n] for n in used], [weights[n] for n in used])
        ends = []
        for turn in (model.minimize, model.maximize):
            model.clear_objective()  # type: ignore[no-untyped-call]  # OR-Tools gives it no types
            turn(aim)
            if solver.solve(model) != cp_model.OPTIMAL:
                sys.exit(1)
            ends.append(round(solver.objective_value))
        yield ends[0], ends[1]


def _main() -> None:
    asked = json.load(sys.stdin)
    found = [interval for problem in asked["problems"] for interval in _solve(problem, asked["seconds"])]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main()
