"""Repeat-missing flags at the edges of their windows, each from both sides, with the shipped rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders.rows import Delivery, EpisodeRow, InterviewRow, cases, delivery, utc
from tests.builders.rules import shipped, small_rule
from tests.builders.warehouse import SmallWarehouse, small_warehouse

FLAGS = "select * from patterns.flag order by rule_id, child_key, raised_at"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


def absence(started: str, *, hours: float = 2, name: str | None = None, **given: Any) -> EpisodeRow:
    """A missing episode of some hours, named after its start."""
    ended = (datetime.fromisoformat(started) + timedelta(hours=hours)).isoformat(" ", "minutes")
    return EpisodeRow(episode_id=name or started, started=started, found=ended, returned=ended, **given)


def interview(about: str, held: str | None, **given: Any) -> InterviewRow:
    """A return interview about the episode that starts then."""
    return InterviewRow(interview_id=f"about {about}", episode_ids=(about,), held=held, **given)


def flagged(warehouse: SmallWarehouse, *rows: EpisodeRow | InterviewRow | Delivery) -> dict[str, list[dict[str, Any]]]:
    """Flags by rule."""
    deliveries = [row for row in rows if isinstance(row, Delivery)]
    warehouse.load(*(deliveries or [delivery(*rows)]))
    warehouse.build("patterns.flag")
    flags: dict[str, list[dict[str, Any]]] = {}
    for flag in warehouse.rows(FLAGS):
        flags.setdefault(flag["rule_id"], []).append(flag)
    return flags


def raised(
    warehouse: SmallWarehouse, rule: str, by_name: Mapping[str, Sequence[EpisodeRow | InterviewRow]]
) -> set[str]:
    """Names of the cases in which a rule raises a flag."""
    return {flag["child_id"] for flag in flagged(warehouse, cases(by_name)).get(rule, [])}


# Windows


@pytest.mark.parametrize(
    ("rule", "third"),
    [("R3-28", "2024-06-29 10:00"), ("R3-30", "2024-07-01 10:00"), ("R3-90", "2024-08-30 10:00")],
)
def test_a_start_exactly_a_window_earlier_does_not_count(warehouse: SmallWarehouse, rule: str, third: str) -> None:
    rest = (absence("2024-06-10 10:00"), absence(third))
    edges = {
        "exactly": (absence("2024-06-01 10:00"), *rest),
        "a minute less": (absence("2024-06-01 10:01"), *rest),
    }
    assert raised(warehouse, rule, edges) == {"a minute less"}


def test_a_start_exactly_365_days_earlier_does_not_count(warehouse: SmallWarehouse) -> None:
    edges = {
        "exactly": (absence("2023-06-02 10:00"), absence("2024-06-01 10:00")),
        "a minute less": (absence("2023-06-02 10:01"), absence("2024-06-01 10:00")),
    }
    assert raised(warehouse, "R2Y", edges) == {"a minute less"}


def test_28_days_are_elapsed_time_when_the_clocks_change(warehouse: SmallWarehouse) -> None:
    spring = (absence("2024-03-15 10:00"), absence("2024-04-07 11:00"))
    autumn = (absence("2024-10-15 10:00"), absence("2024-11-07 09:00"))
    edges = {
        "spring, exactly": (absence("2024-03-10 10:00"), *spring),
        "spring, a minute less": (absence("2024-03-10 10:01"), *spring),
        "autumn, exactly": (absence("2024-10-10 10:00"), *autumn),
        "autumn, a minute less": (absence("2024-10-10 10:01"), *autumn),
    }
    assert raised(warehouse, "R3-28", edges) == {"spring, a minute less", "autumn, a minute less"}


def test_an_episode_counts_by_its_start_even_if_it_reaches_into_the_window(warehouse: SmallWarehouse) -> None:
    rows = (absence("2024-06-01 10:00", hours=48), absence("2024-06-10 10:00"), absence("2024-06-29 10:00"))
    assert "R3-28" not in flagged(warehouse, *rows)


@pytest.mark.parametrize(("rule", "episodes"), [("R10Y", 10), ("R50", 50)])
def test_high_counts_are_raised_at_the_episode_that_reaches_them(
    warehouse: SmallWarehouse, rule: str, episodes: int
) -> None:
    starts = [(utc("2024-01-01 10:00") + timedelta(days=6 * day)).isoformat(" ", "minutes") for day in range(episodes)]
    rows = [absence(start) for start in starts]
    assert rule not in flagged(warehouse, *rows[:-1])
    (flag,) = flagged(warehouse, *rows)[rule]
    assert flag["episodes"] == episodes
    assert warehouse.values("select london_to_utc($last::timestamp)", last=starts[-1]) == [flag["raised_at"]]


def test_nightly_reports_of_one_absence_raise_only_what_a_long_one_does(warehouse: SmallWarehouse) -> None:
    nights = [absence(f"2024-05-{day:02} 22:00", hours=24) for day in range(1, 6)]
    assert set(flagged(warehouse, *nights)) == {"RLONG", "RNIGHT"}


def test_rows_that_overlap_in_two_boroughs_raise_nothing(warehouse: SmallWarehouse) -> None:
    rows = [absence("2024-05-01 22:00", borough=slug) for slug in ("bolton", "bury", "wigan")]
    assert flagged(warehouse, *rows) == {}


@pytest.mark.parametrize("status", ["away", "absent"])
def test_away_and_absent_never_count(warehouse: SmallWarehouse, status: str) -> None:
    rows = [absence("2024-06-01 10:00"), absence("2024-06-03 10:00", status=status), absence("2024-06-05 10:00")]
    flags = flagged(warehouse, *rows)
    assert "R3-28" not in flags
    assert [flag["episodes"] for flag in flags["R2Y"]] == [2]


def test_a_run_of_overlapping_windows_is_one_flag_and_a_later_run_another(warehouse: SmallWarehouse) -> None:
    starts = ("2024-01-01 10:00", "2024-01-05 10:00", "2024-01-10 10:00", "2024-02-01 10:00", "2024-02-02 10:00")
    later = ("2024-06-01 10:00", "2024-06-02 10:00", "2024-06-03 10:00")
    first, second = flagged(warehouse, *map(absence, (*starts, *later)))["R3-28"]
    assert (first["raised_at"], first["last_hit_at"]) == (utc("2024-01-10 10:00"), utc("2024-02-02 10:00"))
    assert (first["episodes"], second["episodes"]) == (5, 3)
    assert second["raised_at"] == utc("2024-06-03 09:00")


def test_a_run_ends_where_no_window_reaches_back_to_it(warehouse: SmallWarehouse) -> None:
    run = [absence(start) for start in ("2024-01-08 10:00", "2024-01-09 10:00", "2024-01-10 10:00", "2024-02-06 10:00")]
    edges = {
        "reached": (*run, absence("2024-02-07 09:59"), absence("2024-02-08 10:00")),
        "not reached": (*run, absence("2024-02-07 10:00"), absence("2024-02-08 10:00")),
    }
    flags = flagged(warehouse, cases(edges))["R3-28"]
    assert sorted(flag["child_id"] for flag in flags) == ["not reached", "not reached", "reached"]


def test_a_flag_names_its_rule_its_evidence_and_its_boroughs(warehouse: SmallWarehouse) -> None:
    rows = [
        absence("2024-06-01 10:00"),
        absence("2024-06-02 10:00", borough="bury"),
        absence("2024-06-03 10:00", borough="bury"),
    ]
    (flag,) = flagged(warehouse, *rows)["R3-28"]
    assert flag["summary"] == "3 missing episodes; 3 or more within 28 days"
    assert (flag["rule_version"], flag["borough"], flag["boroughs"]) == (1, "bury", ["bolton", "bury"])
    assert flag["flag_id"].startswith("R3-28-")
    evidence = "select episode_key from core.missing_episode order by started_at"
    assert flag["episode_keys"] == warehouse.values(evidence)


# Pseudonyms and late arrivals


@pytest.mark.parametrize(("scope", "raised"), [("regional", True), ("borough", False)])
def test_episodes_in_two_boroughs_add_up_only_for_a_regional_pseudonym(
    warehouse: SmallWarehouse, scope: str, raised: bool
) -> None:
    rows = [
        absence("2024-06-01 10:00", scope=scope),
        absence("2024-06-02 10:00", scope=scope, borough="bury"),
        absence("2024-06-03 10:00", scope=scope),
    ]
    assert ("R3-28" in flagged(warehouse, *rows)) == raised


def test_a_late_second_episode_raises_the_flag_retrospectively(warehouse: SmallWarehouse) -> None:
    known = [absence(start) for start in ("2024-06-01 10:00", "2024-06-20 10:00", "2024-08-01 10:00")]
    in_time = delivery(*known, received="2024-08-02 09:00", name="in time")
    late = delivery(absence("2024-06-10 10:00"), received="2024-11-01 09:00", name="late")
    assert "R3-28" not in flagged(warehouse, in_time)
    (flag,) = flagged(warehouse, in_time, late)["R3-28"]
    assert (flag["raised_at"], flag["last_hit_at"]) == (utc("2024-06-20 09:00"), utc("2024-06-20 09:00"))
    assert flag["episodes"] == 3


def test_an_episode_that_arrives_late_keeps_the_flag_that_it_only_prolongs(warehouse: SmallWarehouse) -> None:
    first = [absence(start) for start in ("2024-06-01 10:00", "2024-06-02 10:00", "2024-06-03 10:00")]
    (before,) = flagged(warehouse, *first)["R3-28"]
    (after,) = flagged(warehouse, *first, absence("2024-06-20 10:00"))["R3-28"]
    assert before["flag_id"] == after["flag_id"]
    assert (before["episodes"], after["episodes"]) == (3, 4)


# Rapid repeat


def test_missing_again_up_to_exactly_7_days_after_the_end(warehouse: SmallWarehouse) -> None:
    edges = {
        "exactly": (absence("2024-06-01 10:00"), absence("2024-06-08 12:00")),
        "a minute more": (absence("2024-06-01 10:00"), absence("2024-06-08 12:01")),
    }
    assert raised(warehouse, "RFAST", edges) == {"exactly"}


def test_an_open_episode_has_no_end_to_be_rapid_after(warehouse: SmallWarehouse) -> None:
    flags = flagged(warehouse, EpisodeRow(episode_id="1", started="2024-06-01 10:00"), absence("2024-06-03 10:00"))
    assert set(flags) == {"R2Y"}


def test_rapid_repeats_in_a_row_are_one_flag(warehouse: SmallWarehouse) -> None:
    starts = ("2024-06-01 10:00", "2024-06-05 10:00", "2024-06-09 10:00", "2024-06-20 10:00", "2024-06-21 10:00")
    first, second = flagged(warehouse, *map(absence, starts))["RFAST"]
    assert (first["raised_at"], first["episodes"]) == (utc("2024-06-05 09:00"), 3)
    assert (second["raised_at"], second["episodes"]) == (utc("2024-06-21 09:00"), 2)


def test_a_flag_says_what_the_night_that_raised_it_says_and_not_a_later_one(warehouse: SmallWarehouse) -> None:
    ended, not_ended = absence("2024-06-01 21:00", hours=12), EpisodeRow(episode_id="2", started="2024-06-08 21:00")
    another_child = absence("2024-06-19 10:00", child="b" * 64)  # so that the data reach on
    (flag,) = flagged(warehouse, ended, not_ended, another_child)["RNIGHT"]
    assert (flag["episodes"], flag["detail"], flag["is_certain"]) == (2, None, True)


# Missing again before the interview

AGAIN = "2024-06-03 10:00"
FIRST = "2024-06-01 10:00"


def test_missing_again_less_than_72_hours_after_the_return(warehouse: SmallWarehouse) -> None:
    edges = {
        "71:59": (absence(FIRST), absence("2024-06-04 11:59")),
        "72:00": (absence(FIRST), absence("2024-06-04 12:00")),
    }
    assert raised(warehouse, "RRHI", edges) == {"71:59"}


def test_those_72_hours_are_elapsed_hours_when_the_clocks_change(warehouse: SmallWarehouse) -> None:
    spring, autumn = absence("2024-03-29 10:00"), absence("2024-10-25 10:00")
    edges = {
        "spring, 71:59": (spring, absence("2024-04-01 12:59")),
        "spring, 72:00": (spring, absence("2024-04-01 13:00")),
        "autumn, 71:59": (autumn, absence("2024-10-28 10:59")),
        "autumn, 72:00": (autumn, absence("2024-10-28 11:00")),
    }
    assert raised(warehouse, "RRHI", edges) == {"spring, 71:59", "autumn, 71:59"}


def test_the_72_hours_run_from_the_return_not_from_the_finding(warehouse: SmallWarehouse) -> None:
    before = EpisodeRow(episode_id="1", started=FIRST, found="2024-06-01 12:00", returned="2024-06-02 12:00")
    assert "RRHI" in flagged(warehouse, before, absence("2024-06-05 11:59"))


def test_missing_again_before_being_back_is_not_after_the_return(warehouse: SmallWarehouse) -> None:
    before = EpisodeRow(episode_id="1", started=FIRST, found="2024-06-01 12:00", returned="2024-06-02 12:00")
    edges = {"before": (before, absence("2024-06-02 11:59")), "on return": (before, absence("2024-06-02 12:00"))}
    assert raised(warehouse, "RRHI", edges) == {"on return"}


def test_an_interview_between_return_and_next_start_prevents_it(warehouse: SmallWarehouse) -> None:
    pair = (absence(FIRST), absence(AGAIN))
    edges = {
        "before the return": (*pair, interview(FIRST, "2024-06-01 11:59")),
        "on return": (*pair, interview(FIRST, "2024-06-01 12:00")),
        "as the next starts": (*pair, interview(FIRST, "2024-06-03 10:00")),
        "after the next start": (*pair, interview(FIRST, "2024-06-03 10:01")),
        "the day before": (*pair, interview(FIRST, "2024-05-31")),
        "the day of the return": (*pair, interview(FIRST, "2024-06-01")),
        "the day of the next start": (*pair, interview(FIRST, "2024-06-03")),
        "the day after": (*pair, interview(FIRST, "2024-06-04")),
    }
    without = {"before the return", "after the next start", "the day before", "the day after"}
    assert raised(warehouse, "RRHI", edges) == without


def test_it_is_not_raised_where_nobody_can_tell_whether_an_interview_was_held(warehouse: SmallWarehouse) -> None:
    pair = (absence(FIRST), absence(AGAIN))
    answers = {
        "accepted": (*pair, interview(FIRST, None, accepted="yes")),
        "unknown": (*pair, interview(FIRST, None, accepted="unknown")),
        "not accepted": (*pair, interview(FIRST, None, accepted="no")),
        "not offered": (*pair, interview(FIRST, None, offered="no")),
    }
    assert raised(warehouse, "RRHI", answers) == {"not accepted", "not offered"}


def test_an_interview_held_by_another_borough_counts_for_a_regional_pseudonym(warehouse: SmallWarehouse) -> None:
    for scope, raised in (("regional", False), ("borough", True)):
        held = interview(FIRST, "2024-06-02 10:00", borough="bury", scope=scope)
        assert ("RRHI" in flagged(warehouse, absence(FIRST), absence(AGAIN), held)) == raised


# Unheard repeater

THREE = ("2024-06-01 10:00", "2024-07-01 10:00", "2024-08-01 10:00")


def test_three_in_90_days_without_an_interview(warehouse: SmallWarehouse) -> None:
    (flag,) = flagged(warehouse, *map(absence, THREE))["RNORHI"]
    assert (flag["raised_at"], flag["episodes"]) == (utc("2024-08-01 09:00"), 3)


def test_an_interview_within_the_90_days_prevents_it(warehouse: SmallWarehouse) -> None:
    three = [absence(start) for start in THREE]
    edges = {
        "exactly 90 days before": (*three, interview(THREE[0], "2024-05-03 10:00")),
        "a minute less": (*three, interview(THREE[0], "2024-05-03 10:01")),
        "as the third starts": (*three, interview(THREE[0], "2024-08-01 10:00")),
        "a minute after": (*three, interview(THREE[0], "2024-08-01 10:01")),
        "the day before the 90": (*three, interview(THREE[0], "2024-05-02")),
        "the first of the 90": (*three, interview(THREE[0], "2024-05-03")),
    }
    without = {"exactly 90 days before", "a minute after", "the day before the 90"}
    assert raised(warehouse, "RNORHI", edges) == without


def test_an_interview_accepted_without_a_date_suppresses_it(warehouse: SmallWarehouse) -> None:
    three = [absence(start) for start in THREE]
    answers = {
        "accepted": (*three, interview(THREE[1], None, accepted="yes")),
        "not accepted": (*three, interview(THREE[1], None, accepted="no")),
    }
    assert raised(warehouse, "RNORHI", answers) == {"not accepted"}


def test_an_unclear_interview_about_an_episode_before_the_window_does_not_suppress_it(
    warehouse: SmallWarehouse,
) -> None:
    three = [absence(start) for start in THREE]
    edges = {
        "exactly 90 days before": (*three, absence("2024-05-03 10:00"), interview("2024-05-03 10:00", None)),
        "a minute less": (*three, absence("2024-05-03 10:01"), interview("2024-05-03 10:01", None)),
    }
    assert raised(warehouse, "RNORHI", edges) == {"exactly 90 days before"}


def test_two_unheard_rules_do_not_answer_for_each_other(warehouse: SmallWarehouse) -> None:
    shorter = small_rule("SHORTER", "unheard", parameters={"episodes": 2, "window_days": 40})
    rows = (*map(absence, THREE), interview(THREE[0], "2024-06-02 10:00"))
    try:
        warehouse.replace_rules([*shipped(), shorter])
        flags = flagged(warehouse, *rows)
    finally:
        warehouse.replace_rules(shipped())
    assert "RNORHI" not in flags
    assert [flag["raised_at"] for flag in flags["SHORTER"]] == [utc("2024-08-01 09:00")]


# Metamorphic

HISTORY = (
    *(absence(start) for start in ("2024-06-01 10:00", "2024-06-05 10:00", "2024-06-07 10:00", "2024-08-01 10:00")),
    absence("2024-06-20 10:00", borough="bury"),
    absence("2024-06-06 10:00", status="away"),
    absence("2024-06-02 10:00", child="ben"),
    absence("2024-06-03 10:00", child="ben"),
    interview("2024-06-05 10:00", "2024-06-06 10:00"),
)


def test_neither_order_nor_packing_of_rows_changes_a_flag(warehouse: SmallWarehouse) -> None:
    expected = flagged(warehouse, *HISTORY)
    assert {"R2Y", "R3-28", "R3-90", "RFAST", "RRHI"} <= expected.keys()
    assert flagged(warehouse, *reversed(HISTORY)) == expected
    assert flagged(warehouse, delivery(*HISTORY[:4], name="one"), delivery(*HISTORY[4:], name="two")) == expected
    again = delivery(*HISTORY, received="2026-07-01 09:00", name="again")
    assert flagged(warehouse, delivery(*HISTORY), again) == expected


def test_renaming_boroughs_changes_no_flag_but_for_their_names(warehouse: SmallWarehouse) -> None:
    names = {"bolton": "wigan", "bury": "oldham"}
    renamed = [type(row)(**vars(row) | {"borough": names[row.borough]}) for row in HISTORY]
    before, after = flagged(warehouse, *HISTORY), flagged(warehouse, *renamed)
    same = ("flag_id", "child_id", "raised_at", "last_hit_at", "episodes", "summary")
    assert {rule: [[flag[name] for name in same] for flag in flags] for rule, flags in before.items()} == {
        rule: [[flag[name] for name in same] for flag in flags] for rule, flags in after.items()
    }
    assert {flag["borough"] for flags in after.values() for flag in flags} <= {"wigan", "oldham"}
