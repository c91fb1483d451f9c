"""What became of the interview after a return, what children said in it, and when they were first recognised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from tests.builders.rows import EpisodeRow, InterviewRow, Row, area_codes, cases, delivery, utc
from tests.builders.warehouse import SmallWarehouse, small_warehouse

YES, NO, UNCLEAR = "yes", "no", "not_measurable"
BOLTON, BURY, TRAFFORD, REGION = (*(area_codes()[slug] for slug in ("bolton", "bury", "trafford")), "E47000001")
ELSEWHERE = "E08000011"
# Missing in the March after everything else, so that every period before it is over.
LATER = EpisodeRow(
    episode_id="later", child="zoe", borough="wigan", started="2026-03-20 10:00", found="2026-03-20 11:00"
)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


def back(returned: str, started: str | None = None, **given: Any) -> EpisodeRow:
    """The first episode, which ended with this return; it began on the day before unless said otherwise."""
    begun = started or f"{returned[:8]}{int(returned[8:10]) - 1:02} 10:00"
    return EpisodeRow(**{"episode_id": "1", "started": begun, "returned": returned} | given)


def again(started: str, **given: Any) -> EpisodeRow:
    """The second episode."""
    return EpisodeRow(**{"episode_id": "2", "started": started, "returned": started} | given)


def about(*names: str, **given: Any) -> InterviewRow:
    """An interview about the episodes of these names, else about the first."""
    return InterviewRow(**{"interview_id": "I", "episode_ids": names or ("1",)} | given)


RETURN = back("2024-05-02 14:00")


def first_of(warehouse: SmallWarehouse, by_name: Mapping[str, Sequence[Row]]) -> dict[str, dict[str, Any]]:
    """Name of a case to the cascade of its first episode."""
    warehouse.load(cases(by_name))
    warehouse.build("core.interview_cascade")
    rows = warehouse.rows(
        "select cascade.*, episode.child_key from core.interview_cascade as cascade"
        " inner join core.missing_episode as episode using (episode_key) order by episode.started_at desc"
    )
    return {row["child_key"]: row for row in rows}


def answers(
    warehouse: SmallWarehouse, column: str, by_name: Mapping[str, tuple[Sequence[Row], Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What one column says of each case, and what it should say."""
    found = first_of(warehouse, {name: rows for name, (rows, _) in by_name.items()})
    return {name: found[name][column] for name in by_name}, {name: answer for name, (_, answer) in by_name.items()}


# Due


def test_an_interview_is_due_once_72_hours_are_wholly_over_at_the_data_cut_of_the_sender(
    warehouse: SmallWarehouse,
) -> None:
    cuts = {
        "bolton": ("2024-05-02 14:00", "2024-05-05 14:00", YES),
        "bury": ("2024-05-02 14:00", "2024-05-05 13:59", NO),
        "oldham": ("2024-05-02", "2024-05-04 23:59", NO),
        "rochdale": ("2024-05-02", "2024-05-05 00:00", UNCLEAR),
        "salford": ("2024-05-02", "2024-05-05 23:59", UNCLEAR),
        "stockport": ("2024-05-02", "2024-05-06 00:00", YES),
        "tameside": ("2024-10-27 01:30", "2024-10-30 00:29", NO),
        "trafford": ("2024-10-27 01:30", "2024-10-30 00:30", UNCLEAR),
        "wigan": ("2024-10-27 01:30", "2024-10-30 01:30", YES),
    }
    by_name = {
        slug: ((back(returned, borough=slug, extracted=cut),), verdict)
        for slug, (returned, cut, verdict) in cuts.items()
    }
    found, expected = answers(warehouse, "due", by_name)
    assert found == expected


def test_the_cascade_is_about_missing_children_who_are_back(warehouse: SmallWarehouse) -> None:
    found = first_of(
        warehouse,
        {
            "17": (back("2024-05-02 14:00", age=17),),
            "unknown age": (back("2024-05-02 14:00", age=None),),
            "18": (back("2024-05-02 14:00", age=18),),
            "away": (back("2024-05-02 14:00", status="away"),),
            "open": (EpisodeRow(episode_id="1", started="2024-05-02 14:00"),),
            "only found": (EpisodeRow(episode_id="1", started="2024-05-01 10:00", found="2024-05-02 14:00"),),
        },
    )
    assert set(found) == {"17", "unknown age", "only found"}
    assert [name for name, row in found.items() if row["return_is_found"]] == ["only found"]


