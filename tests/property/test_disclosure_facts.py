"""Every declared fact is true of what is counted from episodes, and the audit knows the same facts as the protector."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from pipelines.disclosure.attacker import Knowledge, public_knowledge
from pipelines.disclosure.cells import planned_cells
from pipelines.disclosure.system import System, build_system, check_facts
from tests.disclosure_data import POLICY, TOWNS, as_published, count_cells, everything, simulate

Fact = tuple[bool, tuple[tuple[int, int], ...]]
EVERYTHING = everything()


def both(cells: pl.DataFrame) -> tuple[System, Knowledge]:
    """The protector's system and the attacker's knowledge of the same cells, all published as zero."""
    system = build_system(planned_cells(cells, EVERYTHING, TOWNS), EVERYTHING, TOWNS)
    published = as_published(system.cells, [0] * system.cells.height).with_columns(release=1, empty=False)
    return system, public_knowledge(published, EVERYTHING, TOWNS)


def rows_of(matrix: sparse.csr_array, exact: np.ndarray) -> set[Fact]:
    """The facts of a matrix, whatever their order and however often they are stated."""
    facts = set()
    for row, zero in zip(range(matrix.shape[0]), exact, strict=True):
        entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
        pairs = sorted(zip(matrix.indices[entries].tolist(), matrix.data[entries].tolist(), strict=True))
        facts.add((bool(zero), tuple((cell, int(coefficient)) for cell, coefficient in pairs if coefficient)))
    return facts


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), children=st.integers(1, 60), years=st.integers(1, 2))
def test_every_fact_is_true_of_real_counts(seed: int, children: int, years: int) -> None:
    cells = count_cells(simulate(seed, children, years, TOWNS), TOWNS, years=years)
    system, known = both(cells)
    counts = system.cells.get_column("count").to_numpy()
    check_facts(system)
    needs = np.array([" needs " in reason for reason in known.reasons])
    # Of "A needs B" the attacker's form depends on the windows, which are made up here; the system's was checked above.
    assert [known.reasons[fact] for fact in known.contradicted(counts) if not needs[fact]] == []


def test_the_audit_and_the_protector_know_the_same_facts() -> None:
    system, known = both(count_cells(simulate(1, 20, 2, TOWNS), TOWNS, years=2))
    needs = np.array([" needs " in reason for reason in known.reasons])
    plain = np.flatnonzero(~needs)
    assert rows_of(system.matrix, system.equality) == rows_of(known.rows[plain].tocsr(), known.most[plain] == 0)
    # All printed counts are 0 and windows reach to 4, so the attacker writes "A needs B" as A <= 4 B.
    pairs = {(False, tuple(sorted([(a, -1), (b, 4)]))) for a, b in system.needs.tolist()}
    assert rows_of(known.rows[np.flatnonzero(needs)].tocsr(), np.zeros(needs.sum(), dtype=bool)) == pairs
    assert len(pairs) == 2 * 2 * 4 * (12 + 4 + 1) * 2


def test_no_fact_is_vacuous() -> None:
    """For every reason there are counts that contradict it: raising or lowering one true count does."""
    system, _ = both(count_cells(simulate(2, 40, 1, TOWNS), TOWNS))
    counts = system.cells.get_column("count").to_numpy()
    caught = {
        reason
        for cell in range(0, len(counts), 7)
        for change in (-50, 50)
        for reason in system.broken(np.maximum(counts + change * (np.arange(len(counts)) == cell), 0))
    }
    assert set(system.reasons) <= caught


def test_distinct_children_are_never_added_up() -> None:
    """No equality links children of two areas or periods, and no bound does in a breakdown that a child may change."""
    cells = count_cells(simulate(3, 10, 1, TOWNS), TOWNS)
    system = build_system(planned_cells(cells, POLICY, TOWNS), POLICY, TOWNS)
    described = system.cells.with_row_index("cell")
    entries = sparse.coo_array(system.matrix)
    linked = (
        pl.DataFrame({"fact": entries.coords[0], "cell": entries.coords[1].astype(np.uint32)})
        .with_columns(equality=pl.Series(system.equality)[entries.coords[0]])
        .join(described, on="cell")
        .filter(pl.col("measure").str.starts_with("children"))
        .group_by("fact", "equality")
        .agg(pl.col("area_code", "period_start", "period_type").n_unique(), pl.col("breakdown").unique())
    )
    crossing = linked.filter((pl.col("area_code") > 1) | (pl.col("period_start") > 1) | (pl.col("period_type") > 1))
    assert crossing.height > 0
    assert not crossing.get_column("equality").any()
    assert crossing.get_column("breakdown").explode().unique().to_list() == ["total"]
