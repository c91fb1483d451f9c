"""The outsider: what anybody can know of the true counts from a publication and the policy, and how to use it.

Windows around the published counts, the declared facts rebuilt from coordinates alone, and the search for possible
tables. It must not import `system` or `rounding`: a mistake there must not be repeated here. What counts as
protected, and the verdict, belong to `audit`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from pipelines.disclosure.errors import InfeasibleError, PolicyError, SolverError
from pipelines.disclosure.policy import TOTAL, Count, Geography, Policy, Relation

Whole = NDArray[np.int64]

_PLACE = ["release", "basis", "area_code", "period_type", "period_start", "breakdown", "breakdown_value"]
_MONTHS = {"month": 1, "quarter": 3, "year_to_march": 12, "rolling_12_months": 12}
_OPTIMAL, _INFEASIBLE = 0, 2


@dataclass(frozen=True)
class Knowledge:
    """Windows `low` to `high` of each cell, and facts: `rows @ table` lies between 0 and `most`.

    `local` marks the facts between measures at one coordinate; `reasons` says where each fact comes from.
    """

    low: Whole
    high: Whole
    rows: sparse.csr_array
    most: NDArray[np.float64]
    local: NDArray[np.bool_]
    reasons: tuple[str, ...]

    def contradicted(self, table: Whole) -> Whole:
        """Numbers of the facts that a table contradicts."""
        sums = self.rows @ table
        return np.flatnonzero((sums < 0) | (sums > self.most))

    def allows(self, table: Whole) -> bool:
        """Whether a table is possible, in whole-number arithmetic: a solver's claim is never taken on trust."""
        inside = (table >= self.low).all() and (table <= self.high).all()
        return bool(inside) and len(self.contradicted(table)) == 0

    def about(self, cells: Whole, *, local: bool = False) -> "Knowledge":
        """What is known of some cells through facts that speak of no others.

        Args:
            cells: cell numbers.
            local: keep only the facts between measures at one coordinate.
        """
        others = np.ones(len(self.low))
        others[cells] = 0
        chosen = np.flatnonzero((abs(self.rows) @ others == 0) & (np.diff(self.rows.indptr) > 0))
        chosen = chosen[self.local[chosen]] if local else chosen
        return Knowledge(
            low=self.low[cells],
            high=self.high[cells],
            rows=self.rows[chosen][:, cells].tocsr(),
            most=self.most[chosen],
            local=self.local[chosen],
            reasons=tuple(self.reasons[fact] for fact in chosen),
        )

    def around(self, cells: Whole, enough: int) -> Whole:
        """The cells that facts link with some cells, step by step until there are enough or no more."""
        links = abs(self.rows).sign()
        near = np.zeros(len(self.low), dtype=np.int64)
        near[cells] = 1
        before = 0
        while before < (size := int(near.sum())) < enough:
            before = size
            near = (links.T @ (links @ near) + near > 0).astype(np.int64)
        return np.flatnonzero(near)

    def without(self, cells: Whole) -> "Knowledge":
        """The facts that do not speak of some cells; the windows of all."""
        others = np.zeros(len(self.low))
        others[cells] = 1
        kept = np.flatnonzero((abs(self.rows) @ others == 0) & (np.diff(self.rows.indptr) > 0))
        reasons = tuple(self.reasons[fact] for fact in kept)
        return Knowledge(self.low, self.high, self.rows[kept].tocsr(), self.most[kept], self.local[kept], reasons)

    def groups(self, also: sparse.csr_array | None = None) -> list[Whole]:
        """Cells that facts link, as ascending cell numbers; facts never cross from one group to another.

        Args:
            also: more rows over the same cells, each of which links its cells too.
        """
        rows = abs(self.rows if also is None else sparse.vstack([self.rows, also]).tocsr())
        facts = rows.shape[0]
        links = sparse.coo_array(rows)
        ends = (links.coords[0], links.coords[1] + facts)
        graph = sparse.coo_array((np.ones(links.nnz), ends), shape=(facts + rows.shape[1],) * 2)
        label = sparse.csgraph.connected_components(graph, directed=False)[1][facts:]
        order = np.argsort(label, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
        return sorted((group for group in groups if len(group)), key=lambda group: int(group[0]))

    def extreme(self, weight: NDArray[np.float64], seconds: float, gap: float = 0.0) -> Whole:
        """A possible table of greatest total weight.

        Args:
            weight: one weight for each cell.
            seconds: time limit.
            gap: relative distance from the greatest that is accepted.

        Returns:
            A whole-number table that has been checked against every window and fact.

        Raises:
            InfeasibleError: if it is proven that no table is possible.
            SolverError: if the search ends without an optimum, or with a table that does not stand the check.
        """
        if seconds <= 0:
            raise SolverError("The attack was given no time.")
        facts = LinearConstraint(self.rows.astype(float), 0, self.most) if self.rows.shape[0] else ()
        found = milp(
            -weight,
            integrality=np.ones(len(weight), dtype=np.int64),
            bounds=Bounds(self.low, self.high),
            constraints=facts,
            options={"time_limit": seconds, "mip_rel_gap": gap, "disp": False},
        )
        if found.status == _INFEASIBLE:
            raise InfeasibleError("No table is possible.")
        if found.status != _OPTIMAL or found.x is None:
            raise SolverError("The attack ended without a proven optimum.")
        table = np.rint(found.x).astype(np.int64)
        if not self.allows(table):
            raise SolverError("The attack's solver returned an impossible table.")
        return table

    def interval(self, cell: int, seconds: float) -> tuple[int, int]:
        """The least and greatest whole number that a cell can be.

        Args:
            cell: cell number.
            seconds: time limit of each of the two searches.

        Raises:
            SolverError: if either end is not proved.
        """
        weight = np.zeros(len(self.low))
        weight[cell] = 1
        least, greatest = self.extreme(-weight, seconds), self.extreme(weight, seconds)
        return int(least[cell]), int(greatest[cell])


def public_knowledge(cells: pl.DataFrame, policy: Policy, geography: Geography) -> Knowledge:
    """All that the policy and a publication let an outsider know.

    A count that is no multiple of the base is taken as exact. Between releases the outsider believes what is usually
    true: that late records only add. (Not of a child's value in a breakdown, which a late record may change.)

    Args:
        cells: published cells of this and earlier releases; row number = cell number. Columns: release, the
            coordinates, count, within and whether the cell is known to be `empty` (no data were delivered).
        policy: measures, relations, base.
        geography: which areas are parts of which.

    Returns:
        Windows and facts.

    Raises:
        PolicyError: if a period type is not known to the calendar used here.
    """
    low, high = own_windows(cells, policy)
    size = cells.height
    numbered = cells.with_row_index("cell").with_columns(pl.col("cell").cast(pl.Int64))
    blocks = [
        *_facts_of_parts(_parts_of_breakdowns(numbered, policy), size),
        *_facts_of_parts(_parts_of_areas(numbered, policy, geography), size),
        *_facts_of_parts(_parts_of_periods(numbered, policy), size),
        *_facts_of_relations(numbered, policy, geography, high),
        _facts_of_growth(numbered, policy),
    ]
    return Knowledge(
        low=low,
        high=high,
        rows=sparse.vstack([block.rows for block in blocks]).tocsr().astype(np.int64),
        most=np.concatenate([np.full(block.rows.shape[0], 0.0 if block.exact else np.inf) for block in blocks]),
        local=np.concatenate([np.full(block.rows.shape[0], block.local) for block in blocks]),
        reasons=tuple(block.reason for block in blocks for _ in range(block.rows.shape[0])),
    )


@dataclass(frozen=True)
class _Block:
    """Facts of one kind: rows that are zero (`exact`) or at least zero."""

    rows: sparse.csr_array
    exact: bool
    reason: str
    local: bool = False


def own_windows(cells: pl.DataFrame, policy: Policy) -> tuple[Whole, Whole]:
    """What each cell says by itself: exact, within so far of the truth, or nothing.

    A count behind `c` is at least 1: zeros are always printed. Nothing is known of one that could not be counted (`x`).
    """
    printed = cells.get_column("count").fill_null(0).to_numpy()
    rounded = (cells.get_column("method") == "controlled_rounding").to_numpy() & (printed % policy.base == 0)
    within = np.where(rounded, cells.get_column("within").to_numpy(), 0)
    hidden = (cells.get_column("symbol") == "c").to_numpy()
    silent = hidden | cells.get_column("count").is_null().to_numpy()
    empty = cells.get_column("empty").to_numpy() if "empty" in cells.columns else np.zeros(cells.height, dtype=bool)
    low = np.where(silent, hidden.astype(np.int64), np.maximum(printed - within, 0))
    return low, np.where(silent, policy.hidden_to, printed + np.where(empty, 0, within))


def _picked(numbers: Whole, size: int) -> sparse.csr_array:
    """A matrix whose rows each pick one cell."""
    rows = np.arange(len(numbers))
    return sparse.coo_array(
        (np.ones(len(numbers), dtype=np.int64), (rows, numbers)), shape=(len(numbers), size)
    ).tocsr()


def _parts_of_breakdowns(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    parts = cells.filter(pl.col("breakdown") != TOTAL).with_columns(
        kind=pl.concat_str(pl.lit("breakdown "), "breakdown"),
        expected=pl.col("breakdown_value").n_unique().over("breakdown"),
    )
    return _with_wholes(parts, cells, policy, "breakdown", breakdown=pl.lit("total"), breakdown_value=pl.lit("Total"))


def _parts_of_areas(cells: pl.DataFrame, policy: Policy, geography: Geography) -> pl.DataFrame:
    parts = _comparable(cells, policy).filter(pl.col("area_code") != geography.region)
    parts = parts.with_columns(kind=pl.lit("area"), expected=len(geography.boroughs))
    return _with_wholes(parts, cells, policy, "area", area_code=pl.lit(geography.region))


def _parts_of_periods(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Parts by the calendar: which quarter and year to March a month or quarter belongs to."""
    unknown = set(cells.get_column("period_type")) - set(_MONTHS)
    if unknown:
        message = f"The audit does not know the calendar of {', '.join(sorted(unknown))}."
        raise PolicyError(message)
    parts = _comparable(cells, policy)
    months = pl.col("period_type").replace_strict(_MONTHS, return_dtype=pl.Int64)
    return pl.concat(
        _with_wholes(
            parts.filter(pl.col("period_type").is_in(list(_MONTHS)[: list(_MONTHS).index(longer)]))
            .with_columns(
                kind=pl.concat_str(pl.lit("time "), "period_type"),
                expected=_MONTHS[longer] // months,
                whole_start=starts,
            )
            .explode("whole_start"),
            cells,
            policy,
            "time",
            period_type=pl.lit(longer),
            period_start=pl.col("whole_start"),
        )
        for longer, starts in _starts_of_wholes(months).items()
    )


def _starts_of_wholes(months: pl.Expr) -> dict[str, pl.Expr]:
    """For each longer period type, the starts of those that a period of so many months lies in; as lists."""
    start = pl.col("period_start")
    month = start.dt.year().cast(pl.Int64) * 12 + start.dt.month() - 1
    every_month = pl.int_ranges(month + months - 12, month + 1)
    return {
        "quarter": pl.concat_list(start.dt.truncate("1q")),
        "year_to_march": pl.concat_list(start.dt.offset_by("-3mo").dt.truncate("1y").dt.offset_by("3mo")),
        "rolling_12_months": every_month.list.eval(pl.date(pl.element() // 12, pl.element() % 12 + 1, 1)),
    }


def _comparable(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Cells whose value means the same elsewhere: a child may change its value, an episode does not."""
    may_change = [name for name, fixed in policy.fixed_for_child.items() if not fixed]
    of_children = [name for name, measure in policy.measures.items() if measure.unit == "child"]
    return cells.filter(~(pl.col("measure").is_in(of_children) & pl.col("breakdown").is_in(may_change)))


def _with_wholes(parts: pl.DataFrame, cells: pl.DataFrame, policy: Policy, axis: str, **whole: pl.Expr) -> pl.DataFrame:
    """Parts beside the cell that they are part of: columns part, whole, kind, composition."""
    place = ["measure", *_PLACE]
    composition = {name: str(getattr(measure, axis)) for name, measure in policy.measures.items()}
    weaker = {"adds": "at_least_sum", "union": "at_least_each"}
    declared = pl.col("measure").replace_strict(composition, return_dtype=pl.String)
    found = pl.col("part").len().over("whole", "kind")
    return (
        parts.rename({"cell": "part"})
        .with_columns(**whole)
        .join(cells.select(*place, whole="cell"), on=place)
        .with_columns(all_there=found == pl.col("expected"))
        .select(
            "part",
            "whole",
            "kind",
            composition=pl.when("all_there").then(declared).otherwise(declared.replace(weaker)),
        )
        .filter(pl.col("composition") != "none")
    )


def _facts_of_parts(links: pl.DataFrame, size: int) -> Iterator[_Block]:
    """What wholes and parts say, by matrix algebra: sums over families, and each part against its whole."""
    for (composition, kind), group in links.partition_by("composition", "kind", as_dict=True).items():
        reason = f"{kind} {composition}"
        families = group.with_columns(family=pl.col("whole").rank("dense").cast(pl.Int64) - 1)
        wholes = families.unique("family").sort("family").get_column("whole").to_numpy()
        membership = _picked(families.get_column("family").to_numpy(), len(wholes)).T
        each_part = _picked(families.get_column("part").to_numpy(), size)
        above_sum = _picked(wholes, size) - membership @ each_part
        above_each = _picked(families.get_column("whole").to_numpy(), size) - each_part
        if composition in ("adds", "at_least_sum"):
            yield _Block(above_sum.tocsr(), exact=composition == "adds", reason=reason)
        else:
            yield _Block(above_each.tocsr(), exact=False, reason=reason)
        if composition == "union":
            yield _Block((-above_sum).tocsr(), exact=False, reason=reason)


def _facts_of_relations(cells: pl.DataFrame, policy: Policy, geography: Geography, high: Whole) -> Iterator[_Block]:
    """The relations, read off wide tables with a column of cell numbers for each count."""
    value = pl.format("[{}: {}]", "breakdown", "breakdown_value")
    label = pl.col("measure") + pl.when(pl.col("breakdown") == TOTAL).then(pl.lit("")).otherwise(value)
    place = [column for column in _PLACE if column not in ("breakdown", "breakdown_value")]
    each_value = cells.pivot(on="measure", index=_PLACE, values="cell")
    undivided = cells.with_columns(label=label).pivot(on="label", index=place, values="cell")
    place.remove("basis")
    across = cells.with_columns(label=pl.format("{}:{}", "basis", label)).pivot(on="label", index=place, values="cell")
    for relation in policy.relations:
        named = [_label(count) for count in relation.counts]
        wide = each_value if relation.every_breakdown else across if relation.counts[0].basis else undivided
        if not set(named) <= set(wide.columns):
            continue
        at = wide.filter(pl.col("area_code").is_in(geography.of_levels(relation.areas)))
        numbers = at.select(named).drop_nulls().to_numpy()
        if len(numbers):
            yield _Block(
                _relation_rows(relation, numbers, high),
                exact=relation.sense == "zero",
                reason=relation.text,
                local=True,
            )


def _label(count: Count) -> str:
    value = "" if count.breakdown == TOTAL else f"[{count.breakdown}: {count.value}]"
    return f"{count.basis}:{count.measure}{value}" if count.basis else f"{count.measure}{value}"


def _facts_of_growth(cells: pl.DataFrame, policy: Policy) -> _Block:
    """Each cell is at least what it was in the release before."""
    later = (
        _comparable(cells, policy)
        .sort("cell_id", "release")
        .select("cell", before=pl.col("cell").shift(1).over("cell_id"))
        .drop_nulls()
    )
    size = cells.height
    rows = _picked(later.get_column("cell").to_numpy(), size) - _picked(later.get_column("before").to_numpy(), size)
    return _Block(rows.tocsr(), exact=False, reason="late records only add")


def _relation_rows(relation: Relation, numbers: Whole, high: Whole) -> sparse.csr_array:
    size = len(high)
    columns = [_picked(column, size) for column in numbers.T]
    if relation.sense == "needs":
        # The first is at most its own greatest value times the second; where the second is zero, so is the first.
        first, second = columns
        return sparse.csr_array(sparse.diags_array(high[numbers[:, 0]], dtype=np.int64) @ second - first)
    terms = [coefficient * column for column, (_, coefficient) in zip(columns, relation.terms, strict=True)]
    return sparse.csr_array(sum(terms[1:], start=terms[0]))
