"""Clock, supersession and merging: `staging` and `core` equal the slow reference on histories drawn to be awkward."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.histories import Sent, sent
from tests.builders.rows import utc
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference.clock import to_london, to_utc
from tests.property.reference.deliveries import live_episodes, live_interviews
from tests.property.reference.episodes import Episode, first_known, lead_value, resolve
from tests.property.reference.interviews import held, interviews_of, within_72_hours

EPISODES = """
    with member as (
        select episode_key, list_sort(list(borough || ' ' || episode_id)) as members
        from core.episode_row
        group by episode_key
    )
    select
        members, child_key, status, started_at, latest_started_at, started_precision, ended_at, latest_ended_at,
        ended_precision, returned_at, latest_returned_at, returned_precision, recorded_by, borough, source_rows,
        age_at_start, sex, area_missing_from, responsible_authority
    from core.missing_episode
    inner join member using (episode_key)
"""
LINKS = """
    with member as (
        select episode_key, list_sort(list(borough || ' ' || episode_id)) as members
        from core.episode_row
        group by episode_key
    )
    select interview.borough || ' ' || interview_id as interview, members, held, within_72_hours
    from core.episode_interview
    inner join core.return_interview as interview using (interview_key)
    inner join member using (episode_key)
"""


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


@given(st.lists(st.datetimes(utc("2012-01-01"), utc("2031-12-31")), min_size=1, max_size=30))
@settings(max_examples=10, deadline=None)
def test_any_clock_time_is_read_by_the_law_of_summer_time(warehouse: SmallWarehouse, clocks: list[datetime]) -> None:
    _compare_clocks(warehouse, clocks)


def test_every_quarter_hour_around_both_clock_changes_is_read_by_the_law_of_summer_time(
    warehouse: SmallWarehouse,
) -> None:
    changes = [utc(day) for day in ("2024-03-31", "2024-10-27", "2025-03-30", "2025-10-26")]
    _compare_clocks(warehouse, [day + quarter * timedelta(minutes=15) for day in changes for quarter in range(-8, 100)])


def _compare_clocks(warehouse: SmallWarehouse, clocks: list[datetime]) -> None:
    found = warehouse.rows(
        "select clock, london_to_utc(clock) as instant, utc_to_london(clock) as local "
        "from (select unnest($clocks) as clock)",
        clocks=clocks,
    )
    assert len(found) == len(clocks)
    assert [(row["instant"], row["local"]) for row in found] == [
        (to_utc(r["clock"]), to_london(r["clock"])) for r in found
    ]


@given(sent())
@settings(max_examples=50, deadline=None)
def test_resolved_episodes_and_their_interviews_equal_the_reference(warehouse: SmallWarehouse, history: Sent) -> None:
    warehouse.load(*history.deliveries, as_at=history.as_at.isoformat())
    warehouse.build("core.missing_episode", "core.episode_interview")
    episodes = resolve(live_episodes(history.deliveries, history.as_at))
    assert _sorted(warehouse.rows(EPISODES)) == _sorted([_expected(episode) for episode in episodes])
    assert _sorted(warehouse.rows(LINKS)) == _sorted(_expected_links(history, episodes))


def _expected(episode: Episode) -> dict[str, Any]:
    return {
        "members": _names(episode),
        "child_key": episode.child_key,
        "status": episode.status,
        "started_at": episode.start,
        "latest_started_at": episode.started.latest,
        "started_precision": _precision(episode.started.exact),
        "ended_at": episode.ended,
        "latest_ended_at": episode.end and episode.end.latest,
        "ended_precision": _precision(episode.ended_exact) if episode.ended else None,
        "returned_at": episode.returned,
        "latest_returned_at": episode.return_ and episode.return_.latest,
        "returned_precision": _precision(episode.returned_exact) if episode.returned else None,
        "recorded_by": sorted({one.recorded_by for one in episode.rows}),
        "borough": episode.lead.row.borough,
        "source_rows": len(episode.rows),
        "age_at_start": first_known(episode, "age", None),
        "sex": first_known(episode, "sex", "unknown"),
        "area_missing_from": lead_value(episode, "missing_from", "unknown"),
        "responsible_authority": lead_value(episode, "authority", "unknown"),
    }


def _expected_links(history: Sent, episodes: list[Episode]) -> list[dict[str, Any]]:
    interviews = live_interviews(history.deliveries, history.as_at)
    return [
        {
            "interview": f"{one.row.borough} {one.row.interview_id}",
            "members": _names(episode),
            "held": held(one),
            "within_72_hours": within_72_hours(one, episode),
        }
        for episode in episodes
        for one in interviews_of(episode, interviews, episodes)
    ]


def _names(episode: Episode) -> list[str]:
    return sorted(f"{borough} {episode_id}" for borough, episode_id in episode.members)


def _precision(exact: bool) -> str:
    return "minute" if exact else "date"


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["members"], row.get("interview", "")))