# Offered, accepted, held


def test_each_answer_implies_the_one_before(warehouse: SmallWarehouse) -> None:
    held = "2024-05-03 14:00"
    expected: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
        "held against all answers": ({"held": held, "offered": "no", "accepted": "no"}, (YES, YES, YES)),
        "accepted without an offer": ({"offered": "unknown", "accepted": "yes"}, (YES, YES, UNCLEAR)),
        "accepted, never offered": ({"offered": "no", "accepted": "yes"}, (NO, NO, NO)),
        "accepted, missing again": ({"declined_reason": "missing_again"}, (YES, YES, NO)),
        "offered": ({"accepted": "unknown"}, (YES, UNCLEAR, UNCLEAR)),
        "not held, nobody knows why": ({"accepted": "unknown", "declined_reason": "unknown"}, (YES, UNCLEAR, NO)),
        "declined": ({"accepted": "unknown", "declined_reason": "parent_declined"}, (YES, NO, NO)),
        "refused": ({"accepted": "no"}, (YES, NO, NO)),
        "blank": ({"offered": "unknown", "accepted": "unknown"}, (UNCLEAR, UNCLEAR, UNCLEAR)),
        "owed by another": ({"offered": "not_applicable", "accepted": "not_applicable"}, (NO, NO, NO)),
    }
    found = first_of(
        warehouse,
        {"no interview": (RETURN,)} | {name: (RETURN, about(**given)) for name, (given, _) in expected.items()},
    )
    assert {name: tuple(row[stage] for stage in ("offered", "accepted", "held")) for name, row in found.items()} == {
        "no interview": (NO, NO, NO)
    } | {name: verdicts for name, (_, verdicts) in expected.items()}
    assert {name for name, row in found.items() if row["declined"]} == {"declined", "refused"}


def test_an_interview_that_may_have_been_in_time_beside_a_late_one_leaves_it_open(warehouse: SmallWarehouse) -> None:
    late = about(interview_id="late", held="2024-05-09 14:00")
    by_name = {
        "late": ((RETURN, late), NO),
        "late, and one without a date": ((RETURN, late, about()), UNCLEAR),
        "late, and one in time": ((RETURN, late, about(held="2024-05-03 14:00")), YES),
        "late, and one declined": ((RETURN, late, about(accepted="no")), NO),
    }
    found, expected = answers(warehouse, "within_72_hours", by_name)
    assert found == expected


# The clock


def test_the_repeated_hour_is_read_both_ways(warehouse: SmallWarehouse) -> None:
    repeated, earlier = "2024-10-27 01:30", "2024-10-24 01:30"
    expected = {
        (repeated, "2024-10-30 00:30"): (YES, None),
        (repeated, "2024-10-30 00:31"): (UNCLEAR, None),
        (repeated, "2024-10-30 01:30"): (UNCLEAR, None),
        (repeated, "2024-10-30 01:31"): (NO, None),
        (repeated, repeated): (YES, None),
        (repeated, "2024-10-27 01:29"): (YES, None),
        (repeated, "2024-10-27 00:59"): (UNCLEAR, None),
        (earlier, "2024-10-27 01:29"): (UNCLEAR, None),
        (earlier, "2024-10-27 00:59"): (YES, 71 + 29 / 60),
        ("2024-10-24 00:29", "2024-10-27 01:30"): (NO, None),
        ("2024-10-24 00:59", "2024-10-27 00:59"): (YES, 72.0),
        ("2024-03-28 12:00", "2024-03-31 13:00"): (YES, 72.0),
        ("2024-03-28 12:00", "2024-03-31 13:01"): (NO, 72 + 1 / 60),
        ("2024-10-24 12:00", "2024-10-27 11:00"): (YES, 72.0),
        ("2024-10-24 12:00", "2024-10-27 11:01"): (NO, 72 + 1 / 60),
    }
    found = first_of(warehouse, {str(times): (back(times[0]), about(held=times[1])) for times in expected})
    assert {times: found[str(times)]["within_72_hours"] for times in expected} == {
        times: verdict for times, (verdict, _) in expected.items()
    }
    for times, (_, hours) in expected.items():
        assert found[str(times)]["hours_from_return"] == (None if hours is None else pytest.approx(hours, abs=1e-9))


