"""Repeat-missing flags equal the slow reference: every kind of window, the runs they make, and the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from pipelines.home import CONTRACTS
from tests.builders.histories import Sent, sent
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference.deliveries import live_episodes, live_interviews
from tests.property.reference.episodes import Episode, resolve
from tests.property.reference.patterns import flags

FLAGS = """
    select rule_id, child_key, child_id, borough, raised_at, last_hit_at, episode_keys, episodes from patterns.flag
"""
MEMBERS = """
    select episode_key, list_sort(list(borough || ' ' || episode_id)) as members from core.episode_row group by all
"""
# Small thresholds beside the shipped ones: short histories reach them and make runs that start, stretch and break.
SMALL = (
    {"id": "W2", "kind": "window", "episodes": 2, "window_days": 1, "window_hours": None},
    {"id": "W3", "kind": "window", "episodes": 3, "window_days": 7, "window_hours": None},
    {"id": "F1", "kind": "rapid", "episodes": 2, "window_days": 1, "window_hours": None},
    {"id": "B24", "kind": "before_interview", "episodes": 2, "window_days": None, "window_hours": 24},
    {"id": "U2", "kind": "unheard", "episodes": 2, "window_days": 3, "window_hours": None},
)


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    shipped = yaml.safe_load((CONTRACTS / "rules" / "patterns.yaml").read_text(encoding="utf-8"))["patterns"]
    return [*shipped, *(shipped[0] | small for small in SMALL)]


@pytest.fixture(scope="module")
def warehouse(rules: list[dict[str, Any]]) -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        opened.replace_rules(rules)
        yield opened


@given(history=sent())
@settings(max_examples=40, deadline=None)
def test_flags_and_their_evidence_equal_the_reference(
    warehouse: SmallWarehouse, rules: list[dict[str, Any]], history: Sent
) -> None:
    warehouse.load(*history.deliveries, as_at=history.as_at.isoformat())
    warehouse.build("patterns.flag")
    names = {row["episode_key"]: tuple(row["members"]) for row in warehouse.rows(MEMBERS)}
    found = [row | {"episode_keys": [names[key] for key in row["episode_keys"]]} for row in warehouse.rows(FLAGS)]
    episodes = resolve(live_episodes(history.deliveries, history.as_at))
    interviews = live_interviews(history.deliveries, history.as_at)
    expected = [
        {
            "rule_id": flag.rule_id,
            "child_key": flag.child_key,
            "child_id": flag.raised_by.lead.row.child,
            "borough": flag.raised_by.lead.row.borough,
            "raised_at": flag.raised_at,
            "last_hit_at": flag.last_hit_at,
            "episode_keys": [_members(one) for one in flag.episodes],
            "episodes": len(flag.episodes),
        }
        for flag in flags(rules, episodes, interviews)
    ]
    assert _sorted(found) == _sorted(expected)


def _members(episode: Episode) -> tuple[str, ...]:
    return tuple(sorted(f"{borough} {episode_id}" for borough, episode_id in episode.members))


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["rule_id"], row["child_key"], row["raised_at"]))
