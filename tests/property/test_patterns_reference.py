"""Patterns that count starts equal the slow reference: hits, certainty, the flags they make, evidence and who sees it.

Once on many short histories drawn as episodes that are already resolved, so that every one of them lies on an edge of a
rule; and once, on fewer, the whole way from rows that overlap, tie, are sent again and name days only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import prod
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.patterns import Pattern, Value
from pipelines.warehouse.connection import replace_table
from tests.builders.flags import build_flags, leave_out_other_kinds
from tests.builders.histories import FLAGGED, RECEIVED, Sent, sent, written
from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, PlacementRow
from tests.builders.rules import shipped, small_rule
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference.deliveries import Live, Moment, live_episodes, live_interviews, moment
from tests.property.reference.episodes import Episode, resolve
from tests.property.reference.interviews import held
from tests.property.reference.patterns import KINDS, World, flags, senders

FLAGS = """
    select
        rule_id, rule_version, is_current_rule, scope, child_key, child_id, borough, boroughs, raised_at, last_hit_at,
        is_certain, certain_since, detail, raising_episode_key, episode_keys, episodes, most_in_one_borough,
        only_region_sees
    from patterns.flag
"""
MEMBERS = """
    select episode_key, list_sort(list(borough || ' ' || episode_id)) as members from core.episode_row group by all
"""
# Small thresholds beside the shipped ones: short histories reach them and make runs that start, stretch and break.
SMALL: tuple[tuple[str, str, dict[str, Value]], ...] = (
    ("W1", "window", {"episodes": 1, "window_days": 7}),
    ("W2", "window", {"episodes": 2, "window_days": 1}),
    ("W3", "window", {"episodes": 3, "window_days": 7}),
    ("F1", "rapid", {"window_days": 1}),
    ("B24", "before_interview", {"window_hours": 24}),
    ("U2", "unheard", {"episodes": 2, "window_days": 3}),
    ("X2", "exploitation", {"episodes": 2, "window_days": 7}),
    ("A1", "out_of_area", {"episodes": 1, "window_days": 7}),
    ("H3", "home_and_care", {"window_days": 3}),
    ("M1", "after_move", {"episodes": 1, "window_days": 3, "moves": ("P", "T")}),
    ("M2", "after_move", {"episodes": 2, "window_days": 28, "moves": ("P",)}),
    ("N1", "absence", {"episodes": 1, "window_days": 1}),
    ("N2", "absence", {"episodes": 2, "window_days": 7}),
)

# Local clock times: each child's first episode starts at one of them.
ANCHORS = (
    "2024-07-01 00:00",
    "2024-07-01 23:59",
    "2024-03-30 12:00",
    "2024-03-30 23:30",
    "2024-10-26 12:00",
    "2024-10-27 01:30",
    "2024-09-30 01:30",
    "2023-12-31 22:00",
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Hours from a start to the next, and to its end: whole and half windows, and what the clock change makes of them.
GAPS = (1, 12, 24, 23, 25, 36, 71, 72, 73, 3 * 24, 84, 168, 167, 169, 336, 672, 671, 673, 720, 1080, 2160, 2161, 8760)
LENGTHS = (2, 0, 0.5, 12, 24, 47, None)
RETURNS = (None, None, 0, 1, 12)
MINUTES = (0, 0, 0, 0, -1, 1)
WITHOUT_TIME = ((False,) * 3,) * 6 + ((True,) * 3, (True, False, False), (False, True, True), (False, False, True))
AGES = (14, 14, 14, 15, 17, 18, None)
STATUSES = (*["missing"] * 6, "away", "away", "absent")
BOROUGHS = ("bolton", "bolton", "bolton", "bury", "wigan")
SECOND_SENDERS = (None, None, None, None, "bury", "salford")
LOOKED_AFTER = ("yes", "no", "unknown")
SETTINGS = (None, "home", "childrens_home", "other", "unknown")
AREAS = (None, None, "E08000002", "unknown")
# Days from the start to the day on which the flag was set.
FLAG_SET = (*[None] * 8, "no date", "no", -400, -1, 0, 1, 40)
# Hours from the return to an interview, or what is said of one without a date.
INTERVIEWS = (*[None] * 6, "accepted", "declined", -1, 0, 1, 71, 72, 24 * 28, 24 * 60)
# Days from the start to a change of placement.
MOVES = (*[None] * 6, -28, -27, -3, -1, 0, 1)
BECAUSE = ("P", "T", "S")
WHEN = (GAPS, MINUTES, LENGTHS, MINUTES, RETURNS, WITHOUT_TIME)
WHERE = (AGES, STATUSES, BOROUGHS, SECOND_SENDERS, LOOKED_AFTER, SETTINGS, AREAS, AREAS)
WHAT = (FLAG_SET, FLAG_SET, INTERVIEWS, MINUTES, WITHOUT_TIME, MOVES, BECAUSE)

# An episode is three numbers that choose from those lists: drawing each choice by itself takes ten times as long.
drawn_episode = st.tuples(*(st.integers(0, prod(map(len, lists)) - 1) for lists in (WHEN, WHERE, WHAT)))
drawn_children = st.lists(st.lists(drawn_episode, min_size=1, max_size=8), min_size=110, max_size=140)

_EPISODE: dict[str, pl.DataType] = {
    **dict.fromkeys(("episode_key", "child_key", "child_id", "borough", "status"), pl.String()),
    **dict.fromkeys(("child_number", "pseudonym_number"), pl.Int32()),
    "boroughs": pl.List(pl.String()),
    **dict.fromkeys(("started_at", "latest_started_at", "ended_at", "latest_ended_at"), pl.Datetime("us")),
    **dict.fromkeys(("returned_at", "latest_returned_at"), pl.Datetime("us")),
    **dict.fromkeys(("started_precision", "ended_precision"), pl.String()),
    "age_at_start": pl.Int32(),
    **dict.fromkeys(("looked_after", "missing_from_setting", "setting_key"), pl.String()),
    **dict.fromkeys(("area_missing_from", "responsible_authority"), pl.String()),
    **dict.fromkeys(("cse_flag", "cce_flag"), pl.Boolean()),
    **dict.fromkeys(("cse_flag_date", "cce_flag_date"), pl.Date()),
}
_INTERVIEW: dict[str, pl.DataType] = {
    **dict.fromkeys(("interview_key", "child_key", "held"), pl.String()),
    **dict.fromkeys(("held_at", "latest_held_at"), pl.Datetime("us")),
}
_LINK: dict[str, pl.DataType] = dict.fromkeys(("episode_key", "interview_key"), pl.String())
_PLACEMENT: dict[str, pl.DataType] = {
    **dict.fromkeys(("borough", "child_id", "reason_started"), pl.String()),
    "started_on": pl.Date(),
}
_CHILD: dict[str, pl.DataType] = {
    **dict.fromkeys(("borough", "child_id", "child_key"), pl.String()),
    **dict.fromkeys(("child_number", "pseudonym_number"), pl.Int32()),
}


def _rules() -> list[Pattern]:
    """The shipped rules of these kinds, small ones, a second version, and a borough's own threshold."""
    ours = [rule for rule in shipped() if rule.kind in KINDS]
    small = [small_rule(rule_id, kind, parameters=parameters) for rule_id, kind, parameters in SMALL]
    own = replace(small[1], rule_id="OWN.bury", scope="bury", raised_from=date(2024, 4, 1))
    second = replace(small[2], version=2, is_current=False, parameters={"episodes": 3, "window_days": 8})
    return [*ours, *small, own, second]


