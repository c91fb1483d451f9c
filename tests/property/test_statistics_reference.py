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
from tests.property.reference.statistics import Region, counts, incident_measures, interview_counts, rolling_children

COORDINATES = "measure, basis, area_code, period_type, period_start, breakdown, breakdown_value"
COUNTS = f"""
    select {COORDINATES}, count, children from statistics.incident_count
    union all
    select {COORDINATES}, count, children from statistics.child_count
"""  # noqa: S608 - our own column names
CASCADE = f"""
    select {COORDINATES}, count, children, not_measurable from statistics.interview_count
    where count > 0 or not_measurable > 0
"""  # noqa: S608 - as above
BY_ITSELF = f"""
    select {COORDINATES}, count, not_measurable from statistics.incident_period
    where
        period_type <> 'rolling_12_months'
        and (
            breakdown in ('place', 'duration', 'setting', 'age_dfe', 'ethnicity', 'risk_initial', 'risk_highest')
            or (measure in $measures and breakdown = 'total')
        )
"""  # noqa: S608 - as above
_ROLLING_START = "'rolling_12_months', period_start"
ROLLING = f"""
    select {COORDINATES.replace("period_type, period_start, breakdown, breakdown_value", _ROLLING_START)},
        'total', 'Total', count
    from statistics.child_rolling
"""  # noqa: S608 - as above
TOLD = (
    "incidents_timed", "incidents_within_24_hours", "incidents_within_48_hours", "incidents_looked_after",
    "incidents_looked_after_elsewhere", "incidents_looked_after_out_of_region", "police_incidents",
    "police_incidents_matched", "police_incidents_ended", "incidents_cse_flag_live", "incidents_cce_flag_live",
)  # fmt: skip
COUNTED = ("incident_count", "child_count", "interview_count", "incident_period", "child_rolling")


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
    warehouse.build(*(f"statistics.{table}" for table in COUNTED))
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
    assert _cells(warehouse.rows(BY_ITSELF, measures=list(TOLD))) == incident_measures(region, episodes)
    rolling = {cell: (number,) for cell, number in rolling_children(region, episodes).items()}
    assert _cells(warehouse.rows(ROLLING)) == rolling


def _cells(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Coordinates to numbers; a table with two rows at the same place would lose one and is refused."""
    cells = {tuple(row.values())[:7]: tuple(row.values())[7:] for row in rows}
    assert len(cells) == len(rows)
    return cells
