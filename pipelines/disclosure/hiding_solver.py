"""Linear programmes that are solved again and again with other bounds, costs or rows, on one solver instance.

Only the handling of the solver belongs here: one thread, one seed, a time limit over all runs together, and no result
without a proven optimum. What the programmes mean does not.
"""

from dataclasses import dataclass
from time import perf_counter

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipelines.disclosure.errors import InfeasibleError, SolverError
from pipelines.disclosure.highs import new_solver, set_options

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Clock:
    """The time that one search may take, over all its programmes."""

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self._seconds = seconds
        self._started = perf_counter()

    def passed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self._started

    def left(self) -> float:
        """Seconds until the end.

        Raises:
            SolverError: if there are none.
        """
        left = self._seconds - self.passed()
        if left <= 0:
            raise SolverError("The search for a hiding pattern is out of time.")
        return left


@dataclass(frozen=True)
class Optimum:
    """A proven optimum: value of the objective, bound proven for it, value of each column, dual of each row."""

    value: float
    bound: float
    point: Numbers
    duals: Numbers


class Programme:
    """Minimise a cost over columns within bounds, while `least <= rows @ columns <= most`."""

    def __init__(
        self, low: Numbers | Whole, high: Numbers | Whole, rows: sparse.csr_array, least: Numbers, most: Numbers
    ) -> None:
        """Set up the programme; all costs are zero.

        Args:
            low: least value of each column.
            high: greatest value of each column.
            rows: coefficients.
            least: least value of each row.
            most: greatest value of each row.

        Raises:
            SolverError: if the solver does not accept it.
        """
        self._columns = np.arange(len(low), dtype=np.int32)
        self._whole = False
        self._solver = new_solver()
        rows = _without_tiny(rows)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(low), rows.shape[0]
        model.col_cost_ = np.zeros(len(low))
        model.col_lower_, model.col_upper_ = low.astype(np.float64), high.astype(np.float64)
        model.row_lower_, model.row_upper_ = least, most
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = rows.indptr
        model.a_matrix_.index_ = rows.indices
        model.a_matrix_.value_ = rows.data.astype(np.float64)
        _accepted(self._solver.passModel(model))

    def set_bounds(self, low: Numbers, high: Numbers) -> None:
        """Replace the bounds of all columns."""
        _accepted(self._solver.changeColsBounds(len(self._columns), self._columns, low, high))

    def set_costs(self, cost: Numbers) -> None:
        """Replace the costs of all columns."""
        _accepted(self._solver.changeColsCost(len(self._columns), self._columns, cost))

    def set_bound(self, column: int, low: float, high: float) -> None:
        """Replace the bounds of one column."""
        _accepted(self._solver.changeColBounds(column, low, high))

    def set_cost(self, column: int, cost: float) -> None:
        """Replace the cost of one column."""
        _accepted(self._solver.changeColCost(column, cost))

    def add_row(self, coefficients: Numbers, least: float) -> None:
        """Demand that a weighted sum of the columns is at least a number."""
        used = np.flatnonzero(np.abs(coefficients) > _SMALLEST).astype(np.int32)
        _accepted(self._solver.addRow(least, highspy.kHighsInf, len(used), used, coefficients[used]))

    def make_whole(self) -> None:
        """Allow whole numbers only, in all columns."""
        kinds = np.full(len(self._columns), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        _accepted(self._solver.changeColsIntegrality(len(self._columns), self._columns, kinds))
        self._whole = True
        # The searches for a first good choice cost more than the rest; whoever asks here has one, or needs no good one.
        for name in ("mip_heuristic_run_rins", "mip_heuristic_run_rens", "mip_heuristic_run_root_reduced_cost"):
            set_options(self._solver, **{name: False})
        set_options(self._solver, mip_heuristic_effort=0.0)

    def solve(self, seconds: float) -> Optimum:
        """Find the optimum.

        Args:
            seconds: time limit of this run.

        Raises:
            InfeasibleError: if it is proven that nothing satisfies the rows.
            SolverError: if the run ends with anything but a proven optimum.
        """
        # HiGHS counts the time of all runs of an instance together.
        set_options(self._solver, time_limit=self._solver.getRunTime() + seconds)
        ran, status = self._solver.run(), self._solver.getModelStatus()
        if ran == highspy.HighsStatus.kOk and status == highspy.HighsModelStatus.kInfeasible:
            raise InfeasibleError("No hiding pattern, or no possible table, satisfies what is demanded.")
        if ran != highspy.HighsStatus.kOk or status != highspy.HighsModelStatus.kOptimal:
            message = (
                f"A programme about hidden cells is not proven optimal: {self._solver.modelStatusToString(status)}."
            )
            raise SolverError(message)
        found, info = self._solver.getSolution(), self._solver.getInfo()
        value = float(info.objective_function_value)
        return Optimum(
            value=value,
            bound=float(info.mip_dual_bound) if self._whole else value,
            point=np.array(found.col_value),
            duals=np.array([] if self._whole else found.row_dual),
        )


# A smaller coefficient HiGHS would leave out with a warning. Without it a demand only gets stricter.
_SMALLEST = 1e-9


def _without_tiny(rows: sparse.csr_array) -> sparse.csr_array:
    kept = rows.astype(np.float64).copy()
    kept.data[np.abs(kept.data) <= _SMALLEST] = 0.0
    kept.eliminate_zeros()
    return kept


def _accepted(status: highspy.HighsStatus) -> None:
    if status != highspy.HighsStatus.kOk:
        raise SolverError("HiGHS does not accept a programme about hidden cells.")
