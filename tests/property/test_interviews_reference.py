"""The interview cascade, what interviews say, and early identification equal the slow reference.

Every return and interview lies on an edge: 72 hours and an hour or a minute to either side, the days on which the clock
changes, its repeated hour, days without a time, the next episode, the data cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.rows import EpisodeRow, InterviewRow, delivery
from tests.builders.warehouse import SmallWarehouse, small_warehouse
from tests.property.reference.deliveries import Live, data_to, live_episodes, live_interviews
from tests.property.reference.episodes import Episode, resolve
from tests.property.reference.interviews import cascade, held, in_cascade
from tests.property.reference.voice import recognitions, voice

CASCADE = """
    with member as (
        select episode_key, list_sort(list(borough || ' ' || episode_id)) as members
        from core.episode_row
        group by episode_key
    )
    select
        members, due, offered, accepted, held, within_72_hours, declined, overtaken, interviews, first_held_at,
        round(hours_from_return, 6) as hours_from_return, is_shared, is_before_return, is_after_next
    from core.interview_cascade
    inner join member using (episode_key)
"""
VOICE = """
    select interview_id, independent, account_recorded, something_done, push_factors, actions
    from core.interview_voice
    inner join core.return_interview as interview using (interview_key)
"""
RECOGNITION = "select child_key, kind, verdict, at_episode, days_after_first from statistics.recognition"
STAGES = ("offered", "accepted", "held", "within_72_hours")
RANK = {"no": 0, "not_measurable": 1, "yes": 2}

# Local clock times at which a child is first missing. The last two bring returns and interviews into the repeated hour.
ANCHORS = (
    "2024-03-29 12:00",
    "2024-10-25 12:00",
    "2024-06-29 12:00",
    "2024-06-29 23:59",
    "2024-10-26 17:30",
    "2024-10-23 17:30",
)
# Up to when each borough is known; Wigan stops among the returns.
EXTRACTED = {"bolton": "2025-05-01 10:00", "bury": "2025-05-01", "wigan": "2024-07-03 12:00", "oldham": "2024-07-03"}
MINUTES = (0, 0, -1, 1)
GAPS = (71, 72, 73, 26, 26, 30, 96, 24 * 8)
LENGTHS = (8, 8, 24, 0, None)
RETURNS = (None, 0, 0, 1, 26)
WITHOUT_TIME = ((False, False, False),) * 4 + ((True, True, True), (False, True, True), (False, False, True))
AGES = (14, 14, 14, 17, None, 18)
STATUSES = ("missing",) * 6 + ("away",)
FLAGS = (None,) * 9 + ("no date", -30, 0, 1)
WHEN = (GAPS, MINUTES, LENGTHS, RETURNS, WITHOUT_TIME)
WHO = (tuple(EXTRACTED), AGES, STATUSES, FLAGS, FLAGS)

HOURS = (-26, -2, 0, 1, 26, 48, 71, 72, 72, 73, 96, 24 * 20)
HELD = ("minute", "minute", "minute", "day", "not")
ANSWERS = (("yes", "yes"),) * 3 + (("unknown", "unknown"), ("yes", "no"), ("no", "no"), ("unknown", "yes"))
REASONS = (None,) * 6 + ("child_declined", "missing_again")
NAMES = ("own", "own", "own", "both", "twice", "before", "nobody's")
INTERVIEWERS = (None, "independent", "commissioned", "placement", "responsible_authority", "unknown")
ACCOUNTS = (None, "yes", "no", "unknown")
CODES = (
    *((), ("other",), ("strategy_meeting", "referral"), ("strategy_meeting",)),
    *(("no_further_action",), ("no_further_action", "referral")),
)
ASKED = (HOURS, MINUTES, HELD, ANSWERS, REASONS, NAMES)
SAID = (INTERVIEWERS, ACCOUNTS, CODES, CODES)

# A row is two numbers that choose from those lists: drawing each choice by itself takes ten times as long.
Codes = tuple[int, int]
# Hypothesis prefers small numbers; a step that shares no factor with the number of choices spreads them over all.
STRIDE = 2_654_435_761
drawn_episode = st.tuples(*(st.integers(0, prod(map(len, lists)) - 1) for lists in (WHEN, WHO)))
drawn_interview = st.tuples(*(st.integers(0, prod(map(len, lists)) - 1) for lists in (ASKED, SAID)))
drawn_visit = st.tuples(drawn_episode, st.lists(drawn_interview, max_size=2))
drawn_children = st.lists(st.lists(drawn_visit, min_size=1, max_size=5), min_size=50, max_size=60)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


@given(children=drawn_children)
@settings(max_examples=12, deadline=None)
def test_cascade_voice_and_recognition_equal_the_reference(
    warehouse: SmallWarehouse, children: list[list[tuple[Codes, list[Codes]]]]
) -> None:
    sent = delivery(*(row for number, visits in enumerate(children) for row in _rows(number, visits)))
    warehouse.load(sent)
    warehouse.build("core.interview_cascade", "core.interview_voice", "statistics.recognition")
    as_at = datetime.fromisoformat(sent.received)
    cuts = data_to([sent], as_at)
    expected: dict[str, list[Any]] = {"cascade": [], "voice": [], "recognition": []}
    for episodes, interviews in _by_child(resolve(live_episodes([sent], as_at)), live_interviews([sent], as_at)):
        expected["cascade"] += [
            _row(one, asdict(cascade(one, episodes, interviews, cuts))) for one in episodes if in_cascade(one)
        ]
        expected["voice"] += [
            (one.row.interview_id, *voice(one), sorted(one.row.push), sorted(one.row.actions))
            for one in interviews
            if held(one) == "yes"
        ]
        expected["recognition"] += [
            (*place, one.verdict, one.at_episode, one.days_after_first)
            for place, one in recognitions(episodes, interviews).items()
        ]
    found = warehouse.rows(CASCADE)
    assert _by_members(found) == _by_members(expected["cascade"])
    assert all(_is_monotone([RANK[row[stage]] for stage in STAGES]) for row in found)
    for table, query in (("voice", VOICE), ("recognition", RECOGNITION)):
        assert sorted(tuple(row.values()) for row in warehouse.rows(query)) == sorted(expected[table])


def _rows(number: int, visits: Sequence[tuple[Codes, Sequence[Codes]]]) -> Iterator[EpisodeRow | InterviewRow]:
    """What is sent of one child: episodes in their order, and the interviews after each."""
    clock = datetime.fromisoformat(ANCHORS[number % len(ANCHORS)])
    names: list[str] = []
    for place, ((when, who), interviews) in enumerate(visits):
        gap, minutes, length, return_, without_time = _chosen(when, WHEN)
        clock += timedelta(hours=gap, minutes=minutes) if place else timedelta(minutes=minutes)
        found = None if length is None else clock + timedelta(hours=length)
        returned = None if found is None or return_ is None else found + timedelta(hours=return_)
        names.append(f"{number}.{place}")
        borough, age, status, cse, cce = _chosen(who, WHO)
        yield EpisodeRow(
            episode_id=names[-1],
            started=_written(clock, day_only=without_time[0]),
            found=_written(found, day_only=without_time[1]),
            returned=_written(returned, day_only=without_time[2]),
            child=str(number),
            borough=borough,
            status=status,
            age=age,
            extracted=EXTRACTED[borough],
            **_flag("cse", cse, clock),
            **_flag("cce", cce, clock),
        )
        clock = returned or found or clock
        for which, codes in enumerate(interviews):
            about = _interview(*codes, back=clock, names=names)
            yield replace(about, interview_id=f"{names[-1]}.{which}", child=str(number), borough=borough)


def _interview(asked: int, said: int, *, back: datetime, names: Sequence[str]) -> InterviewRow:
    hours, minutes, was_held, (offered, accepted), reason, named = _chosen(asked, ASKED)
    interviewer, account, push, actions = _chosen(said, SAID)
    held_at = None if was_held == "not" else back + timedelta(hours=hours, minutes=minutes)
    meant = {"own": names[-1:], "both": names[-2:], "twice": names[-1:] * 2, "before": names[-2:-1], "nobody's": ()}
    return InterviewRow(
        interview_id="",
        episode_ids=tuple(meant[named]) or ("nobody's",),
        held=_written(held_at, day_only=was_held == "day"),
        offered=offered,
        accepted=accepted,
        declined_reason=reason,
        interviewer=interviewer,
        account=account,
        push=push,
        actions=actions,
    )


def _chosen(code: int, lists: Sequence[Sequence[Any]]) -> list[Any]:
    chosen = []
    code = code * STRIDE % prod(map(len, lists))
    for options in lists:
        code, place = divmod(code, len(options))
        chosen.append(options[place])
    return chosen


def _written(clock: datetime | None, *, day_only: bool) -> str | None:
    if clock is None:
        return None
    return clock.date().isoformat() if day_only else clock.isoformat(" ", "minutes")


def _flag(kind: str, days: int | str | None, clock: datetime) -> dict[str, Any]:
    if not isinstance(days, int):
        return {f"{kind}_flag": "yes" if days else None}
    return {f"{kind}_flag_date": (clock + timedelta(days=days)).date().isoformat()}


def _by_child(episodes: Sequence[Episode], interviews: Sequence[Live]) -> Iterator[tuple[list[Episode], list[Live]]]:
    children: dict[str, tuple[list[Episode], list[Live]]] = defaultdict(lambda: ([], []))
    for episode in episodes:
        children[episode.child_key][0].append(episode)
    for interview in interviews:
        children[interview.child_key][1].append(interview)
    yield from children.values()


def _row(episode: Episode, expected: dict[str, Any]) -> dict[str, Any]:
    hours = expected["hours_from_return"]
    members = sorted(f"{borough} {episode_id}" for borough, episode_id in episode.members)
    return {"members": members} | expected | {"hours_from_return": None if hours is None else round(hours, 6)}


def _by_members(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["members"])


def _is_monotone(ranks: Sequence[int]) -> bool:
    return list(ranks) == sorted(ranks, reverse=True)
