"""Suppression against brute force: every whole-number table of a tiny problem, and every pattern, tried one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from pipelines.disclosure.errors import InfeasibleError
from pipelines.disclosure.hiding_attack import Attack, Proof
from pipelines.disclosure.hiding_problem import demands_of
from pipelines.disclosure.hiding_solver import Clock
from pipelines.disclosure.suppression import Hidden, Problem, hide, hide_exactly, hide_sequentially
from tests.builders.hiding import Enumerated, enumerate_tables, least_cost, small_counts_hidden, table

ENOUGH = 60.0
# The margins of a table of two by two follow from its inner cells, so only these need to be enumerated.
INNER = [4, 5, 7, 8]
HIGHEST = 6

slowly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def systems(draw: st.DrawFn) -> Problem:
    """Up to five cells with arbitrary facts, equalities or not, windows, costs and requirements."""
    size = draw(st.integers(2, 5))
    counts = np.array(draw(st.lists(st.integers(0, 5), min_size=size, max_size=size)))

    def numbers(least: int, most: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(least, most), min_size=size, max_size=size)))

    rows = np.array([numbers(-2, 2) for _ in range(draw(st.integers(1, 3)))])
    sums = (rows @ counts).astype(float)
    slack = np.array([draw(st.sampled_from([(0, 0), (0, 0), (0, 2), (np.inf, 0), (1, np.inf)])) for _ in rows])
    may_hide = numbers(0, 3) > 0
    must_hide = may_hide & (numbers(0, 2) == 0)
    return Problem(
        counts=counts,
        shown_low=np.maximum(counts - (numbers(0, 3) == 0), 0),
        shown_high=counts + (numbers(0, 3) == 0),
        hidden_low=np.zeros(size, dtype=np.int64),
        hidden_high=np.full(size, HIGHEST),
        rows=sparse.csr_array(rows),
        least=sums - slack[:, 0],
        most=sums + slack[:, 1],
        must_hide=must_hide,
        may_hide=may_hide,
        weight=numbers(0, 5).astype(float),
        need_low=np.maximum(counts - numbers(0, 3), 0),
        need_high=counts + numbers(0, 3),
        targets=np.flatnonzero(must_hide | (numbers(0, 3) == 0)),
    )


@st.composite
def tables(draw: st.DrawFn) -> Problem:
    """A table of two by two with margins, whose counts from 1 to 5 must be hidden."""
    count = st.integers(0, 7)
    cube = table([[draw(count), draw(count)], [draw(count), draw(count)]])
    counts, zeros_printed = cube.counts, draw(st.booleans())
    none = np.zeros(cube.rows.shape[0])
    small = (counts > 0) & (counts <= 5)
    assume(small.any())
    return Problem(
        counts=counts,
        shown_low=counts,
        shown_high=counts,
        hidden_low=np.minimum(counts, 1) if zeros_printed else np.zeros_like(counts),
        hidden_high=np.where((counts > 0) | (not zeros_printed), 40, 0),
        rows=cube.rows,
        least=none,
        most=none,
        must_hide=small,
        may_hide=(counts > 0) | (not zeros_printed),
        weight=np.log1p(counts) + 1,
        need_low=np.ones_like(counts),
        need_high=np.maximum(5, counts + 1),
        targets=np.flatnonzero(small),
    )


def all_tables(problem: Problem) -> Enumerated:
    """Every possible table of two by two: its inner cells up to 12, which is as far as any demand pulls."""
    highest = np.where(problem.may_hide, np.minimum(problem.hidden_high, 12), problem.counts)
    lowest = np.where(problem.may_hide, problem.hidden_low, problem.counts)
    axes = np.meshgrid(*(np.arange(lowest[cell], highest[cell] + 1) for cell in INNER), indexing="ij")
    a, b, c, d = (axis.ravel() for axis in axes)
    whole = np.stack([a + b + c + d, a + c, b + d, a + b, a, b, c + d, c, d], axis=1)
    return Enumerated(problem, whole).within_windows()


def answer(problem: Problem, every: Enumerated) -> Hidden | None:
    """The exact answer; none where brute force agrees that a target stays exactly known."""
    try:
        return hide_exactly(problem, ENOUGH)
    except InfeasibleError:
        least, most = every.structural()
        assert (least == most)[every.clipped()].any()
        return None


@slowly
@given(problem=st.one_of(systems(), tables()))
def test_the_exact_pattern_is_the_cheapest_of_all_that_protect(problem: Problem) -> None:
    every = all_tables(problem) if len(problem.counts) == 9 else enumerate_tables(problem)
    exact = answer(problem, every)
    if exact is None:
        return
    assert every.protects(exact.hidden)
    assert (exact.hidden >= problem.must_hide).all()
    assert (exact.hidden <= problem.may_hide).all()
    assert exact.clipped.tolist() == every.clipped().tolist()
    assert exact.cost == pytest.approx(every.least_cost(), abs=1e-5)
    assert exact.lower_bound == pytest.approx(exact.cost, abs=1e-5)


@slowly
@given(problem=st.one_of(systems(), tables()))
def test_the_sequential_pattern_protects_and_is_never_cheaper_than_the_exact(problem: Problem) -> None:
    every = all_tables(problem) if len(problem.counts) == 9 else enumerate_tables(problem)
    exact = answer(problem, every)
    if exact is None:
        return
    sequential, either = hide_sequentially(problem, ENOUGH), hide(problem, ENOUGH)
    assert every.protects(sequential.hidden)
    assert sequential.cost >= exact.cost - 1e-5
    assert np.array_equal(either.hidden, exact.hidden)
    assert either.method == "exact"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), usual=st.lists(st.sampled_from([1.5, 4, 12]), min_size=16, max_size=16))
def test_the_exact_pattern_costs_what_one_large_programme_says(seed: int, usual: list[float]) -> None:
    inner = np.random.default_rng(seed).poisson(np.reshape(usual, (4, 4)))
    assume(inner.any())
    # In a two-way table whole numbers reach as far as fractions do, and here every cell may be hidden.
    problem = small_counts_hidden(table(inner.tolist()), zeros_printed=False)
    problem = replace(problem, hidden_high=np.full_like(problem.counts, 500))
    exact = hide_exactly(problem, ENOUGH)
    assert len(exact.clipped) == 0
    assert exact.cost == pytest.approx(least_cost(problem), abs=1e-5)


@slowly
@given(problem=systems(), data=st.data())
def test_the_outsider_knows_what_brute_force_knows_and_hiding_more_never_narrows_it(
    problem: Problem, data: st.DataObject
) -> None:
    every, clock = enumerate_tables(problem), Clock(ENOUGH)
    share = data.draw(st.lists(st.booleans(), min_size=len(problem.counts), max_size=len(problem.counts)))
    some = problem.may_hide & np.array(share)
    few = some & np.array(data.draw(st.permutations(share)))
    widths = []
    for hidden in (few, some):
        attack = Attack(problem, clock, hidden)
        ends = [(attack.extreme(cell, -1).value, -attack.extreme(cell, 1).value) for cell in range(len(share))]
        left = every.possible(hidden)
        assert (np.array(ends)[:, 0] <= left.min(axis=0) + 1e-6).all()
        assert (np.array(ends)[:, 1] >= left.max(axis=0) - 1e-6).all()
        widths.append(ends)
    assert (np.array(widths[1])[:, 0] <= np.array(widths[0])[:, 0] + 1e-6).all()
    assert (np.array(widths[1])[:, 1] >= np.array(widths[0])[:, 1] - 1e-6).all()


@slowly
@given(problem=systems(), data=st.data())
def test_a_demand_has_a_whole_table_exactly_where_brute_force_finds_one(problem: Problem, data: st.DataObject) -> None:
    every, clock = enumerate_tables(problem), Clock(ENOUGH)
    hidden = problem.may_hide & np.array(
        data.draw(st.lists(st.booleans(), min_size=len(problem.counts), max_size=len(problem.counts)))
    )
    everything = replace(problem, targets=np.arange(len(problem.counts)))
    demands = demands_of(everything)
    unmet = Proof(everything, demands, clock, hidden).complete().tolist()
    left = every.possible(hidden)
    assert unmet == [
        number
        for number, (cell, sign, goal) in enumerate(map(demands.at, range(len(demands.cell))))
        if (sign * left[:, cell]).max() < goal
    ]