# Before the return, after the next episode, shared


def test_the_interview_shown_is_the_first_that_is_not_dated_before_the_return(warehouse: SmallWarehouse) -> None:
    early, late = about(interview_id="early", held="2024-05-01 14:00"), about(held="2024-05-04 14:00")
    found = first_of(warehouse, {"early": (RETURN, early), "early and late": (RETURN, early, late)})
    assert [(row["held"], row["within_72_hours"]) for row in (found["early"], found["early and late"])] == [
        (YES, UNCLEAR),
        (YES, YES),
    ]
    shown = ("interviews", "first_held_at", "hours_from_return", "is_before_return")
    assert [found["early"][name] for name in shown] == [1, utc("2024-05-01 13:00"), -24.0, True]
    assert [found["early and late"][name] for name in shown] == [2, utc("2024-05-04 13:00"), 48.0, False]


def test_an_interview_after_the_next_episode_began_counts_and_is_marked(warehouse: SmallWarehouse) -> None:
    started = again("2024-05-06 10:00", returned="2024-05-06 12:00")
    by_name = {
        "a minute after": ((RETURN, started, about(held="2024-05-06 10:01")), (YES, True)),
        "as it began": ((RETURN, started, about(held="2024-05-06 10:00")), (YES, False)),
        "that day": ((RETURN, started, about(held="2024-05-06")), (YES, False)),
        "the day after": ((RETURN, started, about(held="2024-05-07")), (YES, True)),
        "on a day it may have begun": (
            (RETURN, again("2024-05-06"), about(held="2024-05-06 23:59")),
            (YES, False),
        ),
        "after its day": ((RETURN, again("2024-05-06"), about(held="2024-05-07 00:00")), (YES, True)),
        "away in between": (
            (RETURN, again("2024-05-06 10:00", status="away"), about(held="2024-05-06 12:00")),
            (YES, False),
        ),
        "one before it": (
            (RETURN, started, about(held="2024-05-07 10:00"), about(interview_id="J", held="2024-05-05 10:00")),
            (YES, False),
        ),
    }
    found = first_of(warehouse, {name: rows for name, (rows, _) in by_name.items()})
    assert {name: (found[name]["held"], found[name]["is_after_next"]) for name in by_name} == {
        name: answer for name, (_, answer) in by_name.items()
    }


def test_an_interview_about_several_episodes_is_marked(warehouse: SmallWarehouse) -> None:
    nightly = EpisodeRow(episode_id="same", started="2024-05-01 12:00", returned="2024-05-02 14:00")
    second = again("2024-05-06 10:00")
    by_name = {
        "two episodes": ((RETURN, second, about("1", "2", held="2024-05-07 10:00")), True),
        "two rows of one episode": ((RETURN, nightly, about("1", "same", held="2024-05-07 10:00")), False),
        "one that nobody sent": ((RETURN, about("1", "2", held="2024-05-07 10:00")), False),
    }
    found, expected = answers(warehouse, "is_shared", by_name)
    assert found == expected
    covered = (
        "select child_key, episodes_covered from core.episode_interview "
        "inner join core.return_interview using (interview_key)"
    )
    assert {tuple(row.values()) for row in warehouse.rows(covered)} == {
        ("two episodes", 2),
        ("two rows of one episode", 1),
        ("one that nobody sent", 1),
    }


# Overtaken


