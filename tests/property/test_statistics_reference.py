"""Counts of incidents, children and interviews equal a reference that puts every episode into its boxes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from pipelines.contracts.patterns import Pattern
from pipelines.region import load_region
from tests.builders.histories import Sent, sent
from tests.builders.rules import shipped_rule
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference.deliveries import data_to, live_episodes, live_interviews
from tests.property.reference.episodes import resolve
from tests.property.reference.statistics import Region, counts, interview_counts

COORDINATES = "measure, basis, area_code, period_type, period_start, breakdown, breakdown_value"
COUNTS = f"""
    select {COORDINATES}, count, children from statistics.incident_count where measure not like 'fields%'
    union all
    select {COORDINATES}, count, children from statistics.child_count
"""  # noqa: S608 - our own column names
CASCADE = f"""
    select {COORDINATES}, count, children, not_measurable from statistics.interview_count
    where count > 0 or not_measurable > 0
"""  # noqa: S608 - as above


@pytest.fixture(scope="module")
def rules() -> list[Pattern]:
    return [shipped_rule("R3-28"), shipped_rule("R3-90")]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


@given(history=sent())
@settings(max_examples=40, deadline=None)
def test_counts_equal_the_reference(warehouse: SmallWarehouse, rules: list[Pattern], history: Sent) -> None:
    warehouse.load(*history.deliveries, as_at=history.as_at.isoformat())
    warehouse.build("statistics.incident_count", "statistics.child_count", "statistics.interview_count")
    episodes = resolve(live_episodes(history.deliveries, history.as_at))
    interviews = live_interviews(history.deliveries, history.as_at)
    areas = load_region()
    region = Region(
        boroughs=frozenset(borough.code for borough in areas.boroughs),
        whole=areas.area.code,
        data_to=data_to(history.deliveries, history.as_at),
    )
    assert _cells(warehouse.rows(COUNTS)) == counts(region, episodes, rules)
    assert _cells(warehouse.rows(CASCADE)) == interview_counts(region, episodes, interviews)


def _cells(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Coordinates to numbers; a table with two rows at the same place would lose one and is refused."""
    cells = {tuple(row.values())[:7]: tuple(row.values())[7:] for row in rows}
    assert len(cells) == len(rows)
    return cells
