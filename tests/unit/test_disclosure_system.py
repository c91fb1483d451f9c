"""The joint system says what the policy declares, and refuses counts that contradict it."""

import numpy as np
import polars as pl
import pytest

from pipelines.disclosure.cells import planned_cells
from pipelines.disclosure.errors import CellsError
from pipelines.disclosure.policy import Geography, Policy
from pipelines.disclosure.system import System, build_system, check_facts
from tests.disclosure_data import GEOGRAPHY, POLICY, TOWNS, count_cells, policy_for, simulate, year_cells

TWO = Geography("R", ("T1", "T2"))


def system_of(counts: dict[tuple[str, str], int], policy: Policy, geography: Geography = TWO) -> System:
    """The system of one year's undivided cells."""
    return build_system(planned_cells(year_cells(counts), policy, geography), policy, geography)


def facts_of(system: System) -> set[tuple[str, bool]]:
    """Each fact written out with short cell names."""
    names = [cell.split("|")[0] + "@" + cell.split("|")[2] for cell in system.cells.get_column("cell_id")]
    dense = system.matrix.toarray()
    return {
        (" ".join(f"{int(row[cell]):+d}*{names[cell]}" for cell in np.flatnonzero(row)), bool(exact))
        for row, exact in zip(dense, system.equality, strict=True)
    }


def test_episodes_add_up_over_areas() -> None:
    system = system_of({("incidents", area): 6 for area in ("R", "T1", "T2")}, policy_for({"measures": ["incidents"]}))
    assert facts_of(system) == {("+1*incidents@R -1*incidents@T1 -1*incidents@T2", True)}


def test_children_are_bounded_over_areas() -> None:
    system = system_of({("children", area): 6 for area in ("R", "T1", "T2")}, policy_for({"measures": ["children"]}))
    assert facts_of(system) == {
        ("+1*children@R -1*children@T1", False),
        ("+1*children@R -1*children@T2", False),
        ("-1*children@R +1*children@T1 +1*children@T2", False),
    }


def test_a_fact_is_left_out_where_a_cell_is_not_published() -> None:
    policy = policy_for({"measures": ["children", "children_repeat"], "areas": ["region"]})
    system = system_of({("children", "R"): 6, ("children_repeat", "R"): 6}, policy)
    assert facts_of(system) == {("-1*children_repeat@R +1*children@R", False)}
    assert len(system.needs) == 0


def test_a_relation_can_name_a_value_and_must_name_one_that_exists() -> None:
    cells = count_cells(simulate(1, 30, 1, TOWNS), TOWNS)
    table = {"measures": ["incidents", "children"], "areas": ["region"], "breakdowns": ["total", "sex"]}
    facts = {}
    for value in ("Male", "male"):
        policy = policy_for(table, also=f"3 children >= children[sex: {value}]")
        planned = planned_cells(cells, policy, TOWNS)
        if value == "male":
            with pytest.raises(CellsError, match=r"do not have: children\[sex: male\]"):
                build_system(planned, policy, TOWNS)
        else:
            facts = facts_of(build_system(planned, policy, TOWNS))
    assert ("-1*children@R +3*children@R", False) in facts


def test_needs_pairs_the_first_with_the_second() -> None:
    policy = policy_for({"measures": ["incidents", "children"], "areas": ["region"]})
    system = system_of({("children", "R"): 6, ("incidents", "R"): 7}, policy)
    assert [[system.cells["measure"][cell] for cell in pair] for pair in system.needs.tolist()] == [
        ["incidents", "children"]
    ]
    assert system.broken(np.array([0, 7])) == ["incidents needs children"]
    assert system.broken(np.array([7, 0])) == ["children <= incidents"]


@pytest.mark.parametrize(
    ("areas", "changed", "reason"),
    [
        ("region", {"incidents": 5}, "children <= incidents"),
        ("region", {"incidents_of_repeaters": 3}, "2 children_repeat <= incidents_of_repeaters"),
        ("region", {"children": 11}, "incidents - incidents_of_repeaters = children - children_repeat"),
    ],
)
def test_counts_that_contradict_a_fact_are_refused(areas: str, changed: dict[str, int], reason: str) -> None:
    true = {"incidents": 20, "children": 10, "children_repeat": 3, "incidents_of_repeaters": 13}
    policy = policy_for({"measures": list(true), "areas": [areas]})
    check_facts(system_of({(measure, "R"): count for measure, count in true.items()}, policy))
    with pytest.raises(CellsError, match="contradict") as refusal:
        check_facts(system_of({(measure, "R"): count for measure, count in {**true, **changed}.items()}, policy))
    assert f"{reason} (1 times)" in str(refusal.value)


def test_groups_are_what_facts_link() -> None:
    cells = planned_cells(count_cells(simulate(1, 30, 2), years=2), POLICY, GEOGRAPHY)
    system = build_system(cells, POLICY, GEOGRAPHY)
    groups = system.components()
    assert np.array_equal(np.sort(np.concatenate(groups)), np.arange(cells.height))
    coordinates = [
        cells[group].select("basis", year=pl.col("period_start").dt.offset_by("-3mo").dt.year()).unique().rows()
        for group in groups
    ]
    # Rolling 12 months tie the years of basis A together, and with them those of what both bases count.
    assert sorted(map(len, coordinates)) == [1, 1, 4]
    assert sorted(row for rows in coordinates if len(rows) == 1 for row in rows) == [("B", 2021), ("B", 2022)]
    assert [int(group[0]) for group in groups] == sorted(int(group[0]) for group in groups)


def test_the_system_does_not_depend_on_the_order_of_rows() -> None:
    cells = count_cells(simulate(1, 30, 1, TOWNS), TOWNS)
    one, other = (
        build_system(planned_cells(frame, POLICY, TOWNS), POLICY, TOWNS)
        for frame in (cells, cells.sample(fraction=1, shuffle=True, seed=3))
    )
    assert (one.matrix != other.matrix).nnz == 0
    assert one.reasons == other.reasons
    assert np.array_equal(one.needs, other.needs)
