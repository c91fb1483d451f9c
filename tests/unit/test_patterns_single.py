"""Escalation, long, night, young and late flag at their edges, each from both sides, with the shipped rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders.rows import EpisodeRow, cases, delivery, utc
from tests.builders.warehouse import SmallWarehouse, small_warehouse

KINDS = ("escalation", "long", "night", "young", "late_flag")
HIT_TABLES = tuple(f"patterns.hit_{kind}" for kind in KINDS)
# As everywhere in these tests a delivery arrives at 2026-06-01 09:00 UTC, 10:00 by the clock: the data end.
DATA_END = datetime.fromisoformat("2026-06-01 10:00")

Cases = Mapping[str, Sequence[EpisodeRow]]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SmallWarehouse]:
    with small_warehouse() as opened:
        yield opened


def absence(started: str, ended: str | None = None, **given: Any) -> EpisodeRow:
    """An episode from one recorded time to another, without an end unless given."""
    return EpisodeRow(episode_id=started, started=started, found=ended, **given)


def lasting(started: str, *, hours: float, minutes: int = 0, **given: Any) -> EpisodeRow:
    """An episode of some hours by the clock on the wall."""
    ended = datetime.fromisoformat(started) + timedelta(hours=hours, minutes=minutes)
    return absence(started, ended.isoformat(" ", "minutes"), **given)


def hits(warehouse: SmallWarehouse, kind: str, by_name: Cases) -> list[dict[str, Any]]:
    """Hits of one kind, with the name of the case."""
    warehouse.load(cases(by_name))
    warehouse.build(f"patterns.hit_{kind}")
    return warehouse.rows(f"""
        select child_id as name, hit.*
        from patterns.hit_{kind} as hit inner join patterns.episode using (child_number, episode_number)
        inner join (select pseudonym_number, child_id from staging.child) using (pseudonym_number)
        order by name, hit_at
    """)  # noqa: S608 - names of our own tables


def said(warehouse: SmallWarehouse, kind: str, by_name: Cases) -> dict[str, tuple[str | None, bool]]:
    """Name of each case with a hit to the detail and whether it is certain."""
    return {hit["name"]: (hit["detail"], hit["is_certain"]) for hit in hits(warehouse, kind, by_name)}


# Escalation by gaps


def starts(*texts: str) -> list[EpisodeRow]:
    """Short episodes, which no rule about durations sees."""
    return [lasting(text, hours=1) for text in texts]


def test_three_strictly_falling_gaps_between_starts(warehouse: SmallWarehouse) -> None:
    edges = {
        "falling": starts("2024-06-01 10:00", "2024-06-06 10:00", "2024-06-09 10:00", "2024-06-11 10:00"),
        "last two equal": starts("2024-06-01 10:00", "2024-06-06 10:00", "2024-06-09 10:00", "2024-06-12 10:00"),
        "a minute shorter": starts("2024-06-01 10:00", "2024-06-06 10:00", "2024-06-09 10:00", "2024-06-12 09:59"),
        "first two equal": starts("2024-06-01 10:00", "2024-06-06 10:00", "2024-06-11 10:00", "2024-06-13 10:00"),
        "first a minute longer": starts("2024-06-01 09:59", "2024-06-06 10:00", "2024-06-11 10:00", "2024-06-13 10:00"),
        "rising": starts("2024-06-01 10:00", "2024-06-03 10:00", "2024-06-06 10:00", "2024-06-11 10:00"),
        "two gaps only": starts("2024-06-01 10:00", "2024-06-06 10:00", "2024-06-09 10:00"),
        "ends not recorded": [absence(f"2024-06-{day} 10:00") for day in ("01", "06", "09", "11")],
        "away": [absence(f"2024-06-{day} 10:00", status="away") for day in ("01", "06", "09", "11")],
    }
    hit = ("gaps", True)
    falling = ("falling", "a minute shorter", "first a minute longer", "ends not recorded")
    assert said(warehouse, "escalation", edges) == dict.fromkeys(falling, hit)


def test_gaps_are_elapsed_time_when_the_clocks_change(warehouse: SmallWarehouse) -> None:
    spring = ("2024-03-25 10:00", "2024-03-28 10:00", "2024-03-30 10:00")
    autumn = ("2024-10-21 10:00", "2024-10-24 10:00", "2024-10-26 10:00")
    edges = {
        "spring, 48 and 47 hours": starts(*spring, "2024-04-01 10:00"),
        "spring, twice 48 hours": starts(*spring, "2024-04-01 11:00"),
        "autumn, 48 and 49 hours": starts(*autumn, "2024-10-28 10:00"),
        "autumn, twice 48 hours": starts(*autumn, "2024-10-28 09:00"),
        "autumn, a minute less": starts(*autumn, "2024-10-28 08:59"),
    }
    assert said(warehouse, "escalation", edges).keys() == {"spring, 48 and 47 hours", "autumn, a minute less"}


def test_a_fall_is_certain_only_where_it_holds_on_every_reading(warehouse: SmallWarehouse) -> None:
    edges = {
        "days, 5 3 1 apart": [absence(f"2024-06-{day}", f"2024-06-{day}") for day in ("01", "06", "09", "10")],
        "days, 4 3 1 apart": [absence(f"2024-06-{day}", f"2024-06-{day}") for day in ("01", "05", "08", "09")],
        "either pass": starts("2024-10-23 01:00", "2024-10-25 02:00", "2024-10-27 01:30", "2024-10-28 10:00"),
        "first pass only": starts("2024-10-23 02:00", "2024-10-25 02:00", "2024-10-27 01:30", "2024-10-28 10:00"),
    }
    assert said(warehouse, "escalation", edges) == {
        "days, 5 3 1 apart": ("gaps", True),
        "days, 4 3 1 apart": ("gaps", False),
        "either pass": ("gaps", True),
        "first pass only": ("gaps", False),
    }


def test_a_longer_run_of_falling_gaps_is_one_hit_each_with_its_own_three_gaps(warehouse: SmallWarehouse) -> None:
    texts = ("2024-06-01 10:00", "2024-06-09 10:00", "2024-06-14 10:00", "2024-06-17 10:00", "2024-06-18 10:00")
    found = hits(warehouse, "escalation", {"anna": starts(*texts)})
    assert [(hit["window_after"], hit["hit_at"]) for hit in found] == [
        (utc("2024-06-01 08:59:59.999999"), utc("2024-06-17 09:00")),
        (utc("2024-06-09 08:59:59.999999"), utc("2024-06-18 09:00")),
    ]


# Escalation by duration


def after_2_and_4_hours(*rows: EpisodeRow) -> list[EpisodeRow]:
    """Two episodes with a median of three hours, then others."""
    return [lasting("2024-06-01 10:00", hours=2), lasting("2024-06-10 10:00", hours=4), *rows]


def test_a_duration_of_more_than_a_day_and_more_than_twice_the_earlier_median(warehouse: SmallWarehouse) -> None:
    two = [lasting("2024-06-01 10:00", hours=12), lasting("2024-06-10 10:00", hours=13)]
    three = [*two, lasting("2024-06-15 10:00", hours=20)]
    edges = {
        "24:00": after_2_and_4_hours(lasting("2024-06-20 10:00", hours=24)),
        "24:01": after_2_and_4_hours(lasting("2024-06-20 10:00", hours=24, minutes=1)),
        "twice the median of two": [*two, lasting("2024-06-20 10:00", hours=25)],
        "a minute more": [*two, lasting("2024-06-20 10:00", hours=25, minutes=1)],
        "twice the median of three": [*three, lasting("2024-06-20 10:00", hours=26)],
        "a minute more than that": [*three, lasting("2024-06-20 10:00", hours=26, minutes=1)],
        "one earlier only": [lasting("2024-06-10 10:00", hours=4), lasting("2024-06-20 10:00", hours=30)],
    }
    hit = ("duration", True)
    assert said(warehouse, "escalation", edges) == dict.fromkeys(
        ("24:01", "a minute more", "a minute more than that"), hit
    )


def test_only_durations_exact_at_both_ends_count(warehouse: SmallWarehouse) -> None:
    long_one = lasting("2024-06-20 10:00", hours=30)
    before = lasting("2024-06-01 10:00", hours=2)
    edges = {
        "two exact": [before, lasting("2024-06-10 10:00", hours=2), long_one],
        "the second began on a day": [before, absence("2024-06-10", "2024-06-10 22:00"), long_one],
        "the second ended on a day": [before, absence("2024-06-10 10:00", "2024-06-11"), long_one],
        "it ended on a day before it began": [before, absence("2024-06-10 10:00", "2024-06-08"), long_one],
        "the second never ended": [before, absence("2024-06-10 10:00"), long_one],
        "the long one began on a day": after_2_and_4_hours(absence("2024-06-20", "2024-06-23 10:00")),
        "the long one ended on a day": after_2_and_4_hours(absence("2024-06-20 10:00", "2024-06-23")),
        "the long one never ended": after_2_and_4_hours(absence("2024-06-20 10:00")),
        "it began in the repeated hour": after_2_and_4_hours(absence("2024-10-27 01:30", "2024-10-29 10:00")),
        "it ended in the repeated hour": after_2_and_4_hours(absence("2024-10-24 10:00", "2024-10-27 01:30")),
        "it ended after the repeated hour": after_2_and_4_hours(absence("2024-10-24 10:00", "2024-10-27 02:00")),
    }
    assert said(warehouse, "escalation", edges).keys() == {"two exact", "it ended after the repeated hour"}


def test_both_branches_are_one_hit_and_its_evidence_is_that_of_the_gaps(warehouse: SmallWarehouse) -> None:
    days = ("2024-06-01 10:00", "2024-06-09 10:00", "2024-06-14 10:00")
    edges = {
        "both": [*starts(*days), lasting("2024-06-17 10:00", hours=30)],
        "duration": [*starts(*days), lasting("2024-06-27 10:00", hours=30)],
    }
    assert said(warehouse, "escalation", edges) == {"both": ("gaps and duration", True), "duration": ("duration", True)}
    assert evidence(warehouse, "escalation") == {
        "both": ["2024-06-01", "2024-06-09", "2024-06-14", "2024-06-17"],
        "duration": ["2024-06-27"],
    }


def evidence(warehouse: SmallWarehouse, kind: str) -> dict[str, list[str]]:
    """Name of each case to the days of the missing episodes that the windows of its hits hold."""
    found = warehouse.rows(f"""
        select child_id as name, list(episode.started_at::date::varchar order by episode.started_at) as days
        from patterns.hit_{kind} as hit
        inner join patterns.episode as episode
            on hit.child_number = episode.child_number
            and episode.started_at > hit.window_after and episode.started_at <= hit.hit_at
        inner join (select pseudonym_number, child_id from staging.child) using (pseudonym_number)
        group by all
    """)  # noqa: S608 - names of our own tables
    return {row["name"]: row["days"] for row in found}


# Long


def test_the_highest_band_that_the_elapsed_time_reaches(warehouse: SmallWarehouse) -> None:
    week, four_weeks = 7 * 24, 28 * 24
    lengths = {
        "23:59": (23, 59),
        "24:00": (24, 0),
        "47:59": (47, 59),
        "48:00": (48, 0),
        "7 days": (week, 0),
        "7 days and a minute": (week, 1),
        "28 days": (four_weeks, 0),
        "28 days and a minute": (four_weeks, 1),
    }
    edges = {
        name: [lasting("2024-06-01 10:00", hours=hours, minutes=minutes)] for name, (hours, minutes) in lengths.items()
    }
    assert said(warehouse, "long", edges) == {
        "24:00": ("24 hours or more", True),
        "47:59": ("24 hours or more", True),
        "48:00": ("48 hours or more", True),
        "7 days": ("48 hours or more", True),
        "7 days and a minute": ("more than 7 days", True),
        "28 days": ("more than 7 days", True),
        "28 days and a minute": ("more than 28 days", True),
    }


def test_24_hours_are_elapsed_hours_when_the_clocks_change(warehouse: SmallWarehouse) -> None:
    edges = {
        "spring, 24:59 by the clock": [lasting("2024-03-30 12:00", hours=24, minutes=59)],
        "spring, 25:00 by the clock": [lasting("2024-03-30 12:00", hours=25)],
        "autumn, 22:59 by the clock": [lasting("2024-10-26 12:00", hours=22, minutes=59)],
        "autumn, 23:00 by the clock": [lasting("2024-10-26 12:00", hours=23)],
        "from either pass, 23:59": [absence("2024-10-27 01:30", "2024-10-28 01:29")],
        "from either pass, 24:00": [absence("2024-10-27 01:30", "2024-10-28 01:30")],
    }
    hit = ("24 hours or more", True)
    assert said(warehouse, "long", edges) == dict.fromkeys(
        ("spring, 25:00 by the clock", "autumn, 23:00 by the clock", "from either pass, 24:00"), hit
    )


def test_of_days_the_shortest_time_that_they_allow_counts(warehouse: SmallWarehouse) -> None:
    edges = {
        "1 to 2 June": [absence("2024-06-01", "2024-06-02")],
        "1 to 3 June": [absence("2024-06-01", "2024-06-03")],
        "1 to 8 June": [absence("2024-06-01", "2024-06-08")],
        "1 to 9 June": [absence("2024-06-01", "2024-06-09")],
        "from a minute, a day later": [absence("2024-06-01 00:00", "2024-06-02")],
        "from a minute later": [absence("2024-06-01 00:01", "2024-06-02")],
    }
    assert said(warehouse, "long", edges) == {
        "1 to 3 June": ("24 hours or more", True),
        "1 to 8 June": ("48 hours or more", True),
        "1 to 9 June": ("more than 7 days", True),
        "from a minute, a day later": ("24 hours or more", True),
    }


def open_for(hours: float, minutes: int = 0, **given: Any) -> EpisodeRow:
    """An episode without an end that started so long before the data end."""
    return absence((DATA_END - timedelta(hours=hours, minutes=minutes)).isoformat(" ", "minutes"), **given)


def test_an_open_episode_counts_until_the_data_end_of_its_borough(warehouse: SmallWarehouse) -> None:
    # Bury's newest extraction is a day before the delivery.
    extracted = (DATA_END - timedelta(days=1)).isoformat(" ", "minutes")
    edges = {
        "23:59": [open_for(23, 59)],
        "24:00": [open_for(24)],
        "28 days and a minute": [open_for(28 * 24, 1)],
        "bury, 23:59": [open_for(47, 59, borough="bury", extracted=extracted)],
        "bury, 24:00": [open_for(48, borough="bury", extracted=extracted)],
        "after the data end": [open_for(0, borough="bury", extracted=extracted)],
    }
    assert said(warehouse, "long", edges) == {
        "24:00": ("24 hours or more, end not recorded", False),
        "28 days and a minute": ("more than 28 days, end not recorded", False),
        "bury, 24:00": ("24 hours or more, end not recorded", False),
    }


LATER = {
    "missing again later": lasting("2026-05-01 10:00", hours=2),
    "missing again later, aged 18": lasting("2026-05-01 10:00", hours=2, age=18),
    "away later": lasting("2026-05-01 10:00", hours=2, status="away"),
    "missing before": lasting("2026-03-01 10:00", hours=2),
}


def test_an_open_episode_before_another_missing_episode_has_no_length(warehouse: SmallWarehouse) -> None:
    edges = {name: [absence("2026-04-01 10:00"), other] for name, other in LATER.items()}
    long = ("more than 28 days, end not recorded", False)
    assert said(warehouse, "long", edges) == {"away later": long, "missing before": long}
    night = ("end not recorded", False)
    assert said(warehouse, "night", edges) == {"away later": night, "missing before": night}


# Night


def test_a_whole_night_from_midnight_to_six_by_the_clock(warehouse: SmallWarehouse) -> None:
    edges = {
        "00:00 to 06:00": [absence("2024-06-10 00:00", "2024-06-10 06:00")],
        "00:00 to 05:59": [absence("2024-06-10 00:00", "2024-06-10 05:59")],
        "00:01 to 06:00": [absence("2024-06-10 00:01", "2024-06-10 06:00")],
        "00:01 to 05:59 next day": [absence("2024-06-10 00:01", "2024-06-11 05:59")],
        "00:01 to 06:00 next day": [absence("2024-06-10 00:01", "2024-06-11 06:00")],
        "in winter, 00:00 to 06:00": [absence("2024-01-10 00:00", "2024-01-10 06:00")],
        "in winter, 00:00 to 05:59": [absence("2024-01-10 00:00", "2024-01-10 05:59")],
        "five hours in spring": [absence("2024-03-31 00:00", "2024-03-31 06:00")],
        "a minute less": [absence("2024-03-31 00:00", "2024-03-31 05:59")],
        "seven hours in autumn": [absence("2024-10-27 00:00", "2024-10-27 06:00")],
        "a minute less than those": [absence("2024-10-27 00:00", "2024-10-27 05:59")],
    }
    nights = ("00:00 to 06:00", "00:01 to 06:00 next day", "in winter, 00:00 to 06:00")
    assert said(warehouse, "night", edges) == dict.fromkeys(
        (*nights, "five hours in spring", "seven hours in autumn"), (None, True)
    )


def test_of_days_a_night_counts_where_every_reading_has_it(warehouse: SmallWarehouse) -> None:
    edges = {
        "1 to 2 June": [absence("2024-06-01", "2024-06-02")],
        "1 to 3 June": [absence("2024-06-01", "2024-06-03")],
        "1 June to 05:59 on the next": [absence("2024-06-01", "2024-06-02 05:59")],
        "1 June to 06:00 on the next": [absence("2024-06-01", "2024-06-02 06:00")],
        "an evening to the next day": [absence("2024-06-01 22:00", "2024-06-02")],
        "an evening to the day after": [absence("2024-06-01 22:00", "2024-06-03")],
    }
    nights = ("1 to 3 June", "1 June to 06:00 on the next", "an evening to the day after")
    assert said(warehouse, "night", edges) == dict.fromkeys(nights, (None, True))


def test_an_open_episode_takes_in_the_nights_until_the_data_end(warehouse: SmallWarehouse) -> None:
    edges = {
        "since midnight": [open_for(10)],
        "a minute after": [open_for(9, 59)],
        "bury, until 06:00": [open_for(10, borough="bury", extracted="2026-06-01 06:00")],
        "wigan, until 05:59": [open_for(10, borough="wigan", extracted="2026-06-01 05:59")],
    }
    assert said(warehouse, "night", edges) == dict.fromkeys(
        ("since midnight", "bury, until 06:00"), ("end not recorded", False)
    )


# Young


def test_every_episode_under_the_age_of_12(warehouse: SmallWarehouse) -> None:
    ages = {"11": 11, "12": 12, "unknown": None, "0": 0}
    edges = {name: [absence("2024-06-01 10:00", "2024-06-01 12:00", age=age)] for name, age in ages.items()}
    assert said(warehouse, "young", edges) == dict.fromkeys(("11", "0"), (None, True))


# Late flag


def five(**given: Any) -> list[EpisodeRow]:
    """Five episodes, the last on 5 June."""
    return [lasting(f"2024-06-0{day} 10:00", hours=2, **given) for day in range(1, 6)]


def flagged(**flags: Any) -> EpisodeRow:
    """A later episode in another borough, of a kind that no pattern counts, with what is said about flags."""
    return lasting("2024-09-01 10:00", hours=2, status="away", borough="bury", **flags)


def test_a_flag_after_the_days_of_five_missing_episodes(warehouse: SmallWarehouse) -> None:
    four, late = five()[:4], flagged(cse_flag_date="2024-06-06")
    earlier = lasting("2024-09-05 10:00", hours=2, borough="wigan", cse_flag_date="2024-06-03")
    edges = {
        "the day after the fifth": [*five(), late],
        "the day of the fifth": [*five(), flagged(cse_flag_date="2024-06-05")],
        "four": [*four, late],
        "a fifth away": [*four, lasting("2024-06-05 10:00", hours=2, status="away"), late],
        "a fifth of unknown age": [*four, lasting("2024-06-05 10:00", hours=2, age=None), late],
        "a fifth at 18": [*four, lasting("2024-06-05 10:00", hours=2, age=18), late],
        "a fifth of which only the day is known": [*four, absence("2024-06-05", "2024-06-05"), late],
        "23:30 the day before": [*four, lasting("2024-06-05 23:30", hours=2), late],
        "00:30 on the day": [*four, lasting("2024-06-06 00:30", hours=2), late],
        "flagged earlier elsewhere": [*five(), late, earlier],
    }
    late_ones = (
        "the day after the fifth",
        "a fifth of unknown age",
        "a fifth of which only the day is known",
        "23:30 the day before",
    )
    assert said(warehouse, "late_flag", edges) == dict.fromkeys(late_ones, ("cse", True))


def test_which_flag_came_first_and_whether_that_can_be_told(warehouse: SmallWarehouse) -> None:
    edges = {
        "cse": [*five(), flagged(cse_flag_date="2024-06-10", cce_flag_date="2024-06-11")],
        "cce": [*five(), flagged(cse_flag_date="2024-06-12", cce_flag_date="2024-06-11")],
        "both": [*five(), flagged(cse_flag_date="2024-06-10", cce_flag_date="2024-06-10")],
        "cse has no date": [*five(), flagged(cse_flag="yes", cce_flag_date="2024-06-11")],
        "cce has no date": [*five(), flagged(cce_flag="yes", cse_flag_date="2024-06-11")],
        "cce was not set": [*five(), flagged(cce_flag="no", cse_flag_date="2024-06-11")],
        "neither has a date": [*five(), flagged(cse_flag="yes", cce_flag="yes")],
        "a date on another row": [*five(cse_flag="yes"), flagged(cse_flag="yes", cse_flag_date="2024-06-11")],
        "no flag": [*five(), flagged(cse_flag="no")],
    }
    assert said(warehouse, "late_flag", edges) == {
        "cse": ("cse", True),
        "cce": ("cce", True),
        "both": ("cse and cce", True),
        "cse has no date": ("cce", False),
        "cce has no date": ("cse", False),
        "cce was not set": ("cse", True),
        "a date on another row": ("cse", True),
    }


def test_its_evidence_is_every_missing_episode_before_the_flag(warehouse: SmallWarehouse) -> None:
    (found,) = hits(warehouse, "late_flag", {"anna": [*five(), flagged(cse_flag_date="2024-06-06")]})
    assert (found["window_after"], found["hit_at"]) == (utc("2024-06-01 08:59:59.999999"), utc("2024-06-05 09:00"))
    assert evidence(warehouse, "late_flag") == {"anna": [f"2024-06-0{day}" for day in range(1, 6)]}


# All of them

HISTORY = {
    "anna": [
        *starts("2024-06-01 10:00", "2024-06-09 10:00", "2024-06-14 10:00"),
        lasting("2024-06-17 10:00", hours=30, age=11),
        lasting("2024-06-20 22:00", hours=60, borough="bury"),
        flagged(cse_flag_date="2024-07-01"),
    ],
    "ben": [absence("2024-06-01", "2024-06-10"), open_for(72)],
}


def test_the_order_of_rows_changes_nothing_and_every_hit_stands_for_one_episode(warehouse: SmallWarehouse) -> None:
    rows = list(cases(HISTORY).rows)
    made = []
    for ordered in (rows, rows[::-1]):
        warehouse.load(delivery(*ordered))
        warehouse.build(*HIT_TABLES)
        made.append({table: warehouse.rows(f"select * from {table} order by all") for table in HIT_TABLES})  # noqa: S608 - as above
    assert made[0] == made[1]
    assert all(made[0].values())
    for table in HIT_TABLES:
        keys = [(hit["rule_number"], hit["child_number"], hit["episode_number"]) for hit in made[0][table]]
        assert len(keys) == len(set(keys))
    alone = [hit for kind in ("long", "night", "young") for hit in made[0][f"patterns.hit_{kind}"]]
    assert {hit["hit_at"] - hit["window_after"] for hit in alone} == {timedelta(microseconds=1)}
