"""Rounding is exact where it must be, takes a further step only where it has to, and never passes off a failure."""

from dataclasses import replace

import highspy
import numpy as np
import pytest

from pipelines.disclosure.cells import planned_cells
from pipelines.disclosure.errors import InfeasibleError, SolverError
from pipelines.disclosure.key import RoundingKey
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.rounding import Freedom, round_counts
from pipelines.disclosure.system import System, build_system
from tests.disclosure_data import POLICY, TOWNS, count_cells, policy_for, simulate, year_cells

KEY = RoundingKey(bytes(range(32)))
ONE = Geography("R", ("T1",))
REPEATS = policy_for({"measures": ["children_repeat", "incidents_of_repeaters"], "areas": ["region"]})


def system_of(counts: dict[str, int], policy: Policy) -> System:
    """The region's cells of one year."""
    cells = year_cells({(measure, "R"): count for measure, count in counts.items()})
    return build_system(planned_cells(cells, policy, ONE), policy, ONE)


@pytest.fixture(scope="module")
def system() -> System:
    """The plan of the project over three made-up towns."""
    return build_system(planned_cells(count_cells(simulate(4, 80, 1, TOWNS), TOWNS), POLICY, TOWNS), POLICY, TOWNS)


def test_multiples_stay_where_nothing_moves_them() -> None:
    result = round_counts(system_of({"children_repeat": 10, "incidents_of_repeaters": 25}, REPEATS), REPEATS, KEY)
    assert result.counts.tolist() == [10, 25]
    assert result.within.tolist() == [4, 4]


def test_a_further_step_is_taken_only_where_there_is_no_other_and_is_declared() -> None:
    # 5 episodes need a child (so 5 children are printed), and 5 children have 10 episodes: 5 must move by one step.
    for number in range(20):
        key = RoundingKey(bytes([number]) * 32)
        result = round_counts(system_of({"children_repeat": 2, "incidents_of_repeaters": 5}, REPEATS), REPEATS, key)
        assert result.counts.tolist() in ([0, 0], [5, 10])
        assert result.within.tolist() == [5, 5]


def test_without_a_further_step_it_is_refused() -> None:
    strict = replace(REPEATS, reach=(4,))
    with pytest.raises(InfeasibleError, match="No controlled rounding"):
        round_counts(system_of({"children_repeat": 2, "incidents_of_repeaters": 5}, strict), strict, KEY)


def test_a_group_can_be_made_to_begin_further() -> None:
    system = system_of({"children_repeat": 10, "incidents_of_repeaters": 26}, REPEATS)
    further = replace(Freedom.ordinary(2, REPEATS), reach=np.array([9, 9]))
    result = round_counts(system, REPEATS, KEY, further)
    assert result.within.tolist() == [9, 9]
    assert np.array_equal(result.counts, round_counts(system, REPEATS, KEY).counts)


def test_a_standing_figure_stays_while_it_is_true_enough(system: System) -> None:
    counts = system.cells.get_column("count").to_numpy()
    first = round_counts(system, POLICY, KEY).counts
    other_key = RoundingKey(bytes(32))
    assert not np.array_equal(first, round_counts(system, POLICY, other_key).counts)
    standing = replace(Freedom.ordinary(len(first), POLICY), standing=first)
    assert np.array_equal(first, round_counts(system, POLICY, other_key, standing).counts)
    # What no longer is a neighbouring multiple gives way: nothing then stands, and the keyed target is back.
    far = replace(standing, standing=np.where(counts > 0, counts + 100, -1))
    assert np.array_equal(first, round_counts(system, POLICY, KEY, far).counts)


@pytest.mark.parametrize(("steady", "moved"), [(("T1", "R"), "T2"), (("T2", "R"), "T1"), (("T1", "T2"), "R")])
def test_what_should_be_steady_stays_where_something_else_can_move(steady: tuple[str, ...], moved: str) -> None:
    policy = policy_for({"measures": ["incidents"], "areas": ["borough", "region"]})
    # T3 was 9 and is 10 now, so that its 5 must become 10; of the others one has to move with it.
    now = year_cells({("incidents", area): count for area, count in {"T1": 13, "T2": 13, "T3": 10, "R": 36}.items()})
    areas = Geography("R", ("T1", "T2", "T3"))
    system = build_system(planned_cells(now, policy, areas), policy, areas)
    names = system.cells.get_column("area_code").to_list()
    before = np.array([{"T1": 15, "T2": 15, "T3": 5, "R": 35}[name] for name in names])
    freedom = replace(Freedom.ordinary(4, policy), standing=before, steady=np.array([name in steady for name in names]))
    after = round_counts(system, policy, KEY, freedom).counts
    assert {name for name, old, new in zip(names, before, after, strict=True) if old != new} == {"T3", moved}


def test_a_hidden_count_is_not_rounded_to_its_neighbours_and_lets_the_facts_hold() -> None:
    # 5 episodes of 2 children cannot both be rounded within 4; where the episodes are hidden, the children can.
    system = system_of({"children_repeat": 2, "incidents_of_repeaters": 5}, REPEATS)
    hidden = system.cells.get_column("measure") == "incidents_of_repeaters"
    result = round_counts(system, REPEATS, KEY, replace(Freedom.ordinary(2, REPEATS), hidden=hidden.to_numpy()))
    children, episodes = result.counts.tolist()
    assert children in (0, 5)
    assert 2 * children <= episodes
    assert result.within.tolist() == [4, 4]


def test_no_time_is_not_enough(system: System) -> None:
    with pytest.raises(SolverError, match="no time"):
        round_counts(system, replace(POLICY, seconds_per_component=0), KEY)


@pytest.mark.parametrize("status", ["kTimeLimit", "kNotset", "kUnknown"])
def test_a_solution_that_is_not_proven_optimal_is_not_used(
    system: System, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(highspy.Highs, "getModelStatus", lambda _: getattr(highspy.HighsModelStatus, status))
    with pytest.raises(SolverError, match="not proven optimal"):
        round_counts(system, POLICY, KEY)


def test_a_failed_run_is_not_used(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    run = highspy.Highs.run

    def failing(solver: highspy.Highs) -> highspy.HighsStatus:
        run(solver)
        return highspy.HighsStatus.kError

    monkeypatch.setattr(highspy.Highs, "run", failing)
    with pytest.raises(SolverError, match="not proven optimal"):
        round_counts(system, POLICY, KEY)


def test_progress_is_reported_for_each_group(system: System) -> None:
    seen: list[tuple[int, int]] = []
    round_counts(system, POLICY, KEY, progress=lambda done, groups: seen.append((done, groups)))
    assert seen == [(1, 2), (2, 2)]
