"""The joint system: every cell of the plan as one variable, and every declared linear fact between them.

A fact is included only where all its cells are published; where a part is missing, what remains true of the others is
included instead. No value is chosen here, and nothing here is used by the audit, which rebuilds the facts itself.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from pipelines.disclosure.errors import CellsError
from pipelines.disclosure.policy import TOTAL, Geography, Policy, Relation

_COORDINATE = ["measure", "basis", "area_code", "period_type", "period_start", "breakdown", "breakdown_value"]


@dataclass(frozen=True)
class System:
    """Cells and facts.

    Attributes:
        cells: the planned cells in canonical order; row number = variable number.
        matrix: facts x cells, whole-number coefficients; `matrix @ count` is 0 or at least 0.
        equality: for each fact, whether it is "is 0".
        reasons: for each fact, why an outsider knows it.
        needs: pairs of cells; where the first is not zero, the second is not zero.
        needs_reasons: for each pair, why.
    """

    cells: pl.DataFrame
    matrix: sparse.csr_array
    equality: NDArray[np.bool_]
    reasons: tuple[str, ...]
    needs: NDArray[np.int64]
    needs_reasons: tuple[str, ...]

    def broken(self, counts: NDArray[np.int64]) -> list[str]:
        """The reasons of the facts that some counts contradict.

        Args:
            counts: one count for each cell, in the order of `cells`.

        Returns:
            One reason for each contradicted fact; empty where the counts are possible.
        """
        sums = self.matrix @ counts
        false = (sums < 0) | (self.equality & (sums != 0))
        unmet = (counts[self.needs[:, 0]] > 0) & (counts[self.needs[:, 1]] == 0)
        return [self.reasons[i] for i in np.flatnonzero(false)] + [self.needs_reasons[i] for i in np.flatnonzero(unmet)]

    def facts_of(
        self, group: NDArray[np.int64], highest: NDArray[np.int64]
    ) -> tuple[sparse.csr_array, NDArray[np.float64]]:
        """The facts that speak of some cells and of no others.

        All facts are sums compared with zero, so they hold of counts exactly where they hold of counts / base.

        Args:
            group: cell numbers.
            highest: the most that each of them can be; "A needs B" becomes A <= (greatest A) x B.

        Returns:
            Rows over the group's cells whose sums are at least 0, and the most that each sum can be: 0 or infinite.
        """
        columns = self.matrix[:, group]
        said = np.diff(columns.indptr)
        spoken = np.flatnonzero((said > 0) & (said == np.diff(self.matrix.indptr)))
        position = np.full(self.matrix.shape[1], -1)
        position[group] = np.arange(len(group))
        pairs = position[self.needs]
        pairs = pairs[(pairs >= 0).all(axis=1)]
        entries = np.concatenate([highest[pairs[:, 0]], np.full(len(pairs), -1)])
        cells = np.concatenate([pairs[:, 1], pairs[:, 0]])
        needs = sparse.coo_array((entries, (np.tile(np.arange(len(pairs)), 2), cells)), shape=(len(pairs), len(group)))
        rows = sparse.csr_array(sparse.vstack([columns[spoken], needs.tocsr()], format="csr"))
        return rows, np.concatenate([np.where(self.equality[spoken], 0.0, np.inf), np.full(len(pairs), np.inf)])

    def components(self) -> list[NDArray[np.int64]]:
        """The groups of cells that facts link; no fact speaks of cells of two groups.

        Returns:
            Cell numbers of each group, ascending; groups in the order of their first cell.
        """
        facts, cells = self.matrix.shape
        pattern = sparse.coo_array(self.matrix)
        ends = np.concatenate([pattern.coords[1], self.needs[:, 0]])
        starts = np.concatenate([pattern.coords[0] + cells, self.needs[:, 1]])
        graph = sparse.coo_array((np.ones(len(ends)), (starts, ends)), shape=(cells + facts, cells + facts))
        label = sparse.csgraph.connected_components(graph, directed=False)[1][:cells]
        order = np.argsort(label, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
        return sorted(groups, key=lambda group: int(group[0]))


def build_system(planned: pl.DataFrame, policy: Policy, geography: Geography) -> System:
    """Write down what the policy declares about the planned cells.

    Args:
        planned: the cells of the plan, as `planned_cells` returns them.
        policy: measures, relations and periods.
        geography: which areas are parts of which.

    Returns:
        The system; its facts are in an order that depends on the cells and the policy only.

    Raises:
        CellsError: if a relation names a breakdown value that the cells do not have.
    """
    cells = planned.with_row_index("cell").with_columns(pl.col("cell").cast(pl.Int64))
    _refuse_unknown_values(cells, policy)
    pairs = pl.concat(
        [_breakdown_pairs(cells, policy), _area_pairs(cells, policy, geography), _time_pairs(cells, policy)]
    )
    terms = [_relation_terms(cells, relation, geography) for relation in policy.relations]
    entries = pl.concat([*_composition_entries(pairs), *(term.filter(pl.col("sense") != "needs") for term in terms)])
    needs = pl.concat(terms).filter(pl.col("sense") == "needs").sort("fact", "order")
    return _assemble(planned, entries, needs)


def check_facts(system: System) -> None:
    """Refuse true counts that contradict a declared fact: the policy would be wrong about what is publicly known.

    Raises:
        CellsError: naming each contradicted fact and how often it is contradicted.
    """
    broken = system.broken(system.cells.get_column("count").to_numpy())
    if broken:
        counted = pl.Series("reason", broken).value_counts().sort("reason")
        named = "; ".join(f"{reason} ({number} times)" for reason, number in counted.iter_rows())
        message = f"The counts contradict what the policy declares: {named}."
        raise CellsError(message)


def _breakdown_pairs(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The undivided cell as whole, the values of one breakdown as its parts."""
    same = ["measure", "basis", "area_code", "period_type", "period_start"]
    wholes = cells.filter(pl.col("breakdown") == TOTAL)
    parts = cells.filter(pl.col("breakdown") != TOTAL)
    pairs = wholes.join(parts, on=same, suffix="_part")
    along = pl.concat_str(pl.lit("by"), "breakdown_part", separator=" ")
    return _named_pairs(pairs, _compositions(policy, "breakdown"), along, complete=pl.lit(value=True))