RULES = _rules()


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        opened.replace_rules(RULES)
        leave_out_other_kinds(opened, KINDS)
        yield opened


# Histories that are already resolved


@dataclass
class Drawn:
    """Everything drawn about some children."""

    episodes: list[Episode] = field(default_factory=list)
    interviews: list[Live] = field(default_factory=list)
    placements: list[tuple[str, PlacementRow]] = field(default_factory=list)


@given(children=drawn_children)
@settings(max_examples=10, deadline=None)
def test_flags_of_many_histories_equal_the_reference(
    warehouse: SmallWarehouse, children: list[list[tuple[int, ...]]]
) -> None:
    drawn = Drawn()
    for number, codes in enumerate(children):
        _draw_child(drawn, number, codes)
    _fill(warehouse, drawn)
    build_flags(warehouse, KINDS, given=("core", "staging"))
    world = World(drawn.episodes, drawn.interviews, drawn.placements)
    assert _sorted(warehouse.rows(FLAGS)) == _sorted(_expected(world, lambda one: one.lead.row.episode_id))


def _draw_child(drawn: Drawn, number: int, codes: Sequence[tuple[int, ...]]) -> None:
    clock = datetime.fromisoformat(ANCHORS[number % len(ANCHORS)])
    starts = set()
    for place, (when, where, what) in enumerate(codes):
        gap, gap_minutes, hours, minutes, later, without_time = _chosen(when, WHEN)
        clock += gap * HOUR + timedelta(minutes=gap_minutes) if place else timedelta()
        found = None if hours is None else max(clock + hours * HOUR + timedelta(minutes=minutes), clock)
        row = EpisodeRow(
            episode_id=f"{number:03}.{place}",
            child=f"{number:03}",
            started=written(clock, day_only=without_time[0]),
            found=written(found, day_only=without_time[1]) if found else None,
            returned=written(found + later * HOUR, day_only=without_time[2]) if found and later is not None else None,
            **_where(where),
            **_flagged(_chosen(what, WHAT), clock),
        )
        episode = _episode(row, _chosen(where, WHERE)[3])
        if episode.start not in starts:  # core never leaves a child two episodes that start together
            starts.add(episode.start)
            drawn.episodes.append(episode)
            _draw_around(drawn, episode, clock, found or clock, _chosen(what, WHAT))