def test_overtaken_is_missing_again_within_72_hours_before_anybody_listened(warehouse: SmallWarehouse) -> None:
    soon = again("2024-05-05 13:59")
    other = about("nobody's", interview_id="other", held="2024-05-03 10:00")
    by_name: dict[str, tuple[Sequence[Row], str]] = {
        "never": ((RETURN,), NO),
        "a minute less": ((RETURN, soon), YES),
        "exactly 72 hours": ((RETURN, again("2024-05-05 14:00")), NO),
        "away": ((RETURN, again("2024-05-05 13:59", status="away")), NO),
        "at 18": ((RETURN, again("2024-05-05 13:59", age=18)), YES),
        "heard before": ((RETURN, soon, about(held="2024-05-04 10:00")), NO),
        "heard about something else": ((RETURN, soon, other), NO),
        "heard as it began": ((RETURN, soon, about(held="2024-05-05 13:59")), NO),
        "heard after": ((RETURN, soon, about(held="2024-05-05 14:00")), YES),
        "heard on the day of the return": ((RETURN, soon, about(held="2024-05-02")), NO),
        "heard on the day it began": ((RETURN, soon, about(held="2024-05-05")), UNCLEAR),
        "perhaps heard": ((RETURN, soon, about()), UNCLEAR),
        "declined": ((RETURN, soon, about(accepted="no")), YES),
        "heard before the return": ((RETURN, soon, about(held="2024-05-01 12:00")), UNCLEAR),
        "began on a day within": ((RETURN, again("2024-05-04")), YES),
        "began on the day of the 72 hours": ((RETURN, again("2024-05-05")), UNCLEAR),
        "began on the day after": ((RETURN, again("2024-05-06")), NO),
        "returned on a day, missing within": ((back("2024-05-02"), again("2024-05-04 23:59")), YES),
        "returned on a day, missing at its 72 hours": ((back("2024-05-02"), again("2024-05-05 00:00")), UNCLEAR),
        "returned on a day, missing 72 hours after it": ((back("2024-05-02"), again("2024-05-06 00:00")), NO),
        "repeated hour, within": ((back("2024-10-27 01:30"), again("2024-10-30 00:29")), YES),
        "repeated hour, perhaps": ((back("2024-10-27 01:30"), again("2024-10-30 00:30")), UNCLEAR),
        "repeated hour, after": ((back("2024-10-27 01:30"), again("2024-10-30 01:30")), NO),
        "clocks go forward, within": ((back("2024-03-29 12:00"), again("2024-04-01 12:59")), YES),
        "clocks go forward, exactly": ((back("2024-03-29 12:00"), again("2024-04-01 13:00")), NO),
        "clocks go back, within": ((back("2024-10-25 12:00"), again("2024-10-28 10:59")), YES),
        "clocks go back, exactly": ((back("2024-10-25 12:00"), again("2024-10-28 11:00")), NO),
    }
    found, expected = answers(warehouse, "overtaken", by_name)
    assert found == expected


def test_what_cannot_be_told_is_counted_apart(warehouse: SmallWarehouse) -> None:
    soon = again("2024-05-05 13:59")
    warehouse.load(delivery(*cases({"told": (RETURN, soon), "not told": (RETURN, soon, about())}).rows, LATER))
    warehouse.build("statistics.interview_count")
    query = (
        "select measure, count, not_measurable from statistics.interview_count where area_code = $area "
        "and basis = 'A' and period_type = 'month' and measure in ('rhi_overtaken', 'rhi_eligible')"
    )
    assert {tuple(row.values()) for row in warehouse.rows(query, area=BOLTON)} == {
        ("rhi_eligible", 4, 0),
        ("rhi_overtaken", 1, 1),
    }


# Children of other authorities


def test_who_is_left_out_of_a_boroughs_own_figures_is_counted_by_who_owes_the_interview(
    warehouse: SmallWarehouse,
) -> None:
    rows = {
        "own": (RETURN,),
        "of Bury": (back("2024-05-02 14:00", responsible=BURY), again("2024-05-20 10:00", responsible=BURY)),
        "of Trafford": (back("2024-05-02 14:00", responsible=TRAFFORD),),
        "from outside": (back("2024-05-02 14:00", responsible=ELSEWHERE),),
        "not recorded": (back("2024-05-02 14:00", responsible="unknown"),),
        "of age": (back("2024-05-02 14:00", responsible=ELSEWHERE, age=18),),
        "not yet due": (EpisodeRow(episode_id="1", started="2024-05-02 14:00", responsible=ELSEWHERE),),
        "missing from nowhere known": (back("2024-05-02 14:00", area="unknown", responsible=BURY),),
    }
    warehouse.load(delivery(*cases(rows).rows, LATER))
    warehouse.build("statistics.interview_excluded")
    query = (
        "select area_code, responsible, episodes, children from statistics.interview_excluded "
        "where period_type = 'quarter' and period_start = date '2024-04-01'"
    )
    assert {tuple(row.values()) for row in warehouse.rows(query)} == {
        (BOLTON, "another_borough", 3, 2),
        (BOLTON, "outside_region", 1, 1),
        (BOLTON, "not_recorded", 1, 1),
        (REGION, "outside_region", 1, 1),
        (REGION, "not_recorded", 1, 1),
    }


