"""HiGHS as every protector here uses it: quiet, one thread, one seed, no gap.

Only the making of a solver belongs here; programmes, and what is done with a status, do not.
"""

from typing import Any

import highspy

from pipelines.disclosure.errors import SolverError


def new_solver() -> Any:
    """Make a solver whose result depends on the programme only.

    Raises:
        SolverError: if it does not accept an option.
    """
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    # The same thread count in every instance of the process: HiGHS otherwise fails a run and keeps the old status.
    set_options(solver, output_flag=False, threads=1, random_seed=0, mip_rel_gap=0.0)
    return solver


def set_options(solver: Any, **options: bool | float) -> None:
    """Set options by name.

    Raises:
        SolverError: naming the option that the solver does not accept.
    """
    for name, value in options.items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            message = f"HiGHS does not accept the option {name}."
            raise SolverError(message)
