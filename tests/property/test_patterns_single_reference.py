"""Escalation, long, night, young and late flag equal the slow reference, on many short histories at a time.

The histories are drawn as episodes that are already resolved, so that every one of them lies on an edge of a rule:
lengths a minute to either side of a band, gaps that are equal or nearly so, nights in which the clock changes, days
without a time, starts in the repeated hour, ends that nobody recorded, flags with and without a date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import prod
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.patterns import Pattern, Value
from pipelines.warehouse.connection import replace_table
from pipelines.warehouse.graph import build_table, load_tables
from tests.builders.rows import EpisodeRow, utc
from tests.builders.rules import shipped_rule, small_rule
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference.clock import to_london
from tests.property.reference.deliveries import Live, moment
from tests.property.reference.episodes import Episode
from tests.property.reference.patterns_single import SingleHit, single_hits

KINDS = ("escalation", "long", "night", "young", "late_flag")
# Other numbers beside the shipped ones, and a second version of one rule.
SMALL: tuple[tuple[str, str, dict[str, Value]], ...] = (
    ("ESCALATION", "escalation", {"gaps": 2, "times_median": 1.5, "over_hours": 6, "earlier_episodes": 3}),
    ("LONG", "long", {"hours": (7, 168), "over_days": (1,)}),
    ("NIGHT", "night", {"night_from": 1, "night_to": 24}),
    ("YOUNG", "young", {"under_age": 11}),
    ("LATE", "late_flag", {"episodes": 2}),
)
SHIPPED = ("RESC", "RLONG", "RNIGHT", "RYOUNG", "RFLAG")

# Local clock times. Each child's first episode starts at one of them, each later one a gap after the one before.
ANCHORS = (
    "2024-07-01 00:00",
    "2024-06-30 23:59",
    "2024-07-01 00:01",
    "2024-03-30 00:00",
    "2024-03-31 00:30",
    "2024-10-26 00:00",
    "2024-10-27 01:30",
    "2024-10-24 01:30",
)
DATA_TO = {
    "bolton": utc("2025-01-01 09:00"),
    "bury": utc("2024-07-28 23:00"),
    "oldham": utc("2024-07-02 23:00"),
    "wigan": utc("2024-07-01 05:00"),
}
GAPS = (24.0, 48.0, 47.0, 72.0, 23.0, 96.0, 24 * 7, 24 * 60, 47.5, 12.0)
LENGTHS = (8, 12, 24, None, 6, 25, 23, 48, 49, 47, 24 * 7, 24 * 28, 24)
MINUTES = (0, 0, 0, 0, -1, 1)
WITHOUT_TIME = ((False, False),) * 4 + ((True, True), (True, False), (False, True))
AGES = (14, 14, 14, 11, 12, 10, 0, None, 18, 18)
STATUSES = ("missing",) * 8 + ("away",)
FLAGS = (None,) * 12 + ("no date", -400, -1, 0, 1, 30)
WHEN = (GAPS, MINUTES, LENGTHS, MINUTES, WITHOUT_TIME)
WHO = (AGES, STATUSES, tuple(DATA_TO), FLAGS, FLAGS)

# An episode is two numbers that choose from those lists: drawing each choice by itself takes ten times as long.
drawn_episode = st.tuples(*(st.integers(0, prod(map(len, lists)) - 1) for lists in (WHEN, WHO)))
drawn_children = st.lists(st.lists(drawn_episode, min_size=1, max_size=8), min_size=120, max_size=150)


@pytest.fixture(scope="module")
def rules() -> list[Pattern]:
    return [
        *map(shipped_rule, SHIPPED),
        *(small_rule(rule_id, kind, parameters=parameters) for rule_id, kind, parameters in SMALL),
        small_rule("LATE", "late_flag", parameters={"episodes": 3}, version=2),
    ]


@pytest.fixture(scope="module")
def warehouse(rules: list[Pattern]) -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        opened.connection.execute("create schema core; create schema quality; create schema patterns")
        opened.replace_rules(rules)
        yield opened


@given(children=drawn_children)
@settings(max_examples=15, deadline=None)
def test_hits_and_their_evidence_equal_the_reference(
    warehouse: SmallWarehouse, rules: list[Pattern], children: list[list[tuple[int, int]]]
) -> None:
    episodes = [one for number, codes in enumerate(children) for one in _history(number, codes)]
    _fill(warehouse, episodes)
    assert _found(warehouse) == sorted(map(_expected, single_hits(rules, episodes, DATA_TO)), key=str)


def _history(number: int, codes: Sequence[tuple[int, int]]) -> list[Episode]:
    clock = datetime.fromisoformat(ANCHORS[number % len(ANCHORS)])
    episodes: dict[datetime, Episode] = {}
    for place, (when, who) in enumerate(codes):
        gap, gap_minutes, hours, minutes, without_time = _chosen(when, WHEN)
        age, status, borough, cse, cce = _chosen(who, WHO)
        clock += timedelta(hours=gap, minutes=gap_minutes) if place else timedelta()
        end = None if hours is None else clock + timedelta(hours=hours, minutes=minutes)
        row = EpisodeRow(
            episode_id=f"{number}.{place}",
            child=str(number),
            borough=borough,
            status=status,
            age=age,
            started=_written(clock, day_only=without_time[0]),
            found=_written(end, day_only=without_time[1]) if end else None,
            **_flag("cse", cse, clock),
            **_flag("cce", cce, clock),
        )
        one = _episode(row)
        episodes.setdefault(one.start, one)  # core never leaves a child two episodes that start together
    return list(episodes.values())


def _chosen(code: int, lists: Sequence[Sequence[Any]]) -> list[Any]:
    chosen = []
    for options in lists:
        code, place = divmod(code, len(options))
        chosen.append(options[place])
    return chosen


def _written(clock: datetime, *, day_only: bool) -> str:
    return clock.date().isoformat() if day_only else clock.isoformat(" ", "minutes")


def _flag(kind: str, days: int | str | None, clock: datetime) -> dict[str, str]:
    if days is None:
        return {}
    set_on = {} if isinstance(days, str) else {f"{kind}_flag_date": (clock + timedelta(days)).date().isoformat()}
    return {f"{kind}_flag": "yes"} | set_on


def _episode(row: EpisodeRow) -> Episode:
    started, end = moment(row.started), moment(row.found)
    assert started is not None
    end = end and replace(end, earliest=max(end.earliest, started.earliest))  # a day may begin before the start
    live = Live(row, utc("2025-01-01"), row.child)
    return Episode(row.child, row.status, started=started, end=end, return_=None, lead=live, rows=[live])


def _fill(warehouse: SmallWarehouse, episodes: Sequence[Episode]) -> None:
    """Put the episodes where the patterns read them, and make the tables of hits."""
    rows = pl.DataFrame([_columns(one) for one in episodes], schema=_COLUMNS)
    children = rows.select("child_key").unique().sort("child_key").with_row_index("child_number", 1)
    children = children.select(pl.col("child_number").cast(pl.Int32), "child_key")
    counted = rows.join(children, on="child_key").filter(
        pl.col("status") == "missing", pl.col("age_at_start").fill_null(0) < 18
    )
    counted = counted.sort("child_number", "started_at").with_columns(
        episode_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("child_number")
    )
    replace_table(warehouse.connection, "core.missing_episode", rows)
    replace_table(warehouse.connection, "patterns.child", children)
    replace_table(warehouse.connection, "patterns.episode", counted)
    cuts = {"borough": list(DATA_TO), "data_to": list(DATA_TO.values())}
    replace_table(warehouse.connection, "quality.data_cut", pl.DataFrame(cuts))
    for table in load_tables():
        if table.qualified in _BUILT:
            build_table(warehouse.connection, table)


def _columns(one: Episode) -> dict[str, Any]:
    row = one.lead.row
    flags = {
        kind: (getattr(row, f"{kind}_flag") == "yes", moment(getattr(row, f"{kind}_flag_date")))
        for kind in ("cse", "cce")
    }
    return {
        "episode_key": row.episode_id,
        "child_key": row.child,
        "child_number": _number(row.child),
        "borough": row.borough,
        "status": row.status,
        "started_at": one.start,
        "latest_started_at": one.started.latest,
        "started_precision": "minute" if one.started.exact else "date",
        "ended_at": one.end and one.end.earliest,
        "latest_ended_at": one.end and one.end.latest,
        "ended_precision": one.end and ("minute" if one.end.exact else "date"),
        "age_at_start": row.age,
        **{f"{kind}_flag": said for kind, (said, _) in flags.items()},
        **{f"{kind}_flag_date": day and to_london(day.earliest).date() for kind, (_, day) in flags.items()},
    }


def _number(child: str) -> int:
    """The number that stands for a child in the warehouse; any will do that no other child has."""
    return int.from_bytes(child.encode()[:7], "big")


_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("episode_key", "child_key", "borough", "status"), pl.String()),
    **dict.fromkeys(("started_at", "latest_started_at", "ended_at", "latest_ended_at"), pl.Datetime("us")),
    **dict.fromkeys(("started_precision", "ended_precision"), pl.String()),
    "age_at_start": pl.Int32(),
    "child_number": pl.Int64(),
    **dict.fromkeys(("cse_flag", "cce_flag"), pl.Boolean()),
    **dict.fromkeys(("cse_flag_date", "cce_flag_date"), pl.Date()),
}
_BUILT = {
    "patterns.open_until",
    *(f"patterns.hit_{kind}" for kind in KINDS),
}


def _found(warehouse: SmallWarehouse) -> list[tuple[Any, ...]]:
    """Return every hit, with the missing episodes of the child that its window holds."""
    hits = " union all by name ".join(f"select * from patterns.hit_{kind}" for kind in KINDS)  # noqa: S608 - our own names
    rows = warehouse.rows(f"""
        select
            rule.rule_id, rule.version as rule_version, own.episode_key, hit.hit_at, hit.window_after, hit.is_certain,
            hit.detail, list(episode.episode_key order by episode.episode_key) as evidence
        from ({hits}) as hit
        inner join rules.pattern as rule using (rule_number)
        inner join patterns.episode as own using (child_number, episode_number)
        inner join patterns.episode as episode
            on hit.child_number = episode.child_number
            and episode.started_at > hit.window_after and episode.started_at <= hit.hit_at
        group by all
    """)  # noqa: S608 - as above
    return sorted((tuple(row[name] for name in _SAID) for row in rows), key=str)


_SAID = ("rule_id", "rule_version", "episode_key", "hit_at", "window_after", "is_certain", "detail", "evidence")


def _expected(hit: SingleHit) -> tuple[Any, ...]:
    said = (hit.episode.start, hit.after, hit.certain, hit.detail)
    evidence = sorted(one.lead.row.episode_id for one in hit.evidence)
    return hit.rule.rule_id, hit.rule.version, hit.episode.lead.row.episode_id, *said, evidence