# What children said


def test_who_listened_what_was_written_down_and_whether_anything_was_done(warehouse: SmallWarehouse) -> None:
    expected: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
        "independent": ({"interviewer": "independent", "account": "yes", "actions": ["referral"]}, (YES, YES, YES)),
        "commissioned": ({"interviewer": "commissioned", "account": "no"}, (YES, NO, UNCLEAR)),
        "the authority": (
            {"interviewer": "responsible_authority", "account": "unknown", "actions": ["no_further_action"]},
            (NO, UNCLEAR, NO),
        ),
        "the home": (
            {"interviewer": "placement", "actions": ["no_further_action", "safety_plan"]},
            (NO, UNCLEAR, YES),
        ),
        "nobody knows": ({"interviewer": "unknown"}, (UNCLEAR, UNCLEAR, UNCLEAR)),
        "blank": ({}, (UNCLEAR, UNCLEAR, UNCLEAR)),
    }
    held = {name: (RETURN, about(held="2024-05-03 10:00", **given)) for name, (given, _) in expected.items()}
    undated = about(interviewer="independent", account="yes", actions=["referral"])
    warehouse.load(cases(held | {"not held": (RETURN, undated)}))
    warehouse.build("core.interview_voice")
    found = warehouse.rows("select child_key, independent, account_recorded, something_done from core.interview_voice")
    assert {row["child_key"]: tuple(row.values())[1:] for row in found} == {
        name: verdicts for name, (_, verdicts) in expected.items()
    }


def test_an_interview_is_counted_once_under_the_authority_that_owes_it(warehouse: SmallWarehouse) -> None:
    second = again("2024-05-10 10:00", responsible=TRAFFORD)
    said = {"interviewer": "independent", "push": ["school", "bullying", "school"], "pull": ["friends"]}
    rows: dict[str, Sequence[Row]] = {
        "two episodes": (
            back("2024-05-02 14:00", responsible=TRAFFORD),
            second,
            about("1", "2", held="2024-05-11 10:00", **said),
            about("2", interview_id="next quarter", held="2024-07-01 00:00"),
        ),
        "newest known": (
            back("2024-05-02 14:00", responsible=BURY),
            again("2024-05-10 10:00", responsible="unknown"),
            about("1", "2", held="2024-06-30 23:59", push=["school"], actions=["referral"]),
        ),
        "from outside": (
            back("2024-05-02 14:00", responsible=ELSEWHERE),
            about(held="2024-05-03 10:00", push=["school"]),
        ),
        "not recorded": (
            back("2024-05-02 14:00", responsible="unknown"),
            about(held="2024-05-03 10:00", push=["school"]),
        ),
        "of nothing delivered": (RETURN, about("nobody's", held="2024-05-03 10:00")),
        "of age": (back("2024-05-02 14:00", age=18), about(held="2024-05-03 10:00", push=["school"])),
        "away": (back("2024-05-02 14:00", status="away"), about(held="2024-05-03 10:00", push=["school"])),
    }
    warehouse.load(delivery(*cases(rows).rows, LATER))
    warehouse.build("statistics.voice", "statistics.voice_factor")
    voice = (
        "select area_code, interviews, yes, no, not_measurable, children, unplaced from statistics.voice "
        "where question = 'independent' and period_type = 'quarter' and period_start = date '2024-04-01'"
    )
    assert {tuple(row.values()) for row in warehouse.rows(voice)} == {
        (TRAFFORD, 1, 1, 0, 0, 1, 0),
        (BURY, 1, 0, 0, 1, 1, 0),
        (BOLTON, 0, 0, 0, 0, 0, 2),
        (REGION, 2, 1, 0, 1, 2, 2),
    }
    year = "select interviews, children from statistics.voice where area_code = $area and period_type = 'year_to_march'"
    assert {tuple(row.values()) for row in warehouse.rows(year, area=TRAFFORD)} == {(2, 1)}
    factors = (
        "select area_code, kind, code, interviews, children from statistics.voice_factor "
        "where period_type = 'quarter' and period_start = date '2024-04-01'"
    )
    assert {tuple(row.values()) for row in warehouse.rows(factors)} == {
        (TRAFFORD, "push", "bullying", 1, 1),
        (TRAFFORD, "push", "school", 1, 1),
        (TRAFFORD, "pull", "friends", 1, 1),
        (BURY, "push", "school", 1, 1),
        (BURY, "action", "referral", 1, 1),
        (REGION, "push", "bullying", 1, 1),
        (REGION, "push", "school", 2, 2),
        (REGION, "pull", "friends", 1, 1),
        (REGION, "action", "referral", 1, 1),
    }