def _where(code: int) -> dict[str, Any]:
    age, status, borough, _, looked_after, setting, area, responsible = _chosen(code, WHERE)
    return {
        "age": age,
        "status": status,
        "borough": borough,
        "looked_after": looked_after,
        "setting": setting,
        "area": area,
        "responsible": responsible,
    }


def _flagged(what: Sequence[Any], clock: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, said in zip(("cse", "cce"), what, strict=False):
        dated = isinstance(said, int)
        found[f"{kind}_flag_date"] = (clock + said * DAY).date().isoformat() if dated else None
        found[f"{kind}_flag"] = "no" if said == "no" else None if said is None else "yes"
    return found


def _episode(row: EpisodeRow, second_sender: str | None) -> Episode:
    started, end, back = moment(row.started), moment(row.found), moment(row.returned)
    assert started is not None
    lead = Live(row, datetime.fromisoformat(RECEIVED[0]), row.child)
    rows = [lead, replace(lead, row=replace(row, borough=second_sender))] if second_sender else [lead]
    end = end and _not_before(end, started.earliest)
    back = back and _not_before(back, end.earliest if end else started.earliest)
    return Episode(row.child, row.status, started=started, end=end, return_=back, lead=lead, rows=rows)


def _not_before(when: Moment, instant: datetime) -> Moment:
    """A day may begin before what it follows."""
    begin = max(when.earliest, instant)
    return replace(when, earliest=begin, until=max(when.until, begin))


def _draw_around(drawn: Drawn, episode: Episode, clock: datetime, found: datetime, what: Sequence[Any]) -> None:
    _, _, interview, minutes, without_time, move, because = what
    row = episode.lead.row
    if interview is not None:
        dated = isinstance(interview, int)
        when = found + interview * HOUR + timedelta(minutes=minutes) if dated else None
        said = InterviewRow(
            interview_id=row.episode_id,
            episode_ids=(row.episode_id,),
            held=written(when, day_only=without_time[0]) if when else None,
            accepted="no" if interview == "declined" else "yes",
            child=row.child,
            borough=row.borough,
        )
        drawn.interviews.append(Live(said, episode.lead.known_at, row.child))
    if move is not None:
        on = (clock + move * DAY).date().isoformat()
        placement = PlacementRow(started=on, because=because, child=row.child, borough=row.borough)
        drawn.placements.append((row.child, placement))


def _chosen(code: int, lists: Sequence[Sequence[Any]]) -> list[Any]:
    chosen = []
    for options in lists:
        code, place = divmod(code, len(options))
        chosen.append(options[place])
    return chosen


def _fill(warehouse: SmallWarehouse, drawn: Drawn) -> None:
    """Put what is drawn where the patterns read it."""
    children = {one.child_key: number for number, one in enumerate(drawn.episodes)}
    known = {(row.borough, row.child): key for key, row in drawn.placements}
    known |= {(one.lead.row.borough, one.lead.row.child): one.child_key for one in drawn.episodes}
    pseudonyms = {pseudonym: number for number, pseudonym in enumerate(known)}
    interviews = [
        {
            "interview_key": one.row.interview_id,
            "child_key": one.child_key,
            "held": held(one),
            **_instants("held", moment(one.row.held)),
        }
        for one in drawn.interviews
    ]
    tables: Mapping[str, tuple[dict[str, pl.DataType], list[dict[str, Any]]]] = {
        "core.missing_episode": (_EPISODE, [_columns(one, children, pseudonyms) for one in drawn.episodes]),
        "core.return_interview": (_INTERVIEW, interviews),
        "core.episode_interview": (
            _LINK,
            [{"episode_key": one["interview_key"], "interview_key": one["interview_key"]} for one in interviews],
        ),
        "staging.placement": (
            _PLACEMENT,
            [
                {
                    "borough": row.borough,
                    "child_id": row.child,
                    "reason_started": row.because,
                    "started_on": date.fromisoformat(row.started),
                }
                for _, row in drawn.placements
            ],
        ),
        "staging.child": (
            _CHILD,
            [
                {
                    "borough": borough,
                    "child_id": child,
                    "child_key": key,
                    "child_number": children[key],
                    "pseudonym_number": pseudonyms[borough, child],
                }
                for (borough, child), key in known.items()
            ],
        ),
    }
    for table, (schema, rows) in tables.items():
        warehouse.connection.execute(f"create schema if not exists {table.split('.', maxsplit=1)[0]}")
        replace_table(warehouse.connection, table, pl.DataFrame(rows, schema=schema))


def _columns(one: Episode, children: Mapping[str, int], pseudonyms: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    row = one.lead.row
    said = {kind: getattr(row, f"{kind}_flag") == "yes" for kind in ("cse", "cce")}
    on = {kind: getattr(row, f"{kind}_flag_date") for kind in ("cse", "cce")}
    return {
        "episode_key": row.episode_id,
        "child_key": one.child_key,
        "child_id": row.child,
        "child_number": children[one.child_key],
        "pseudonym_number": pseudonyms[row.borough, row.child],
        "borough": row.borough,
        "boroughs": sorted(senders(one)),
        "status": one.status,
        **_instants("started", one.started),
        **_instants("ended", one.end),
        **_instants("returned", one.return_),
        "started_precision": "minute" if one.started.exact else "date",
        "ended_precision": one.end and ("minute" if one.end.exact else "date"),
        "age_at_start": row.age,
        "looked_after": row.looked_after,
        "missing_from_setting": row.setting or "unknown",
        "area_missing_from": row.missing_from,
        "responsible_authority": row.authority,
        **{f"{kind}_flag": said[kind] for kind in said},
        **{f"{kind}_flag_date": date.fromisoformat(on[kind]) if on[kind] else None for kind in on},
    }


def _instants(name: str, when: Moment | None) -> dict[str, datetime | None]:
    if when is None:
        return {f"{name}_at": None, f"latest_{name}_at": None}
    return {f"{name}_at": when.earliest, f"latest_{name}_at": when.latest}


# The whole way


@st.composite
def moves(draw: st.DrawFn, families: int = 12) -> list[PlacementRow]:
    """Placements of some of the children, from the days near which histories begin."""
    return [
        PlacementRow(
            child=f"{number}a",
            borough=draw(st.sampled_from(("bolton", "bury", "wigan"))),
            started=draw(st.sampled_from(FLAGGED)),
            because=draw(st.sampled_from(("P", "P", "T", "L", "S"))),
        )
        for number in range(families)
        if draw(st.booleans())
    ]


@given(history=sent(families=12), placements=moves())
@settings(max_examples=6, deadline=None)
def test_flags_of_rows_as_they_are_sent_equal_the_reference(
    warehouse: SmallWarehouse, history: Sent, placements: list[PlacementRow]
) -> None:
    deliveries = (*history.deliveries, Delivery(placements, RECEIVED[0], "placements"))
    warehouse.load(*deliveries, as_at=history.as_at.isoformat())
    build_flags(warehouse, KINDS)
    names = {row["episode_key"]: tuple(row["members"]) for row in warehouse.rows(MEMBERS)}
    found = [
        row
        | {"episode_keys": [names[key] for key in row["episode_keys"]]}
        | {"raising_episode_key": names[row["raising_episode_key"]]}
        for row in warehouse.rows(FLAGS)
    ]
    assert _sorted(found) == _sorted(_expected(_world(warehouse, history, placements), _members))


def _world(warehouse: SmallWarehouse, history: Sent, placements: Sequence[PlacementRow]) -> World:
    keys = {
        (row["borough"], row["child_id"]): row["child_key"]
        for row in warehouse.rows("select borough, child_id, child_key from staging.child")
    }
    return World(
        resolve(live_episodes(history.deliveries, history.as_at)),
        live_interviews(history.deliveries, history.as_at),
        [(keys[row.borough, row.child], row) for row in placements],
    )


def _members(episode: Episode) -> tuple[str, ...]:
    return tuple(sorted(f"{borough} {episode_id}" for borough, episode_id in episode.members))


def _expected(world: World, name: Callable[[Episode], Any]) -> list[dict[str, Any]]:
    return [
        {
            "rule_id": flag.rule.rule_id,
            "rule_version": flag.rule.version,
            "is_current_rule": flag.rule.is_current,
            "scope": flag.rule.scope,
            "child_key": flag.raised_by.child_key,
            "child_id": flag.raised_by.lead.row.child,
            "borough": flag.raised_by.lead.row.borough,
            "boroughs": flag.boroughs,
            "raised_at": flag.raised_at,
            "last_hit_at": flag.last_hit_at,
            "is_certain": flag.certain,
            "certain_since": flag.certain_since,
            "detail": flag.detail,
            "raising_episode_key": name(flag.raised_by),
            "episode_keys": [name(one) for one in flag.episodes],
            "episodes": len(flag.episodes),
            "most_in_one_borough": flag.most_in_one_borough,
            "only_region_sees": flag.only_region_sees,
        }
        for flag in flags(RULES, world)
    ]


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["rule_id"], row["rule_version"], row["child_key"], row["raised_at"]))
