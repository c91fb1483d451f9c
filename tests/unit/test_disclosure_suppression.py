"""Suppression repairs every leak, keeps what must be shown, and never passes off a failure."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from pipelines.disclosure.errors import CellsError, InfeasibleError, SolverError
from pipelines.disclosure.suppression import Hidden, Problem, hide, hide_exactly, hide_sequentially
from tests.builders.gm4 import gm4
from tests.builders.hiding import interval, shown, small_counts_hidden, table

ENOUGH = 60.0
METHODS = pytest.mark.parametrize("method", [hide, hide_exactly, hide_sequentially])
Method = Callable[[Problem, float], Hidden]

# A lone small count: whoever knows the totals can subtract.
LONE = small_counts_hidden(table([[3, 20, 30], [25, 35, 18], [40, 22, 28]]))
LONE_CELL = 5
# Every row and column has two hidden cells, but the two upper rows less the two left columns leave one of them.
LEAK = small_counts_hidden(table([[2, 4, 30, 25], [3, 1, 5, 40], [21, 33, 2, 4], [45, 26, 1, 3]]))
LEAKING_CELL = 2 * 5 + 3


def few(
    counts: list[int], rows: list[list[int]], least: list[float], most: list[float], **changes: np.ndarray
) -> Problem:
    """Some cells from 0 to 20, all of weight 1, of which the first is hidden and is to be uncertain from 1 to 5."""
    cells = np.array(counts)
    first = np.arange(len(counts)) == 0
    problem = Problem(
        counts=cells,
        shown_low=cells,
        shown_high=cells,
        hidden_low=np.zeros_like(cells),
        hidden_high=np.full_like(cells, 20),
        rows=sparse.csr_array(np.array(rows)),
        least=np.array(least),
        most=np.array(most),
        must_hide=first,
        may_hide=np.ones(len(counts), dtype=bool),
        weight=np.ones(len(counts)),
        need_low=np.ones_like(cells),
        need_high=np.full_like(cells, 5),
        targets=np.array([0]),
    )
    return replace(problem, **changes)


def test_a_lone_hidden_cell_is_known_and_the_leak_is_one() -> None:
    assert interval(LONE, LONE.must_hide, LONE_CELL) == (3, 3)
    assert interval(LEAK, LEAK.must_hide, LEAKING_CELL) == (5, 5)


@METHODS
@pytest.mark.parametrize("problem", [LONE, LEAK])
def test_every_target_becomes_uncertain(problem: Problem, method: Method) -> None:
    result = method(problem, ENOUGH)
    assert (result.hidden >= problem.must_hide).all()
    for cell in problem.targets:
        low, high = interval(problem, result.hidden, int(cell))
        assert low <= 1
        assert high >= max(5, problem.counts[cell] + 1)


def test_a_lone_cell_needs_three_others() -> None:
    result = hide_exactly(LONE, ENOUGH)
    assert result.hidden.sum() == 4
    assert (result.method, result.proved_optimal) == ("exact", True)
    assert result.lower_bound == pytest.approx(result.cost)
    assert result.cost == pytest.approx(np.log1p([30, 25, 18]).sum())


@METHODS
def test_a_cell_that_must_be_shown_is_shown_and_another_is_hidden(method: Method) -> None:
    chosen = np.flatnonzero(hide_exactly(LONE, ENOUGH).hidden & ~LONE.must_hide)
    kept = shown(LONE, chosen.tolist())
    result = method(kept, ENOUGH)
    assert not result.hidden[chosen].any()
    low, high = interval(kept, result.hidden, LONE_CELL)
    assert low <= 1
    assert high >= 5


@METHODS
def test_an_inequality_gives_a_cell_away_too(method: Method) -> None:
    # 3 children of 3 incidents: with the incidents printed, nobody can think of 5 children.
    problem = few([3, 3, 9], [[-1, 1, 0]], [0], [np.inf])
    assert interval(problem, problem.must_hide, 0) == (0, 3)
    assert method(problem, ENOUGH).hidden.tolist() == [True, True, False]


@METHODS
def test_an_inequality_that_leaves_room_costs_nothing(method: Method) -> None:
    assert method(few([3, 6, 9], [[-1, 1, 0]], [0], [np.inf]), ENOUGH).hidden.tolist() == [True, False, False]


@METHODS
def test_a_rounded_total_is_protected_from_its_parts(method: Method) -> None:
    # The total is printed as 10, which means 6 to 14; printed parts would say that it is 11.
    problem = few(
        [11, 5, 6],
        [[1, -1, -1]],
        [0],
        [0],
        shown_low=np.array([6, 5, 6]),
        shown_high=np.array([14, 5, 6]),
        must_hide=np.zeros(3, dtype=bool),
        may_hide=np.array([False, True, True]),
        weight=np.array([1.0, 2.0, 1.0]),
        need_low=np.array([8, 0, 0]),
        need_high=np.array([13, 0, 0]),
    )
    assert method(problem, ENOUGH).hidden.tolist() == [False, False, True]


@METHODS
def test_a_target_is_hidden_if_its_window_is_too_narrow(method: Method) -> None:
    problem = few([3, 9], [[0, 0]], [0], [0], must_hide=np.zeros(2, dtype=bool))
    result = method(problem, ENOUGH)
    assert result.hidden.tolist() == [True, False]
    assert result.cost == result.lower_bound == 1


@METHODS
def test_whole_numbers_are_not_fooled_by_fractions(method: Method) -> None:
    # 2a + 3b + c = 19: with c printed, a is 2 or 5 and never 1, though fractions would allow it.
    problem = few([2, 3, 6], [[2, 3, 1]], [19], [19], weight=np.array([1.0, 1.0, 5.0]), need_high=np.array([2, 0, 0]))
    assert interval(problem, np.array([True, True, False]), 0)[0] == 2
    assert method(problem, ENOUGH).hidden.tolist() == [True, False, True]


@METHODS
def test_whole_numbers_are_looked_at_where_fractions_find_nothing_wrong(method: Method) -> None:
    # The same with b hidden from the start.
    changes = {"must_hide": np.array([True, True, False]), "need_high": np.array([2, 0, 0])}
    assert method(few([2, 3, 6], [[2, 3, 1]], [19], [19], **changes), ENOUGH).hidden.all()


def test_what_no_pattern_can_reach_is_required_as_far_as_one_can() -> None:
    # The sum of the two is always printed as 6, so the first is at most 6, though 8 is asked for.
    problem = few([2, 4, 6], [[1, 1, -1]], [0], [0], may_hide=np.array([True, True, False]), need_high=np.full(3, 8))
    result = hide_exactly(problem, ENOUGH)
    assert result.hidden.tolist() == [True, True, False]
    assert result.clipped.tolist() == [0]
    assert hide_exactly(replace(problem, need_high=np.full(3, 6)), ENOUGH).clipped.tolist() == []


@METHODS
def test_what_stays_exactly_known_is_refused(method: Method) -> None:
    others = np.flatnonzero(~LONE.must_hide).tolist()
    with pytest.raises(InfeasibleError, match="Whatever is hidden, 1 cells"):
        method(shown(LONE, others), ENOUGH)


@METHODS
def test_a_cell_cannot_be_both_hidden_and_shown(method: Method) -> None:
    with pytest.raises(InfeasibleError, match="1 cells that must be hidden and must be shown"):
        method(shown(LONE, [LONE_CELL]), ENOUGH)


@METHODS
@pytest.mark.parametrize(
    "change",
    [
        {"counts": LONE.counts + 1},
        {"least": np.ones(len(LONE.least)), "most": np.ones(len(LONE.most))},
        {"hidden_low": LONE.counts + 1},
        {"weight": -LONE.weight},
        {"weight": LONE.weight * np.nan},
    ],
)
def test_a_contradictory_problem_is_refused(method: Method, change: dict[str, np.ndarray]) -> None:
    with pytest.raises(CellsError):
        method(replace(LONE, **change), ENOUGH)


@METHODS
def test_no_time_gives_no_pattern(method: Method) -> None:
    with pytest.raises(SolverError, match="out of time"):
        method(LONE, 0)


def test_without_anything_to_protect_nothing_is_hidden() -> None:
    result = hide_exactly(replace(LONE, must_hide=np.zeros(16, dtype=bool), targets=np.array([], dtype=int)), ENOUGH)
    assert not result.hidden.any()
    assert result.cost == 0


@pytest.fixture(scope="module")
def borough_by_sex_and_age() -> Problem:
    return small_counts_hidden(gm4(0, ("borough", "sex", "age")))


def test_the_same_problem_has_the_same_pattern(borough_by_sex_and_age: Problem) -> None:
    first, second = (hide_exactly(borough_by_sex_and_age, ENOUGH) for _ in range(2))
    assert np.array_equal(first.hidden, second.hidden)
    assert (first.cuts, first.rounds) == (second.cuts, second.rounds)


def test_an_exact_pattern_is_no_dearer_than_a_sequential_one(borough_by_sex_and_age: Problem) -> None:
    exact, sequential = (way(borough_by_sex_and_age, ENOUGH) for way in (hide_exactly, hide_sequentially))
    assert exact.cost <= sequential.cost
    assert (sequential.method, sequential.proved_optimal) == ("sequential", False)
