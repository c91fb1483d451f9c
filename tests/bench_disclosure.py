"""Cell suppression of the simulated table GM4 and of smaller tables of the same children, timed.

Run as `python -m tests.bench_disclosure [seed]`. Prints cells, equations, primary and secondary cells, method, cost,
proven lower bound, whether the pattern is proved to be the cheapest, and seconds.
"""

import sys

from pipelines.disclosure.suppression import Hidden, Problem, hide, hide_sequentially
from tests.builders.gm4 import AXES, gm4
from tests.builders.hiding import small_counts_hidden

SECONDS = 120.0
TABLES = {
    "borough x age": (hide, ("borough", "age")),
    "borough x sex x age": (hide, ("borough", "sex", "age")),
    "borough x age x quarter": (hide, ("borough", "age", "quarter")),
    "GM4": (hide_sequentially, AXES),
}
_COLUMNS = "{:24}{:>7}{:>11}{:>11}{:>13}{:>12}{:>9}{:>9}{:>8}{:>9}"


def row(name: str, problem: Problem, found: Hidden) -> str:
    """One table's figures."""
    return _COLUMNS.format(
        name,
        len(problem.counts),
        problem.rows.shape[0],
        int(problem.must_hide.sum()),
        int((found.hidden & ~problem.must_hide).sum()),
        found.method,
        f"{found.cost:.2f}",
        f"{found.lower_bound:.2f}",
        "yes" if found.proved_optimal else "no",
        f"{found.seconds:.2f}",
    )


def main(seed: int) -> None:
    """Print the figures with zeros always printed, then with zeros that may be hidden."""
    for zeros_printed in (True, False):
        print("\nZeros are always printed." if zeros_printed else "\nZeros may be hidden, at a cost of 1 a cell more.")
        block(seed, zeros_printed=zeros_printed)


def block(seed: int, *, zeros_printed: bool) -> None:
    """Protect every table under one assumption and print the rows."""
    heads = ("table", "cells", "equations", "primaries", "secondaries", "method", "cost", "bound", "proved", "seconds")
    print(_COLUMNS.format(*heads))
    for name, (method, axes) in TABLES.items():
        problem = small_counts_hidden(gm4(seed, axes), zeros_printed=zeros_printed)
        print(row(name, problem, method(problem, SECONDS)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