# Early identification

FIRST, SECOND, THIRD = (
    EpisodeRow(episode_id=name, started=f"2024-05-{day} 10:00", returned=f"2024-05-{day} 22:00")
    for name, day in (("1", "10"), ("2", "20"), ("3", "30"))
)
LIVED = (FIRST, SECOND, THIRD)
FLAG, INTERVIEW, MEETING = "exploitation_flag", "return_interview", "strategy_meeting"


def recognised(
    warehouse: SmallWarehouse, by_name: Mapping[str, Sequence[Row]]
) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Case and kind to the verdict, the episode and the days."""
    warehouse.load(cases(by_name))
    warehouse.build("statistics.recognition")
    found = warehouse.rows("select child_key, kind, verdict, at_episode, days_after_first from statistics.recognition")
    return {(row["child_key"], row["kind"]): tuple(row.values())[2:] for row in found}


def flagged(**given: str) -> tuple[EpisodeRow, ...]:
    """Three episodes; the last row knows of a flag."""
    return FIRST, SECOND, EpisodeRow(**vars(THIRD) | given)


def test_a_flag_belongs_to_the_episodes_begun_by_the_end_of_its_day(warehouse: SmallWarehouse) -> None:
    expected = {
        "none": (LIVED, ("not_yet", None, None)),
        "before the first": (flagged(cse_flag_date="2024-05-09"), ("recognised", 0, -1)),
        "on the first day": (flagged(cse_flag_date="2024-05-10"), ("recognised", 1, 0)),
        "the day before the second": (flagged(cse_flag_date="2024-05-19"), ("recognised", 1, 9)),
        "the day of the second": (flagged(cce_flag_date="2024-05-20"), ("recognised", 2, 10)),
        "long after": (flagged(cse_flag_date="2025-05-20"), ("recognised", 3, 375)),
        "the earlier of two": (
            flagged(cse_flag_date="2024-05-20", cce_flag_date="2024-05-10"),
            ("recognised", 1, 0),
        ),
        "without a date": (flagged(cse_flag="yes"), ("cannot_be_told", None, None)),
        "the other without a date": (
            flagged(cse_flag="yes", cce_flag_date="2024-05-10"),
            ("cannot_be_told", None, None),
        ),
        "the date in another row": (
            (EpisodeRow(**vars(FIRST) | {"cse_flag": "yes"}), *flagged(cse_flag_date="2024-05-20")[1:]),
            ("recognised", 2, 10),
        ),
    }
    found = recognised(warehouse, {name: rows for name, (rows, _) in expected.items()})
    assert {name: found[name, FLAG] for name in expected} == {name: answer for name, (_, answer) in expected.items()}


def test_the_first_interview_and_the_first_meeting_are_found_unless_an_undated_one_may_come_first(
    warehouse: SmallWarehouse,
) -> None:
    meeting = {"actions": ["referral", "strategy_meeting"]}
    no_meeting = {"actions": ["no_further_action"]}
    told, untold, none = ("recognised", 2, 10), ("cannot_be_told", None, None), ("not_yet", None, None)
    expected: dict[str, tuple[Sequence[InterviewRow], tuple[Any, ...], tuple[Any, ...]]] = {
        "no interview": ((), none, none),
        "declined": ((about(accepted="no"),), none, none),
        "met": ((about("2", held="2024-05-20 23:00", **meeting),), told, told),
        "a minute before the second": (
            (about(held="2024-05-20 09:59", **meeting),),
            ("recognised", 1, 10),
            ("recognised", 1, 10),
        ),
        "on the day of the second": ((about(held="2024-05-20", **meeting),), told, told),
        "nothing done": ((about("2", held="2024-05-20 23:00", **no_meeting),), told, none),
        "nothing recorded": ((about("2", held="2024-05-20 23:00"),), told, untold),
        "met later": (
            (
                about(held="2024-05-11 10:00", **no_meeting),
                about("2", interview_id="J", held="2024-05-20 23:00", **meeting),
            ),
            ("recognised", 1, 1),
            told,
        ),
        "met later, nothing recorded before": (
            (about(held="2024-05-11 10:00"), about("2", interview_id="J", held="2024-05-20 23:00", **meeting)),
            ("recognised", 1, 1),
            untold,
        ),
        "met, nothing recorded later": (
            (about("2", held="2024-05-20 23:00", **meeting), about("3", interview_id="J", held="2024-06-01 10:00")),
            told,
            told,
        ),
        "perhaps heard before": (
            (about(), about("2", interview_id="J", held="2024-05-20 23:00", **meeting)),
            untold,
            untold,
        ),
        "perhaps heard after a later episode": (
            (about("3"), about("2", interview_id="J", held="2024-05-20 23:00", **meeting)),
            told,
            told,
        ),
        "perhaps heard after an unknown episode": (
            (about("nobody's"), about("2", interview_id="J", held="2024-05-20 23:00", **meeting)),
            untold,
            untold,
        ),
        "perhaps heard": ((about(),), untold, untold),
    }
    found = recognised(warehouse, {name: (*LIVED, *rows) for name, (rows, _, _) in expected.items()})
    assert {name: (found[name, INTERVIEW], found[name, MEETING]) for name in expected} == {
        name: (interview, met) for name, (_, interview, met) in expected.items()
    }


def test_recognition_is_counted_in_the_area_and_year_of_the_first_episode(warehouse: SmallWarehouse) -> None:
    many = [
        EpisodeRow(episode_id=str(day), started=f"2024-05-{day:02} 10:00", returned=f"2024-05-{day:02} 12:00")
        for day in range(1, 21, 2)
    ]
    elsewhere = EpisodeRow(**vars(THIRD) | {"area": BURY})
    rows: dict[str, Sequence[Row]] = {
        "at once": (FIRST, elsewhere, about(held="2024-05-11 10:00")),
        "at the third": (*LIVED, about("3", held="2024-05-31 10:00")),
        "at the tenth": (*many, about("19", held="2024-05-20 10:00")),
        "before": (FIRST, about(held="2024-04-30 10:00")),
        "never": LIVED,
        "nobody knows": (FIRST, about()),
        "in Bury": (back("2024-03-31 10:00", area=BURY), about(held="2024-04-05 10:00")),
        "nowhere": (back("2024-05-02 14:00", area="unknown"),),
    }
    warehouse.load(delivery(*cases(rows).rows, LATER))
    warehouse.build("statistics.early_identification")
    query = (
        "select area_code, period_start, children, recognised, cannot_be_told, not_yet, median_episode, median_days, "
        "at_0, at_1, at_2, at_3_to_4, at_5_to_9, at_10_or_more, data_from "
        "from statistics.early_identification where kind = 'return_interview' and period_start < date '2025-04-01'"
    )
    found = {tuple(row.values())[:2]: tuple(row.values())[2:] for row in warehouse.rows(query)}
    first = date(2024, 3, 30)
    whole, part = (6, 4, 1, 1, 2.0, 10.0, 1, 1, 0, 1, 0, 1, first), (1, 1, 0, 0, 1.0, 6.0, 0, 1, 0, 0, 0, 0, first)
    assert found == {
        (BOLTON, date(2024, 4, 1)): whole,
        (REGION, date(2024, 4, 1)): whole,
        (BURY, date(2023, 4, 1)): part,
        (REGION, date(2023, 4, 1)): part,
    }
