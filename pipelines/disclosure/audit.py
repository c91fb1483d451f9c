"""The independent audit: an outsider who knows the policy and every declared fact attacks what is to be published.

It rebuilds the facts from the published coordinates alone, in its own way, and shares no code with `system` and
`rounding`; a mistake there must not be repeated here. It never sees a true count except those it is asked to protect.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from pipelines.disclosure.policy import Composition, Geography, Policy

Progress = Callable[[int, int], None]

_PLACE = ["basis", "area_code", "period_type", "period_start", "breakdown", "breakdown_value"]
_REQUIRED = [*_PLACE, "measure", "cell_id", "period_end", "count", "symbol", "within"]
_SOLVER = f"HiGHS through scipy {scipy.__version__}"
# A witness need not be the best table, only a possible one; proving it the best is what costs time.
_WITNESS_GAP = 0.02
_OPTIMAL = 0


@dataclass(frozen=True)
class Finding:
    """One reason to refuse: coordinates and a code, never a value."""

    cell_id: str
    reason: str


@dataclass(frozen=True)
class AuditReport:
    """What the attack came to.

    Attributes:
        cells: published cells attacked.
        facts: facts that the attacker used.
        unsafe: cells that needed protection.
        proved_by_witness: of these, protected as shown by a possible table found for many of them at once.
        proved_alone: of these, protected as shown by attacking the cell by itself.
        least_width: least width of an unsafe cell's interval that is proved to remain; null without unsafe cells.
        refused: reasons to refuse.
        policy_version: version of the policy that says what protection is.
        solver: what searched for the tables.
        seconds: time taken; not part of `to_json`, so that the same release gives the same bytes.
    """

    cells: int
    facts: int
    unsafe: int
    proved_by_witness: int
    proved_alone: int
    least_width: int | None
    refused: tuple[Finding, ...]
    policy_version: str
    solver: str
    seconds: float = field(compare=False)

    @property
    def passed(self) -> bool:
        """Whether the release may go out."""
        return not self.refused and self.unsafe == self.proved_by_witness + self.proved_alone

    def to_json(self) -> str:
        """The report as canonical JSON. It names cells only where it refuses, since a list of audited cells says which are small."""
        content = {
            "passed": self.passed,
            "cells": self.cells,
            "facts": self.facts,
            "unsafe_cells": self.unsafe,
            "proved_by_witness": self.proved_by_witness,
            "proved_alone": self.proved_alone,
            "least_width_proved": self.least_width,
            "refused": [{"cell_id": finding.cell_id, "reason": finding.reason} for finding in self.refused],
            "policy_version": self.policy_version,
            "solver": self.solver,
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class _Knowledge:
    """What the outsider knows of all cells: windows, and rows of facts, `rows @ x` between 0 and `most`."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    rows: sparse.csr_array
    most: NDArray[np.float64]
    local: NDArray[np.bool_]
    reasons: tuple[str, ...]

    def allows(self, table: NDArray[np.int64]) -> bool:
        """Whether a table is possible, in exact arithmetic: what a solver claims is never taken on trust."""
        sums = self.rows @ table
        return bool(
            (sums >= 0).all() and (sums <= self.most).all() and (table >= self.low).all() and (table <= self.high).all()
        )

    def of(self, cells: NDArray[np.int64], *, local: bool = False) -> "_Knowledge":
        """What is known of some cells by facts that speak of them alone; `local`: by relations at one coordinate only."""
        outside = np.ones(len(self.low))
        outside[cells] = 0
        chosen = np.flatnonzero((abs(self.rows) @ outside == 0) & (self.local if local else True))
        return _Knowledge(
            self.low[cells],
            self.high[cells],
            self.rows[chosen][:, cells].tocsr(),
            self.most[chosen],
            self.local[chosen],
            tuple(self.reasons[row] for row in chosen),
        )


class _UnprovedError(Exception):
    """A search ended without proof."""


def audit(
    published: pl.DataFrame,
    unsafe: pl.DataFrame,
    policy: Policy,
    geography: Geography,
    *,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Attack what is to be published.

    A cell is protected when possible tables have been found, and checked against every fact in whole numbers, that
    differ enough in that cell. A pass therefore does not rest on the solver being right; only a refusal does.

    Args:
        published: cell coordinates, rounded count, symbol and `within`. The counts of cells whose symbol hides them are
            given too: the others' sums give most of them away, so the attacker is granted all of them.
        unsafe: cell_id and true count of each cell that must be protected.
        policy: facts, plan and requirement, all public.
        geography: the region and its boroughs.
        seconds: time limit of each search; default that of the policy.
        progress: called with (groups done, groups) after each group of linked cells.

    Returns:
        The report. Anything not proved to be protected is a reason to refuse.

    Raises:
        CellsError: if a column is missing, or a cell is empty or repeated.
    """
    started = perf_counter()
    cells = _with_numbers(published)
    secret = unsafe.join(cells.select("cell_id", "cell"), on="cell_id", how="left", maintain_order="left")
    known = _knowledge(cells, secret, policy, geography)
    findings = [*_misfits(cells, secret, policy, geography), *_impossible(cells, known)]
    groups = _groups(known, secret.get_column("cell").drop_nulls().to_numpy())
    attacked = []
    for done, (group, targets) in enumerate(groups, start=1):
        attacked.append(_attack(cells, known, group, targets, policy, policy.seconds_per_component if seconds is None else seconds))
        if progress is not None:
            progress(done, len(groups))
    raise NotImplementedError
