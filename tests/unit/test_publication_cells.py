"""What disclosure control is given: counts of the plan, the children behind them, and the two with most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipelines.checks.tables import load_table_checks
from pipelines.contracts.indicators import load_indicators
from pipelines.contracts.publication import publication_frame
from pipelines.disclosure.errors import PolicyError
from pipelines.disclosure.policy_file import load_policy, policy_path
from pipelines.home import CONTRACTS
from tests.builders.rows import EpisodeRow, InterviewRow, delivery
from tests.builders.warehouse import SmallWarehouse, small_warehouse

# Episodes of each child in the year to March 2024, all in Bolton, in May and June.
OF_CHILD = {"anna": 7, "ben": 4, "cleo": 1}
BOLTON, REGION = "E08000001", "E47000001"


def started(day: int) -> str:
    """Ten o'clock on a day from 1 May 2023 on."""
    return f"2023-{5 + day // 30:02}-{1 + day % 30:02} 10:00"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    """Twelve episodes of three children; ben's first two were followed by an interview."""
    rows: list[EpisodeRow | InterviewRow] = []
    for number, (child, episodes) in enumerate(OF_CHILD.items()):
        for episode in range(episodes):
            at = started(number + 4 * episode)
            name = f"{child} {episode}"
            rows.append(EpisodeRow(episode_id=name, child=child, started=at, found=at, returned=at, age=15))
            if child == "ben" and episode < 2:
                rows.append(InterviewRow(interview_id=name, child=child, episode_ids=(name,), held=at))
    last = "2025-03-30 10:00"
    rows.append(EpisodeRow(episode_id="last", child="zoe", started=last, found=last, returned=last))
    with small_warehouse() as opened:
        opened.load(delivery(*rows, received="2025-04-20 09:00"))
        opened.build("statistics.publication_cell")
        yield opened


def cell(warehouse: SmallWarehouse, measure: str, breakdown: str = "total|Total", basis: str = "A") -> dict[str, Any]:
    """A count of Bolton in the year to March 2024."""
    (row,) = warehouse.rows(
        "select * from statistics.publication_cell where cell_id = $cell",
        cell=f"{measure}|{basis}|{BOLTON}|year_to_march|2023-04-01|{breakdown}",
    )
    return row


def told(row: dict[str, Any]) -> tuple[int, ...]:
    """Count, children, and the episodes of the two children with most."""
    return tuple(row[name] for name in ("count", "children", "largest", "second_largest"))


def test_a_count_of_episodes_says_whose_they_are(warehouse: SmallWarehouse) -> None:
    assert told(cell(warehouse, "incidents")) == (12, 3, 7, 4)
    assert told(cell(warehouse, "incidents", "age_band|15 to 17")) == (12, 3, 7, 4)
    assert told(cell(warehouse, "incidents", "age_dfe|10 to 15")) == (12, 3, 7, 4)
    assert told(cell(warehouse, "incidents", "place|own authority")) == (12, 3, 7, 4)
    assert told(cell(warehouse, "incidents", "age_band|under 10")) == (0, 0, 0, 0)
    assert told(cell(warehouse, "incidents_of_repeaters")) == (11, 2, 7, 4)
    assert told(cell(warehouse, "incidents_second_or_later")) == (9, 2, 6, 3)


def test_a_count_of_children_is_made_of_one_each(warehouse: SmallWarehouse) -> None:
    assert told(cell(warehouse, "children")) == (3, 3, 1, 1)
    assert told(cell(warehouse, "children", "incident_band|5 to 9")) == (1, 1, 1, 0)
    assert told(cell(warehouse, "children", "incident_band|2 to 4")) == (1, 1, 1, 0)
    assert told(cell(warehouse, "children", "incident_band|1")) == (1, 1, 1, 0)
    assert told(cell(warehouse, "children", "incident_band|10 or more")) == (0, 0, 0, 0)


def test_differences_are_counted_with_their_children(warehouse: SmallWarehouse) -> None:
    assert told(cell(warehouse, "incidents_first")) == (3, 3, 1, 1)
    assert told(cell(warehouse, "incidents_aged_15")) == (12, 3, 7, 4)
    assert told(cell(warehouse, "rhi_not_held", basis="B")) == (10, 3, 7, 2)
    assert told(cell(warehouse, "rhi_completed", basis="B")) == (2, 1, 2, 0)
    assert warehouse.values(
        "select count(*) from statistics.publication_cell where is_difference and measure = 'children'"
    ) == [0]


def test_rolling_months_and_the_region_count_the_same_children(warehouse: SmallWarehouse) -> None:
    query = """
        select count, children, largest, second_largest
        from statistics.publication_cell
        where area_code = $area and measure = 'incidents' and period_type = 'rolling_12_months'
        order by period_start
    """
    first, *_, last = warehouse.rows(query, area=REGION)
    assert told(first) == (12, 3, 7, 4)
    assert told(last) == (1, 1, 1, 0)


def test_the_matrix_is_complete_and_agrees_with_what_is_counted(warehouse: SmallWarehouse) -> None:
    expected = """
        select count(*)
        from rules.publication as plan
        inner join reference.area as area on plan.area_type = area.area_type
        inner join statistics.period as period on plan.period_type = period.period_type
    """
    assert warehouse.values("select count(*) from statistics.publication_cell") == warehouse.values(expected)
    assert warehouse.values("select count(distinct cell_id) - count(*) from statistics.publication_cell") == [0]
    (check,) = (check for check in load_table_checks() if check.id == "what_is_published_is_what_is_counted")
    assert warehouse.values(check.query) == [0]
    warehouse.connection.execute("begin")
    warehouse.connection.execute("update statistics.publication_cell set count = count + 1 where measure = 'children'")
    (broken,) = warehouse.values(check.query)
    warehouse.connection.execute("rollback")
    assert broken > 0


def test_the_plan_publishes_only_what_is_counted() -> None:
    policy, catalogue = load_policy(policy_path(CONTRACTS)), load_indicators()
    frame = publication_frame(policy, catalogue)
    assert (
        not frame.select("measure", "basis", "period_type", "area_type", "breakdown", "breakdown_value")
        .is_duplicated()
        .any()
    )
    assert set(frame.filter("is_difference")["measure"]) == {
        "incidents_first",
        "incidents_aged_15",
        "rhi_not_offered",
        "rhi_not_held",
        "rhi_held_late",
    }
    (table, *rest) = policy.tables
    unknown = replace(policy, tables=(replace(table, breakdowns=("height",)), *rest))
    with pytest.raises(PolicyError, match=r"breakdown height, which rules/indicators.yaml does not have"):
        publication_frame(unknown, catalogue)
    strange = replace(
        policy,
        tables=(replace(table, measures=("nobody",)), *rest),
        measures={**policy.measures, "nobody": policy.measures["children"]},
    )
    with pytest.raises(PolicyError, match=r"nobody, which rules/indicators.yaml does not count"):
        publication_frame(strange, catalogue)