def _area_pairs(cells: pl.DataFrame, policy: Policy, geography: Geography) -> pl.DataFrame:
    """The region's cell as whole, the boroughs' as its parts."""
    same = [column for column in _COORDINATE if column != "area_code"]
    divisible = cells.filter(_keeps_its_value(policy))
    wholes = divisible.filter(pl.col("area_code") == geography.region)
    parts = divisible.filter(pl.col("area_code").is_in(geography.boroughs))
    pairs = wholes.join(parts, on=same, suffix="_part")
    complete = pl.len().over("cell") == len(geography.boroughs)
    return _named_pairs(pairs, _compositions(policy, "area"), pl.lit("by borough"), complete)


def _time_pairs(cells: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The cell of a longer period as whole, those of one shorter period type inside it as its parts."""
    same = ["measure", "basis", "area_code", "breakdown", "breakdown_value"]
    rank = pl.col("period_type").replace_strict(policy.periods, range(len(policy.periods)), return_dtype=pl.Int64)
    divisible = cells.filter(_keeps_its_value(policy)).with_columns(
        rank=rank, days=(pl.col("period_end") - pl.col("period_start")).dt.total_days() + 1
    )
    pairs = divisible.join(divisible, on=same, suffix="_part").filter(
        pl.col("rank_part") < pl.col("rank"),
        pl.col("period_start_part") >= pl.col("period_start"),
        pl.col("period_end_part") <= pl.col("period_end"),
    )
    complete = pl.col("days_part").sum().over("cell", "period_type_part") == pl.col("days")
    along = pl.concat_str(pl.lit("by"), "period_type_part", separator=" ")
    return _named_pairs(pairs, _compositions(policy, "time"), along, complete)


def _compositions(policy: Policy, axis: Literal["area", "time", "breakdown"]) -> dict[str, str]:
    return {name: str(getattr(measure, axis)) for name, measure in policy.measures.items()}


def _keeps_its_value(policy: Policy) -> pl.Expr:
    """Cells whose members have the same breakdown value in every area and period.

    An episode keeps its value; a child has one value for each area and period, which may differ from one to the next
    unless the breakdown is fixed for the child.
    """
    of_episodes = [measure.name for measure in policy.measures.values() if measure.unit == "episode"]
    unchanging = [TOTAL, *(name for name, fixed in policy.fixed_for_child.items() if fixed)]
    return pl.col("measure").is_in(of_episodes) | pl.col("breakdown").is_in(unchanging)


def _named_pairs(pairs: pl.DataFrame, compositions: dict[str, str], along: pl.Expr, complete: pl.Expr) -> pl.DataFrame:
    """Pairs of whole and part with how they compose; a part not published leaves only a lower bound of the whole."""
    declared = pl.col("measure").replace_strict(compositions, return_dtype=pl.String)
    without_all_parts = declared.replace({"adds": "at_least_sum", "union": "at_least_each"})
    return pairs.select(
        whole="cell",
        part="cell_part",
        composition=pl.when(complete).then(declared).otherwise(without_all_parts),
        group=pl.concat_str("cell", along, separator="|"),
        reason=pl.concat_str("measure", along, separator=" "),
    ).filter(pl.col("composition") != "none")


def _composition_entries(pairs: pl.DataFrame) -> list[pl.DataFrame]:
    """The facts that pairs of whole and part amount to, as matrix entries."""
    summed = pairs.filter(pl.col("composition") != "at_least_each")
    each = pairs.filter(pl.col("composition").is_in(["union", "at_least_each"]))
    # Distinct members: the parts together are at least the whole. Otherwise the whole is at least, or is, the parts.
    sign = pl.when(pl.col("composition") == "union").then(-1).otherwise(1)
    sums = summed.select(
        "whole",
        "part",
        "reason",
        fact=pl.concat_str(pl.lit("sum"), "group", separator="|"),
        sign=sign,
        sense=pl.when(pl.col("composition") == "adds").then(pl.lit("zero")).otherwise(pl.lit("at_least_zero")),
    )
    bounds = each.select(
        "whole",
        "part",
        "reason",
        fact=pl.concat_str(pl.lit("part"), "group", "part", separator="|"),
        sign=pl.lit(1),
        sense=pl.lit("at_least_zero"),
    )
    both = pl.concat([sums, bounds])
    wholes = both.unique("fact", maintain_order=True).select(_entry(pl.col("whole"), pl.col("sign")))
    parts = both.select(_entry(pl.col("part"), -pl.col("sign")))
    return [wholes, parts]


def _relation_terms(cells: pl.DataFrame, relation: Relation, geography: Geography) -> pl.DataFrame:
    """The entries of one relation, wherever all its counts are published."""
    same = ["area_code", "period_type", "period_start"]
    same += [] if relation.counts[0].basis else ["basis"]
    same += ["breakdown", "breakdown_value"] if relation.every_breakdown else []
    return (
        cells.filter(pl.col("area_code").is_in(geography.of_levels(relation.areas)))
        .join(_terms_of(relation), on=_identity(relation))
        .filter(pl.len().over(same) == len(relation.terms))
        .with_columns(
            fact=pl.concat_str(pl.lit(f"relation|{relation.text}"), pl.col("cell").min().over(same), separator="|"),
            sense=pl.lit(relation.sense),
            reason=pl.lit(relation.text),
        )
        .select(_entry(pl.col("cell"), pl.col("coefficient"), pl.col("order")))
    )


def _terms_of(relation: Relation) -> pl.DataFrame:
    rows = [
        (count.measure, count.breakdown, count.value, count.basis, coefficient, order)
        for order, (count, coefficient) in enumerate(relation.terms)
    ]
    schema = dict.fromkeys(("measure", "breakdown", "breakdown_value", "basis"), pl.String)
    return pl.DataFrame(rows, schema={**schema, "coefficient": pl.Int64, "order": pl.Int64}, orient="row")


def _identity(relation: Relation) -> list[str]:
    """The columns by which a cell is found to be a count of a relation."""
    divided = [] if relation.every_breakdown else ["breakdown", "breakdown_value"]
    return ["measure", *divided, *(["basis"] if relation.counts[0].basis else [])]


def _refuse_unknown_values(cells: pl.DataFrame, policy: Policy) -> None:
    """Refuse a relation that names a value which the data do not have: its fact would be missing without a word."""
    divided = set(cells.select("measure", "breakdown").unique().iter_rows())
    known = set(cells.select("measure", "breakdown", "breakdown_value").unique().iter_rows())
    unknown = {
        f"{count.measure}[{count.breakdown}: {count.value}]"
        for relation in policy.relations
        if all((count.measure, count.breakdown) in divided for count in relation.counts)
        for count in relation.counts
        if (count.measure, count.breakdown, count.value) not in known
    }
    if unknown:
        message = f"The policy's relations name values that the cells do not have: {', '.join(sorted(unknown))}."
        raise CellsError(message)


def _entry(cell: pl.Expr, coefficient: pl.Expr, order: pl.Expr | None = None) -> list[pl.Expr]:
    """The columns of a matrix entry."""
    return [
        pl.col("fact"),
        cell.cast(pl.Int64).alias("cell"),
        coefficient.cast(pl.Int64).alias("coefficient"),
        (pl.lit(0) if order is None else order).cast(pl.Int64).alias("order"),
        pl.col("sense"),
        pl.col("reason"),
    ]


def _assemble(planned: pl.DataFrame, entries: pl.DataFrame, needs: pl.DataFrame) -> System:
    numbered = entries.with_columns(row=pl.col("fact").rank("dense").cast(pl.Int64) - 1)
    facts = numbered.unique("row").sort("row")
    matrix = sparse.coo_array(
        (numbered["coefficient"].to_numpy(), (numbered["row"].to_numpy(), numbered["cell"].to_numpy())),
        shape=(facts.height, planned.height),
    ).tocsr()
    pairs = needs.get_column("cell").to_numpy().reshape(-1, 2)
    return System(
        cells=planned,
        matrix=matrix,
        equality=(facts.get_column("sense") == "zero").to_numpy(),
        reasons=tuple(facts.get_column("reason")),
        needs=pairs,
        needs_reasons=tuple(needs.get_column("reason").gather_every(2)),
    )
