"""Police and authority records of one absence become one episode with both as sources, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.rows import EpisodeRow, as_child, cases, delivery, utc
from tests.builders.warehouse import SmallWarehouse, small_warehouse


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


def seen(started: str, found: str | None, *, by: str | None = None, **given: Any) -> EpisodeRow:
    """A row of the police or of an authority's system, named after its start."""
    return EpisodeRow(episode_id=f"{by} {started}", started=started, found=found, system=by, **given)


def police(started: str, found: str | None, **given: Any) -> EpisodeRow:
    """A row of a police system."""
    return seen(started, found, by="Police", **given)


def episodes(warehouse: SmallWarehouse, by_name: dict[str, list[EpisodeRow]]) -> dict[str, list[tuple[int, list[str]]]]:
    """Of each case its episodes in order: how many rows and who recorded them."""
    warehouse.load(cases(by_name))
    warehouse.build("core.missing_episode")
    found: dict[str, list[tuple[int, list[str]]]] = {}
    for row in warehouse.rows("select * from core.missing_episode order by child_id, started_at, status"):
        found.setdefault(row["child_id"], []).append((row["source_rows"], row["recorded_by"]))
    return found


BOTH, POLICE, AUTHORITY = ["authority", "police"], ["police"], ["authority"]


def test_two_hours_apart_is_one_episode_and_a_minute_more_is_two(warehouse: SmallWarehouse) -> None:
    before = seen("2024-06-01 18:00", "2024-06-01 20:00")
    found = episodes(
        warehouse,
        {
            "exactly": [before, police("2024-06-01 22:00", "2024-06-01 23:00")],
            "a minute more": [before, police("2024-06-01 22:01", "2024-06-01 23:00")],
            "police first": [
                police("2024-06-01 18:00", "2024-06-01 20:00"),
                seen("2024-06-01 22:00", "2024-06-01 23:00"),
            ],
            "overlapping": [before, police("2024-06-01 19:00", "2024-06-01 23:00")],
            # The night the clocks go back is an hour longer, and the night they go forward an hour shorter.
            "autumn, exactly": [
                seen("2024-10-26 22:00", "2024-10-27 00:30"),
                police("2024-10-27 02:30", "2024-10-27 03:00"),
            ],
            "spring, exactly": [
                seen("2024-03-30 22:00", "2024-03-31 00:30"),
                police("2024-03-31 03:30", "2024-03-31 04:00"),
            ],
            "spring, a minute more": [
                seen("2024-03-30 22:00", "2024-03-31 00:30"),
                police("2024-03-31 03:31", "2024-03-31 04:00"),
            ],
        },
    )
    apart = {name for name, parts in found.items() if len(parts) > 1}
    assert apart == {"a minute more", "autumn, exactly", "spring, a minute more"}
    assert all(parts == [(2, BOTH)] for name, parts in found.items() if name not in apart)


def test_the_hour_that_repeats_counts(warehouse: SmallWarehouse) -> None:
    """From 00:30 to 02:30 on that night are three hours; to 01:30 one or two, of which the earlier reading counts."""
    before = seen("2024-10-26 22:00", "2024-10-27 00:30")
    found = episodes(
        warehouse,
        {
            "first pass": [before, police("2024-10-27 01:30", "2024-10-27 04:00")],
            "01:31": [before, police("2024-10-27 01:31", "2024-10-27 04:00")],
        },
    )
    assert {name: len(parts) for name, parts in found.items()} == {"first pass": 1, "01:31": 1}


def test_what_is_never_joined(warehouse: SmallWarehouse) -> None:
    early, late = ("2024-06-01 18:00", "2024-06-01 20:00"), ("2024-06-01 21:00", "2024-06-01 23:00")
    found = episodes(
        warehouse,
        {
            "two of the authority": [seen(*early), seen(*late)],
            "two of the police": [police(*early), police(*late)],
            "another status": [seen(*early), police(*late, status="away")],
            "legacy absent": [seen(*early, status="absent"), police(*late)],
            "already matched": [seen(*early), police("2024-06-01 18:30", "2024-06-01 20:00"), seen(*late)],
            "days only": [seen("2024-06-01", "2024-06-01"), police("2024-06-02", "2024-06-02")],
            "open for a day": [seen("2024-06-01 18:00", None), police("2024-06-02 19:00", "2024-06-02 20:00")],
        },
    )
    assert all(len(parts) == 2 for parts in found.values()), found


def test_no_police_record_joins_two_absences_of_the_authority(warehouse: SmallWarehouse) -> None:
    first, last = seen("2024-06-01 10:00", "2024-06-01 12:00"), seen("2024-06-01 15:30", "2024-06-01 17:00")
    found = episodes(
        warehouse,
        {
            "nearer the first": [first, police("2024-06-01 13:00", "2024-06-01 14:00"), last],
            "nearer the last": [first, police("2024-06-01 13:30", "2024-06-01 15:00"), last],
            "as near": [first, police("2024-06-01 13:00", "2024-06-01 14:30"), last],
        },
    )
    assert found == {
        "nearer the first": [(2, BOTH), (1, AUTHORITY)],
        "nearer the last": [(1, AUTHORITY), (2, BOTH)],
        "as near": [(2, BOTH), (1, AUTHORITY)],
    }


def test_both_rows_are_kept_with_the_reason_why_they_are_one(warehouse: SmallWarehouse) -> None:
    rows = [
        seen("2024-06-01 18:00", "2024-06-01 20:00", borough="bury"),
        police("2024-06-01 21:00", "2024-06-01 23:00", borough="wigan", reported="2024-06-01 21:10"),
        police("2024-06-01 21:30", "2024-06-01 22:00", borough="wigan"),
        seen("2024-06-01", "2024-06-01", borough="bolton"),
    ]
    warehouse.load(delivery(*as_child("ben", *rows)))
    warehouse.build("core.missing_episode", "core.episode_row")
    joined = warehouse.values("select joined_by from core.episode_row order by borough, episode_id")
    assert joined == ["day", "lead", "police_match", "police_match"]
    (episode,) = warehouse.rows("select * from core.missing_episode")
    assert (episode["source_rows"], episode["recorded_by"]) == (4, BOTH)
    assert (episode["boroughs"], episode["borough"]) == (["bolton", "bury", "wigan"], "bury")
    assert (episode["started_at"], episode["ended_at"]) == (utc("2024-06-01 17:00"), utc("2024-06-01 22:00"))
    assert (episode["reported_at"], episode["reported_precision"]) == (utc("2024-06-01 20:10"), "minute")


def test_shuffling_the_rows_changes_nothing(warehouse: SmallWarehouse) -> None:
    rows = [
        seen("2024-06-01 10:00", "2024-06-01 12:00"),
        police("2024-06-01 13:00", "2024-06-01 14:30"),
        seen("2024-06-01 16:00", "2024-06-01 17:00"),
        police("2024-06-01 18:00", "2024-06-01 19:00"),
    ]
    one_way = episodes(warehouse, {"ben": rows})
    assert one_way == episodes(warehouse, {"ben": rows[::-1]})
    assert one_way == {"ben": [(2, BOTH), (2, BOTH)]}
