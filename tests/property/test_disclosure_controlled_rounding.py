"""Rounded counts keep every fact, stay close, do not lean, and depend on nothing but the counts and the key."""

import numpy as np
import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.disclosure.attacker import public_knowledge
from pipelines.disclosure.cells import planned_cells
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.protect import protect
from pipelines.disclosure.rounding import Rounded, draws, round_counts, target_steps
from pipelines.disclosure.system import System, build_system
from tests.disclosure_data import POLICY, TOWNS, count_cells, simulate, small


def key(number: int) -> RoundingKey:
    """One of many keys."""
    return RoundingKey(number.to_bytes(32, "big"))


def system_of(seed: int, children: int) -> System:
    """The plan of the project over three made-up towns."""
    cells = count_cells(simulate(seed, children, 1, TOWNS), TOWNS)
    return build_system(planned_cells(cells, POLICY, TOWNS), POLICY, TOWNS)


def rounded(system: System, number: int = 1) -> Rounded:
    """The system rounded with one of the keys."""
    return round_counts(system, POLICY, key(number))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), children=st.integers(0, 300), number=st.integers(1, 10**6))
def test_rounding_keeps_the_facts_and_stays_close(seed: int, children: int, number: int) -> None:
    system = system_of(seed, children)
    counts = system.cells.get_column("count").to_numpy()
    result = rounded(system, number)
    assert (result.counts % POLICY.base == 0).all()
    assert (result.counts >= 0).all()
    assert (np.abs(result.counts - counts) <= result.within).all()
    assert (result.counts[counts == 0] == 0).all()
    assert system.broken(result.counts) == []
    assert set(result.within.tolist()) <= set(POLICY.reach)
    again = rounded(system, number)
    assert np.array_equal(result.counts, again.counts)


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 10**6), children=st.integers(1, 200))
def test_what_passes_withstands_the_exact_attack(seed: int, children: int) -> None:
    """The verdict rests on witnesses; the true interval of some unsafe cells, searched for here, contains the claim."""
    cells = count_cells(simulate(seed, children, 1, TOWNS), TOWNS)
    passed = protect(cells.sample(fraction=1, shuffle=True, seed=seed), POLICY, key(seed), TOWNS)
    assert passed.cells.equals(protect(cells, POLICY, key(seed), TOWNS).cells)
    shown = passed.cells.filter(pl.col("symbol") == "").get_column("cell_id")
    unsafe = small(planned_cells(cells, POLICY, TOWNS)).get_column("target_id")
    claimed = passed.report.verdicts.filter(pl.col("target_id").is_in(unsafe.to_list()), kind="small")
    assert claimed.get_column("target_id").to_list() == unsafe.sort().to_list()
    claims = claimed.filter(pl.col("target_id").is_in(shown.to_list()))
    assert ((claims["low"] == 0) | (claims["high"] > POLICY.unsafe_to)).all()
    known = public_knowledge(passed.cells.with_columns(release=1, empty=False), POLICY, TOWNS)
    sampled = (
        passed.cells.with_row_index("cell")
        .join(claims, left_on="cell_id", right_on="target_id")
        .sample(min(3, claims.height), seed=seed)
    )
    for cell, low, high in sampled.select("cell", "low", "high").iter_rows():
        least, greatest = known.interval(cell, 10)
        assert least <= low < high <= greatest


def test_rounding_does_not_lean() -> None:
    """Over many keys the mean error of counts of ordinary size is near zero, and so is that of small ones."""
    system = system_of(5, 60)
    counts = system.cells.get_column("count").to_numpy()
    errors = np.mean([rounded(system, number).counts - counts for number in range(40)], axis=0)
    assert abs(errors.mean()) < 0.1
    small_counts = (counts > 0) & (counts <= POLICY.unsafe_to)
    assert small_counts.sum() > 20
    assert abs(errors[small_counts].mean()) < 0.35


def test_the_target_alone_is_unbiased() -> None:
    drawn = draws([f"cell{number}" for number in range(20_000)], [0] * 20_000, key(1))
    for count in range(11):
        counts = np.full(20_000, count)
        target = target_steps(counts, drawn, 5) * 5
        assert set(np.unique(target)) <= {count // 5 * 5, -(-count // 5) * 5}
        assert abs(target.mean() - count) < 0.1


def test_another_key_gives_another_table() -> None:
    system = system_of(7, 200)
    tables = {rounded(system, number).counts.tobytes() for number in range(8)}
    assert len(tables) == 8


def test_a_draw_depends_on_cell_count_and_key_only() -> None:
    one = draws(["a", "b"], [1, 1], key(1))
    assert draws(["b", "a"], [1, 1], key(1)).tolist() == one.tolist()[::-1]
    assert len({*one.tolist(), *draws(["a"], [2], key(1)).tolist(), *draws(["a"], [1], key(2)).tolist()}) == 4
